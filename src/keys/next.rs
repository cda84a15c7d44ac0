//! Keys that a rotation makes and keeps: of an authority whose key is a file of the tree they are protected as that file is; of
//! another one they are where the profile says in `next`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::args::GivenKey;
use super::command::Question;
use super::fault::{KeyFault, Why};
use super::keyring::{KeyRing, Shared};
use super::material;
use super::owners::Owner;
use super::source::{KeyAt, Source};
use crate::blueprint::Algorithm;
use crate::ca::{PrivateKey, Signer, SignerFault};
use crate::catalog::CaId;
use crate::encoding::{pem, raw_key};
use crate::files::{self, FileState};
use crate::profile::{PublicKeyFrom, SignerOptions};
use crate::store::OuterFile;
use crate::tree::authorities::{KeySources as _, Sources};
use crate::tree::rotation::Record;
use crate::x509::{Certificate, KeyKind, key_kind};

/// A longer file holds no public key.
const LARGEST_PUBLIC: usize = 16 << 10;

/// The key of an authority to come.
#[derive(Debug)]
pub enum Next {
    /// It is there, and can sign.
    Key(Box<dyn Signer>),
    /// The file that is to have it is not there.
    File(PathBuf),
}

impl KeyRing {
    /// Which source made which authority, as it is recorded.
    pub fn learn(&self, record: &Record) {
        self.owners.learn(record);
    }

    /// Which source has the key of this certificate.
    pub fn owner(&self, authority: CaId, certificate: &Certificate) -> Owner {
        self.owners.of(authority, certificate)
    }

    /// Where the key of this certificate is by the profile; `None`: in the tree, or not here.
    pub fn place(&self, authority: CaId, certificate: &Certificate) -> Option<&str> {
        match self.owner(authority, certificate) {
            Owner::Own => self.owners.own(authority),
            Owner::Next => self.owners.next(authority),
            Owner::Unknown => None,
        }
    }

    /// Where the key of the authority after this one is to be by the profile.
    pub fn next_place(&self, authority: CaId) -> Option<&str> {
        self.owners.next(authority)
    }

    /// The key of the authority after this one, opened.
    pub fn next_key(&self, authority: CaId) -> Result<Next, KeyFault> {
        let shared = &self.next;
        match shared.sources.get(&authority) {
            Some(Source::Signer(options)) => {
                let public = shared.public_key(authority, options).map_err(|why| shared.fault(authority, why))?;
                let signer = shared.command(authority, options, public);
                signer.map(|signer| Next::Key(Box::new(signer))).ok_or_else(|| shared.fault(authority, Why::Missing))
            }
            Some(Source::Key { from: KeyAt::Given(GivenKey::File(path)), .. }) if files::what(None, path).is_none() => {
                Ok(Next::File(path.clone()))
            }
            Some(Source::Key { .. }) => Ok(Next::Key(Box::new(shared.open(authority, None)?))),
            None => Err(shared.fault(authority, Why::Missing)),
        }
    }

    /// The file of a new key outside the tree, encrypted where the profile or the command line says with what.
    pub fn next_file(&self, authority: CaId, path: PathBuf, key: &PrivateKey) -> Result<OuterFile, KeyFault> {
        let shared = &self.next;
        let fault = |why| shared.fault(authority, why);
        files::trusted(&path).map_err(|why| fault(Why::Trust(why)))?;
        let stated = match shared.sources.get(&authority) {
            Some(Source::Key { passphrase, .. }) => passphrase.as_ref(),
            _ => None,
        };
        let bytes = match shared.passphrase(authority, stated)? {
            Some(passphrase) => material::seal(key, &passphrase).map_err(fault)?,
            None => Zeroizing::new(key.to_pem().as_bytes().to_vec()),
        };
        Ok(OuterFile { path, mode: 0o600, bytes, replace: false })
    }

    /// A new key of an authority as it is kept below `.kpki` and in the tree: where the tree's own file is encrypted, with the same
    /// passphrase. `present`: that file.
    pub fn kept(
        &self,
        authority: CaId,
        present: Option<&[u8]>,
        key: &PrivateKey,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        let shared = &self.shared;
        let fault = |why| shared.fault(authority, why);
        let plain = || Zeroizing::new(key.to_pem().as_bytes().to_vec());
        let stated = match shared.sources.get(&authority) {
            Some(Source::Key { from: KeyAt::Tree, passphrase }) => passphrase.as_ref(),
            _ => None,
        };
        match present {
            Some(present) if material::is_encrypted(present) => {
                let passphrase = shared.passphrase(authority, stated)?.ok_or_else(|| fault(Why::NoPassphrase))?;
                // A second passphrase in one tree would be known to nobody.
                material::open(present, Some(&passphrase)).map_err(fault)?;
                material::seal(key, &passphrase).map_err(fault)
            }
            // Its file is lost, and the profile says how it was kept.
            None if stated.is_some() => {
                let passphrase = shared.passphrase(authority, stated)?.ok_or_else(|| fault(Why::NoPassphrase))?;
                material::seal(key, &passphrase).map_err(fault)
            }
            _ => Ok(plain()),
        }
    }

    /// A key of an authority that is kept in the tree or below `.kpki`.
    pub fn open_kept(&self, authority: CaId, pem: &[u8]) -> Result<PrivateKey, KeyFault> {
        let shared = &self.shared;
        let fault = |why| shared.fault(authority, why);
        if !material::is_encrypted(pem) {
            return material::open(pem, None).map_err(fault);
        }
        let stated = match shared.sources.get(&authority) {
            Some(Source::Key { passphrase, .. }) => passphrase.as_ref(),
            _ => None,
        };
        let passphrase = shared.passphrase(authority, stated)?.ok_or_else(|| fault(Why::NoPassphrase))?;
        material::open(pem, Some(&passphrase)).map_err(fault)
    }

    /// Opens the key of this certificate, wherever it is. `pem`: as it is kept, if it is.
    ///
    /// # Errors
    /// It cannot sign.
    pub fn ready(&self, authority: CaId, certificate: &Certificate, pem: Option<&[u8]>) -> Result<(), SignerFault> {
        match self.of(authority, certificate, pem) {
            Sources::Signer(signer) => signer.ready(),
            Sources::Tree => Ok(()),
            Sources::Missing => {
                let at = self.owners.recorded(authority, certificate).unwrap_or_default();
                Err(KeyFault { authority, at, why: Why::Unnamed }.into())
            }
        }
    }
}

impl Shared {
    /// The public key that a profile names for a signer.
    fn public_key(&self, authority: CaId, options: &SignerOptions) -> Result<(Algorithm, Vec<u8>), Why> {
        let text = match options.public_key.as_ref().ok_or(Why::NoPublicKey)? {
            PublicKeyFrom::File(path) => read_public(Path::new(path))?,
            PublicKeyFrom::Command(words) => self.commands.ask(Question {
                words,
                authority,
                variables: &[],
                input: &[],
                limit: LARGEST_PUBLIC,
                timeout: Duration::from_secs(options.timeout.as_seconds()),
                is_shown: true,
            })?,
        };
        let blocks = pem::read(&text).map_err(|_| Why::PublicKey)?;
        let spki = raw_key::public_keys(&blocks).into_iter().next().ok_or(Why::PublicKey)?;
        match key_kind(&spki) {
            Ok(KeyKind::Known(algorithm)) => Ok((algorithm, spki)),
            _ => Err(Why::PublicKey),
        }
    }
}

/// A public key decides what is signed for: others must not be able to write it.
fn read_public(path: &Path) -> Result<Zeroizing<Vec<u8>>, Why> {
    files::trusted(path).map_err(Why::Trust)?;
    match files::read_input(path, LARGEST_PUBLIC as u64).map_err(Why::File)? {
        FileState::Missing => Err(Why::Missing),
        FileState::File { bytes, .. } => Ok(bytes),
    }
}
