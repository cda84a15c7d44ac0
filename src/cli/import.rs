use std::path::PathBuf;

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::import::{self, Request};
use crate::error::Exit;

/// Put externally signed certificates in place
///
/// The public key decides which entry a certificate is for: one with a pending request in DIR/.kpki/requests (written
/// by kpki csr, kpki init and kpki renew), or one in use. The certificate must chain to the tree's authority;
/// intermediates in its file, in any order and once each, are put behind it and kept there, and what was put in order or
/// left out is said. Its subject, names and usages must be those of the entry,
/// and it must not be a CA certificate. Key and certificate are then put in place together, in one transaction, and the
/// files they replace are kept as a generation (kpki history, kpki restore). If one certificate does not fit, nothing
/// is written.
///
/// The certificate of an extraCertificates entry with authority external (a public or commercial one) must chain to one of the
/// system's roots, to the profile's root or to --root. Its subject may be another one: its authority decides that.
///
/// What a new authority whose key is elsewhere signs before kpki rotate switch (from the requests that kpki rotate switch makes) is not
/// put in place yet: it is kept beside its request, and when all are there, kpki rotate switch puts them in place together.
///
/// An authority's own certificate can be put in place as long as nothing in the tree was signed by another authority:
/// an intermediate with its chain, for the key of a pending request, or with --as ca the certificate of an external
/// authority. Beside a ca.crt of more than one certificate, ca-signer.crt is written too, with the one that signs, for
/// kube-controller-manager's --cluster-signing-cert-file; how the flag is set is read in manifests/kube-controller-manager.yaml,
/// where that is in DIR.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Certificates, PEM or DER; each file holds one, or one with its chain in any order
    #[arg(value_name = "CERT", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    tree: common::Tree,

    /// The entry it is for, if several have the same key; for an external authority: ca, front-proxy-ca or etcd-ca
    #[arg(long = "as", value_name = "NAME")]
    entry: Option<String>,

    /// For an entry with authority external: the roots that its path is checked against; default: the profile's root, else the
    /// system's
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,

    /// Where kpki csr --out put keys and requests
    #[arg(long, value_name = "DIR")]
    requests: Option<PathBuf>,

    #[command(flatten)]
    run: common::Run,
}

const EXAMPLES: &str = "\
Examples:
  kpki import signed/*.crt                                certificates from the external authority, into /etc/kubernetes
  kpki import apiserver.pem --dir ./cluster --dry-run
  kpki import corporate-ca.crt --as etcd-ca --dir ./cluster   the authority itself, before it signed anything
  kpki import lb.pem --root commercial-root.pem           a public certificate with its chain, for an entry of your own
  kpki import *.crt --requests ./requests                 keys from kpki csr --out ./requests

Exit status: 0 done, 1 refused or failed and nothing was written, 2 wrong command line or profile, 5 certificates of a new
authority are kept until kpki rotate switch puts them in place.";

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let (trees, run) = (self.tree.args(environment), self.run.args(environment)?);
        let request =
            Request { trees, run, files: self.files, entry: self.entry, root: self.root, requests: self.requests };
        let report = import::run(&request)?;
        ui.warnings(&report.warnings);
        let exit = if report.left.is_empty() { Exit::Done } else { Exit::Partial };
        self.run.report.finish(ui, &report, &request.run, exit)
    }
}
