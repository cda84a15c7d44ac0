//! `kpki rotate confirm`: the present phase is in force on these nodes; by their receipts, or by somebody's word.

use super::words;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::files::shell_word;
use crate::plan::rotate::in_force::Missing;
use crate::report::rotate::confirm::{Confirmed, Confirms};
use crate::tree::rotation::{Confirmation, ConfirmedBy, Record, Rotation};
use crate::workspace::rotation::journal::RotationLine;
use crate::workspace::rotation::{change, nodes, record, state};
use crate::workspace::shipping::given::{self, Input};
use crate::workspace::shipping::receipt::Receipt;
use crate::workspace::{Absent, RunArgs, Session, Snapshot, Transaction, TreeArgs, targets};
use std::collections::BTreeMap;

/// In generations.
const VERB: &str = "rotate-confirm";

#[derive(Debug, Clone)]
pub struct ConfirmRequest {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Empty: all, or those of the receipts.
    pub nodes: Vec<String>,
    pub receipts: Vec<Input>,
}

/// What is to be written.
struct Planned {
    record: Record,
    journal: Vec<String>,
    rows: Vec<Confirmed>,
}

pub fn confirm(request: &ConfirmRequest) -> Result<Confirms, Error> {
    let (target, mut warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Refused)?;
    let receipts: Vec<Receipt> = given::read(&request.receipts)?.into_iter().map(|one| one.receipt).collect();
    let given = Given { request, session: &session, receipts };
    let places = change::all_places(&session)?;
    let planned = if request.run.dry_run {
        warnings.extend(session.tree.left_by_interrupted()?);
        given.plan(&session.tree.or_interrupted(session.tree.peek(places.iter()))?)?
    } else {
        let locked = session.lock()?;
        let (snapshot, _) = locked.read(places.iter())?;
        let planned = given.plan(&snapshot)?;
        if planned.rows.iter().any(|row| row.is_new) {
            let changes = vec![record::change(&planned.record)?];
            let transaction = Transaction { changes, journal: planned.journal, ..Transaction::default() };
            locked.commit(VERB, request.run.now, transaction)?;
        }
        Planned { journal: Vec::new(), ..planned }
    };
    let (directory, cluster) = session.names();
    Ok(Confirms { dry_run: request.run.dry_run, directory, cluster, nodes: planned.rows, warnings })
}

/// The request with its receipts.
struct Given<'a> {
    request: &'a ConfirmRequest,
    session: &'a Session<'a>,
    receipts: Vec<Receipt>,
}

impl Given<'_> {
    fn plan(&self, snapshot: &Snapshot) -> Result<Planned, Error> {
        let (request, session) = (self.request, self.session);
        let origin = &session.target.origin;
        let state = state::of(session, snapshot, record::read(&session.tree.roots)?)?;
        state.check(origin)?;
        let mut record = state.record;
        if record.rotations.is_empty() {
            return Err(Error::new("nothing is being rotated: there is no phase to confirm")
                .hint(format!("see how it stands: {}", origin.command("rotate status", &[""; 0], &[]))));
        }
        let mut holders: Vec<(Rotation, Vec<String>)> = Vec::new();
        for rotation in &record.rotations {
            holders.push((rotation.clone(), nodes::holders(session, snapshot, rotation.authority)?.nodes));
        }
        let wanted = self.wanted(&holders)?;
        let (mut rows, mut journal, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        // Whether nothing but what a receipt cannot show speaks against a node.
        let mut unknown: BTreeMap<String, bool> = BTreeMap::new();
        for (rotation, held) in &holders {
            let (mut rotation, mut new) = (rotation.clone(), Vec::new());
            for node in wanted.iter().filter(|node| held.contains(node)) {
                let (by, missing) = self.look(snapshot, &rotation, node)?;
                if !missing.is_empty() {
                    let is_unknown = missing.iter().all(|one| matches!(one, Missing::Unknown(_)));
                    *unknown.entry(node.clone()).or_insert(true) &= is_unknown;
                    let owed = words::owed(&missing).join("; ");
                    refused
                        .push(format!("{node}: {} is not in force for {}: {owed}", rotation.phase, rotation.authority));
                    continue;
                }
                let is_new = rotation.confirmed(node).is_none_or(|one| by == ConfirmedBy::Receipt && one.by != by);
                if is_new {
                    let phase = rotation.phase;
                    rotation.confirmations.retain(|one| one.node != *node || one.phase != phase);
                    let time = rfc3339(request.run.now);
                    rotation.confirmations.push(Confirmation { node: node.clone(), phase, time, by });
                    new.push(node.clone());
                }
                rows.push(Confirmed {
                    node: node.clone(),
                    authority: rotation.authority,
                    phase: rotation.phase,
                    by,
                    is_new,
                });
            }
            if !new.is_empty() {
                let of = (rotation.authority, rotation.number);
                journal.push(RotationLine::line(VERB, of, (&rotation.old, &rotation.new), new, request.run.now));
            }
            record.set(rotation);
        }
        if refused.is_empty() {
            return Ok(Planned { record, journal, rows });
        }
        let error = refused.into_iter().fold(Error::new("not confirmed: nothing was written"), Error::because);
        Err(words::not_confirmed(origin, unknown).into_iter().fold(error, Error::hint))
    }

    /// The nodes that are meant: each holds something of a rotation.
    fn wanted(&self, holders: &[(Rotation, Vec<String>)]) -> Result<Vec<String>, Error> {
        let (request, session) = (self.request, self.session);
        let mut known: Vec<String> = holders.iter().flat_map(|(_, nodes)| nodes.clone()).collect();
        known.sort();
        known.dedup();
        let given: Vec<String> = self.receipts.iter().map(|one| one.node.clone()).collect();
        let names = match (request.nodes.is_empty(), given.is_empty()) {
            (true, true) => return Ok(known),
            (true, false) => &given,
            (false, _) => &request.nodes,
        };
        let (directory, _) = session.names();
        for name in names.iter().chain(&given) {
            if !known.contains(name) {
                return Err(Error::usage(format!("{name:?} holds nothing that is being rotated in {directory}"))
                    .because(format!("expected all, or some of {}", known.join(", ")))
                    .hint("give one of these"));
            }
        }
        if let Some(name) = names.iter().find(|name| !given.is_empty() && !given.contains(name)) {
            return Err(Error::usage(format!("there is no receipt of {name}"))
                .because(format!("receipts were given of {}", given.join(", ")))
                .hint(format!("make one on that node: kpki export --verify {} --receipt -o json", shell_word(name))));
        }
        Ok(names.clone())
    }

    /// What shows it, and what speaks against it.
    fn look(&self, snapshot: &Snapshot, rotation: &Rotation, node: &str) -> Result<(ConfirmedBy, Vec<Missing>), Error> {
        let session = self.session;
        if let Some(receipt) = self.receipts.iter().find(|one| one.node == node) {
            check(session, rotation, receipt)?;
            return Ok((ConfirmedBy::Receipt, nodes::missing(session, rotation, receipt)?));
        }
        let is_own = nodes::own_name(session, snapshot).is_some();
        if !is_own {
            return Ok((ConfirmedBy::Hand, Vec::new()));
        }
        let receipt = nodes::own_receipt(session, node)?;
        let mut missing = nodes::missing(session, rotation, &receipt)?;
        let whole = missing.is_empty();
        // What cannot be seen here is the operator's word.
        missing.retain(|one| !matches!(one, Missing::Unknown(_)));
        Ok((if whole { ConfirmedBy::Receipt } else { ConfirmedBy::Hand }, missing))
    }
}

/// It is of this cluster and of this phase.
fn check(session: &Session<'_>, rotation: &Rotation, receipt: &Receipt) -> Result<(), Error> {
    let hint = "make a new one on the node: kpki export --verify --receipt -o json";
    let node = &receipt.node;
    let Some(profile) = session.profile() else {
        return Err(Error::new(format!("the receipt of {node} cannot be judged: no profile says what the node has"))
            .hint("confirm it by hand, without --receipt"));
    };
    if let Some(other) = receipt.cluster.as_ref().filter(|name| **name != profile.cluster_name) {
        let own = &profile.cluster_name;
        return Err(Error::new(format!("the receipt of {node} is of the cluster {other}, not of {own}")).hint(hint));
    }
    if !nodes::is_of_phase(rotation, receipt) {
        let Rotation { authority, phase, since, .. } = rotation;
        return Err(Error::new(format!(
            "the receipt of {node} is of {}, and {authority} is {phase} since {since}",
            receipt.time
        ))
        .hint(hint));
    }
    Ok(())
}
