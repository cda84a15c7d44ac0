//! How strong an algorithm is, as data: against today's machines in bits, and against a quantum computer in the categories of NIST.

use crate::blueprint::{Algorithm, Oid};
use crate::encoding::public_key::{KeyKind, OtherKey};
use crate::x509::certificate::signature_name;

/// What an algorithm is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Primitive {
    Signature,
    Hash,
    KeyAgreement,
    Unknown,
}

/// What is known of an algorithm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strength {
    pub name: String,
    pub oid: Option<String>,
    pub primitive: Primitive,
    /// Of a modulus, a curve's field or a hash, in bits.
    pub length: Option<usize>,
    /// What a standard calls its set of parameters.
    pub parameter: Option<&'static str>,
    pub curve: Option<&'static str>,
    pub padding: Option<&'static str>,
    /// Bits of security; of a signature's algorithm its key and its hash have them.
    pub classical: Option<u32>,
    /// NIST's category, 1 to 5; 0: none.
    pub quantum: Option<u8>,
    /// Shor's algorithm breaks it; `None`: the algorithm is not known here.
    pub is_vulnerable: Option<bool>,
    /// The hash that a signature is over.
    pub hash: Option<&'static str>,
}

/// Bits of security by the length of a modulus (SP 800-57 part 1 table 2, SP 800-56B revision 2 table 2).
const FACTORING: &[(usize, u32)] =
    &[(15_360, 256), (8192, 200), (7680, 192), (6144, 176), (4096, 152), (3072, 128), (2048, 112), (1024, 80), (0, 0)];

/// Object identifier, name in the Standard curve database, length of the field, bits of security (SP 800-57 part 1 table 2).
const CURVES: &[(&str, &str, usize, u32)] = &[
    ("1.2.840.10045.3.1.1", "nist/P-192", 192, 96),
    ("1.2.840.10045.3.1.7", "nist/P-256", 256, 128),
    ("1.3.132.0.10", "secg/secp256k1", 256, 128),
    ("1.3.132.0.33", "nist/P-224", 224, 112),
    ("1.3.132.0.34", "nist/P-384", 384, 192),
    ("1.3.132.0.35", "nist/P-521", 521, 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpool/brainpoolP256r1", 256, 128),
    ("1.3.36.3.3.2.8.1.1.11", "brainpool/brainpoolP384r1", 384, 192),
    ("1.3.36.3.3.2.8.1.1.13", "brainpool/brainpoolP512r1", 512, 256),
    ("1.2.156.10197.1.301", "oscca/SM2", 256, 128),
];

/// Object identifier, primitive, parameters, curve, bits, category.
type Named = (&'static str, Primitive, Option<&'static str>, Option<&'static str>, u32, u8);

/// Algorithms that name their parameters themselves (RFC 8410, FIPS 204).
const NAMED: &[Named] = &[
    ("1.3.101.110", Primitive::KeyAgreement, None, Some("other/Curve25519"), 128, 0),
    ("1.3.101.111", Primitive::KeyAgreement, None, Some("other/Curve448"), 224, 0),
    ("1.3.101.112", Primitive::Signature, None, Some("other/Ed25519"), 128, 0),
    ("1.3.101.113", Primitive::Signature, None, Some("other/Ed448"), 224, 0),
    ("2.16.840.1.101.3.4.3.17", Primitive::Signature, Some("44"), None, 128, 2),
    ("2.16.840.1.101.3.4.3.18", Primitive::Signature, Some("65"), None, 192, 3),
    ("2.16.840.1.101.3.4.3.19", Primitive::Signature, Some("87"), None, 256, 5),
];

/// Name, object identifier, length, bits against collisions (the best attack that was published), category of a collision.
const HASHES: &[(&str, &str, usize, u32, u8)] = &[
    ("MD5", "1.2.840.113549.2.5", 128, 18, 0),
    ("SHA-1", "1.3.14.3.2.26", 160, 63, 0),
    ("SHA-256", "2.16.840.1.101.3.4.2.1", 256, 128, 2),
    ("SHA-384", "2.16.840.1.101.3.4.2.2", 384, 192, 4),
    ("SHA-512", "2.16.840.1.101.3.4.2.3", 512, 256, 5),
];

/// A signature's algorithm and its hash: those in use with RSA and EC keys (RFC 4055, RFC 5758).
const SIGNED_OVER: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.2.840.113549.1.1.11", "SHA-256"),
    ("1.2.840.113549.1.1.12", "SHA-384"),
    ("1.2.840.113549.1.1.13", "SHA-512"),
    ("1.2.840.10045.4.1", "SHA-1"),
    ("1.2.840.10045.4.3.2", "SHA-256"),
    ("1.2.840.10045.4.3.3", "SHA-384"),
    ("1.2.840.10045.4.3.4", "SHA-512"),
];

const RSA: &str = "1.2.840.113549.1.1.1";
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const EC: &str = "1.2.840.10045.2.1";
const DSA: &str = "1.2.840.10040.4.1";
const DIFFIE_HELLMAN: &str = "1.2.840.113549.1.3.1";

impl Strength {
    /// Nothing is known of it.
    fn unknown(name: String, oid: Option<&str>) -> Self {
        Self {
            name,
            oid: oid.map(str::to_owned),
            primitive: Primitive::Unknown,
            length: None,
            parameter: None,
            curve: None,
            padding: None,
            classical: None,
            quantum: None,
            is_vulnerable: None,
            hash: None,
        }
    }

    /// Shor's algorithm breaks it.
    fn vulnerable(name: String, oid: &str, primitive: Primitive) -> Self {
        Self { primitive, quantum: Some(0), is_vulnerable: Some(true), ..Self::unknown(name, Some(oid)) }
    }

    /// What keys of this kind do.
    pub fn of_key(kind: &KeyKind) -> Self {
        let factoring = |oid, primitive, bits: usize| {
            let classical = FACTORING.iter().find(|(least, _)| bits >= *least).map(|(_, bits)| *bits);
            Self { length: Some(bits), classical, ..Self::vulnerable(kind.to_string(), oid, primitive) }
        };
        let curve = |oid: &str| {
            let known = CURVES.iter().find(|(known, ..)| *known == oid);
            let (curve, classical) = (known.map(|(_, name, ..)| *name), known.map(|(.., bits)| *bits));
            let length = known.map(|(.., length, _)| *length);
            Self { length, curve, classical, ..Self::vulnerable(kind.to_string(), EC, Primitive::Signature) }
        };
        match kind {
            KeyKind::Known(Algorithm::Rsa2048) => factoring(RSA, Primitive::Signature, 2048),
            KeyKind::Known(Algorithm::Rsa3072) => factoring(RSA, Primitive::Signature, 3072),
            KeyKind::Known(Algorithm::Rsa4096) => factoring(RSA, Primitive::Signature, 4096),
            KeyKind::Known(Algorithm::EcdsaP256) => curve("1.2.840.10045.3.1.7"),
            KeyKind::Known(Algorithm::EcdsaP384) => curve("1.3.132.0.34"),
            KeyKind::Other(OtherKey::Rsa { bits }) => factoring(RSA, Primitive::Signature, *bits),
            KeyKind::Other(OtherKey::RsaPss { bits }) => factoring(RSASSA_PSS, Primitive::Signature, *bits),
            KeyKind::Other(OtherKey::Dsa { bits }) => factoring(DSA, Primitive::Signature, *bits),
            KeyKind::Other(OtherKey::DiffieHellman { bits }) => {
                factoring(DIFFIE_HELLMAN, Primitive::KeyAgreement, *bits)
            }
            KeyKind::Other(OtherKey::EllipticCurve(oid)) => curve(&oid.0),
            // Which curve it is, and whether it is a good one, cannot be told.
            KeyKind::Other(OtherKey::ExplicitCurve { .. }) => curve(""),
            KeyKind::Other(OtherKey::Algorithm(oid)) => Self::named(kind.to_string(), &oid.0),
        }
    }

    /// What makes signatures like this one.
    pub fn of_signature(oid: &Oid) -> Self {
        let name = signature_name(oid).to_owned();
        let Some((_, hash)) = SIGNED_OVER.iter().find(|(known, _)| *known == oid.0) else {
            return match &*oid.0 {
                // Which hash it is stands in its parameters.
                RSASSA_PSS => {
                    Self { padding: Some("other"), ..Self::vulnerable(name, RSASSA_PSS, Primitive::Signature) }
                }
                other => Self::named(name, other),
            };
        };
        let padding = oid.0.starts_with("1.2.840.113549.1.1.").then_some("pkcs1v15");
        Self { padding, hash: Some(hash), ..Self::vulnerable(name, &oid.0, Primitive::Signature) }
    }

    /// A hash by its name.
    pub fn of_hash(name: &str) -> Self {
        let Some((_, oid, length, bits, category)) = HASHES.iter().find(|(known, ..)| *known == name) else {
            return Self::unknown(name.to_owned(), None);
        };
        Self {
            primitive: Primitive::Hash,
            length: Some(*length),
            classical: Some(*bits),
            quantum: Some(*category),
            // Grover's algorithm halves the bits of a search, which NIST's categories take into account.
            is_vulnerable: Some(false),
            ..Self::unknown(name.to_owned(), Some(oid))
        }
    }

    fn named(name: String, oid: &str) -> Self {
        let Some((_, primitive, parameter, curve, bits, category)) = NAMED.iter().find(|(known, ..)| *known == oid)
        else {
            return Self::unknown(name, Some(oid));
        };
        Self {
            primitive: *primitive,
            parameter: *parameter,
            curve: *curve,
            classical: Some(*bits),
            quantum: Some(*category),
            is_vulnerable: Some(*category == 0),
            ..Self::unknown(name, Some(oid))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_strength_of_their_length_or_curve() {
        let other = |oid: &str| KeyKind::Other(OtherKey::Algorithm(Oid::new(oid)));
        let curve = |oid: &str| KeyKind::Other(OtherKey::EllipticCurve(Oid::new(oid)));
        for (kind, name, classical, quantum, is_vulnerable) in [
            (KeyKind::rsa(2048), "RSA-2048", Some(112), Some(0), Some(true)),
            (KeyKind::rsa(4096), "RSA-4096", Some(152), Some(0), Some(true)),
            (KeyKind::rsa(2047), "RSA-2047", Some(80), Some(0), Some(true)),
            (KeyKind::rsa(512), "RSA-512", Some(0), Some(0), Some(true)),
            (KeyKind::Known(Algorithm::EcdsaP256), "ECDSA-P256", Some(128), Some(0), Some(true)),
            (KeyKind::Known(Algorithm::EcdsaP384), "ECDSA-P384", Some(192), Some(0), Some(true)),
            (curve("1.3.132.0.35"), "ECDSA-P521", Some(256), Some(0), Some(true)),
            (curve("1.2.3"), "curve 1.2.3", None, Some(0), Some(true)),
            (other("1.3.101.112"), "Ed25519", Some(128), Some(0), Some(true)),
            (other("2.16.840.1.101.3.4.3.18"), "ML-DSA-65", Some(192), Some(3), Some(false)),
            (other("1.2.3.4"), "key algorithm 1.2.3.4", None, None, None),
        ] {
            let found = Strength::of_key(&kind);
            assert_eq!(
                (found.name.as_str(), found.classical, found.quantum, found.is_vulnerable),
                (name, classical, quantum, is_vulnerable)
            );
        }
    }

    #[test]
    fn signatures_name_their_hash_and_every_hash_is_known() {
        for (oid, hash) in SIGNED_OVER {
            let found = Strength::of_signature(&Oid::new(*oid));
            assert_eq!((found.hash, found.is_vulnerable, found.quantum), (Some(*hash), Some(true), Some(0)), "{oid}");
            assert_ne!(found.name, *oid);
            assert_eq!(Strength::of_hash(hash).primitive, Primitive::Hash, "{hash}");
        }
        assert_eq!(Strength::of_signature(&Oid::new("1.3.101.112")).curve, Some("other/Ed25519"));
        assert_eq!(Strength::of_signature(&Oid::new("1.2.840.113549.1.1.11")).padding, Some("pkcs1v15"));
        assert_eq!(Strength::of_signature(&Oid::new("1.2.840.10045.4.3.2")).padding, None);
        assert_eq!(Strength::of_signature(&Oid::new("1.2.3")).is_vulnerable, None);
        assert_eq!(Strength::of_hash("SHA-3").primitive, Primitive::Unknown);
    }
}
