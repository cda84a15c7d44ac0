//! BER into DER (X.690 sections 8 and 10): indefinite and long-winded lengths become minimal ones, and an OCTET STRING in
//! pieces becomes one. PKCS#12 may be BER (RFC 7292 section 4), and what NSS and older Windows and Java write is.

use zeroize::Zeroizing;

use crate::encoding::tlv::{self, CONSTRUCTED, NotDer};

/// It may hold a key: no copy stays behind.
type Der = Zeroizing<Vec<u8>>;

/// Deeper nesting than any format this program reads has.
const DEEPEST: usize = 32;
const OCTET_STRING_IN_PIECES: u8 = tlv::OCTET_STRING | CONSTRUCTED;
const INDEFINITE: u8 = 0x80;

/// The header `bytes` begin with: the tag, the length of the content, and what follows. No length: two zero octets end it.
pub fn header(bytes: &[u8]) -> Option<(u8, Option<usize>, &[u8])> {
    match bytes {
        [tag, INDEFINITE, rest @ ..] => Some((*tag, None, rest)),
        [tag, short @ ..0x80, rest @ ..] => Some((*tag, Some(usize::from(*short)), rest)),
        [tag, first, rest @ ..] => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = octets.iter().try_fold(0usize, |length, octet| {
                length.checked_mul(256).and_then(|length| length.checked_add(usize::from(*octet)))
            });
            Some((*tag, Some(length?), rest))
        }
        _ => None,
    }
}

/// How many bytes the element at the beginning has by its own length, if it says one.
pub fn expected(bytes: &[u8]) -> Option<usize> {
    let (_, content, rest) = header(bytes)?;
    Some(bytes.len().saturating_sub(rest.len()).saturating_add(content?))
}

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
    let (tag, length, rest) = header(bytes).ok_or(NotDer)?;
    if depth > DEEPEST || !(tlv::is_tag(tag) || tag == OCTET_STRING_IN_PIECES) {
        return Err(NotDer);
    }
    let (parts, rest) = match length {
        Some(length) => {
            let (content, rest) = rest.split_at_checked(length).ok_or(NotDer)?;
            if tag & CONSTRUCTED == 0 {
                return Ok((Zeroizing::new(tlv::write(tag, content)), rest));
            }
            (all(content, depth)?, rest)
        }
        // Only what is made of elements can say where it ends.
        None if tag & CONSTRUCTED == 0 => return Err(NotDer),
        None => until_the_end(rest, depth)?,
    };
    if tag != OCTET_STRING_IN_PIECES {
        let content = Zeroizing::new(tlv::concat(&parts));
        return Ok((Zeroizing::new(tlv::write(tag, &content)), rest));
    }
    let pieces = parts.iter().map(|part| match tlv::single(part)? {
        piece if piece.tag == tlv::OCTET_STRING => Ok(piece.content),
        _ => Err(NotDer),
    });
    let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
    let content = Zeroizing::new(tlv::concat(&pieces));
    Ok((Zeroizing::new(tlv::write(tlv::OCTET_STRING, &content)), rest))
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
            &[0x19, 1, 0],
            &[0x2c, 3, 0x0c, 1, b'a'],
            &[0x30, 2, 0x1d, 0],
            &[0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &deep,
        ] {
            assert_eq!(to_der(bad), Err(NotDer), "{:?}", bad.get(..8).unwrap_or(bad));
        }
    }

    /// An element, and the octets that choose how its length is written.
    #[derive(Debug, Clone)]
    enum Tree {
        Leaf(u8, Vec<u8>, u8),
        Node(u8, Vec<Tree>, u8),
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let tag = prop::sample::select(vec![2u8, 4, 5, 6, 0x0c, 0x13, 0x17, 0x1e, 0x80, 0x9e, 0x41, 0xc0]);
        let leaf = (tag, prop::collection::vec(any::<u8>(), 0..300), any::<u8>());
        let leaf = leaf.prop_map(|(tag, content, form)| Tree::Leaf(tag, content, form));
        leaf.prop_recursive(5, 40, 4, |inner| {
            let tag = prop::sample::select(vec![0x30u8, 0x31, 0xa0, 0xa3, 0x60, 0xe1]);
            let node = (tag, prop::collection::vec(inner, 0..4), any::<u8>());
            node.prop_map(|(tag, children, form)| Tree::Node(tag, children, form))
        })
    }

    impl Tree {
        fn der(&self) -> Vec<u8> {
            match self {
                Self::Leaf(tag, content, _) => tlv::write(*tag, content),
                Self::Node(tag, children, _) => tlv::write(*tag, &tlv::concat(&self.parts(children, Self::der))),
            }
        }

        fn ber(&self) -> Vec<u8> {
            match self {
                Self::Leaf(tlv::OCTET_STRING, content, form) if form.is_multiple_of(3) => {
                    let pieces: Vec<_> = content.chunks(7).map(|piece| tlv::write(tlv::OCTET_STRING, piece)).collect();
                    long(OCTET_STRING_IN_PIECES, &tlv::concat(&pieces), *form)
                }
                Self::Leaf(tag, content, form) => long(*tag, content, form | 1),
                Self::Node(tag, children, form) => long(*tag, &tlv::concat(&self.parts(children, Self::ber)), *form),
            }
        }

        fn parts(&self, children: &[Self], each: fn(&Self) -> Vec<u8>) -> Vec<Vec<u8>> {
            children.iter().map(each).collect()
        }
    }

    /// An even form: an indefinite length; else one with leading zeros.
    fn long(tag: u8, content: &[u8], form: u8) -> Vec<u8> {
        if form.is_multiple_of(2) {
            return [&[tag, INDEFINITE], content, &[0, 0]].concat();
        }
        let octets = usize::from(form / 2 % 5);
        let length = u64::try_from(content.len()).unwrap().to_be_bytes();
        match octets {
            0 | 1 => tlv::write(tag, content),
            _ => [&[tag, 0x80 | u8::try_from(octets).unwrap()], &length[8 - octets..], content].concat(),
        }
    }

    /// What the one reader of DER makes of bytes, down to the last element.
    fn is_der(bytes: &[u8]) -> bool {
        tlv::elements(bytes)
            .is_ok_and(|all| all.iter().all(|element| element.tag & CONSTRUCTED == 0 || is_der(element.content)))
    }

    proptest! {
        #[test]
        fn every_way_to_write_it_becomes_the_same_der(tree in tree()) {
            let der = tree.der();
            prop_assert_eq!(to_der(&tree.ber()), Ok(der.clone().into()));
            prop_assert!(is_der(&der));
        }

        #[test]
        fn any_bytes_become_der_or_nothing(
            tree in tree(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            noise in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut bytes = tree.ber();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            for bytes in [&bytes, &noise] {
                if let Ok(der) = to_der(bytes) {
                    prop_assert!(tlv::single(&der).is_ok() && is_der(&der));
                    prop_assert_eq!(to_der(&der), Ok(der));
                }
            }
        }
    }
}
