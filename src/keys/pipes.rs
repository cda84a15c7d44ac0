//! Passphrases out of pipes, which can be read once.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::fault::Why;
use crate::files;

/// What writes a secret to a pipe may ask somebody first.
pub const PIPE_WAIT: Duration = Duration::from_secs(120);

type Read = Result<Option<Zeroizing<Vec<u8>>>, Why>;

/// What a run has read from the files that it was named, by their paths.
#[derive(Clone, Default)]
pub struct Pipes(Arc<Mutex<BTreeMap<String, Read>>>);

impl fmt::Debug for Pipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pipes(redacted)")
    }
}

impl Pipes {
    /// What was written to a pipe, of at most `largest` bytes; `None`: it is none.
    pub fn read(&self, path: &str, largest: u64) -> Read {
        // Of several trees one reads it, and the others wait.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = known.get(path) {
            return read.clone();
        }
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        let read = files::read_pipe(Path::new(path), largest, PIPE_WAIT).map_err(Why::File);
        if !matches!(read, Ok(None)) {
            known.insert(path.to_owned(), read.clone());
        }
        read
    }
}
