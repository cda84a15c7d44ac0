use std::path::{Path, PathBuf};

use crate::cli::values::Outcome;
use crate::cli::{common, environment::Environment, ui::Ui};
use crate::commands::rotate::{self, ConfirmRequest};
use crate::error::{Error, Exit};

/// The present phase is in force on these nodes
///
/// By the nodes' receipts, which are refused if they show that it is not, with what is missing; or by hand: then it is your word that the
/// files are there and that everything that needs a restart for them was restarted. A receipt that kpki nodes merge has accepted
/// needs no confirmation of its own. A node's own tree in /etc/kubernetes is looked at, with the processes of the machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate confirm --receipt cp1.json --receipt cp2.json --dir ./cluster
  ssh cp1 kpki export --verify --receipt -o json | kpki rotate confirm cp1 --receipt - --dir ./cluster
  kpki rotate confirm cp3 w1 --dir ./cluster             by hand
  kpki rotate confirm all --dir ./cluster

Exit status: 0 done or nothing new, 1 refused or failed, 2 wrong command line.")]
pub struct Confirm {
    /// Nodes, or all; default: those of the receipts
    #[arg(value_name = "NODE", required_unless_present = "receipts")]
    nodes: Vec<String>,

    /// A node's receipt as JSON; - is standard input; can be given several times
    #[arg(long = "receipt", value_name = "FILE")]
    receipts: Vec<PathBuf>,

    #[command(flatten)]
    tree: common::Tree,

    #[command(flatten)]
    run: common::Run,
}

impl Confirm {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        if self.receipts.iter().filter(|path| *path == Path::new("-")).count() > 1 {
            return Err(Error::usage("standard input was given twice").hint("give each receipt once"));
        }
        let input = |path: &PathBuf| match path == Path::new("-") {
            true => common::stdin().map(rotate::Input::Bytes),
            false => Ok(rotate::Input::Path(path.clone())),
        };
        let receipts = self.receipts.iter().map(input).collect::<Result<Vec<_>, Error>>()?;
        let request = ConfirmRequest {
            trees: self.tree.args(environment),
            run: run.clone(),
            nodes: common::all_or_names(self.nodes)?,
            receipts,
        };
        let report = rotate::confirm(&request)?;
        ui.warnings(&report.warnings);
        self.run.report.finish(ui, &report, &run, Exit::Done)
    }
}
