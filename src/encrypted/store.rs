//! A file of certificates and keys behind one password, whoever's format it has.

use super::EncryptionError;
use super::jks;
use super::pkcs12::{self, Opened};
use crate::encoding::found::{Found, found};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    Pkcs12,
    Jks,
    Jceks,
}

impl Store {
    /// By its first bytes.
    pub fn of(head: &[u8]) -> Option<Self> {
        match found(head)? {
            Found::Pkcs12 => Some(Self::Pkcs12),
            Found::Jks => Some(Self::Jks),
            Found::Jceks => Some(Self::Jceks),
            _ => None,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pkcs12 => "PKCS#12 file",
            Self::Jks => "Java KeyStore (JKS)",
            Self::Jceks => "Java KeyStore (JCEKS)",
        }
    }

    /// Everything in it. Of a Java KeyStore the certificates are read without a password, too.
    pub fn open(self, bytes: &[u8], password: Option<&str>) -> Result<Opened, EncryptionError> {
        match self {
            Self::Pkcs12 => pkcs12::open(bytes, password),
            Self::Jks | Self::Jceks => jks::open(bytes, password),
        }
    }
}
