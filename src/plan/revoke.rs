//! The change of a certificate's CRL entry. Pure: the request and the current entry in, the
//! change out. Only a hold can be undone, and a revocation is never changed.

use time::{Duration, OffsetDateTime};

use crate::encoding::tlv;
use crate::revocation::{Reason, Revoked};
use crate::x509::crl_entry::Extension;

/// The percentage of a CRL's lifetime left at which the next issue is due: a daily job has three or more runs
/// before a weekly CRL is stale.
pub const REFRESH_PERCENT: i64 = 33;

/// holdInstructionCode, id-ce 23 (RFC 3280 section 5.3.2): only a hold may carry it.
const HOLD_INSTRUCTION: &[u8] = &[0x55, 0x1d, 23];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Permanent; `None`: no reason was given.
    Revoke(Option<Reason>),
    Hold,
    Release,
}

impl Verb {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revoke(_) => "revoke",
            Self::Hold => "hold",
            Self::Release => "release",
        }
    }
}

/// The change of the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Add(Revoked),
    /// A hold becomes a revocation.
    MakePermanent(Revoked),
    /// A hold is released.
    Remove(Revoked),
    /// The CRL has this state already; `None`: it has no entry for the certificate.
    Nothing(Option<Revoked>),
}

/// Why the change is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is revoked with another reason or invalidity date.
    Fixed(Revoked),
    /// It is revoked permanently, which a hold would undo.
    Stronger(Revoked),
    NotAHold(Revoked),
}

/// The requested change.
#[derive(Debug, Clone, Copy)]
pub struct RevocationRequest<'a> {
    pub verb: Verb,
    /// Content octets.
    pub serial: &'a [u8],
    pub at: OffsetDateTime,
    pub invalid_since: Option<OffsetDateTime>,
}

/// `listed`: the current entry of this serial number.
pub fn decide(request: RevocationRequest<'_>, listed: Option<&Revoked>) -> Result<Change, Refusal> {
    let new = |reason| Revoked {
        serial: request.serial.to_vec(),
        at: request.at,
        reason,
        invalid_since: request.invalid_since,
        other: Vec::new(),
    };
    let Some(listed) = listed else {
        return Ok(match request.verb {
            Verb::Revoke(reason) => Change::Add(new(reason)),
            Verb::Hold => Change::Add(new(Some(Reason::CertificateHold))),
            Verb::Release => Change::Nothing(None),
        });
    };
    let as_it_is = || listed.clone();
    match (request.verb, listed.is_hold()) {
        (Verb::Revoke(reason), true) => Ok(Change::MakePermanent(Revoked {
            // X.509 section 9.5.3.1: the date stays that of the hold.
            reason,
            invalid_since: request.invalid_since.or(listed.invalid_since),
            other: without_hold_instruction(&listed.other),
            ..as_it_is()
        })),
        (Verb::Revoke(reason), false) => {
            let stated = |one: Option<Reason>| one.unwrap_or(Reason::Unspecified);
            let other_reason = reason.is_some() && stated(reason) != stated(listed.reason);
            let other_date = request.invalid_since.is_some() && request.invalid_since != listed.invalid_since;
            if other_reason || other_date {
                Err(Refusal::Fixed(as_it_is()))
            } else {
                Ok(Change::Nothing(Some(as_it_is())))
            }
        }
        (Verb::Hold, true) => Ok(Change::Nothing(Some(as_it_is()))),
        (Verb::Hold, false) => Err(Refusal::Stronger(as_it_is())),
        (Verb::Release, true) => Ok(Change::Remove(as_it_is())),
        (Verb::Release, false) => Err(Refusal::NotAHold(as_it_is())),
    }
}

fn without_hold_instruction(other: &[u8]) -> Vec<u8> {
    let elements = tlv::elements(other).unwrap_or_default();
    let kept = elements.into_iter().filter(|one| Extension::read(*one).is_ok_and(|one| one.id != HOLD_INSTRUCTION));
    kept.flat_map(|one| one.raw.to_vec()).collect()
}

/// Whether a CRL is inside its refresh window. One without a nextUpdate always is: it is never stale, so that readers
/// would not notice an old one. So is one of the future, which a wrong clock has made: readers refuse it.
pub fn is_due(this_update: OffsetDateTime, next_update: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    let Some(next_update) = next_update.filter(|_| this_update <= now) else { return true };
    let whole = |span: Duration| i128::from(span.whole_seconds());
    whole(next_update - now) * 100 <= whole(next_update - this_update) * i128::from(REFRESH_PERCENT)
}

/// Hexadecimal as people and programs write it (colons, a leading 0x, either case) to the content octets of the
/// positive INTEGER; `None`: it is no such number, or longer than RFC 5280 section 4.1.2.2 allows with room for what is
/// older.
pub fn serial_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.trim_start_matches("0x").trim_start_matches("0X").chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || digits.len() > 128 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let even = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
    let octets = even.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let mut serial = octets.collect::<Option<Vec<u8>>>()?;
    serial.insert(0, 0);
    Some(crate::revocation::minimal_integer(&serial).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::extension::extension;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);
    const BEFORE: OffsetDateTime = datetime!(2026-11-01 0:00 UTC);

    fn entry(reason: Option<Reason>) -> Revoked {
        Revoked { serial: vec![5], at: BEFORE, reason, invalid_since: None, other: Vec::new() }
    }

    fn request(verb: Verb) -> RevocationRequest<'static> {
        RevocationRequest { verb, serial: &[5], at: NOW, invalid_since: None }
    }

    #[test]
    fn every_verb_on_every_entry() {
        use Verb::{Hold, Release, Revoke};
        let key = Some(Reason::KeyCompromise);
        let held = entry(Some(Reason::CertificateHold));
        let gone = entry(key);
        let plain = entry(None);
        let now = |reason| Revoked { at: NOW, ..entry(reason) };
        for (verb, listed, expected) in [
            (Revoke(None), None, Ok(Change::Add(now(None)))),
            (Revoke(key), None, Ok(Change::Add(now(key)))),
            (Hold, None, Ok(Change::Add(now(Some(Reason::CertificateHold))))),
            (Release, None, Ok(Change::Nothing(None))),
            // The date of the hold stays.
            (Revoke(key), Some(&held), Ok(Change::MakePermanent(entry(key)))),
            (Revoke(None), Some(&held), Ok(Change::MakePermanent(entry(None)))),
            (Hold, Some(&held), Ok(Change::Nothing(Some(held.clone())))),
            (Release, Some(&held), Ok(Change::Remove(held.clone()))),
            (Revoke(None), Some(&gone), Ok(Change::Nothing(Some(gone.clone())))),
            (Revoke(key), Some(&gone), Ok(Change::Nothing(Some(gone.clone())))),
            (Revoke(Some(Reason::Superseded)), Some(&gone), Err(Refusal::Fixed(gone.clone()))),
            (Revoke(Some(Reason::Unspecified)), Some(&plain), Ok(Change::Nothing(Some(plain.clone())))),
            (Revoke(key), Some(&plain), Err(Refusal::Fixed(plain.clone()))),
            (Hold, Some(&gone), Err(Refusal::Stronger(gone.clone()))),
            (Release, Some(&gone), Err(Refusal::NotAHold(gone.clone()))),
        ] {
            assert_eq!(decide(request(verb), listed), expected, "{verb:?} {listed:?}");
        }
    }

    #[test]
    fn an_invalidity_date_is_given_once() {
        let since = Some(BEFORE - Duration::DAY);
        let request = RevocationRequest { invalid_since: since, ..request(Verb::Revoke(None)) };
        let listed = Revoked { invalid_since: since, ..entry(None) };
        assert_eq!(decide(request, Some(&listed)), Ok(Change::Nothing(Some(listed))));
        assert_eq!(decide(request, Some(&entry(None))), Err(Refusal::Fixed(entry(None))));
        let held = entry(Some(Reason::CertificateHold));
        let permanent = Revoked { invalid_since: since, ..entry(None) };
        assert_eq!(decide(request, Some(&held)), Ok(Change::MakePermanent(permanent)));
    }

    #[test]
    fn what_a_foreign_hold_carried_stays_but_for_its_instruction() {
        let kept = extension(&[0x55, 0x1d, 99], false, &[5, 0]);
        let other = [extension(HOLD_INSTRUCTION, false, &[6, 1, 0]), kept.clone()].concat();
        let held = Revoked { other, ..entry(Some(Reason::CertificateHold)) };
        let permanent = Revoked { other: kept, ..entry(None) };
        assert_eq!(decide(request(Verb::Revoke(None)), Some(&held)), Ok(Change::MakePermanent(permanent)));
    }

    #[test]
    fn a_list_is_due_when_a_third_of_its_life_is_left() {
        let (start, end) = (NOW, NOW + Duration::days(100));
        for (seconds, due) in [(0, false), (67 * 86_400 - 1, false), (67 * 86_400, true), (101 * 86_400, true)] {
            assert_eq!(is_due(start, Some(end), start + Duration::seconds(seconds)), due, "{seconds}");
        }
        assert!(is_due(start, None, start));
        assert!(is_due(start, Some(end), start - Duration::SECOND));
    }

    #[test]
    fn serial_numbers_as_they_are_written() {
        for (text, octets) in [
            ("5", Some(&[5][..])),
            ("0x05", Some(&[5])),
            ("00:80", Some(&[0, 0x80])),
            ("80", Some(&[0, 0x80])),
            ("7F:ff", Some(&[0x7f, 0xff])),
            ("0", Some(&[0])),
            ("", None),
            ("0x", None),
            ("5g", None),
            ("-5", None),
        ] {
            assert_eq!(serial_of_hex(text).as_deref(), octets, "{text}");
        }
        assert_eq!(serial_of_hex(&"1".repeat(129)), None);
    }
}
