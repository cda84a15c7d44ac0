use super::common::Common;
use crate::blueprint::Algorithm;
use crate::cli::values::{self, Outcome};
use crate::cli::{environment::Environment, ui::Ui};
use crate::clock::Span;
use crate::commands::rotate::{EmergencyOptions, Step};

/// Replace an authority at once, because its key is in other hands or lost
///
/// A new authority, and everything in the tree signed by it, in one transaction; the old one is trusted by nobody any more. This
/// interrupts the cluster; without --yes-this-interrupts it is explained and refused. Of the cluster CA, ca-trust.crt is written
/// beside ca.crt on control-plane nodes, with the new and the old one: for --root-ca-file of kube-controller-manager alone, so that pods
/// learn the new one before they lose the old one. What is to be done in the cluster is printed, in order. kpki rotate retire ends it.
///
/// If the key is in no other hands, prepare, switch and retire interrupt nothing. If the authority has only expired, and its key is
/// here, kpki renew ca is enough.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate emergency ca --dir ./cluster --dry-run                    what would be done, and what is to be done then
  kpki rotate emergency ca --dir ./cluster --yes-this-interrupts
  kpki rotate emergency sa --dir ./cluster --yes-this-interrupts        the service account key

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile, 5 others must do something first.")]
pub struct Emergency {
    /// ca, front-proxy-ca, etcd-ca or sa
    #[arg(value_name = "AUTHORITY", required = true)]
    names: Vec<String>,

    /// The interruption of the cluster is accepted
    #[arg(long)]
    yes_this_interrupts: bool,

    /// The algorithm of the new keys; default: the profile's, or the old one's
    #[arg(long, value_name = "ALGORITHM", value_parser = super::prepare::algorithm)]
    algorithm: Option<Algorithm>,

    /// How long the new authority is valid; default: the profile's, or the old one's lifetime
    #[arg(long, value_name = "DURATION", value_parser = values::span)]
    validity: Option<Span>,

    #[command(flatten)]
    common: Common,
}

impl Emergency {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let Self { names, yes_this_interrupts: interrupts, algorithm, validity, common } = self;
        common.run(Step::Emergency(EmergencyOptions { interrupts, algorithm, validity }), &names, environment, ui)
    }
}
