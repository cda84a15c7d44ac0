//! kpki against programs that are not ours: OpenSSL, Go's reading through kubectl, pkilint, etcd, HAProxy, keepalived, nginx, cfssl, OpenBao,
//! keytool, promtool, Prometheus, Chromium, PyYAML, skopeo, kubernetes-validate, mandoc, groff, and a kernel that refuses (strace, full and
//! read-only file systems), systemd and cron. A missing program fails, it never skips; kube-apiserver, kube-controller-manager and the kubelet are in no package, and tests of theirs say that they did not run
//! unless `KUBE_APISERVER`, `KUBE_CONTROLLER_MANAGER` and `KUBELET` name the programs.
//!
//! `cargo build -p kpki-vault && cargo test --test interop`, as root (mounts, other users, network namespaces).

#![allow(
    clippy::disallowed_methods, // the tests are the outside world
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::unwrap_used
)]

#[path = "interop/support.rs"]
mod support;
#[path = "interop/tree.rs"]
mod tree;

#[path = "interop/adopt.rs"]
mod adopt;
#[path = "interop/backup.rs"]
mod backup;
#[path = "interop/cert_manager.rs"]
mod cert_manager;
#[path = "interop/convert.rs"]
mod convert;
#[path = "interop/crl.rs"]
mod crl;
#[path = "interop/csr.rs"]
mod csr;
#[path = "interop/deploy.rs"]
mod deploy;
#[path = "interop/etcd.rs"]
mod etcd;
#[path = "interop/export.rs"]
mod export;
#[path = "interop/faults.rs"]
mod faults;
#[path = "interop/forms.rs"]
mod forms;
#[path = "interop/ha.rs"]
mod ha;
#[path = "interop/hostile.rs"]
mod hostile;
#[path = "interop/html.rs"]
mod html;
#[path = "interop/issuers.rs"]
mod issuers;
#[path = "interop/key_sweep.rs"]
mod key_sweep;
#[path = "interop/kubeadm.rs"]
mod kubeadm;
#[path = "interop/kubectl.rs"]
mod kubectl;
#[path = "interop/kubernetes/mod.rs"]
mod kubernetes;
#[path = "interop/man.rs"]
mod man;
#[path = "interop/memory.rs"]
mod memory;
#[path = "interop/openbao/mod.rs"]
mod openbao;
#[path = "interop/openssl.rs"]
mod openssl;
#[path = "interop/outputs_sweep.rs"]
mod outputs_sweep;
#[path = "interop/pkilint.rs"]
mod pkilint;
#[path = "interop/pkits.rs"]
mod pkits;
#[path = "interop/prometheus.rs"]
mod prometheus;
#[path = "interop/promtool.rs"]
mod promtool;
#[path = "interop/readers.rs"]
mod readers;
#[path = "interop/renew.rs"]
mod renew;
#[path = "interop/renew_sweep.rs"]
mod renew_sweep;
#[path = "interop/revoke.rs"]
mod revoke;
#[path = "interop/rotate_sweep.rs"]
mod rotate_sweep;
#[path = "interop/rotation/mod.rs"]
mod rotation;
#[path = "interop/shipping.rs"]
mod shipping;
#[path = "interop/signals.rs"]
mod signals;
#[path = "interop/signer_sweep.rs"]
mod signer_sweep;
#[path = "interop/signers.rs"]
mod signers;
#[path = "interop/site.rs"]
mod site;
#[path = "interop/static_pods.rs"]
mod static_pods;
#[path = "interop/sweep.rs"]
mod sweep;
#[path = "interop/tls.rs"]
mod tls;
#[path = "interop/unpack.rs"]
mod unpack;
#[path = "interop/verify_live.rs"]
mod verify_live;
#[path = "interop/worked.rs"]
mod worked;
#[path = "interop/yaml.rs"]
mod yaml;
