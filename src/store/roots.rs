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
    /// The kubelet's own directory outside the main one, such as `/var/lib/kubelet/pki`.
    Kubelet,
    /// certificatesDir outside the main one.
    Certificates,
    /// What kpki remembers for itself: `.kpki` in the main directory.
    State,
}

impl RootId {
    /// Those outside the main directory, where a file is prepared in the root that it goes to: it may be another file system.
    pub const OUTSIDE: [Self; 2] = [Self::Kubelet, Self::Certificates];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Kubelet => "kubelet",
            Self::Certificates => "certificates",
            Self::State => "state",
        }
    }

    pub const fn is_outside(self) -> bool {
        matches!(self, Self::Kubelet | Self::Certificates)
    }
}

/// The directories of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    pub main: PathBuf,
    /// `None`: it is below the main directory.
    pub kubelet: Option<PathBuf>,
    /// `None`: it is below the main directory.
    pub certificates: Option<PathBuf>,
}

impl Roots {
    /// A tree whose directories are all below one.
    pub fn alone(main: impl Into<PathBuf>) -> Self {
        Self { main: main.into(), kubelet: None, certificates: None }
    }

    /// A root outside the main directory, if there is one.
    pub fn outside(&self, root: RootId) -> Option<&Path> {
        match root {
            RootId::Kubelet => self.kubelet.as_deref(),
            RootId::Certificates => self.certificates.as_deref(),
            RootId::Main | RootId::State => None,
        }
    }

    /// The path of a file, for messages. Where there is no such directory outside, its files are shown in the main one.
    pub fn path_of(&self, root: RootId, path: &RelPath) -> PathBuf {
        match root {
            RootId::State => self.main.join(KPKI).join(path),
            _ => self.outside(root).unwrap_or(&self.main).join(path),
        }
    }

    /// The same as a report shows it: below the main directory as it is there, and whole outside of it.
    pub fn shown(&self, root: RootId, path: &RelPath) -> String {
        match self.outside(root) {
            Some(outside) => outside.join(path).display().to_string(),
            None => path.to_string(),
        }
    }
}

/// `""` is the directory of a relative path of one name.
pub(super) fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
