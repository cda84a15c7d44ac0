//! The containers private keys travel in, taken apart and never looked into: `RSA PRIVATE KEY` (PKCS#1, RFC 8017 appendix
//! A.1.2), `EC PRIVATE KEY` (SEC1, RFC 5915) and `PRIVATE KEY` (PKCS#8, RFC 5208 and RFC 5958).

use zeroize::Zeroizing;

use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::tlv::{self, Element, Fields, NotDer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Pkcs1,
    Sec1,
    Pkcs8,
}

impl Container {
    pub const ALL: [Self; 3] = [Self::Pkcs8, Self::Pkcs1, Self::Sec1];

    /// The label of its PEM block (RFC 7468 section 10; PKCS#1 and SEC1 by OpenSSL's custom).
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pkcs1 => "RSA PRIVATE KEY",
            Self::Sec1 => "EC PRIVATE KEY",
            Self::Pkcs8 => "PRIVATE KEY",
        }
    }
}

/// PrivateKeyInfo, or OneAsymmetricKey with a public key behind (RFC 5958 section 2).
#[derive(Clone, Copy)]
pub(crate) struct Pkcs8<'a> {
    /// The content octets of the INTEGER.
    pub version: &'a [u8],
    pub algorithm: AlgorithmIdentifier<'a>,
    pub key: &'a [u8],
    /// Attributes and the public key, not taken apart but well-formed.
    pub optional: Fields<'a>,
}

impl<'a> Pkcs8<'a> {
    pub fn read(der: &'a [u8]) -> Result<Self, NotDer> {
        let mut fields = Fields::inside(der, tlv::SEQUENCE)?;
        let version = fields.take(tlv::INTEGER)?;
        let algorithm = AlgorithmIdentifier::read(fields.element()?.raw)?;
        let key = fields.take(tlv::OCTET_STRING)?;
        fields.all()?;
        Ok(Self { version, algorithm, key, optional: fields })
    }
}

/// ECPrivateKey (RFC 5915 section 3).
#[derive(Clone, Copy)]
pub(crate) struct Sec1<'a> {
    /// The OCTET STRING.
    pub scalar: Element<'a>,
    /// The content of `[0]`: the curve.
    pub curve: Option<&'a [u8]>,
    /// `[1]` whole: the point.
    pub point: Option<Element<'a>>,
}

impl<'a> Sec1<'a> {
    pub fn read(der: &'a [u8]) -> Result<Self, NotDer> {
        let mut fields = Fields::inside(der, tlv::SEQUENCE)?;
        let version = fields.take(tlv::INTEGER)?;
        let scalar = fields.element()?;
        let curve = fields.optional(tlv::CONTEXT_CONSTRUCTED)?.map(|curve| curve.content);
        let point = fields.optional(tlv::CONTEXT_CONSTRUCTED | 1)?;
        fields.end()?;
        if version != [1] || scalar.tag != tlv::OCTET_STRING {
            return Err(NotDer);
        }
        Ok(Self { scalar, curve, point })
    }

    /// The octets of the point.
    pub fn point_octets(&self) -> Result<Option<&'a [u8]>, NotDer> {
        self.point.map(|point| tlv::single(point.content).and_then(tlv::octets)).transpose()
    }
}

/// ECPrivateKey as Go writes it: version 1, the scalar as it stands, `[0]` with the curve, `[1]` whole.
pub fn write_sec1(scalar: &[u8], curve: &[u8], point: &[u8]) -> Zeroizing<Vec<u8>> {
    secret_sequence(&[&tlv::integer(&[1]), scalar, &tlv::write(tlv::CONTEXT_CONSTRUCTED, curve), point])
}

/// Modulus and public exponent of RSAPrivateKey: version 0 (two primes) and eight more numbers (RFC 8017 appendix A.1.2).
pub(crate) fn rsa_numbers(der: &[u8]) -> Result<[Element<'_>; 2], NotDer> {
    let parts = tlv::children(der, tlv::SEQUENCE)?;
    match parts.as_slice() {
        [version, modulus, exponent, ..]
            if parts.len() == 9 && version.content == [0] && parts.iter().all(|part| part.tag == tlv::INTEGER) =>
        {
            Ok([*modulus, *exponent])
        }
        _ => Err(NotDer),
    }
}

/// A SEQUENCE of what is secret: the content does not stay behind.
pub fn secret_sequence(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let content = Zeroizing::new(tlv::concat(parts));
    Zeroizing::new(tlv::write(tlv::SEQUENCE, &content))
}
