//! The key of an authority that is made in this run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::args::GivenKey;
use super::command::{CommandSigner, Question};
use super::fault::{KeyFault, Why};
use super::keyring::{KeyRing, Shared};
use super::material::LARGEST_PUBLIC;
use super::passphrase;
use super::seal::seal;
use super::source::{KeyAt, Source};
use crate::blueprint::Algorithm;
use crate::ca::{PrivateKey, Signer};
use crate::catalog::CaId;
use crate::encoding::pem;
use crate::encoding::raw_key::public_keys;
use crate::files::{self, FileState};
use crate::profile::{PublicKeyFrom, SignerOptions};
use crate::x509::{KeyKind, key_kind};

/// Where the key comes from.
#[derive(Debug)]
pub enum Fresh {
    /// It is there, and signs; no file of it is written.
    There(Box<dyn Signer>),
    /// It is to be made.
    Made(Birthplace),
}

/// Where a key goes that kpki makes.
#[derive(Default)]
pub struct Birthplace {
    /// Outside the tree; `None`: the tree's own file.
    pub file: Option<PathBuf>,
    /// `None`: plain.
    pub passphrase: Option<Zeroizing<String>>,
}

impl Birthplace {
    /// The key as its file holds it.
    pub fn contents(&self, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, Why> {
        match &self.passphrase {
            Some(passphrase) => seal(key, passphrase),
            None => Ok(Zeroizing::new(key.to_pem().as_bytes().to_vec())),
        }
    }
}

impl std::fmt::Debug for Birthplace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Birthplace({:?}, redacted)", self.file)
    }
}

fn has_directory(path: &Path) -> Result<(), Why> {
    match path.parent().filter(|dir| files::what(None, dir).is_none()) {
        Some(missing) => Err(Why::NoDirectory(missing.display().to_string())),
        None => Ok(()),
    }
}

impl KeyRing {
    /// The key that a new authority gets. `stated`: of which kind the profile says that it is.
    pub fn fresh(&self, authority: CaId, stated: Option<Algorithm>) -> Result<Fresh, KeyFault> {
        let shared = &self.shared;
        let fault = |why| shared.fault(authority, why);
        let signer: Box<dyn Signer> = match shared.sources.get(&authority) {
            None => return Ok(Fresh::Made(Birthplace::default())),
            Some(Source::Issuer(_)) => return Err(fault(Why::Missing)),
            Some(Source::Signer(options)) => Box::new(self.new_signer(authority, options)?),
            Some(Source::Key { from, passphrase }) => {
                let file = match from {
                    KeyAt::Tree => Some(None),
                    KeyAt::Given(GivenKey::File(path)) if self.is_to_be_made(authority, path) => Some(Some(path)),
                    KeyAt::Given(_) | KeyAt::Command(..) => None,
                };
                if let Some(file) = file {
                    file.map_or(Ok(()), |path| has_directory(path)).map_err(fault)?;
                    let stated = passphrase.as_ref().map(|stated| passphrase::stated(stated, &shared.commands.args));
                    let passphrase = stated.transpose().map_err(fault)?;
                    if passphrase.as_ref().is_some_and(|passphrase| passphrase.is_empty()) {
                        return Err(fault(Why::EmptyPassphrase));
                    }
                    return Ok(Fresh::Made(Birthplace { file: file.cloned(), passphrase }));
                }
                Box::new(shared.open(authority, None)?)
            }
        };
        match stated.filter(|stated| *stated != signer.algorithm()) {
            Some(expected) => Err(fault(Why::OtherAlgorithm { expected, found: signer.algorithm() })),
            None => Ok(Fresh::There(signer)),
        }
    }

    /// The file of the profile that does not exist yet. One that the command line names has to be there: nothing else says where
    /// it is in the next run.
    fn is_to_be_made(&self, authority: CaId, path: &Path) -> bool {
        !self.shared.commands.args.keys.contains_key(&authority) && files::what(None, path).is_none()
    }

    /// The file outside the tree in which the key of a new authority will be made.
    pub fn to_be_made(&self, authority: CaId) -> Result<Option<&Path>, KeyFault> {
        match self.shared.sources.get(&authority) {
            Some(Source::Key { from: KeyAt::Given(GivenKey::File(path)), .. })
                if self.is_to_be_made(authority, path) =>
            {
                has_directory(path).map_err(|why| self.shared.fault(authority, why))?;
                Ok(Some(path))
            }
            _ => Ok(None),
        }
    }

    /// The key of an authority that is made in this run is encrypted.
    pub fn is_sealed(&self, authority: CaId) -> bool {
        match self.shared.sources.get(&authority) {
            Some(Source::Key { from, passphrase: Some(_) }) => {
                matches!(from, KeyAt::Tree) || self.to_be_made(authority).is_ok_and(|path| path.is_some())
            }
            _ => false,
        }
    }

    fn new_signer(&self, authority: CaId, options: &SignerOptions) -> Result<CommandSigner, KeyFault> {
        let shared = &self.shared;
        let (algorithm, spki_der) = shared.stated_key(authority, options)?;
        let signer = shared.command(authority, options, (algorithm, spki_der));
        signer.ok_or_else(|| shared.fault(authority, Why::Missing))
    }
}

impl Shared {
    /// The public key of the source: its key is opened, of a signer it is what the profile states.
    pub(super) fn public_key_of(&self, authority: CaId) -> Result<Vec<u8>, KeyFault> {
        match self.sources.get(&authority) {
            Some(Source::Signer(options)) => self.stated_key(authority, options).map(|(_, spki_der)| spki_der),
            _ => self.open(authority, None).map(|key| key.spki_der()),
        }
    }

    /// A signer's publicKey, and of which kind it is.
    fn stated_key(&self, authority: CaId, options: &SignerOptions) -> Result<(Algorithm, Vec<u8>), KeyFault> {
        let from = options.public_key.as_ref().ok_or_else(|| self.fault(authority, Why::NoPublicKey))?;
        let at = match from {
            PublicKeyFrom::File(path) => path.clone(),
            PublicKeyFrom::Command(words) => format!("the command {}", words.first().map_or("", String::as_str)),
        };
        let fault = |why| KeyFault { authority, at: at.clone(), why };
        let text = self.public_key(authority, options, from).map_err(fault)?;
        let keys = pem::read(&text).map(|blocks| public_keys(&blocks)).unwrap_or_default();
        let [spki_der] = <[Vec<u8>; 1]>::try_from(keys).map_err(|_| fault(Why::PublicKey))?;
        match key_kind(&spki_der) {
            Ok(KeyKind::Known(algorithm)) => Ok((algorithm, spki_der)),
            Ok(KeyKind::Other(other)) => Err(fault(Why::OtherKind(other.to_string()))),
            Err(_) => Err(fault(Why::PublicKey)),
        }
    }

    fn public_key(&self, authority: CaId, options: &SignerOptions, from: &PublicKeyFrom) -> Result<Vec<u8>, Why> {
        match from {
            PublicKeyFrom::File(path) => {
                let path = Path::new(path);
                files::trusted(path).map_err(Why::Trust)?;
                match files::read_input(path, LARGEST_PUBLIC).map_err(Why::File)? {
                    FileState::Missing => Err(Why::Missing),
                    FileState::File { bytes, .. } => Ok(bytes.to_vec()),
                }
            }
            PublicKeyFrom::Command(words) => {
                let answer = self.commands.ask(Question {
                    words,
                    authority,
                    variables: &[],
                    input: &[],
                    limit: LARGEST_PUBLIC as usize,
                    timeout: Duration::from_secs(options.timeout.as_seconds()),
                    is_shown: true,
                })?;
                Ok(answer.to_vec())
            }
        }
    }
}
