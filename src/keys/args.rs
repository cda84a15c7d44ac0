//! What a run is given beside the profile.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::pipes::Pipes;
use crate::catalog::CaId;
use crate::profile::PassphraseFrom;

/// Asks on the terminal, without showing what is typed; `None`: there is none.
pub type Ask = Arc<dyn Fn(&str) -> Result<Option<Zeroizing<String>>, String> + Send + Sync>;

/// An authority's key, from the command line.
#[derive(Clone)]
pub enum GivenKey {
    File(PathBuf),
    /// Of standard input or a pipe, which can be read once.
    Pem(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Pem(_) => f.write_str("Pem(redacted)"),
        }
    }
}

/// Options and surroundings of a run that signs.
#[derive(Clone, Default)]
pub struct KeyArgs {
    /// Before what the profile says.
    pub keys: BTreeMap<CaId, GivenKey>,
    /// For every key whose passphrase the profile does not name.
    pub passphrase: Option<PassphraseFrom>,
    /// The environment of this process, from which commands get theirs.
    pub environment: Vec<(OsString, OsString)>,
    /// `None`: nobody is asked.
    pub ask: Option<Ask>,
    /// What this run has read from pipes.
    pub pipes: Pipes,
}

impl fmt::Debug for KeyArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and an environment may hold secrets.
        write!(f, "KeyArgs({} keys, redacted)", self.keys.len())
    }
}
