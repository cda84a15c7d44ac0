use std::path::PathBuf;

use super::common::{self, all_or_names};
use super::{environment::Environment, ui::Ui, values::Outcome};
use crate::commands::csr::{self, Request};
use crate::error::Exit;

/// Write keys and signing requests for an authority whose key is not here
///
/// What is asked for is what the certificate on disk says - subject, names, usages, kind of key - and the names its profile
/// adds; where nothing lies yet, what the profile says. Authorities can be named as well (ca, front-proxy-ca, etcd-ca): then an
/// authority above them is asked for an intermediate.
///
/// Keys and requests go to DIR/.kpki/requests, away from what is running, under the tree's own paths: pki/apiserver.key and
/// pki/apiserver.csr, admin.conf (which holds its key) and admin.conf.csr. A key that is there already is used and never
/// written over; kubeadm stops instead. kpki import puts key and certificate in place together.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// all, or names as kubeadm has them (apiserver, admin.conf, ca); NODE/NAME in a cluster directory
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    #[command(flatten)]
    tree: common::Tree,

    /// Where keys and requests go, in place of DIR/.kpki/requests
    #[arg(short = 'O', long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Ask for this key (one entry only)
    #[arg(short, long, value_name = "FILE")]
    key: Option<PathBuf>,

    #[command(flatten)]
    run: common::Run,

    #[command(flatten)]
    report: common::Report,
}

const EXAMPLES: &str = "\
Examples:
  kpki csr all                                            everything in /etc/kubernetes
  kpki csr apiserver admin.conf --dir ./cluster           these two; on every node that has them
  kpki csr all --profile cluster.yaml --node cp1 --out ./requests
  kpki csr ca etcd-ca --profile cluster.yaml --dir ./cluster   intermediates below an offline root
  kpki csr apiserver --key /etc/kubernetes/pki/apiserver.key   a new certificate for the key in use

Exit status: 0 the requests are there, 1 refused or failed, 2 wrong command line or profile, 5 there is no request for something
that was named.";

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let (trees, run, names) = (self.tree.args(environment), self.run.args(environment)?, all_or_names(self.names)?);
        let request = Request { trees, run, names, out: self.out, key: self.key };
        let report = ui.working(|progress| csr::run(&request, progress))?;
        ui.warnings(&report.warnings);
        ui.report(&report, self.report.form(), request.run.now)?;
        Ok(if report.count("left") > 0 { Exit::Partial } else { Exit::Done })
    }
}
