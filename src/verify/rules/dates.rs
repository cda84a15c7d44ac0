//! Dates of certificates: RFC 5280 section 4.1.2.5.

use crate::audit::Policy;
use crate::clock::{distance, rfc3339};
use crate::inventory::Kind;
use crate::verify::cluster::{File, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::Certificate;

pub const EXPIRED: Rule = Rule {
    id: "date/expired",
    severity: Severity::Error,
    what: "a certificate has expired",
    why: "RFC 5280 section 6.1.3 (a)(2)",
    repair: "renew it",
    follows: &[],
};

pub const NOT_YET: Rule = Rule {
    id: "date/not-yet-valid",
    severity: Severity::Error,
    what: "a certificate is not valid yet",
    why: "RFC 5280 section 6.1.3 (a)(2)",
    repair: "check the clocks of this machine and of the one it was made on, or renew it",
    follows: &[],
};

pub const NEVER: Rule = Rule {
    id: "date/never-valid",
    severity: Severity::Error,
    what: "a certificate ends before it begins: it is never valid",
    why: "RFC 5280 section 4.1.2.5",
    repair: "renew it",
    follows: &[],
};

pub const ENDING: Rule = Rule {
    id: "date/ending",
    severity: Severity::Warning,
    what: "a certificate expires soon",
    why: "the warning window of the profile, or 30 days, of an authority a year",
    repair: "renew it; an authority by its name, with the same key",
    follows: &[],
};

pub const OUTLIVES: Rule = Rule {
    id: "date/outlives-authority",
    severity: Severity::Notice,
    what: "a certificate ends after the authority that signed it, whose end is the one that counts",
    why: "RFC 5280 section 6.1: every certificate of a path is checked at one instant",
    repair: "nothing now; renew it once the authority is replaced",
    follows: &["date/expired", "date/ending"],
};

pub const RULES: [&Rule; 5] = [&EXPIRED, &NOT_YET, &NEVER, &ENDING, &OUTLIVES];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    let policy = findings.cluster.profile.map_or_else(Policy::default, Policy::of_profile);
    for file in &tree.files {
        for (position, certificate) in file.certificates().iter().enumerate() {
            let has_own = file.part != Part::SignerFile && !file.is_made_by_kubelet();
            if has_own {
                one(tree, file, position, certificate, &policy, findings);
            }
        }
    }
}

fn one(
    tree: &Tree,
    file: &File,
    position: usize,
    certificate: &Certificate,
    policy: &Policy,
    findings: &mut Findings<'_>,
) {
    let (cluster, at) = (findings.cluster, findings.cluster.at);
    let is_authority = file.part == Part::Authority || position > 0;
    let renew = || repair::renew_leaf(is_authority, cluster, tree, file);
    let (from, until) = (certificate.not_before, certificate.not_after);
    let place = ((tree, file), Some(position));
    if until < from {
        let found = format!("valid from {} until {}", rfc3339(from), rfc3339(until));
        return findings.add(&NEVER, place.0, place.1, found, renew());
    }
    if until < at {
        let found = format!("it expired at {} ({})", rfc3339(until), distance(at, until));
        return findings.add(&EXPIRED, place.0, place.1, found, renew());
    }
    if at < from {
        let found = format!("it is valid from {} ({})", rfc3339(from), distance(at, from));
        return findings.add(&NOT_YET, place.0, place.1, found, renew());
    }
    let kind = if is_authority { Kind::Authority } else { Kind::Certificate };
    let (warning, _) = policy.windows(kind, (until - from).whole_seconds());
    if (until - at).whole_seconds() <= warning {
        let found = format!("it expires at {} ({})", rfc3339(until), distance(at, until));
        findings.add(&ENDING, place.0, place.1, found, renew());
    }
    if let Some(end) = end_of_issuer(tree, file, position, certificate, findings).filter(|end| *end < until) {
        let found = format!("it ends at {}, its authority at {}", rfc3339(until), rfc3339(end));
        findings.add(&OUTLIVES, place.0, place.1, found, []);
    }
}

/// The latest end of those that could have signed it.
fn end_of_issuer(
    tree: &Tree,
    file: &File,
    position: usize,
    certificate: &Certificate,
    findings: &Findings<'_>,
) -> Option<time::OffsetDateTime> {
    if certificate.is_self_issued() {
        return None;
    }
    let behind = file.certificates().get(position + 1..).unwrap_or_default();
    let trusted = findings.cluster.trusted(tree, file.authority?);
    // Only then does it matter which of them did: a signature costs more than all else here.
    behind.iter().chain(trusted).find(|one| one.not_after < certificate.not_after)?;
    let signs = |one: &&Certificate| one.is_ca && certificate.signed_by(one).is_ok();
    behind.iter().chain(trusted).filter(signs).map(|one| one.not_after).max()
}
