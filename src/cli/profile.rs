use std::net::IpAddr;
use std::path::PathBuf;

use super::{environment::Environment, ui::Ui, values::Outcome};
use crate::commands::profile;
use crate::error::Exit;
use crate::profile::{Overrides, starter};
use crate::report::{Line, Tone};

/// Show, check and create profiles
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  kpki profile new > cluster.yaml
  kpki profile validate clusters/*.yaml
  kpki profile show kubeadm.yaml > cluster.yaml    a kubeadm configuration as a profile, every default visible";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print the resolved profile, with every default visible
    #[command(
        after_help = "Examples:\n  kpki profile show profiles/single-node.yaml\n  kpki profile show kubeadm.yaml --node cp1\n  kubectl -n kube-system get cm kubeadm-config -o yaml | kpki profile show -"
    )]
    Show {
        /// A profile, a kubeadm configuration or the ConfigMap kubeadm-config; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,

        #[command(flatten)]
        missing: Missing,
    },
    /// Check profiles; every problem of every file is listed
    #[command(
        after_help = "Examples:\n  kpki profile validate cluster.yaml\n  kpki profile validate clusters/*.yaml\n\nExit status: 0 all are valid, 2 at least one is not."
    )]
    Validate {
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,

        #[command(flatten)]
        missing: Missing,
    },
    /// Print cfssl's signing profiles (ca-config.json) as a profile
    ///
    /// The default's expiry becomes certificateValidityPeriod, that of a profile for authorities
    /// caCertificateValidityPeriod; every other profile becomes an extra certificate with its usages and validity.
    /// Settings that a profile cannot express are reported.
    #[command(after_help = "Examples:\n  kpki profile import-cfssl ca-config.json > cluster.yaml")]
    ImportCfssl {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a commented starting point
    #[command(after_help = "Examples:\n  kpki profile new > cluster.yaml")]
    New,
}

/// What a kubeadm configuration may leave out.
#[derive(Debug, clap::Args)]
struct Missing {
    /// The node's name, if a kubeadm configuration has none; default: this machine's
    #[arg(short, long, value_name = "NAME", alias = "node-name")]
    node: Option<String>,

    /// The API server's address, if a kubeadm configuration has none
    #[arg(long, value_name = "IP")]
    apiserver_advertise_address: Option<IpAddr>,
}

impl Missing {
    fn overrides(&self, environment: &Environment) -> Overrides {
        Overrides {
            hostname: environment.hostname.clone(),
            node_name: self.node.clone(),
            advertise_address: self.apiserver_advertise_address,
            kubelet_serving: None,
        }
    }
}

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match &self.verb {
            Verb::Show { file, missing } => {
                let (text, warnings) = profile::show(file, &missing.overrides(environment))?;
                ui.warnings(&warnings);
                ui.document(&text)?;
                Ok(Exit::Done)
            }
            Verb::Validate { files, missing } => validate(files, missing, environment, ui),
            Verb::ImportCfssl { file } => {
                let (text, warnings) = profile::import_cfssl(file)?;
                ui.warnings(&warnings);
                ui.document(&text)?;
                Ok(Exit::Done)
            }
            Verb::New => {
                ui.document(starter())?;
                Ok(Exit::Done)
            }
        }
    }
}

fn validate(files: &[PathBuf], missing: &Missing, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
    let mut exit = Exit::Done;
    for verdict in profile::validate(files, &missing.overrides(environment)) {
        ui.warnings(&verdict.warnings);
        match &verdict.outcome {
            Ok((cluster, nodes)) => {
                let nodes = if *nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") };
                let text = format!("{}: valid: cluster {cluster}, {nodes}", verdict.path.display());
                ui.lines(&[Line { text, tone: Tone::Strong }])?;
            }
            Err(error) => exit = exit.max(ui.error(error)),
        }
    }
    Ok(exit)
}
