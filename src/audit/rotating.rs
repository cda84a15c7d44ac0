//! What a rotation in progress means for the items of a tree: whose end still counts, and what is signed by whom.

use time::OffsetDateTime;

use super::judged::{Judged, JudgedTree, Note};
use super::state::State;
use crate::blueprint::BACK_DATE;
use crate::catalog::CaId;
use crate::clock::parse_instant;
use crate::inventory::{CertificateFacts, Kind, Reading};

use crate::tree::phases::Phases;
use crate::tree::rotation::{Identity, Phase, Record, Rotating, Rotation};
use crate::x509::certificate::hex;

/// What is known of a tree's rotations.
#[derive(Debug, Clone)]
pub enum Rotations {
    /// It records them itself.
    Recorded(Record),
    /// A node whose archive said so: its files have to say which is which.
    Said(Phases),
}

/// One authority that is being replaced.
#[derive(Debug, Default)]
struct Replaced {
    authority: Option<CaId>,
    phase: Option<Phase>,
    old: Vec<Known>,
    new: Vec<Known>,
    /// The beginning of its phase.
    since: Option<OffsetDateTime>,
}

#[derive(Debug)]
struct Known {
    /// In lower-case hexadecimal.
    fingerprint: String,
    subject: String,
}

/// Adds what is to be said, and lets the end of what is being retired not count.
pub fn mark(tree: &mut JudgedTree, rotations: &Rotations) {
    let replaced: Vec<Replaced> = match rotations {
        Rotations::Recorded(record) => record.rotations.iter().filter_map(of_record).collect(),
        Rotations::Said(phases) => phases.iter().filter_map(|said| of_files(said, &tree.items)).collect(),
    };
    for judged in &mut tree.items {
        for one in &replaced {
            one.mark(judged);
        }
    }
}

fn of_record(rotation: &Rotation) -> Option<Replaced> {
    let known = |all: &[Identity]| {
        let certificates = all.iter().filter_map(|one| one.certificate.as_ref());
        certificates.map(|one| Known { fingerprint: one.fingerprint.clone(), subject: one.subject.clone() }).collect()
    };
    Some(Replaced {
        authority: Some(rotation.authority.authority()?),
        phase: Some(rotation.phase),
        old: known(&rotation.old),
        new: known(&rotation.new),
        since: parse_instant(&rotation.since, OffsetDateTime::UNIX_EPOCH),
    })
}

/// Two certificates in an authority's file, of which the first one signs. With more nobody can say which is the other one.
fn of_files((rotating, phase): (Rotating, Phase), items: &[Judged]) -> Option<Replaced> {
    let authority = rotating.authority()?;
    let own = items.iter().filter(|one| one.item.kind == Kind::Authority && one.item.name == authority.name());
    let found: Vec<Known> = own.filter_map(|one| facts(one).map(known)).collect();
    let [first, second] = <[Known; 2]>::try_from(found).ok()?;
    let (old, new) = if phase == Phase::Prepared { (first, second) } else { (second, first) };
    Some(Replaced { authority: Some(authority), phase: Some(phase), old: vec![old], new: vec![new], since: None })
}

fn facts(judged: &Judged) -> Option<&CertificateFacts> {
    match &judged.item.reading {
        Reading::Certificate(facts) => Some(facts),
        _ => None,
    }
}

fn known(facts: &CertificateFacts) -> Known {
    Known { fingerprint: fingerprint(facts), subject: facts.subject.clone() }
}

fn fingerprint(facts: &CertificateFacts) -> String {
    hex(&facts.fingerprint, "").to_lowercase()
}

impl Replaced {
    fn mark(&self, judged: &mut Judged) {
        let Some(facts) = facts(judged) else { return };
        let is_authority = matches!(judged.item.kind, Kind::Authority | Kind::KubeconfigAuthority);
        let (print, signs) = (fingerprint(facts), self.phase != Some(Phase::Prepared));
        let is_in = |all: &[Known]| is_authority && all.iter().any(|one| one.fingerprint == print);
        // A root above both goes on.
        let (old, new) = (is_in(&self.old), is_in(&self.new));
        let by_old = !is_authority && judged.item.authority == self.authority && self.signed_by_old(facts);
        match (old, new, signs) {
            (true, false, true) => {
                judged.notes.retain(|note| !matches!(note, Note::CutsRenewalsShort { .. }));
                judged.notes.push(Note::Retiring);
                if matches!(judged.state, State::Warning | State::Critical | State::Expired) {
                    judged.state = State::Ok;
                }
            }
            (true, false, false) => {
                judged.notes.retain(|note| !matches!(note, Note::CutsRenewalsShort { .. }));
                judged.notes.push(Note::Replaced);
            }
            (false, true, false) => judged.notes.push(Note::Successor),
            _ if signs && by_old => judged.notes.push(Note::SignedByRetiring),
            _ => {}
        }
    }

    /// Where both have one name, what begins before the new one signed is the old one's.
    fn signed_by_old(&self, facts: &CertificateFacts) -> bool {
        let (Some(old), Some(new)) = (self.old.first(), self.new.first()) else { return false };
        if old.subject != new.subject {
            return facts.issuer == old.subject;
        }
        facts.issuer == old.subject && self.since.is_some_and(|since| facts.not_before < since - BACK_DATE)
    }
}
