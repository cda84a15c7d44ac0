//! One fault for each kind of finding, and what the words of its advice ask for beside the commands.

use std::fs;

use kpki::audit::Problem;

use super::Host;
use super::sites::{Node, Site, single};

/// A fault of a tree.
pub struct Fault {
    pub problem: Problem,
    pub sites: &'static [Site],
    /// Lines of the profile.
    pub extra: &'static str,
    /// When the tree is looked at and repaired.
    pub at: &'static str,
    pub make: fn(&Host, &Node),
    /// What the steps ask for before a command, in words.
    pub by_hand: fn(&Host, &Node),
    pub ends: Ends,
}

/// What the commands do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The finding is gone.
    Gone,
    /// They show something, or are for another program.
    Shown,
    /// There are none.
    NoCommand,
}

const SOON: &str = "2026-11-21T00:00:00Z";
/// Ten days before the end.
const ENDING: &str = "2027-11-10T00:00:00Z";
const EXPIRED: &str = "2028-06-01T00:00:00Z";
const TREES: &[Site] = &super::sites::ALL;
const OURS: &[Site] = &[Site::Single, Site::Cluster, Site::Fleet];
const ONE: &[Site] = &[Site::Single];

const fn fault(problem: Problem, sites: &'static [Site], at: &'static str, make: fn(&Host, &Node)) -> Fault {
    Fault { problem, sites, extra: "", at, make, by_hand: |_, _| {}, ends: Ends::Gone }
}

const fn wordy(problem: Problem, sites: &'static [Site], at: &'static str, make: fn(&Host, &Node)) -> Fault {
    Fault { ends: Ends::NoCommand, ..fault(problem, sites, at, make) }
}

/// Kinds without a row, and why there is none.
pub const WITHOUT: &[(Problem, &str)] = &[
    (Problem::OutlivesAuthority, "nothing is to be done, which is what it says"),
    (Problem::CutsRenewalsShort, "nothing is to be done, which is what it says"),
    (Problem::SharedAuthority, "a rotation is no command"),
    (
        Problem::AuthorityReplaced,
        "kpki rotate status, which tests/kpki/rotate_verbs.rs looks for, has an exit status of its own",
    ),
    (Problem::Serial, "nothing here signs one; its command is that of a certificate that ends"),
];

pub const FAULTS: &[Fault] = &[
    fault(Problem::AuthorityExpired, &[Site::Single, Site::Cluster], "2038-01-01T00:00:00Z", |_, _| {}),
    fault(Problem::AuthorityEnding, OURS, "2036-06-01T00:00:00Z", |_, _| {}),
    wordy(Problem::ExternalAuthorityEnding, ONE, "2036-06-01T00:00:00Z", |_, node| node.remove("pki/ca.key")),
    fault(Problem::External, &[Site::Single, Site::Kubeadm], ENDING, |_, node| node.remove("pki/ca.key")),
    fault(Problem::Revoked, TREES, SOON, |host, node| list(host, node, "revoke")),
    fault(Problem::Held, TREES, SOON, |host, node| list(host, node, "hold")),
    fault(Problem::Expired, TREES, EXPIRED, |_, _| {}),
    fault(Problem::Expired, ONE, EXPIRED, |_, node| node.remove("pki/etcd/ca.key")),
    Fault {
        by_hand: |_, node| in_files_away(node),
        ..fault(Problem::Expired, OURS, EXPIRED, |_, node| in_one_file(node))
    },
    Fault {
        by_hand: |_, node| kubelet_away(node),
        ..fault(Problem::KubeletClientExpired, TREES, EXPIRED, |_, node| rotated(node, "apiserver-kubelet-client"))
    },
    Fault {
        by_hand: |_, node| kubelet_away(node),
        ..fault(Problem::KubeletClientUnusable, TREES, SOON, |_, node| rotated(node, "apiserver"))
    },
    wordy(Problem::NotYetValid, TREES, "2026-01-01T00:00:00Z", |_, _| {}),
    fault(Problem::CutAuthorityData, TREES, SOON, |host, node| {
        let other = fs::read_to_string(another(host).join("admin.conf")).unwrap();
        graft(node, "admin.conf", &other, "certificate-authority-data");
    }),
    Fault {
        extra: "controllerManager: {signerFile: true}\n",
        ..fault(Problem::SignerFile, OURS, SOON, |_, node| {
            node.write("pki/ca-signer.crt", node.read("pki/front-proxy-ca.crt"));
        })
    },
    fault(Problem::WrongIssuer, &[Site::Single, Site::Fleet, Site::Kubeadm], SOON, |host, node| {
        put_ca(host, node);
    }),
    // Another copy than the cluster directory's is put right first.
    Fault { ends: Ends::Shown, ..fault(Problem::WrongIssuer, &[Site::Cluster], SOON, put_ca) },
    fault(Problem::KeyMismatch, TREES, SOON, |_, node| node.swap("pki/apiserver.key", "pki/front-proxy-client.key")),
    fault(Problem::KeyMismatch, ONE, SOON, |_, node| {
        node.swap("pki/apiserver.key", "pki/front-proxy-client.key");
        node.remove("pki/ca.key");
        node.remove("pki/front-proxy-ca.key");
    }),
    wordy(Problem::AuthorityKeyMismatch, ONE, SOON, |_, node| node.swap("pki/ca.key", "pki/etcd/ca.key")),
    fault(Problem::ServiceAccountMismatch, &[Site::Single, Site::Fleet, Site::Kubeadm], SOON, |host, node| {
        node.write("pki/sa.pub", fs::read(another(host).join("pki/sa.pub")).unwrap());
    }),
    Fault {
        ends: Ends::Shown,
        ..fault(Problem::CopyDiffers, &[Site::Cluster], SOON, |host, node| {
            put_ca(host, node);
        })
    },
    fault(Problem::KeyUnusable, TREES, SOON, |_, node| node.remove_own("pki/etcd/peer.key")),
    wordy(Problem::AuthorityKeyUnusable, ONE, SOON, |_, node| node.write("pki/ca.key", "no key\n")),
    fault(Problem::AuthorityMissing, &[Site::Cluster], SOON, |_, node| node.remove_own("pki/ca.crt")),
    wordy(Problem::AuthorityMissing, ONE, SOON, |_, node| node.remove_own("pki/ca.crt")),
    // Its key is still there, which `kpki init` does not replace.
    fault(Problem::Missing, TREES, SOON, |_, node| node.remove_own("pki/apiserver.crt")),
    fault(Problem::Missing, TREES, SOON, |_, node| {
        for file in ["pki/etcd/peer.crt", "pki/etcd/peer.key", "kubelet.conf", "pki/apiserver-etcd-client.crt"] {
            node.remove_own(file);
        }
    }),
    fault(Problem::Missing, &[Site::Single, Site::Fleet, Site::Kubeadm], SOON, |_, node| node.remove("pki/sa.pub")),
    fault(Problem::Missing, &[Site::Cluster], SOON, |_, node| fs::remove_file(node.shared.join("pki/sa.pub")).unwrap()),
    fault(Problem::Missing, ONE, SOON, |_, node| {
        node.remove_own("pki/apiserver.crt");
        node.remove("pki/ca.key");
    }),
    Fault {
        by_hand: |_, node| in_files_away(node),
        ..fault(Problem::Missing, OURS, SOON, |_, node| {
            in_one_file(node);
            node.remove_own("client.pem");
        })
    },
    fault(Problem::Expired, TREES, EXPIRED, |_, node| in_a_pair(node)),
    fault(Problem::Missing, OURS, SOON, |_, node| {
        in_a_pair(node);
        node.remove_own("client.crt");
    }),
    Fault {
        extra: "controllerManager: {signerFile: true}\n",
        ..fault(Problem::Missing, OURS, SOON, |_, node| node.remove_own("pki/ca-signer.crt"))
    },
    Fault {
        by_hand: |_, node| node.remove_own("pki/apiserver.crt"),
        ..fault(Problem::Unreadable, TREES, SOON, |_, node| node.write("pki/apiserver.crt", "nothing\n"))
    },
    Fault {
        by_hand: |_, node| node.remove_own("admin.conf"),
        ..fault(Problem::Unreadable, TREES, SOON, |_, node| node.write("admin.conf", "nothing\n"))
    },
    Fault {
        by_hand: |_, node| node.remove("pki/etcd/ca.crl"),
        ..fault(Problem::Unreadable, &[Site::Single, Site::Fleet], SOON, |host, node| {
            list(host, node, "revoke");
            node.write("pki/etcd/ca.crl", "nothing\n");
        })
    },
    Fault {
        ends: Ends::Shown,
        ..fault(Problem::Locked, &[Site::Loose], SOON, |host, node| {
            host.place.write("word", "secret\n");
            let (from, to) = (node.shared.display(), node.root.display());
            host.sh(&format!("kpki convert {from}/pki/apiserver.crt {from}/pki/apiserver.key --to p12 --out {to}/web.p12 --out-password-file word")).ok();
        })
    },
    fault(Problem::CrlEnding, TREES, "2026-12-19T00:00:00Z", |host, node| list(host, node, "revoke")),
    wordy(Problem::CrlEnding, ONE, "2026-12-19T00:00:00Z", |host, node| {
        list(host, node, "revoke");
        node.remove("pki/etcd/ca.key");
    }),
    fault(Problem::OtherCrl, ONE, SOON, |host, node| {
        list(host, node, "hold");
        let old = node.root.join("pki/etcd/ca.crl.der");
        host.sh("kpki crl update etcd-ca --der --dir k8s").ok();
        let first = fs::read(&old).unwrap();
        host.sh("kpki crl update etcd-ca --der --dir k8s").ok();
        fs::write(old, first).unwrap();
    }),
    fault(Problem::Ending, TREES, ENDING, |_, _| {}),
    Fault { extra: "renewal: {maxAge: 60d}\n", ..fault(Problem::TooOld, OURS, "2027-03-01T00:00:00Z", |_, _| {}) },
    wordy(Problem::Foreign, &[Site::Loose], ENDING, |_, node| {
        fs::copy(node.shared.join("pki/apiserver.crt"), node.root.join("web.pem")).unwrap();
    }),
    Fault {
        ends: Ends::Shown,
        ..fault(Problem::KubeletEmbedsAnother, TREES, SOON, |host, node| {
            let embedded = node.read("kubelet.conf");
            rotated(node, "apiserver-kubelet-client");
            node.write("kubelet.conf", embedded);
            let _ = host;
        })
    },
    fault(Problem::LeafNotFirst, &[Site::Single, Site::Fleet, Site::Kubeadm], SOON, |_, node| {
        node.write("pki/apiserver.crt", node.read("pki/ca.crt") + &node.read("pki/apiserver.crt"));
    }),
    fault(Problem::Repeated, &[Site::Single, Site::Fleet, Site::Kubeadm], SOON, |_, node| {
        node.write("pki/apiserver.crt", node.read("pki/apiserver.crt").repeat(2));
    }),
    fault(Problem::Repeated, ONE, SOON, |_, node| node.write("pki/ca.crt", node.read("pki/ca.crt").repeat(2))),
];

/// Revokes or holds the certificate of the node's etcd member.
fn list(host: &Host, node: &Node, verb: &str) {
    let name = if node.root == node.shared { "etcd-peer" } else { "cp1/etcd-peer" };
    host.sh(&format!("kpki {verb} {name} --dir {}", node.shared.display())).ok();
}

/// Another cluster's tree.
fn another(host: &Host) -> std::path::PathBuf {
    let dir = host.place.path("another");
    if !dir.exists() {
        host.place.write("another.yaml", single(""));
        host.sh("kpki init --profile another.yaml --dir another").ok();
    }
    dir
}

/// Its authority in the place of the node's.
fn put_ca(host: &Host, node: &Node) {
    for file in ["pki/ca.crt", "pki/ca.key"] {
        node.write(file, fs::read(another(host).join(file)).unwrap());
    }
}

fn graft(node: &Node, to: &str, from: &str, field: &str) {
    let line = |text: &str| text.lines().find(|line| line.contains(field)).unwrap().to_owned();
    let text = node.read(to);
    node.write(to, text.replace(&line(&text), &line(from)));
}

/// As the kubelet leaves it: certificate and key in one file, which kubelet.conf names.
fn rotated(node: &Node, key: &str) {
    let pem = node.read("pki/apiserver-kubelet-client.crt") + &node.read(&format!("pki/{key}.key"));
    node.write("kubelet/kubelet-client-current.pem", pem);
    let text = node.read("kubelet.conf");
    let (before, _) = text.split_once("    client-certificate-data").unwrap();
    let current = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    node.write("kubelet.conf", format!("{before}    client-certificate: {current}\n    client-key: {current}\n"));
}

fn kubelet_away(node: &Node) {
    node.remove_own("kubelet/kubelet-client-current.pem");
    node.remove_own("kubelet.conf");
}

/// scheduler.conf names files beside it: a pair, or one with both.
fn in_files(node: &Node, certificate: &str, key: &str) {
    node.write(key, node.read("pki/apiserver-kubelet-client.key"));
    let pem = node.read("pki/apiserver-kubelet-client.crt");
    node.write(certificate, if certificate == key { pem + &node.read(key) } else { pem });
    let text = node.read("scheduler.conf");
    let (before, _) = text.split_once("    client-certificate-data").unwrap();
    node.write("scheduler.conf", format!("{before}    client-certificate: {certificate}\n    client-key: {key}\n"));
}

pub fn in_a_pair(node: &Node) {
    in_files(node, "client.crt", "client.key");
}

pub fn in_one_file(node: &Node) {
    in_files(node, "client.pem", "client.pem");
}

fn in_files_away(node: &Node) {
    node.remove_own("scheduler.conf");
}
