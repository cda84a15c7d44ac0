//! What a run is given beside the profile.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::pipes::Pipes;
use crate::catalog::CaId;
use crate::profile::{PassphraseFrom, Profile, Signing};

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

/// The environment variables that hold passphrases of any tree of a run: no program of the run gets them, whichever tree it is for.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Mutex<BTreeSet<String>>>);

impl Secrets {
    /// Those that a profile names.
    pub fn hide_those_of(&self, profile: &Profile) {
        let all = profile.authorities.values().flat_map(|options| options.signing.iter().chain(&options.next));
        self.add(all.filter_map(Signing::variable));
    }

    pub fn add<'n>(&self, names: impl IntoIterator<Item = &'n str>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(names.into_iter().map(str::to_owned));
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

/// Options and surroundings of a run that signs.
#[derive(Clone, Default)]
pub struct KeyArgs {
    /// Before what the profile says.
    pub keys: BTreeMap<CaId, GivenKey>,
    /// Of every key, before what the profile says.
    pub passphrase: Option<PassphraseFrom>,
    /// The environment of this process, from which commands get theirs.
    pub environment: Vec<(OsString, OsString)>,
    /// What of it is kept from them.
    pub secrets: Secrets,
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
