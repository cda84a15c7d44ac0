use std::path::{Path, PathBuf};

use clap::ArgAction;

use super::keys::Keys;
use super::values::Expected;
use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::blueprint::Algorithm;
use crate::clock::{Span, rfc3339};
use crate::commands::kubeconfig::{self, Request};
use crate::error::Exit;
use crate::report::{Line, Tone};

/// Make kubeconfigs for people and programs
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  kpki kubeconfig user jane --group developers > jane.conf"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    User(User),
}

/// Make a kubeconfig with a client certificate of the cluster's CA
///
/// The user's name becomes the CN, each group an O. The kubeconfig is written to standard output, or with --out to a
/// file that only its owner can read. The file and the certificate's line in the tree's journal are written together. kube-apiserver reads no
/// CRLs: keep the validity short.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki kubeconfig user jane --group developers > jane.conf               for eight hours, from /etc/kubernetes
  kpki kubeconfig user ci --group deployers --validity 30d --dir ./cluster --out ci.conf
  kpki kubeconfig user jane --group developers --csr jane.csr            jane keeps her key: jane.key
  kpki kubeconfig user root --group system:masters --allow-system-masters
  age -d ca.key.age | kpki kubeconfig user jane --group developers --dir ./cluster --authority-key ca=- > jane.conf

Exit status: 0 done, 1 refused or failed, 2 wrong command line.")]
struct User {
    /// The user's name
    #[arg(value_name = "NAME")]
    user: String,

    /// A group, as named in RBAC bindings; given once for each group, without commas
    #[arg(short, long = "group", value_name = "GROUP", alias = "org")]
    groups: Vec<String>,

    /// How long the certificate is valid
    #[arg(long, value_name = "DURATION", default_value = "8h", value_parser = super::values::span, alias = "validity-period")]
    validity: Span,

    /// The API server; default: the profile's control-plane endpoint, else that of admin.conf
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// The cluster's name in the kubeconfig; default: the profile's, else that of admin.conf
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,

    /// The kind of key; default: the profile's, else ECDSA-P256
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    algorithm: Option<Algorithm>,

    /// The user's signing request: the private key stays with its owner, and only the public key is taken from the
    /// request
    #[arg(long, value_name = "FILE", conflicts_with = "algorithm")]
    csr: Option<PathBuf>,

    /// With --csr: the path of the key on its owner's machine; default: NAME.key beside the kubeconfig
    #[arg(long, value_name = "FILE", requires = "csr")]
    key_file: Option<String>,

    #[command(flatten)]
    tree: common::Dir,

    /// Write it to this file, 0600; - is standard output
    #[arg(short = 'O', long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the file
    #[arg(long, requires = "out")]
    force: bool,

    /// Confirm that the user is to be in system:masters
    #[arg(long, action = ArgAction::SetTrue)]
    allow_system_masters: bool,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    write: common::Write,
}

fn algorithm(text: &str) -> Result<Algorithm, Expected> {
    let known = || Expected(format!("one of {}", Algorithm::ALL.map(Algorithm::name).join(", ")));
    Algorithm::parse(text).ok_or_else(known)
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let Verb::User(user) = self.verb;
        user.run(environment, ui)
    }
}

impl User {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let out = self.out.filter(|out| out != Path::new("-"));
        let (name, file) = (self.user.clone(), out.clone());
        let keys = self.keys.args(environment)?;
        let (run, dir, allow_masters) = (self.write.args(environment)?, self.tree.dir, self.allow_system_masters);
        let Self { user, groups, validity, server, cluster, algorithm, csr, key_file, .. } = self;
        let made = kubeconfig::user(&Request {
            user,
            groups,
            validity,
            server,
            cluster,
            algorithm,
            csr,
            key_file,
            dir,
            out,
            force: self.force,
            allow_masters,
            run,
            keys,
        })?;
        ui.warnings(&made.warnings);
        match file {
            Some(file) => {
                let text = format!("{}: a kubeconfig for {name} until {}", file.display(), rfc3339(made.until));
                ui.lines(&[Line { text, tone: Tone::Strong }])?;
            }
            None => ui.document(&made.text).map_err(|error| {
                error.because("its certificate is recorded in the journal, and nobody has it").hint("give --out FILE")
            })?,
        }
        Ok(Exit::Done)
    }
}
