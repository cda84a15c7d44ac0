//! Trees of other tools, as they have them on disk: recognised, clean, and each with a fault.

use std::fs;

use kpki::encoding::tlv;
use kpki::x509::{Certificate, parse_pem_bundle};
use time::Duration;

use super::bases::{AT, Base, Tree, key};
use super::forge::{CLIENT, Forged, SERVER};
use super::verify;

/// A layout: its name, what makes it, and faults.
struct Row {
    layout: &'static str,
    make: fn(&Tree),
    faults: &'static [(&'static str, &'static str, fn(&Tree))],
}

const ROWS: &[Row] = &[
    Row {
        layout: "k3s",
        make: |tree| rancher(tree, "k3s"),
        faults: &[
            ("pair/other-key", "server/tls/client-admin.crt", |tree| {
                tree.write("server/tls/client-admin.key", key().to_pem().as_bytes());
            }),
            ("pair/other-key", "server/tls/server-ca.crt", |tree| {
                tree.write("server/tls/server-ca.crt", tree.foreign("server/tls/server-ca.crt").0.to_pem());
            }),
            ("chain/broken", "agent/client-kubelet.crt", |tree| {
                let authority = "server/tls/server-ca";
                leaf(tree, "agent/client-kubelet", authority, "system:node:n1", &["system:nodes"], &[CLIENT]);
            }),
            ("date/expired", "server/tls/client-admin.crt", |tree| {
                again(tree, "server/tls/client-admin.crt", "server/tls/client-ca", |leaf| {
                    leaf.not_after = AT - Duration::hours(1)
                });
            }),
            ("usage/missing", "server/tls/serving-kube-apiserver.crt", |tree| {
                again(tree, "server/tls/serving-kube-apiserver.crt", "server/tls/server-ca", |leaf| {
                    leaf.usages(&[CLIENT])
                });
            }),
            ("name/missing-san", "server/tls/serving-kube-apiserver.crt", |tree| {
                again(tree, "server/tls/serving-kube-apiserver.crt", "server/tls/server-ca", |leaf| {
                    leaf.names(|names| names.retain(|name| !name.ends_with(b"kubernetes.default.svc")));
                });
            }),
            ("kubeconfig/authority", "server/cred/admin.kubeconfig", |tree| {
                let text = tree.read("server/cred/admin.kubeconfig");
                tree.write("server/cred/admin.kubeconfig", text.replace("server-ca.crt", "client-ca.crt"));
            }),
            ("file/key-mode", "server/tls/client-ca.key", |tree| tree.mode("server/tls/client-ca.key", 0o644)),
        ],
    },
    Row {
        layout: "RKE2",
        make: |tree| rancher(tree, "rke2"),
        faults: &[("pair/no-key", "server/tls/etcd/client.crt", |tree| tree.remove("server/tls/etcd/client.key"))],
    },
    Row {
        layout: "k0s",
        make: k0s,
        faults: &[
            ("chain/broken", "pki/ccm.conf", |tree| {
                let other = tree.foreign("pki/ca.crt");
                kubeconfig(tree, "pki/ccm.conf", &tree.read("pki/ca.crt"), &other);
            }),
            ("sa/other-key", "pki/sa.pub", |tree| tree.write("pki/sa.pub", key().public_pem())),
            ("file/missing", "pki/etcd/ca.crt", |tree| tree.remove("pki/etcd/ca.crt")),
        ],
    },
    Row {
        layout: "minikube",
        make: minikube,
        faults: &[("pair/other-key", "profiles/two/client.crt", |tree| {
            tree.write("profiles/two/client.key", key().to_pem().as_bytes());
        })],
    },
    Row {
        layout: "minikube",
        make: minikube_node,
        faults: &[("date/not-yet-valid", "proxy-client.crt", |tree| {
            again(tree, "proxy-client.crt", "proxy-client-ca", |leaf| leaf.not_before = AT + Duration::hours(1));
        })],
    },
    Row {
        layout: "Kubespray",
        make: |tree| {
            base(tree);
            fs::remove_dir_all(tree.path("pki/etcd")).unwrap();
            ["crt", "key"].iter().for_each(|end| tree.remove(&format!("pki/apiserver-etcd-client.{end}")));
            fs::rename(tree.path("pki"), tree.path("ssl")).unwrap();
        },
        faults: &[
            ("name/subject", "kubelet.conf", |tree| tree.write("kubelet.conf", tree.read("admin.conf"))),
            ("kubeconfig/server-name", "admin.conf", |tree| {
                tree.set_field("admin.conf", "server", "https://a.example.com:6443")
            }),
        ],
    },
    Row {
        layout: "Kubespray's etcd",
        make: |tree| {
            authority(tree, "ssl/ca.pem", "etcd-ca");
            for (name, usages) in
                [("member-n1", &[SERVER, CLIENT][..]), ("admin-n1", &[CLIENT]), ("node-n1", &[CLIENT])]
            {
                leaf(tree, &format!("ssl/{name}.pem"), "ssl/ca.pem", name, &[], usages);
            }
        },
        faults: &[
            ("usage/missing", "ssl/member-n1.pem", |tree| {
                leaf(tree, "ssl/member-n1.pem", "ssl/ca.pem", "member-n1", &[], &[SERVER]);
            }),
            ("chain/broken", "ssl/node-n1.pem", |tree| {
                authority(tree, "other.pem", "etcd-ca");
                leaf(tree, "ssl/node-n1.pem", "other.pem", "node-n1", &[], &[CLIENT]);
            }),
        ],
    },
];

#[test]
fn every_layout_is_recognised_and_judged() {
    for row in ROWS {
        let made = || {
            let tree = Base::Kubeadm.copy();
            fs::remove_dir_all(tree.path("")).unwrap();
            fs::create_dir(tree.path("")).unwrap();
            (row.make)(&tree);
            tree
        };
        let tree = made();
        let run = tree.place.kpki(&["verify", "t", "--at", crate::harness::NOW]);
        let said = format!("layout of {}: ", row.layout);
        assert!(run.stdout.contains(&said) && run.stdout.starts_with("ok: nothing found in "), "{said}{}", run.stdout);
        assert_eq!(run.status, 0, "{}", row.layout);
        for (rule, path, fault) in row.faults {
            let tree = made();
            fault(&tree);
            let (found, skipped, status) = verify(&tree.place, &[]);
            assert_eq!(found, [((*rule).to_owned(), (*path).to_owned())], "{} {rule} {path}", row.layout);
            assert_eq!((skipped, status), (vec![], 4), "{} {rule} {path}", row.layout);
            let text = tree.place.kpki(&["verify", "t", "--at", crate::harness::NOW]).stdout;
            assert!(!text.contains("kpki renew") && !text.contains("kpki init"), "{text}");
        }
    }
}

#[test]
fn a_layout_is_recognised_from_directories_inside_it() {
    let tree = Base::Kubeadm.copy();
    fs::remove_dir_all(tree.path("")).unwrap();
    rancher(&tree, "k3s");
    for (dir, files) in [("t", 39), ("t/server", 31), ("t/server/tls", 28), ("t/agent", 8)] {
        let run = tree.place.kpki(&["verify", dir, "-o", "json", "--at", crate::harness::NOW]);
        let cluster = &run.json()["clusters"][0];
        assert_eq!(cluster["layout"], "k3s", "{dir}: {}", run.stdout);
        assert_eq!(cluster["findings"].as_array().unwrap().len(), 0, "{dir}: {}", run.stdout);
        assert_eq!(cluster["lookedAt"]["files"], files, "{dir}: {}", run.stdout);
    }
}

/// A node's tree as kubeadm makes it, in place of what is there.
fn base(tree: &Tree) {
    fs::remove_dir_all(tree.path("")).unwrap();
    super::bases::kubeadm("v1.36-ha-ecdsa-cp1", &tree.path(""));
}

/// Certificate and key of a name: with `.pem` as it is, without an end `.crt` and `.key`.
fn names(path: &str) -> (String, String) {
    match path.strip_suffix(".pem") {
        Some(stem) => (path.to_owned(), format!("{stem}-key.pem")),
        None => (format!("{path}.crt"), format!("{path}.key")),
    }
}

fn model(name: &str) -> Forged {
    let path = format!("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/{name}.crt");
    let text = fs::read(crate::harness::repository(&path)).unwrap();
    let mut forged = Forged::of(&parse_pem_bundle(&text).unwrap().remove(0));
    forged.serial = kpki::ca::serial().unwrap().to_vec();
    forged
}

fn put(tree: &Tree, path: &str, certificate: &Certificate, key: &str) {
    let (public, private) = names(path);
    tree.write(&public, certificate.to_pem());
    tree.secret(&private, key);
}

fn authority(tree: &Tree, path: &str, name: &str) {
    let key = key();
    let mut forged = model("ca");
    forged.subject(name, &[]);
    forged.issuer.clone_from(&forged.subject);
    forged.key(&key.spki_der());
    put(tree, path, &forged.sign(&key.to_pem()), &key.to_pem());
}

fn leaf(tree: &Tree, path: &str, authority: &str, name: &str, groups: &[&str], usages: &[&[u8]]) {
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
fn again(tree: &Tree, path: &str, authority: &str, change: impl FnOnce(&mut Forged)) {
    let mut forged = Forged::of(&tree.certificate(path));
    change(&mut forged);
    tree.write(path, forged.sign(&tree.read(&names(authority).1)).to_pem());
}

fn rancher(tree: &Tree, program: &str) {
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
fn kubeconfig(tree: &Tree, path: &str, trusted: &str, (authority, authority_key): &(Certificate, String)) {
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

fn k0s(tree: &Tree) {
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

fn minikube(tree: &Tree) {
    authority(tree, "ca", "minikubeCA");
    authority(tree, "proxy-client-ca", "proxyClientCA");
    for name in ["minikube", "two"] {
        leaf(tree, &format!("profiles/{name}/apiserver"), "ca", "minikube", &["system:masters"], &[SERVER, CLIENT]);
        leaf(tree, &format!("profiles/{name}/client"), "ca", "minikube-user", &["system:masters"], &[CLIENT]);
        leaf(tree, &format!("profiles/{name}/proxy-client"), "proxy-client-ca", "aggregator", &[], &[CLIENT]);
    }
}

fn minikube_node(tree: &Tree) {
    base(tree);
    for entry in fs::read_dir(tree.path("pki")).unwrap() {
        let entry = entry.unwrap();
        fs::rename(entry.path(), tree.path(entry.file_name().to_str().unwrap())).unwrap();
    }
    authority(tree, "proxy-client-ca", "proxyClientCA");
    leaf(tree, "proxy-client", "proxy-client-ca", "aggregator", &[], &[CLIENT]);
    leaf(tree, "apiserver", "ca", "minikube", &["system:masters"], &[SERVER, CLIENT]);
}
