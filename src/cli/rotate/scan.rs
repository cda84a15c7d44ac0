use std::path::{Path, PathBuf};

use crate::cli::values::Outcome;
use crate::cli::{common, environment::Environment, ui::Ui};
use crate::commands::rotate::scan::{self, Input, Request};
use crate::error::{Error, Exit};
use crate::files::Stream;

/// Where the old authority still is: in dumps of a cluster's objects, kubeconfigs, directories and files
///
/// It finds what trusts the old authority, what it signed, and tokens of the old service account key: in caBundle fields, ca.crt
/// and tls.crt, kubeconfigs in Secrets and ConfigMaps, annotations, and anywhere else in a text, in PEM or base64, wrapped as often
/// as it may be. Dumps in JSON may have any length. A key or token is never shown.
///
/// What is in the way depends on how far the rotation is, as the tree has recorded it. Prepared: what trusts the old authority and
/// not yet the new one. Switched: that, and what the old one has signed. Retired: whatever is left of the old one.
/// Without a tree, --old says what is sought.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Scan {
    /// Dumps (kubectl get -o json, or YAML), kubeconfigs, PEM files, directories; - is standard input
    #[arg(value_name = "FILE|DIR|-", required = true)]
    inputs: Vec<PathBuf>,

    /// The old authority's certificate, or the old sa.pub; default: what is being rotated in the tree
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dir", "profile", "node"])]
    old: Vec<PathBuf>,

    /// What replaces it, one for each --old: what trusts both is not in the way
    #[arg(long, value_name = "FILE", requires = "old")]
    new: Vec<PathBuf>,

    #[command(flatten)]
    tree: common::Tree,

    #[command(flatten)]
    at: common::At,

    #[command(flatten)]
    report: common::Report,
}

const EXAMPLES: &str = "\
Examples:
  kpki rotate scan dump.json --dir ./cluster             what is being rotated there
  kpki rotate scan dump.json ~/.kube/config /etc/haproxy --old old-ca.crt --new new-ca.crt
  kubectl get cm -A --field-selector metadata.name=kube-root-ca.crt -o json | kpki rotate scan -
  kubectl get secrets,cm -A -o json | kpki rotate scan - --old old-ca.crt
  kubectl get apiservices,crd,validatingwebhookconfigurations,mutatingwebhookconfigurations -o json > dump.json
  kpki rotate scan dump.json --old old-sa.pub            tokens of the old service account key

Exit status: 0 nothing is in the way, 1 refused, or something could not be looked at, 2 wrong command line, 4 something is in the way.";

impl Scan {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let at = self.at.instant(environment)?;
        let inputs = self.inputs.iter().map(|path| input(path)).collect::<Result<Vec<_>, _>>()?;
        let found = scan::run(Request { inputs, old: self.old, new: self.new, trees: self.tree.args(environment) })?;
        ui.warnings(&found.notes);
        ui.report(&found, self.report.output, at)?;
        Ok(match (found.summary.counted, found.summary.not_read) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Failed,
            _ => Exit::Critical,
        })
    }
}

fn input(path: &Path) -> Result<Input, Error> {
    if path != Path::new("-") {
        return Ok(Input::Path(path.to_owned()));
    }
    let stream = Stream::open(std::io::stdin());
    stream.map(Input::Stdin).map_err(|why| Error::new("cannot read standard input").because(why))
}
