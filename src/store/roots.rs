//! Where a tree is.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::RelPath;

/// kpki's own directory in a tree.
pub(super) const KPKI: &str = ".kpki";
pub(super) const KPKI_MODE: u32 = 0o700;

/// Which directory a path is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootId {
    Main,
    /// A directory outside the main one, such as `/var/lib/kubelet/pki`.
    Kubelet,
    /// What kpki remembers for itself: `.kpki` in the main directory.
    State,
}

impl RootId {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Kubelet => "kubelet",
            Self::State => "state",
        }
    }
}

/// The directories of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    pub main: PathBuf,
    pub kubelet: Option<PathBuf>,
}

impl Roots {
    /// The path of a file, for messages. Without a kubelet directory its files are shown in the main one.
    pub fn path_of(&self, root: RootId, path: &RelPath) -> PathBuf {
        match root {
            RootId::Main => self.main.join(path),
            RootId::Kubelet => self.kubelet.as_ref().unwrap_or(&self.main).join(path),
            RootId::State => self.main.join(KPKI).join(path),
        }
    }
}

/// `""` is the directory of a relative path of one name.
pub(super) fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
