//! The public half that a private key states, beside its secret numbers, which are passed over: whether a key is a
//! certificate's is seen from that alone.

use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::key_container::{Container, Pkcs8, Sec1, rsa_numbers};
use crate::encoding::pem_blocks::{Block, blocks};
use crate::encoding::public_key::{EC_PUBLIC_KEY, RSA_ENCRYPTION};
use crate::encoding::tlv::{self, Fields, NotDer};

/// The public half of a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Half {
    /// Modulus and public exponent, as they stand in an RSAPublicKey.
    Rsa(Vec<u8>),
    /// The octets of a point.
    Point(Vec<u8>),
    /// Of another kind, which is known by its object identifier alone.
    Other(Vec<u8>),
}

impl Half {
    /// Of the first private key of a PEM text, which is the one that is used. `None`: it is not stated, as by an encrypted key,
    /// one of another kind, or an EC key without its point.
    pub fn of(text: &[u8]) -> Option<Self> {
        Self::stated(&blocks(text).flatten().find(|raw| raw.is_private_key())?.decode().ok()?)
    }

    /// Of one block.
    pub fn stated(block: &Block) -> Option<Self> {
        Self::read(block).ok()?
    }

    /// Of one block that has to be a key without a password, in one of the three containers; `None`: an EC key without its point.
    pub fn read(block: &Block) -> Result<Option<Self>, NotDer> {
        let rsa = |der| Ok(Some(Self::Rsa(tlv::concat(&rsa_numbers(der)?.map(|number| number.raw)))));
        let point = |der| Ok(Sec1::read(der)?.point_octets()?.map(|point| Self::Point(point.to_vec())));
        let container = Container::ALL.into_iter().find(|container| block.label.is(container.label()));
        match container.filter(|_| !block.encrypted).ok_or(NotDer)? {
            Container::Pkcs1 => rsa(&block.contents),
            Container::Sec1 => point(&block.contents),
            Container::Pkcs8 => {
                let Pkcs8 { algorithm, key, .. } = Pkcs8::read(&block.contents)?;
                match algorithm.id {
                    RSA_ENCRYPTION => rsa(key),
                    EC_PUBLIC_KEY => point(key),
                    other => Ok(Some(Self::Other(other.to_vec()))),
                }
            }
        }
    }

    /// Whether it is this SubjectPublicKeyInfo; `None`: it cannot be seen.
    pub fn is(&self, public: &[u8]) -> Option<bool> {
        let mut fields = Fields::inside(public, tlv::SEQUENCE).ok()?;
        let algorithm = AlgorithmIdentifier::read(fields.element().ok()?.raw).ok()?;
        let bits = tlv::octets(fields.element().ok()?).ok()?;
        match (self, algorithm.id) {
            (Self::Rsa(numbers), RSA_ENCRYPTION) => {
                tlv::single(bits).ok()?.of(tlv::SEQUENCE).ok().map(|found| numbers == found)
            }
            // A compressed point is another spelling of what may be the same one.
            (Self::Point(point), EC_PUBLIC_KEY) => (point.first() == bits.first()).then_some(point == bits),
            (Self::Rsa(_), EC_PUBLIC_KEY) | (Self::Point(_), RSA_ENCRYPTION) => Some(false),
            (Self::Other(own), EC_PUBLIC_KEY | RSA_ENCRYPTION) if *own != algorithm.id => Some(false),
            _ => None,
        }
    }

    /// Whether it is one of a PEM text of public keys, such as sa.pub.
    pub fn is_in(&self, text: &[u8]) -> Option<bool> {
        let mut found = None;
        for block in blocks(text) {
            let block = block.ok()?.decode().ok()?;
            if !block.label.is("PUBLIC KEY") {
                return None;
            }
            if self.is(&block.contents)? {
                return Some(true);
            }
            found = Some(false);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::Algorithm;
    use crate::ca::PrivateKey;
    use crate::encoding::raw_key::RawKey;

    /// PKCS#8 with a secret of 32 zeros, and a public key, of zeros, too (RFC 8410).
    const ED25519: &[u8] = &[
        48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    const ED25519_PUBLIC: &[u8] = &[
        48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    fn belongs(text: &[u8], public: &[u8]) -> Option<bool> {
        Half::of(text)?.is(public)
    }

    #[test]
    fn a_key_states_whose_it_is() {
        let make = |algorithm| PrivateKey::generate(algorithm).unwrap();
        let (rsa, other, p256, p384) = (
            make(Algorithm::Rsa2048),
            make(Algorithm::Rsa2048),
            make(Algorithm::EcdsaP256),
            make(Algorithm::EcdsaP384),
        );
        let keys = [&rsa, &other, &p256, &p384];
        for one in keys {
            let der = crate::encoding::pem::read(one.to_pem().as_bytes()).unwrap().remove(0).contents;
            let pkcs8 = RawKey::detect(&der).unwrap().recast(Container::Pkcs8).unwrap().to_pem();
            for against in keys {
                let same = Some(std::ptr::eq(one, against));
                let public = against.spki_der();
                assert_eq!(belongs(one.to_pem().as_bytes(), &public), same, "{one:?} {against:?}");
                assert_eq!(belongs(pkcs8.as_bytes(), &public), same, "{one:?} {against:?}");
                assert_eq!(Half::of(pkcs8.as_bytes()).unwrap().is_in(against.public_pem().as_bytes()), same);
            }
        }
        // A key of another kind is none of them, and of its own kind nothing is known.
        let ed25519 = crate::encoding::pem::write("PRIVATE KEY", ED25519);
        for (public, expected) in
            [(rsa.spki_der(), Some(false)), (p256.spki_der(), Some(false)), (ED25519_PUBLIC.to_vec(), None)]
        {
            assert_eq!(belongs(ed25519.as_bytes(), &public), expected);
        }
        // Of several public keys one is enough; what is no public key may be the right one.
        let half = Half::of(rsa.to_pem().as_bytes()).unwrap();
        let both = other.public_pem() + &rsa.public_pem();
        assert_eq!(half.is_in(both.as_bytes()), Some(true));
        assert_eq!(half.is_in(both.replace("PUBLIC KEY", "CERTIFICATE").as_bytes()), None);
    }

    #[test]
    fn what_cannot_be_seen_is_not_guessed() {
        let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
        let (text, public) = (key.to_pem(), key.spki_der());
        let der = crate::encoding::pem::read(text.as_bytes()).unwrap().remove(0).contents;
        // The scalar and the curve, without the point.
        let sec1 = Sec1::read(&der).unwrap();
        let bare = crate::encoding::key_container::write_sec1(sec1.scalar.raw, sec1.curve.unwrap(), &[]);
        let bare = crate::encoding::pem::write("EC PRIVATE KEY", &bare);
        let encrypted = text.replace("EC PRIVATE", "ENCRYPTED PRIVATE");
        let cut = text.replace("-----END", "");
        for unseen in ["", "hello", &key.public_pem(), &bare, &encrypted, &cut] {
            assert_eq!(belongs(unseen.as_bytes(), &public), None, "{unseen}");
        }
        for no_key in [&[][..], &[0x30, 0], &public[..20]] {
            assert_eq!(belongs(text.as_bytes(), no_key), None, "{no_key:?}");
        }
    }
}
