//! From the lines of a journal to rows. Pure.

use time::OffsetDateTime;

use super::request::What;
use crate::clock::parse_instant;
use crate::report::issued::Row;
use crate::workspace::journal::{self, CertificateLine, CrlLine, Line};

/// The rows of one journal, and the numbers, from 1, of lines that cannot be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub rows: Vec<Row>,
    pub unreadable: Vec<usize>,
}

/// What was asked for and is not older than `since`.
pub fn read(lines: &[String], what: What, since: OffsetDateTime) -> Read {
    let mut read = Read::default();
    for (number, text) in (1..).zip(lines).filter(|(_, text)| !text.is_empty()) {
        match serde_json::from_str::<Line>(text) {
            Ok(line) => match (time(&line), row(&line, what)) {
                (None, _) => read.unreadable.push(number),
                (Some(at), Some(row)) if at >= since => read.rows.push(row),
                _ => {}
            },
            Err(_) if journal::is_readable(text) => {}
            Err(_) => read.unreadable.push(number),
        }
    }
    read
}

fn time(line: &Line) -> Option<OffsetDateTime> {
    let (Line::Crl(CrlLine { time, .. }) | Line::Certificate(CertificateLine { time, .. })) = line;
    parse_instant(time, OffsetDateTime::UNIX_EPOCH)
}

fn row(line: &Line, what: What) -> Option<Row> {
    match (what, line.clone()) {
        (What::Certificates, Line::Certificate(line)) => Some(Row {
            time: line.time,
            command: line.command,
            entry: line.entry,
            serial: line.serial,
            subject: Some(line.subject),
            expires: Some(line.not_after),
            issuer: line.issuer,
            sha256: Some(line.fingerprint),
            told_by: line.from,
            ..Row::default()
        }),
        // An issue that changes no entry is none of them.
        (What::Revocations, Line::Crl(line)) => Some(Row {
            time: line.time,
            command: line.command,
            entry: line.entry,
            serial: line.serial?,
            reason: line.reason,
            revoked: line.revocation_date,
            crl_number: Some(line.crl_number),
            issuer: line.issuer,
            told_by: line.from,
            ..Row::default()
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const SINCE: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

    fn certificate(time: &str, command: &str) -> String {
        format!(
            r#"{{"time":"{time}","command":"{command}","entry":"cp1/web","serial":"0a","fingerprint":"ff","subject":"CN=web","notBefore":"2026-11-20T21:55:00Z","notAfter":"2027-11-20T22:00:00Z","issuer":"CN=kubernetes","previous":"00"}}"#
        )
    }

    fn crl(serial: &str) -> String {
        format!(
            r#"{{"time":"2026-11-21T00:00:00Z","command":"revoke","entry":"ca","crlNumber":"7","serial":{serial},"reason":"superseded","revocationDate":"2026-11-21T00:00:00Z","invalidityDate":null,"issuer":"CN=kubernetes","issuerFingerprint":"ff"}}"#
        )
    }

    #[test]
    fn lines_are_chosen_by_kind_and_time_and_none_is_passed_over_in_silence() {
        let key =
            r#"{"time":"2026-11-21T00:00:00Z","command":"key-protect","authority":"ca","keyId":null,"previous":"00"}"#;
        let revision = r#"{"time":"2026-11-21T00:00:00Z","command":"nodes-merge","revision":9,"previous":"00"}"#;
        let lines = [
            certificate("2026-11-20T21:59:59Z", "init"),
            certificate("2026-11-20T22:00:00Z", "renew"),
            certificate("2026-11-21T01:00:00+01:00", "sign"),
            certificate("yesterday", "sign"),
            crl("\"0b\""),
            crl("null"),
            key.to_owned(),
            revision.to_owned(),
            String::new(),
            "torn".to_owned(),
            "{}".to_owned(),
        ];
        let found = |what| {
            let Read { rows, unreadable } = read(&lines, what, SINCE);
            (rows.iter().map(|row| format!("{} {}", row.command, row.serial)).collect::<Vec<_>>(), unreadable)
        };
        let unreadable = vec![4, 10, 11];
        assert_eq!(found(What::Certificates), (vec!["renew 0a".to_owned(), "sign 0a".to_owned()], unreadable.clone()));
        assert_eq!(found(What::Revocations), (vec!["revoke 0b".to_owned()], unreadable));
    }
}
