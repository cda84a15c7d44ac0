use super::common::Common;
use crate::cli::values::Outcome;
use crate::cli::{environment::Environment, ui::Ui};
use crate::commands::rotate::{RetireOptions, Step};

/// Step 3: the old authority is not trusted any more
#[derive(Debug, clap::Args)]
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
