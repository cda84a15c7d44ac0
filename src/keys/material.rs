//! A private key out of PEM, encrypted or not.

use std::path::Path;

use zeroize::Zeroizing;

use super::fault::Why;
use crate::ca::{CaError, PrivateKey};
use crate::encoding::key::KeyError;
use crate::encoding::pem::{self, Block};
use crate::encrypted::{EncryptionError, old_pem, pkcs8};
use crate::files::{self, FileState, shell_path};

/// A longer file is no key.
pub const LARGEST: u64 = 64 << 10;

/// A longer answer is no public key.
pub const LARGEST_PUBLIC: u64 = 16 << 10;

/// A file that was named, with a secret in it: others must not be able to read it, nor to have written it.
pub fn read_private(path: &Path, largest: u64) -> Result<Zeroizing<Vec<u8>>, Why> {
    files::trusted(path).map_err(Why::Trust)?;
    match files::read_input(path, largest).map_err(Why::File)? {
        FileState::Missing => Err(Why::Missing),
        FileState::File { mode, .. } if mode & 0o007 != 0 => Err(Why::Readable(shell_path(path), mode)),
        FileState::File { bytes, .. } => Ok(bytes),
    }
}

/// The first private key in it is encrypted.
pub fn is_encrypted(pem: &[u8]) -> bool {
    block(pem).is_ok_and(|block| block.encrypted || is_pkcs8(&block))
}

/// The first private key in it. Without a passphrase an encrypted one is not tried.
pub fn open(pem: &[u8], passphrase: Option<&str>) -> Result<PrivateKey, Why> {
    let key = |pem: &[u8]| PrivateKey::from_pem(pem).map_err(|why| Why::Key(why.into()));
    let Ok(block) = block(pem) else { return key(pem) };
    let opened = match (block.encrypted, is_pkcs8(&block), passphrase) {
        (false, false, _) => return key(pem),
        (_, _, None) => return Err(Why::NoPassphrase),
        (true, _, given) => old_pem::open(block.dek.as_ref(), &block.contents, given)
            .map(|der| pem::write(&block.label.to_string(), &der)),
        (false, true, given) => pkcs8::open(&block.contents, given).map(|der| pem::write("PRIVATE KEY", &der)),
    };
    let opened = opened.map_err(|why| match why {
        EncryptionError::WrongPassword => Why::WrongPassphrase,
        other => Why::Encrypted(other),
    })?;
    key(opened.as_bytes())
}

fn is_pkcs8(block: &Block) -> bool {
    block.label.is("ENCRYPTED PRIVATE KEY")
}

fn block(pem: &[u8]) -> Result<Block, CaError> {
    let blocks = pem::read(pem).map_err(KeyError::from)?;
    let first = blocks.into_iter().find(|block| block.label.is_private_key());
    first.ok_or(CaError::Key(KeyError::NoKey { found: Vec::new() }))
}
