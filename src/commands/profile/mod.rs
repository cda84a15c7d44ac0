//! `kpki profile`: show a profile with every default, check many, create a new one.

mod cfssl;

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::profile::{self, Overrides};
use crate::workspace::profiles::{load, name, read};

/// The resolved profile as YAML, and warnings.
pub fn show(path: &Path, overrides: &Overrides) -> Result<(String, Vec<String>), Error> {
    let loaded = load(&name(path), &read(path)?, overrides)?;
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    Ok((profile::render(&loaded.profile), warnings))
}

/// cfssl's signing profiles as a profile, and what could not be taken over.
pub fn import_cfssl(path: &Path) -> Result<(String, Vec<String>), Error> {
    let imported = cfssl::read(&read(path)?).map_err(|why| {
        Error::new(format!("{} is not a configuration of cfssl", path.display()))
            .because(why)
            .hint("give cfssl's ca-config.json, the file after cfssl sign -config")
    })?;
    Ok((imported.profile, imported.warnings))
}

/// One file's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub path: PathBuf,
    /// The cluster's name and its number of nodes.
    pub outcome: Result<(String, usize), Error>,
    pub warnings: Vec<String>,
}

/// Every file is checked, independently of the others.
pub fn validate(paths: &[PathBuf], overrides: &Overrides) -> Vec<Verdict> {
    let check = |path: &PathBuf| match read(path).and_then(|bytes| load(&name(path), &bytes, overrides)) {
        Ok(loaded) => Verdict {
            path: path.clone(),
            outcome: Ok((loaded.profile.cluster_name.clone(), loaded.profile.nodes.len())),
            warnings: loaded.warnings.iter().map(ToString::to_string).collect(),
        },
        Err(error) => Verdict { path: path.clone(), outcome: Err(error), warnings: Vec::new() },
    };
    paths.iter().map(check).collect()
}
