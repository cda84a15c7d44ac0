//! The request from the command line.

use crate::keys::KeyArgs;
use crate::workspace::RunArgs;
use std::net::IpAddr;
use std::path::PathBuf;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub directory: PathBuf,
    pub profile: Option<PathBuf>,
    pub node: Option<String>,
    pub kubelet_dir: Option<PathBuf>,
    pub kubelet_serving: bool,
    pub advertise_address: Option<IpAddr>,
    /// The machine's name, kubeadm's default for the node's.
    pub hostname: Option<String>,
    pub force: bool,
    /// Two authorities may be one.
    pub allow_shared_ca: bool,
    /// Where the bindings of a new cluster are written.
    pub bootstrap_manifests: Option<PathBuf>,
    /// Where authorities' keys are, beside what the profile says.
    pub keys: KeyArgs,
    pub run: RunArgs,
    /// A plan: another run carries it out, maybe elsewhere.
    pub only_planned: bool,
}
