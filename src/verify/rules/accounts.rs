//! The service account keys: no certificates, and the same on every API server.

use crate::verify::cluster::{Cluster, Content, File, Part, Tree};
use crate::verify::findings::{Findings, id};
use crate::verify::rule::{Rule, Severity};

pub const MISMATCH: Rule = Rule {
    id: "sa/other-key",
    severity: Severity::Error,
    what: "sa.pub does not hold the public half of sa.key: every token is refused",
    why: "kube-controller-manager signs with the one, kube-apiserver verifies with the other",
    repair: "see which of the two is the cluster's, and put its half back",
    follows: &["file/broken", "sa/differs"],
};

pub const MISSING: Rule = Rule {
    id: "sa/missing",
    severity: Severity::Error,
    what: "a control-plane node lacks a half of the service account key",
    why: "kube-apiserver --service-account-key-file and kube-controller-manager --service-account-private-key-file do not start",
    repair: "bring it from another control-plane node, or put it back",
    follows: &[],
};

pub const DIFFERS: Rule = Rule {
    id: "sa/differs",
    severity: Severity::Error,
    what: "nodes have different service account keys: a token of one is refused by the other",
    why: "kubeadm copies sa.key and sa.pub to every control-plane node (kubeadm copycerts)",
    repair: "see which of them is the cluster's, and bring it to the others",
    follows: &[],
};

pub const RULES: [&Rule; 3] = [&MISMATCH, &MISSING, &DIFFERS];

const ENTRY: &str = "sa";

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    let (public, private) = (tree.file(ENTRY, Part::PublicKeys), tree.file(ENTRY, Part::Key));
    match (public, private) {
        (Some(public), Some(private)) => pair(tree, public, private, findings),
        (None, None) if !is_control_plane(tree) => {}
        (one, _) => {
            let wanted = if one.is_some() { Part::Key } else { Part::PublicKeys };
            let file = tree.files.iter().find(|file| file.entry == ENTRY && file.part == wanted);
            if let Some(file) = file {
                let found = match (one, private) {
                    (None, None) => "expected sa.key and sa.pub, found neither",
                    _ => "expected the other half of the pair, found none",
                };
                findings.add(&MISSING, (tree, file), None, found, []);
            }
        }
    }
}

fn is_control_plane(tree: &Tree) -> bool {
    !tree.is_shared && tree.file("apiserver", Part::Certificate).is_some()
}

fn pair(tree: &Tree, public: &File, private: &File, findings: &mut Findings<'_>) {
    let Content::PublicKeys(keys) = &public.content else { return };
    let Some(half) = private.key().and_then(|key| key.public.as_ref()) else {
        if private.key().is_some_and(|key| !key.is_encrypted) {
            findings.skip(private, "whose key it is cannot be seen");
        }
        return;
    };
    if !keys.iter().any(|key| half.is(key) == Some(true)) {
        let found = "expected the public half of sa.key, found another's";
        findings.add(&MISMATCH, (tree, public), None, found, []);
    }
}

pub fn across(cluster: &Cluster<'_>, findings: &mut Findings<'_>) {
    let mut first: Option<(&Tree, &File)> = None;
    for tree in &cluster.trees {
        let Some(file) = tree.file(ENTRY, Part::PublicKeys) else { continue };
        let Content::PublicKeys(keys) = &file.content else { continue };
        match first {
            None => first = Some((tree, file)),
            Some((other_tree, other)) => {
                if !matches!(&other.content, Content::PublicKeys(others) if others == keys) {
                    let found = format!("expected the keys of {}, found others", place(other_tree, other));
                    findings.add(&DIFFERS, (tree, file), None, found, []);
                }
            }
        }
    }
}

fn place(tree: &Tree, file: &File) -> String {
    if tree.is_shared { file.path.clone() } else { id(tree, file).to_string() }
}
