//! The answer of the CRLs for one certificate, and the state of one CRL.

use super::known::{Known, looks};
use super::lists::{List, Read};
use crate::report::crl::{Answer, CheckedCertificate as Row, CheckedCrl, CrlState};
use crate::revocation::Reason;
use crate::x509::dsa::is_dsa;
use crate::x509::path::Path;
use crate::x509::revocation::{Status, Vetted, status};
use crate::x509::{Certificate, Problem, decimal};
use time::OffsetDateTime;

/// The percentage of its lifetime from which a CRL is about to be stale: as `check-expiration` warns, and later than
/// `--due` signs the next.
pub const ENDING_PERCENT: i128 = 20;

pub fn certificate_row<'r>(
    (name, certificate): &(String, Certificate),
    known: &'r Known,
    lists: &[List<'r>],
    read: &'r Read<'r>,
    shown: &[CheckedCrl],
) -> Row {
    let judged = known.path(certificate);
    let path = judged.as_ref().ok();
    let mut row = Row {
        name: name.clone(),
        issuer: certificate.issuer.to_string(),
        serial: certificate.serial_hex(),
        answer: Answer::Unknown,
        reason: None,
        since: None,
        invalid_since: None,
        list: None,
        why: judged.as_ref().err().map(|why| known.why(certificate, why)).into_iter().collect(),
        remarks: remarks(certificate, path),
        looks: looks(judged.as_ref(), certificate, known.at),
    };
    let Some(issuer) = known.issuer(certificate, path) else { return row };
    let believed = |list: &&List<'r>| list.is_about(certificate, issuer, path, (known, read));
    let (positions, own): (Vec<usize>, Vec<Vetted<'_>>) = lists
        .iter()
        .enumerate()
        .filter(|(_, list)| believed(list))
        .filter_map(|(position, list)| Some((position, list.vetted.clone()?)))
        .unzip();
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
            row.answer = if path.is_some() { Answer::Good } else { Answer::Unknown };
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
            row.answer = if path.is_some() && own.iter().any(stale) { Answer::Stale } else { Answer::Unknown };
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
    let decided = answer.list.and_then(|list| positions.get(list)).and_then(|list| shown.get(*list));
    row.list = decided.map(|list| list.path.clone());
    row
}

/// It counts here, as RFC 5280 has it.
const DSA: &str = "signed with DSA, which Kubernetes refuses";

/// What the answer relies on and Kubernetes does not: signatures of the certificate and below the anchor of its path.
fn remarks(certificate: &Certificate, path: Option<&Path<'_>>) -> Vec<String> {
    let above = path.into_iter().flat_map(|path| path.certificates.iter().skip(1).rev().skip(1));
    let above = above.filter(|one| is_dsa(&one.signature_algorithm)).map(|one| format!("{} is {DSA}", one.subject));
    let own = is_dsa(&certificate.signature_algorithm).then(|| DSA.to_owned());
    own.into_iter().chain(above).collect()
}

pub fn list_row(path: &str, list: &List<'_>, at: OffsetDateTime) -> CheckedCrl {
    let (crl, vetted) = (&list.read.crl, list.vetted.as_ref());
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
    if is_dsa(&crl.signature_algorithm) {
        problems.push(DSA.to_owned());
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
