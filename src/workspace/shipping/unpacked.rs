//! `.kpki/unpacked.json` on a node: which archive was unpacked there last.

use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::manifest::Issue;
use crate::error::Error;
use crate::files::{RelPath, shell_path};
use crate::store::{self, FileChange, JsonError, RootId};
use crate::workspace::survey;

/// Below `.kpki/`.
pub const NAME: &str = "unpacked.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// RFC 3339 in UTC.
    pub time: String,
    /// The generation that keeps what was replaced; `None`: nothing was.
    pub generation: Option<String>,
    /// What the archive said; `None`: it is of 0.1.0.
    pub issue: Option<Issue>,
}

impl Unpacked {
    /// `None`: nothing was unpacked in this directory by kpki.
    pub fn read(main: &Path) -> Result<Option<Self>, Error> {
        let Some(dir) = survey::open(main)? else { return Ok(None) };
        let Some(kpki) = store::own(&dir)? else { return Ok(None) };
        store::check_own(&kpki, NAME)?;
        let Some(bytes) = survey::read_below(&kpki, &RelPath::parse(NAME)?)? else { return Ok(None) };
        let read = serde_json::from_slice(&bytes).map_err(|why| {
            let path = main.join(".kpki").join(NAME);
            Error::new(format!("cannot read {}", path.display()))
                .because(JsonError::from(why))
                .hint(format!("it only notes the last unpacking: remove it and unpack again: rm {}", shell_path(&path)))
        });
        read.map(Some)
    }

    /// As a part of the transaction.
    pub fn change(&self) -> Result<FileChange, Error> {
        let failed = |why| Error::new(format!("cannot write .kpki/{NAME}")).because(why);
        let bytes = Zeroizing::new((serde_json::to_string_pretty(self).map_err(failed)? + "\n").into_bytes());
        Ok(FileChange { root: RootId::State, path: RelPath::parse(NAME)?, mode: 0o600, bytes, replace: true })
    }
}
