use std::net::IpAddr;
use std::path::PathBuf;

use super::{common, environment::Environment, keys::Keys, ui::Ui, values::Outcome};
use crate::commands::init::{self, Request};
use crate::error::Exit;
use crate::tree::layout::DEFAULT_DIR;

/// Make the whole certificate tree from a profile
///
/// Makes every certificate, key and kubeconfig of the kubeadm tree that is missing, in one transaction: after a crash,
/// a full disk or a kill there is either no tree or the whole tree. Existing files are respected: an existing authority
/// is used, and existing leaves that fit the profile are kept. If a leaf does not fit, all differences are reported and
/// nothing is written; but what lacks only names that were added to the recorded profile, or has the server it gave, is kept, and
/// the kpki renew that mends it is named. An authority whose certificate is there without its key is external: for what it would sign,
/// keys and signing requests are written to DIR/.kpki/requests, for kpki import. A second run changes nothing.
///
/// With caKeys: none an authority's key need not be a plain file of the tree (authorities.NAME.key and signer in
/// kpki-profile(5)): it is encrypted from the first byte (--key-passphrase-file), in a file elsewhere, which is made if it does
/// not exist, written by a command, or kept where a command signs with it. Passphrases are asked for, and commands run, only if
/// something will be signed. What an authority signs whose key cannot be opened is left, and the rest is made.
///
/// Where ca.crt holds more than one certificate, below an intermediate CA, or with controllerManager.signerFile in the
/// profile, pki/ca-signer.crt is written too, with exactly the one that signs: kube-controller-manager accepts no other number in
/// --cluster-signing-cert-file. The flag is read in manifests/kube-controller-manager.yaml, where that is in DIR.
///
/// In a cluster that kubeadm init did not make, admin.conf (from Kubernetes 1.29 on) and apiserver-kubelet-client (from 1.36.1
/// on) have no rights until their ClusterRoleBindings exist: --bootstrap-manifests writes them.
///
/// A profile with one node gives exactly that node's /etc/kubernetes. A profile with several nodes gives a cluster
/// directory: pki/ with the authorities and service account keys, and nodes/NAME/ with a ready /etc/kubernetes for each
/// node.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster's profile, a kubeadm configuration or the ConfigMap kubeadm-config; - is standard input; default: the one
    /// recorded in DIR/.kpki
    #[arg(short, long, visible_alias = "config", value_name = "FILE")]
    profile: Option<PathBuf>,

    /// Where the tree goes
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,

    /// Make only this node's tree; with a kubeadm configuration: the node's name, if the file has none
    #[arg(short, long, value_name = "NAME", alias = "node-name")]
    node: Option<String>,

    /// The kubelet's own directory; default: PREFIX/var/lib/kubelet/pki for PREFIX/etc/kubernetes, DIR/kubelet for any other
    /// DIR, and where its kubelet.crt is in DIR/kubelet already
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// Make the kubelet's serving certificate and key even if the profile is a kubeadm configuration
    #[arg(long)]
    kubelet_serving: bool,

    /// The API server's address, if a kubeadm configuration has none
    #[arg(long, value_name = "IP")]
    apiserver_advertise_address: Option<IpAddr>,

    /// Re-issue existing leaves that do not fit the profile; authorities and sa.key are never replaced
    #[arg(long)]
    force: bool,

    /// Accept one authority for the cluster and etcd, or the front proxy: any kubelet's certificate is then good for etcd
    #[arg(long)]
    allow_shared_ca: bool,

    /// Also write the ClusterRoleBindings that kubeadm init makes in a new cluster, for kubectl apply
    #[arg(long, value_name = "FILE")]
    bootstrap_manifests: Option<PathBuf>,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    run: common::Run,
}

const EXAMPLES: &str = "\
Examples:
  kpki init --profile profiles/single-node.yaml --dir ./demo
  kpki init --profile profiles/ha-load-balancer.yaml --dir ./cluster    a cluster directory on a safe host
  kpki init --profile profiles/ha-load-balancer.yaml --node cp1         on cp1 itself, in /etc/kubernetes
  kpki init --config kubeadm.yaml --dry-run                             the tree that kubeadm's configuration gives
  kpki init --profile p.yaml --bootstrap-manifests rbac.yaml            and what a cluster without kubeadm needs
  kpki init --profile with-cp4.yaml --dir ./cluster                     a node was added to the profile: its tree
  kpki init --dir ./demo                                                again, with the recorded profile: nothing to do

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile, 5 requests wait for an external
authority, existing entries lack what was added to the profile until they are renewed, or an authority's key could not be opened and
what it signs is left; the rest was made.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request = Request {
            directory: self.dir.clone(),
            profile: self.profile.clone(),
            node: self.node.clone(),
            // The path is recorded, and a later run may start in another directory.
            kubelet_dir: self.kubelet_dir.as_ref().map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.clone())),
            kubelet_serving: self.kubelet_serving,
            advertise_address: self.apiserver_advertise_address,
            hostname: environment.hostname.clone(),
            force: self.force,
            allow_shared_ca: self.allow_shared_ca,
            bootstrap_manifests: self.bootstrap_manifests.clone(),
            keys: self.keys.args(environment)?,
            run: self.run.args(environment)?,
            only_planned: false,
        };
        let report = ui.working(|progress| init::run(&request, progress))?;
        ui.warnings(&report.warnings);
        let waits = report.items.iter().any(|item| matches!(item.action, "request" | "left"));
        let is_partial = waits || !report.left_to_renew.is_empty();
        let exit = if is_partial && !self.run.dry_run { Exit::Partial } else { Exit::Done };
        let exit = self.run.report.finish(ui, &report, &request.run, exit)?;
        if exit == Exit::Partial {
            ui.failures(&report.failures());
        }
        Ok(exit)
    }
}
