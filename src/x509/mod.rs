//! The read side: bytes in, owned facts out, and what other people's code says about a signature or a chain. Parsing by
//! x509-parser, signatures by ring, chains by rustls-webpki: none of them is what `ca` signs with.

pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod compare;
pub mod crl;
pub mod crl_entry;
pub mod crl_lookup;
pub mod crl_problem;
mod crl_scope;
mod crl_walk;
pub mod csr;
mod extension;
pub mod name_constraints;
mod names;
pub mod path;
pub mod revocation;
mod sniff;
pub mod verify;

use ring::digest;

pub use crate::encoding::public_key::{KeyKind, OtherKey};
use crate::encoding::{public_key, tlv::NotDer};
pub use bundle::{BundleError, parse_pem_bundle};
pub use certificate::{Certificate, ParseError};
pub use chain::{ChainError, Usage, valid_for_name, verify_for};
pub use compare::{Mismatch, compare};
pub use crl::{Crl, CrlError};
pub use crl_lookup::{CrlLookup, Wanted};
pub use crl_problem::Problem;
pub use csr::{Request, RequestError};
pub use names::same_name;
pub use path::PathError;
pub use sniff::{Der, sniff};
pub use verify::VerifyError;

/// The kind of the key in a SubjectPublicKeyInfo.
pub fn key_kind(spki: &[u8]) -> Result<KeyKind, NotDer> {
    public_key::read(spki).map(|key| key.kind)
}

/// subjectKeyIdentifier: the leftmost 160 bits of the SHA-256 of the subjectPublicKey bits (RFC 7093 section 2 method 1).
pub fn key_identifier(spki: &[u8]) -> Result<[u8; 20], NotDer> {
    let key = public_key::read(spki)?;
    sha256(key.bits).first_chunk().copied().ok_or(NotDer)
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// The content octets of an INTEGER in decimal; serial numbers have up to 160 bits, old ones may be negative.
pub fn decimal(content: &[u8]) -> String {
    let negative = content.first().is_some_and(|first| first & 0x80 != 0);
    // Two's complement: the magnitude is the complement plus one.
    let mut limbs: Vec<u32> = Vec::new();
    let mut digits: Vec<u8> = content.iter().map(|octet| if negative { !octet } else { *octet }).collect();
    if negative {
        for octet in digits.iter_mut().rev() {
            let (sum, carry) = octet.overflowing_add(1);
            *octet = sum;
            if !carry {
                break;
            }
        }
    }
    // Base 10^9, least significant first.
    for octet in digits {
        let mut carry = u64::from(octet);
        for limb in &mut limbs {
            let value = u64::from(*limb) * 256 + carry;
            *limb = u32::try_from(value % 1_000_000_000).unwrap_or(0);
            carry = value / 1_000_000_000;
        }
        if carry > 0 {
            limbs.push(u32::try_from(carry).unwrap_or(0));
        }
    }
    let mut text = String::from(if negative { "-" } else { "" });
    let mut limbs = limbs.iter().rev();
    text.push_str(&limbs.next().unwrap_or(&0).to_string());
    for limb in limbs {
        use std::fmt::Write as _;
        let _ = write!(text, "{limb:09}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_in_decimal() {
        for (octets, text) in [
            (&[][..], "0"),
            (&[0], "0"),
            (&[1], "1"),
            (&[0x7f], "127"),
            (&[0x80], "-128"),
            (&[0xff], "-1"),
            (&[0, 0x80], "128"),
            (&[0x3b, 0x9a, 0xca, 0x00], "1000000000"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
            (&[0x01, 0x63, 0x45, 0x78, 0x5d, 0x8a, 0x00, 0x07], "100000000000000007"),
        ] {
            assert_eq!(decimal(octets), text, "{octets:?}");
        }
    }
}
