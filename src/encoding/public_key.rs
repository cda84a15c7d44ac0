//! SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7): which kind of key it is, and the bits.

use std::fmt;

use crate::blueprint::{Algorithm, Oid};
use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::tlv::{self, Element, Fields, NotDer};
use crate::encoding::{oid, pem};

/// AlgorithmIdentifier of RSA keys, parameters NULL (RFC 3279 section 2.3.1).
pub const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// AlgorithmIdentifier of EC keys, parameters the curve (RFC 5480 section 2.1.1).
pub const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
pub const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0, 34];
pub const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0, 35];
/// AlgorithmIdentifier of DSA keys, parameters p, q and g (RFC 3279 section 2.3.2).
pub const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
/// RSA keys for PSS only (RFC 4055 section 1.2).
pub const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
/// dhKeyAgreement of PKCS#3, and dhpublicnumber of X9.42 (RFC 3279 section 2.3.3): parameters p and others.
const DIFFIE_HELLMAN: [&[u8]; 2] =
    [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1], &[0x2a, 0x86, 0x48, 0xce, 0x3e, 2, 1]];
/// The field of a curve of which all numbers are written out (X9.62).
pub const PRIME_FIELD: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 1, 1];

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
    Rsa {
        bits: usize,
    },
    /// RSA for PSS signatures only.
    RsaPss {
        bits: usize,
    },
    EllipticCurve(Oid),
    /// The curve is not named but written out, which RFC 5480 section 2.1.1 forbids: it may be any. `None`: no prime field.
    ExplicitCurve {
        bits: Option<usize>,
    },
    Dsa {
        bits: usize,
    },
    DiffieHellman {
        bits: usize,
    },
    Algorithm(Oid),
}

/// What kpki takes, for error messages.
pub const EXPECTED: &str = "RSA-2048, RSA-3072, RSA-4096, ECDSA-P256 or ECDSA-P384";

const NAMES: &[(&str, &str)] = &[
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.10045.3.1.1", "ECDSA-P192"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.3.132.0.10", "ECDSA-secp256k1"),
    ("1.3.132.0.33", "ECDSA-P224"),
    ("1.3.132.0.35", "ECDSA-P521"),
    ("1.3.36.3.3.2.8.1.1.7", "ECDSA-brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "ECDSA-brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "ECDSA-brainpoolP512r1"),
    ("1.2.156.10197.1.301", "SM2"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

impl fmt::Display for OtherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, oid) = match self {
            Self::Rsa { bits } => return write!(f, "RSA-{bits}"),
            Self::RsaPss { bits } => return write!(f, "RSASSA-PSS-{bits}"),
            Self::Dsa { bits } => return write!(f, "DSA-{bits}"),
            Self::DiffieHellman { bits } => return write!(f, "DH-{bits}"),
            Self::ExplicitCurve { bits: Some(bits) } => return write!(f, "EC with explicit parameters ({bits} bits)"),
            Self::ExplicitCurve { bits: None } => return f.write_str("EC with explicit parameters"),
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

    /// Of a key whose size stands in its modulus.
    pub fn of_modulus(algorithm: &[u8], bits: usize) -> Self {
        if algorithm == RSASSA_PSS { Self::Other(OtherKey::RsaPss { bits }) } else { Self::rsa(bits) }
    }

    /// From the parameters of an EC key: the curve's OID, or all its numbers.
    pub fn of_curve(parameters: Element<'_>) -> Result<Self, NotDer> {
        if parameters.tag == tlv::OBJECT_IDENTIFIER {
            return Self::curve(parameters.content);
        }
        let mut fields = Fields::of(parameters.of(tlv::SEQUENCE)?);
        let _version = fields.take(tlv::INTEGER)?;
        let mut field = Fields::of(fields.take(tlv::SEQUENCE)?);
        let id = field.take(tlv::OBJECT_IDENTIFIER)?;
        let prime = field.element()?;
        let bits = (id == PRIME_FIELD).then(|| tlv::unsigned(prime).map(modulus_bits)).transpose()?;
        Ok(Self::Other(OtherKey::ExplicitCurve { bits }))
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
            [modulus, _exponent] => KeyKind::of_modulus(algorithm.id, modulus_bits(tlv::unsigned(*modulus)?)),
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
        RSA_ENCRYPTION | RSASSA_PSS => Ok(None),
        EC_PUBLIC_KEY => KeyKind::of_curve(algorithm.parameters.ok_or(NotDer)?).map(Some),
        // Without parameters they are the issuer's (RFC 3279 section 2.3.2), and the size is unknown.
        DSA if first_number(algorithm).is_ok() => {
            first_number(algorithm).map(|bits| Some(KeyKind::Other(OtherKey::Dsa { bits })))
        }
        id if DIFFIE_HELLMAN.contains(&id) => {
            first_number(algorithm).map(|bits| Some(KeyKind::Other(OtherKey::DiffieHellman { bits })))
        }
        _ => algorithm.oid().map(|oid| Some(KeyKind::Other(OtherKey::Algorithm(oid)))),
    }
}

/// The bits of the prime that parameters begin with.
fn first_number(algorithm: AlgorithmIdentifier<'_>) -> Result<usize, NotDer> {
    let mut fields = Fields::of(algorithm.parameters.ok_or(NotDer)?.of(tlv::SEQUENCE)?);
    tlv::unsigned(fields.element()?).map(modulus_bits)
}

/// The `PUBLIC KEY` file kubeadm calls sa.pub.
pub fn to_pem(der: &[u8]) -> String {
    pem::write_public("PUBLIC KEY", der)
}
