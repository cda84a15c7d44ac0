use super::common::Common;
use crate::cli::values::Outcome;
use crate::cli::{environment::Environment, ui::Ui};
use crate::commands::rotate::{Step, SwitchOptions};
use crate::tree::rotation::Kubelets;

/// Step 2: the new authority signs
///
/// Every certificate and kubeconfig of the authority is made again, and lives as long as the one before was meant to; both are trusted. Refused
/// until every node has confirmed the preparation and the wait of the profile (rotation.waitBeforeSwitch) is over. It prints what is to be done in the
/// cluster, in order, and writes it to .kpki/rotation/switch.md.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate switch --dir ./cluster --dry-run                    what would be made again, or what is waited for
  kpki rotate switch --dir ./cluster                              all that are prepared
  kpki rotate switch front-proxy-ca --dir ./cluster               one
  kpki rotate switch --dir ./cluster --cross-sign                 who was not reached accepts the serving certificates
  kpki rotate switch --dir ./cluster --confirm-all --not-before-override     by your word

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile, 5 some were not made again: held ones, or what an
external authority has to sign.")]
pub struct Switch {
    /// Default: all that are prepared
    #[arg(value_name = "AUTHORITY")]
    names: Vec<String>,

    /// Keep the private keys of the certificates: each file is replaced by one rename
    #[arg(long)]
    reuse_keys: bool,

    /// How kubelets come by a certificate of the new authority; default: embed in a cluster directory, wait in a node's own tree
    #[arg(long, value_name = "HOW", value_enum)]
    kubelets: Option<How>,

    /// Put the new authority's certificate by the old one behind serving certificates
    #[arg(long)]
    cross_sign: bool,

    /// Every node has the present phase in force
    #[arg(long)]
    confirm_all: bool,

    /// Although the wait is not over
    #[arg(long)]
    not_before_override: bool,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum How {
    Embed,
    Wait,
}

impl Switch {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let how = |how| match how {
            How::Embed => Kubelets::Embed,
            How::Wait => Kubelets::Wait,
        };
        let step = Step::Switch(SwitchOptions {
            reuse_keys: self.reuse_keys,
            kubelets: self.kubelets.map(how),
            cross_sign: self.cross_sign,
            confirm_all: self.confirm_all,
            not_before_override: self.not_before_override,
        });
        self.common.run(step, &self.names, environment, ui)
    }
}
