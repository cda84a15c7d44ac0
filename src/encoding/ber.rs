//! BER into DER (X.690 sections 8 and 10): indefinite and long-winded lengths become minimal ones, and an OCTET STRING in
//! pieces becomes one. PKCS#12 may be BER (RFC 7292 section 4), and what NSS and older Windows and Java write is.

use zeroize::Zeroizing;

use crate::encoding::tlv::{self, NotDer};

/// It may hold a key: no copy stays behind.
type Der = Zeroizing<Vec<u8>>;

/// Deeper nesting than any format this program reads has.
const DEEPEST: usize = 32;
/// An OCTET STRING in pieces.
const OCTET_STRING_IN_PIECES: u8 = tlv::OCTET_STRING | CONSTRUCTED;
const CONSTRUCTED: u8 = 0x20;
const INDEFINITE: u8 = 0x80;

/// The one element that `ber` is, as DER. Content of primitive elements stays as it is. Never longer than `ber` but for what
/// closes its indefinite lengths.
pub fn to_der(ber: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotDer> {
    match element(ber, 0)? {
        (der, []) => Ok(der),
        _ => Err(NotDer),
    }
}

/// The first element as DER, and what follows it.
fn element(bytes: &[u8], depth: usize) -> Result<(Der, &[u8]), NotDer> {
    let [tag, first, rest @ ..] = bytes else { return Err(NotDer) };
    // Tag 0 only ends what has no length (X.690 section 8.1.5).
    if depth > DEEPEST || *tag == 0 || tag & tlv::LONG_TAG == tlv::LONG_TAG {
        return Err(NotDer);
    }
    let (parts, rest) = if *first == INDEFINITE {
        // Only what is made of elements can say where it ends.
        if tag & CONSTRUCTED == 0 {
            return Err(NotDer);
        }
        until_the_end(rest, depth)?
    } else {
        let (length, rest) = length(*first, rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(NotDer)?;
        if tag & CONSTRUCTED == 0 {
            return Ok((Zeroizing::new(tlv::write(*tag, content)), rest));
        }
        (all(content, depth)?, rest)
    };
    if *tag != OCTET_STRING_IN_PIECES {
        let content = Zeroizing::new(tlv::concat(&parts));
        return Ok((Zeroizing::new(tlv::write(*tag, &content)), rest));
    }
    let pieces = parts.iter().map(|part| match tlv::single(part)? {
        piece if piece.tag == tlv::OCTET_STRING => Ok(piece.content),
        _ => Err(NotDer),
    });
    let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
    let content = Zeroizing::new(tlv::concat(&pieces));
    Ok((Zeroizing::new(tlv::write(tlv::OCTET_STRING, &content)), rest))
}

fn length(first: u8, rest: &[u8]) -> Result<(usize, &[u8]), NotDer> {
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f)).ok_or(NotDer)?;
    let mut length = 0usize;
    for octet in octets {
        length = length.checked_mul(256).and_then(|length| length.checked_add(usize::from(*octet))).ok_or(NotDer)?;
    }
    Ok((length, rest))
}

fn all(mut content: &[u8], depth: usize) -> Result<Vec<Der>, NotDer> {
    let mut parts = Vec::new();
    while !content.is_empty() {
        let (part, rest) = element(content, depth.saturating_add(1))?;
        parts.push(part);
        content = rest;
    }
    Ok(parts)
}

/// Elements up to the two zero octets that end them (section 8.1.5).
fn until_the_end(mut bytes: &[u8], depth: usize) -> Result<(Vec<Der>, &[u8]), NotDer> {
    let mut parts = Vec::new();
    loop {
        if let [0, 0, rest @ ..] = bytes {
            return Ok((parts, rest));
        }
        let (part, rest) = element(bytes, depth.saturating_add(1))?;
        parts.push(part);
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_ber_leaves_open_der_decides() {
        for (ber, der) in [
            (&[0x04, 0x01, 7][..], &[0x04, 0x01, 7][..]),
            (&[0x04, 0x81, 0x01, 7], &[0x04, 0x01, 7]),
            (&[0x04, 0x84, 0, 0, 0, 1, 7], &[0x04, 0x01, 7]),
            (&[0x30, 0x80, 0x02, 1, 5, 0, 0], &[0x30, 3, 2, 1, 5]),
            (&[0x24, 0x80, 0x04, 1, 1, 0x04, 2, 2, 3, 0, 0], &[0x04, 3, 1, 2, 3]),
            (&[0x24, 0x80, 0x24, 3, 0x04, 1, 1, 0x04, 1, 2, 0, 0], &[0x04, 2, 1, 2]),
            (&[0xa0, 0x80, 0x30, 0x80, 0, 0, 0, 0], &[0xa0, 2, 0x30, 0]),
        ] {
            assert_eq!(to_der(ber), Ok(der.to_vec().into()), "{ber:?}");
            assert_eq!(to_der(der), Ok(der.to_vec().into()));
        }
    }

    #[test]
    fn what_is_not_ber_is_refused() {
        let deep = [0x30, 0x80].repeat(10_000);
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x80, 0],
            &[0x04, 0x80, 0, 0],
            &[0x24, 3, 0x02, 1, 1],
            &[0x30, 0, 0],
            &[0x1f, 0, 0],
            &[0, 2, 0x27, 0x2a],
            &[0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &deep,
        ] {
            assert_eq!(to_der(bad), Err(NotDer), "{:?}", bad.get(..8).unwrap_or(bad));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_der_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(der) = to_der(&bytes) {
                prop_assert!(tlv::single(&der).is_ok());
            }
        }
    }
}
