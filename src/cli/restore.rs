use std::path::PathBuf;

use super::values::{Choices, Outcome, one_of, span};
use super::{common, environment::Environment, ui::Ui};
use crate::clock::Span;
use crate::commands::issued::{self, From, What};
use crate::commands::restore::{self, Request};
use crate::error::{Error, Exit};
use crate::report::Form;
use crate::workspace::TreeArgs;

/// List the generations of a tree, or with --issued the certificates of its journal
///
/// init --force, renew and restore keep the files they replace in DIR/.kpki/generations (0700). The profile's
/// renewal.keepGenerations sets how many generations are kept (default 5). Those in which only CRLs were replaced are
/// counted apart: restore does not change CRLs, and goes back as far however often one is issued.
///
/// The journal, DIR/.kpki/journal.jsonl, has a line for each certificate that was issued, imported, adopted, unpacked or
/// restored, and for each issue of a CRL. --issued and --revoked list those of the last --since, the newest first, with
/// how many each command has; of a whole fleet with --profiles. Lines that cannot be read are said and make the status 5.
/// The time is when kpki did it, not notBefore. kpki verify checks that no line was changed or removed since.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki history                              of /etc/kubernetes
  kpki history --dir ./cluster -o json
  kpki history --issued --since 90d         certificates of the last 90 days, and which command made them
  kpki history --issued --profiles ./clusters -o csv
  kpki history --revoked --dir ./cluster    what was put on a CRL or taken off it

Exit status: 0 done, 1 could not run, 2 wrong command line, 5 a journal, or lines of one, could not be read.")]
pub struct History {
    #[command(flatten)]
    tree: common::Dir,

    /// The kubelet's own directory, if it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// List the certificates in the journal instead
    #[arg(long)]
    issued: bool,

    /// List the entries of CRLs in the journal instead: revoked, held, released
    #[arg(long, conflicts_with = "issued")]
    revoked: bool,

    /// With --issued or --revoked: how far back
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = span)]
    since: Span,

    /// With --issued or --revoked: every NAME.yaml in this directory with its tree NAME/, and every tree in it with a
    /// recorded profile
    #[arg(long = "profiles", value_name = "DIR", conflicts_with_all = ["dir", "kubelet_dir"])]
    fleet: Option<PathBuf>,

    /// Where the trees of --profiles are, if not beside the profiles: NAME.yaml describes NAME/ in this directory
    #[arg(long, value_name = "DIR", requires = "fleet")]
    state: Option<PathBuf>,

    #[command(flatten)]
    at: common::At,

    /// The form of the report
    #[arg(short, long, default_value = "table", value_name = "FORM", value_parser = one_of(FORMS))]
    output: Shape,
}

/// The forms of `kpki history`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Form(Form),
    Csv,
}

const FORMS: Choices<Shape> = &[
    ("table", Some("For people"), Shape::Form(Form::Table)),
    ("wide", Some("The table with everything"), Shape::Form(Form::Wide)),
    ("json", Some("One JSON document"), Shape::Form(Form::Json)),
    ("yaml", Some("The same document as YAML"), Shape::Form(Form::Yaml)),
    ("csv", Some("With --issued or --revoked: one row per line"), Shape::Csv),
];

impl History {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match (self.issued, self.revoked, self.output) {
            (true, _, _) => self.journal(What::Certificates, environment, ui),
            (_, true, _) => self.journal(What::Revocations, environment, ui),
            (false, false, Shape::Form(form)) if self.fleet.is_none() => {
                let history = restore::history(&self.tree.dir, self.kubelet_dir.as_deref())?;
                ui.report(&history, form, environment.clock.now())?;
                Ok(Exit::Done)
            }
            _ => Err(Error::usage(
                "--profiles and -o csv are for what the journal has, and neither --issued nor --revoked was given",
            )
            .hint("add --issued for certificates, or --revoked for entries of CRLs")),
        }
    }

    fn journal(self, what: What, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = self.at.instant(environment)?;
        let from = match self.fleet {
            Some(fleet) => From::Fleet(Box::new(TreeArgs {
                dirs: Vec::new(),
                profiles: Vec::new(),
                fleet: Some(fleet),
                state: self.state,
                kubelet_dir: None,
                node: None,
                hostname: environment.hostname.clone(),
                keys: environment.keys(),
            })),
            None => From::Tree(self.tree.dir),
        };
        let (report, warnings, exit) =
            issued::run(&issued::Request { from, what, since: self.since, now, threads: environment.threads })?;
        ui.warnings(&warnings);
        match self.output {
            Shape::Form(form) => ui.report(&report, form, now)?,
            Shape::Csv => {
                // Its rows say nothing of what could not be read.
                let unread = report.unread();
                ui.warnings(&unread);
                ui.output(|out| report.csv(out))?;
            }
        }
        Ok(exit)
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
