//! DER elements: tag, length, value (X.690 section 10). Writing takes the tag as the octet it is, so that whatever stood in
//! a foreign name is written back unchanged; reading is strict about lengths, through the `der` crate.

use der::{Encode as _, Reader as _, SliceReader};

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const ENUMERATED: u8 = 0x0a;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
/// A context-specific tag of a primitive value: `[n] IMPLICIT`.
pub const CONTEXT: u8 = 0x80;
/// A context-specific tag around another element: `[n] EXPLICIT`.
pub const CONTEXT_CONSTRUCTED: u8 = 0xa0;

/// The low five bits all set announce a tag of several octets (X.690 section 8.1.2.4).
pub const LONG_TAG: u8 = 0x1f;

/// One element, with and without its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    pub tag: u8,
    pub raw: &'a [u8],
    pub content: &'a [u8],
}

/// The bytes are not DER: a length runs past the end, is not minimal or indefinite, or something follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotDer;

/// Tag, length of the header, length of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub tag: u8,
    pub header: usize,
    pub content: u64,
}

/// The header `bytes` begin with; `None`: more bytes are needed. Lengths are minimal, as DER wants them.
pub fn read_header(bytes: &[u8]) -> Result<Option<Header>, NotDer> {
    let [tag, first, rest @ ..] = bytes else { return Ok(None) };
    if tag & LONG_TAG == LONG_TAG {
        return Err(NotDer);
    }
    if *first < 0x80 {
        return Ok(Some(Header { tag: *tag, header: 2, content: u64::from(*first) }));
    }
    let octets = usize::from(first & 0x7f);
    if !(1..=6).contains(&octets) {
        return Err(NotDer);
    }
    let Some(length) = rest.get(..octets) else { return Ok(None) };
    let content = length.iter().fold(0u64, |sum, octet| sum << 8 | u64::from(*octet));
    let minimal = content >= 0x80 && length.first().is_some_and(|first| *first != 0);
    if minimal { Ok(Some(Header { tag: *tag, header: 2 + octets, content })) } else { Err(NotDer) }
}

/// The first element and what follows it; without a list of them, for those who meet a million.
pub fn first(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), NotDer> {
    let found = read_header(bytes)?.ok_or(NotDer)?;
    let content = usize::try_from(found.content).map_err(|_| NotDer)?;
    let length = found.header.checked_add(content).ok_or(NotDer)?;
    let (raw, rest) = bytes.split_at_checked(length).ok_or(NotDer)?;
    Ok((Element { tag: found.tag, raw, content: raw.get(found.header..).unwrap_or_default() }, rest))
}

/// Every element in `content`, which they must fill.
pub fn elements(content: &[u8]) -> Result<Vec<Element<'_>>, NotDer> {
    let mut reader = SliceReader::new(content).map_err(|_| NotDer)?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        let header = der::Header::peek(&reader).map_err(|_| NotDer)?;
        let header_length: usize = header.encoded_len().and_then(usize::try_from).map_err(|_| NotDer)?;
        let raw = reader.tlv_bytes().map_err(|_| NotDer)?;
        let (Some(tag), Some(content)) = (raw.first(), raw.get(header_length..)) else { return Err(NotDer) };
        found.push(Element { tag: *tag, raw, content });
    }
    Ok(found)
}

/// The one element that `der` is.
pub fn single(der: &[u8]) -> Result<Element<'_>, NotDer> {
    match elements(der)?.as_slice() {
        [element] => Ok(*element),
        _ => Err(NotDer),
    }
}

/// The elements of the one element with this tag that `der` is.
pub fn children(der: &[u8], tag: u8) -> Result<Vec<Element<'_>>, NotDer> {
    let outer = single(der)?;
    if outer.tag == tag { elements(outer.content) } else { Err(NotDer) }
}

/// The octets of a non-negative INTEGER without its sign octet; refuses negative and padded ones.
pub fn unsigned(element: Element<'_>) -> Result<&[u8], NotDer> {
    match (element.tag, element.content) {
        (INTEGER, [0, rest @ ..]) if rest.first().is_none_or(|first| first & 0x80 != 0) => Ok(rest),
        (INTEGER, [first, ..]) if *first != 0 && first & 0x80 == 0 => Ok(element.content),
        _ => Err(NotDer),
    }
}

/// The octets of a BIT STRING without unused bits.
pub fn octets(element: Element<'_>) -> Result<&[u8], NotDer> {
    match (element.tag, element.content) {
        (BIT_STRING, [0, rest @ ..]) => Ok(rest),
        _ => Err(NotDer),
    }
}

pub fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let header = header(tag, content.len());
    // Of final size from the start: a vector that grows would leave copies of a key behind.
    let mut der = Vec::with_capacity(header.len() + content.len());
    der.extend_from_slice(&header);
    der.extend_from_slice(content);
    der
}

/// Tag and length of an element with this much content.
pub fn header(tag: u8, content: usize) -> Vec<u8> {
    let length = content.to_be_bytes();
    let significant = length.iter().position(|octet| *octet != 0).unwrap_or(length.len());
    let significant = length.get(significant..).unwrap_or_default();
    match significant {
        [] => vec![tag, 0],
        [short] if *short < 0x80 => vec![tag, *short],
        // At most eight octets, so the sum stays below 0x89.
        long => [&[tag, 0x80 | u8::try_from(long.len()).unwrap_or(8)], long].concat(),
    }
}

pub fn sequence<T: AsRef<[u8]>>(parts: &[T]) -> Vec<u8> {
    write(SEQUENCE, &concat(parts))
}

pub fn concat<T: AsRef<[u8]>>(parts: &[T]) -> Vec<u8> {
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.as_ref().len()).sum());
    parts.iter().for_each(|part| all.extend_from_slice(part.as_ref()));
    all
}

/// A non-negative INTEGER from big-endian octets: leading zeros removed, a sign octet where needed.
pub fn integer(magnitude: &[u8]) -> Vec<u8> {
    let start = magnitude.iter().position(|octet| *octet != 0).unwrap_or(magnitude.len());
    match magnitude.get(start..).unwrap_or_default() {
        [] => write(INTEGER, &[0]),
        [first, rest @ ..] if first & 0x80 != 0 => {
            let mut content = vec![0, *first];
            content.extend_from_slice(rest);
            write(INTEGER, &content)
        }
        minimal => write(INTEGER, minimal),
    }
}

/// A BIT STRING of whole octets.
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(octets.len() + 1);
    content.push(0);
    content.extend_from_slice(octets);
    write(BIT_STRING, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minimal_and_read_back() {
        for (length, header) in [
            (0, vec![0x04, 0x00]),
            (127, vec![0x04, 0x7f]),
            (128, vec![0x04, 0x81, 0x80]),
            (255, vec![0x04, 0x81, 0xff]),
            (256, vec![0x04, 0x82, 0x01, 0x00]),
            (65_536, vec![0x04, 0x83, 0x01, 0x00, 0x00]),
        ] {
            let content = vec![7; length];
            let der = write(OCTET_STRING, &content);
            assert_eq!(der[..header.len()], header, "{length}");
            assert_eq!(single(&der), Ok(Element { tag: OCTET_STRING, raw: &der, content: &content }), "{length}");
        }
    }

    #[test]
    fn integers_are_minimal_and_positive() {
        for (magnitude, der) in [
            (&[][..], &[2, 1, 0][..]),
            (&[0, 0], &[2, 1, 0]),
            (&[0, 1], &[2, 1, 1]),
            (&[0x7f], &[2, 1, 0x7f]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0x80, 0], &[2, 3, 0, 0x80, 0]),
        ] {
            assert_eq!(integer(magnitude), der, "{magnitude:?}");
            let start = magnitude.iter().position(|octet| *octet != 0).unwrap_or(magnitude.len());
            assert_eq!(unsigned(single(der).unwrap()), Ok(&magnitude[start..]));
        }
        for bad in [&[2, 0][..], &[2, 1, 0x80], &[2, 2, 0, 1], &[4, 1, 1]] {
            assert_eq!(unsigned(single(bad).unwrap()), Err(NotDer), "{bad:?}");
        }
    }

    #[test]
    fn what_is_not_der_is_refused() {
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x01],
            &[0x30, 0x00, 0x00],
            &[0x30, 0x80, 0x00, 0x00],
            &[0x30, 0x81, 0x00],
            &[0x30, 0x82, 0x00, 0x01, 0x05],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(single(bad), Err(NotDer), "{bad:?}");
            assert!(first(bad).is_err() || first(bad).is_ok_and(|(_, rest)| !rest.is_empty()), "{bad:?}");
        }
    }
}
