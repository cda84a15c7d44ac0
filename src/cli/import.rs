use std::path::PathBuf;

use super::ui::Ui;
use super::{Outcome, Output};
use crate::clock::Span;
use crate::commands::import::{self, Request};
use crate::error::Exit;
use crate::run::Environment;

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

    /// The tree; default: /etc/kubernetes
    #[arg(short, long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The profile of the tree, in place of the recorded one
    #[arg(short, long, alias = "config", value_name = "FILE")]
    profile: Option<PathBuf>,

    /// Which node's tree it is, where the profile has several and nothing else says it
    #[arg(short, long, value_name = "NAME", alias = "node-name")]
    node: Option<String>,

    /// The kubelet's own directory; default: /var/lib/kubelet/pki for /etc/kubernetes, DIR/kubelet for any other
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// The entry it is for, where several have the same key; for an external authority: ca, front-proxy-ca or etcd-ca
    #[arg(long = "as", value_name = "NAME")]
    entry: Option<String>,

    /// Where kpki csr --out put keys and requests
    #[arg(long, value_name = "DIR")]
    requests: Option<PathBuf>,

    /// Show what would be put in place and write nothing
    #[arg(long)]
    dry_run: bool,

    /// How long to wait for another kpki on the same tree
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = super::span)]
    lock_timeout: Span,

    /// Act as of this instant: RFC 3339, a date, or +90d; default: now
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    at: Option<String>,

    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = Output::Table, value_name = "FORM")]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  kpki import signed/*.crt                                what the authority's owner sent back, into /etc/kubernetes
  kpki import apiserver.pem --dir ./cluster --dry-run
  kpki import corporate-ca.crt --as etcd-ca --dir ./cluster   the authority itself, while it signed nothing yet
  kpki import *.crt --requests ./requests                 keys from kpki csr --out ./requests

Exit status: 0 they are in place, 1 refused or failed and nothing was written, 2 wrong command line or profile.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = super::now(self.at.as_deref(), environment)?;
        let report = import::run(&Request {
            files: self.files.clone(),
            dir: self.dir.clone(),
            profile: self.profile.clone(),
            node: self.node.clone(),
            kubelet_dir: self.kubelet_dir.clone(),
            hostname: environment.hostname.clone(),
            entry: self.entry.clone(),
            requests: self.requests.clone(),
            dry_run: self.dry_run,
            now,
            lock_wait: std::time::Duration::from_secs(self.lock_timeout.as_seconds()),
        })?;
        ui.warnings(&report.warnings);
        let form = self.output.into();
        ui.report(&report, form, now)?;
        Ok(Exit::Done)
    }
}
