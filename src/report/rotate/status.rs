//! `kpki rotate status` as data.

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use crate::report::json::instant_if_any;
use crate::tree::rotation::{Described, Identity, Phase, Rotating};

/// How far the rotations of a tree are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RotationStatus", rename_all = "camelCase")]
pub struct Status {
    pub outcome: Outcome,
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    pub authorities: Vec<AuthorityRow>,
    /// Those that hold something that is being rotated.
    pub nodes: Vec<NodeRow>,
    /// The files with what is to be done in the cluster.
    pub instructions: Vec<String>,
    /// Old keys that are kept, until `kpki rotate forget`.
    pub kept: Vec<Kept>,
    /// What contradicts the record, or the clock.
    pub findings: Vec<String>,
    pub warnings: Vec<String>,
    /// What to do next; a command stands last.
    pub next: Vec<String>,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing is being rotated.
    None,
    /// A rotation is in progress.
    Waits,
    /// There is a finding.
    Blocked,
}

/// One authority, or the service account key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorityRow {
    pub authority: Rotating,
    #[serde(serialize_with = "phase")]
    pub phase: Option<Phase>,
    #[serde(serialize_with = "instant_if_any")]
    pub since: Option<OffsetDateTime>,
    /// Of the new one, as in `kubernetes@2`.
    pub number: Option<u32>,
    #[serde(serialize_with = "identity")]
    pub old: Option<Identity>,
    #[serde(serialize_with = "identity")]
    pub new: Option<Identity>,
    /// `switch`, `retire`.
    pub next_step: Option<&'static str>,
    /// When time alone does not stand in its way any more.
    #[serde(serialize_with = "instant_if_any")]
    pub not_before: Option<OffsetDateTime>,
    /// Empty: the next step may be done.
    pub waits_for: Vec<Waits>,
    /// How many nodes have not confirmed, of how many.
    pub unconfirmed: usize,
    pub nodes: usize,
    /// What was passed over in this rotation.
    pub overridden: Vec<String>,
}

/// One reason why the next step may not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waits {
    pub why: String,
    #[serde(serialize_with = "instant_if_any")]
    pub until: Option<OffsetDateTime>,
    /// The option that goes past it.
    pub option: Option<&'static str>,
}

/// A node and what is in force there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    pub node: String,
    /// Of everything that is being rotated.
    pub in_force: bool,
    pub authorities: Vec<InForce>,
    /// What is still to be done there, as its last receipt shows.
    pub owed: Vec<String>,
    /// The same without commands, for a table.
    #[serde(skip)]
    pub owed_short: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InForce {
    pub authority: Rotating,
    pub phase: Phase,
    /// `receipt`, `confirmed`; `None`: it is not known to be in force.
    pub seen_by: Option<&'static str>,
}

/// A retired authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub authority: Rotating,
    pub number: u32,
    /// When it was retired.
    pub since: String,
    /// Its key is in `.kpki/rotation/`.
    pub key: bool,
    /// It has been for long.
    #[serde(skip)]
    pub remind: bool,
}

impl AuthorityRow {
    /// It is not being rotated.
    pub const fn none(authority: Rotating) -> Self {
        Self {
            authority,
            phase: None,
            since: None,
            number: None,
            old: None,
            new: None,
            next_step: None,
            not_before: None,
            waits_for: Vec::new(),
            unconfirmed: 0,
            nodes: 0,
            overridden: Vec::new(),
        }
    }
}

impl NodeRow {
    pub fn of(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            in_force: true,
            authorities: Vec::new(),
            owed: Vec::new(),
            owed_short: Vec::new(),
        }
    }
}

#[allow(clippy::ref_option)] // serde passes it so
fn phase<S: Serializer>(phase: &Option<Phase>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(phase.map_or("none", Phase::name))
}

/// Without the certificate itself. Digests are SHA-256 in lower-case hexadecimal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    subject: Option<&'a str>,
    serial: Option<&'a str>,
    sha256: Option<&'a str>,
    public_key_sha256: &'a str,
    not_before: Option<&'a str>,
    not_after: Option<&'a str>,
    kid: Option<&'a str>,
}

#[allow(clippy::ref_option)] // serde passes it so
fn identity<S: Serializer>(identity: &Option<Identity>, to: S) -> Result<S::Ok, S::Error> {
    let shown = identity.as_ref().map(|one| {
        let of = |field: fn(&Described) -> &String| one.certificate.as_ref().map(|all| field(all).as_str());
        Shown {
            subject: of(|all| &all.subject),
            serial: of(|all| &all.serial),
            sha256: of(|all| &all.fingerprint),
            public_key_sha256: &one.public_key,
            not_before: of(|all| &all.not_before),
            not_after: of(|all| &all.not_after),
            kid: one.kid.as_deref(),
        }
    });
    shown.serialize(to)
}
