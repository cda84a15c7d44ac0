//! What `kpki revoke`, `hold`, `release` and `crl update` did, or would do.

mod table;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Form, Width, json, yaml};
use crate::clock::rfc3339;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocation {
    /// `revoke`, `hold`, `release`, `crl update`.
    pub verb: &'static str,
    pub dry_run: bool,
    pub directory: String,
    pub cluster: Option<String>,
    /// The generation that keeps the lists before.
    pub generation: Option<String>,
    pub entries: Vec<Entry>,
    pub lists: Vec<List>,
    /// Entries of the tree that lie there with a certificate that was just revoked or held.
    pub in_use: Vec<String>,
    pub warnings: Vec<String>,
    /// Who reads the lists, and who does not.
    pub notes: Vec<String>,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As in other reports; `None`: it is known by its number only.
    pub name: Option<String>,
    pub authority: &'static str,
    /// Hexadecimal.
    pub serial: String,
    pub action: Action,
    /// What the list says afterwards, or said until a release.
    pub reason: Option<String>,
    pub since: Option<OffsetDateTime>,
    pub invalid_since: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Revoke,
    Hold,
    Release,
    /// The list said it already.
    Unchanged,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Unchanged => "unchanged",
        }
    }
}

/// One authority's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub name: String,
    pub action: Signing,
    /// Why it was left as it is.
    pub why: Option<String>,
    /// Decimal; of the new edition, or of the one that lies there.
    pub number: Option<String>,
    pub this_update: Option<OffsetDateTime>,
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
    pub paths: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    Sign,
    Keep,
    /// It is due, and its authority's key is not here.
    Left,
}

impl Signing {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Keep => "keep",
            Self::Left => "left",
        }
    }
}

impl Revocation {
    /// Something could not be done.
    pub fn has_gap(&self) -> bool {
        self.lists.iter().any(|list| list.action == Signing::Left)
    }

    pub fn signed(&self) -> usize {
        self.lists.iter().filter(|list| list.action == Signing::Sign).count()
    }

    pub fn render(&self, form: Form, now: OffsetDateTime, width: Width) -> String {
        match form {
            Form::Table => table::render(self, now, width, false),
            Form::Wide => table::render(self, now, width, true),
            Form::Json => json::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        }
    }

    fn value(&self) -> Value {
        json!({
            "apiVersion": "kpki/v1",
            "kind": "RevocationReport",
            "verb": self.verb,
            "dryRun": self.dry_run,
            "directory": self.directory,
            "clusterName": self.cluster,
            "generation": self.generation,
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "lists": self.lists.iter().map(list).collect::<Vec<_>>(),
            "inUse": self.in_use,
            "warnings": self.warnings,
            "notes": self.notes,
        })
    }
}

fn entry(entry: &Entry) -> Value {
    json!({
        "name": entry.name,
        "caName": entry.authority,
        "serial": entry.serial.to_lowercase(),
        "action": entry.action.name(),
        "reason": entry.reason,
        "revocationDate": entry.since.map(rfc3339),
        "invalidityDate": entry.invalid_since.map(rfc3339),
    })
}

pub fn list(list: &List) -> Value {
    json!({
        "name": list.name,
        "action": list.action.name(),
        "why": list.why,
        "crlNumber": list.number,
        "thisUpdate": list.this_update.map(rfc3339),
        "nextUpdate": list.next_update.map(rfc3339),
        "entries": list.entries,
        "paths": list.paths,
    })
}
