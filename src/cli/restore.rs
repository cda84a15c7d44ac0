use std::path::PathBuf;

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::restore::{self, Request};
use crate::error::Exit;

/// List the generations of a tree: the files that each run replaced
///
/// init --force, renew and restore keep the files they replace in DIR/.kpki/generations (0700). The profile's
/// renewal.keepGenerations sets how many generations are kept (default 5). Those in which only CRLs were replaced are
/// counted apart: restore does not change CRLs, and goes back as far however often one is issued.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki history                              of /etc/kubernetes
  kpki history --dir ./cluster -o json

Exit status: 0 done, 1 could not run, 2 wrong command line.")]
pub struct History {
    #[command(flatten)]
    tree: common::Dir,

    /// The kubelet's own directory, if it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    #[command(flatten)]
    report: common::Report,
}

impl History {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let history = restore::history(&self.tree.dir, self.kubelet_dir.as_deref())?;
        ui.report(&history, self.report.output, environment.clock.now())?;
        Ok(Exit::Done)
    }
}

/// Restore a tree as it was before a run
///
/// Every file that the command of GENERATION or a later command replaced gets its old bytes back, and files they
/// created are removed, in one transaction. The files it replaces become a generation of their own, so that a restore
/// can be undone. CRLs stay as they are: an older CRL would undo revocations. Certificates that the CRLs revoke or hold
/// are not restored without --force. No key of an authority that is encrypted, or elsewhere by the profile, comes back in plain.
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

    /// The kubelet's own directory, if it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// Restore certificates that have been revoked or held since, too
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    run: common::Run,
}

impl Restore {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        let Self { generation, tree: common::Dir { dir }, kubelet_dir, force, run: common::Run { report, .. }, .. } =
            self;
        let request = Request { dir, kubelet_dir, generation, force, run };
        report.finish(ui, &restore::run(&request)?, &request.run, Exit::Done)
    }
}
