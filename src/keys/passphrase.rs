//! Passphrases: from a file, an environment variable, or the terminal; never from the command line.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::args::KeyArgs;
use super::fault::Why;
use super::material::{self, read_private};
use crate::files::shell_path;
use crate::profile::PassphraseFrom;

/// A longer first line is not a passphrase but a wrong file.
const LONGEST: u64 = 64 << 10;
/// So often somebody may mistype a passphrase.
const ATTEMPTS: usize = 3;

/// As the profile or the command line names it.
pub fn stated(from: &PassphraseFrom, args: &KeyArgs) -> Result<Zeroizing<String>, Why> {
    match from {
        PassphraseFrom::File(path) => first_line(path, args),
        PassphraseFrom::Variable(name) => {
            let found = args.environment.iter().find(|(key, _)| key == name.as_str());
            let (_, value) = found.ok_or_else(|| Why::NoVariable(name.clone()))?;
            let text = value.to_str().ok_or_else(|| Why::Variable(name.clone()))?;
            Ok(Zeroizing::new(text.to_owned()))
        }
    }
}

/// From the terminal: one that opens this key.
pub fn typed(prompt: &str, pem: &[u8], args: &KeyArgs) -> Result<Zeroizing<String>, Why> {
    // Of several trees one asks at a time.
    static TERMINAL: Mutex<()> = Mutex::new(());
    let _turn = TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
    let ask = args.ask.as_ref().ok_or(Why::NoPassphrase)?;
    for _ in 0..ATTEMPTS {
        let typed = ask(prompt).map_err(Why::Terminal)?.ok_or(Why::NoPassphrase)?;
        match material::open(pem, Some(&typed)) {
            Err(Why::WrongPassphrase) => {}
            Err(other) => return Err(other),
            Ok(_) => return Ok(typed),
        }
    }
    Err(Why::WrongPassphrase)
}

/// A pipe, that nothing waits for it under the lock.
pub fn read_ahead(from: &PassphraseFrom, args: &KeyArgs) {
    if let PassphraseFrom::File(path) = from {
        // A failure is kept, and said when the passphrase is needed.
        let _ = args.pipes.read(path, LONGEST);
    }
}

fn first_line(path: &str, args: &KeyArgs) -> Result<Zeroizing<String>, Why> {
    let bytes = match args.pipes.read(path, LONGEST)? {
        Some(bytes) => bytes,
        None => read_private(Path::new(path), LONGEST).map_err(|why| match why {
            Why::Missing => Why::NoPassphraseFile(shell_path(Path::new(path))),
            why => why,
        })?,
    };
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Why::PassphraseFile(shell_path(Path::new(path)).to_string()))?;
    Ok(Zeroizing::new(text.to_owned()))
}
