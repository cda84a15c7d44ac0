//! The request from the command line.

use crate::blueprint::Algorithm;
use crate::clock::Span;
use crate::keys::KeyArgs;
use crate::workspace::RunArgs;
use std::path::PathBuf;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub user: String,
    pub groups: Vec<String>,
    pub validity: Span,
    pub server: Option<String>,
    pub cluster: Option<String>,
    pub algorithm: Option<Algorithm>,
    /// The user's request: the key stays with its owner.
    pub csr: Option<PathBuf>,
    /// Where the owner keeps that key.
    pub key_file: Option<String>,
    pub dir: PathBuf,
    /// The file to write, 0600; `None`: standard output.
    pub out: Option<PathBuf>,
    /// Over an existing file.
    pub force: bool,
    pub allow_masters: bool,
    pub run: RunArgs,
    /// Where authorities' keys are, beside what the profile says.
    pub keys: KeyArgs,
}
