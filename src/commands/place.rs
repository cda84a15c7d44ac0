//! Where a tree's files lie: DIR, its pki directory, and the kubelet's own directory below DIR or outside.

use std::path::Path;

use crate::error::Error;
use crate::plan::layout::{DEFAULT_DIR, Directories};
use crate::profile::Profile;

/// The pki directory below DIR: what certificatesDir says of it.
pub fn pki(profile: Option<&Profile>, main: &Path) -> Result<String, Error> {
    let Some(profile) = profile else { return Ok("pki".to_owned()) };
    match Directories::pki_of(profile) {
        Some(pki) => Ok(pki),
        None if main != Path::new(DEFAULT_DIR) => Ok("pki".to_owned()),
        None => Err(Error::new(format!("certificatesDir {} lies outside {DEFAULT_DIR}", profile.certificates_dir))
            .hint("give a directory for the tree with --dir: the certificates go to its pki/")),
    }
}

/// `kubelet`: its own directory, where one is known; `None`: `DIR/kubelet`.
pub fn directories(main: &Path, pki: String, kubelet: Option<&Path>) -> Result<Directories, Error> {
    // What is recorded is absolute; DIR may be given either way.
    let absolute = std::path::absolute(main).unwrap_or_else(|_| main.to_path_buf());
    let below = kubelet.map(|dir| dir.strip_prefix(&absolute).map(|below| below.display().to_string()));
    match below {
        Some(Ok(below)) if !below.is_empty() => Ok(Directories { pki, kubelet: Some(below) }),
        Some(Ok(_)) => Err(Error::usage("--kubelet-dir is the same directory as --dir").hint("give another one")),
        Some(Err(_)) => Ok(Directories { pki, kubelet: None }),
        None => Ok(Directories { pki, kubelet: Some("kubelet".to_owned()) }),
    }
}
