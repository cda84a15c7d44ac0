use std::path::PathBuf;

use super::ui::Ui;
use super::{Outcome, Output};
use crate::clock::Span;
use crate::commands::renew::{self, Request};
use crate::error::{Error, Exit};
use crate::plan::layout::DEFAULT_DIR;
use crate::report::renew as report;
use crate::run::Environment;

/// Renew certificates and kubeconfigs in place, as one transaction
///
/// The new certificate is what the old one was: subject, names, usages, kind of key, lifetime. Where a profile is recorded or
/// given, names it adds are added, and its algorithm and lifetime hold where it states them. A new key is made, unless
/// --reuse-key. In a kubeconfig only the credential changes, and the CA data where it is not ca.crt; every other byte stays.
///
/// Everything that is named is renewed; with --due only what is inside its renewal window (the profile's renewal.before, 33% of
/// the lifetime without one), is expired, revoked, missing or broken, or lacks a name of the profile: this is what a scheduled job uses. What its
/// authority's revocation list names gets a new key always, what is held waits, and lists near their end are signed anew.
/// Everything is made and verified in memory, the old files are kept as a generation (kpki history, kpki restore), then each file is
/// replaced by a rename. What an external authority signs is asked for instead: new key and request wait in DIR/.kpki/requests, the running
/// files stay, and kpki import puts both in place. After a crash or a full disk there is the old tree, or the next run of kpki finishes the new one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// all, or names as kubeadm has them (apiserver, admin.conf, kubelet-serving); NODE/NAME in a cluster directory
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// The tree: a node's kubernetes directory or a cluster directory; default: /etc/kubernetes
    #[arg(short, long = "dir", value_name = "DIR")]
    dirs: Vec<PathBuf>,

    /// The profile of the tree, in place of the recorded one; clusters/prod.yaml is that of clusters/prod/ where that exists
    #[arg(short, long = "profile", alias = "config", value_name = "FILE")]
    profiles: Vec<PathBuf>,

    /// Every NAME.yaml in this directory with its tree NAME/, and every tree in it that records its profile
    #[arg(long = "profiles", value_name = "DIR")]
    fleet: Option<PathBuf>,

    /// Which node's tree it is, where the profile has several and nothing else says it
    #[arg(short, long, value_name = "NAME", alias = "node-name")]
    node: Option<String>,

    /// The kubelet's own directory; default: /var/lib/kubelet/pki for /etc/kubernetes, DIR/kubelet for any other
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// Only what is due
    #[arg(long)]
    due: bool,

    /// Remove names that the profile does not ask for
    #[arg(long)]
    prune_sans: bool,

    /// Keep the private keys
    #[arg(long)]
    reuse_key: bool,

    /// Show old and new side by side and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not run the profile's hooks
    #[arg(long)]
    no_hooks: bool,

    /// Exit 10 when something was renewed, so that a job can tell it from nothing being due
    #[arg(long)]
    detailed_exitcode: bool,

    /// How long to wait for another kpki on the same tree
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = super::span)]
    lock_timeout: Span,

    /// Act as of this instant: RFC 3339, a date, or +90d; default: now
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    at: Option<String>,

    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = Output::Table, value_name = "FORM")]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  kpki renew all --dry-run                       what would be renewed in /etc/kubernetes, old and new side by side
  kpki renew all --due                           what a scheduled job runs: only what is due
  kpki renew apiserver etcd-server               these two
  kpki renew all --due --dir ./cluster           a cluster directory with all its nodes
  kpki renew cp1/apiserver --dir ./cluster       one certificate of one node
  kpki renew all --due --profiles clusters/      a fleet: clusters/NAME.yaml with clusters/NAME/

Exit status: 0 renewed or nothing due, 1 refused or failed, 2 wrong command line or profile, 5 something could not be renewed (an
external authority, for instance) while the rest was; with --detailed-exitcode 10 when something was renewed.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = environment.clock.now();
        let now = match &self.at {
            None => now,
            Some(text) => super::instant("--at", text, now)?,
        };
        let request = self.request(environment, now)?;
        let outcome = renew::run(&request, &mut |done, total| ui.progress(done, total));
        ui.end_progress();
        let form = self.output.into();
        let (report, mut warnings) = match outcome {
            Ok(outcome) => outcome,
            // A reader of documents gets one, too.
            Err(error) if matches!(self.output, Output::Json | Output::Yaml) && error.exit == Exit::Failed => {
                let dir = self.dirs.first().map_or(DEFAULT_DIR.to_owned(), |dir| dir.display().to_string());
                let trees = vec![renew::failed_at(dir, &error)];
                let report = report::Renew::new(self.dry_run, trees);
                ui.report(&report, form, now)?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let several = report.trees.len() > 1;
        for tree in &report.trees {
            let place = |line: &String| if several { format!("{}: {line}", tree.directory) } else { line.clone() };
            warnings.extend(tree.warnings.iter().map(place));
        }
        ui.warnings(&warnings);
        ui.report(&report, form, now)?;
        ui.failures(&report.failures());
        Ok(self.exit(&report))
    }

    fn exit(&self, report: &report::Renew) -> Exit {
        match report.outcome {
            report::Outcome::Failed => Exit::Failed,
            report::Outcome::Partial => Exit::Partial,
            report::Outcome::Renewed if self.detailed_exitcode => Exit::Renewed,
            report::Outcome::Renewed | report::Outcome::Nothing => Exit::Done,
        }
    }

    fn request(&self, environment: &Environment, now: time::OffsetDateTime) -> Result<Request, Error> {
        let all = self.names.iter().any(|name| name == "all");
        if all && self.names.len() > 1 {
            return Err(Error::usage("all goes with no other name").hint("leave the names out, or leave all out"));
        }
        Ok(Request {
            names: if all { Vec::new() } else { self.names.clone() },
            dirs: self.dirs.clone(),
            profiles: self.profiles.clone(),
            fleet: self.fleet.clone(),
            kubelet_dir: self.kubelet_dir.clone(),
            node: self.node.clone(),
            hostname: environment.hostname.clone(),
            due: self.due,
            prune_sans: self.prune_sans,
            reuse_key: self.reuse_key,
            dry_run: self.dry_run,
            no_hooks: self.no_hooks,
            inherited: environment.inherited.clone(),
            planned: false,
            now,
            lock_wait: std::time::Duration::from_secs(self.lock_timeout.as_seconds()),
            threads: environment.threads,
        })
    }
}
