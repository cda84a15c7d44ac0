//! A run that is repeated, for places without systemd, cron and a shell, and the metrics after it.

use std::path::PathBuf;

use super::environment::Environment;
use super::ui::Ui;
use super::values::{Outcome, interval};
use crate::clock::{self, Span};
use crate::commands::check_expiration;
use crate::error::{Error, Exit};
use crate::report::{CheckForm, Selection, Sort};
use crate::signals;
use crate::workspace::{RunArgs, TreeArgs, targets};

#[derive(Debug, clap::Args)]
pub struct Every {
    /// Do not end, but run once in this time, as in a container: at a point of it that the name of the node decides, so that nodes
    /// started together do not restart together. What went wrong is said, and the next run is a fresh one. A signal ends it
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = interval,
        requires = "due",
        conflicts_with_all = ["at", "dry_run", "detailed_exitcode"]
    )]
    pub every: Option<Span>,

    /// After the run, also one that failed, write the metrics of kpki check-expiration -o prometheus to this file, atomically and
    /// world-readable (0644); with --every when it begins, too
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub metrics_file: Option<PathBuf>,
}

/// What is done each time, and what it is done to. Asked for anew each time: it is another instant.
pub struct Work<'a> {
    pub run: &'a dyn Fn(&mut Ui<'_>) -> Outcome,
    pub run_args: &'a dyn Fn() -> Result<RunArgs, Error>,
    pub trees: &'a TreeArgs,
}

impl Every {
    /// Does the work once, or until a signal ends it.
    pub fn run(&self, work: &Work<'_>, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        self.check(work)?;
        let Some(every) = self.every else { return self.once(work, ui) };
        let TreeArgs { node, hostname, .. } = work.trees;
        let name = node.as_ref().or(hostname.as_ref()).map_or("", String::as_str);
        if let Err(error) = self.measure(work, ui) {
            ui.error(&error);
        }
        loop {
            let next = clock::next_run(environment.clock.now(), every, name);
            ui.remark("next run", &clock::rfc3339(next));
            // A signal may end the process from here on.
            let _ = ui.flush();
            environment.clock.wait(next, every);
            let outcome = self.once(work, ui);
            if let Some(signal) = signals::ended_by() {
                return outcome.map(|_| Exit::Stopped(signal));
            }
            if let Err(error) = outcome {
                ui.error(&error);
            }
        }
    }

    /// Refuses, before anything is renewed, a file that metrics must not replace. That one cannot be written, as where its directory
    /// is missing, is said after the renewal: certificates do not expire for want of metrics.
    fn check(&self, work: &Work<'_>) -> Result<(), Error> {
        let Some(file) = &self.metrics_file else { return Ok(()) };
        // What is wrong with the trees, the run says.
        let targets = targets::resolve(work.trees, 1).map(|resolved| resolved.targets).unwrap_or_default();
        check_expiration::check_destination(file, targets.iter().map(|target| &target.origin))
    }

    /// The metrics show how it is after a failure, too. The higher status counts.
    fn once(&self, work: &Work<'_>, ui: &mut Ui<'_>) -> Outcome {
        let done = (work.run)(ui);
        if signals::ended_by().is_some() {
            return done;
        }
        let measured = self.measure(work, ui);
        match (done, measured) {
            // What was stopped is no failure of the run before it.
            (done, Err(_)) if signals::ended_by().is_some() => done,
            (done, Ok(())) => done,
            // That something was renewed is no failure.
            (Ok(Exit::Renewed), Err(error)) => Err(error),
            (Ok(exit), Err(error)) => Err(Error { exit: exit.max(error.exit), ..error }),
            (Err(error), Err(further)) => {
                ui.error(&further);
                Err(error)
            }
        }
    }

    fn measure(&self, work: &Work<'_>, ui: &mut Ui<'_>) -> Result<(), Error> {
        let Some(file) = &self.metrics_file else { return Ok(()) };
        let run = (work.run_args)()?;
        let request = check_expiration::Request {
            trees: work.trees.clone(),
            warning: None,
            critical: None,
            ca_warning: None,
            ca_critical: None,
            selection: Selection { sort: Sort::Name, only: Vec::new(), within: None, top: None },
            at: run.now,
            as_of: false,
            keys: false,
            threads: run.threads,
            password: None,
        };
        // What there is to say of the trees is in the metrics.
        let (check, _) = ui.working(|progress| check_expiration::run(&request, progress))?;
        check_expiration::write(file, &check, CheckForm::Prometheus)
    }
}
