//! The requests from the command line, checked.

use std::path::PathBuf;

use crate::keys::KeyArgs;
use crate::workspace::RunArgs;
use crate::workspace::shipping::given::Input;

/// How `merge` is called in the journal and in generations.
pub const VERB: &str = "nodes-merge";

#[derive(Debug, Clone)]
pub struct Request {
    pub dir: PathBuf,
    /// Receipts that are looked at as if they were merged.
    pub receipts: Vec<Input>,
}

#[derive(Debug, Clone)]
pub struct MergeRequest {
    pub dir: PathBuf,
    /// Where authorities' keys are, beside what the profile says.
    pub keys: KeyArgs,
    pub run: RunArgs,
    pub receipts: Vec<Input>,
    /// Files with the lists that are too large for a receipt.
    pub crls: Vec<PathBuf>,
}
