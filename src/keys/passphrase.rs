//! Passphrases: from a file, an environment variable, or the terminal; never from the command line.

use std::path::Path;

use zeroize::Zeroizing;

use super::args::KeyArgs;
use super::fault::Why;
use super::material::read_private;
use crate::files::shell_path;
use crate::profile::PassphraseFrom;

/// A longer first line is not a passphrase but a wrong file.
const LONGEST: u64 = 64 << 10;

/// As the profile or the command line names it.
pub fn stated(from: &PassphraseFrom, args: &KeyArgs) -> Result<Zeroizing<String>, Why> {
    match from {
        PassphraseFrom::File(path) => first_line(path),
        PassphraseFrom::Variable(name) => {
            let found = args.environment.iter().find(|(key, _)| key == name.as_str());
            let (_, value) = found.ok_or_else(|| Why::NoVariable(name.clone()))?;
            let text = value.to_str().ok_or_else(|| Why::Variable(name.clone()))?;
            Ok(Zeroizing::new(text.to_owned()))
        }
    }
}

fn first_line(path: &str) -> Result<Zeroizing<String>, Why> {
    let bytes = read_private(Path::new(path), LONGEST).map_err(|why| match why {
        Why::Missing => Why::NoPassphraseFile(shell_path(Path::new(path))),
        why => why,
    })?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Why::PassphraseFile(shell_path(Path::new(path)).to_string()))?;
    Ok(Zeroizing::new(text.to_owned()))
}
