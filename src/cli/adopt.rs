use std::path::PathBuf;

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::adopt::{self, NodeInput, Request};
use crate::error::Exit;

/// Make one cluster directory from the files of existing nodes
///
/// Reads the /etc/kubernetes of every node, made by kubeadm, by Kubespray or by hand, and makes the directory from which kpki
/// manages the cluster on a safe host: pki/ with what the nodes share, nodes/NAME/ with the files of each, byte for byte, and a
/// profile that says what is there. Of a single node it is that node's tree alone. Nothing on the nodes changes, and no certificate is
/// issued. The journal lists every certificate, so that kpki revoke knows it.
///
/// Nodes that do not belong together are refused, with every reason at once: different authorities or service account keys, a
/// certificate of another cluster, a key that does not match, two nodes of one name. What was concluded without a file that says it,
/// what the profile would make otherwise, and what was not taken is reported. Static pods and the kubelet's own rotating
/// certificates stay on the nodes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A node's /etc/kubernetes, a root with etc/kubernetes and var/lib/kubelet/pki in it, or a tar file of either, plain or
    /// gzipped; as NAME=PATH where the files do not say the node's name
    #[arg(value_name = "[NAME=]PATH", required = true)]
    inputs: Vec<PathBuf>,

    /// The new cluster directory; it must not exist, or be empty
    #[arg(short, long, value_name = "DIR")]
    dir: PathBuf,

    /// The cluster's profile, instead of the one that the nodes' files give
    #[arg(short, long, visible_alias = "config", value_name = "FILE")]
    profile: Option<PathBuf>,

    #[command(flatten)]
    run: common::Run,
}

const EXAMPLES: &str = "\
Examples:
  kpki adopt cp1.tar.gz cp2.tar.gz cp3.tar.gz --dir ./cluster        on the safe host
  tar -czf cp1.tar.gz -C / etc/kubernetes var/lib/kubelet/pki        on cp1: what its archive above is made with
  kpki adopt cp1.tar.gz cp2.tar.gz --dir ./cluster --dry-run         what it would be, and what differs
  kpki adopt w1=worker.tar.gz cp1.tar.gz --dir ./cluster             where the files do not say whose they are
  kpki adopt cp1.tar.gz --dir ./cluster --profile cluster.yaml       a profile that exists already

Exit status: 0 adopted, and nothing differs; 1 refused or failed; 2 wrong command line or profile; 5 adopted, but something
differs from the profile or was not taken.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request = Request {
            inputs: self.inputs.iter().cloned().map(NodeInput::parse).collect(),
            directory: self.dir.clone(),
            profile: self.profile.clone(),
            run: self.run.args(environment)?,
        };
        let report = adopt::run(&request)?;
        ui.warnings(&report.warnings);
        let exit = if report.is_whole() { Exit::Done } else { Exit::Partial };
        self.run.report.finish(ui, &report, &request.run, exit)
    }
}
