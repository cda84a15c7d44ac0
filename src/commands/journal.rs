//! What the journal and the history remember of a run: one line per certificate, one note per generation.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::clock::rfc3339;
use crate::plan::revoke::serial_of_hex;
use crate::revocation::{Number, Reason, Revoked, minimal_integer};
use crate::x509::certificate::hex;
use crate::x509::{Certificate, decimal};

/// One line of `.kpki/journal.jsonl`, without its end: what a later revocation has to know. `command` is what was done,
/// `entry` is named as in reports (`NODE/NAME` or `NAME`). Serial and SHA-256 fingerprint are lower-case hexadecimal.
pub fn line(command: &str, entry: &str, certificate: &Certificate, at: OffsetDateTime) -> String {
    json!({
        "time": rfc3339(at),
        "command": command,
        "entry": entry,
        "serial": certificate.serial_hex().to_lowercase(),
        "fingerprint": certificate.fingerprint_hex().replace(':', "").to_lowercase(),
        "subject": certificate.subject.to_string(),
        "notBefore": rfc3339(certificate.not_before),
        "notAfter": rfc3339(certificate.not_after),
        "issuer": certificate.issuer.to_string(),
    })
    .to_string()
}

/// One line for a new edition of a revocation list, without its end. `revoked`: the entry that was added, or taken back by
/// a release; `None`: the entries stayed. `number` is the list's, so that a list that was lost, or put back to an older
/// edition, is brought up to what is written here.
pub fn list_line(
    command: &str,
    entry: &str,
    authority: &Certificate,
    number: &Number,
    revoked: Option<&Revoked>,
    at: OffsetDateTime,
) -> String {
    json!({
        "time": rfc3339(at),
        "command": command,
        "entry": entry,
        "crlNumber": decimal(&integer_content(number)),
        "serial": revoked.map(|one| serial_text(&one.serial)),
        "reason": revoked.map(|one| one.reason.unwrap_or(Reason::Unspecified).name()),
        "revocationDate": revoked.map(|one| rfc3339(one.at)),
        "invalidityDate": revoked.and_then(|one| one.invalid_since).map(rfc3339),
        "issuer": authority.subject.to_string(),
        "issuerFingerprint": authority.fingerprint_hex().replace(':', "").to_lowercase(),
    })
    .to_string()
}

/// Content octets of a serial number as the lines above have it: lower-case hexadecimal of the value.
pub fn serial_text(serial: &[u8]) -> String {
    let plain = minimal_integer(serial);
    hex(plain.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(plain), "").to_lowercase()
}

/// The number with its sign.
pub fn integer_content(number: &Number) -> Vec<u8> {
    [&[0], number.magnitude()].concat()
}

/// What the lines say of one authority's list.
#[derive(Debug, Default)]
pub struct Remembered {
    /// The highest number of an edition.
    pub number: Option<Number>,
    /// What has been done above a number: the last word on each serial number; `None`: released.
    pub last: BTreeMap<Vec<u8>, Option<Revoked>>,
}

/// Lines of editions above `number`; all of them where the list has none.
pub fn remembered(lines: &[Value], authority: &Certificate, number: Option<&Number>) -> Remembered {
    let fingerprint = authority.fingerprint_hex().replace(':', "").to_lowercase();
    let mut remembered = Remembered::default();
    for line in lines {
        let text = |key: &str| line.get(key).and_then(Value::as_str);
        let Some(written) = text("crlNumber").and_then(number_of) else { continue };
        if text("issuerFingerprint") != Some(fingerprint.as_str()) {
            continue;
        }
        let above = number.is_none_or(|number| written > *number);
        remembered.number = remembered.number.max(Some(written));
        let Some(serial) = text("serial").and_then(serial_of_hex).filter(|_| above) else { continue };
        let instant = |key| text(key).and_then(|text| crate::clock::parse_instant(text, OffsetDateTime::UNIX_EPOCH));
        let revoked = instant("revocationDate").filter(|_| text("command") != Some("release")).map(|at| Revoked {
            serial: serial.clone(),
            at,
            reason: text("reason").and_then(Reason::parse).filter(|reason| *reason != Reason::Unspecified),
            invalid_since: instant("invalidityDate"),
            other: Vec::new(),
        });
        remembered.last.insert(serial, revoked);
    }
    remembered
}

/// Decimal to the number.
fn number_of(text: &str) -> Option<Number> {
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

/// What a generation says of the run that made it: which command, when, on which entries.
pub fn note(command: &str, entries: &[String], at: OffsetDateTime) -> String {
    json!({"command": command, "time": rfc3339(at), "entries": entries}).to_string()
}

/// `20261120T220101Z-renew`: sorts by time, says which command.
pub fn generation(command: &str, at: OffsetDateTime) -> String {
    let stamp = at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
    format!("{stamp}-{command}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-20 22:01:01 +1);

    #[test]
    fn lists_are_brought_up_to_what_the_lines_say() {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
        let ca = &crate::x509::parse_pem_bundle(pem).unwrap()[0];
        let revoked = |serial: u8, reason| Revoked {
            serial: vec![0, serial],
            at: datetime!(2026-11-20 21:01:01 UTC),
            reason,
            invalid_since: Some(datetime!(2026-11-01 0:00 UTC)),
            other: Vec::new(),
        };
        let key = Some(Reason::KeyCompromise);
        let line = |command, number, one: &Revoked| {
            let text = list_line(command, "x", ca, &Number::from(number), Some(one), NOW);
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let (first, second) = (revoked(0x80, key), revoked(0x81, None));
        let lines = [
            line("revoke", 254, &first),
            line("hold", 255, &revoked(0x82, Some(Reason::CertificateHold))),
            line("revoke", 256, &second),
            line("release", 257, &revoked(0x82, Some(Reason::CertificateHold))),
            json!({"command": "renew", "serial": "80"}),
        ];
        let all = remembered(&lines, ca, None);
        assert_eq!(all.number, Some(Number::from(257)));
        let last: Vec<_> = all.last.into_iter().collect();
        assert_eq!(last, [(vec![0, 0x80], Some(first)), (vec![0, 0x81], Some(second.clone())), (vec![0, 0x82], None)]);
        let above = remembered(&lines, ca, Some(&Number::from(255))).last;
        assert_eq!(above.into_iter().collect::<Vec<_>>(), [(vec![0, 0x81], Some(second)), (vec![0, 0x82], None)]);
        let other = Certificate { fingerprint: [0; 32], ..ca.clone() };
        assert_eq!(remembered(&lines, &other, None).number, None);
        for number in [0, 1, 255, 256, u64::MAX] {
            assert_eq!(number_of(&number.to_string()), Some(Number::from(number)));
        }
        assert_eq!(number_of("1x"), None);
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
            ["time", "command", "entry", "serial", "fingerprint", "subject", "notBefore", "notAfter", "issuer"]
        );
        assert!(line.starts_with(r#"{"time":"2026-11-20T21:01:01Z","command":"renew","entry":"cp1/ca","serial":""#));
        assert!(!line.contains('\n') && value["fingerprint"].as_str().unwrap().len() == 64);
        assert_eq!(value["subject"], "CN=kubernetes");
        assert_eq!(
            note("init", &["ca".to_owned()], NOW),
            r#"{"command":"init","time":"2026-11-20T21:01:01Z","entries":["ca"]}"#
        );
    }
}
