//! `kpki rotate next`: the next step where its gate is open, and otherwise what is waited for. The steps are those of the other verbs.

use super::request::{Options, Request, RetireOptions, Step, SwitchOptions};
use super::run;
use super::status::{StatusRequest, status};
use crate::error::Error;
use crate::report::rotate::Done;
use crate::report::rotate::status::Status;
use crate::tree::Origin;
use crate::tree::rotation::{Phase, Rotating};
use crate::workspace::{Progress, RunArgs, TreeArgs, targets};

#[derive(Debug, Clone)]
pub struct NextRequest {
    pub trees: TreeArgs,
    pub run: RunArgs,
    pub options: Options,
}

#[derive(Debug)]
pub enum Next {
    Done(Box<Done>),
    /// Nothing could be done now.
    Waits(Box<Status>),
}

pub fn next(request: &NextRequest, progress: Progress<'_>) -> Result<Next, Error> {
    let asked = StatusRequest { trees: request.trees.clone(), run: request.run.clone(), authorities: Vec::new() };
    let mut status = status(&asked)?;
    // What follows an emergency is asked for by name.
    let open = |phase: Phase| {
        let open = status.authorities.iter().filter(|one| one.phase == Some(phase) && one.waits_for.is_empty());
        open.map(|one| one.authority).collect::<Vec<Rotating>>()
    };
    let (switched, prepared) = (open(Phase::Switched), open(Phase::Prepared));
    let (step, authorities) = match () {
        // What is wrong is repaired first.
        () if !status.findings.is_empty() => return Ok(Next::Waits(Box::new(status))),
        () if !prepared.is_empty() => (Step::Switch(SwitchOptions::default()), prepared),
        () if !switched.is_empty() => (Step::Retire(RetireOptions::default()), switched),
        () if status.authorities.iter().all(|one| one.phase.is_none()) => {
            let begin = |origin: Origin| origin.command("rotate prepare", &["all"], &[]);
            let (target, _) = targets::one(&request.trees)?;
            status.next.push(format!("to replace authorities, name them, or all: {}", begin(target.origin)));
            return Ok(Next::Waits(Box::new(status)));
        }
        () => return Ok(Next::Waits(Box::new(status))),
    };
    let step = Request {
        trees: request.trees.clone(),
        run: request.run.clone(),
        step,
        authorities,
        options: request.options.clone(),
    };
    run(&step, progress).map(|done| Next::Done(Box::new(done)))
}
