//! What errors, warnings and summaries advise: the command that is printed is run, and what was refused works.

use std::fs;

use super::sites::{Site, single};
use super::{Host, Said, commands, signed};

/// A run with advice.
struct Row {
    name: &'static str,
    make: fn(&Host),
    /// What the person typed.
    run: &'static str,
    /// What the advice has, each as the beginning of a command.
    says: &'static [&'static str],
    /// Words in capitals, as the person fills them in.
    fill: &'static [(&'static str, &'static str)],
    /// What the words ask for, before and after the commands.
    before: fn(&Host),
    after: fn(&Host),
    /// What was typed works then.
    works: bool,
}

const fn row(name: &'static str, make: fn(&Host), run: &'static str, says: &'static [&'static str]) -> Row {
    Row { name, make, run, says, fill: &[], before: |_| {}, after: |_| {}, works: true }
}

/// The commands do what they say, and what was typed stays refused.
const fn shown(name: &'static str, make: fn(&Host), run: &'static str, says: &'static [&'static str]) -> Row {
    Row { works: false, ..row(name, make, run, says) }
}

fn tree(host: &Host) {
    Site::Single.make(host, "");
    crate::harness::copy_tree(&host.place.path("k8s"), &host.place.path("safe"));
}

fn junk(host: &Host) {
    tree(host);
    host.place.write("junk", "nothing\n");
}

fn put(host: &Host, from: &str, to: &str) {
    fs::copy(host.place.path(from), host.place.path(to)).unwrap();
}

fn remove(host: &Host, file: &str) {
    fs::remove_file(host.place.path(file)).unwrap();
}

/// Without the key of the cluster's authority.
fn external(host: &Host) {
    tree(host);
    remove(host, "k8s/pki/ca.key");
}

fn swapped(host: &Host) {
    tree(host);
    put(host, "safe/pki/apiserver.key", "k8s/pki/front-proxy-client.key");
}

fn key_in_certificate(host: &Host) {
    tree(host);
    let text = host.place.read("k8s/pki/ca.crt") + &host.place.read("k8s/pki/ca.key");
    host.place.write("k8s/pki/ca.crt", text);
}

fn locked(host: &Host) {
    tree(host);
    host.place.write("word", "secret\n");
    host.sh("kpki convert k8s/pki/ca.key --to pkcs8-encrypted --out locked.key --out-password-file word").ok();
    put(host, "locked.key", "k8s/pki/ca.key");
}

fn unlocked(host: &Host) {
    put(host, "open.key", "k8s/pki/ca.key");
}

fn revoked(host: &Host) {
    tree(host);
    host.sh("kpki revoke etcd-peer --dir k8s").ok();
}

/// A profile that adds a name, while an authority is external.
fn another_name(host: &Host) {
    external(host);
    host.place.write("p.yaml", single("apiServer: {certSANs: [more.example.com]}\n"));
}

fn another_tree(host: &Host) {
    tree(host);
    host.place.write("another.yaml", single("authorities: {ca: {subject: {O: [Another]}}}\n"));
    host.sh("kpki init --profile another.yaml --dir another").ok();
}

fn cluster(host: &Host) {
    Site::Cluster.make(host, "");
}

const FILE: &[(&str, &str)] = &[("FILE", "word"), ("KEY", "open.key")];

const ROWS: &[Row] = &[
    Row {
        after: |host| put(host, "cluster.yaml", "k8s.yaml"),
        works: false,
        ..row("no profile", |_| {}, "kpki init --dir k8s", &["kpki profile new"])
    },
    row("a private key in ca.crt", key_in_certificate, "kpki init --dir k8s", &["kpki import k8s/pki/ca.crt --as ca"]),
    row("the same, to renew", key_in_certificate, "kpki renew all --dir k8s", &["kpki import k8s/pki/ca.crt --as ca"]),
    row(
        "requests before they are recorded",
        another_name,
        "kpki init --profile p.yaml --dir k8s",
        &["kpki csr apiserver --profile p.yaml", "kpki import CERT..."],
    ),
    row(
        "others may read a key",
        |host| {
            tree(host);
            host.sh("chmod 644 k8s/pki/apiserver.key").ok();
        },
        "kpki init --dir k8s",
        &["chmod 600 k8s/pki/apiserver.key"],
    ),
    row(
        "another algorithm",
        |host| {
            tree(host);
            host.place.write("p.yaml", crate::harness::single("encryptionAlgorithm: ECDSA-P384\n"));
        },
        "kpki init --profile p.yaml --dir k8s",
        &["kpki renew all --profile p.yaml"],
    ),
    Row {
        fill: FILE,
        after: unlocked,
        ..row("a locked key", locked, "kpki renew all --dir k8s", &["kpki convert k8s/pki/ca.key"])
    },
    Row {
        fill: FILE,
        after: unlocked,
        ..row("a locked key, to revoke", locked, "kpki revoke apiserver --dir k8s", &["kpki convert k8s/pki/ca.key"])
    },
    shown(
        "UTF-16",
        |host| {
            let text: Vec<u8> = single("").encode_utf16().flat_map(u16::to_le_bytes).collect();
            host.place.write("p q.yaml", [&[0xff, 0xfe], text.as_slice()].concat());
        },
        "kpki init --profile 'p q.yaml' --dir k8s",
        &["iconv -f"],
    ),
    row(
        "missing for an export",
        |host| {
            tree(host);
            remove(host, "k8s/pki/apiserver.crt");
            remove(host, "k8s/pki/apiserver.key");
        },
        "kpki export cp1 --dir k8s --out cp1.tar",
        &["kpki init --dir k8s"],
    ),
    Row {
        fill: &[("GENERATION", "20261120T220000Z-renew")],
        ..row(
            "different for an export",
            |host| {
                tree(host);
                host.sh("kpki renew etcd-peer --dir k8s").ok();
                put(host, "safe/pki/apiserver.key", "k8s/pki/front-proxy-client.key");
                remove(host, "k8s/pki/apiserver.crt");
                remove(host, "k8s/pki/apiserver.key");
            },
            "kpki export cp1 --dir k8s --out cp1.tar",
            &["kpki history", "kpki restore GENERATION", "kpki init --force"],
        )
    },
    shown(
        "a cluster directory verified",
        cluster,
        "kpki export --verify cp1 --dir k8s",
        &["kpki export --verify cp1 --dir k8s/nodes/cp1"],
    ),
    Row {
        fill: &[("FILE", "k8s/pki/apiserver.crt")],
        ..shown("a number that nobody knows", tree, "kpki revoke --serial 77 --ca ca --dir k8s", &["kpki inspect FILE"])
    },
    shown("released and revoked", revoked, "kpki release etcd-peer --dir k8s", &["kpki renew etcd-peer"]),
    shown(
        "no CRL in its place",
        |host| {
            tree(host);
            host.place.write("k8s/pki/etcd/ca.crl", "nothing\n");
        },
        "kpki revoke etcd-peer --dir k8s",
        &["kpki crl show k8s/pki/etcd/ca.crl"],
    ),
    shown(
        "imported without a key",
        another_tree,
        "kpki import another/pki/apiserver.crt --as apiserver --dir k8s",
        &["kpki csr apiserver"],
    ),
    shown(
        "imported too late",
        |host| {
            tree(host);
            host.at("2030-01-01T00:00:00Z");
        },
        "kpki import k8s/pki/apiserver.crt --dir k8s",
        &["kpki csr apiserver"],
    ),
    shown(
        "imported without an authority",
        |host| {
            tree(host);
            remove(host, "k8s/pki/ca.crt");
        },
        "kpki import safe/pki/apiserver.crt --dir k8s",
        &["kpki import CERT --as ca"],
    ),
    shown("nothing to import", junk, "kpki import junk --dir k8s", &["kpki inspect junk"]),
    shown(
        "several in one file",
        |host| {
            tree(host);
            let text = host.place.read("k8s/pki/apiserver.crt") + &host.place.read("k8s/pki/etcd/peer.crt");
            host.place.write("two.crt", text);
        },
        "kpki import two.crt --dir k8s",
        &["kpki import CERT..."],
    ),
    row(
        "another issuer's",
        |host| {
            another_tree(host);
            put(host, "another/pki/apiserver.crt", "k8s/pki/apiserver.crt");
            put(host, "another/pki/apiserver.key", "k8s/pki/apiserver.key");
        },
        "kpki renew apiserver --dir k8s",
        &["kpki init --force --dir k8s"],
    ),
    row(
        "missing and made by name",
        |host| {
            tree(host);
            remove(host, "k8s/super-admin.conf");
        },
        "kpki renew all --dir k8s",
        &["kpki renew super-admin.conf --dir k8s"],
    ),
    shown(
        "the same as a request",
        |host| {
            tree(host);
            remove(host, "k8s/super-admin.conf");
        },
        "kpki csr all --dir k8s",
        &["kpki csr super-admin.conf --dir k8s", "kpki import CERT..."],
    ),
    row(
        "another authority on a node",
        |host| {
            cluster(host);
            another_tree_beside(host);
        },
        "kpki renew all --dir k8s",
        &["kpki init --force --dir k8s"],
    ),
    Row {
        before: |host| fs::remove_dir_all(host.place.path("k8s/pki")).unwrap(),
        ..row(
            "an authority that has expired",
            |host| {
                tree(host);
                for file in [
                    "admin.conf",
                    "super-admin.conf",
                    "controller-manager.conf",
                    "scheduler.conf",
                    "kubelet.conf",
                    "kubelet/kubelet.crt",
                    "kubelet/kubelet.key",
                ] {
                    remove(host, &format!("k8s/{file}"));
                }
                host.at("2040-01-01T00:00:00Z");
            },
            "kpki renew all --dir k8s",
            &["kpki init --dir k8s"],
        )
    },
    row("no such generation", tree, "kpki restore nothing --dir k8s", &["kpki history --dir k8s"]).shown(),
    shown("nothing but made", tree, "kpki restore --dir k8s", &["kpki restore 2026"]),
    Row {
        works: false,
        ..row(
            "revoked since",
            |host| {
                tree(host);
                host.sh("kpki revoke etcd-peer --dir k8s").ok();
                host.at("2026-11-20T22:10:00Z");
                host.sh("kpki renew etcd-peer --dir k8s").ok();
            },
            "kpki restore --dir k8s",
            &["kpki history --dir k8s", "kpki restore 2026"],
        )
    },
    row(
        "others may write the profile",
        |host| {
            host.place.write("p.yaml", single(""));
            host.sh("chmod 666 p.yaml").ok();
        },
        "kpki init --profile p.yaml --dir k8s",
        &["chmod go-w "],
    ),
    shown(
        "a profile with a mistake",
        |host| {
            host.place.write("p.yaml", "apiVersion: kpki/v1\nkind: ClusterProfile\nnode: []\n");
        },
        "kpki init --profile p.yaml --dir k8s",
        &["kpki profile new"],
    ),
    shown("nothing to sign", junk, "kpki sign junk --usage client --dir k8s", &["kpki inspect junk"]),
    shown("no CRL", junk, "kpki crl show junk", &["kpki inspect junk"]),
    shown(
        "no request for a user",
        junk,
        "kpki kubeconfig user jane --group dev --csr junk --dir k8s",
        &["kpki inspect junk"],
    ),
    shown(
        "an entry of an external authority",
        |host| {
            let lb = "extraCertificates:\n- {name: lb, authority: external, usages: [server], certSANs: [lb.example.com], path: lb}\n";
            host.place.write("p.yaml", single(lb));
            host.sh("kpki init --profile p.yaml --dir k8s");
            host.sh("kpki csr etcd-peer --dir k8s --out out").ok();
        },
        "kpki sign out/pki/etcd/peer.csr --as lb --dir k8s",
        &["kpki csr lb --dir k8s"],
    ),
    shown("no such page", |_| {}, "kpki generate man nothing", &["kpki generate man"]),
    Row {
        fill: &[("FILE...", "loose/junk")],
        ..shown(
            "nothing to convert",
            |host| {
                host.place.write("loose/junk", "nothing\n");
            },
            "kpki convert loose --to der --out out",
            &["kpki inspect FILE..."],
        )
    },
    shown("requested by name", external, "kpki renew apiserver --dir k8s --dry-run", &["kpki csr apiserver --dir k8s"]),
    Row {
        before: |host| remove(host, "k8s/scheduler.conf"),
        ..row(
            "files that are missing",
            |host| {
                super::faults::in_files(&Site::Single.make(host, "").remove(0));
                remove(host, "k8s/client.crt");
                remove(host, "k8s/client.key");
            },
            "kpki renew scheduler.conf --dir k8s",
            &["kpki renew scheduler.conf --dir k8s"],
        )
    },
    shown(
        "imported unlike its request",
        |host| {
            tree(host);
            host.place.write("p.yaml", single("apiServer: {certSANs: [more.example.com]}\n"));
        },
        "kpki import k8s/pki/apiserver.crt --profile p.yaml --dir k8s",
        &["kpki inspect k8s/pki/apiserver.crt"],
    ),
    shown(
        "one half was kept",
        |host| {
            tree(host);
            host.sh("kpki renew apiserver --dir k8s").ok();
            remove(host, "k8s/.kpki/generations/20261120T220000Z-renew/main/pki/apiserver.key");
            let record = "k8s/.kpki/generations/20261120T220000Z-renew/generation.json";
            let mut value: serde_json::Value = serde_json::from_str(&host.place.read(record)).unwrap();
            value["kept"].as_array_mut().unwrap().retain(|file| file["path"] != "pki/apiserver.key");
            host.place.write(record, value.to_string());
        },
        "kpki restore --dir k8s",
        &["kpki renew apiserver --dir k8s", "kpki history --dir k8s"],
    ),
    shown("a profile that is a directory", tree, "kpki init --profile k8s --dir k8s", &["kpki profile new"]),
    shown(
        "restored",
        |host| {
            tree(host);
            host.sh("kpki renew apiserver --dir k8s").ok();
        },
        "kpki restore --dir k8s",
        &["kpki restore 2026"],
    ),
    shown(
        "imported",
        |host| {
            external(host);
            host.sh("kpki csr apiserver --dir k8s").ok();
            signed(host, &host.place.path("k8s"), "safe");
        },
        "kpki import apiserver.pem --dir k8s",
        &["kpki restore 2026"],
    ),
    // Summaries.
    Row {
        works: false,
        ..row(
            "held and not renewed",
            |host| {
                tree(host);
                host.sh("kpki hold etcd-peer --dir k8s").ok();
            },
            "kpki renew all --dir k8s",
            &["kpki release etcd-peer --dir k8s", "kpki restore"],
        )
    },
    shown("revoked and in use", tree, "kpki revoke etcd-peer --dir k8s", &["kpki renew etcd-peer --dir k8s"]),
    shown(
        "revoked on one node",
        cluster,
        "kpki revoke cp1/etcd-peer --dir k8s",
        &["kpki renew cp1/etcd-peer --dir k8s"],
    ),
    shown("held on one node", cluster, "kpki hold cp1/etcd-peer --dir k8s", &["kpki release cp1/etcd-peer --dir k8s"]),
    shown("renewed", tree, "kpki renew all --dir k8s", &["kpki restore 2026", "crictl stop"]),
    shown(
        "made without a key",
        |host| {
            external(host);
            remove(host, "k8s/pki/apiserver.crt");
            remove(host, "k8s/pki/apiserver.key");
        },
        "kpki init --dir k8s",
        &["kpki import CERT..."],
    ),
    shown(
        "requested and due",
        |host| {
            external(host);
            host.at("2027-11-01T00:00:00Z");
        },
        "kpki renew apiserver --dir k8s",
        &["kpki import CERT --dir k8s"],
    ),
    shown(
        "requested before there is a tree",
        |host| {
            tree(host);
            fs::create_dir_all(host.place.path("new/pki/etcd")).unwrap();
            for file in ["ca.crt", "front-proxy-ca.crt", "etcd/ca.crt"] {
                put(host, &format!("safe/pki/{file}"), &format!("new/pki/{file}"));
            }
        },
        "kpki csr apiserver --profile p.yaml --dir new",
        &["kpki import CERT..."],
    ),
    shown("requested elsewhere", tree, "kpki csr apiserver --dir k8s --out 'o u t'", &["kpki import CERT..."]),
    shown(
        "bindings",
        |host| {
            host.place.write("p.yaml", single(""));
        },
        "kpki init --profile p.yaml --dir k8s --bootstrap-manifests 'r b.yaml'",
        &["kubectl --kubeconfig k8s/super-admin.conf apply -f 'r b.yaml'"],
    ),
    shown(
        "a CRL that etcd does not read",
        |host| {
            revoked(host);
            remove(host, "k8s/pki/etcd/ca.crl.der");
        },
        "kpki check-expiration k8s",
        &["kpki crl update etcd-ca --dir k8s"],
    ),
];

/// The cluster directory's authority is another than its first node's.
fn another_tree_beside(host: &Host) {
    host.place.write("another.yaml", single("authorities: {ca: {subject: {O: [Another]}}}\n"));
    host.sh("kpki init --profile another.yaml --dir another").ok();
    put(host, "another/pki/ca.crt", "k8s/nodes/cp1/pki/ca.crt");
    put(host, "another/pki/ca.key", "k8s/nodes/cp1/pki/ca.key");
}

impl Row {
    const fn shown(self) -> Self {
        Self { works: false, ..self }
    }

    fn begin(&self) -> (Host, Said) {
        let host = Host::new();
        (self.make)(&host);
        let said = host.sh(self.run);
        (host, said)
    }

    fn check(&self) {
        let (host, said) = self.begin();
        let text = said.stderr.clone() + &said.stdout;
        let found = commands(&text);
        for says in self.says {
            assert!(found.iter().any(|command| command.starts_with(says)), "{says} is not in\n{text}");
        }
        let lines: Vec<&str> = text.lines().collect();
        let or = lines.iter().position(|line| line.starts_with("hint: or ")).unwrap_or(lines.len());
        let (first, other) = lines.split_at(or);
        let (first, other) = (unique(&first.join("\n")), unique(&other.join("\n")));
        self.follow(&host, &first);
        if !other.is_empty() {
            let (host, _) = self.begin();
            self.follow(&host, &other);
            self.retry(&host);
        } else {
            self.retry(&host);
        }
    }

    fn retry(&self, host: &Host) {
        (self.after)(host);
        if self.works {
            host.sh(self.run).ok();
        }
    }

    fn follow(&self, host: &Host, all: &[String]) {
        (self.before)(host);
        for command in all {
            let mut typed = command.clone();
            for (word, value) in self.fill {
                typed = typed.replace(word, value);
            }
            if typed.contains(" CERT") {
                let certificates = self.certificates(host);
                typed = typed.replace("CERT...", &certificates).replace("CERT", &certificates);
            }
            let said = host.sh(&typed);
            // What is broken is shown as such.
            let shows = ["kpki inspect ", "kpki crl show ", "kpki history "].iter().any(|verb| typed.starts_with(verb));
            assert!(said.status == Some(0) || (shows && said.stderr.contains("expected")), "{typed}\n{said:?}");
        }
    }

    /// What the authority's owner gives back; or what the error was about.
    fn certificates(&self, host: &Host) -> String {
        match self.name {
            "imported without an authority" => return "safe/pki/ca.crt".to_owned(),
            "several in one file" => return "k8s/pki/apiserver.crt k8s/pki/etcd/peer.crt".to_owned(),
            _ => {}
        }
        signed(host, &host.place.path("."), "safe --profile p.yaml")
    }
}

/// The commands of a text, each once.
fn unique(text: &str) -> Vec<String> {
    let mut all = commands(text);
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|command| seen.insert(command.clone()));
    all
}

pub fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// What an export says for the node: unpacked to another directory than the root, it is what it was made for.
#[test]
fn exported() {
    let host = Host::new();
    tree(&host);
    let said = host.sh("kpki export cp1 --dir k8s --out 'c p.tar'").ok();
    let found = commands(&said.stdout);
    assert_eq!(found, ["tar -xpf 'c p.tar' -C / && kpki export --verify cp1"]);
    fs::create_dir(host.place.path("root")).unwrap();
    let there = found[0].replace("-C /", "-C root") + " --dir root/etc/kubernetes";
    host.sh(&there).ok();
    // On another node it says where it is right.
    let said = host.sh("kpki export --verify cp2 --dir root/etc/kubernetes");
    let found = commands(&said.stdout);
    assert_eq!(found.len(), 2, "{said:?}");
    for command in found {
        host.sh(&command
            .replace("NODE", "cp1")
            .replace("DIR", "k8s")
            .replace("cp2", "cp1")
            .replace("cp1.tar.gz", "again.tar.gz"))
            .ok();
    }
}

/// In four parts, side by side.
fn part(number: usize) {
    let mut wrong = Vec::new();
    for row in ROWS.iter().skip(number).step_by(4) {
        let result = std::panic::catch_unwind(|| row.check());
        let why = |why: Box<dyn std::any::Any + Send>| why.downcast_ref::<String>().cloned().unwrap_or_default();
        wrong.extend(result.err().map(|error| format!("{}: {}", row.name, why(error))));
    }
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn first_part() {
    part(0);
}

#[test]
fn second_part() {
    part(1);
}

#[test]
fn third_part() {
    part(2);
}

#[test]
fn fourth_part() {
    part(3);
}
