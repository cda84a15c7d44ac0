//! SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7): which kind of key it is, and the bits.

use std::fmt;

use crate::blueprint::{Algorithm, Oid};
use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::tlv::{self, Fields, NotDer};
use crate::encoding::{oid, pem};

/// AlgorithmIdentifier of RSA keys, parameters NULL (RFC 3279 section 2.3.1).
pub const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// AlgorithmIdentifier of EC keys, parameters the curve (RFC 5480 section 2.1.1).
pub const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
pub const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0, 34];

/// What kind a key is, public or private.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// One of the kinds kpki makes.
    Known(Algorithm),
    Other(OtherKey),
}

/// A kind of key kpki reads but neither makes nor signs for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OtherKey {
    Rsa { bits: usize },
    EllipticCurve(Oid),
    Algorithm(Oid),
}

/// What kpki takes, for error messages.
pub const EXPECTED: &str = "RSA-2048, RSA-3072, RSA-4096, ECDSA-P256 or ECDSA-P384";

const NAMES: &[(&str, &str)] = &[
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.10045.3.1.1", "ECDSA-P192"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.3.132.0.10", "ECDSA-secp256k1"),
    ("1.3.132.0.33", "ECDSA-P224"),
    ("1.3.132.0.35", "ECDSA-P521"),
];

impl fmt::Display for OtherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, oid) = match self {
            Self::Rsa { bits } => return write!(f, "RSA-{bits}"),
            Self::EllipticCurve(oid) => ("curve", oid),
            Self::Algorithm(oid) => ("key algorithm", oid),
        };
        match NAMES.iter().find(|(known, _)| *known == oid.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{kind} {oid}"),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(algorithm) => algorithm.fmt(f),
            Self::Other(other) => other.fmt(f),
        }
    }
}

impl KeyKind {
    pub const fn rsa(bits: usize) -> Self {
        match bits {
            2048 => Self::Known(Algorithm::Rsa2048),
            3072 => Self::Known(Algorithm::Rsa3072),
            4096 => Self::Known(Algorithm::Rsa4096),
            _ => Self::Other(OtherKey::Rsa { bits }),
        }
    }

    /// From the content octets of the curve's OID.
    pub fn curve(octets: &[u8]) -> Result<Self, NotDer> {
        match octets {
            SECP256R1 => Ok(Self::Known(Algorithm::EcdsaP256)),
            SECP384R1 => Ok(Self::Known(Algorithm::EcdsaP384)),
            _ => oid::read(octets).map(|oid| Self::Other(OtherKey::EllipticCurve(oid))).ok_or(NotDer),
        }
    }
}

/// The significant bits of an RSA modulus, from its octets without a sign octet.
pub fn modulus_bits(octets: &[u8]) -> usize {
    octets.first().map_or(0, |first| octets.len() * 8 - first.leading_zeros() as usize)
}

/// A SubjectPublicKeyInfo read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey<'a> {
    pub kind: KeyKind,
    /// The content of the BIT STRING: RSAPublicKey, or the EC point.
    pub bits: &'a [u8],
}

pub fn read(der: &[u8]) -> Result<PublicKey<'_>, NotDer> {
    let mut fields = Fields::inside(der, tlv::SEQUENCE)?;
    let algorithm = AlgorithmIdentifier::read(fields.element()?.raw)?;
    let bits = tlv::octets(fields.element()?)?;
    fields.end()?;
    let kind = match kind(algorithm)? {
        Some(kind) => kind,
        None => match tlv::children(bits, tlv::SEQUENCE)?.as_slice() {
            [modulus, _exponent] => KeyKind::rsa(modulus_bits(tlv::unsigned(*modulus)?)),
            _ => return Err(NotDer),
        },
    };
    Ok(PublicKey { kind, bits })
}

/// The content octets of an RSA key's public exponent; `None`: another kind of key.
pub fn exponent(der: &[u8]) -> Result<Option<&[u8]>, NotDer> {
    let mut fields = Fields::inside(der, tlv::SEQUENCE)?;
    let algorithm = AlgorithmIdentifier::read(fields.element()?.raw)?;
    if algorithm.id != RSA_ENCRYPTION {
        return Ok(None);
    }
    match tlv::children(tlv::octets(fields.element()?)?, tlv::SEQUENCE)?.as_slice() {
        [_modulus, exponent] => tlv::unsigned(*exponent).map(Some),
        _ => Err(NotDer),
    }
}

/// The kind an algorithm names; `None`: RSA, where the size stands in the key itself.
pub fn kind(algorithm: AlgorithmIdentifier<'_>) -> Result<Option<KeyKind>, NotDer> {
    match algorithm.id {
        RSA_ENCRYPTION => Ok(None),
        // Explicit curve parameters are forbidden by RFC 5480 section 2.1.1.
        EC_PUBLIC_KEY => KeyKind::curve(algorithm.parameters.ok_or(NotDer)?.of(tlv::OBJECT_IDENTIFIER)?).map(Some),
        _ => algorithm.oid().map(|oid| Some(KeyKind::Other(OtherKey::Algorithm(oid)))),
    }
}

/// The `PUBLIC KEY` file kubeadm calls sa.pub.
pub fn to_pem(der: &[u8]) -> String {
    pem::write_public("PUBLIC KEY", der)
}
