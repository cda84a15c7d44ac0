use super::values::{Outcome, TEXT_FORMS, one_of};
use super::{environment::Environment, ui::Ui};
use crate::error::Exit;
use crate::report::{Form, Version};

/// Show the version, what it was built for, and the versions of the cryptographic libraries in it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki version
  kpki version -o json")]
pub struct Args {
    /// The form of the report
    #[arg(short, long, value_name = "FORM", default_value = "text", value_parser = one_of(TEXT_FORMS))]
    output: Form,
}

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        // A clock that is wrong is no reason not to say it.
        ui.report(&Version::of_this(), self.output, environment.clock.now())?;
        Ok(Exit::Done)
    }
}
