//! The archive that a node is compared with.

use std::path::Path;

use crate::encoding::archive;
use crate::error::Error;
use crate::workspace::survey;

/// An archive that is none of kpki's.
pub fn unusable(path: &Path, why: String) -> Error {
    Error::new(format!("cannot use the archive {}", path.display())).because(why)
}

/// What is in an archive of `kpki export`.
pub fn members(path: &Path) -> Result<Vec<archive::Content>, Error> {
    let largest = u64::try_from(archive::LIMIT).unwrap_or(u64::MAX);
    archive::read(&survey::input(path, largest)?).map_err(|why| unusable(path, why.to_string()))
}
