//! Arguments that several verbs share, in the same words everywhere.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::environment::Environment;
use super::ui::Ui;
use super::values::{FORMS, Outcome, instant, one_of, span};
use crate::clock::{CLOCK_SKEW, Span, rfc3339};
use crate::error::{Error, Exit};
use crate::files;
use crate::report::Form;
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::survey::LARGEST_INPUT;
use crate::workspace::{RunArgs, TreeArgs};

/// One tree by its directory only.
#[derive(Debug, Args)]
pub struct Dir {
    /// The tree: a node's kubernetes directory or a cluster directory
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_DIR)]
    pub dir: PathBuf,
}

/// One tree.
#[derive(Debug, Args)]
pub struct Tree {
    /// The tree: a node's kubernetes directory or a cluster directory; default: /etc/kubernetes
    #[arg(short, long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The profile, a kubeadm configuration or the ConfigMap kubeadm-config, instead of the recorded profile; - is standard
    /// input; without --dir, clusters/prod.yaml is for clusters/prod/ if that directory exists
    #[arg(short, long, visible_alias = "config", value_name = "FILE")]
    profile: Option<PathBuf>,

    #[command(flatten)]
    node: Node,
}

/// Several trees.
#[derive(Debug, Args)]
pub struct Fleet {
    /// The tree: a node's kubernetes directory or a cluster directory; can be given several times; default:
    /// /etc/kubernetes
    #[arg(short, long = "dir", value_name = "DIR")]
    dirs: Vec<PathBuf>,

    /// The profile, a kubeadm configuration or the ConfigMap kubeadm-config, instead of the recorded profile; - is standard
    /// input; without --dir, clusters/prod.yaml is for clusters/prod/ if that directory exists
    #[arg(short, long = "profile", visible_alias = "config", value_name = "FILE")]
    profiles: Vec<PathBuf>,

    /// Every NAME.yaml in this directory with its tree NAME/, and every tree in it with a recorded profile
    #[arg(long = "profiles", value_name = "DIR")]
    fleet: Option<PathBuf>,

    /// Where the trees of --profiles are, if not beside the profiles: NAME.yaml describes NAME/ in this directory
    #[arg(long, value_name = "DIR", requires = "fleet")]
    state: Option<PathBuf>,

    #[command(flatten)]
    node: Node,
}

/// Which node a tree belongs to.
#[derive(Debug, Args)]
struct Node {
    /// The node whose tree it is, if the profile has several nodes
    #[arg(short, long, value_name = "NAME", alias = "node-name")]
    node: Option<String>,

    /// The kubelet's own directory; default: PREFIX/var/lib/kubelet/pki for PREFIX/etc/kubernetes, DIR/kubelet for any other
    /// DIR, and where its kubelet.crt is in DIR/kubelet already
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,
}

/// Options of verbs that write, and report what they did.
#[derive(Debug, Args)]
pub struct Run {
    /// Show what would be done and write nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    write: Write,

    #[command(flatten)]
    pub report: Report,
}

/// Options of verbs that write, without `--dry-run`.
#[derive(Debug, Args)]
pub struct Write {
    /// How long to wait for another kpki on the same tree
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = span)]
    lock_timeout: Span,

    #[command(flatten)]
    at: At,

    /// Write although --at is in the future: certificates made so are not valid before it
    #[arg(long)]
    allow_future: bool,
}

#[derive(Debug, Args)]
pub struct At {
    /// Act as of this instant: RFC 3339, a date, or +90d; default: now
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub at: Option<String>,
}

#[derive(Debug, Args)]
pub struct Report {
    /// The form of the report
    #[arg(short, long, default_value = "table", value_name = "FORM", value_parser = one_of(FORMS))]
    pub output: Form,
}

impl Report {
    /// The report of a run that ended with this status.
    pub fn finish(&self, ui: &mut Ui<'_>, report: &impl crate::report::Report, run: &RunArgs, exit: Exit) -> Outcome {
        if run.dry_run {
            ui.report(report, self.output, run.now)?;
            return Ok(exit);
        }
        ui.done(report, self.output, run.now, exit)
    }
}

impl Tree {
    /// Without a command line of its own.
    pub fn of(dir: PathBuf, profile: Option<PathBuf>, node: Option<String>) -> Self {
        Self { dir: Some(dir), profile, node: Node { node, kubelet_dir: None } }
    }

    pub fn args(&self, environment: &Environment) -> TreeArgs {
        self.node.args(environment, self.dir.iter(), self.profile.iter(), None)
    }
}

impl Fleet {
    /// One tree, without a command line of its own.
    pub fn of(dir: PathBuf, profile: Option<PathBuf>, node: Option<String>) -> Self {
        let profiles = profile.into_iter().collect();
        Self { dirs: vec![dir], profiles, fleet: None, state: None, node: Node { node, kubelet_dir: None } }
    }

    /// `further`: positional directories.
    pub fn args(&self, environment: &Environment, further: &[PathBuf]) -> TreeArgs {
        let dirs = further.iter().chain(&self.dirs);
        let args = self.node.args(environment, dirs, self.profiles.iter(), self.fleet.as_deref());
        TreeArgs { state: self.state.clone(), ..args }
    }

    /// The subject of an error about the whole run.
    pub fn first_dir(&self) -> &Path {
        self.dirs.first().map_or(Path::new(DEFAULT_DIR), PathBuf::as_path)
    }
}

impl Node {
    fn args<'p>(
        &self,
        environment: &Environment,
        dirs: impl Iterator<Item = &'p PathBuf>,
        profiles: impl Iterator<Item = &'p PathBuf>,
        fleet: Option<&Path>,
    ) -> TreeArgs {
        TreeArgs {
            dirs: dirs.cloned().collect(),
            profiles: profiles.cloned().collect(),
            fleet: fleet.map(Path::to_path_buf),
            state: None,
            kubelet_dir: self.kubelet_dir.clone(),
            node: self.node.clone(),
            hostname: environment.hostname.clone(),
            keys: environment.keys(),
        }
    }
}

impl Run {
    pub fn args(&self, environment: &Environment) -> Result<RunArgs, Error> {
        let run = RunArgs { dry_run: self.dry_run, ..self.write.at_any_instant(environment)? };
        if !run.dry_run {
            self.write
                .refuse_future(run.now, environment)
                .map_err(|refused| refused.hint("to see what would be done then, and write nothing, add --dry-run"))?;
        }
        Ok(run)
    }
}

impl Write {
    pub fn args(&self, environment: &Environment) -> Result<RunArgs, Error> {
        let run = self.at_any_instant(environment)?;
        self.refuse_future(run.now, environment)?;
        Ok(run)
    }

    /// Nobody who only wanted to look ahead signs certificates that are not valid yet, or renews a year too early.
    fn refuse_future(&self, at: OffsetDateTime, environment: &Environment) -> Result<(), Error> {
        let clock = environment.clock.now();
        if self.allow_future || at - clock <= CLOCK_SKEW.duration() {
            return Ok(());
        }
        let (at, clock) = (rfc3339(at), rfc3339(clock));
        Err(Error::usage(format!("--at {at} is in the future: the clock of this machine says {clock}"))
            .hint("if what is written is to be dated then, or this clock is behind, add --allow-future"))
    }

    fn at_any_instant(&self, environment: &Environment) -> Result<RunArgs, Error> {
        Ok(RunArgs {
            now: self.at.instant(environment)?,
            lock_wait: Duration::from_secs(self.lock_timeout.as_seconds()),
            threads: environment.threads,
            dry_run: false,
        })
    }
}

impl At {
    pub fn instant(&self, environment: &Environment) -> Result<OffsetDateTime, Error> {
        match self.at.as_deref() {
            None => environment.now(),
            // A distance is one from the machine's clock.
            Some(text) if text.starts_with(['+', '-']) => instant("--at", text, environment.now()?),
            Some(text) => instant("--at", text, environment.clock.now()),
        }
    }
}

/// Standard input as a file: all of it.
pub fn stdin() -> Result<Zeroizing<Vec<u8>>, Error> {
    Ok(files::read_stdin(LARGEST_INPUT)?)
}

/// The names that were given; `all` gives an empty `Vec`, which means every entry.
pub fn all_or_names(names: Vec<String>) -> Result<Vec<String>, Error> {
    match names.as_slice() {
        [only] if only == "all" => Ok(Vec::new()),
        names if names.iter().any(|name| name == "all") => {
            Err(Error::usage("all cannot be combined with other names").hint("give all alone, or only the names"))
        }
        _ => Ok(names),
    }
}
