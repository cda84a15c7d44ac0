//! `kpki crl show`: a list's head, then its entries one by one, so that a list of any size is told in constant memory.
//! `kpki crl check`: what the lists say of certificates.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::table::{finish, plain, sanitised};
use super::{Form, Width, json, yaml};
use crate::clock::{distance, rfc3339};

/// What a list says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub path: String,
    pub issuer: String,
    pub version: u32,
    pub signature: String,
    /// Decimal.
    pub number: Option<String>,
    pub this_update: OffsetDateTime,
    pub next_update: Option<OffsetDateTime>,
    /// Hexadecimal.
    pub authority_key_id: Option<String>,
    /// It says only what changed.
    pub delta: bool,
    /// What it confines itself to, in words; empty: nothing.
    pub scope: Vec<&'static str>,
    /// Critical extensions nobody here understands.
    pub unknown_critical: Vec<String>,
    pub entries: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Hexadecimal.
    pub serial: String,
    pub since: OffsetDateTime,
    pub reason: &'static str,
    pub invalid_since: Option<OffsetDateTime>,
    /// It has extensions beside these.
    pub more: bool,
}

impl Head {
    /// Everything before the entries.
    pub fn open(&self, form: Form, now: OffsetDateTime) -> String {
        match form {
            Form::Table | Form::Wide => self.text(now),
            // The list of entries goes where the document would have ended.
            Form::Json => {
                let text = json::text(&self.value());
                let open = text.trim_end().trim_end_matches('}').trim_end().to_owned();
                open + ",\n  \"revoked\": ["
            }
            Form::Yaml => yaml::render(&self.value()) + if self.entries == 0 { "revoked: []\n" } else { "revoked:\n" },
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

    fn value(&self) -> Value {
        json!({
            "apiVersion": "kpki/v1",
            "kind": "RevocationList",
            "path": self.path,
            "issuer": self.issuer,
            "version": self.version,
            "signatureAlgorithm": self.signature,
            "crlNumber": self.number,
            "thisUpdate": rfc3339(self.this_update),
            "nextUpdate": self.next_update.map(rfc3339),
            "authorityKeyId": self.authority_key_id,
            "delta": self.delta,
            "scope": self.scope,
            "unknownCriticalExtensions": self.unknown_critical,
            "entries": self.entries,
        })
    }

    fn text(&self, now: OffsetDateTime) -> String {
        let next = match self.next_update {
            Some(at) => format!("{} ({})", rfc3339(at), distance(now, at)),
            None => "none: it never goes stale".to_owned(),
        };
        let noun = if self.entries == 1 { "entry" } else { "entries" };
        let mut rows = vec![
            format!("{}: {} {noun}", self.path, self.entries),
            format!("issuer:       {}", self.issuer),
            format!("number:       {}", self.number.as_deref().unwrap_or("none")),
            format!("this update:  {}", rfc3339(self.this_update)),
            format!("next update:  {next}"),
            format!("signature:    {} (not verified here: kpki crl check)", self.signature),
        ];
        rows.extend(self.authority_key_id.as_ref().map(|id| format!("key id:       {id}")));
        rows.extend(self.delta.then(|| "delta:        it says only what changed".to_owned()));
        rows.extend((!self.scope.is_empty()).then(|| format!("scope:        {}", self.scope.join(", "))));
        rows.extend(
            (!self.unknown_critical.is_empty())
                .then(|| format!("critical:     {}, which nobody here understands", self.unknown_critical.join(", "))),
        );
        let mut text: String = rows.iter().map(|row| sanitised(row) + "\n").collect();
        if self.entries > 0 {
            text.push_str(&format!("\n{:<40}  {:<20}  REASON\n", "SERIAL", "SINCE"));
        }
        text
    }
}

impl Entry {
    /// One entry; `first`: no other stands before it.
    pub fn render(&self, form: Form, first: bool) -> String {
        match form {
            Form::Table | Form::Wide => {
                let invalid =
                    self.invalid_since.map(|at| format!(", invalid since {}", rfc3339(at))).unwrap_or_default();
                let more = if self.more { ", with further extensions" } else { "" };
                format!("{:<40}  {:<20}  {}{invalid}{more}\n", self.serial, rfc3339(self.since), self.reason)
            }
            Form::Json => {
                let comma = if first { "" } else { "," };
                format!("{comma}\n    {}", self.value())
            }
            Form::Yaml => yaml::render(&Value::Array(vec![self.value()])),
        }
    }

    fn value(&self) -> Value {
        json!({
            "serial": self.serial.to_lowercase(),
            "revocationDate": rfc3339(self.since),
            "reason": self.reason,
            "invalidityDate": self.invalid_since.map(rfc3339),
            "furtherExtensions": self.more,
        })
    }
}

/// What the lists say of some certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub at: OffsetDateTime,
    pub certificates: Vec<Certificate>,
    pub lists: Vec<List>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub name: String,
    pub issuer: String,
    /// Hexadecimal.
    pub serial: String,
    pub answer: Answer,
    pub reason: Option<&'static str>,
    pub since: Option<OffsetDateTime>,
    pub invalid_since: Option<OffsetDateTime>,
    /// Which list decided.
    pub list: Option<String>,
    /// Why there is no answer.
    pub why: Vec<String>,
}

/// Ordered: a later one decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    Good,
    /// A list was good for an answer once.
    Stale,
    /// Unknown is not good.
    Unknown,
    Held,
    Revoked,
}

impl Answer {
    pub const ALL: [Self; 5] = [Self::Good, Self::Stale, Self::Unknown, Self::Held, Self::Revoked];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Revoked => "revoked",
        }
    }
}

/// One list that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub path: String,
    pub issuer: String,
    pub number: Option<String>,
    pub this_update: OffsetDateTime,
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
    pub state: ListState,
    pub problems: Vec<String>,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListState {
    Fresh,
    /// It decides, and goes stale soon.
    Ending,
    Stale,
    /// Nothing it says is believed.
    Unusable,
}

impl ListState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Ending => "ending",
            Self::Stale => "stale",
            Self::Unusable => "unusable",
        }
    }
}

impl Checked {
    /// The worst of all certificates.
    pub fn answer(&self) -> Answer {
        self.certificates.iter().map(|one| one.answer).max().unwrap_or(Answer::Unknown)
    }

    /// A list that decided something goes stale soon.
    pub fn is_ending(&self) -> bool {
        let decided = |list: &List| self.certificates.iter().any(|one| one.list.as_ref() == Some(&list.path));
        self.lists.iter().any(|list| list.state == ListState::Ending && decided(list))
    }

    pub fn render(&self, form: Form, width: Width) -> String {
        match form {
            Form::Table => self.text(width, false),
            Form::Wide => self.text(None, true),
            Form::Json => json::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        }
    }

    fn value(&self) -> Value {
        json!({
            "apiVersion": "kpki/v1",
            "kind": "RevocationCheck",
            "at": rfc3339(self.at),
            "answer": self.answer().name(),
            "certificates": self.certificates.iter().map(certificate).collect::<Vec<_>>(),
            "lists": self.lists.iter().map(list).collect::<Vec<_>>(),
        })
    }

    fn text(&self, width: Width, wide: bool) -> String {
        /// From this many on, what is good is not listed.
        const MANY: usize = 25;
        let total = self.certificates.len();
        let parts: Vec<String> = Answer::ALL
            .into_iter()
            .rev()
            .map(|answer| (answer, self.certificates.iter().filter(|one| one.answer == answer).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(answer, count)| format!("{count} {}", answer.name()))
            .collect();
        let noun = if total == 1 { "certificate" } else { "certificates" };
        let mut text = format!("{}: {} of {total} {noun}\n", self.answer().name(), parts.join(", "));
        let shown = |one: &&Certificate| wide || total < MANY || one.answer != Answer::Good;
        let rows: Vec<&Certificate> = self.certificates.iter().filter(shown).collect();
        if !rows.is_empty() {
            let mut table = plain(width, &["CERTIFICATE", "ANSWER", "SERIAL", "SINCE", "REASON"]);
            for one in rows {
                let since = one.since.map(rfc3339).unwrap_or_default();
                let invalid =
                    one.invalid_since.map(|at| format!(" (invalid since {})", rfc3339(at))).unwrap_or_default();
                let reason = one.reason.map_or_else(|| one.why.join("; "), str::to_owned);
                let row =
                    [one.name.clone(), one.answer.name().to_owned(), one.serial.clone(), since + &invalid, reason];
                table.add_row(row.map(|cell| sanitised(&cell)));
            }
            text.push('\n');
            text.push_str(&finish(&table));
        }
        if !self.lists.is_empty() {
            let mut table = plain(width, &["REVOCATION LIST", "STATE", "NUMBER", "ENTRIES", "NEXT UPDATE", "REMARKS"]);
            for one in &self.lists {
                let next = one.next_update.map(|at| format!("{} ({})", rfc3339(at), distance(self.at, at)));
                let row = [
                    one.path.clone(),
                    one.state.name().to_owned(),
                    one.number.clone().unwrap_or_default(),
                    one.entries.to_string(),
                    next.unwrap_or_default(),
                    one.problems.join("; "),
                ];
                table.add_row(row.map(|cell| sanitised(&cell)));
            }
            text.push('\n');
            text.push_str(&finish(&table));
        }
        text
    }
}

fn certificate(one: &Certificate) -> Value {
    json!({
        "name": one.name,
        "issuer": one.issuer,
        "serial": one.serial.to_lowercase(),
        "answer": one.answer.name(),
        "reason": one.reason,
        "revocationDate": one.since.map(rfc3339),
        "invalidityDate": one.invalid_since.map(rfc3339),
        "list": one.list,
        "why": one.why,
    })
}

fn list(one: &List) -> Value {
    json!({
        "path": one.path,
        "issuer": one.issuer,
        "state": one.state.name(),
        "crlNumber": one.number,
        "thisUpdate": rfc3339(one.this_update),
        "nextUpdate": one.next_update.map(rfc3339),
        "entries": one.entries,
        "problems": one.problems,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

    fn head(entries: u64) -> Head {
        Head {
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
            Entry { serial: "0A".to_owned(), since: NOW, reason: "superseded", invalid_since: None, more: false };
        for count in [0u64, 1, 3] {
            let head = head(count);
            let body: String = (0..count).map(|i| entry.render(Form::Json, i == 0)).collect();
            let text = head.open(Form::Json, NOW) + &body + head.close(Form::Json);
            let value: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
            assert_eq!(value["revoked"].as_array().unwrap().len() as u64, count);
            assert_eq!(value["kind"], "RevocationList");
            let body: String = (0..count).map(|i| entry.render(Form::Yaml, i == 0)).collect();
            let yaml = head.open(Form::Yaml, NOW) + &body;
            assert_eq!(yaml.matches("- serial: \"0a\"").count() as u64, count, "{yaml}");
        }
    }
}
