//! What keys may be used for: RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.12.

use crate::blueprint::{ExtendedKeyUsage, KeyUsage};
use crate::catalog;
use crate::verify::cluster::{File, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::Certificate;
use crate::x509::revocation::may_sign_lists;

pub const MISSING: Rule = Rule {
    id: "usage/missing",
    severity: Severity::Error,
    what: "a certificate may not be used for what its place asks for",
    why: "RFC 5280 section 4.2.1.12; Go crypto/x509 Verify and rustls refuse the peer",
    repair: "renew it",
    follows: &[],
};

pub const SURPLUS: Rule = Rule {
    id: "usage/surplus",
    severity: Severity::Notice,
    what: "a certificate may be used for more than its place asks for",
    why: "RFC 5280 section 4.2.1.12; a server's certificate that is a client's as well can log in",
    repair: "renew it",
    follows: &["usage/missing"],
};

pub const LEAF_SIGNS: Rule = Rule {
    id: "usage/leaf-signs",
    severity: Severity::Error,
    what: "a certificate that is no authority's may sign others",
    why: "RFC 5280 section 4.2.1.9: its owner can make certificates for anybody",
    repair: "renew it, and revoke it",
    follows: &[],
};

pub const NO_CRL_SIGN: Rule = Rule {
    id: "usage/crl-sign",
    severity: Severity::Warning,
    what: "an authority has a CRL and lacks the key usage cRLSign: strict readers refuse the list",
    why: "RFC 5280 section 6.3.3 (f); kubeadm's authorities have none, etcd does not ask",
    repair: "a new authority made by kpki has it",
    follows: &[],
};

pub const CRITICAL: Rule = Rule {
    id: "usage/unknown-critical",
    severity: Severity::Error,
    what: "a certificate has a critical extension that its readers do not know, and refuse",
    why: "RFC 5280 section 4.2",
    repair: "renew it without the extension",
    follows: &[],
};

pub const RULES: [&Rule; 5] = [&MISSING, &SURPLUS, &LEAF_SIGNS, &NO_CRL_SIGN, &CRITICAL];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        for (position, one) in file.certificates().iter().enumerate() {
            if let Some(oid) = one.unknown_critical.first() {
                let found = format!("expected known critical extensions, found {oid}");
                findings.add(&CRITICAL, (tree, file), Some(position), found, []);
            }
        }
        let Some(leaf) = file.certificates().first() else { continue };
        match file.part {
            Part::Certificate | Part::Kubeconfig | Part::RotatedPair => self::leaf(tree, file, leaf, findings),
            Part::Authority => lists(tree, file, leaf, findings),
            _ => {}
        }
    }
}

fn leaf(tree: &Tree, file: &File, leaf: &Certificate, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let place = (tree, file);
    let repair = || repair::replace(cluster, tree, file);
    let own = file.is_made_by_kubelet();
    if leaf.is_ca && !own {
        findings.add(&LEAF_SIGNS, place, Some(0), "expected no authority, found cA in basicConstraints", repair());
    }
    let of_layout = cluster.layout.and_then(|layout| layout.usages(&file.entry));
    let wanted: Vec<ExtendedKeyUsage> = match (of_layout, catalog::find(&file.entry)) {
        (Some(usages), _) => usages,
        (None, Some(entry)) => entry.usages.to_vec(),
        (None, None) => {
            let extras = cluster.profile.map(|profile| profile.extra_certificates.as_slice()).unwrap_or_default();
            let Some(extra) = extras.iter().find(|extra| extra.name == file.entry) else { return };
            extra.usages.clone()
        }
    };
    let has = &leaf.extended_key_usages;
    // Without the extension it may be used for anything (section 4.2.1.12).
    let missing: Vec<&str> =
        wanted.iter().filter(|usage| !has.is_empty() && !has.contains(usage)).map(ExtendedKeyUsage::name).collect();
    if !missing.is_empty() {
        let found = format!("expected {}, found no such extended key usage", missing.join(", "));
        findings.add(&MISSING, place, Some(0), found, repair());
    } else if leaf.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        findings.add(&MISSING, place, Some(0), "expected the key usage digitalSignature, found none", repair());
    }
    // Another tool may give its servers more than they need.
    if cluster.has_own_names() {
        return;
    }
    let surplus: Vec<&str> = has.iter().filter(|usage| !wanted.contains(usage)).map(ExtendedKeyUsage::name).collect();
    if has.is_empty() && !own {
        findings.add(
            &SURPLUS,
            place,
            Some(0),
            "expected extended key usages, found none: it may be used for all",
            repair(),
        );
    } else if !surplus.is_empty() {
        findings.add(&SURPLUS, place, Some(0), format!("expected no more, found {}", surplus.join(", ")), repair());
    }
}

fn lists(tree: &Tree, file: &File, authority: &Certificate, findings: &mut Findings<'_>) {
    let Some(id) = file.authority else { return };
    if tree.file(&format!("{}.crl", id.name()), Part::Crl).is_some() && !may_sign_lists(authority) {
        findings.add(&NO_CRL_SIGN, (tree, file), Some(0), "expected the key usage cRLSign, found none", []);
    }
}
