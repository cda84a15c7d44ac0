use std::path::PathBuf;

use super::keys::Keys;
use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::remove_node::{self, Request};
use crate::error::Exit;

/// Remove a node that has left the cluster from a cluster directory
///
/// In one transaction: its files in nodes/NAME go, keys of authorities among them, the recorded profile is the one without the
/// node, and with --revoke its certificates are put on the CRLs of their authorities, with the reason cessationOfOperation. What is
/// removed is kept as a generation (kpki history, kpki restore). Without --profile the recorded profile is written anew.
///
/// The machine itself keeps what it has, and who has copied the key of an authority can go on signing: wipe it. A compromised node's
/// certificates are revoked before, with their reason: kpki revoke NAME/all --reason keyCompromise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki nodes remove cp3 --dir ./cluster --dry-run                      what would go
  kpki nodes remove cp3 --dir ./cluster --revoke                       and its certificates are revoked
  kpki nodes remove w2 --dir ./cluster --profile without-w2.yaml       with the profile that is recorded from now on

Exit status: 0 removed, 1 refused or failed, 2 wrong command line or profile, 5 removed, and some certificates were not revoked.")]
pub struct Args {
    /// The node: of the profile, or one that has left it and still has a directory
    #[arg(value_name = "NAME")]
    node: String,

    #[command(flatten)]
    tree: common::Dir,

    /// The cluster's profile without the node; default: the recorded one is rewritten
    #[arg(short, long, value_name = "FILE")]
    profile: Option<PathBuf>,

    /// Put its certificates on the CRLs of their authorities
    #[arg(long)]
    revoke: bool,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    run: common::Run,
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        let Self { node, tree: common::Dir { dir }, profile, revoke, keys, run: common::Run { report, .. } } = self;
        let keys = keys.args(environment)?;
        let request = Request { dir, node, profile, revoke, keys, run };
        let removed = remove_node::run(&request)?;
        ui.warnings(&removed.warnings);
        let exit = if removed.left.is_empty() { Exit::Done } else { Exit::Partial };
        report.finish(ui, &removed, &request.run, exit)
    }
}
