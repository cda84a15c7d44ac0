//! Arguments that every verb has in common.

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use crate::keys::KeyArgs;

/// The trees of a run and their profiles.
#[derive(Debug, Clone, Default)]
pub struct TreeArgs {
    pub dirs: Vec<PathBuf>,
    pub profiles: Vec<PathBuf>,
    /// A directory of profiles and trees.
    pub fleet: Option<PathBuf>,
    /// Where the trees of these profiles are, if not beside them.
    pub state: Option<PathBuf>,
    /// The kubelet's own directory, if it is not the default.
    pub kubelet_dir: Option<PathBuf>,
    /// Which of the profile's nodes the tree belongs to.
    pub node: Option<String>,
    /// The machine's name, kubeadm's default for the node's.
    pub hostname: Option<String>,
    /// Where authorities' keys are, beside what the profile says.
    pub keys: KeyArgs,
}

/// Options of every run that writes.
#[derive(Debug, Clone)]
pub struct RunArgs {
    pub now: OffsetDateTime,
    /// How long to wait for another run's lock.
    pub lock_wait: Duration,
    pub threads: usize,
    pub dry_run: bool,
}
