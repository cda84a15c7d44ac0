//! The answer of the CRLs for one certificate, and the state of one CRL.

use crate::report::crl::{Answer, CheckedCertificate as Row, CheckedCrl, CrlState};
use crate::revocation::Reason;
use crate::x509::path::{self, Part};
use crate::x509::revocation::{Status, Vetted, status};
use crate::x509::{Certificate, CrlLookup, PathError, Problem, decimal};
use time::OffsetDateTime;

/// The percentage of its lifetime from which a CRL is about to be stale: as `check-expiration` warns, and later than
/// `--due` signs the next.
pub const ENDING_PERCENT: i128 = 20;

/// Problems of the intermediates above a certificate: with one, their CRLs cannot make it good. Without a trusted
/// authority the answer is unknown.
pub fn broken_path(
    certificate: &Certificate,
    intermediates: &[Certificate],
    anchors: &[Certificate],
    at: OffsetDateTime,
) -> Option<PathError> {
    if intermediates.is_empty() {
        return None;
    }
    let judged = path::judge(certificate, intermediates, anchors, at);
    judged.err().filter(|why| matches!(why, PathError::Invalid { part: Part::Intermediate, .. }))
}

pub fn certificate_row(
    name: &str,
    certificate: &Certificate,
    authorities: &[Certificate],
    broken: Option<PathError>,
    vetted: &[(Option<usize>, Option<Vetted<'_>>)],
    lists: &[CheckedCrl],
) -> Row {
    let mut row = Row {
        name: name.to_owned(),
        issuer: certificate.issuer.to_string(),
        serial: certificate.serial_hex(),
        answer: Answer::Unknown,
        reason: None,
        since: None,
        invalid_since: None,
        list: None,
        why: broken.iter().map(ToString::to_string).collect(),
    };
    let Some(index) = authorities.iter().position(|one| certificate.signed_by(one).is_ok()) else {
        row.why.push(format!("its issuer {} was not given: give it with --ca", certificate.issuer));
        return row;
    };
    let Some(issuer) = authorities.get(index) else { return row };
    let of_issuer: Vec<(usize, Vetted<'_>)> = vetted
        .iter()
        .enumerate()
        .filter(|(_, (by, _))| *by == Some(index))
        .filter_map(|(list, (_, vetted))| Some((list, vetted.clone()?)))
        .collect();
    let (positions, own): (Vec<usize>, Vec<Vetted<'_>>) = of_issuer.into_iter().unzip();
    if own.is_empty() {
        row.why.push(format!("no CRL of {} was given: give it with --crl", issuer.subject));
        return row;
    }
    let answer = status(certificate, issuer, &own);
    let stale = |list: &Vetted<'_>| {
        let only_late =
            |problem: &Problem| matches!(problem, Problem::Stale { .. } | Problem::MayNotSign | Problem::NoNumber);
        list.problems().iter().any(|problem| matches!(problem, Problem::Stale { .. }))
            && list.problems().iter().all(only_late)
    };
    let revoked = match &answer.status {
        Status::Good => {
            row.answer = if broken.is_none() { Answer::Good } else { Answer::Unknown };
            None
        }
        Status::Revoked(revoked) => {
            row.answer = Answer::Revoked;
            Some(revoked)
        }
        Status::Held(revoked) => {
            row.answer = Answer::Held;
            Some(revoked)
        }
        Status::Unknown => {
            row.answer = if own.iter().any(stale) { Answer::Stale } else { Answer::Unknown };
            row.why.extend(answer.problems.iter().map(|(_, problem)| problem.to_string()));
            None
        }
    };
    if revoked.is_some() {
        row.why.clear();
    }
    row.reason = revoked.map(|one| one.reason.unwrap_or(Reason::Unspecified).name());
    row.since = revoked.map(|one| one.at);
    row.invalid_since = revoked.and_then(|one| one.invalid_since);
    let decided = answer.list.and_then(|list| positions.get(list)).and_then(|list| lists.get(*list));
    row.list = decided.map(|list| list.path.clone());
    row
}

pub fn list_row(path: &str, listed: &CrlLookup<'_>, vetted: Option<&Vetted<'_>>, at: OffsetDateTime) -> CheckedCrl {
    let crl = &listed.crl;
    let mut problems: Vec<String> = match vetted {
        Some(vetted) => vetted.problems().iter().map(ToString::to_string).collect(),
        None => vec![format!("its issuer {} was not given: give it with --ca", crl.issuer)],
    };
    let state = match (vetted, crl.next_update) {
        (None, _) => CrlState::Unusable,
        (Some(vetted), _) if !vetted.is_usable() || crl.this_update > at => CrlState::Unusable,
        (Some(_), Some(next)) if next < at => CrlState::Stale,
        (Some(_), Some(next)) => {
            let (left, life) = ((next - at).whole_seconds(), (next - crl.this_update).whole_seconds());
            let ending = i128::from(left) * 100 <= i128::from(life) * ENDING_PERCENT;
            if ending { CrlState::Ending } else { CrlState::Fresh }
        }
        (Some(_), None) => CrlState::Fresh,
    };
    if state == CrlState::Ending {
        problems.push("it is stale soon; kpki crl update signs the next one".to_owned());
    }
    CheckedCrl {
        path: path.to_owned(),
        issuer: crl.issuer.to_string(),
        number: crl.number.as_deref().map(decimal),
        this_update: crl.this_update,
        next_update: crl.next_update,
        entries: crl.entries,
        state,
        problems,
    }
}
