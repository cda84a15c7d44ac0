//! What the command line asks for.

use crate::catalog::CaId;
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
    /// Certificate and key of the signer, in place of the tree's.
    pub authority_files: Option<(PathBuf, PathBuf)>,
    /// Which of the tree's authorities signs, where no entry says it.
    pub signer: CaId,
    /// `--as`.
    pub entry: Option<String>,
    pub stated: Stated,
    /// `--ca`.
    pub authority: Option<CaConstraints>,
    pub validity: Option<time::Duration>,
    pub out: Option<PathBuf>,
}
