use std::path::PathBuf;

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::restore::{self, Request};
use crate::error::Exit;

/// List the generations a tree keeps: what each run replaced
///
/// init --force, renew and restore keep what they replace in DIR/.kpki/generations (0700). The profile's renewal.keepGenerations
/// says how many stay (5).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki history                              of /etc/kubernetes
  kpki history --dir ./cluster -o json

Exit status: 0 done, 1 could not run, 2 wrong command line.")]
pub struct History {
    #[command(flatten)]
    tree: common::Dir,

    /// The kubelet's own directory, where it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    #[command(flatten)]
    report: common::Report,
}

impl History {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let history = restore::history(&self.tree.dir, self.kubelet_dir.as_deref())?;
        ui.report(&history, self.report.form(), environment.clock.now())?;
        Ok(Exit::Done)
    }
}

/// Put a tree back as it was before a run
///
/// Every file that GENERATION's command or a later one replaced gets its old bytes back, and what they had made is removed: one
/// transaction, which keeps what it replaces as a generation of its own, so that it can be undone. Revocation lists stay as they are: an
/// older one would take revocations back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki restore                                     undo the last init --force, renew or restore of /etc/kubernetes
  kpki restore --dir ./demo --dry-run              which files that would be
  kpki restore 20261120T220101Z-renew --dir ./demo

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line.")]
pub struct Restore {
    /// As kpki history names it; default: the newest
    #[arg(value_name = "GENERATION")]
    generation: Option<String>,

    #[command(flatten)]
    tree: common::Dir,

    /// The kubelet's own directory, where it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    #[command(flatten)]
    run: common::Run,

    #[command(flatten)]
    report: common::Report,
}

impl Restore {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let (dir, run) = (self.tree.dir, self.run.args(environment)?);
        let request = Request { dir, run, kubelet_dir: self.kubelet_dir, generation: self.generation };
        ui.report(&restore::run(&request)?, self.report.form(), request.run.now)?;
        Ok(Exit::Done)
    }
}
