//! One answer against the disk.

use std::collections::BTreeSet;

use super::endpoint::{Endpoint, Source};
use super::on_disk::{self, OnDisk, Signer};
use super::row::{Ends, Facts, Row, State};
use super::words;
use crate::blueprint::San;
use crate::live::{Failure, Served};
use crate::profile::{EXPIRATION, Node, NodeRole};
use crate::verify::Cluster;
use crate::x509::Certificate;

/// What an answer means.
pub fn compare(endpoint: &Endpoint, answer: Result<&Served, &Failure>, cluster: &Cluster<'_>) -> Row {
    let mut row = Row {
        endpoint: endpoint.clone(),
        state: State::Unreachable,
        served: None,
        ends: Ends::Later,
        on_disk: None,
        version: None,
        client_authorities: None,
        why: String::new(),
        repair: Vec::new(),
    };
    let served = match answer {
        Ok(served) => served,
        Err(why) => return Row { why: why.to_string(), ..row },
    };
    row.version = served.version;
    row.client_authorities =
        served.client_authorities.as_ref().map(|names| names.iter().map(|der| words::called_in(der)).collect());
    let leaf = match served.chain.first().map(|der| Certificate::parse(der)) {
        Some(Ok(leaf)) => leaf,
        Some(Err(why)) => return Row { state: State::NotCompared, why: format!("what is served: {why}"), ..row },
        None => return Row { state: State::NotCompared, why: "what is served is no certificate".to_owned(), ..row },
    };
    row.served = Some(facts(&leaf));
    row.ends = ends(&leaf, cluster);
    let judged = judge(&leaf, served.chain.len(), endpoint, cluster);
    let on_disk = judged.on_disk.map(|found| (found.file.path.clone(), facts(found.leaf)));
    let repair = match judged.state {
        State::Older => words::restart(endpoint),
        _ => Vec::new(),
    };
    Row { state: judged.state, why: judged.why, on_disk, repair, ..row }
}

fn facts(certificate: &Certificate) -> Facts {
    Facts {
        subject: words::called(&certificate.subject),
        issuer: words::called(&certificate.issuer),
        serial: certificate.serial_hex(),
        not_after: certificate.not_after,
    }
}

struct Judged<'a> {
    state: State,
    why: String,
    on_disk: Option<OnDisk<'a>>,
}

fn judge<'a>(leaf: &Certificate, chain: usize, endpoint: &Endpoint, cluster: &'a Cluster<'_>) -> Judged<'a> {
    let all = on_disk::of(cluster, &endpoint.id);
    let by = |state, why, on_disk| Judged { state, why, on_disk };
    if let Some(same) = all.iter().find(|found| found.leaf.der == leaf.der) {
        return by(State::Same, words::chains(chain, same.chain), Some(*same));
    }
    if let Some((file, why)) = on_disk::unreadable(cluster, &endpoint.id) {
        return by(State::NotCompared, format!("{}: {why}", file.path), None);
    }
    let signer = on_disk::signer(cluster, leaf);
    let origin = words::origin(leaf, signer);
    let is_ours = matches!(signer, Signer::Entry(_));
    let first = all.first().copied();
    if let Some(owner) = on_disk::owner(cluster, &leaf.fingerprint) {
        return by(State::Other, format!("it is the certificate of {owner}"), first);
    }
    if all.is_empty() {
        return by(State::NothingOnDisk, origin, None);
    }
    if is_ours && others_answer(endpoint, cluster) {
        return by(State::NothingOnDisk, format!("another node may have answered: {origin}"), None);
    }
    let same_authority = |found: &&OnDisk<'_>| is_ours || same_key(leaf, found.leaf);
    if let Some(newer) = all.iter().filter(same_authority).find(|found| is_successor(leaf, found.leaf)) {
        return by(State::Older, words::older(endpoint, cluster.release), Some(*newer));
    }
    if let Some(older) = all.iter().filter(same_authority).find(|found| is_successor(found.leaf, leaf)) {
        let why = "it is newer than the one on disk: renewed by somebody else, or files were put back since it started";
        return by(State::Other, why.to_owned(), Some(*older));
    }
    let names = first.filter(|found| is_ours && !agree(leaf, found.leaf));
    let why = match names {
        Some(_) => format!("it is for other names ({}), {origin}", words::names(&leaf.sans)),
        None => origin,
    };
    by(State::Other, why, first)
}

/// Whether another control-plane node, whose certificate is not on this disk, answers at the same address.
fn others_answer(endpoint: &Endpoint, cluster: &Cluster<'_>) -> bool {
    let leads_to_all = matches!(endpoint.source, Source::ControlPlaneEndpoint | Source::File(_));
    let is_control_plane = |node: &&Node| node.is(NodeRole::ControlPlane);
    let one = cluster.profile.is_some_and(|profile| profile.nodes.iter().filter(is_control_plane).count() == 1);
    leads_to_all && !one && cluster.trees.iter().all(|tree| !tree.is_shared)
}

/// The one on disk is for the same, by the same issuer, and was made later. kubeadm begins certificates when the authority
/// begins, so that only the end tells.
fn is_successor(served: &Certificate, on_disk: &Certificate) -> bool {
    let same = served.subject == on_disk.subject && served.issuer == on_disk.issuer && agree(served, on_disk);
    same && (served.not_before, served.not_after) <= (on_disk.not_before, on_disk.not_after)
}

/// Both say that one key signed them, where the authority is not on disk.
fn same_key(one: &Certificate, other: &Certificate) -> bool {
    one.authority_key_id.is_some() && one.authority_key_id == other.authority_key_id
}

/// For the same names; a renewal may have added or removed some.
fn agree(one: &Certificate, other: &Certificate) -> bool {
    let (one, other): (BTreeSet<&San>, BTreeSet<&San>) = (one.sans.iter().collect(), other.sans.iter().collect());
    one.is_subset(&other) || other.is_subset(&one)
}

fn ends(leaf: &Certificate, cluster: &Cluster<'_>) -> Ends {
    let warning = cluster.profile.map_or(EXPIRATION.warning, |profile| profile.expiration.warning);
    let residual = (leaf.not_after - cluster.at).whole_seconds();
    match residual {
        _ if cluster.at < leaf.not_before => Ends::NotYetValid,
        ..0 => Ends::Expired,
        left if left <= warning.seconds((leaf.not_after - leaf.not_before).whole_seconds()) => Ends::Soon,
        _ => Ends::Later,
    }
}
