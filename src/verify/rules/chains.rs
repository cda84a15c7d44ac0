//! Certification paths, by the judge that every verb uses (`x509::path`).

use crate::catalog::CaId;
use crate::verify::cluster::{Cluster, Content, File, Part, Tree};
use crate::verify::findings::{Findings, id};
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::{Certificate, path};

pub const BROKEN: Rule = Rule {
    id: "chain/broken",
    severity: Severity::Error,
    what: "no valid path leads from a certificate to the tree's authority",
    why: "RFC 5280 section 6.1",
    repair: "have the tree's authority sign it, or put the right authority in place",
    follows: &["date/never-valid", "usage/unknown-critical", "algorithm/signature", "id/other-authority-key-id"],
};

pub const INTERMEDIATE_EXPIRED: Rule = Rule {
    id: "chain/expired",
    severity: Severity::Error,
    what: "an intermediate on the path to the authority is not valid now",
    why: "RFC 5280 section 6.1.3 (a)(2)",
    repair: "put the intermediate's successor behind the certificate",
    follows: &["date/expired", "date/not-yet-valid"],
};

pub const NOT_AUTHORITY: Rule = Rule {
    id: "chain/no-authority",
    severity: Severity::Error,
    what: "the file of an authority holds a certificate that may not sign",
    why: "RFC 5280 sections 4.2.1.3 and 4.2.1.9: cA, keyCertSign",
    repair: "put the authority's certificate in place",
    follows: &[],
};

pub const SIGNED_NOTHING: Rule = Rule {
    id: "chain/signed-nothing",
    severity: Severity::Error,
    what: "an authority has signed none of the certificates below it: it is another cluster's, or was replaced",
    why: "whoever trusts it refuses every certificate of this tree (RFC 5280 section 6.1.3 (a)(1))",
    repair: "put the authority that signed them back, or renew everything below it",
    follows: &["pair/other-key", "chain/no-authority", "chain/authority-differs"],
};

pub const AUTHORITY_DIFFERS: Rule = Rule {
    id: "chain/authority-differs",
    severity: Severity::Error,
    what: "a node has another authority than the cluster",
    why: "nodes that trust different authorities refuse each other",
    repair: "see which of the two is the cluster's, and put that one in place of the other",
    follows: &["file/broken"],
};

pub const SHARED_AUTHORITY: Rule = Rule {
    id: "chain/shared-authority",
    severity: Severity::Warning,
    what: "one authority has two roles, and every client of the one is trusted in the other",
    why: "kubernetes.io/docs/setup/best-practices/certificates: one CA for each; a client of the front proxy's may act as any user",
    repair: "plan a rotation to an authority of its own",
    follows: &[],
};

pub const KEY_ON_WORKER: Rule = Rule {
    id: "chain/authority-key-on-worker",
    severity: Severity::Error,
    what: "the key of an authority is on a node that runs no control plane, or must not have it",
    why: "who reads it can sign certificates for anybody, also cluster administrators",
    repair: "remove the key there; if the node cannot be trusted, replace the authority",
    follows: &[],
};

pub const SEVERAL_SIGNERS: Rule = Rule {
    id: "chain/several-signers",
    severity: Severity::Error,
    what: "kube-controller-manager signs with a file that holds several certificates, and does not start",
    why: "kubernetes pkg/controller/certificates/signer: exactly one certificate (kubernetes/kubeadm#1350)",
    repair: "let --cluster-signing-cert-file name ca-signer.crt, which kpki makes with controllerManager.signerFile",
    follows: &[],
};

pub const SIGNER_FILE: Rule = Rule {
    id: "chain/signer-file",
    severity: Severity::Error,
    what: "ca-signer.crt is not the first certificate of ca.crt alone",
    why: "kube-controller-manager signs with it, and its certificates have to chain to ca.crt",
    repair: "write it again",
    follows: &["file/broken"],
};

pub const RULES: [&Rule; 9] = [
    &BROKEN,
    &INTERMEDIATE_EXPIRED,
    &NOT_AUTHORITY,
    &SIGNED_NOTHING,
    &AUTHORITY_DIFFERS,
    &SHARED_AUTHORITY,
    &KEY_ON_WORKER,
    &SEVERAL_SIGNERS,
    &SIGNER_FILE,
];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        match file.part {
            Part::Certificate | Part::Kubeconfig | Part::RotatedPair => path(tree, file, findings),
            Part::Authority => authority(tree, file, findings),
            Part::SignerFile => signer_file(tree, file, findings),
            _ => {}
        }
    }
}

fn path(tree: &Tree, file: &File, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let (Some((leaf, behind)), Some(authority)) = (file.certificates().split_first(), file.authority) else { return };
    let anchors = cluster.trusted(tree, authority);
    if anchors.is_empty() {
        let is_found = |one: &File| match one.content {
            Content::Broken(_) => true,
            Content::Missing => one.required,
            _ => false,
        };
        // The file of the authority has a finding of its own.
        if tree.files.iter().any(|one| one.entry == authority.name() && one.part == Part::Authority && is_found(one)) {
            return;
        }
        return findings
            .skip(file, format!("the certificate of {} is not here, so its path was not judged", authority.name()));
    }
    // The kubelet signs a serving certificate itself until it is given one, and nobody can verify that: where it matters,
    // component/no-kubelet-authority says so.
    if file.is_made_by_kubelet() {
        return;
    }
    let Err(why) = path::judge(leaf, behind, anchors, cluster.at) else { return };
    let rule = if why.is_about_dates() { &INTERMEDIATE_EXPIRED } else { &BROKEN };
    // The same authority would sign the same again.
    let repair = if why.is_about_rights() { Vec::new() } else { repair::renew(cluster, tree, file) };
    findings.add(rule, (tree, file), Some(0), why.to_string(), repair);
}

fn authority(tree: &Tree, file: &File, findings: &mut Findings<'_>) {
    for (position, one) in file.certificates().iter().enumerate() {
        if !one.may_sign_certificates() {
            let found = format!("expected an authority (cA, keyCertSign), found `{}`", one.subject);
            findings.add(&NOT_AUTHORITY, (tree, file), Some(position), found, [repair::inspect(&file.path)]);
        }
    }
}

/// Two certificates or more that should be an authority's, and none that it signed.
fn signed_nothing(cluster: &Cluster<'_>, tree: &Tree, authority: CaId, findings: &mut Findings<'_>) {
    let Some(file) = tree.file(authority.name(), Part::Authority).filter(|file| !file.certificates().is_empty()) else {
        return;
    };
    let is_leaf = |one: &&File| matches!(one.part, Part::Certificate | Part::Kubeconfig);
    let below: Vec<&File> = tree
        .files
        .iter()
        .filter(|one| one.authority == Some(authority) && is_leaf(one) && !one.certificates().is_empty())
        .collect();
    // Signatures are verified where every path is broken only.
    let is_broken =
        |one: &&File| findings.all.iter().any(|finding| finding.rule.id == BROKEN.id && finding.place.path == one.path);
    if below.len() < 2 || !below.iter().all(is_broken) {
        return;
    }
    let signs = |one: &Certificate| cluster.trusted(tree, authority).iter().any(|above| one.signed_by(above).is_ok());
    if !below.iter().flat_map(|one| one.certificates()).any(signs) {
        let found = format!("expected the authority of {} certificates, found none that it signed", below.len());
        findings.add(&SIGNED_NOTHING, (tree, file), None, found, [repair::inspect(&file.path)]);
    }
}

fn signer_file(tree: &Tree, file: &File, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let Some(signer) = cluster.trusted(tree, CaId::Cluster).first() else { return };
    let found = match file.certificates() {
        [only] if only.der == signer.der => return,
        [] => return,
        [only] => format!("expected `{}`, found `{}` with another serial number or key", signer.subject, only.subject),
        several => format!("expected one certificate, found {}", several.len()),
    };
    findings.add(&SIGNER_FILE, (tree, file), None, found, repair::make_anew(cluster, file));
}

/// What is a matter of several files or trees.
pub fn across(cluster: &Cluster<'_>, findings: &mut Findings<'_>) {
    let shared = cluster.trees.iter().find(|tree| tree.is_shared);
    for tree in &cluster.trees {
        for (one, other) in CaId::PAIRS {
            roles(tree, one, other, findings);
        }
        for authority in CaId::ALL {
            if let Some(file) = tree.file(authority.name(), Part::Authority).filter(|_| tree.in_cluster)
                && let Some(own) = shared.map(|shared| shared.authority(authority)).filter(|own| !own.is_empty())
                && file.certificates() != own
                && !file.certificates().is_empty()
            {
                let found = "expected the certificates of the cluster directory, found others";
                findings.add(&AUTHORITY_DIFFERS, (tree, file), None, found, [repair::inspect(&file.path)]);
            }
            signed_nothing(cluster, tree, authority, findings);
            key_of_authority(cluster, tree, authority, findings);
        }
    }
}

fn roles(tree: &Tree, one: CaId, other: CaId, findings: &mut Findings<'_>) {
    let Some(file) = tree.file(other.name(), Part::Authority) else { return };
    let keys = |authority| tree.authority(authority).iter().map(|one| &one.spki_der);
    if keys(one).any(|key| keys(other).any(|found| found == key)) {
        let found = format!("expected a key of its own, found that of {}", one.name());
        findings.add(&SHARED_AUTHORITY, (tree, file), None, found, []);
    }
}

/// Nodes without a control plane need no key of an authority; with a profile, neither do those that it gives none.
fn key_of_authority(cluster: &Cluster<'_>, tree: &Tree, authority: CaId, findings: &mut Findings<'_>) {
    let Some(file) = tree.file(authority.name(), Part::Key).filter(|_| !tree.is_shared) else { return };
    let node =
        cluster.profile.zip(tree.node.as_deref()).and_then(|(profile, name)| Some((profile, profile.node(name)?)));
    let mut found = match node {
        Some((profile, node)) if crate::tree::layout::holds_ca_keys(profile, node) => return,
        Some(_) => format!("expected no key, found that of {}", id(tree, file)),
        None => {
            let serves = |entry: &str, part| tree.file(entry, part).is_some();
            let is_plane = serves("apiserver", Part::Certificate)
                || serves("sa", Part::Key)
                || serves("controller-manager.conf", Part::Kubeconfig)
                || serves("kube-apiserver", Part::Manifest)
                || (authority == CaId::Etcd && serves("etcd-server", Part::Certificate));
            if is_plane || !serves("kubelet.conf", Part::Kubeconfig) {
                return;
            }
            format!("expected no key on a node without a control plane, found that of {}", id(tree, file))
        }
    };
    // The last copy of a key is never to be removed.
    let repair = match is_elsewhere(cluster, authority, file) {
        true => vec![repair::remove(&file.path)],
        false => {
            found.push_str(", and no other copy beside this one: keep it in a safe place before it is removed");
            Vec::new()
        }
    };
    findings.add(&KEY_ON_WORKER, (tree, file), None, found, repair);
}

/// What nodes share has the same key, in plain.
fn is_elsewhere(cluster: &Cluster<'_>, authority: CaId, file: &File) -> bool {
    let half = |file: &File| file.key().and_then(|key| key.public.clone());
    let shared = cluster.trees.iter().filter(|tree| tree.is_shared);
    let mut others = shared.filter_map(|tree| tree.file(authority.name(), Part::Key));
    half(file).is_some_and(|own| others.any(|other| other.path != file.path && half(other).as_ref() == Some(&own)))
}
