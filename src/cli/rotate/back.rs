use super::common::Common;
use crate::cli::values::Outcome;
use crate::cli::{environment::Environment, ui::Ui};
use crate::commands::rotate::{BackOptions, Step};

/// One step back
///
/// From prepared: the new authority is trusted by nobody any more, and its key is destroyed. From switched: the
/// old one signs again, and the certificates and kubeconfigs of before the switch are put back; what has changed since is made again.
/// Then it is prepared. After retire, and while its key is not forgotten, an authority that is named is trusted again, behind the new
/// one, which goes on signing: it is switched again.
///
/// The first step back from prepared or switched is possible at any time. What has been used meanwhile makes the next one wait: from
/// prepared after a switch, as kpki rotate retire does, until every node has confirmed, rotation.waitBeforeRetire is over, and no
/// certificate of the new authority is valid that the journal knows; from switched after a retirement, until every node has confirmed
/// that it trusts the old authority again.
///
/// A step back is one transaction, as a step forth is: bring the files to the nodes and restart what is listed. Nodes have to confirm
/// the phase anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate back --dir ./cluster --dry-run         what would be put back
  kpki rotate back --dir ./cluster                   all that are being rotated
  kpki rotate back etcd-ca --dir ./cluster           one of them
  kpki rotate back ca --dir ./cluster                after retire: the old one is trusted again
  kpki rotate back --dir ./cluster --confirm-all     every node has what the step before brought

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile, 5 others must do something first.")]
pub struct Back {
    /// Default: all that are being rotated
    #[arg(value_name = "AUTHORITY")]
    names: Vec<String>,

    /// Every node has the present phase in force
    #[arg(long)]
    confirm_all: bool,

    /// Although the wait is not over, or certificates of the new authority are still valid
    #[arg(long)]
    not_before_override: bool,

    #[command(flatten)]
    common: Common,
}

impl Back {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let Self { confirm_all, not_before_override, names, common } = self;
        common.run(Step::Back(BackOptions { confirm_all, not_before_override }), &names, environment, ui)
    }
}
