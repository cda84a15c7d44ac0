//! Trees of other tools, as they have them on disk: recognised, clean, and each with a fault.

use std::fs;

use time::Duration;

use super::bases::{AT, Base, Tree, key};
use super::forge::{CLIENT, SERVER};
use super::makers::{again, authority, base, k0s, kubeconfig, leaf, minikube, minikube_node, rancher};
use super::verify;

/// A layout: its name, what makes it, and faults.
struct Row {
    layout: &'static str,
    make: fn(&Tree),
    faults: &'static [Fault],
}

/// Its rule and file, and what breaks a tree so.
type Fault = (&'static str, &'static str, fn(&Tree));

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
                    leaf.not_after = AT - Duration::seconds(1)
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
    for (dir, files) in [("t", 37), ("t/server", 31), ("t/server/tls", 28), ("t/agent", 8)] {
        let run = tree.place.kpki(&["verify", dir, "-o", "json", "--at", crate::harness::NOW]);
        let cluster = &run.json()["clusters"][0];
        assert_eq!(cluster["layout"], "k3s", "{dir}: {}", run.stdout);
        assert_eq!(cluster["findings"].as_array().unwrap().len(), 0, "{dir}: {}", run.stdout);
        assert_eq!(cluster["lookedAt"]["files"], files, "{dir}: {}", run.stdout);
    }
}
