use std::path::{Path, PathBuf};

use super::keys::Keys;
use super::{common, environment::Environment, nodes_remove, ui::Ui, values::Outcome};
use crate::commands::nodes::{self, Input, MergeRequest, Request};
use crate::error::{Error, Exit};
use crate::report::nodes::Standing;

/// Show what is shipped to each node, confirmed by its receipt, and running there
///
/// On the host with the cluster directory. A node confirms by its receipt: kpki export --verify --receipt -o json prints it
/// there, and kpki nodes merge accepts it here. A component runs with what is there only if every process of it that is root's
/// started after its files were put in place, or if it reads all that is newer again by itself; a process that is not visible is
/// unknown, and unknown is not yes.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  kpki nodes --dir ./cluster                             what is still to be done, node by node
  kpki nodes --dir ./cluster -o json | jq '.nodes[].next'
  kpki nodes --dir ./cluster --receipt cp1.json          as it would be with this receipt
  kpki nodes merge cp1.json cp2.json --dir ./cluster     accept them
  kpki nodes remove cp3 --dir ./cluster --revoke         a node that is gone

Exit status: 0 every node is confirmed and runs with what it has, 1 could not run, 2 wrong command line, 3 something waits, 4 a receipt
contradicts this directory: another cluster's authority, a list with a higher number or two of one number.")]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,

    #[command(flatten)]
    tree: common::Dir,

    /// Look at this receipt as if it were merged; - is standard input; can be given several times
    #[arg(long = "receipt", value_name = "FILE")]
    receipts: Vec<PathBuf>,

    #[command(flatten)]
    report: common::Report,

    #[command(flatten)]
    at: common::At,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Merge(Merge),
    Remove(nodes_remove::Args),
}

/// Accept nodes' receipts, and bring what was issued and revoked there into this directory
///
/// A receipt of another cluster, of a node that the profile does not have, or older than the last accepted one is refused, and
/// nothing is written then. What a node has issued is added to the journal, so that kpki revoke --serial knows it. Where a
/// node has another revocation list of an authority, the next issue is signed here, with a number above all and every entry.
/// Certificates and lists in a receipt are believed by their authority's signature, from any node: a host that came back from
/// a backup learns from them what it has lost. A list that is too large for a receipt comes with --crl; until what it revokes
/// is known, no issue is signed that would take its place. The rest of a receipt is the word of its node: bring it over a
/// connection that shows whose it is, such as ssh.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki nodes merge cp1.json cp2.json cp3.json --dir ./cluster
  ssh cp1 kpki export --verify --receipt -o json | kpki nodes merge - --dir ./cluster
  kpki nodes merge cp1.json --dir ./cluster --dry-run
  kpki nodes merge cp1.json --crl cp1-ca.crl --dir ./cluster

Exit status: 0 done or nothing new, 1 refused or failed, 2 wrong command line, 5 accepted, but a list has to be signed and the key of its
authority is not here or did not open, or what a node's list revokes is not known.")]
struct Merge {
    /// Receipts as JSON; - is standard input
    #[arg(value_name = "RECEIPT", required = true)]
    receipts: Vec<PathBuf>,

    /// A node's revocation list that is too large for its receipt, as it lies there; can be given several times
    #[arg(long = "crl", value_name = "FILE")]
    crls: Vec<PathBuf>,

    #[command(flatten)]
    tree: common::Dir,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    run: common::Run,
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            None => {}
            Some(Verb::Merge(merge)) => return merge.run(environment, ui),
            Some(Verb::Remove(remove)) => return remove.run(environment, ui),
        }
        let now = self.at.instant(environment)?;
        let report = nodes::status(&Request { dir: self.tree.dir, receipts: inputs(&self.receipts)? })?;
        ui.warnings(&report.warnings);
        ui.report(&report, self.report.output, now)?;
        Ok(match report.outcome {
            Standing::Done | Standing::Removed => Exit::Done,
            Standing::Waiting => Exit::Warning,
            Standing::Contradicts => Exit::Critical,
        })
    }
}

impl Merge {
    fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        if self.receipts.iter().any(|receipt| receipt == Path::new("-")) {
            self.keys.refuse_stdin()?;
        }
        let keys = self.keys.args(environment)?;
        let receipts = inputs(&self.receipts)?;
        let report = nodes::merge(&MergeRequest {
            dir: self.tree.dir.clone(),
            keys,
            run: run.clone(),
            receipts,
            crls: self.crls.clone(),
        })?;
        ui.warnings(&report.warnings);
        let exit = if report.has_gap() { Exit::Partial } else { Exit::Done };
        self.run.report.finish(ui, &report, &run, exit)
    }
}

fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, Error> {
    if paths.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Error::usage("standard input was given twice").hint("give each receipt once"));
    }
    let input = |path: &PathBuf| match path == Path::new("-") {
        true => common::stdin().map(Input::Bytes),
        false => Ok(Input::Path(path.clone())),
    };
    paths.iter().map(input).collect()
}
