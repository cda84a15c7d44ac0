//! What was found in a file, or why nothing was.

use super::object::Object;
use crate::error::Error;
use crate::plan::item::Access;

/// The contents of a file, and notes.
#[derive(Debug, Default)]
pub struct Loaded {
    pub objects: Vec<Object>,
    pub notes: Vec<String>,
    /// It was a kubeconfig, with its server, cluster and user.
    pub kubeconfig: Option<Access>,
    /// It was a manifest: each object has the name of the value it was in.
    pub is_manifest: bool,
}

#[derive(Debug)]
pub enum LoadError {
    /// No known content: skipped in a directory.
    Nothing(Error),
    /// Known content, but broken or encrypted.
    Broken(Error),
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Nothing(error) | LoadError::Broken(error) => error,
        }
    }
}

pub type Result<T> = std::result::Result<T, LoadError>;
pub fn broken(what: impl Into<String>) -> LoadError {
    LoadError::Broken(Error::new(what))
}
