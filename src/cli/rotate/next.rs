use super::status::exit;
use crate::cli::keys::Keys;
use crate::cli::values::Outcome;
use crate::cli::{common, environment::Environment, ui::Ui};
use crate::commands::rotate::{self, NextRequest, Options};
use crate::workspace::TreeArgs;

/// The next step, if its gate is open; otherwise what is waited for
///
/// It does what kpki rotate switch or kpki rotate retire would do without options, for all authorities that may go on. Where nothing may,
/// it prints what kpki rotate status prints. It does not begin a rotation: kpki rotate prepare names what is to be replaced.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate next --dir ./cluster --dry-run             what would be done
  kpki rotate next --dir ./cluster

Exit status: 0 a step was done, or nothing is being rotated, 1 refused or failed, 2 wrong command line, 3 it waits, 4 it is blocked (kpki
rotate status says by what), 5 others must do something first.")]
pub struct Next {
    #[command(flatten)]
    tree: common::Tree,

    /// Do not run the profile's hooks
    #[arg(long)]
    no_hooks: bool,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    run: common::Run,
}

impl Next {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        let options =
            Options { no_hooks: self.no_hooks, inherited: environment.inherited.clone(), ..Options::default() };
        let request = NextRequest {
            trees: TreeArgs { keys: self.keys.args(environment)?, ..self.tree.args(environment) },
            run: run.clone(),
            options,
        };
        match ui.working(|progress| rotate::next(&request, progress))? {
            rotate::Next::Done(done) => {
                ui.warnings(&done.warnings);
                self.run.report.finish(ui, &*done, &run, super::common::exit(&done))
            }
            rotate::Next::Waits(status) => {
                ui.warnings(&status.warnings);
                ui.report(&*status, self.run.report.output, run.now)?;
                Ok(exit(&status))
            }
        }
    }
}
