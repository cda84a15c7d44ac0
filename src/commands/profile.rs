//! `kpki profile`: show a profile with every default, check many, start a new one; and how every other verb reads its own.

use std::path::{Path, PathBuf};

use crate::commands::cfssl_profiles;
use crate::error::Error;
use crate::files::{self, FileError, Kind, Op};
use crate::profile::{self, Loaded, Overrides, Source};

/// A profile larger than this is refused before it is read (the parser holds the same limit).
const LARGEST: u64 = 1 << 20;

/// The bytes of a profile file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let unread = |error: FileError| {
        let hint = match error.kind {
            Kind::Missing => "check the path; a relative one is looked up from the current directory",
            Kind::PermissionDenied => "run as a user who may read it",
            Kind::TooLarge(_) => "check that it is the file you mean: a profile has a few kilobytes",
            _ => "give the path of a YAML file; one can be started with: kpki profile new > cluster.yaml",
        };
        Error::new(error.to_string()).hint(hint)
    };
    match files::read_input(path, LARGEST) {
        Ok(files::FileState::File { bytes, .. }) => Ok(bytes.to_vec()),
        Ok(files::FileState::Missing) => Err(unread(FileError::new(Op::Read, path, Kind::Missing))),
        Err(error) => Err(unread(error)),
    }
}

/// A profile from its bytes; `name` is what messages call it.
pub fn load(name: &str, bytes: &[u8], overrides: &Overrides) -> Result<Loaded, Error> {
    profile::load(Source { name, bytes }, overrides).map_err(Error::from)
}

/// The resolved profile as YAML, and what is worth a warning.
pub fn show(path: &Path, overrides: &Overrides) -> Result<(String, Vec<String>), Error> {
    let loaded = load(&path.display().to_string(), &read(path)?, overrides)?;
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    Ok((profile::render(&loaded.profile), warnings))
}

/// cfssl's signing profiles as a profile, and what could not be taken over.
pub fn import_cfssl(path: &Path) -> Result<(String, Vec<String>), Error> {
    let imported = cfssl_profiles::read(&read(path)?).map_err(|why| {
        Error::new(format!("{} is no configuration of cfssl", path.display()))
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

/// Every file is checked, whatever the others hold.
pub fn validate(paths: &[PathBuf], overrides: &Overrides) -> Vec<Verdict> {
    let check = |path: &PathBuf| match read(path).and_then(|bytes| load(&path.display().to_string(), &bytes, overrides))
    {
        Ok(loaded) => Verdict {
            path: path.clone(),
            outcome: Ok((loaded.profile.cluster_name.clone(), loaded.profile.nodes.len())),
            warnings: loaded.warnings.iter().map(ToString::to_string).collect(),
        },
        Err(error) => Verdict { path: path.clone(), outcome: Err(error), warnings: Vec::new() },
    };
    paths.iter().map(check).collect()
}
