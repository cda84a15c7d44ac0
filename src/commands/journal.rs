//! What the journal and the history remember of a run: one line per certificate, one note per generation.

use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::clock::rfc3339;
use crate::x509::Certificate;

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
    fn a_line_is_one_line_of_json_in_a_fixed_order() {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
        let bundle = crate::x509::parse_pem_bundle(pem).unwrap();
        let line = line("renew", "cp1/ca", &bundle[0], NOW);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
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
