use std::path::PathBuf;

use super::common::{self, all_or_names};
use super::keys::Keys;
use super::values::{Choices, Outcome, one_of};
use super::{environment::Environment, ui::Ui};
use crate::commands::csr::{self, Request};
use crate::error::{Error, Exit};
use crate::plan::certificate_request::Issuer;
use crate::report::Form;

/// Write keys and signing requests for an external authority
///
/// A request has the subject, names, usages and key algorithm of the certificate on disk, and the names its profile
/// adds. If there is no certificate yet, the profile decides. An extraCertificates entry with authority external is requested from
/// a public or commercial authority. Authorities can be named too (ca, front-proxy-ca,
/// etcd-ca): their requests ask an authority above them for an intermediate certificate. The request of
/// an authority whose key is elsewhere (authorities.NAME.key or .signer in the profile, or --authority-key) is for that key, which
/// signs it where it is.
///
/// Keys and requests are written to DIR/.kpki/requests, away from the files in use, under the tree's own paths:
/// pki/apiserver.key and pki/apiserver.csr, admin.conf (which contains its key) and admin.conf.csr. An existing key is
/// used and never overwritten; kubeadm stops instead. kpki import puts key and certificate in place together.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// all, or names as kubeadm has them (apiserver, admin.conf, ca); NODE/NAME in a cluster directory
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    #[command(flatten)]
    tree: common::Tree,

    /// Write keys and requests to this directory instead of DIR/.kpki/requests
    #[arg(short = 'O', long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Make the request for this key (one entry only)
    #[arg(short, long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Print a manifest for kubectl for each request, those that wait already too
    #[arg(long = "as", value_name = "KIND", requires = "issuer", value_parser = one_of(MANIFESTS))]
    manifest: Option<()>,

    /// With --as cert-manager: the issuer that is asked
    #[arg(long, value_name = "NAME", requires = "manifest")]
    issuer: Option<String>,

    /// With --as cert-manager: the kind of the issuer, such as ClusterIssuer
    #[arg(long, value_name = "KIND", requires = "manifest", default_value = "Issuer")]
    issuer_kind: String,

    /// With --as cert-manager: the API group of the issuer
    #[arg(long, value_name = "GROUP", requires = "manifest", default_value = "cert-manager.io")]
    issuer_group: String,

    /// With --as cert-manager: the namespace of the CertificateRequests; default: kubectl's
    #[arg(long, value_name = "NAMESPACE", requires = "manifest")]
    namespace: Option<String>,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    run: common::Run,
}

/// `--as`.
const MANIFESTS: Choices<()> = &[("cert-manager", Some("A CertificateRequest of cert-manager.io/v1"), ())];

const EXAMPLES: &str = "\
Examples:
  kpki csr all                                            everything in /etc/kubernetes
  kpki csr apiserver admin.conf --dir ./cluster           these two; on every node that has them
  kpki csr all --profile cluster.yaml --node cp1 --out ./requests
  kpki csr ca etcd-ca --profile cluster.yaml --dir ./cluster   intermediates below an offline root
  kpki csr etcd-server --as cert-manager --issuer corp --namespace pki | kubectl create -f -
  kpki csr apiserver --key /etc/kubernetes/pki/apiserver.key   a new certificate for the key in use

Exit status: 0 all requests exist, 1 refused or failed, 2 wrong command line or profile, 5 no request could be made for some of the
named entries, such as an authority whose key did not open.";

impl Args {
    /// Every request, with its key in `out`.
    pub fn of(tree: common::Tree, out: PathBuf, run: common::Run) -> Self {
        Self {
            names: vec!["all".to_owned()],
            tree,
            out: Some(out),
            key: None,
            manifest: None,
            issuer: None,
            issuer_kind: String::new(),
            issuer_group: String::new(),
            namespace: None,
            keys: Keys::default(),
            run,
        }
    }

    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let (trees, run, names) = (
            self.keys.with(self.tree.args(environment), environment)?,
            self.run.args(environment)?,
            all_or_names(self.names)?,
        );
        if self.manifest.is_some() && run.dry_run {
            return Err(Error::usage(
                "--dry-run writes no key, and nobody could use what is signed for such a manifest",
            )
            .hint("leave --dry-run out, or --as"));
        }
        if self.manifest.is_some() && self.run.report.output != Form::Table {
            return Err(Error::usage("a report and manifests cannot both go to standard output")
                .hint("leave --output out, or --as"));
        }
        let (kind, group, namespace) = (self.issuer_kind, self.issuer_group, self.namespace);
        let issuer = self.issuer.map(|name| Issuer { name, kind, group, namespace });
        let request = Request { trees, run, names, out: self.out, key: self.key, issuer };
        let csr::Outcome { report, manifests } = ui.working(|progress| csr::run(&request, progress))?;
        ui.warnings(&report.warnings);
        let exit = if report.count("left") > 0 { Exit::Partial } else { Exit::Done };
        let Some(manifests) = manifests else { return self.run.report.finish(ui, &report, &request.run, exit) };
        // Standard output is for kubectl: what has no request is said on standard error.
        let without = report.entries.iter().filter(|entry| !matches!(entry.action, "request" | "keep"));
        let without = without.map(|entry| format!("{}: {}", entry.id, entry.reasons.join("; ")));
        ui.warnings(&without.collect::<Vec<_>>());
        ui.document(&manifests)?;
        Ok(exit)
    }
}
