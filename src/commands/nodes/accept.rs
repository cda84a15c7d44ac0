//! Whether a receipt may be accepted: it is of this cluster, of one of its nodes, and not older than what is known. Everything
//! that speaks against any of them is said at once.

use time::{Duration, OffsetDateTime};

use super::receipts::Given;
use super::theirs::{self, Brought};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::profile::Profile;
use crate::workspace::Snapshot;
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::receipt::{Receipt, instant};

/// By how much two clocks may differ.
const CLOCKS: Duration = Duration::minutes(5);

/// Each with what was accepted last.
pub fn check(
    all: &[(&Given, Option<Receipt>)],
    profile: &Profile,
    snapshot: &Snapshot,
    brought: &Brought,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let mut whys = Vec::new();
    for (given, last) in all {
        let said = against(&given.receipt, last.as_ref(), profile, snapshot, brought, now);
        whys.extend(said.into_iter().map(|why| format!("{}: {why}", given.name)));
    }
    if whys.is_empty() {
        return Ok(());
    }
    let error = Error::new("cannot accept these receipts: nothing was written");
    Err(whys
        .into_iter()
        .fold(error, Error::because)
        .hint("make a node's receipt on that node: kpki export --verify --receipt -o json"))
}

fn against(
    receipt: &Receipt,
    last: Option<&Receipt>,
    profile: &Profile,
    snapshot: &Snapshot,
    brought: &Brought,
    now: OffsetDateTime,
) -> Vec<String> {
    let node = &receipt.node;
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
    whys.extend(theirs::refusals(receipt, brought, snapshot));
    let made = instant(&receipt.time);
    if made.is_some_and(|made| made > now.saturating_add(CLOCKS)) {
        let now = rfc3339(now);
        whys.push(format!(
            "it was made at {}, and now it is {now}: the clock there is wrong, or this one is",
            receipt.time
        ));
    }
    if let Some(last) = last {
        if made < instant(&last.time) {
            whys.push(format!("it is of {}, older than the last one of {node}, of {}", receipt.time, last.time));
        }
        let revision = |receipt: &Receipt| receipt.issue.as_ref().map_or(0, |issue| issue.revision);
        if revision(receipt) < revision(last) {
            whys.push(format!(
                "{node} has an older archive than before, of {} lines of the journal after {}: export it again and unpack it there",
                revision(receipt),
                revision(last)
            ));
        }
    }
    whys
}
