//! Revocation lists: RFC 5280 sections 5 and 6.3.

use std::borrow::Cow;

use crate::catalog::CaId;
use crate::clock::{distance, rfc3339};
use crate::revocation::Number;
use crate::verify::cluster::{Cluster, Content, File, Part, Tree};
use crate::verify::finding::Finding;
use crate::verify::findings::Findings;
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::revocation::{CrlIssuer, Status, Strictness, Vetted, status, vet};
use crate::x509::verify::Algorithms;
use crate::x509::{Certificate, Crl, CrlLookup, Problem, Wanted, decimal, same_name};

pub const UNUSABLE: Rule = Rule {
    id: "crl/unusable",
    severity: Severity::Error,
    what: "a CRL is not its authority's, or nothing it says can be believed",
    why: "RFC 5280 section 6.3.3",
    repair: "sign the next one",
    follows: &["file/broken"],
};

pub const STALE: Rule = Rule {
    id: "crl/stale",
    severity: Severity::Error,
    what: "a CRL is past its nextUpdate",
    why: "RFC 5280 section 5.1.2.5; strict readers refuse every certificate then, etcd takes no notice",
    repair: "sign the next one",
    follows: &[],
};

pub const OTHER_DER: Rule = Rule {
    id: "crl/other-der",
    severity: Severity::Error,
    what: "etcd's CRL in DER is not the CRL beside it",
    why: "etcd reads nothing but DER from 3.6 on (--client-crl-file): what was revoked since is accepted",
    repair: "sign the next one, which writes both",
    follows: &["file/broken"],
};

pub const OTHER_COPY: Rule = Rule {
    id: "crl/other-copy",
    severity: Severity::Error,
    what: "two copies of one authority's CRL in a cluster directory are two issues",
    why: "RFC 5280 section 5.2.3: a later issue has a higher number; the node of the older copy accepts what was revoked since",
    repair: "sign the next one, which writes all copies; kpki nodes merge joins lists that nodes have signed",
    follows: &["file/broken"],
};

pub const REVOKED: Rule = Rule {
    id: "crl/revoked",
    severity: Severity::Error,
    what: "a certificate in use is revoked or on hold",
    why: "RFC 5280 section 5.3.1; readers of the list refuse it",
    repair: "renew what is revoked, release what is held",
    follows: &[],
};

pub const RULES: [&Rule; 5] = [&UNUSABLE, &STALE, &OTHER_DER, &OTHER_COPY, &REVOKED];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        let Content::Crls(lists) = &file.content else { continue };
        for der in lists {
            list(tree, file, der, findings);
        }
        match file.part {
            Part::CrlDer => same(tree, file, lists, findings),
            Part::Crl => copy(tree, file, lists, findings),
            _ => {}
        }
    }
}

/// etcd's two files are one list.
fn same(tree: &Tree, file: &File, lists: &[Vec<u8>], findings: &mut Findings<'_>) {
    let beside = tree.files.iter().find(|one| one.part == Part::Crl && one.authority == file.authority);
    let repair = repair::next_crl(findings.cluster, tree, CaId::Etcd);
    match beside.map(|beside| &beside.content) {
        // While the authority is replaced there are two lists, and DER holds one.
        Some(Content::Crls(pem)) if !lists.first().is_some_and(|der| pem.contains(der)) => {
            findings.add(&OTHER_DER, (tree, file), None, "expected the CRL of etcd/ca.crl, found another", repair);
        }
        _ => {}
    }
}

/// In a cluster directory each node has a copy of the list. The one with the highest number is the right one, and of two with one
/// number that of the directory itself.
fn copy(tree: &Tree, file: &File, lists: &[Vec<u8>], findings: &mut Findings<'_>) {
    let Some(authority) = file.authority else { return };
    for own in lists {
        copy_of_one(tree, file, (authority, own), findings);
    }
}

fn copy_of_one(tree: &Tree, file: &File, (authority, own): (CaId, &Vec<u8>), findings: &mut Findings<'_>) {
    let issuer = |der: &[u8]| Crl::parse(der).ok().map(|crl| (crl.issuer_der, crl.authority_key_id));
    let (cluster, by) = (findings.cluster, issuer(own));
    let all = cluster.trees.iter().flat_map(|tree| &tree.files);
    let copies = all.filter(|one| one.part == Part::Crl && one.authority == file.authority);
    let number = |der: &[u8]| Crl::parse(der).ok().and_then(|crl| crl.edition());
    let mut right: Option<(&File, &Vec<u8>, Option<Number>)> = None;
    for one in copies {
        let Content::Crls(lists) = &one.content else { continue };
        let Some(der) = lists.iter().find(|der| issuer(der) == by) else { continue };
        let number = number(der);
        if right.as_ref().is_none_or(|(.., known)| number > *known) {
            right = Some((one, der, number));
        }
    }
    let Some((other, _, wanted)) = right.filter(|(_, der, _)| *der != own) else { return };
    let (path, found) = (&other.path, number(own));
    let said = |number: &Option<Number>| match number {
        Some(number) => format!("number {}", decimal(&[&[0], number.magnitude()].concat())),
        None => "no number".to_owned(),
    };
    let found = match wanted == found {
        true => format!("{path} is another list with the same number: two hosts have signed one each"),
        false => format!("expected {}, as {path} has it, found {}", said(&wanted), said(&found)),
    };
    findings.add(&OTHER_COPY, (tree, file), None, found, repair::next_crl(cluster, tree, authority));
}

fn list(tree: &Tree, file: &File, der: &[u8], findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let Some(authority) = file.authority else { return };
    let trusted = cluster.trusted(tree, authority);
    if trusted.is_empty() {
        return findings.skip(file, format!("the certificate of {} is not here", authority.name()));
    }
    let below = certificates(cluster, file);
    let wanted = Wanted::new(below.iter().map(|(.., one)| one.serial.as_slice()));
    let place = (tree, file);
    let repair = || repair::next_crl(cluster, tree, authority);
    let anew = || repair::new_crl(cluster, tree, authority, &file.path);
    let lookup = match CrlLookup::read(der, &wanted) {
        Ok(lookup) => lookup,
        Err(why) => return findings.add(&UNUSABLE, place, None, why.to_string(), anew()),
    };
    let of_name = |one: &&Certificate| same_name(&one.subject, &lookup.crl.issuer);
    let named = trusted.iter().filter(of_name);
    let signer = named.clone().find(|one| lookup.crl.signed_by(der, one).is_ok()).or_else(|| named.clone().next());
    let Some(issuer) = signer.or(trusted.first()) else { return };
    let vetted = vet(
        &lookup,
        der,
        CrlIssuer { issuer, delegates: &[], strictness: Strictness::Lenient, algorithms: Algorithms::Kubernetes },
        cluster.at,
    );
    if !vetted.is_usable() {
        let why: Vec<Cow<'_, str>> = vetted.problems().iter().map(|problem| Cow::Owned(problem.to_string())).collect();
        return findings.add(&UNUSABLE, place, None, why.join("; "), anew());
    }
    if let Some(Problem::Stale { next_update }) =
        vetted.problems().iter().find(|problem| matches!(problem, Problem::Stale { .. }))
    {
        let found =
            format!("its successor was due at {} ({})", rfc3339(*next_update), distance(cluster.at, *next_update));
        findings.add(&STALE, place, None, found, repair());
    }
    // Both of etcd's files say the same.
    if file.part == Part::Crl {
        revoked(&below, issuer, &vetted, findings);
    }
}

/// The certificates that an authority's list may name, on all nodes.
fn certificates<'c>(cluster: &'c Cluster<'_>, list: &File) -> Vec<(&'c Tree, &'c File, &'c Certificate)> {
    let mut all = Vec::new();
    for tree in &cluster.trees {
        let below = |file: &&File| {
            file.authority == list.authority
                && matches!(file.part, Part::Certificate | Part::Kubeconfig | Part::RotatedPair)
        };
        for file in tree.files.iter().filter(below) {
            all.extend(file.certificates().first().map(|leaf| (tree, file, leaf)));
        }
    }
    all
}

fn revoked(
    below: &[(&Tree, &File, &Certificate)],
    issuer: &Certificate,
    vetted: &Vetted<'_>,
    findings: &mut Findings<'_>,
) {
    let cluster = findings.cluster;
    for (tree, file, leaf) in below {
        if leaf.signed_by(issuer).is_err() {
            continue;
        }
        let (word, since, repair) = match status(leaf, issuer, std::slice::from_ref(vetted)).status {
            Status::Revoked(by) => ("revoked", by.at, repair::renew(cluster, tree, file)),
            Status::Held(by) => ("held", by.at, repair::release(cluster, tree, file)),
            Status::Good | Status::Unknown => continue,
        };
        // In a cluster directory each node has a copy of the list.
        let is_said = |one: &Finding| one.rule.id == REVOKED.id && one.place.path == file.path;
        if findings.all.iter().any(is_said) {
            continue;
        }
        let found = format!("it is {word} since {}", rfc3339(since));
        findings.add(&REVOKED, (tree, file), Some(0), found, repair);
    }
}
