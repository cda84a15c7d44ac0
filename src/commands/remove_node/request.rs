//! The request from the command line.

use crate::keys::KeyArgs;
use crate::workspace::RunArgs;
use std::path::PathBuf;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub dir: PathBuf,
    pub node: String,
    /// The cluster's profile without the node; `None`: the recorded one is rewritten.
    pub profile: Option<PathBuf>,
    /// Put its certificates on their authorities' CRLs.
    pub revoke: bool,
    /// Where these authorities' keys are, beside what the profile says.
    pub keys: KeyArgs,
    pub run: RunArgs,
}
