//! Whether a step may be done now: every node has the present phase in force, the wait is over, and nothing of the old authority is
//! left that the step would break.

use super::context::{Context, Planned};
use super::request::Step;
use super::words;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::gate::Closed;
use crate::tree::rotation::{Confirmation, ConfirmedBy, Override, Rotation, Way};
use crate::workspace::rotation::journal::RotationLine;
use crate::workspace::rotation::nodes::Shown;
use crate::workspace::rotation::standing::{Read, Standing};
use crate::workspace::rotation::state::State;

/// What the command line passes over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    /// Every node has the present phase in force.
    pub confirm_all: bool,
    /// The wait is not over, or certificates of the authority that is given up are still valid.
    pub not_before: bool,
}

impl Passing {
    const fn passes(self, closed: &Closed) -> bool {
        match closed {
            Closed::Unconfirmed(_) => self.confirm_all,
            Closed::Behind(_) => false,
            Closed::Wait(_) | Closed::Clocks(_) | Closed::Kubelets(_) | Closed::Alive(_) => self.not_before,
        }
    }
}

/// Refuses, or notes in the record what was passed over.
pub(super) fn check(
    context: &Context<'_>,
    (rotations, way): (&mut [Rotation], Way),
    passing: Passing,
    planned: &mut Planned,
) -> Result<(), Error> {
    if rotations.is_empty() {
        return Ok(());
    }
    let (session, read) = (context.session, Read::of(context.session)?);
    let state = State { record: context.record.clone(), behind: context.behind.clone(), ..State::default() };
    let mut refused: Vec<Standing> = Vec::new();
    for rotation in rotations {
        let mut standing = read.standing(session, &context.snapshot, &state, (rotation, way))?;
        let (passed, left): (Vec<Closed>, Vec<Closed>) =
            standing.closed.into_iter().partition(|one| passing.passes(one));
        standing.closed = left;
        planned.warnings.extend(words::absent(&standing));
        note(context, rotation, &standing, passed, planned);
        if !standing.closed.is_empty() {
            refused.push(standing);
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(refusal(context, &refused)) }
}

/// The nodes that are not known to have the present phase in force, where nothing is refused for it.
pub(super) fn unconfirmed(context: &Context<'_>, rotations: &[Rotation]) -> Result<Vec<String>, Error> {
    let (session, read) = (context.session, Read::of(context.session)?);
    let state = State { record: context.record.clone(), ..State::default() };
    let mut warnings = Vec::new();
    for rotation in rotations {
        let Standing { facts, .. } = read.standing(session, &context.snapshot, &state, (rotation, Way::Forth))?;
        if !facts.unconfirmed.is_empty() {
            warnings.push(format!(
                "{}: nobody has confirmed that the new one alone is in force on {}; whoever has the old key is let in where it is not",
                rotation.authority,
                facts.unconfirmed.join(", ")
            ));
        }
    }
    Ok(warnings)
}

/// Who has confirmed, and what was passed over: in the record and in the journal.
fn note(
    context: &Context<'_>,
    rotation: &mut Rotation,
    standing: &Standing,
    passed: Vec<Closed>,
    planned: &mut Planned,
) {
    let now = context.request.run.now;
    let (phase, time) = (rotation.phase, rfc3339(now));
    let add = |rotation: &mut Rotation, node: &String, by| {
        rotation.confirmations.retain(|one| one.node != *node || one.phase != phase);
        rotation.confirmations.push(Confirmation { node: node.clone(), phase, time: time.clone(), by });
    };
    for (node, shown) in &standing.nodes {
        if let Shown::Receipt(_) = shown {
            add(rotation, node, ConfirmedBy::Receipt);
        }
    }
    let line = |command, rotation: &Rotation, details| {
        let of = (rotation.authority, rotation.number);
        RotationLine::line(command, of, (&rotation.old, &rotation.new), details, now)
    };
    let mut what = Vec::new();
    for closed in passed {
        match closed {
            Closed::Unconfirmed(nodes) => {
                nodes.iter().for_each(|node| add(rotation, node, ConfirmedBy::Hand));
                planned.journal.push(line("rotate-confirm", rotation, nodes));
            }
            other => what.extend(words::details(&other)),
        }
    }
    // A step that waits for others is asked for again.
    let is_known = rotation.overrides.iter().any(|one| one.phase == phase && one.what == what);
    if !what.is_empty() && !is_known {
        planned.journal.push(line("rotate-override", rotation, what.clone()));
        rotation.overrides.push(Override { phase, time, what });
    }
}

fn refusal(context: &Context<'_>, refused: &[Standing]) -> Error {
    let (request, origin) = (context.request, &context.session.target.origin);
    let names: Vec<&str> = refused.iter().map(|one| one.rotation.authority.name()).collect();
    let step = request.step.name();
    let mut error = Error::new(format!("cannot {step} {} yet: nothing was written", names.join(", ")));
    for (why, names) in grouped(refused) {
        error = error.because(format!("{}: {why}", names.join(", ")));
    }
    let closed = || refused.iter().flat_map(|one| &one.closed);
    let mut nodes: Vec<String> = Vec::new();
    for node in
        closed().filter_map(|one| if let Closed::Unconfirmed(nodes) = one { Some(nodes) } else { None }).flatten()
    {
        if !nodes.contains(node) {
            nodes.push(node.clone());
        }
    }
    for hint in words::confirm(origin, &nodes) {
        error = error.hint(hint);
    }
    if closed().any(|one| matches!(one, Closed::Behind(_))) {
        return error.hint(format!("write them again: {}", origin.command("renew", &["all"], &["--due"])));
    }
    if closed().any(|one| matches!(one, Closed::Alive(_))) {
        error = error.hint(
            "wait until they end; or renew what is of this tree, and give who holds a kubeconfig or a signed certificate a new one \
             (kpki kubeconfig user, kpki sign), which the journal then shows",
        );
    }
    // What was given stays.
    let given = passing_of(&request.step);
    let mut options: Vec<&str> = given.iter().copied().chain(closed().filter_map(Closed::option)).collect();
    options.sort_unstable();
    options.dedup();
    let command = origin.command(&format!("rotate {step}"), &names, &options);
    error.hint(format!("or go on all the same, which the journal keeps: {command}"))
}

/// Each reason once, with everything that it holds back.
fn grouped(refused: &[Standing]) -> Vec<(String, Vec<&'static str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (standing, closed) in refused.iter().flat_map(|one| one.closed.iter().map(move |closed| (one, closed))) {
        let (why, name) = (words::why(closed, standing), standing.rotation.authority.name());
        match groups.iter_mut().find(|(other, _)| *other == why) {
            Some((_, names)) => names.push(name),
            None => groups.push((why, vec![name])),
        }
    }
    groups
}

fn passing_of(step: &Step) -> Vec<&'static str> {
    let (all, before) = match step {
        Step::Switch(options) => (options.confirm_all, options.not_before_override),
        Step::Retire(options) => (options.confirm_all, options.not_before_override),
        Step::Back(options) => (options.confirm_all, options.not_before_override),
        _ => (false, false),
    };
    [(all, "--confirm-all"), (before, "--not-before-override")]
        .into_iter()
        .filter(|one| one.0)
        .map(|one| one.1)
        .collect()
}
