//! Key identifiers and serial numbers: RFC 5280 sections 4.1.2.2, 4.2.1.1 and 4.2.1.2.

use std::collections::BTreeMap;

use crate::verify::cluster::{Cluster, File, Part, Tree};
use crate::verify::findings::{Findings, id};
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::{Certificate, is_signature_of};

pub const NO_SKI: Rule = Rule {
    id: "id/no-subject-key-id",
    severity: Severity::Warning,
    what: "an authority has no subject key identifier: strict verifiers refuse what it signed",
    why: "RFC 5280 section 4.2.1.2; Python 3.13 (VERIFY_X509_STRICT), openssl verify -x509_strict",
    repair: "replace the authority when it ends",
    follows: &[],
};

pub const NO_AKI: Rule = Rule {
    id: "id/no-authority-key-id",
    severity: Severity::Warning,
    what: "a certificate has no authority key identifier: strict verifiers refuse it",
    why: "RFC 5280 section 4.2.1.1; Python 3.13 (VERIFY_X509_STRICT), openssl verify -x509_strict",
    repair: "renew it",
    follows: &[],
};

pub const OTHER_AKI: Rule = Rule {
    id: "id/other-authority-key-id",
    severity: Severity::Error,
    what: "a certificate names another key than the one that signed it",
    why: "RFC 5280 section 4.2.1.1; OpenSSL finds no issuer for it",
    repair: "renew it",
    follows: &[],
};

pub const SERIAL: Rule = Rule {
    id: "id/serial",
    severity: Severity::Warning,
    what: "a serial number is negative, 0, or longer than 20 octets",
    why: "RFC 5280 section 4.1.2.2; Go refuses negative ones from 1.23 on",
    repair: "renew it",
    follows: &[],
};

pub const TWICE: Rule = Rule {
    id: "id/serial-twice",
    severity: Severity::Error,
    what: "an authority gave two certificates one serial number: revoking one revokes both",
    why: "RFC 5280 section 4.1.2.2",
    repair: "renew one of them",
    follows: &["chain/authority-differs", "name/subject", "name/other-node"],
};

pub const RULES: [&Rule; 5] = [&NO_SKI, &NO_AKI, &OTHER_AKI, &SERIAL, &TWICE];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        for (position, one) in file.certificates().iter().enumerate() {
            if file.part != Part::SignerFile && !file.is_made_by_kubelet() {
                certificate(tree, file, (position, one), findings);
            }
        }
    }
}

fn certificate(tree: &Tree, file: &File, (position, one): (usize, &Certificate), findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let place = (tree, file);
    let is_authority = file.part == Part::Authority || position > 0;
    let repair = || repair::renew_leaf(is_authority, cluster, tree, file);
    if !one.has_positive_serial() {
        findings.add(&SERIAL, place, Some(position), "expected a positive number, found 0 or a negative one", repair());
    } else if one.serial.strip_prefix(&[0]).unwrap_or(&one.serial).len() > 20 {
        findings.add(&SERIAL, place, Some(position), "expected at most 20 octets, found more", repair());
    }
    if one.is_ca && one.subject_key_id.is_none() {
        findings.add(&NO_SKI, place, Some(position), "expected a subject key identifier, found none", []);
    }
    if one.is_self_issued() {
        return;
    }
    let above = file.certificates().get(position + 1..).unwrap_or_default();
    let trusted = file.authority.map(|authority| cluster.trusted(tree, authority)).unwrap_or_default();
    let named = || above.iter().chain(trusted).filter(|above| above.subject_der == one.issuer_der);
    let Some(key) = &one.authority_key_id else {
        let found = "expected an authority key identifier, found none";
        return findings.add(&NO_AKI, place, Some(position), found, repair());
    };
    if named().any(|above| above.subject_key_id.as_ref().is_none_or(|own| own == key)) {
        return;
    }
    let signed =
        |above: &Certificate| is_signature_of(&one.der, &one.signature_algorithm, &above.spki_der) == Some(true);
    if named().any(signed) {
        let found = "expected the identifier of the key that signed it, found another";
        findings.add(&OTHER_AKI, place, Some(position), found, repair());
    }
}

/// The first certificate of a number.
type Seen<'c> = (&'c Tree, &'c File, &'c Certificate);

/// One serial number below one issuer in certificates that differ.
pub fn twice(cluster: &Cluster<'_>, findings: &mut Findings<'_>) {
    // By issuer and serial number.
    let mut seen: BTreeMap<(&[u8], &[u8]), Seen<'_>> = BTreeMap::new();
    for tree in &cluster.trees {
        for file in tree.files.iter().filter(|file| file.part != Part::SignerFile) {
            for (position, one) in file.certificates().iter().enumerate() {
                let key = (one.issuer_der.as_slice(), one.serial.as_slice());
                match seen.get(&key) {
                    Some((other_tree, other, first)) if first.der != one.der => {
                        let found = format!("expected a number of its own, found that of {}", id(other_tree, other));
                        let is_authority = file.part == Part::Authority || position > 0;
                        let repair = repair::renew_leaf(is_authority, cluster, tree, file);
                        findings.add(&TWICE, (tree, file), Some(position), found, repair);
                    }
                    Some(_) => {}
                    None => drop(seen.insert(key, (tree, file, one))),
                }
            }
        }
    }
}
