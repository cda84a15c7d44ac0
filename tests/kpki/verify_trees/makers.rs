//! The files of other tools, with the names, users and usages that they have there.

use std::fs;

use kpki::encoding::tlv;
use kpki::x509::{Certificate, parse_pem_bundle};

use super::bases::{Tree, key};
use super::forge::{CLIENT, Forged, SERVER};

/// A node's tree as kubeadm makes it, in place of what is there.
pub fn base(tree: &Tree) {
    fs::remove_dir_all(tree.path("")).unwrap();
    super::bases::kubeadm("v1.36-ha-ecdsa-cp1", &tree.path(""));
}

/// Certificate and key of a name: with `.pem` as it is, without an end `.crt` and `.key`.
pub fn names(path: &str) -> (String, String) {
    match path.strip_suffix(".pem") {
        Some(stem) => (path.to_owned(), format!("{stem}-key.pem")),
        None => (format!("{path}.crt"), format!("{path}.key")),
    }
}

pub fn model(name: &str) -> Forged {
    let path = format!("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/{name}.crt");
    let text = fs::read(crate::harness::repository(&path)).unwrap();
    let mut forged = Forged::of(&parse_pem_bundle(&text).unwrap().remove(0));
    forged.serial = kpki::ca::serial().unwrap().to_vec();
    forged
}

pub fn put(tree: &Tree, path: &str, certificate: &Certificate, key: &str) {
    let (public, private) = names(path);
    tree.write(&public, certificate.to_pem());
    tree.secret(&private, key);
}

pub fn authority(tree: &Tree, path: &str, name: &str) {
    let key = key();
    let mut forged = model("ca");
    forged.subject(name, &[]);
    forged.issuer.clone_from(&forged.subject);
    forged.key(&key.spki_der());
    put(tree, path, &forged.sign(&key.to_pem()), &key.to_pem());
}

pub fn leaf(tree: &Tree, path: &str, authority: &str, name: &str, groups: &[&str], usages: &[&[u8]]) {
    let key = key();
    let mut forged = model(if usages.contains(&SERVER) { "apiserver" } else { "apiserver-kubelet-client" });
    forged.subject(name, groups);
    forged.key(&key.spki_der());
    forged.usages(usages);
    if usages.contains(&SERVER) {
        forged.names(|names| names.push(tlv::write(0x87, &[127, 0, 0, 1])));
    }
    let (public, private) = names(authority);
    forged.issued_by(&tree.certificate(&public));
    put(tree, path, &forged.sign(&tree.read(&private)), &key.to_pem());
}

/// Changed, and signed again.
pub fn again(tree: &Tree, path: &str, authority: &str, change: impl FnOnce(&mut Forged)) {
    let mut forged = Forged::of(&tree.certificate(path));
    change(&mut forged);
    tree.write(path, forged.sign(&tree.read(&names(authority).1)).to_pem());
}

pub fn rancher(tree: &Tree, program: &str) {
    let tls = |name: &str| format!("server/tls/{name}");
    for name in ["server-ca", "client-ca", "request-header-ca", "etcd/server-ca", "etcd/peer-ca"] {
        authority(tree, &tls(name), &format!("{program}-{}@1700000000", name.replace('/', "-")));
    }
    let client = |path: &str, name: &str, groups: &[&str]| leaf(tree, path, &tls("client-ca"), name, groups, &[CLIENT]);
    client(&tls("client-admin"), "system:admin", &["system:masters"]);
    client(&tls("client-controller"), "system:kube-controller-manager", &[]);
    client(&tls("client-scheduler"), "system:kube-scheduler", &[]);
    client(&tls(&format!("client-{program}-controller")), &format!("system:{program}-controller"), &[]);
    client(&format!("agent/client-{program}-controller"), &format!("system:{program}-controller"), &[]);
    client("agent/client-kubelet", "system:node:n1", &["system:nodes"]);
    leaf(tree, &tls("serving-kube-apiserver"), &tls("server-ca"), "kube-apiserver", &[], &[SERVER]);
    leaf(tree, "agent/serving-kubelet", &tls("server-ca"), "n1", &[], &[SERVER]);
    leaf(tree, &tls("client-auth-proxy"), &tls("request-header-ca"), "system:auth-proxy", &[], &[CLIENT]);
    leaf(tree, &tls("etcd/server-client"), &tls("etcd/server-ca"), "etcd-server", &[], &[SERVER, CLIENT]);
    leaf(tree, &tls("etcd/client"), &tls("etcd/server-ca"), "etcd-client", &[], &[CLIENT]);
    leaf(tree, &tls("etcd/peer-server-client"), &tls("etcd/peer-ca"), "etcd-peer", &[], &[SERVER, CLIENT]);
    for name in ["server-ca", "client-ca"] {
        tree.write(&format!("agent/{name}.crt"), tree.read(&tls(&format!("{name}.crt"))));
    }
    let home = format!("/var/lib/rancher/{program}/server/tls");
    for name in ["admin", "controller", "scheduler"] {
        let text = format!(
            "apiVersion: v1\nclusters:\n- cluster:\n    server: https://127.0.0.1:6444\n    certificate-authority: {home}/server-ca.crt\n  \
             name: local\ncontexts:\n- context:\n    cluster: local\n    namespace: default\n    user: user\n  name: Default\n\
             current-context: Default\nkind: Config\nusers:\n- name: user\n  user:\n    client-certificate: {home}/client-{name}.crt\n    \
             client-key: {home}/client-{name}.key\n"
        );
        tree.secret(&format!("server/cred/{name}.kubeconfig"), text);
    }
}

/// With a credential of its own below an authority.
pub fn kubeconfig(tree: &Tree, path: &str, trusted: &str, (authority, authority_key): &(Certificate, String)) {
    let key = key();
    let mut forged = model("apiserver-kubelet-client");
    forged.subject("system:kube-controller-manager", &["system:kube-controller-manager"]);
    forged.key(&key.spki_der());
    forged.issued_by(authority);
    let admin = crate::harness::repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/admin.conf");
    tree.secret(path, fs::read(admin).unwrap());
    tree.set_field(path, "server", "https://localhost:6443");
    tree.set_data(path, "certificate-authority-data", trusted);
    tree.set_data(path, "client-certificate-data", &forged.sign(authority_key).to_pem());
    tree.set_data(path, "client-key-data", &key.to_pem());
}

pub fn k0s(tree: &Tree) {
    authority(tree, "pki/ca", "kubernetes-ca");
    authority(tree, "pki/front-proxy-ca", "kubernetes-front-proxy-ca");
    authority(tree, "pki/etcd/ca", "etcd-ca");
    let both: &[&[u8]] = &[SERVER, CLIENT];
    for (name, user) in [
        ("server", "kubernetes"),
        ("k0s-api", "k0s-api"),
        ("admin", "kubernetes-admin"),
        ("ccm", "system:kube-controller-manager"),
    ] {
        leaf(tree, &format!("pki/{name}"), "pki/ca", user, &["kubernetes"], both);
    }
    again(tree, "pki/server.crt", "pki/ca", |leaf| leaf.names(|names| names.push(tlv::write(0x82, b"localhost"))));
    leaf(tree, "pki/apiserver-kubelet-client", "pki/ca", "apiserver-kubelet-client", &["system:masters"], both);
    leaf(tree, "pki/front-proxy-client", "pki/front-proxy-ca", "front-proxy-client", &["front-proxy-client"], both);
    leaf(tree, "pki/apiserver-etcd-client", "pki/etcd/ca", "apiserver-etcd-client", &[], both);
    leaf(tree, "pki/etcd/server", "pki/etcd/ca", "etcd-server", &[], both);
    leaf(tree, "pki/etcd/peer", "pki/etcd/ca", "etcd-peer", &[], both);
    let own = (tree.certificate("pki/ca.crt"), tree.read("pki/ca.key"));
    kubeconfig(tree, "pki/ccm.conf", &tree.read("pki/ca.crt"), &own);
    let account = key();
    tree.secret("pki/sa.key", account.to_pem().as_bytes());
    tree.secret("pki/sa.pub", account.public_pem());
}

pub fn minikube(tree: &Tree) {
    authority(tree, "ca", "minikubeCA");
    authority(tree, "proxy-client-ca", "proxyClientCA");
    for name in ["minikube", "two"] {
        leaf(tree, &format!("profiles/{name}/apiserver"), "ca", "minikube", &["system:masters"], &[SERVER, CLIENT]);
        leaf(tree, &format!("profiles/{name}/client"), "ca", "minikube-user", &["system:masters"], &[CLIENT]);
        leaf(tree, &format!("profiles/{name}/proxy-client"), "proxy-client-ca", "aggregator", &[], &[CLIENT]);
    }
}

pub fn minikube_node(tree: &Tree) {
    base(tree);
    for entry in fs::read_dir(tree.path("pki")).unwrap() {
        let entry = entry.unwrap();
        fs::rename(entry.path(), tree.path(entry.file_name().to_str().unwrap())).unwrap();
    }
    authority(tree, "proxy-client-ca", "proxyClientCA");
    leaf(tree, "proxy-client", "proxy-client-ca", "aggregator", &[], &[CLIENT]);
    leaf(tree, "apiserver", "ca", "minikube", &["system:masters"], &[SERVER, CLIENT]);
}
