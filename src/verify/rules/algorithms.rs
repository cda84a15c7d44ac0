//! Keys and signatures, against a policy.

use crate::encoding::public_key::KeyKind;
use crate::profile::Profile;
use crate::verify::cluster::{File, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::policy::{Policy, size};
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::{Certificate, weak_exponent};

pub const WEAK: Rule = Rule {
    id: "algorithm/weak-key",
    severity: Severity::Error,
    what: "a key is weaker than the policy allows",
    why: "the policy of --policy: by default what Go and rustls refuse",
    repair: "renew it with another algorithm: the profile's field algorithm",
    follows: &[],
};

pub const EXPONENT: Rule = Rule {
    id: "algorithm/exponent",
    severity: Severity::Error,
    what: "an RSA key has an exponent that is not safe",
    why: "FIPS 186-5 section A.1.1: odd and above 2^16",
    repair: "renew it with a new key",
    follows: &[],
};

pub const SIGNATURE: Rule = Rule {
    id: "algorithm/signature",
    severity: Severity::Error,
    what: "a certificate is signed with a hash that is broken, and is refused",
    why: "Go crypto/x509 refuses MD5 and SHA-1; NIST SP 800-131A revision 2, section 9",
    repair: "renew it; the root that is trusted itself may stay",
    follows: &[],
};

pub const QUANTUM: Rule = Rule {
    id: "algorithm/quantum-vulnerable",
    severity: Severity::Warning,
    what: "a key can be broken by a large quantum computer",
    why: "CNSA 2.0; asked for with --policy cnsa2",
    repair: "none: Kubernetes has no certificates with other keys yet",
    follows: &[],
};

pub const RULES: [&Rule; 4] = [&WEAK, &EXPONENT, &SIGNATURE, &QUANTUM];

const BROKEN: [&str; 4] = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.840.10040.4.3"];

pub fn check(tree: &Tree, policy: Policy, findings: &mut Findings<'_>) {
    for file in &tree.files {
        accounts(tree, file, policy, findings);
        for (position, one) in file.certificates().iter().enumerate() {
            if file.part != Part::SignerFile {
                certificate(tree, file, (position, one), policy, findings);
            }
        }
    }
}

/// sa.key signs tokens, and has no certificate.
fn accounts(tree: &Tree, file: &File, policy: Policy, findings: &mut Findings<'_>) {
    let Some(kind) = file.key().and_then(|key| key.kind.as_ref()).filter(|_| file.entry == "sa") else { return };
    let limits = policy.limits();
    match size(kind) {
        Some(_) if policy == Policy::Cnsa2 => {
            findings.add(&QUANTUM, (tree, file), None, format!("expected ML-DSA-87, found {kind}"), []);
        }
        Some(size) if !limits.allow(size) => {
            findings.add(&WEAK, (tree, file), None, format!("expected more than {kind} ({})", limits.source), []);
        }
        Some(_) => {}
        None => findings.skip(file, format!("no policy speaks of {kind}")),
    }
}

fn certificate(
    tree: &Tree,
    file: &File,
    (position, one): (usize, &Certificate),
    policy: Policy,
    findings: &mut Findings<'_>,
) {
    let cluster = findings.cluster;
    let place = (tree, file);
    let is_authority = file.part == Part::Authority || position > 0;
    let limits = policy.limits();
    // The profile has to say another algorithm first, if its own is as weak.
    let is_strong = |profile: &Profile| size(&KeyKind::Known(profile.algorithm)).is_some_and(|size| limits.allow(size));
    let helps = !is_authority && cluster.profile.is_some_and(is_strong);
    let repair = || if helps { repair::replace(cluster, tree, file) } else { Vec::new() };
    match size(&one.key) {
        Some(_) if policy == Policy::Cnsa2 => {
            findings.add(&QUANTUM, place, Some(position), format!("expected ML-DSA-87, found {}", one.key), []);
        }
        Some(size) if !limits.allow(size) => {
            let found = format!("expected more than {} ({})", one.key, limits.source);
            findings.add(&WEAK, place, Some(position), found, repair());
        }
        Some(_) => {}
        None => findings.skip(file, format!("no policy speaks of {}", one.key)),
    }
    if let Some(exponent) = weak_exponent(&one.spki_der) {
        let found = format!("expected an odd exponent above 2^16, found {exponent}");
        findings.add(&EXPONENT, place, Some(position), found, repair());
    }
    // The signature of a root says nothing: it is trusted by itself.
    if BROKEN.contains(&one.signature_algorithm.0.as_ref()) && !(is_authority && one.is_self_issued()) {
        let found = format!("expected SHA-256 or better, found {}", one.signature_name());
        findings.add(&SIGNATURE, place, Some(position), found, repair());
    }
}
