//! What the components are told, by static pods' manifests and the kubelet's configuration.

use std::fs;

use super::bases::Tree;
use super::{BOTH, CLUSTER, KUBEADM, NODE, Row};

const API_SERVER: &str = "manifests/kube-apiserver.yaml";
const MANAGER: &str = "manifests/kube-controller-manager.yaml";
const ETCD: &str = "manifests/etcd.yaml";
const PKI: &str = "/etc/kubernetes/pki";

pub const ROWS: &[Row] = &[
    Row::new("another authority of clients", BOTH, &[("component/wrong-file", API_SERVER)], |tree| {
        api_server(tree, &[("client-ca-file", "front-proxy-ca.crt")]);
    }),
    Row::new("another authority of etcd's clients", BOTH, &[("component/wrong-file", ETCD)], |tree| {
        etcd(tree, "3.6.4-0", &[("trusted-ca-file", "/etc/kubernetes/pki/ca.crt")]);
    }),
    Row::new("another server's key for etcd", BOTH, &[("component/wrong-file", ETCD)], |tree| {
        etcd(tree, "3.6.4-0", &[("key-file", "/etc/kubernetes/pki/etcd/peer.key")]);
    }),
    Row::new("etcd for everybody", BOTH, &[("component/no-client-auth", ETCD)], |tree| {
        etcd(tree, "3.6.4-0", &[("client-cert-auth", "false")]);
    }),
    Row::new("kubelets that nobody verifies", BOTH, &[("component/no-kubelet-authority", API_SERVER)], |tree| {
        manifest(tree, "kube-apiserver", "kube-apiserver:v1.36.2", &[("client-ca-file", format!("{PKI}/ca.crt"))]);
    })
    .status(0),
    Row::new("a flag that names a file elsewhere", BOTH, &[], |tree| {
        etcd(tree, "3.6.4-0", &[("cert-file", "/opt/etcd/server.crt")]);
    })
    .status(3)
    .skips(&["manifests/etcd.yaml: --cert-file names /opt/etcd/server.crt"]),
    Row::new("PEM for etcd 3.6", NODE, &[("component/crl-form", ETCD)], |tree| {
        tree.kpki(&["crl", "update", "etcd-ca"]);
        etcd(tree, "3.6.4-0", &[("client-crl-file", "/etc/kubernetes/pki/etcd/ca.crl")]);
    }),
    Row::new("DER for etcd 3.5", NODE, &[("component/crl-form", ETCD)], |tree| {
        tree.kpki(&["crl", "update", "etcd-ca"]);
        etcd(tree, "3.5.21-0", &[("client-crl-file", "/etc/kubernetes/pki/etcd/ca.crl.der")]);
    }),
    Row::new("DER for etcd 3.6 is right", NODE, &[], |tree| {
        tree.kpki(&["crl", "update", "etcd-ca"]);
        etcd(tree, "3.6.4-0", &[("client-crl-file", "/etc/kubernetes/pki/etcd/ca.crl.der")]);
    })
    .status(0),
    Row::new("several signers", KUBEADM, &[("chain/several-signers", MANAGER)], |tree| {
        let both = tree.read("pki/ca.crt") + &tree.foreign("pki/ca.crt").0.to_pem();
        tree.write("pki/ca.crt", &both);
        tree.trust(&both);
        let ca = |name| format!("{PKI}/ca.{name}");
        let flags = [("cluster-signing-cert-file", ca("crt")), ("cluster-signing-key-file", ca("key"))];
        manifest(tree, "kube-controller-manager", "kube-controller-manager:v1.36.2", &flags);
    }),
    Row::new("a signing key that is not there", KUBEADM, &[("component/wrong-file", MANAGER)], |tree| {
        tree.remove("pki/ca.key");
        let ca = |name| format!("{PKI}/ca.{name}");
        let flags = [("cluster-signing-cert-file", ca("crt")), ("cluster-signing-key-file", ca("key"))];
        manifest(tree, "kube-controller-manager", "kube-controller-manager:v1.36.2", &flags);
    }),
    Row::new("a signing file that is not there", KUBEADM, &[("component/wrong-file", MANAGER)], |tree| {
        let flags = [("cluster-signing-cert-file", format!("{PKI}/ca-signer.crt"))];
        manifest(tree, "kube-controller-manager", "kube-controller-manager:v1.36.2", &flags);
    }),
    Row::new("a kubelet that does not rotate", BOTH, &[("component/no-rotation", "config.yaml")], |tree| {
        tree.write("config.yaml", "apiVersion: kubelet.config.k8s.io/v1beta1\nrotateCertificates: false\n");
    })
    .status(3),
    Row::new(
        "an SNI certificate on the cluster's own name",
        CLUSTER,
        &[("component/sni", "nodes/cp1/manifests/kube-apiserver.yaml")],
        |tree| {
            let flags = [
                ("kubelet-certificate-authority", format!("{PKI}/ca.crt")),
                ("tls-sni-cert-key", format!("{PKI}/web.crt,{PKI}/web.key")),
                ("tls-sni-cert-key", format!("{PKI}/apiserver.crt,{PKI}/apiserver.key")),
            ];
            fs::create_dir(tree.path("nodes/cp1/manifests")).unwrap();
            pod(tree, "nodes/cp1/manifests/kube-apiserver.yaml", "kube-apiserver", "kube-apiserver:v1.36.2", &flags);
        },
    )
    .status(3),
];

fn pod(tree: &Tree, path: &str, name: &str, image: &str, flags: &[(&str, String)]) {
    let words: String = flags.iter().map(|(flag, value)| format!("    - --{flag}={value}\n")).collect();
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n  - name: {name}\n    \
         image: example.com/{image}\n    command:\n    - {name}\n{words}"
    );
    tree.write(path, text);
}

fn manifest(tree: &Tree, name: &str, image: &str, flags: &[(&str, String)]) {
    pod(tree, &format!("manifests/{name}.yaml"), name, image, flags);
}

/// As kubeadm writes it, with some flags changed or added.
fn with(all: &[(&'static str, &str)], changed: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let kept = all.iter().filter(|(flag, _)| !changed.iter().any(|(other, _)| other == flag));
    kept.chain(changed).map(|(flag, value)| (*flag, (*value).to_owned())).collect()
}

fn api_server(tree: &Tree, changed: &[(&'static str, &str)]) {
    let usual = [
        ("client-ca-file", "ca.crt"),
        ("kubelet-certificate-authority", "ca.crt"),
        ("kubelet-client-certificate", "apiserver-kubelet-client.crt"),
        ("kubelet-client-key", "apiserver-kubelet-client.key"),
        ("etcd-cafile", "etcd/ca.crt"),
        ("service-account-key-file", "sa.pub"),
        ("tls-cert-file", "apiserver.crt"),
        ("tls-private-key-file", "apiserver.key"),
    ];
    let below = |(flag, name): (&'static str, String)| (flag, format!("{PKI}/{name}"));
    let flags: Vec<_> = with(&usual, changed).into_iter().map(below).collect();
    manifest(tree, "kube-apiserver", "kube-apiserver:v1.36.2", &flags);
}

fn etcd(tree: &Tree, version: &str, changed: &[(&'static str, &str)]) {
    let usual = [
        ("cert-file", "/etc/kubernetes/pki/etcd/server.crt"),
        ("client-cert-auth", "true"),
        ("key-file", "/etc/kubernetes/pki/etcd/server.key"),
        ("peer-cert-file", "/etc/kubernetes/pki/etcd/peer.crt"),
        ("peer-client-cert-auth", "true"),
        ("peer-key-file", "/etc/kubernetes/pki/etcd/peer.key"),
        ("peer-trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
        ("trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
    ];
    manifest(tree, "etcd", &format!("etcd:{version}"), &with(&usual, changed));
}
