//! OBJECT IDENTIFIER between dotted decimal and DER content octets (X.690 section 8.19). Arcs go up to 120 bits and more:
//! foreign names carry arcs made from UUIDs (2.25.n, X.667), which the usual 32 bits cannot hold.

use std::borrow::Cow;

use crate::blueprint::Oid;
use crate::encoding::error::EncodeError;
use crate::encoding::tlv;

/// The whole element.
pub fn write(oid: &Oid) -> Result<Vec<u8>, EncodeError> {
    content(&oid.0)
        .map(|content| tlv::write(tlv::OBJECT_IDENTIFIER, &content))
        .ok_or_else(|| EncodeError::Oid(oid.clone()))
}

fn content(dotted: &str) -> Option<Vec<u8>> {
    let arcs: Vec<u128> = dotted.split('.').map(arc).collect::<Option<_>>()?;
    let [first, second, rest @ ..] = arcs.as_slice() else { return None };
    if *first > 2 || (*first < 2 && *second > 39) {
        return None;
    }
    let mut content = Vec::new();
    push(&mut content, first.checked_mul(40)?.checked_add(*second)?);
    rest.iter().for_each(|arc| push(&mut content, *arc));
    Some(content)
}

/// Digits only and no leading zero, so that every OID has one spelling.
fn arc(text: &str) -> Option<u128> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Seven bits per octet, most significant first, the top bit set on all but the last.
fn push(content: &mut Vec<u8>, arc: u128) {
    let groups = (128 - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = (arc >> (7 * group)).to_le_bytes().first().copied().unwrap_or(0) & 0x7f;
        content.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

/// Those in nearly every certificate, so that reading one does not spell the same numbers a dozen times over.
const COMMON: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "2.5.4.3"),
    (&[0x55, 4, 10], "2.5.4.10"),
    (&[0x55, 4, 11], "2.5.4.11"),
    (&[0x55, 0x1d, 14], "2.5.29.14"),
    (&[0x55, 0x1d, 15], "2.5.29.15"),
    (&[0x55, 0x1d, 17], "2.5.29.17"),
    (&[0x55, 0x1d, 19], "2.5.29.19"),
    (&[0x55, 0x1d, 35], "2.5.29.35"),
    (&[0x55, 0x1d, 37], "2.5.29.37"),
    (&[0x2b, 6, 1, 5, 5, 7, 3, 1], "1.3.6.1.5.5.7.3.1"),
    (&[0x2b, 6, 1, 5, 5, 7, 3, 2], "1.3.6.1.5.5.7.3.2"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], "1.2.840.113549.1.1.11"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], "1.2.840.10045.4.3.2"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], "1.2.840.10045.4.3.3"),
];

/// From the content octets; `None` when they are not an OID, or an arc does not fit 128 bits.
pub fn read(content: &[u8]) -> Option<Oid> {
    match COMMON.iter().find(|(octets, _)| *octets == content) {
        Some((_, dotted)) => Some(Oid(Cow::Borrowed(dotted))),
        None => spell(content),
    }
}

fn spell(content: &[u8]) -> Option<Oid> {
    let mut arcs: Vec<u128> = Vec::new();
    let mut arc: u128 = 0;
    let mut inside = false;
    for octet in content {
        if !inside && *octet == 0x80 {
            return None; // padded: X.690 section 8.19.2
        }
        arc = arc.checked_mul(128)? | u128::from(octet & 0x7f);
        inside = octet & 0x80 != 0;
        if !inside {
            arcs.push(std::mem::take(&mut arc));
        }
    }
    let (first, rest) = arcs.split_first()?;
    if inside {
        return None;
    }
    let root = (*first / 40).min(2);
    let mut dotted = format!("{root}.{}", first - root * 40);
    for arc in rest {
        dotted.push('.');
        dotted.push_str(&arc.to_string());
    }
    Some(Oid::new(dotted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oids_round_trip() {
        for (dotted, octets) in [
            ("2.5.4.3", &[0x55, 4, 3][..]),
            ("1.2.840.113549.1.1.11", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]),
            ("0.9.2342.19200300.100.1.25", &[9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25]),
            ("2.999", &[0x88, 0x37]),
            ("0.0", &[0]),
            ("1.39", &[79]),
            ("2.0", &[80]),
        ] {
            assert_eq!(content(dotted).as_deref(), Some(octets), "{dotted}");
            assert_eq!(read(octets), Some(Oid::new(dotted)), "{dotted}");
        }
        let uuid = "2.25.329800735698586629295641978511506172918";
        assert_eq!(read(&content(uuid).unwrap()), Some(Oid::new(uuid)));
    }

    #[test]
    fn the_common_ones_are_spelled_right() {
        for (octets, dotted) in COMMON {
            assert_eq!(spell(octets), Some(Oid::new(*dotted)));
        }
    }

    #[test]
    fn what_is_not_an_oid_is_refused() {
        for dotted in ["", "1", "1.", ".1", "1.40", "3.1", "1.2.03", "1.2.-3", "1.2.+3", "1..2", "a.b", "1.2.3 "] {
            assert_eq!(write(&Oid::new(dotted)), Err(EncodeError::Oid(Oid::new(dotted))), "{dotted}");
        }
        for octets in [&[][..], &[0x80, 1], &[0x2a, 0x80, 1], &[0x2a, 0x86], &[0xff; 30]] {
            assert_eq!(read(octets), None, "{octets:?}");
        }
    }
}
