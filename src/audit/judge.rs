//! One item, then one tree, at one instant.
//!
//! The boundaries, to the second (RFC 5280 section 4.1.2.5: both ends of a validity belong to it):
//!
//! | at | state |
//! |---|---|
//! | before notBefore | not yet valid |
//! | more left than the warning threshold | ok |
//! | exactly the warning threshold left, or less | warning |
//! | exactly the critical threshold left, or less, up to and with notAfter itself | critical |
//! | one second after notAfter | expired |

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::judged::{Judged, JudgedTree, Note};
use super::policy::Policy;
use super::problem::rotates;
use super::state::State;
use crate::catalog::CaId;
use crate::inventory::{CertificateFacts, Item, Kind, Reading, Tree, Unreadable};
use crate::profile::{MaxAge, Threshold};
use crate::tree::Origin;

/// The state of one item at this instant.
pub fn judge(item: Item, policy: &Policy, at: OffsetDateTime) -> Judged {
    let (state, expires) = match &item.reading {
        // An optional file that is not there is no finding.
        Reading::Missing if item.optional => (State::Absent, None),
        Reading::Missing => (State::Missing, None),
        Reading::Unreadable(Unreadable::OtherHalf | Unreadable::OtherCopy) => (State::KeyMismatch, None),
        Reading::Unreadable(_) => (State::Unreadable, None),
        Reading::Certificate(facts) => {
            let by_dates = between(facts.not_before, facts.not_after, kind(&item), policy, at);
            let listed = on_crl(facts, at).map_or(by_dates, |state| state.max(by_dates));
            let listed = if facts.differs_from_ca { listed.max(State::DiffersFromCa) } else { listed };
            let cannot_work = match (facts.other_key, facts.wrong_issuer) {
                (true, _) => Some(State::KeyMismatch),
                (false, true) => Some(State::WrongIssuer),
                (false, false) => None,
            };
            (cannot_work.unwrap_or(listed), Some(facts.not_after))
        }
        Reading::Crl(facts) => match facts.next_update {
            Some(next) => (between(facts.this_update, next, Kind::Crl, policy, at), Some(next)),
            None if at < facts.this_update => (State::NotYetValid, None),
            None => (State::Ok, None),
        },
    };
    let residual = expires.map(|end| (end - at).whole_seconds());
    let notes = match &item.reading {
        Reading::Certificate(facts) => outlives(facts)
            .into_iter()
            // kubelet.conf should not point to one that cannot be used.
            .chain((facts.kubelet_embeds_another && state <= State::Critical).then_some(Note::KubeletEmbedsAnother))
            .chain((item.authority.is_some() && !is_positive(&facts.serial_decimal)).then_some(Note::Serial))
            .chain(facts.shared_with.map(|with| Note::SharedAuthority { with }))
            .collect(),
        _ => Vec::new(),
    };
    Judged { item, state, residual, expires, notes }
}

/// Of a serial number in decimal (RFC 5280 section 4.1.2.2).
fn is_positive(serial: &str) -> bool {
    serial != "0" && !serial.starts_with('-')
}

/// Its state by its authority's CRL, from the revocationDate on.
fn on_crl(facts: &CertificateFacts, at: OffsetDateTime) -> Option<State> {
    let revoked = facts.revoked.as_ref().filter(|revoked| revoked.at <= at)?;
    Some(if revoked.is_hold() { State::Held } else { State::Revoked })
}

/// How many seconds before its end an item becomes a warning, and critical; `None`: it has no end.
pub fn windows(item: &Item, policy: &Policy) -> Option<(i64, i64)> {
    let lifetime = match &item.reading {
        Reading::Certificate(facts) => facts.not_after - facts.not_before,
        Reading::Crl(facts) => facts.next_update? - facts.this_update,
        Reading::Missing | Reading::Unreadable(_) => return None,
    };
    Some(policy.windows(kind(item), lifetime.whole_seconds()))
}

/// A Secret may hold an authority; everywhere else the kind decides.
fn kind(item: &Item) -> Kind {
    match &item.reading {
        Reading::Certificate(facts) if item.kind == Kind::Secret && facts.is_ca => Kind::Authority,
        _ => item.kind,
    }
}

fn between(start: OffsetDateTime, end: OffsetDateTime, kind: Kind, policy: &Policy, at: OffsetDateTime) -> State {
    let residual = (end - at).whole_seconds();
    let (warning, critical) = policy.windows(kind, (end - start).whole_seconds());
    if residual < 0 {
        State::Expired
    } else if at < start {
        State::NotYetValid
    } else if residual <= critical || residual == 0 {
        State::Critical
    } else if residual <= warning {
        State::Warning
    } else {
        State::Ok
    }
}

fn outlives(facts: &CertificateFacts) -> Option<Note> {
    let until = facts.issuer_not_after.filter(|until| *until < facts.not_after)?;
    Some(Note::OutlivesAuthority { until })
}

/// Every item of a tree, with notes about each other. An optional file that is not there is left out, but for
/// super-admin.conf: kubeadm lists it, and a reader of kubeadm's table looks for it.
pub fn judge_tree(tree: Tree, policy: Policy, origin: Origin, at: OffsetDateTime) -> JudgedTree {
    let shown = |item: &Item| !(item.optional && item.reading == Reading::Missing) || item.name == "super-admin.conf";
    let mut items: Vec<Judged> = tree.items.into_iter().filter(shown).map(|item| judge(item, &policy, at)).collect();
    if let Some(before) = policy.renewal {
        cut_short(&mut items, before, at);
    }
    if let Some(most) = policy.max_age {
        too_old(&mut items, most, at);
    }
    repeated(&mut items);
    JudgedTree { root: tree.root, cluster: tree.cluster, node: tree.node, policy, origin, items }
}

/// Points out what `kpki renew --due` takes because of its age. Only what should have been renewed by then is a warning: of many
/// clusters something is always between due and its next scheduled renewal.
fn too_old(items: &mut [Judged], most: MaxAge, at: OffsetDateTime) {
    let is_leaf = |judged: &&mut Judged| matches!(judged.item.kind, Kind::Certificate | Kind::Kubeconfig);
    let is_of_tree = |judged: &&mut Judged| judged.item.authority.is_some() && !rotates(judged);
    for judged in items.iter_mut().filter(is_leaf).filter(is_of_tree) {
        let Reading::Certificate(facts) = &judged.item.reading else { continue };
        // What is worse is renewed for that.
        let is_near = judged.state == State::Ok || judged.state == State::Warning;
        let Some(since) = most.since(facts.not_before).filter(|since| is_near && *since <= at) else { continue };
        let is_alone = judged.state == State::Ok && most.is_overdue(facts.not_before, at);
        if is_alone {
            judged.state = State::Warning;
        }
        judged.notes.push(Note::TooOld { since, is_alone });
    }
}

/// Points out what stands in a file more than once.
fn repeated(items: &mut [Judged]) {
    let same_file =
        |one: &Judged, next: &Judged| next.item.position > one.item.position && next.item.path == one.item.path;
    for file in items.chunk_by_mut(same_file).filter(|file| file.len() > 1) {
        let mut seen = BTreeSet::new();
        for judged in file.iter_mut().filter(|one| matches!(one.item.kind, Kind::Authority | Kind::Certificate)) {
            let Reading::Certificate(facts) = &judged.item.reading else { continue };
            if !seen.insert(facts.fingerprint) {
                judged.notes.push(Note::Repeated);
            }
        }
    }
}

/// Points out the authorities that end before what they would sign at the leaves' next renewal; one that is inside its own
/// windows is pointed out already.
fn cut_short(items: &mut [Judged], before: Threshold, at: OffsetDateTime) {
    let ends: Vec<_> = items.iter().filter_map(|judged| next_end(judged, before, at)).collect();
    for judged in items.iter_mut().filter(|judged| judged.item.kind == Kind::Authority && judged.state == State::Ok) {
        let Reading::Certificate(facts) = &judged.item.reading else { continue };
        let signed = ends.iter().filter(|(authority, _)| judged.item.name == authority.name());
        // The one that would live the longest.
        if let Some(wanted) = signed.map(|(_, end)| *end).max().filter(|wanted| *wanted > facts.not_after) {
            judged.notes.push(Note::CutsRenewalsShort { wanted });
        }
    }
}

/// Its authority, and the end of the certificate that takes a leaf's place when that is renewed on time, or now if late.
fn next_end(judged: &Judged, before: Threshold, at: OffsetDateTime) -> Option<(CaId, OffsetDateTime)> {
    let (authority, Reading::Certificate(facts)) = (judged.item.authority?, &judged.item.reading) else { return None };
    // A kubeconfig's copy of the authority is not renewed either.
    if matches!(judged.item.kind, Kind::Authority | Kind::KubeconfigAuthority) {
        return None;
    }
    let lifetime = facts.not_after - facts.not_before;
    let window = time::Duration::seconds(before.seconds(lifetime.whole_seconds()));
    let due = facts.not_after.checked_sub(window)?.max(at);
    Some((authority, due.checked_add(lifetime)?))
}
