use super::*;
use rustix::fs::{CWD, FileType, Mode};
use std::os::unix::fs::symlink;

#[test]
fn one_unreadable_file_never_hides_the_others() {
    let dir = copy("v1.36-default-rsa2048");
    let at = |name: &str| dir.path().join(name);
    let pem = bytes("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.crt");
    let der = crate::x509::parse_pem_bundle(&pem).unwrap().remove(0).der;
    let replace = |name: &str| {
        std::fs::remove_file(at(name)).unwrap();
        at(name)
    };
    std::fs::write(at("pki/apiserver.crt"), &pem[..pem.len() / 2]).unwrap();
    std::fs::write(at("pki/apiserver-kubelet-client.crt"), &der).unwrap();
    std::fs::create_dir(replace("pki/front-proxy-client.crt")).unwrap();
    rustix::fs::mknodat(CWD, replace("pki/etcd/server.crt"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let sparse = std::fs::File::create(at("pki/etcd/peer.crt")).unwrap();
    sparse.set_len(2 << 30).unwrap();
    let healthcheck = replace("pki/etcd/healthcheck-client.crt");
    symlink("healthcheck-client.crt", healthcheck).unwrap();
    std::os::unix::net::UnixListener::bind(replace("pki/apiserver-etcd-client.crt")).unwrap();
    std::fs::write(at("admin.conf"), "kind: Config\n").unwrap();
    std::fs::write(at("scheduler.conf"), "{").unwrap();
    std::fs::write(at("pki/front-proxy-ca.crt"), "").unwrap();
    std::fs::copy(at("pki/ca.key"), at("controller-manager.conf")).unwrap();
    let tree = node(dir.path());
    for (name, why) in [
        ("apiserver", "PEM block 1 (CERTIFICATE): expected an END line, found none"),
        ("front-proxy-client", "expected a file, found a directory"),
        ("etcd-server", "expected a regular file, found a named pipe"),
        ("etcd-peer", "expected at most 67108864 bytes, found a file of 2147483648"),
        ("etcd-healthcheck-client", "cannot read it: too many levels of symbolic links (os error 40)"),
        ("apiserver-etcd-client", "expected a regular file, found a socket"),
        (
            "apiserver-kubelet-client",
            "expected a PEM certificate, found DER, which belongs into PEM (kpki convert --to pem)",
        ),
        ("admin.conf", "expected current-context, found none"),
        ("front-proxy-ca", "expected a certificate, found an empty file"),
    ] {
        assert_eq!(unreadable(item(&tree, name)), why, "{name}");
    }
    // What no component reads, in the places where they read.
    std::fs::write(at("pki/apiserver-kubelet-client.crt"), &pem).unwrap();
    let key = bytes("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.key");
    let key = crate::encoding::pem::read(&key).unwrap().remove(0).contents;
    std::fs::write(at("pki/apiserver-kubelet-client.key"), &key).unwrap();
    std::fs::write(at("pki/sa.key"), &key).unwrap();
    let again = node(dir.path());
    for name in ["apiserver-kubelet-client[key]", "sa[key]"] {
        let why = "expected a PEM private key, found a private key in DER (kpki convert --to pkcs8 makes PEM of it)";
        assert_eq!(unreadable(item(&again, name)), why, "{name}");
    }
    for name in ["scheduler.conf", "controller-manager.conf"] {
        unreadable(item(&tree, name));
    }
    for name in ["ca", "etcd-ca", "super-admin.conf", "kubelet.conf"] {
        facts(item(&tree, name));
    }
}

#[test]
fn a_directory_nobody_may_enter_is_told() {
    // Not a directory at all: what root may not enter either.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let tree = node(&file);
    assert!(
        tree.items.iter().filter(|item| item.name != "kubelet-serving").all(|i| unreadable(i).contains("directory"))
    );
}

#[test]
fn a_kubeconfig_with_two_users_has_both() {
    let dir = copy("v1.36-default-rsa2048");
    let conf = |name: &str| String::from_utf8(bytes(&format!("v1.36-default-rsa2048/etc-kubernetes/{name}"))).unwrap();
    let scheduler = conf("scheduler.conf");
    let (_, user) = scheduler.split_once("users:\n").unwrap();
    let text = conf("admin.conf").replace("users:\n", &format!("users:\n{user}"));
    std::fs::write(dir.path().join("admin.conf"), &text).unwrap();
    let tree = node(dir.path());
    assert_eq!(facts(item(&tree, "admin.conf")).subject_attributes.cn, "kubernetes-admin");
    let second = item(&tree, "admin.conf[system:kube-scheduler]");
    assert_eq!(facts(second).subject_attributes.cn, "system:kube-scheduler");
    // Its current context leads nowhere: both are still there, and so is the reason.
    std::fs::write(dir.path().join("admin.conf"), text.replace("current-context: ", "current-context: x")).unwrap();
    let tree = node(dir.path());
    assert!(unreadable(item(&tree, "admin.conf")).starts_with("expected the context"));
    item(&tree, "admin.conf[kubernetes-admin]");
    item(&tree, "admin.conf[system:kube-scheduler]");
}

#[test]
fn a_kubeconfig_with_another_authority_shows_it() {
    let dir = copy("v1.36-default-rsa2048");
    let other = bytes("v1.36-ha-ecdsa-cp1/etc-kubernetes/scheduler.conf");
    std::fs::write(dir.path().join("scheduler.conf"), other).unwrap();
    let tree = node(dir.path());
    let authority = item(&tree, "scheduler.conf[ca]");
    assert_eq!((authority.kind, facts(authority).is_ca), (Kind::KubeconfigAuthority, true));
    // The tree's own path in another spelling is not reported twice.
    let mut own = b"# ours\n".to_vec();
    own.extend(bytes("v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt"));
    std::fs::write(dir.path().join("pki/ca.crt"), own).unwrap();
    std::fs::copy(fixture("v1.36-default-rsa2048/etc-kubernetes/scheduler.conf"), dir.path().join("scheduler.conf"))
        .unwrap();
    assert!(!names(&node(dir.path())).iter().any(|name| name.ends_with("[ca]")));
}

#[test]
fn a_bundle_of_fifty_is_fifty() {
    let dir = copy("v1.36-default-rsa2048");
    let mut bundle = bytes("v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt").repeat(48);
    bundle.extend(b"-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n");
    bundle.extend(bytes("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.crt"));
    std::fs::write(dir.path().join("pki/ca.crt"), bundle).unwrap();
    let tree = node(dir.path());
    let found: Vec<_> = tree.items.iter().filter(|item| item.name == "ca").collect();
    assert_eq!(found.iter().map(|item| item.position).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    unreadable(found[48]);
    assert_eq!((found[47].kind, found[49].kind), (Kind::Authority, Kind::Certificate));
}

#[test]
fn escapes_stay_in_the_facts_and_move_no_cursor_here() {
    let name = crate::blueprint::Name::of("a\u{1b}[31m", &[]);
    let der = crate::encoding::name::write(&name).unwrap();
    let tree = directory(&fixture("v1.36-default-rsa2048"), None);
    assert!(!tree.items.iter().any(|item| item.name.contains('\u{1b}')));
    assert_eq!(crate::encoding::name::read(&der).unwrap().to_string(), "CN=a\u{1b}[31m");
}
