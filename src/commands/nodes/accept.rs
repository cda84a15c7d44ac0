//! Whether a receipt may be accepted: it is of this cluster, of one of its nodes, and not older than the last one. Everything
//! that speaks against any of them is said at once, and what it means that a node or this directory went back.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::theirs::{self, Brought};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::profile::Profile;
use crate::workspace::Snapshot;
use crate::workspace::journal::Line;
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::given::Given;
use crate::workspace::shipping::receipt::{Held, Receipt, instant};

/// By how much two clocks may differ.
const CLOCKS: Duration = Duration::minutes(5);

/// No directory has so many states more than its copy: a number above that is no node's.
const MOST_AHEAD: u64 = 1_000_000;

/// Whether a node can have this state, where the directory has `ours`.
pub const fn is_believed(state: u64, ours: u64) -> bool {
    state <= ours.saturating_add(MOST_AHEAD)
}

/// What receipts are compared with.
pub struct Here<'a> {
    pub profile: &'a Profile,
    pub snapshot: &'a Snapshot,
    /// The directory's own journal and its state.
    pub lines: &'a [Line],
    pub revision: u64,
    /// Lists that came beside the receipts.
    pub brought: &'a Brought,
    pub now: OffsetDateTime,
}

/// Each with what was accepted last. Returns what is to be said of those that are accepted.
pub fn check(all: &[(&Given, Option<Receipt>)], here: &Here<'_>) -> Result<Vec<String>, Error> {
    let (mut whys, mut warnings) = (Vec::new(), Vec::new());
    for (given, last) in all {
        let said = against(&given.receipt, last.as_ref(), here);
        whys.extend(said.into_iter().map(|why| format!("{}: {why}", given.name)));
        warnings.extend(went_back(&given.receipt, last.as_ref(), here));
    }
    if whys.is_empty() {
        return Ok(warnings);
    }
    let error = Error::new("cannot accept these receipts: nothing was written");
    Err(whys
        .into_iter()
        .fold(error, Error::because)
        .hint("make a node's receipt on that node: kpki export --verify --receipt -o json"))
}

fn revision(receipt: &Receipt) -> u64 {
    receipt.issue.as_ref().map_or(0, |issue| issue.revision)
}

/// What it means that the node has another state than it had, or one that this directory never had.
fn went_back(receipt: &Receipt, last: Option<&Receipt>, here: &Here<'_>) -> Vec<String> {
    let (node, state, ours) = (&receipt.node, revision(receipt), here.revision);
    let mut said = Vec::new();
    if let Some(before) = last.map(revision).filter(|before| state < *before) {
        said.push(format!(
            "{node} has an older archive than before, of state {state} after {before}: it went back, by kpki restore or kpki unpack \
             --force, or this directory was brought back from a backup; pack it anew and unpack it there"
        ));
    }
    if state > ours {
        said.push(format!(
            "this directory is an older copy than what {node} was given: that was state {state}, and this is {ours}; what was issued \
             and revoked between them is not known here. From now on its states count from {}",
            state.saturating_add(1)
        ));
    }
    said
}

/// Certificates that were made here for another node.
fn strangers(receipt: &Receipt, here: &Here<'_>) -> Vec<String> {
    let made = here.lines.iter().filter_map(|line| match line {
        Line::Certificate(line) if line.from.is_none() => {
            Some((line.fingerprint.as_str(), line.entry.split_once('/')?.0))
        }
        _ => None,
    });
    let owners: BTreeMap<&str, &str> = made.filter(|(_, node)| here.profile.node(node).is_some()).collect();
    let leaf = |one: &Held| one.certificates.first().map(ToString::to_string).unwrap_or_default();
    let other = |one: &Held| Some((one.entry.clone(), *owners.get(leaf(one).as_str())?));
    let others = receipt.entries.iter().filter_map(other).filter(|(_, owner)| *owner != receipt.node);
    others.map(|(entry, owner)| format!("its {entry} was made for {owner}, not for {}", receipt.node)).collect()
}

fn against(receipt: &Receipt, last: Option<&Receipt>, here: &Here<'_>) -> Vec<String> {
    let (node, Here { profile, snapshot, now, .. }) = (&receipt.node, here);
    let now = *now;
    let mut whys = Vec::new();
    if let Some(cluster) = receipt.cluster.as_ref().filter(|cluster| **cluster != profile.cluster_name) {
        whys.push(format!("it is of the cluster {cluster}, not of {}", profile.cluster_name));
    }
    if profile.node(node).is_none() {
        whys.push(format!("the profile has no node {node}"));
    }
    let mut shown = 0;
    for one in &receipt.entries {
        let Some(authority) = CaId::parse(&one.entry) else { continue };
        shown += 1;
        let ours = snapshot.bundle(authority);
        if !ours.iter().any(|certificate| one.certificates.contains(&Sha256(certificate.fingerprint))) {
            whys.push(format!("its {} is not this cluster's", authority.name()));
        }
    }
    if shown == 0 {
        whys.push("it shows no authority, so that it cannot be told whose it is".to_owned());
    }
    whys.extend(theirs::refusals(receipt, here.brought, snapshot));
    let made = instant(&receipt.time);
    if made.is_some_and(|made| made > now.saturating_add(CLOCKS)) {
        let now = rfc3339(now);
        whys.push(format!(
            "it was made at {}, and now it is {now}: the clock there is wrong, or this one is",
            receipt.time
        ));
    }
    if let Some(last) = last.filter(|last| made < instant(&last.time)) {
        whys.push(format!("it is of {}, older than the last one of {node}, of {}", receipt.time, last.time));
    }
    let state = revision(receipt);
    if !is_believed(state, here.revision) {
        whys.push(format!(
            "it says it has state {state} of this directory, which has {}: no older copy lacks so many",
            here.revision
        ));
    }
    whys.extend(strangers(receipt, here));
    whys
}
