//! What a PKCS#12 file or a Java KeyStore holds, and how it is locked.

use std::fmt;

use zeroize::Zeroizing;

/// A key, certificate or CRL, with its names.
#[derive(Clone, PartialEq, Eq)]
pub struct Bag {
    pub content: Content,
    pub friendly_name: Option<String>,
    /// Ties a key to its certificate.
    pub local_key_id: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// PrivateKeyInfo (PKCS#8) as DER.
    Key(Zeroizing<Vec<u8>>),
    /// An X.509 certificate as DER.
    Certificate(Vec<u8>),
    /// A CRL as DER.
    Crl(Vec<u8>),
    /// A private key that this password does not open, where the format has one for each.
    Locked,
}

/// The content may be a key.
impl fmt::Debug for Bag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bag({:?}, {:?})", self.content, self.friendly_name)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, length) = match self {
            Self::Key(der) => ("Key", der.len()),
            Self::Certificate(der) => ("Certificate", der.len()),
            Self::Crl(der) => ("Crl", der.len()),
            Self::Locked => ("Locked", 0),
        };
        write!(f, "{what}({length} bytes)")
    }
}

/// What a file held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub bags: Vec<Bag>,
    /// The MAC was checked; without one, changes are not detected.
    pub checked: bool,
}

/// How a new file is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// As OpenSSL 3: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC, HMAC-SHA-256 over all.
    Modern,
    /// pbeWithSHAAnd3-KeyTripleDES-CBC and HMAC-SHA-1: what Java before 8u301 and Windows before Server 2019 read.
    Legacy,
}
