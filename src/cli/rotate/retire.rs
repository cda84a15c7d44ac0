use super::common::Common;
use crate::cli::values::Outcome;
use crate::cli::{environment::Environment, ui::Ui};
use crate::commands::rotate::{RetireOptions, Step};

/// Step 3: the old authority is not trusted any more
///
/// Refused until every node has confirmed the switch, the wait of the profile (rotation.waitBeforeRetire) is over, and no certificate of the old
/// authority is valid that the journal knows to be with somebody. Its key stays in .kpki/rotation until kpki rotate forget, or --forget.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate retire --dir ./cluster --dry-run           what would change, or what is waited for
  kpki rotate retire --dir ./cluster                     all that are switched, or replaced in an emergency
  kpki rotate retire ca --dir ./cluster --forget         and its old key is destroyed

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile.")]
pub struct Retire {
    /// Default: all that are switched
    #[arg(value_name = "AUTHORITY")]
    names: Vec<String>,

    /// Every node has the present phase in force
    #[arg(long)]
    confirm_all: bool,

    /// Although the wait is not over, or certificates of the old authority are still valid
    #[arg(long)]
    not_before_override: bool,

    /// Destroy the old authority's key, too
    #[arg(long)]
    forget: bool,

    #[command(flatten)]
    common: Common,
}

impl Retire {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let Self { confirm_all, not_before_override, forget, names, common } = self;
        let step = Step::Retire(RetireOptions { confirm_all, not_before_override, forget });
        common.run(step, &names, environment, ui)
    }
}
