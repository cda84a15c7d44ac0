//! `kpki rotate status`: how far each rotation is, on which nodes, and what is waited for. Reads only.

use std::collections::BTreeMap;

use super::profile;
use super::status_parts::{instructions, kept, near, rows, signatures, too_late};
use super::words;
use crate::error::Error;
use crate::plan::rotate::gate;
use crate::report::rotate::status::{AuthorityRow, NodeRow, Outcome, Status, Waits};
use crate::tree::rotation::{Phase, Record, Rotating, Way};
use crate::workspace::rotation::nodes::{self, Shown};
use crate::workspace::rotation::standing::{Read, Standing};
use crate::workspace::rotation::state::{self, State};
use crate::workspace::rotation::{change, record};
use crate::workspace::shipping::receipt::instant;
use crate::workspace::{Absent, RunArgs, Session, Snapshot, TreeArgs, targets};

#[derive(Debug, Clone)]
pub struct StatusRequest {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Empty: all.
    pub authorities: Vec<Rotating>,
}

pub fn status(request: &StatusRequest) -> Result<Status, Error> {
    let (target, mut warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Refused)?;
    let snapshot = session.tree.peek(change::all_places(&session)?.iter())?;
    let mut findings = Vec::new();
    let recorded = record::read(&session.tree.roots).unwrap_or_else(|why| {
        findings.push(told(&why));
        Record::default()
    });
    let state = state::of(&session, &snapshot, recorded)?;
    warnings.extend(session.tree.left_by_interrupted()?);
    let mut status = of(&session, &snapshot, &state, &request.authorities)?;
    status.findings.splice(0..0, findings);
    status.outcome = outcome(&status);
    status.warnings.splice(0..0, warnings);
    Ok(status)
}

fn told(why: &Error) -> String {
    std::iter::once(why.what.clone()).chain(why.why.iter().cloned()).collect::<Vec<_>>().join(": ")
}

/// The status of a tree that was read.
pub(super) fn of(
    session: &Session<'_>,
    snapshot: &Snapshot,
    state: &State,
    only: &[Rotating],
) -> Result<Status, Error> {
    let (directory, cluster) = session.names();
    let origin = &session.target.origin;
    let read = Read::of(session)?;
    let is_wanted = |one: Rotating| only.is_empty() || only.contains(&one);
    let mut status = Status {
        outcome: Outcome::None,
        directory,
        cluster,
        authorities: Vec::new(),
        nodes: Vec::new(),
        instructions: Vec::new(),
        kept: Vec::new(),
        findings: state.misfits.iter().map(|one| format!("{}: {}", one.path, one.why)).collect(),
        warnings: Vec::new(),
        next: Vec::new(),
    };
    let (mut rows_of, mut missing) = (BTreeMap::<String, NodeRow>::new(), BTreeMap::new());
    for rotating in Rotating::ALL.into_iter().filter(|one| is_wanted(*one)) {
        let Some(rotation) = state.record.of(rotating) else {
            status.authorities.push(AuthorityRow::none(rotating));
            continue;
        };
        let mut standing = read.standing(session, snapshot, state, (rotation, Way::Forth))?;
        for (node, shown) in &mut standing.nodes {
            if let Shown::No { missing } = shown
                && missing.is_empty()
            {
                *missing = nodes::unseen(session, rotation, node)?;
            }
        }
        status.findings.extend(standing.unreadable.iter().cloned());
        status.findings.extend(too_late(session, &standing));
        status.warnings.extend(words::absent(&standing));
        status.warnings.extend(near(session, &standing));
        rows(&standing, (&mut rows_of, &mut missing), &mut status.findings);
        let mut row = row(&standing);
        row.waits_for.extend(signatures(session, rotation)?);
        status.authorities.push(row);
        status.instructions.extend(instructions(session, rotation.phase)?);
    }
    status.instructions.dedup();
    status.nodes = rows_of.into_values().collect();
    let unconfirmed: Vec<String> =
        status.nodes.iter().filter(|one| !one.in_force).map(|one| one.node.clone()).collect();
    status.next.extend(words::confirm(origin, &unconfirmed));
    if !state.misfits.is_empty() {
        let record = origin.command("rotate record", &[""; 0], &[]);
        status.next.push(format!("put the files back (kpki restore, a backup); or record what they say: {record}"));
    }
    if !state.behind.is_empty() {
        let entries: Vec<String> = state.behind.iter().map(ToString::to_string).collect();
        let renew = origin.command("renew", &["all"], &["--due"]);
        status.next.push(format!("write {} again: {renew}", entries.join(", ")));
    }
    for step in ["switch", "retire"] {
        let open = status.authorities.iter().filter(|one| one.next_step == Some(step) && one.waits_for.is_empty());
        let open: Vec<&str> = open.map(|one| one.authority.name()).collect();
        if !open.is_empty() && state.misfits.is_empty() {
            status.next.push(format!("the next step: {}", origin.command(&format!("rotate {step}"), &open, &[])));
        }
    }
    for retired in state.record.retired.iter().filter(|one| is_wanted(one.authority)) {
        status.next.extend(profile::of_retired(session, retired));
        let kept = kept(session, retired)?;
        if kept.remind {
            status.warnings.push(format!(
                "the key of the old {} is kept since {}; when nothing can need it any more: {}",
                kept.authority,
                kept.since,
                origin.command("rotate forget", &[""; 0], &[])
            ));
        }
        status.kept.push(kept);
    }
    status.outcome = outcome(&status);
    Ok(status)
}

fn outcome(status: &Status) -> Outcome {
    if !status.findings.is_empty() {
        Outcome::Blocked
    } else if status.authorities.iter().any(|one| one.phase.is_some()) {
        Outcome::Waits
    } else {
        Outcome::None
    }
}

fn row(standing: &Standing) -> AuthorityRow {
    let Standing { rotation, facts, closed, .. } = standing;
    let waits = |one: &gate::Closed| Waits { why: words::why(one, standing), until: one.until(), option: one.option() };
    AuthorityRow {
        authority: rotation.authority,
        phase: Some(rotation.phase),
        since: instant(&rotation.since),
        number: Some(rotation.number),
        old: rotation.old.first().cloned(),
        new: rotation.new.first().cloned(),
        next_step: match rotation.phase {
            Phase::Prepared => Some("switch"),
            Phase::Switched | Phase::Emergency => Some("retire"),
        },
        not_before: Some(gate::opens(closed, facts.since.saturating_add(facts.wait.duration()))),
        waits_for: closed.iter().map(waits).collect(),
        unconfirmed: facts.unconfirmed.len(),
        nodes: standing.nodes.len(),
        overridden: rotation.overrides.iter().flat_map(|one| one.what.clone()).collect(),
    }
}
