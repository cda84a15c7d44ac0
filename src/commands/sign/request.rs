//! The request from the command line.

use crate::catalog::CaId;
use crate::keys::GivenKey;
use crate::plan::sign::{CaConstraints, Stated};
use crate::workspace::{RunArgs, TreeArgs};
use std::path::PathBuf;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub files: Vec<PathBuf>,
    /// They are cfssl's JSON, and get a key each.
    pub csr_json: bool,
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Certificate and key of the signer, instead of the tree's.
    pub authority_files: Option<(PathBuf, GivenKey)>,
    /// The authority of the tree that signs, if no entry decides it.
    pub signer: CaId,
    /// `--as`.
    pub entry: Option<String>,
    pub stated: Stated,
    /// `--intermediate`.
    pub authority: Option<CaConstraints>,
    pub validity: Option<time::Duration>,
    pub out: Option<PathBuf>,
}
