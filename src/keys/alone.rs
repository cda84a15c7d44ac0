//! The key of an authority that belongs to no tree: certificate and key were named on the command line.

use std::fmt;
use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::args::{GivenKey, KeyArgs};
use super::fault::Why;
use super::material::{self, LARGEST};
use super::passphrase;
use crate::blueprint::Algorithm;
use crate::ca::{CaError, PrivateKey, Purpose, Signer, SignerFault};
use crate::files::{FileError, FileState, Kind, Op, read_input};
use crate::x509::{Certificate, KeyKind};

/// Why it does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct AloneFault {
    pub at: String,
    #[source]
    pub why: Why,
}

/// An encrypted key, which is opened when it is first needed.
pub struct AloneKey {
    pem: Zeroizing<Vec<u8>>,
    at: String,
    algorithm: Algorithm,
    certificate: Certificate,
    args: KeyArgs,
    key: OnceLock<Result<PrivateKey, Why>>,
}

impl fmt::Debug for AloneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AloneKey({}, redacted)", self.at)
    }
}

impl AloneKey {
    /// The signer with this key: at once, or, where it is encrypted, when it signs.
    pub fn signer(given: &GivenKey, certificate: &Certificate, args: &KeyArgs) -> Result<Box<dyn Signer>, Why> {
        let (pem, at) = match given {
            GivenKey::Pem(pem) => (pem.clone(), "standard input or a pipe".to_owned()),
            GivenKey::File(path) => match read_input(path, LARGEST).map_err(Why::File)? {
                FileState::File { bytes, .. } => (bytes, path.display().to_string()),
                FileState::Missing => return Err(Why::File(FileError::new(Op::Read, path, Kind::Missing))),
            },
        };
        match certificate.key {
            KeyKind::Known(algorithm) if material::is_encrypted(&pem) => {
                let (certificate, args) = (certificate.clone(), args.clone());
                Ok(Box::new(Self { pem, at, algorithm, certificate, args, key: OnceLock::new() }))
            }
            _ => Ok(Box::new(material::open(&pem, None)?)),
        }
    }

    fn key(&self) -> Result<&PrivateKey, SignerFault> {
        let opened = self.key.get_or_init(|| {
            let passphrase = match &self.args.passphrase {
                Some(stated) => passphrase::stated(stated, &self.args)?,
                None => passphrase::typed(&format!("Passphrase of {}: ", self.at), &self.pem, &self.args)?,
            };
            let key = material::open(&self.pem, Some(&passphrase))?;
            if key.matches(&self.certificate) { Ok(key) } else { Err(Why::OtherKey) }
        });
        opened
            .as_ref()
            .map_err(|why| SignerFault::new(AloneFault { at: self.at.clone(), why: why.clone() }, why.hint()))
    }
}

impl Signer for AloneKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn spki_der(&self) -> Vec<u8> {
        self.certificate.spki_der.clone()
    }

    fn sign(&self, message: &[u8], _: Purpose) -> Result<Vec<u8>, CaError> {
        self.key().map_err(CaError::Signer)?.sign(message)
    }

    fn ready(&self) -> Result<(), SignerFault> {
        self.key().map(|_| ())
    }
}
