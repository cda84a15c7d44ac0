//! Opens the file of a backup: encrypted, or a plain archive that another program has decrypted.

use std::path::Path;

use zeroize::Zeroizing;

use super::LIMIT;
use crate::encrypted::{EncryptionError, sealed};
use crate::error::Error;
use crate::workspace::passwords::{Asking, Passwords};
use crate::workspace::survey;

/// Of the file, in bytes: headers, padding and the container come on top of what is in it.
pub const LARGEST: u64 = LIMIT + (64 << 20);

/// A decrypted archive.
pub struct Opened {
    /// The file's name.
    pub name: String,
    pub archive: Zeroizing<Vec<u8>>,
    pub encrypted: bool,
}

/// The content holds keys.
impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({}, {} bytes)", self.name, self.archive.len())
    }
}

/// The file as it is.
pub struct Source {
    pub name: String,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The content may hold keys.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.bytes.len())
    }
}

impl Source {
    pub fn read(path: &Path) -> Result<Self, Error> {
        Ok(Self { name: path.display().to_string(), bytes: survey::input(path, LARGEST)? })
    }
}

/// Decrypts it.
pub fn open(source: Source, passwords: &mut dyn Passwords) -> Result<Opened, Error> {
    let Source { name, bytes } = source;
    // The tag of a SEQUENCE; the name of an archive's first member begins with a letter.
    if bytes.first() != Some(&0x30) {
        return Ok(Opened { name, archive: bytes, encrypted: false });
    }
    if !sealed::is_sealed(&bytes) {
        return Err(damaged(&name).because("expected a whole encrypted backup, found another file or a part of one"));
    }
    let password = passwords.ask(Asking::Input(&name))?.ok_or_else(|| {
        Error::usage(format!("{name} is encrypted, and no passphrase is given"))
            .hint("give it with --password-file FILE or --password-env VARIABLE, or run on a terminal to be asked")
    })?;
    let archive = sealed::open(bytes, &password).map_err(|why| match why {
        EncryptionError::WrongPassword => Error::new(format!("{name}: wrong passphrase or damaged"))
            .hint("give the passphrase it was made with; if that is right, the file was changed: take another copy"),
        why => damaged(&name).because(why),
    })?;
    Ok(Opened { name, archive, encrypted: true })
}

/// It is no backup, or not all of one.
pub fn damaged(name: &str) -> Error {
    Error::new(format!("{name} is no backup of kpki, or it is damaged")).hint("take another copy of the backup")
}
