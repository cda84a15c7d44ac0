use std::path::{Path, PathBuf};

use super::values::Outcome;
use super::{common, environment::Environment, ui::Ui};
use crate::commands::rotate_scan::{self, Input, Request};
use crate::error::{Error, Exit};
use crate::files::Stream;

/// Where the old authority still is: in dumps of a cluster's objects, kubeconfigs, directories and files
///
/// It finds what trusts the old authority, what it signed, and tokens of the old service account key: in caBundle fields, ca.crt
/// and tls.crt, kubeconfigs in Secrets and ConfigMaps, annotations, and anywhere else in a text, in PEM or base64, wrapped as often
/// as it may be. Dumps in JSON may have any length. A key or token is never shown.
///
/// What is in the way depends on how far the rotation is. Prepared: what trusts the old authority and not yet the new one.
/// Switched: that, and what the old one has signed. With --old alone: whatever is left of the old one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Dumps (kubectl get -o json, or YAML), kubeconfigs, PEM files, directories; - is standard input
    #[arg(value_name = "FILE|DIR|-", required = true)]
    inputs: Vec<PathBuf>,

    /// The old authority's certificate, or the old sa.pub
    #[arg(long, value_name = "FILE", required = true)]
    old: Vec<PathBuf>,

    /// What replaces it, one for each --old: what trusts both is not in the way
    #[arg(long, value_name = "FILE", requires = "old")]
    new: Vec<PathBuf>,

    #[command(flatten)]
    at: common::At,

    #[command(flatten)]
    report: common::Report,
}

const EXAMPLES: &str = "\
Examples:
  kubectl get cm -A --field-selector metadata.name=kube-root-ca.crt -o json | kpki rotate scan -
  kubectl get secrets,cm -A -o json | kpki rotate scan - --old old-ca.crt
  kubectl get apiservices,crd,validatingwebhookconfigurations,mutatingwebhookconfigurations -o json > dump.json
  kpki rotate scan dump.json ~/.kube/config /etc/haproxy --old old-ca.crt --new new-ca.crt
  kpki rotate scan dump.json --old old-sa.pub            tokens of the old service account key

Exit status: 0 nothing is in the way, 1 refused, or something could not be looked at, 2 wrong command line, 4 something is in the way.";

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let at = self.at.instant(environment)?;
        let inputs = self.inputs.iter().map(|path| input(path)).collect::<Result<Vec<_>, _>>()?;
        let scan = rotate_scan::run(Request { inputs, old: self.old, new: self.new })?;
        ui.warnings(&scan.notes);
        ui.report(&scan, self.report.output, at)?;
        Ok(match (scan.summary.counted, scan.summary.not_read) {
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
