use super::{environment::Environment, nodes_remove, ui::Ui, values::Outcome};

/// The nodes of a cluster directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki nodes remove cp3 --dir ./cluster --revoke")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Remove(nodes_remove::Args),
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            Verb::Remove(args) => args.run(environment, ui),
        }
    }
}
