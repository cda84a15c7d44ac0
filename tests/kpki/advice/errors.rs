//! What errors, warnings and summaries advise: the command that is printed is run, and what was refused works.

use std::fs;

use super::states::tree;
use super::{Host, Said, certificates, commands, nodes, rotate_gate, rotate_prepare, signed, summaries, trees};

/// A run with advice.
pub struct Row {
    pub name: &'static str,
    pub make: fn(&Host),
    /// What the person typed.
    pub run: &'static str,
    /// What the advice has, each as the beginning of a command.
    pub says: &'static [&'static str],
    /// Words in capitals, as the person fills them in.
    pub fill: &'static [(&'static str, &'static str)],
    /// What the words ask for, before and after the commands.
    pub before: fn(&Host),
    pub after: fn(&Host),
    /// What was typed works then.
    pub works: bool,
}

pub const fn row(name: &'static str, make: fn(&Host), run: &'static str, says: &'static [&'static str]) -> Row {
    Row { name, make, run, says, fill: &[], before: |_| {}, after: |_| {}, works: true }
}

/// The commands do what they say, and what was typed stays refused.
pub const fn shown(name: &'static str, make: fn(&Host), run: &'static str, says: &'static [&'static str]) -> Row {
    Row { works: false, ..row(name, make, run, says) }
}

/// All of them.
fn rows() -> impl Iterator<Item = &'static Row> {
    trees::ROWS
        .iter()
        .chain(certificates::ROWS)
        .chain(summaries::ROWS)
        .chain(nodes::ROWS)
        .chain(rotate_prepare::ROWS)
        .chain(rotate_gate::ROWS)
}

impl Row {
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
            // It shows what waits, or goes apart.
            let waits = typed.starts_with("kpki nodes --dir") && matches!(said.status, Some(3 | 4));
            let shown = waits || shows && said.stderr.contains("expected");
            assert!(said.status == Some(0) || shown, "{typed}\n{said:?}");
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
    rows().map(|row| row.name).collect()
}

/// What an export says for the node: unpacked to another directory than the root, it is what it was made for.
#[test]
fn exported() {
    let host = Host::new();
    tree(&host);
    let said = host.sh("kpki export cp1 --dir k8s --out 'c p.tar'").ok();
    let found = commands(&said.stdout);
    assert_eq!(found, ["kpki unpack 'c p.tar'", "tar -xpf 'c p.tar' -C / && kpki export --verify cp1"]);
    host.sh(&format!("{} --node cp1 --dir unpacked/etc/kubernetes", found[0])).ok();
    host.sh("kpki export --verify cp1 --dir unpacked/etc/kubernetes").ok();
    fs::create_dir(host.place.path("root")).unwrap();
    let there = found[1].replace("-C /", "-C root") + " --dir root/etc/kubernetes";
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

/// A node with an archive that is not the newest is told how it gets that, and a cluster directory what put it there.
#[test]
fn older() {
    let host = Host::new();
    super::states::cluster(&host);
    host.sh("kpki export cp1 --dir k8s --out old.tar && mkdir root && tar -xf old.tar -C root --no-same-owner").ok();
    host.at("2026-12-01T00:00:00Z");
    host.sh("kpki renew cp1/apiserver --dir k8s && kpki export cp1 --dir k8s --out new.tar").ok();
    let said = host.sh("kpki export --verify cp1 --dir root/etc/kubernetes --archive new.tar");
    let found = commands(&said.stdout);
    assert_eq!(found, ["kpki export cp1 --dir DIR --out - | ssh cp1 kpki unpack -"], "{said:?}");
    host.sh(&found[0].replace("DIR", "k8s")).ok();
    assert_eq!(host.calls(), ["ssh\ncp1\nkpki\nunpack\n-"]);
    host.sh("cp root/etc/kubernetes/pki/apiserver.* k8s/nodes/cp1/pki/").ok();
    let said = host.sh("kpki export --verify cp1 --dir k8s/nodes/cp1");
    let found = commands(&said.stdout);
    assert!(matches!(&found[..], [one] if one.starts_with("kpki history --dir ")), "{said:?}");
    host.sh(&found[0]).ok();
}

/// Nothing is recorded in a directory that has requests and nothing else: each step says the next.
#[test]
fn requests_before_there_is_a_tree() {
    let host = Host::new();
    tree(&host);
    let said = host.sh("kpki csr apiserver --profile p.yaml --dir new").ok();
    let [import] = &commands(&said.stdout)[..] else { panic!("{said:?}") };
    let import = import.replace("CERT...", &signed(&host, &host.place.path("new"), "safe"));
    let refused = host.sh(&import);
    let [first] = &commands(&refused.stderr)[..] else { panic!("{refused:?}") };
    host.sh(&first.replace("CERT", "safe/pki/ca.crt")).ok();
    host.sh(&import).ok();
    assert!(host.place.path("new/pki/apiserver.key").exists());
}

/// In four parts, side by side.
fn part(number: usize) {
    let mut wrong = Vec::new();
    for row in rows().skip(number).step_by(4) {
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
