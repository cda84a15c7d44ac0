use std::path::PathBuf;

use super::ui::Ui;
use super::{Outcome, Output};
use crate::clock::Span;
use crate::commands::restore::{self, Request};
use crate::error::Exit;
use crate::plan::layout::DEFAULT_DIR;
use crate::run::Environment;

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
    /// The tree
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,

    /// The kubelet's own directory, where it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = Output::Table, value_name = "FORM")]
    output: Output,
}

impl History {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let history = restore::history(&self.dir, self.kubelet_dir.as_deref())?;
        ui.report(&history, self.output.into(), environment.clock.now())?;
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

    /// The tree
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,

    /// The kubelet's own directory, where it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// Say what would be put back and write nothing
    #[arg(long)]
    dry_run: bool,

    /// How long to wait for another kpki on the same tree
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = super::span)]
    lock_timeout: Span,

    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = Output::Table, value_name = "FORM")]
    output: Output,
}

impl Restore {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request = Request {
            dir: self.dir.clone(),
            kubelet_dir: self.kubelet_dir.clone(),
            generation: self.generation.clone(),
            dry_run: self.dry_run,
            now: environment.clock.now(),
            lock_wait: std::time::Duration::from_secs(self.lock_timeout.as_seconds()),
        };
        ui.report(&restore::run(&request)?, self.output.into(), request.now)?;
        Ok(Exit::Done)
    }
}
