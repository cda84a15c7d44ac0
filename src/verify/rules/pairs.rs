//! Certificates and their keys.

use std::collections::BTreeMap;

use crate::verify::cluster::{Cluster, Content, File, Part, Tree};
use crate::verify::findings::{Findings, id};
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};

pub const OTHER_KEY: Rule = Rule {
    id: "pair/other-key",
    severity: Severity::Error,
    what: "the key is not the certificate's",
    why: "a TLS peer cannot prove that the certificate is its own (RFC 8446 section 4.4.3)",
    repair: "put the key back, or make a new pair",
    follows: &["chain/authority-differs"],
};

pub const NO_KEY: Rule = Rule {
    id: "pair/no-key",
    severity: Severity::Error,
    what: "a certificate has no key that can be used",
    why: "its component does not start (kube-apiserver --tls-private-key-file and its like)",
    repair: "put the key back, or make a new pair",
    follows: &["file/broken"],
};

pub const SHARED_KEY: Rule = Rule {
    id: "pair/shared-key",
    severity: Severity::Warning,
    what: "two certificates have one key",
    why: "who holds the one key can act as both (NIST SP 800-57 part 1, section 5.2)",
    repair: "make a new pair for one of them",
    follows: &["chain/shared-authority", "name/subject", "name/masters", "name/other-node"],
};

pub const KEY_INSIDE: Rule = Rule {
    id: "pair/key-inside",
    severity: Severity::Error,
    what: "a private key stands in a file of certificates",
    why: "such files are copied to every node and embedded in kubeconfigs, readable for everybody",
    repair: "take the key out, and replace it: it may have been copied",
    follows: &[],
};

pub const RULES: [&Rule; 4] = [&OTHER_KEY, &NO_KEY, &SHARED_KEY, &KEY_INSIDE];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        match file.part {
            Part::Certificate | Part::Authority | Part::Kubeconfig | Part::RotatedPair | Part::SignerFile => {
                pair(tree, file, findings);
            }
            _ => {}
        }
    }
}

fn pair(tree: &Tree, file: &File, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let Some(leaf) = file.certificates().first() else { return };
    if matches!(&file.content, Content::Certificates { key: Some(_), .. }) && file.path.ends_with(".crt") {
        let found = "expected certificates only, found a private key beside them";
        findings.add(&KEY_INSIDE, (tree, file), None, found, []);
    }
    if file.part == Part::SignerFile {
        return;
    }
    let is_authority = file.part == Part::Authority;
    let beside = tree.files.iter().find(|key| key.entry == file.entry && key.part == Part::Key);
    let renew = || repair::renew_leaf(is_authority, cluster, tree, file);
    match cluster.key_of(tree, file) {
        Some(key) => match key.public.as_ref().and_then(|public| public.is(&leaf.spki_der)) {
            Some(true) => {}
            Some(false) => {
                let found = "expected the key of the certificate, found another's";
                findings.add(&OTHER_KEY, (tree, file), Some(0), found, renew());
            }
            None if key.is_encrypted && !is_authority => {
                let found = "expected a key without a password, found an encrypted one";
                findings.add(&NO_KEY, (tree, file), None, found, renew());
            }
            None if key.is_encrypted => {}
            None => findings.skip(file, "whose its key is cannot be seen"),
        },
        // An authority's key may be elsewhere on purpose, and a kubeconfig may have other credentials.
        None if is_authority || file.part != Part::Certificate || !file.required => {}
        None if beside.is_some_and(|key| matches!(key.content, Content::Closed(_))) => {}
        None => findings.add(&NO_KEY, (tree, file), None, "expected its key, found none", renew()),
    }
}

/// One key in certificates of several entries. An authority's copies on nodes are one entry.
pub fn shared(cluster: &Cluster<'_>, findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<&[u8], (&Tree, &File)> = BTreeMap::new();
    for tree in &cluster.trees {
        let with_own = |file: &&File| {
            matches!(file.part, Part::Certificate | Part::Authority | Part::Kubeconfig) && !names_files(file)
        };
        for file in tree.files.iter().filter(with_own) {
            let Some(leaf) = file.certificates().first() else { continue };
            let Some((other_tree, other)) = seen.insert(leaf.spki_der.as_slice(), (tree, file)) else { continue };
            let is_copy = other.entry == file.entry
                && (file.part == Part::Authority || other.certificates().first() == Some(leaf));
            // Other tools put the pair of a file into its kubeconfig as well.
            let is_same = cluster.layout.is_some() && other.certificates().first() == Some(leaf);
            if is_copy || is_same {
                continue;
            }
            // Of two files with one certificate the one is wrong that names somebody else.
            let is_misplaced = |place: &File| {
                findings.all.iter().any(|one| one.place.path == place.path && one.rule.id.starts_with("name/"))
            };
            let ((tree, file), (other_tree, other)) = if is_misplaced(other) && !is_misplaced(file) {
                ((other_tree, other), (tree, file))
            } else {
                ((tree, file), (other_tree, other))
            };
            let found = format!("expected a key of its own, found that of {}", id(other_tree, other));
            let is_authority = file.part == Part::Authority;
            let repair = repair::renew_leaf(is_authority, cluster, tree, file);
            findings.add(&SHARED_KEY, (tree, file), Some(0), found, repair);
        }
    }
}

/// It names the files of its pair, which have a row of their own if they are here.
fn names_files(file: &File) -> bool {
    matches!(&file.content, Content::Kubeconfig(kubeconfig) if kubeconfig.certificate_file.is_some())
}
