//! The records of a run: a journal line for each certificate and each CRL, a note for each generation.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::clock::rfc3339;
use crate::error::Error;
use crate::revocation::{Number, Reason, Revoked, minimal_integer};
use crate::store::{self, Roots};
use crate::workspace::key_journal::KeyLine;
use crate::workspace::rotation::journal::RotationLine;
use crate::x509::certificate::hex;
use crate::x509::{Certificate, decimal, key_identifier};

/// One line of `.kpki/journal.jsonl`. Instants are RFC 3339 in UTC; serial numbers and SHA-256 fingerprints are
/// lower-case hexadecimal without separators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Crl(CrlLine),
    Certificate(CertificateLine),
}

impl Line {
    /// The command that wrote it.
    pub fn command(&self) -> &str {
        match self {
            Self::Crl(line) => &line.command,
            Self::Certificate(line) => &line.command,
        }
    }
}

/// A certificate that was issued, with what a later revocation needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateLine {
    pub time: String,
    /// What was done.
    pub command: String,
    /// `NODE/NAME` or `NAME`.
    pub entry: String,
    pub serial: String,
    pub fingerprint: String,
    pub subject: String,
    pub not_before: String,
    pub not_after: String,
    pub issuer: String,
    /// The identifier of its key ([`key_id`]); `None`: of 0.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Of an authority that was renewed with its key: the fingerprint of the certificate before. Both are the same authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<String>,
    /// The node whose receipt says so; `None`: it was done here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A new issue of a CRL. Its number is recorded so that a CRL that was lost or replaced by an earlier issue can be
/// brought up to date from the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrlLine {
    pub time: String,
    pub command: String,
    pub entry: String,
    /// Decimal.
    pub crl_number: String,
    /// The entry that was added, or removed by a release; `None`: the entries are unchanged.
    pub serial: Option<String>,
    pub reason: Option<String>,
    pub revocation_date: Option<String>,
    pub invalidity_date: Option<String>,
    pub issuer: String,
    pub issuer_fingerprint: String,
    /// The node whose receipt says so; `None`: it was done here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A generation's note about the run that made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub command: String,
    pub time: String,
    pub entries: Vec<String>,
}

impl Note {
    /// `None`: not a verb of kpki.
    pub fn read(note: &serde_json::Value) -> Option<Self> {
        Self::deserialize(note).ok()
    }
}

/// The line for a certificate, without its end.
pub fn line(command: &str, entry: &str, certificate: &Certificate, at: OffsetDateTime) -> String {
    document(&CertificateLine::new(command, entry, certificate, at))
}

/// The line for an authority's certificate that takes the place of `old`, of the same name and key or not.
pub fn authority_line(
    command: &str,
    entry: &str,
    (old, new): (Option<&Certificate>, &Certificate),
    at: OffsetDateTime,
) -> String {
    let renews = old.filter(|old| old.is_same_authority(new) && old.fingerprint != new.fingerprint).map(fingerprint);
    document(&CertificateLine { renews, ..CertificateLine::new(command, entry, new, at) })
}

/// What the journal knows a key by: its subjectKeyIdentifier in lower-case hexadecimal.
pub fn key_id(spki: &[u8]) -> Option<String> {
    key_identifier(spki).ok().map(|id| hex(&id, "").to_lowercase())
}

/// The line for an issue of a CRL, without its end. `revoked`: the entry that was added, or removed by a release.
pub fn crl_line(
    command: &str,
    entry: &str,
    authority: &Certificate,
    number: &Number,
    revoked: Option<&Revoked>,
    at: OffsetDateTime,
) -> String {
    document(&CrlLine::new(command, entry, authority, number, revoked, at))
}

/// The note of a generation.
pub fn note(command: &str, entries: &[String], at: OffsetDateTime) -> String {
    document(&Note { command: command.to_owned(), time: rfc3339(at), entries: entries.to_vec() })
}

/// `20261120T220101Z-renew`: time first, so that names sort, then the command.
pub fn generation(command: &str, at: OffsetDateTime) -> String {
    let stamp = at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
    format!("{stamp}-{command}")
}

/// From this line on the states of a cluster directory count from `revision`: nodes have had later ones than this copy of the
/// directory knew.
#[derive(Debug, Serialize, Deserialize)]
struct RevisionLine {
    time: String,
    command: String,
    revision: u64,
}

pub fn revision_line(command: &str, revision: u64, at: OffsetDateTime) -> String {
    document(&RevisionLine { time: rfc3339(at), command: command.to_owned(), revision })
}

/// Whether a line is one of a journal, of whatever kind.
pub fn is_readable(line: &str) -> bool {
    serde_json::from_str::<Line>(line).is_ok()
        || serde_json::from_str::<RevisionLine>(line).is_ok()
        || serde_json::from_str::<RotationLine>(line).is_ok()
        || serde_json::from_str::<KeyLine>(line).is_ok()
}

/// Which state of a cluster directory this is. It only grows: by each line, and to what a line says.
pub fn revision(roots: &Roots) -> Result<u64, Error> {
    Ok(revision_of(&store::journal(roots)?))
}

fn revision_of<T: AsRef<str>>(lines: &[T]) -> u64 {
    let next = |revision: u64, line: &str| match serde_json::from_str::<RevisionLine>(line) {
        Ok(line) => line.revision.max(revision.saturating_add(1)),
        Err(_) if is_readable(line) => revision.saturating_add(1),
        Err(_) => revision,
    };
    lines.iter().fold(0, |revision, line| next(revision, line.as_ref()))
}

/// Every line of a tree's journal that can be parsed.
pub fn read(roots: &Roots) -> Result<Vec<Line>, Error> {
    Ok(store::journal(roots)?.iter().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

impl Line {
    /// The line in the journal of a safe host that a node's receipt has brought it to.
    pub fn told_by(mut self, node: &str) -> String {
        let (entry, from) = match &mut self {
            Self::Crl(line) => (&mut line.entry, &mut line.from),
            Self::Certificate(line) => (&mut line.entry, &mut line.from),
        };
        *entry = format!("{node}/{entry}");
        *from = Some(node.to_owned());
        document(&self)
    }
}

/// Strings and lists of strings always have a JSON form.
fn document(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// In the journal's hexadecimal.
pub fn fingerprint(certificate: &Certificate) -> String {
    certificate.fingerprint_hex().replace(':', "").to_lowercase()
}

/// Content octets of a serial number in the journal's hexadecimal.
pub fn serial_text(serial: &[u8]) -> String {
    let plain = minimal_integer(serial);
    hex(plain.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(plain), "").to_lowercase()
}

/// The number with its sign.
fn integer_content(number: &Number) -> Vec<u8> {
    [&[0], number.magnitude()].concat()
}

impl CertificateLine {
    pub fn new(command: &str, entry: &str, certificate: &Certificate, at: OffsetDateTime) -> Self {
        Self {
            time: rfc3339(at),
            command: command.to_owned(),
            entry: entry.to_owned(),
            serial: certificate.serial_hex().to_lowercase(),
            fingerprint: fingerprint(certificate),
            subject: certificate.subject.to_string(),
            not_before: rfc3339(certificate.not_before),
            not_after: rfc3339(certificate.not_after),
            issuer: certificate.issuer.to_string(),
            key_id: key_id(&certificate.spki_der),
            renews: None,
            from: None,
        }
    }
}

impl CrlLine {
    /// `revoked`: the entry that was added, or removed by a release.
    pub fn new(
        command: &str,
        entry: &str,
        authority: &Certificate,
        number: &Number,
        revoked: Option<&Revoked>,
        at: OffsetDateTime,
    ) -> Self {
        Self {
            time: rfc3339(at),
            command: command.to_owned(),
            entry: entry.to_owned(),
            crl_number: decimal(&integer_content(number)),
            serial: revoked.map(|one| serial_text(&one.serial)),
            reason: revoked.map(|one| one.reason.unwrap_or(Reason::Unspecified).name().to_owned()),
            revocation_date: revoked.map(|one| rfc3339(one.at)),
            invalidity_date: revoked.and_then(|one| one.invalid_since).map(rfc3339),
            issuer: authority.subject.to_string(),
            issuer_fingerprint: fingerprint(authority),
            from: None,
        }
    }

    /// The line for an issue of this number that repeats it.
    pub fn renumbered(&self, number: &Number) -> Self {
        Self { crl_number: decimal(&integer_content(number)), ..self.clone() }
    }

    /// `None`: the entry was removed.
    pub fn revoked(&self, serial: &[u8]) -> Option<Revoked> {
        let instant = |text: &str| crate::clock::parse_instant(text, OffsetDateTime::UNIX_EPOCH);
        let at = self.revocation_date.as_deref().filter(|_| self.command != "release").and_then(instant)?;
        let reason = self.reason.as_deref().and_then(Reason::parse);
        Some(Revoked {
            serial: serial.to_vec(),
            at,
            reason: reason.filter(|reason| *reason != Reason::Unspecified),
            invalid_since: self.invalidity_date.as_deref().and_then(instant),
            other: Vec::new(),
        })
    }
}

/// Decimal to the number.
pub fn number_of(text: &str) -> Option<Number> {
    let mut magnitude: Vec<u8> = Vec::new();
    for digit in text.chars() {
        let mut carry = digit.to_digit(10)?;
        for octet in magnitude.iter_mut().rev() {
            let value = u32::from(*octet) * 10 + carry;
            *octet = u8::try_from(value & 0xff).ok()?;
            carry = value >> 8;
        }
        if carry > 0 {
            magnitude.insert(0, u8::try_from(carry).ok()?);
        }
    }
    Number::of_content(&[&[0], magnitude.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-20 22:01:01 +1);

    #[test]
    fn the_revision_only_grows() {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
        let bundle = crate::x509::parse_pem_bundle(pem).unwrap();
        let line = line("init", "ca", &bundle[0], NOW);
        let to = |revision| revision_line("nodes-merge", revision, NOW);
        for (lines, expected) in [
            (vec![], 0),
            (vec![line.clone(), line.clone(), "{}".to_owned()], 2),
            (vec![line.clone(), to(95), line.clone()], 96),
            (vec![line.clone(), line.clone(), to(1)], 3),
            (vec![to(u64::MAX), line.clone()], u64::MAX),
        ] {
            assert_eq!(revision_of(&lines), expected, "{lines:?}");
        }
        assert!(serde_json::from_str::<Line>(&to(95)).is_err());
        assert!(is_readable(&to(95)) && is_readable(&line) && !is_readable("{}"));
    }

    #[test]
    fn a_line_is_one_line_of_json_in_a_fixed_order() {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
        let bundle = crate::x509::parse_pem_bundle(pem).unwrap();
        let line = line("renew", "cp1/ca", &bundle[0], NOW);
        let value: Value = serde_json::from_str(&line).unwrap();
        let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "time",
                "command",
                "entry",
                "serial",
                "fingerprint",
                "subject",
                "notBefore",
                "notAfter",
                "issuer",
                "keyId"
            ]
        );
        assert!(line.starts_with(r#"{"time":"2026-11-20T21:01:01Z","command":"renew","entry":"cp1/ca","serial":""#));
        assert!(!line.contains('\n') && value["fingerprint"].as_str().unwrap().len() == 64);
        assert_eq!(value["subject"], "CN=kubernetes");
        assert_eq!(
            note("init", &["ca".to_owned()], NOW),
            r#"{"command":"init","time":"2026-11-20T21:01:01Z","entries":["ca"]}"#
        );
    }

    #[test]
    fn the_journal_of_0_1_0_is_read_and_written_byte_for_byte() {
        let text = include_str!("../../fixtures/state/0.1.0/journal.jsonl");
        assert!(text.lines().count() > 40);
        for line in text.lines() {
            let read: Line = serde_json::from_str(line).unwrap();
            assert_eq!(matches!(read, Line::Crl(_)), line.contains("crlNumber"), "{line}");
            assert_eq!(serde_json::to_string(&read).unwrap(), line);
        }
    }
}
