use std::time::Duration;

use super::common::authorities;
use crate::cli::values::{Choices, Outcome, one_of};
use crate::cli::{common, environment::Environment, ui::Ui};
use crate::commands::rotate::{self, StatusRequest};
use crate::error::Exit;
use crate::report::Form;
use crate::report::rotate::status;
use crate::workspace::RunArgs;

/// Show how far each rotation is, on which nodes, and what is waited for
///
/// Reads only, and waits for no lock. A node has the phase in force when it has confirmed (kpki rotate confirm), or when its last receipt
/// (kpki nodes merge) shows its files and, of each component that needs a restart for them, a process that is younger than they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate status --dir ./cluster
  kpki rotate status ca --dir ./cluster -o json | jq '.authorities[].waitsFor'
  kpki rotate status --dir ./cluster --at +2d            as it will be, if nothing else happens
  kpki rotate status --dir ./cluster -o prometheus > /var/lib/node_exporter/kpki-rotation.prom

Exit status: 0 nothing is being rotated, 1 could not run, 2 wrong command line, 3 a rotation is in progress, 4 it is blocked: a file is not
of the phase that is recorded, the record is damaged, a receipt contradicts it, or the old authority ends before the waits are over.")]
pub struct Status {
    /// ca, front-proxy-ca, etcd-ca, sa; default: all
    #[arg(value_name = "AUTHORITY")]
    names: Vec<String>,

    #[command(flatten)]
    tree: common::Tree,

    /// The form of the report
    #[arg(short, long, default_value = "text", value_name = "FORM", value_parser = one_of(FORMS))]
    output: StatusForm,

    /// Exit with 0 whatever is found
    #[arg(long)]
    exit_zero: bool,

    #[command(flatten)]
    at: common::At,
}

#[derive(Debug, Clone, Copy)]
enum StatusForm {
    Ours(Form),
    Prometheus,
}

const FORMS: Choices<StatusForm> = &[
    ("text", Some("For people"), StatusForm::Ours(Form::Table)),
    ("table", None, StatusForm::Ours(Form::Table)),
    ("wide", Some("The same with whole names and key identifiers"), StatusForm::Ours(Form::Wide)),
    ("json", Some("One JSON document"), StatusForm::Ours(Form::Json)),
    ("yaml", Some("The same document as YAML"), StatusForm::Ours(Form::Yaml)),
    ("prometheus", Some("For the textfile collector of node_exporter"), StatusForm::Prometheus),
];

impl Status {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = self.at.instant(environment)?;
        let run = RunArgs { now, threads: environment.threads, dry_run: true, lock_wait: Duration::ZERO };
        let request =
            StatusRequest { trees: self.tree.args(environment), run, authorities: authorities(&self.names, None)? };
        let report = rotate::status(&request)?;
        ui.warnings(&report.warnings);
        match self.output {
            StatusForm::Ours(form) => ui.report(&report, form, now)?,
            StatusForm::Prometheus => ui.output(|out| report.metrics(out))?,
        }
        Ok(if self.exit_zero { Exit::Done } else { exit(&report) })
    }
}

pub(super) const fn exit(report: &status::Status) -> Exit {
    match report.outcome {
        status::Outcome::None => Exit::Done,
        status::Outcome::Waits => Exit::Warning,
        status::Outcome::Blocked => Exit::Critical,
    }
}
