use super::values::Outcome;
use super::{environment::Environment, ui::Ui};

/// Replace authorities and the service account key in phases, without one failed handshake
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Scan(super::rotate_scan::Args),
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            Verb::Scan(args) => args.run(environment, ui),
        }
    }
}
