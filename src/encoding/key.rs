//! The containers private keys travel in: `RSA PRIVATE KEY` (PKCS#1, RFC 8017 appendix A.1.2), `EC PRIVATE KEY` (SEC1, RFC
//! 5915) and `PRIVATE KEY` (PKCS#8, RFC 5208 and RFC 5958). All are read; the first two, kubeadm's, are written.

use std::fmt;

use zeroize::Zeroizing;

use crate::blueprint::Algorithm;
use crate::encoding::pem::{self, Block, PemError};
use crate::encoding::public_key::{self, EXPECTED, KeyKind, OtherKey};
use crate::encoding::tlv::{self, Element, NotDer};

/// A private key of a kind kpki works with, taken out of its container. The numbers are not checked against each other:
/// that is the signing library's part.
pub struct KeyMaterial {
    algorithm: Algorithm,
    parts: Parts,
}

enum Parts {
    /// RSAPrivateKey, as it stood.
    Rsa(Zeroizing<Vec<u8>>),
    /// The secret number, left-padded to the size of the field, and the point where the container had it.
    Ec { scalar: Zeroizing<Vec<u8>>, point: Option<Vec<u8>> },
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial({}, redacted)", self.algorithm)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Pkcs1,
    Sec1,
    Pkcs8,
}

impl Container {
    /// The label of its PEM block (RFC 7468 section 10; PKCS#1 and SEC1 by OpenSSL's custom).
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pkcs1 => "RSA PRIVATE KEY",
            Self::Sec1 => "EC PRIVATE KEY",
            Self::Pkcs8 => "PRIVATE KEY",
        }
    }
}

/// Why a private key cannot be used. Holds nothing out of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    Pem(PemError),
    /// No private key among the blocks; their labels.
    NoKey {
        found: Vec<String>,
    },
    Encrypted,
    Unsupported(OtherKey),
    /// A private key block of another format, by its label.
    UnknownContainer(String),
    Malformed(Container),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => error.fmt(f),
            Self::NoKey { found } if found.is_empty() => f.write_str("expected a PEM private key, found no PEM block"),
            Self::NoKey { found } => write!(f, "expected a PEM private key, found {}", found.join(", ")),
            Self::Encrypted => f.write_str("expected an unencrypted private key, found an encrypted one"),
            Self::Unsupported(found) => write!(f, "expected a private key of {EXPECTED}, found {found}"),
            Self::UnknownContainer(found) => {
                write!(f, "expected RSA PRIVATE KEY, EC PRIVATE KEY or PRIVATE KEY, found {found}")
            }
            Self::Malformed(container) => write!(f, "expected a well-formed {}, found broken DER", container.label()),
        }
    }
}

impl std::error::Error for KeyError {}

impl KeyMaterial {
    /// The first private key among the PEM blocks, as kubeadm reads. `EC PARAMETERS` (OpenSSL writes it before a key) and
    /// certificates (kubelet keeps both in one file) are passed over.
    pub fn from_pem(input: &[u8]) -> Result<Self, KeyError> {
        let blocks = pem::read(input).map_err(KeyError::Pem)?;
        match blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) {
            Some(block) => Self::from_block(block),
            None => Err(KeyError::NoKey { found: blocks.into_iter().map(|block| block.label).collect() }),
        }
    }

    fn from_block(block: &Block) -> Result<Self, KeyError> {
        if block.encrypted || block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(KeyError::Encrypted);
        }
        let container = [Container::Pkcs1, Container::Sec1, Container::Pkcs8]
            .into_iter()
            .find(|container| container.label() == block.label)
            .ok_or_else(|| match block.label.as_str() {
                "DSA PRIVATE KEY" => KeyError::Unsupported(OtherKey::Algorithm(DSA)),
                _ => KeyError::UnknownContainer(block.label.clone()),
            })?;
        Self::from_der(container, &block.contents)
    }

    pub fn from_der(container: Container, der: &[u8]) -> Result<Self, KeyError> {
        let read = match container {
            Container::Pkcs1 => read_pkcs1(der),
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
        match self.parts {
            Parts::Rsa(_) => Container::Pkcs1,
            Parts::Ec { .. } => Container::Sec1,
        }
    }

    /// States the public point of an EC key, computed by the signing library, for containers that leave it out.
    #[must_use]
    pub fn with_point(mut self, computed: &[u8]) -> Self {
        if let Parts::Ec { point, .. } = &mut self.parts {
            *point = Some(computed.to_vec());
        }
        self
    }

    /// [`Self::container`] as DER. SEC1 as Go writes it: version 1, the number in full length, the curve and the point.
    pub fn to_der(&self) -> Zeroizing<Vec<u8>> {
        match &self.parts {
            Parts::Rsa(der) => der.clone(),
            Parts::Ec { scalar, point } => {
                let curve = match self.algorithm {
                    Algorithm::EcdsaP384 => public_key::SECP384R1,
                    _ => public_key::SECP256R1,
                };
                let curve = tlv::write(tlv::CONTEXT_CONSTRUCTED, &tlv::write(tlv::OBJECT_IDENTIFIER, curve));
                let point =
                    point.as_ref().map(|point| tlv::write(tlv::CONTEXT_CONSTRUCTED | 1, &tlv::bit_string(point)));
                let scalar = Zeroizing::new(tlv::write(tlv::OCTET_STRING, scalar));
                let content = Zeroizing::new(tlv::concat(&[
                    tlv::integer(&[1]).as_slice(),
                    &scalar,
                    &curve,
                    point.as_deref().unwrap_or_default(),
                ]));
                Zeroizing::new(tlv::write(tlv::SEQUENCE, &content))
            }
        }
    }

    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::write(self.container().label(), &self.to_der())
    }
}

const DSA: crate::blueprint::Oid = crate::blueprint::Oid(std::borrow::Cow::Borrowed("1.2.840.10040.4.1"));

enum Read {
    Key(KeyMaterial),
    Other(OtherKey),
}

fn is_version(element: &Element<'_>, versions: &[u8]) -> bool {
    element.tag == tlv::INTEGER && matches!(element.content, [version] if versions.contains(version))
}

/// RSAPrivateKey: version 0 (two primes), modulus, publicExponent, privateExponent, and five more (RFC 8017 A.1.2).
fn read_pkcs1(der: &[u8]) -> Result<Read, NotDer> {
    match tlv::children(der, tlv::SEQUENCE)?.as_slice() {
        [version, modulus, rest @ ..] if is_version(version, &[0]) && rest.len() == 7 => {
            match KeyKind::rsa(public_key::modulus_bits(tlv::unsigned(*modulus)?)) {
                KeyKind::Known(algorithm) => {
                    Ok(Read::Key(KeyMaterial { algorithm, parts: Parts::Rsa(Zeroizing::new(der.to_vec())) }))
                }
                KeyKind::Other(other) => Ok(Read::Other(other)),
            }
        }
        _ => Err(NotDer),
    }
}

/// ECPrivateKey (RFC 5915 section 3). Inside PKCS#8 the curve stands outside and may be left out here.
fn read_sec1(der: &[u8], outer: Option<KeyKind>) -> Result<Read, NotDer> {
    let parts = tlv::children(der, tlv::SEQUENCE)?;
    let [version, scalar, optional @ ..] = parts.as_slice() else { return Err(NotDer) };
    if !is_version(version, &[1]) || scalar.tag != tlv::OCTET_STRING {
        return Err(NotDer);
    }
    let (parameters, optional) = take(optional, tlv::CONTEXT_CONSTRUCTED);
    let (point, optional) = take(optional, tlv::CONTEXT_CONSTRUCTED | 1);
    if !optional.is_empty() {
        return Err(NotDer);
    }
    let inner = parameters
        .map(|parameters| match tlv::single(parameters.content)? {
            curve if curve.tag == tlv::OBJECT_IDENTIFIER => KeyKind::curve(curve.content),
            _ => Err(NotDer),
        })
        .transpose()?;
    let kind = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => return Err(NotDer),
        (Some(kind), _) | (None, Some(kind)) => kind,
        (None, None) => return Err(NotDer),
    };
    let (algorithm, size) = match kind {
        KeyKind::Known(algorithm @ Algorithm::EcdsaP384) => (algorithm, 48),
        KeyKind::Known(algorithm) => (algorithm, 32),
        KeyKind::Other(other) => return Ok(Read::Other(other)),
    };
    let scalar = fixed_length(scalar.content, size)?;
    let point = point.map(|point| tlv::single(point.content).and_then(tlv::octets).map(<[u8]>::to_vec)).transpose()?;
    Ok(Read::Key(KeyMaterial { algorithm, parts: Parts::Ec { scalar, point } }))
}

fn take<'a, 'e>(elements: &'a [Element<'e>], tag: u8) -> (Option<&'a Element<'e>>, &'a [Element<'e>]) {
    match elements {
        [first, rest @ ..] if first.tag == tag => (Some(first), rest),
        _ => (None, elements),
    }
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

/// PrivateKeyInfo, version 0, or OneAsymmetricKey, version 1 with a public key (RFC 5958 section 2).
fn read_pkcs8(der: &[u8]) -> Result<Read, NotDer> {
    let parts = tlv::children(der, tlv::SEQUENCE)?;
    let [version, algorithm, key, optional @ ..] = parts.as_slice() else { return Err(NotDer) };
    let (_attributes, optional) = take(optional, tlv::CONTEXT_CONSTRUCTED);
    let (public, optional) = take(optional, tlv::CONTEXT | 1);
    let versions: &[u8] = if public.is_some() { &[1] } else { &[0, 1] };
    if !is_version(version, versions) || key.tag != tlv::OCTET_STRING || !optional.is_empty() {
        return Err(NotDer);
    }
    match public_key::kind(algorithm.raw)? {
        None => read_pkcs1(key.content),
        Some(KeyKind::Other(other)) => Ok(Read::Other(other)),
        Some(curve) => read_sec1(key.content, Some(curve)),
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
