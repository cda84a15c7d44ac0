use serde::Serialize;
use time::OffsetDateTime;

use crate::report::json::{instant_if_any, lower_case};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RevocationReport", rename_all = "camelCase")]
pub struct Revocation {
    /// `revoke`, `hold`, `release`, `crl update`.
    pub verb: &'static str,
    pub dry_run: bool,
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    /// The generation that keeps the CRLs before.
    pub generation: Option<String>,
    pub entries: Vec<RevocationEntry>,
    pub lists: Vec<CrlRow>,
    /// What of a node was left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// `NODE/all`, as it was asked for.
    #[serde(skip)]
    pub whole_nodes: Vec<String>,
    /// The nodes of a cluster directory that are to have the new lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ship: Vec<String>,
    /// Entries of the tree whose certificate was just revoked or held.
    pub in_use: Vec<String>,
    pub warnings: Vec<String>,
    /// Who reads the CRLs, and who does not.
    pub notes: Vec<String>,
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevocationEntry {
    /// As in other reports; `None`: it is known by its number only.
    pub name: Option<String>,
    #[serde(rename = "caName")]
    pub authority: &'static str,
    /// Hexadecimal.
    #[serde(serialize_with = "lower_case")]
    pub serial: String,
    pub action: Action,
    /// What the CRL says afterwards, or said until a release.
    pub reason: Option<String>,
    #[serde(rename = "revocationDate", serialize_with = "instant_if_any")]
    pub since: Option<OffsetDateTime>,
    #[serde(rename = "invalidityDate", serialize_with = "instant_if_any")]
    pub invalid_since: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Revoke,
    Hold,
    Release,
    /// The CRL said it already.
    Unchanged,
}

/// One authority's CRL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CrlRow {
    pub name: String,
    /// Whose it is, where one file has the lists of several authorities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    pub action: Signing,
    /// Why it was left as it is.
    pub why: Option<String>,
    /// Decimal; of the CRL that was signed, or of the one in place.
    #[serde(rename = "crlNumber")]
    pub number: Option<String>,
    #[serde(serialize_with = "instant_if_any")]
    pub this_update: Option<OffsetDateTime>,
    #[serde(serialize_with = "instant_if_any")]
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
    pub paths: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signing {
    Sign,
    Keep,
    /// It is due, and its authority's key is not here.
    #[serde(rename = "left")]
    Skipped,
}

impl Revocation {
    /// Something could not be done.
    pub fn has_gap(&self) -> bool {
        !self.left.is_empty() || self.lists.iter().any(|list| list.action == Signing::Skipped)
    }

    /// Why CRLs were not signed, a line each.
    pub fn failures(&self) -> Vec<String> {
        let skipped = self.lists.iter().filter(|list| list.action == Signing::Skipped);
        skipped
            .map(|list| format!("{} was not signed: {}", list.name, list.why.as_deref().unwrap_or_default()))
            .collect()
    }

    /// The entries in use, as a command names them: all of a node by one word.
    pub(super) fn in_use_as_named(&self) -> Vec<String> {
        let is_of = |id: &str, all: &str| all.strip_suffix("all").is_some_and(|node| id.starts_with(node));
        let mut names: Vec<String> = Vec::new();
        for id in &self.in_use {
            let name = self.whole_nodes.iter().find(|all| is_of(id, all)).unwrap_or(id);
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    pub fn signed(&self) -> usize {
        self.lists.iter().filter(|list| list.action == Signing::Sign).count()
    }
}
