use super::every::{Every, Work};
use super::keys::Keys;
use super::values::{Outcome, span};
use super::{common, environment::Environment, ui::Ui};
use crate::catalog::CaId;
use crate::clock::Span;
use crate::commands::renew::{self, Request};
use crate::commands::renew_authority;
use crate::error::{Error, Exit};
use crate::report::Form;
use crate::report::renew as report;
use crate::workspace::{RunArgs, TreeArgs};

/// Renew certificates and kubeconfigs in place, as one transaction
///
/// The new certificate has the subject, names, usages, key algorithm and lifetime of the old one. If a profile is
/// recorded or given, the names it adds are added, and its algorithm and lifetime are used where it states them. The
/// key is new, unless --reuse-key. In a kubeconfig only the credential changes, and the CA data if it is not ca.crt;
/// every other byte stays.
///
/// A given profile that differs from the recorded one is recorded too, if the whole tree (all) follows it and nothing was left; else
/// it is said that the next run will not follow it. A kubeconfig whose server is the one that the profile before gave gets the new
/// one. A node of the profile that has no files yet is kpki init's to make.
///
/// Every named entry is renewed. With --due, as in a scheduled job, only those that are inside their renewal window
/// (the profile's renewal.before, default 33% of the lifetime), expired, revoked, missing or broken, or that lack a
/// name of the profile. A revoked certificate always gets a new key, and a held one is not renewed. With --due, CRLs
/// near their nextUpdate are signed too.
///
/// An authority (ca, front-proxy-ca, etcd-ca) is renewed by name only, never by all, --due or NODE/all, and with its key: name, key
/// identifiers and extensions stay, serial number and dates are new. It takes the place of the old certificate in its file, in the
/// copies of every node, in ca-signer.crt and in what kubeconfigs trust, in one transaction; no other certificate and no key changes,
/// and until the old one ends everybody may hold either. That is enough where only the date is the problem. If the key may be
/// known to others, or its algorithm or name has to change, it is not. Below another authority a request for the same key is
/// left (exit status 5), as by kpki csr.
///
/// Everything is made and verified in memory, the old files are kept as a generation (kpki history, kpki restore), then
/// each file is replaced by a rename. For an entry of an external authority, a new key and a signing request are
/// written to DIR/.kpki/requests, the files in use stay, and kpki import puts key and certificate in place. After a
/// crash or a full disk either the old tree is unchanged, or the next run of kpki completes the new one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// all, or names as kubeadm has them (apiserver, admin.conf, kubelet-serving); NODE/NAME or NODE/all in a cluster
    /// directory; or authorities alone: ca, front-proxy-ca, etcd-ca
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    #[command(flatten)]
    trees: common::Fleet,

    /// Renew only what is due
    #[arg(long)]
    due: bool,

    /// Remove names that the profile does not ask for
    #[arg(long)]
    prune_sans: bool,

    /// Keep the private keys
    #[arg(long)]
    reuse_key: bool,

    /// Of an authority: how long the new certificate is to live from now on; default: what the profile states, else as long as
    /// the old one
    #[arg(long, value_name = "DURATION", value_parser = span)]
    validity: Option<Span>,

    /// Do not run the profile's hooks
    #[arg(long)]
    no_hooks: bool,

    /// The host with the keys of authorities that are not here: what they sign is a warning that names it, when the first
    /// ends and the commands to run there, and not exit status 5, while nothing but its renewal window has begun
    #[arg(long, value_name = "HOST")]
    safe_host: Option<String>,

    /// Exit 10 when something was renewed, so that a job can distinguish it from nothing being due
    #[arg(long)]
    detailed_exitcode: bool,

    #[command(flatten)]
    every: Every,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    run: common::Run,
}

const EXAMPLES: &str = "\
Examples:
  kpki renew all --dry-run                       what would be renewed in /etc/kubernetes, old and new side by side
  kpki renew all --due                           only what is due, for scheduled jobs
  kpki renew apiserver etcd-server               these two
  kpki renew all --due --dir ./cluster           a cluster directory with all its nodes
  kpki renew cp1/apiserver --dir ./cluster       one certificate of one node
  kpki renew cp2/all --dir ./cluster             a node that is replaced: new keys for all it has
  kpki renew all --due --profile new.yaml --dir ./cluster   the profile has changed: names, endpoint, and it is recorded
  kpki renew ca --dry-run                        the date of the cluster's CA, with its key: what would be written
  kpki renew ca etcd-ca front-proxy-ca --validity 10y --dir ./cluster   all three, and every copy
  kpki renew all --due --safe-host ops1          on a node without CA keys: what ops1 has to renew is a warning
  kpki renew all --due --profiles clusters/      a fleet: clusters/NAME.yaml with clusters/NAME/
  kpki renew all --due --every 12h --metrics-file /metrics/kpki.prom   as in a DaemonSet (deploy/kubernetes)

Exit status: 0 renewed or nothing due, 1 refused or failed, 2 wrong command line or profile, 5 some entries were not renewed
(those of an external authority, for instance), the others were; with --detailed-exitcode 10 when something was renewed. With --every 129,
130 or 143, of the signal that ended it.";

impl Args {
    /// What kubeadm's verb of this name does.
    pub fn of(names: Vec<String>, trees: common::Fleet, run: common::Run) -> Self {
        Self {
            names,
            trees,
            due: false,
            prune_sans: false,
            reuse_key: false,
            validity: None,
            no_hooks: false,
            every: Every { every: None, metrics_file: None },
            safe_host: None,
            detailed_exitcode: false,
            keys: Keys::default(),
            run,
        }
    }

    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        // A command line that is wrong is wrong each time.
        self.authorities()?;
        common::all_or_names(self.names.clone())?;
        // A key that comes from a pipe is read once.
        let trees = self.trees(environment)?;
        let work = Work {
            run: &|ui| self.once(&trees, environment, ui),
            run_args: &|| self.run.args(environment),
            trees: &trees,
        };
        self.every.run(&work, environment, ui)
    }

    fn once(&self, trees: &TreeArgs, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        let now = run.now;
        let form = self.run.report.output;
        let outcome = match self.authorities()? {
            Some(authorities) => {
                let request = self.of_authorities(authorities, trees.clone(), environment, run.clone());
                ui.working(|progress| renew_authority::run(&request, progress))
            }
            None => {
                let request = self.request(trees.clone(), environment, run.clone())?;
                ui.working(|progress| renew::run(&request, progress))
            }
        };
        let (report, mut warnings) = match outcome {
            Ok(outcome) => outcome,
            // JSON and YAML output always have a document.
            Err(error) if matches!(self.run.report.output, Form::Json | Form::Yaml) && error.exit == Exit::Failed => {
                let trees = vec![renew::failed_at(self.trees.first_dir().display().to_string(), &error)];
                let report = report::Renew::new(self.run.dry_run, trees);
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
        for tree in &report.trees {
            if let Some(text) = &tree.elsewhere {
                ui.result(&format!("{}: {text}", tree.directory));
            }
        }
        let exit = self.exit(&report);
        let exit = self.run.report.finish(ui, &report, &run, exit)?;
        ui.failures(&report.failures());
        Ok(exit)
    }

    fn exit(&self, report: &report::Renew) -> Exit {
        match report.outcome {
            report::Outcome::Failed => Exit::Failed,
            report::Outcome::Partial => Exit::Partial,
            report::Outcome::Renewed if self.detailed_exitcode => Exit::Renewed,
            report::Outcome::Renewed | report::Outcome::Nothing => Exit::Done,
        }
    }

    /// The authorities, where nothing else is named; none otherwise.
    fn authorities(&self) -> Result<Option<Vec<CaId>>, Error> {
        let mut found: Vec<CaId> = self.names.iter().filter_map(|name| CaId::parse(name)).collect();
        found.sort_unstable();
        found.dedup();
        let all = self.names.iter().all(|name| CaId::parse(name).is_some());
        match (all, found.as_slice()) {
            (false, []) if self.validity.is_some() => Err(Error::usage("--validity is for authorities")
                .because("the profile says how long other certificates live: certificateValidityPeriod")
                .hint("leave --validity out, or name ca, front-proxy-ca or etcd-ca alone")),
            (false, []) => Ok(None),
            (false, [first, ..]) => {
                Err(Error::usage(format!("{} is an authority, and not renewed with other entries", first.name()))
                    .because("what it signed stays valid, and need not be renewed with it")
                    .hint("name the authorities in one run, and the others in another"))
            }
            (true, _) if self.due || self.prune_sans || self.safe_host.is_some() => {
                Err(Error::usage("--due, --prune-sans and --safe-host are not for authorities")
                    .because("an authority is renewed when it is named, and keeps its names")
                    .hint("leave them out"))
            }
            (true, _) => Ok(Some(found)),
        }
    }

    fn of_authorities(
        &self,
        authorities: Vec<CaId>,
        trees: TreeArgs,
        environment: &Environment,
        run: RunArgs,
    ) -> renew_authority::Request {
        renew_authority::Request {
            trees,
            run,
            authorities,
            validity: self.validity,
            no_hooks: self.no_hooks,
            inherited: environment.inherited.clone(),
        }
    }

    fn trees(&self, environment: &Environment) -> Result<TreeArgs, Error> {
        self.keys.with(self.trees.args(environment, &[]), environment)
    }

    fn request(&self, trees: TreeArgs, environment: &Environment, run: RunArgs) -> Result<Request, Error> {
        Ok(Request {
            trees,
            run,
            only_planned: false,
            names: common::all_or_names(self.names.clone())?,
            due: self.due,
            prune_sans: self.prune_sans,
            reuse_key: self.reuse_key,
            no_hooks: self.no_hooks,
            safe_host: self.safe_host.clone(),
            inherited: environment.inherited.clone(),
        })
    }
}
