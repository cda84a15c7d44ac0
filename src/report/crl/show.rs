//! `kpki crl show`: a CRL's head, then its entries one by one, so that a CRL of any size is shown in constant memory.

use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;

use crate::clock::rfc3339;
use crate::report::form::{self, Form, Report, Screen};
use crate::report::json::{instant, instant_if_any, lower_case};
use crate::report::table::{end, line};
use crate::report::yaml;

/// What a CRL says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RevocationList", rename_all = "camelCase")]
pub struct CrlHead {
    pub path: String,
    pub issuer: String,
    pub version: u32,
    #[serde(rename = "signatureAlgorithm")]
    pub signature: String,
    /// Decimal.
    #[serde(rename = "crlNumber")]
    pub number: Option<String>,
    #[serde(serialize_with = "instant")]
    pub this_update: OffsetDateTime,
    #[serde(serialize_with = "instant_if_any")]
    pub next_update: Option<OffsetDateTime>,
    /// Hexadecimal.
    pub authority_key_id: Option<String>,
    /// A delta CRL (RFC 5280 section 5.2.4): it has only changes.
    pub delta: bool,
    /// What it confines itself to, in words; empty: nothing.
    pub scope: Vec<&'static str>,
    /// Critical extensions that kpki does not know.
    #[serde(rename = "unknownCriticalExtensions")]
    pub unknown_critical: Vec<String>,
    pub entries: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrlEntry {
    /// Hexadecimal.
    #[serde(serialize_with = "lower_case")]
    pub serial: String,
    #[serde(rename = "revocationDate", serialize_with = "instant")]
    pub since: OffsetDateTime,
    pub reason: &'static str,
    #[serde(rename = "invalidityDate", serialize_with = "instant_if_any")]
    pub invalid_since: Option<OffsetDateTime>,
    /// It has extensions beside these.
    #[serde(rename = "furtherExtensions")]
    pub more: bool,
}

impl CrlHead {
    /// Everything before the entries.
    pub fn open(&self, form: Form, now: OffsetDateTime, out: &mut dyn Write) -> io::Result<()> {
        let mut text = Vec::new();
        form::write(self, form, now, None, &mut text)?;
        match form {
            Form::Table | Form::Wide => out.write_all(&text),
            // The entries go where the document would have ended.
            Form::Json => {
                out.write_all(text.strip_suffix(b"\n}\n").unwrap_or(&text))?;
                write!(out, ",\n  \"revoked\": [")
            }
            Form::Yaml => {
                out.write_all(&text)?;
                writeln!(out, "revoked:{}", if self.entries == 0 { " []" } else { "" })
            }
        }
    }

    /// Everything behind them.
    pub fn close(&self, form: Form) -> &'static str {
        match form {
            Form::Json if self.entries == 0 => "]\n}\n",
            Form::Json => "\n  ]\n}\n",
            _ => "",
        }
    }
}

impl Report for CrlHead {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let noun = if self.entries == 1 { "entry" } else { "entries" };
        let next = self.next_update.map(|at| end(at, screen.now));
        line(out, format_args!("{}: {} {noun}", self.path, self.entries))?;
        for (label, value) in [
            ("issuer", Some(self.issuer.clone())),
            ("number", Some(self.number.clone().unwrap_or_else(|| "none".to_owned()))),
            ("this update", Some(rfc3339(self.this_update))),
            ("next update", Some(next.unwrap_or_else(|| "none: it is never stale".to_owned()))),
            ("signature", Some(format!("{} (not verified here; kpki crl check does)", self.signature))),
            ("key id", self.authority_key_id.clone()),
            ("delta", self.delta.then(|| "it has only changes".to_owned())),
            ("scope", Some(self.scope.join(", ")).filter(|scope| !scope.is_empty())),
            (
                "critical",
                (!self.unknown_critical.is_empty())
                    .then(|| format!("{}, unknown to kpki", self.unknown_critical.join(", "))),
            ),
        ] {
            value.map_or(Ok(()), |value| line(out, format_args!("{:<14}{value}", format!("{label}:"))))?;
        }
        if self.entries > 0 {
            writeln!(out, "\n{:<40}  {:<20}  REASON", "SERIAL", "SINCE")?;
        }
        Ok(())
    }
}

impl CrlEntry {
    /// One entry; `first`: no other stands before it.
    pub fn write(&self, form: Form, first: bool, out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Table | Form::Wide => {
                let invalid =
                    self.invalid_since.map(|at| format!(", invalid since {}", rfc3339(at))).unwrap_or_default();
                let more = if self.more { ", with further extensions" } else { "" };
                writeln!(out, "{:<40}  {:<20}  {}{invalid}{more}", self.serial, rfc3339(self.since), self.reason)
            }
            Form::Json => {
                write!(out, "{}\n    ", if first { "" } else { "," })?;
                Ok(serde_json::to_writer(out, self)?)
            }
            Form::Yaml => yaml::write(&[self], out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

    fn head(entries: u64) -> CrlHead {
        CrlHead {
            path: "ca.crl".to_owned(),
            issuer: "CN=kubernetes".to_owned(),
            version: 2,
            signature: "ecdsa-with-SHA256".to_owned(),
            number: Some("7".to_owned()),
            this_update: NOW,
            next_update: None,
            authority_key_id: None,
            delta: false,
            scope: Vec::new(),
            unknown_critical: Vec::new(),
            entries,
        }
    }

    #[test]
    fn what_is_written_piece_by_piece_is_one_document() {
        let entry =
            CrlEntry { serial: "0A".to_owned(), since: NOW, reason: "superseded", invalid_since: None, more: false };
        for count in [0u64, 1, 3] {
            let head = head(count);
            let written = |form| {
                let mut out = Vec::new();
                head.open(form, NOW, &mut out).unwrap();
                (0..count).for_each(|i| entry.write(form, i == 0, &mut out).unwrap());
                String::from_utf8(out).unwrap() + head.close(form)
            };
            let text = written(Form::Json);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
            assert_eq!(value["revoked"].as_array().unwrap().len() as u64, count);
            assert_eq!(value["kind"], "RevocationList");
            let yaml = written(Form::Yaml);
            assert_eq!(yaml.matches("- serial: \"0a\"").count() as u64, count, "{yaml}");
        }
    }
}
