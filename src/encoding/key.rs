//! The private keys kpki works with. All three containers are read; PKCS#1 and SEC1, kubeadm's, are written.

use std::fmt;

use zeroize::Zeroizing;

use crate::blueprint::Algorithm;
use crate::encoding::found::{Found, found};
pub use crate::encoding::key_container::Container;
use crate::encoding::key_container::{Pkcs8, Sec1, rsa_numbers, write_sec1};
use crate::encoding::pem::{self, Block, Label, PemError};
use crate::encoding::public_key::{self, EXPECTED, KeyKind, OtherKey};
use crate::encoding::raw_key::RawKey;
use crate::encoding::tlv::{self, NotDer};

/// A private key of a kind kpki works with, in kubeadm's container. The numbers are not checked against each other: that is
/// the signing library's part.
pub struct KeyMaterial {
    algorithm: Algorithm,
    /// RSAPrivateKey as it stood, or ECPrivateKey as [`write_ec`] writes it.
    der: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial({}, redacted)", self.algorithm)
    }
}

/// Why a private key cannot be used. Holds nothing out of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A block is broken.
    #[error("{0}")]
    Pem(#[from] PemError),
    /// No private key among the blocks; their labels.
    #[error("expected a PEM private key, found {}", pem::listed(.found, "no PEM block"))]
    NoKey { found: Vec<Label> },
    /// No PEM, but something that is known.
    #[error("expected a PEM private key, found {0}")]
    Other(Found),
    /// It needs a password first.
    #[error(
        "expected an unencrypted private key, found an encrypted one (kpki convert --to pkcs8 opens it with --password-file)"
    )]
    Encrypted,
    /// A kind of key kpki does not work with.
    #[error("expected a private key of {EXPECTED}, found {0}")]
    Unsupported(OtherKey),
    /// A private key block of another format, by its label.
    #[error(
        "expected RSA PRIVATE KEY, EC PRIVATE KEY or PRIVATE KEY, found {0} (kpki inspect shows its kind, convert --to pkcs8 rewrites it)"
    )]
    UnknownContainer(Label),
    /// The DER is not what the container says.
    #[error("expected a well-formed {}, found broken DER", .0.label())]
    Malformed(Container),
}

impl KeyMaterial {
    /// The first private key among the PEM blocks, as kubeadm reads. `EC PARAMETERS` (OpenSSL writes it before a key) and
    /// certificates (kubelet keeps both in one file) are passed over.
    pub fn from_pem(input: &[u8]) -> Result<Self, KeyError> {
        let blocks = pem::read(input)?;
        match blocks.iter().find(|block| block.label.is_private_key()) {
            Some(block) => Self::from_block(block),
            None => Err(match found(input).filter(|_| blocks.is_empty()) {
                Some(other) => KeyError::Other(other),
                None => KeyError::NoKey { found: blocks.into_iter().map(|block| block.label).collect() },
            }),
        }
    }

    fn from_block(block: &Block) -> Result<Self, KeyError> {
        if block.encrypted || block.label.is("ENCRYPTED PRIVATE KEY") {
            return Err(KeyError::Encrypted);
        }
        let container = Container::ALL.into_iter().find(|container| block.label.is(container.label())).ok_or_else(
            || match block.label.is("DSA PRIVATE KEY") {
                true => match RawKey::detect(&block.contents).map(|key| key.kind()) {
                    Some(Ok(KeyKind::Other(other))) => KeyError::Unsupported(other),
                    _ => KeyError::UnknownContainer(block.label),
                },
                false => KeyError::UnknownContainer(block.label),
            },
        )?;
        Self::from_der(container, &block.contents)
    }

    pub fn from_der(container: Container, der: &[u8]) -> Result<Self, KeyError> {
        let read = match container {
            Container::Pkcs1 => read_pkcs1(der, public_key::RSA_ENCRYPTION),
            Container::Sec1 => read_sec1(der, None),
            Container::Pkcs8 => read_pkcs8(der),
        };
        match read {
            Ok(Read::Key(key)) => Ok(key),
            Ok(Read::Other(other)) => Err(KeyError::Unsupported(other)),
            Err(NotDer) => Err(KeyError::Malformed(container)),
        }
    }

    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// kubeadm's container for this kind of key.
    pub const fn container(&self) -> Container {
        if self.algorithm.is_rsa() { Container::Pkcs1 } else { Container::Sec1 }
    }

    /// States the public point of an EC key, computed by the signing library, for containers that leave it out.
    #[must_use]
    pub fn with_point(self, computed: &[u8]) -> Self {
        match Sec1::read(&self.der) {
            Ok(key) if !self.algorithm.is_rsa() => {
                Self { algorithm: self.algorithm, der: write_ec(self.algorithm, key.scalar.content, Some(computed)) }
            }
            _ => self,
        }
    }

    /// In [`Self::container`].
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::write(self.container().label(), &self.der)
    }
}

enum Read {
    Key(KeyMaterial),
    Other(OtherKey),
}

/// `algorithm`: RSA, or RSA for PSS only.
fn read_pkcs1(der: &[u8], algorithm: &[u8]) -> Result<Read, NotDer> {
    let [modulus, _] = rsa_numbers(der)?;
    match KeyKind::of_modulus(algorithm, public_key::modulus_bits(tlv::unsigned(modulus)?)) {
        KeyKind::Known(algorithm) => Ok(Read::Key(KeyMaterial { algorithm, der: Zeroizing::new(der.to_vec()) })),
        KeyKind::Other(other) => Ok(Read::Other(other)),
    }
}

/// Inside PKCS#8 the curve stands outside and may be left out here.
fn read_sec1(der: &[u8], outer: Option<KeyKind>) -> Result<Read, NotDer> {
    let parts = Sec1::read(der)?;
    let curve = |curve| KeyKind::of_curve(tlv::single(curve)?);
    let kind = match (outer, parts.curve.map(curve).transpose()?) {
        (Some(outer), Some(inner)) if outer != inner => return Err(NotDer),
        (Some(kind), _) | (None, Some(kind)) => kind,
        (None, None) => return Err(NotDer),
    };
    let (algorithm, size) = match kind {
        KeyKind::Known(algorithm @ Algorithm::EcdsaP384) => (algorithm, 48),
        KeyKind::Known(algorithm) => (algorithm, 32),
        KeyKind::Other(other) => return Ok(Read::Other(other)),
    };
    let scalar = fixed_length(parts.scalar.content, size)?;
    Ok(Read::Key(KeyMaterial { algorithm, der: write_ec(algorithm, &scalar, parts.point_octets()?) }))
}

/// SEC1 as Go writes it: version 1, the number in full length, the curve and the point.
fn write_ec(algorithm: Algorithm, scalar: &[u8], point: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let curve = match algorithm {
        Algorithm::EcdsaP384 => public_key::SECP384R1,
        _ => public_key::SECP256R1,
    };
    let point = point.map(|point| tlv::write(tlv::CONTEXT_CONSTRUCTED | 1, &tlv::bit_string(point)));
    let scalar = Zeroizing::new(tlv::write(tlv::OCTET_STRING, scalar));
    write_sec1(&scalar, &tlv::write(tlv::OBJECT_IDENTIFIER, curve), point.as_deref().unwrap_or_default())
}

/// Old OpenSSL dropped leading zeros and some writers add them; RFC 5915 section 3 wants the length of the field.
fn fixed_length(octets: &[u8], size: usize) -> Result<Zeroizing<Vec<u8>>, NotDer> {
    let start = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len());
    let significant = octets.get(start..).unwrap_or_default();
    let padding = size.checked_sub(significant.len()).ok_or(NotDer)?;
    let mut fixed = Zeroizing::new(Vec::with_capacity(size));
    fixed.resize(padding, 0);
    fixed.extend_from_slice(significant);
    Ok(fixed)
}

/// Version 0, or version 1 with a public key.
fn read_pkcs8(der: &[u8]) -> Result<Read, NotDer> {
    let Pkcs8 { version, algorithm, key, mut optional } = Pkcs8::read(der)?;
    let _attributes = optional.optional(tlv::CONTEXT_CONSTRUCTED)?;
    let public = optional.optional(tlv::CONTEXT | 1)?;
    optional.end()?;
    if version != [1] && !(version == [0] && public.is_none()) {
        return Err(NotDer);
    }
    match public_key::kind(algorithm)? {
        None => read_pkcs1(key, algorithm.id),
        Some(KeyKind::Other(other)) => Ok(Read::Other(other)),
        Some(curve) => read_sec1(key, Some(curve)),
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
