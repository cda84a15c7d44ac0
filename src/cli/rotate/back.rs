use super::common::Common;
use crate::cli::values::Outcome;
use crate::cli::{environment::Environment, ui::Ui};
use crate::commands::rotate::Step;

/// One step back
#[derive(Debug, clap::Args)]
pub struct Back {
    /// Default: all that are being rotated
    #[arg(value_name = "AUTHORITY")]
    names: Vec<String>,

    #[command(flatten)]
    common: Common,
}

impl Back {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        self.common.run(Step::Back, &self.names, environment, ui)
    }
}
