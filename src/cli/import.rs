use std::path::PathBuf;

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::import::{self, Request};
use crate::error::Exit;

/// Put certificates that somebody else signed in place
///
/// Each certificate is for the entry whose key it is about: one that waits in DIR/.kpki/requests (kpki csr, kpki init and kpki renew
/// leave them there), or the one in use. It must lead to the tree's authority - certificates between the two stand behind it in
/// its file and stay there - and say what the entry is: subject, names, usages, and no authority. Then key and certificate go in
/// place together, as one transaction: what was there is kept as a generation (kpki history, kpki restore). One certificate that
/// does not fit, and nothing is written.
///
/// An authority's own certificate is put in place while nothing in the tree was signed by another one: an intermediate for the
/// key that waits for it with its chain, or with --as ca the certificate of an external authority.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Certificates, PEM or DER; those behind the first are its chain
    #[arg(value_name = "CERT", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    tree: common::Tree,

    /// The entry it is for, where several have the same key; for an external authority: ca, front-proxy-ca or etcd-ca
    #[arg(long = "as", value_name = "NAME")]
    entry: Option<String>,

    /// Where kpki csr --out put keys and requests
    #[arg(long, value_name = "DIR")]
    requests: Option<PathBuf>,

    #[command(flatten)]
    run: common::Run,

    #[command(flatten)]
    report: common::Report,
}

const EXAMPLES: &str = "\
Examples:
  kpki import signed/*.crt                                what the authority's owner sent back, into /etc/kubernetes
  kpki import apiserver.pem --dir ./cluster --dry-run
  kpki import corporate-ca.crt --as etcd-ca --dir ./cluster   the authority itself, while it signed nothing yet
  kpki import *.crt --requests ./requests                 keys from kpki csr --out ./requests

Exit status: 0 they are in place, 1 refused or failed and nothing was written, 2 wrong command line or profile.";

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let (trees, run) = (self.tree.args(environment), self.run.args(environment)?);
        let request = Request { trees, run, files: self.files, entry: self.entry, requests: self.requests };
        let report = import::run(&request)?;
        ui.warnings(&report.warnings);
        ui.report(&report, self.report.form(), request.run.now)?;
        Ok(Exit::Done)
    }
}
