//! The requests from the command line.

use std::path::PathBuf;

use crate::catalog::CaId;
use crate::keys::KeyArgs;
use crate::profile::PassphraseFrom;
use crate::workspace::{RunArgs, TreeArgs};

/// `kpki key protect`, `kpki key expose`.
#[derive(Debug, Clone)]
pub struct Request {
    pub dir: PathBuf,
    /// None: all.
    pub authorities: Vec<CaId>,
    /// The passphrase that opens the keys, or, of plain ones, the one to come.
    pub keys: KeyArgs,
    /// Another passphrase, of keys that have one.
    pub to_come: Option<PassphraseFrom>,
    pub run: RunArgs,
}

/// `kpki key list`.
#[derive(Debug, Clone)]
pub struct ListRequest {
    pub dir: PathBuf,
    pub run: RunArgs,
}

impl Request {
    pub fn trees(&self) -> TreeArgs {
        TreeArgs { dirs: vec![self.dir.clone()], keys: self.keys.clone(), ..TreeArgs::default() }
    }

    pub fn is_named(&self, authority: CaId) -> bool {
        self.authorities.is_empty() || self.authorities.contains(&authority)
    }
}
