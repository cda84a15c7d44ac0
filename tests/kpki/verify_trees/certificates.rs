//! What a certificate says: dates, names, usages, identifiers, algorithms.

use kpki::encoding::tlv;
use time::Duration;

use super::bases::{AT, Tree};
use super::forge::{self, AKI, BASIC_CONSTRAINTS, CLIENT, CODE, ECDSA_SHA1, Forged, SERVER, SKI};
use super::{BOTH, CLUSTER, KUBEADM, NODE, Row};
use crate::harness::repository;

const APISERVER: &str = "pki/apiserver.crt";
const LEAF: &str = "pki/apiserver-kubelet-client.crt";
const PEER: &str = "pki/etcd/peer.crt";

pub const ROWS: &[Row] = &[
    Row::new("expired", BOTH, &[("date/expired", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.not_after = AT - Duration::seconds(1));
    }),
    Row::new("a connection that an expired certificate ends", BOTH, &[("edge/refused", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.not_after = AT - Duration::seconds(1));
    })
    .words(&["--only", "edge"]),
    Row::new("an expired credential", BOTH, &[("date/expired", "admin.conf")], |tree| {
        tree.edit_conf("admin.conf", |leaf| leaf.not_after = AT - Duration::seconds(1));
    }),
    Row::new("an expired authority", KUBEADM, &[("date/expired", "pki/front-proxy-ca.crt")], |tree| {
        tree.edit("pki/front-proxy-ca.crt", |ca| ca.not_after = AT - Duration::seconds(1));
    }),
    Row::new("not yet valid", BOTH, &[("date/not-yet-valid", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.not_before = AT + Duration::hours(1));
    }),
    Row::new("never valid", BOTH, &[("date/never-valid", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.not_after = leaf.not_before - Duration::seconds(1));
    }),
    Row::new("near its end", BOTH, &[("date/ending", APISERVER)], |tree| {
        // A new one lives as long as this.
        tree.edit(APISERVER, |leaf| {
            leaf.not_before = AT - Duration::days(345);
            leaf.not_after = AT + Duration::days(20);
        });
    })
    .status(3),
    Row::new("an authority near its end", KUBEADM, &[("date/ending", "pki/front-proxy-ca.crt")], |tree| {
        tree.edit("pki/front-proxy-ca.crt", |ca| {
            ca.not_before = AT - Duration::days(9 * 365);
            ca.not_after = AT + Duration::days(200);
        });
    })
    .status(3),
    Row::new("outlives its authority", BOTH, &[("date/outlives-authority", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.not_after = AT + Duration::days(20 * 365));
    })
    .status(0),
    Row::new("without a name of kubeadm's", BOTH, &[("name/missing-san", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| {
            leaf.names(|names| names.retain(|name| !name.ends_with(b"kubernetes.default.svc")))
        });
    }),
    Row::new("without its service name", KUBEADM, &[("name/missing-san", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.names(|names| names.retain(|name| !name.ends_with(b"cluster.local"))));
    }),
    Row::new("without the address that the profile has", NODE, &[("name/missing-san", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.names(|names| names.retain(|name| *name != address(&[10, 0, 0, 11]))));
    }),
    Row::new("etcd without localhost", BOTH, &[("name/missing-san", PEER)], |tree| {
        tree.edit(PEER, |leaf| leaf.names(|names| names.retain(|name| !name.ends_with(b"localhost"))));
    }),
    Row::new("a name more than the profile's", NODE, &[("name/surplus-san", APISERVER)], |tree| {
        more(tree, dns(b"old.example.com"))
    })
    .status(0),
    Row::new("an address of 8 octets", BOTH, &[("name/malformed-san", APISERVER)], |tree| {
        more(tree, address(&[10, 0, 0, 0, 255, 0, 0, 0]))
    }),
    Row::new("a name that is not ASCII", BOTH, &[("name/malformed-san", APISERVER)], |tree| {
        more(tree, dns("müller.example".as_bytes()))
    }),
    Row::new("a name with a dot at its end", BOTH, &[("name/malformed-san", APISERVER)], |tree| {
        more(tree, dns(b"api.example.com."))
    }),
    Row::new("an address as a name", BOTH, &[("name/malformed-san", APISERVER)], |tree| more(tree, dns(b"10.0.0.99"))),
    Row::new("an empty name", BOTH, &[("name/malformed-san", APISERVER)], |tree| more(tree, dns(b""))),
    Row::new("another user", BOTH, &[("name/subject", "scheduler.conf")], |tree| {
        tree.edit_conf("scheduler.conf", |leaf| leaf.subject("system:kube-controller-manager", &[]));
    }),
    Row::new("kubelet.conf with the administrator's credential", BOTH, &[("name/subject", "kubelet.conf")], |tree| {
        tree.write("kubelet.conf", tree.read("admin.conf"));
    }),
    Row::new("kubelet.conf with system:masters", BOTH, &[("name/subject", "kubelet.conf")], |tree| {
        tree.write("kubelet.conf", tree.read("super-admin.conf"));
    }),
    Row::new("a kubelet without its group", BOTH, &[("name/group", "kubelet.conf")], |tree| {
        tree.edit_conf("kubelet.conf", |leaf| leaf.subject("system:node:cp1", &[]));
    })
    .status(3),
    Row::new("system:masters where it should not be", BOTH, &[("name/masters", "scheduler.conf")], |tree| {
        tree.edit_conf("scheduler.conf", |leaf| leaf.subject("system:kube-scheduler", &["system:masters"]));
    }),
    Row::new("an administrator of an old release", NODE, &[("name/masters", "admin.conf")], |tree| {
        tree.edit_conf("admin.conf", |leaf| leaf.subject("kubernetes-admin", &["system:masters"]));
    }),
    Row::new("another node's credential", CLUSTER, &[("name/other-node", "nodes/cp1/kubelet.conf")], |tree| {
        tree.bring("nodes/cp2/kubelet.conf", "nodes/cp1/kubelet.conf");
    }),
    Row::new("another node's peer", KUBEADM, &[("name/other-node", PEER)], |tree| {
        for end in ["crt", "key"] {
            let from = format!("fixtures/kubeadm/v1.36-ha-ecdsa-cp2/etc-kubernetes/pki/etcd/peer.{end}");
            tree.write(&format!("pki/etcd/peer.{end}"), std::fs::read(repository(&from)).unwrap());
        }
    }),
    Row::new("another node's kubelet.conf", KUBEADM, &[("name/other-node", "kubelet.conf")], |tree| {
        let from = "fixtures/kubeadm/v1.36-ha-ecdsa-cp2/etc-kubernetes/kubelet.conf";
        tree.write("kubelet.conf", std::fs::read(repository(from)).unwrap());
    }),
    Row::new("the kubelet's credential as the administrator's", BOTH, &[("name/subject", "admin.conf")], |tree| {
        tree.write("admin.conf", tree.read("kubelet.conf"));
    }),
    Row::new("a server that may only be a client", BOTH, &[("usage/missing", APISERVER)], |tree| {
        tree.edit(APISERVER, |leaf| leaf.usages(&[CLIENT]));
    }),
    Row::new("a peer that may not be a client", BOTH, &[("usage/missing", PEER)], |tree| {
        tree.edit(PEER, |leaf| leaf.usages(&[SERVER]));
    }),
    Row::new("a usage more", BOTH, &[("usage/surplus", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.usages(&[CLIENT, CODE]))
    })
    .status(0),
    Row::new("for all usages", BOTH, &[("usage/surplus", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.without(forge::EXTENDED_KEY_USAGE))
    })
    .status(0),
    Row::new("a leaf that may sign", BOTH, &[("usage/leaf-signs", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| {
            leaf.set(BASIC_CONSTRAINTS, true, tlv::sequence(&[[1, 1, 0xff]]));
            let id = kpki::x509::key_identifier(&leaf.spki).unwrap();
            leaf.set(SKI, false, tlv::write(tlv::OCTET_STRING, &id));
        });
    }),
    Row::new("an unknown critical extension", BOTH, &[("usage/unknown-critical", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.set(&[0x2a, 3, 4], true, vec![5, 0]));
    }),
    Row::new(
        "an authority without an identifier",
        KUBEADM,
        &[("id/no-subject-key-id", "pki/front-proxy-ca.crt")],
        |tree| {
            tree.edit("pki/front-proxy-ca.crt", |ca| ca.without(SKI));
        },
    )
    .status(3),
    Row::new("a leaf without its authority's identifier", BOTH, &[("id/no-authority-key-id", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.without(AKI));
    })
    .status(3),
    Row::new("another authority's identifier", BOTH, &[("id/other-authority-key-id", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.set(AKI, false, tlv::sequence(&[tlv::write(tlv::CONTEXT, &[7; 20])])));
    }),
    Row::new("a negative number", BOTH, &[("id/serial", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.serial = vec![0x80, 1])
    })
    .status(3),
    Row::new("the number 0", BOTH, &[("id/serial", LEAF)], |tree| tree.edit(LEAF, |leaf| leaf.serial = vec![0]))
        .status(3),
    Row::new("a number of 21 octets", BOTH, &[("id/serial", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.serial = vec![1; 21])
    })
    .status(3),
    Row::new("one number twice", BOTH, &[("id/serial-twice", LEAF)], |tree| {
        let serial = tree.certificate(APISERVER).serial;
        tree.edit(LEAF, |leaf| leaf.serial = serial);
    }),
    Row::new("RSA of 1024 bits", BOTH, &[("algorithm/weak-key", LEAF)], |tree| other_key(tree, "rsa1024")),
    Row::new("an exponent of 3", BOTH, &[("algorithm/exponent", LEAF)], |tree| other_key(tree, "exponent3")),
    Row::new("P-256 where RSA of 3000 bits or more is asked for", BOTH, &[], |_| {})
        .words(&["--policy", "bsi-tr-02102"])
        .status(0),
    Row::new("SHA-1", BOTH, &[("algorithm/signature", LEAF)], |tree| {
        tree.edit(LEAF, |leaf| leaf.algorithm = ECDSA_SHA1)
    }),
    Row::new("a quantum computer", BOTH, &[("algorithm/quantum-vulnerable", LEAF)], |_| {})
        .words(&["--policy", "cnsa2", "--only", "algorithm=pki/apiserver-kubelet-client.crt"])
        .status(3),
];

fn dns(name: &[u8]) -> Vec<u8> {
    tlv::write(0x82, name)
}

fn address(octets: &[u8]) -> Vec<u8> {
    tlv::write(0x87, octets)
}

fn more(tree: &Tree, name: Vec<u8>) {
    tree.edit(APISERVER, |leaf| leaf.names(|names| names.push(name)));
}

/// A certificate for a key that kpki does not make.
fn other_key(tree: &Tree, name: &str) {
    let read = |end: &str| std::fs::read(repository(&format!("fixtures/verify/{name}.{end}"))).unwrap();
    let spki = kpki::encoding::pem::read(&read("pub")).unwrap().remove(0).contents.to_vec();
    let mut leaf = Forged::of(&tree.certificate(LEAF));
    leaf.key(&spki);
    tree.write(LEAF, leaf.sign(&tree.read("pki/ca.key")).to_pem());
    tree.write("pki/apiserver-kubelet-client.key", read("key"));
}
