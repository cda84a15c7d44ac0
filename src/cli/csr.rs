use std::path::PathBuf;

use super::ui::Ui;
use super::{Outcome, Output};
use crate::clock::Span;
use crate::commands::csr::{self, Request};
use crate::error::{Error, Exit};
use crate::run::Environment;

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

    /// Where keys and requests go, in place of DIR/.kpki/requests
    #[arg(short = 'O', long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Ask for this key (one entry only)
    #[arg(short, long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Show what would be asked for and write nothing
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
  kpki csr all                                            everything in /etc/kubernetes
  kpki csr apiserver admin.conf --dir ./cluster           these two; on every node that has them
  kpki csr all --profile cluster.yaml --node cp1 --out ./requests
  kpki csr ca etcd-ca --profile cluster.yaml --dir ./cluster   intermediates below an offline root
  kpki csr apiserver --key /etc/kubernetes/pki/apiserver.key   a new certificate for the key in use

Exit status: 0 the requests are there, 1 refused or failed, 2 wrong command line or profile, 5 there is no request for something
that was named.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = super::now(self.at.as_deref(), environment)?;
        let all = self.names.iter().any(|name| name == "all");
        if all && self.names.len() > 1 {
            return Err(Error::usage("all goes with no other name").hint("leave the names out, or leave all out"));
        }
        let request = Request {
            names: if all { Vec::new() } else { self.names.clone() },
            dir: self.dir.clone(),
            profile: self.profile.clone(),
            node: self.node.clone(),
            kubelet_dir: self.kubelet_dir.clone(),
            hostname: environment.hostname.clone(),
            out: self.out.clone(),
            key: self.key.clone(),
            dry_run: self.dry_run,
            now,
            lock_wait: std::time::Duration::from_secs(self.lock_timeout.as_seconds()),
            threads: environment.threads,
        };
        let outcome = csr::run(&request, &mut |done, total| ui.progress(done, total));
        ui.end_progress();
        let report = outcome?;
        ui.warnings(&report.warnings);
        let form = self.output.into();
        ui.report(&report, form, now)?;
        Ok(if report.count("left") > 0 { Exit::Partial } else { Exit::Done })
    }
}
