//! Private keys moved from container to container, of whatever algorithm: the elements are rearranged, never looked into.
//! [`super::key`] reads the kinds kpki works with; here also passes what it only carries.

use std::fmt;

use zeroize::Zeroizing;

use crate::encoding::algorithm;
use crate::encoding::key_container::{Container, Pkcs8, Sec1, rsa_numbers, secret_sequence, write_sec1};
use crate::encoding::pem::{self, Block};
use crate::encoding::public_key::{self, DSA, EC_PUBLIC_KEY, KeyKind, RSA_ENCRYPTION, RSASSA_PSS};
use crate::encoding::tlv::{self, NotDer};

/// A private key in its container, as it stood.
#[derive(Clone, PartialEq, Eq)]
pub struct RawKey {
    container: Container,
    der: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawKey({}, redacted)", self.container.label())
    }
}

/// Why a key does not fit a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecastError {
    /// PKCS#1 holds RSA keys only, SEC1 elliptic curve keys only.
    #[error("expected {}, found another", fitting(*.0))]
    OtherAlgorithm(Container),
    /// What stands inside is not what its container says.
    #[error("expected a well-formed {}", .0.label())]
    Malformed(Container),
}

const fn fitting(container: Container) -> &'static str {
    match container {
        Container::Pkcs1 => "an RSA key for PKCS#1",
        Container::Sec1 => "an elliptic curve key for SEC1",
        Container::Pkcs8 => "a key of a known kind",
    }
}

impl RawKey {
    /// By its shape, whatever a label says. SEC1 without a curve is none: it is not usable. OpenSSL's own form of a DSA key
    /// becomes PKCS#8.
    pub fn detect(der: &[u8]) -> Option<Self> {
        if let Some(der) = dsa_to_pkcs8(der) {
            return Some(Self { container: Container::Pkcs8, der });
        }
        let container = if Pkcs8::read(der).is_ok() {
            Container::Pkcs8
        } else if rsa_numbers(der).is_ok() {
            Container::Pkcs1
        } else if Sec1::read(der).is_ok_and(|key| key.curve.is_some()) {
            Container::Sec1
        } else {
            return None;
        };
        Some(Self { container, der: Zeroizing::new(der.to_vec()) })
    }

    pub const fn container(&self) -> Container {
        self.container
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::write(self.container.label(), &self.der)
    }

    /// The same key in another container.
    pub fn recast(&self, wanted: Container) -> Result<Self, RecastError> {
        let broken = |NotDer| RecastError::Malformed(self.container);
        let der = match (self.container, wanted) {
            (from, to) if from == to => return Ok(self.clone()),
            (_, Container::Pkcs8) => self.to_pkcs8().map_err(broken)?,
            (Container::Pkcs8, Container::Pkcs1) => {
                let key = Pkcs8::read(&self.der).map_err(broken)?;
                if key.algorithm.id != RSA_ENCRYPTION {
                    return Err(RecastError::OtherAlgorithm(wanted));
                }
                rsa_numbers(key.key).map_err(broken)?;
                Zeroizing::new(key.key.to_vec())
            }
            (Container::Pkcs8, Container::Sec1) => {
                let key = Pkcs8::read(&self.der).map_err(broken)?;
                if key.algorithm.id != EC_PUBLIC_KEY {
                    return Err(RecastError::OtherAlgorithm(wanted));
                }
                let inner = Sec1::read(key.key).map_err(broken)?;
                let curve = key.algorithm.parameters.ok_or(NotDer).map_err(broken)?.raw;
                let point = inner.point.map(|point| point.raw).unwrap_or_default();
                write_sec1(inner.scalar.raw, curve, point)
            }
            (_, other) => return Err(RecastError::OtherAlgorithm(other)),
        };
        Ok(Self { container: wanted, der })
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, NotDer> {
        let wrap = |algorithm: &[u8], key: &[u8]| {
            let key = Zeroizing::new(tlv::write(tlv::OCTET_STRING, key));
            secret_sequence(&[&tlv::integer(&[]), algorithm, &key])
        };
        match self.container {
            Container::Pkcs8 => Ok(self.der.clone()),
            Container::Pkcs1 => Ok(wrap(&algorithm::write(RSA_ENCRYPTION, &[tlv::NULL, 0]), &self.der)),
            // The curve moves out, as OpenSSL and Go write it.
            Container::Sec1 => {
                let key = Sec1::read(&self.der)?;
                let point = key.point.map(|point| point.raw).unwrap_or_default();
                let inner = secret_sequence(&[&tlv::integer(&[1]), key.scalar.raw, point]);
                Ok(wrap(&algorithm::write(EC_PUBLIC_KEY, key.curve.ok_or(NotDer)?), &inner))
            }
        }
    }

    /// Which kind of key it is.
    pub fn kind(&self) -> Result<KeyKind, NotDer> {
        let pkcs8 = self.recast(Container::Pkcs8).map_err(|_| NotDer)?;
        let key = Pkcs8::read(&pkcs8.der)?;
        match public_key::kind(key.algorithm)? {
            Some(kind) => Ok(kind),
            None => {
                let [modulus, _] = rsa_numbers(key.key)?;
                Ok(KeyKind::of_modulus(key.algorithm.id, public_key::modulus_bits(tlv::unsigned(modulus)?)))
            }
        }
    }

    /// SubjectPublicKeyInfo, where the container holds the public half.
    pub fn public(&self) -> Option<Vec<u8>> {
        let pkcs8 = self.recast(Container::Pkcs8).ok()?;
        let key = Pkcs8::read(&pkcs8.der).ok()?;
        let public = key.optional.all().ok()?.into_iter().find(|element| element.tag == tlv::CONTEXT | 1);
        let bits = match (public.map(|element| element.content), key.algorithm.id) {
            // The content of a BIT STRING without unused bits.
            (Some([0, bits @ ..]), _) => bits.to_vec(),
            (_, RSA_ENCRYPTION | RSASSA_PSS) => tlv::sequence(&rsa_numbers(key.key).ok()?.map(|number| number.raw)),
            (_, EC_PUBLIC_KEY) => Sec1::read(key.key).ok()?.point_octets().ok()??.to_vec(),
            _ => return None,
        };
        Some(tlv::sequence(&[key.algorithm.raw, &tlv::bit_string(&bits)]))
    }
}

/// `DSA PRIVATE KEY`: version 0, p, q, g, y and x.
fn dsa_to_pkcs8(der: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let parts = tlv::children(der, tlv::SEQUENCE).ok()?;
    let [version, p, q, g, _public, secret] = parts.as_slice() else { return None };
    if version.content != [0] || parts.iter().any(|part| part.tag != tlv::INTEGER) {
        return None;
    }
    let algorithm = algorithm::write(DSA, &tlv::sequence(&[p.raw, q.raw, g.raw]));
    let secret = Zeroizing::new(tlv::write(tlv::OCTET_STRING, secret.raw));
    Some(secret_sequence(&[&tlv::integer(&[]), &algorithm, &secret]))
}

/// The public keys of a PEM file such as sa.pub, as SubjectPublicKeyInfo: any number, in either of two labels (client-go
/// util/keyutil). Other blocks are passed over.
pub fn public_keys(blocks: &[Block]) -> Vec<Vec<u8>> {
    let public = |block: &Block| match () {
        () if block.label.is("PUBLIC KEY") => Some(block.contents.to_vec()),
        () if block.label.is("RSA PUBLIC KEY") => Some(rsa_public_to_spki(&block.contents)),
        () => None,
    };
    blocks.iter().filter_map(public).collect()
}

/// `RSA PUBLIC KEY` (RSAPublicKey, RFC 8017 appendix A.1.1) as SubjectPublicKeyInfo.
pub fn rsa_public_to_spki(der: &[u8]) -> Vec<u8> {
    tlv::sequence(&[algorithm::write(RSA_ENCRYPTION, &[tlv::NULL, 0]), tlv::bit_string(der)])
}

/// Whether DER has the shape of RSAPublicKey: two numbers, the second odd. That of Diffie-Hellman parameters is even.
pub fn is_rsa_public(der: &[u8]) -> bool {
    tlv::children(der, tlv::SEQUENCE).is_ok_and(|parts| {
        parts.len() == 2
            && parts.iter().all(|part| tlv::unsigned(*part).is_ok())
            && parts.last().and_then(|exponent| exponent.content.last()).is_some_and(|last| last & 1 == 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/convert/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn block(name: &str) -> Vec<u8> {
        pem::read(&fixture(name)).unwrap()[0].contents.to_vec()
    }

    #[test]
    fn openssl_moves_keys_between_containers_to_the_same_bytes() {
        use Container::{Pkcs1, Pkcs8, Sec1};
        for (from, to, file, expected) in [
            (Sec1, Pkcs8, "leaf.sec1.der", "leaf.pkcs8.der"),
            (Pkcs8, Sec1, "leaf.pkcs8.der", "leaf.sec1.der"),
            (Pkcs1, Pkcs8, "rsa.pkcs1.der", "rsa.pkcs8.der"),
            (Pkcs8, Pkcs1, "rsa.pkcs8.der", "rsa.pkcs1.der"),
            (Sec1, Sec1, "leaf.sec1.der", "leaf.sec1.der"),
        ] {
            let key = RawKey::detect(&fixture(file)).unwrap();
            assert_eq!(key.container(), from, "{file}");
            assert_eq!(key.recast(to).unwrap().der(), fixture(expected), "{file}");
        }
        let rsa = RawKey::detect(&fixture("rsa.pkcs1.der")).unwrap();
        assert_eq!(rsa.recast(Sec1), Err(RecastError::OtherAlgorithm(Sec1)));
        let ed25519 = RawKey::detect(&block("ed25519.key")).unwrap();
        assert_eq!(ed25519.recast(Pkcs1), Err(RecastError::OtherAlgorithm(Pkcs1)));
        assert_eq!(ed25519.recast(Sec1), Err(RecastError::OtherAlgorithm(Sec1)));
        assert_eq!(ed25519.public(), None);
    }

    #[test]
    fn the_public_half_is_openssls() {
        for file in ["leaf.sec1.der", "leaf.pkcs8.der"] {
            assert_eq!(RawKey::detect(&fixture(file)).unwrap().public(), Some(block("leaf.pub")), "{file}");
        }
        let public = rsa_public_to_spki(&block("rsa.pkcs1.pub"));
        assert!(is_rsa_public(&block("rsa.pkcs1.pub")) && !is_rsa_public(&public));
        for file in ["rsa.pkcs1.der", "rsa.pkcs8.der"] {
            assert_eq!(RawKey::detect(&fixture(file)).unwrap().public(), Some(public.clone()), "{file}");
        }
    }

    #[test]
    fn prefixes_and_other_things_are_no_keys() {
        for file in ["leaf.sec1.der", "leaf.pkcs8.der", "rsa.pkcs1.der", "rsa.pkcs8.der"] {
            let der = fixture(file);
            assert!((0..der.len()).all(|length| RawKey::detect(&der[..length]).is_none()), "{file}");
        }
        for file in ["leaf.crt", "leaf.csr", "root.crl", "leaf.pub", "rsa.pkcs1.pub", "leaf.scrypt.key"] {
            assert_eq!(RawKey::detect(&block(file)), None, "{file}");
        }
    }

    /// Public and private half, of what kpki signs with and what it only shows.
    #[test]
    fn every_kind_has_its_name_and_size() {
        let block = |name: &str| {
            let bytes = fixture(&format!("../forms/{name}"));
            pem::read(&bytes).unwrap().pop().unwrap().contents
        };
        for (name, wanted) in [
            ("ed25519", "Ed25519"),
            ("x25519", "X25519"),
            ("ed448", "Ed448"),
            ("x448", "X448"),
            ("rsa-pss", "RSASSA-PSS-2048"),
            ("p521", "ECDSA-P521"),
            ("secp256k1", "ECDSA-secp256k1"),
            ("brainpool", "ECDSA-brainpoolP256r1"),
            ("p256.explicit", "EC with explicit parameters (256 bits)"),
            ("dsa", "DSA-1024"),
            ("dh", "DH-2048"),
        ] {
            let public = public_key::read(&block(&format!("{name}.pub"))).unwrap().kind.to_string();
            let private = RawKey::detect(&block(&format!("{name}.key"))).unwrap();
            assert_eq!((public.as_str(), private.kind().unwrap().to_string().as_str()), (wanted, wanted));
        }
        for (name, wanted) in [
            ("p521.sec1.key", "ECDSA-P521"),
            ("secp256k1.sec1.key", "ECDSA-secp256k1"),
            ("p256.explicit.sec1.key", "EC with explicit parameters (256 bits)"),
            ("dsa.pkcs8.key", "DSA-1024"),
        ] {
            let key = RawKey::detect(&block(name)).unwrap();
            assert_eq!(key.kind().unwrap().to_string(), wanted, "{name}");
        }
    }
}
