//! DER elements: tag, length, value (X.690 section 10). Here stands what DER is: everything that walks bytes by hand asks
//! [`read_header`]. Writing takes the tag as the octet it is, so that a foreign name is written back unchanged.

use der::{Decode as _, ErrorKind, Reader as _, SliceReader};

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const ENUMERATED: u8 = 0x0a;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const UNIVERSAL_STRING: u8 = 0x1c;
pub const BMP_STRING: u8 = 0x1e;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
/// A context-specific tag of a primitive value: `[n] IMPLICIT`.
pub const CONTEXT: u8 = 0x80;
/// A context-specific tag around another element: `[n] EXPLICIT`.
pub const CONTEXT_CONSTRUCTED: u8 = 0xa0;

/// The value is made of elements (X.690 section 8.1.2.5).
pub const CONSTRUCTED: u8 = 0x20;
/// The low five bits all set announce a tag of several octets (X.690 section 8.1.2.4).
pub const LONG_TAG: u8 = 0x1f;

/// One element, with and without its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    pub tag: u8,
    pub raw: &'a [u8],
    pub content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The content, where this is the tag.
    pub fn of(self, tag: u8) -> Result<&'a [u8], NotDer> {
        if self.tag == tag { Ok(self.content) } else { Err(NotDer) }
    }
}

/// The bytes are not DER: an unknown tag, a length that runs past the end, is not minimal or indefinite, or something follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected DER, found something else")]
pub struct NotDer;

/// Tag, length of the header, length of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub tag: u8,
    pub header: usize,
    pub content: usize,
}

/// Whether an element may have this tag: one octet, and of the universal types those the `der` crate knows, and
/// UniversalString, which RFC 5280 section 4.1.2.4 allows in names. Strings are never in pieces (X.690 section 10.2), and 0 is
/// no type at all.
#[inline]
pub const fn is_tag(tag: u8) -> bool {
    if tag < 0x40 { UNIVERSAL >> tag & 1 == 1 } else { tag & LONG_TAG != LONG_TAG }
}

/// A bit for each: it is asked a million times.
const UNIVERSAL: u64 = {
    let (mut bits, mut tag) = (0, 0u8);
    while tag < 0x40 {
        let is_known = matches!(tag, 0x01..=0x06 | 0x09 | 0x0a | 0x0c | 0x0d | 0x12..=0x18 | 0x1a..=0x1c);
        if is_known || matches!(tag, BMP_STRING | SEQUENCE | SET) {
            bits |= 1 << tag;
        }
        tag += 1;
    }
    bits
};

/// The header `bytes` begin with; `None`: more bytes are needed. Lengths are minimal and below 4 GiB.
#[inline]
pub fn read_header(bytes: &[u8]) -> Result<Option<Header>, NotDer> {
    match bytes {
        [tag, ..] if !is_tag(*tag) => Err(NotDer),
        // Nearly every length there is.
        [tag, short @ ..0x80, ..] => Ok(Some(Header { tag: *tag, header: 2, content: usize::from(*short) })),
        [tag, rest @ ..] => long_header(*tag, rest),
        [] => Ok(None),
    }
}

/// At most five octets state a length.
fn long_header(tag: u8, length: &[u8]) -> Result<Option<Header>, NotDer> {
    let mut reader = SliceReader::new(length.get(..5).unwrap_or(length)).map_err(|_| NotDer)?;
    match der::Length::decode(&mut reader) {
        Ok(content) => {
            let octets: usize = reader.position().try_into().map_err(|_| NotDer)?;
            Ok(Some(Header { tag, header: 1 + octets, content: content.try_into().map_err(|_| NotDer)? }))
        }
        Err(error) if matches!(error.kind(), ErrorKind::Incomplete { .. }) => Ok(None),
        Err(_) => Err(NotDer),
    }
}

/// The first element and what follows it.
#[inline]
pub fn first(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), NotDer> {
    let Header { tag, header, content } = read_header(bytes)?.ok_or(NotDer)?;
    let length = header.checked_add(content).ok_or(NotDer)?;
    let (raw, rest) = bytes.split_at_checked(length).ok_or(NotDer)?;
    Ok((Element { tag, raw, content: raw.get(header..).ok_or(NotDer)? }, rest))
}

/// The elements in `content` one after the other, for those who meet a million; an error is the last item.
pub fn each(mut content: &[u8]) -> impl Iterator<Item = Result<Element<'_>, NotDer>> {
    std::iter::from_fn(move || {
        if content.is_empty() {
            return None;
        }
        let (element, rest) = match first(content) {
            Ok((element, rest)) => (Ok(element), rest),
            Err(NotDer) => (Err(NotDer), &[][..]),
        };
        content = rest;
        Some(element)
    })
}

/// The fields of a SEQUENCE, taken one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Of the one element with this tag that `der` is.
    pub fn inside(der: &'a [u8], tag: u8) -> Result<Self, NotDer> {
        single(der)?.of(tag).map(Self)
    }

    /// Of elements one after the other.
    pub const fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// The next one, whatever it is.
    pub fn element(&mut self) -> Result<Element<'a>, NotDer> {
        let (element, rest) = first(self.0)?;
        self.0 = rest;
        Ok(element)
    }

    /// The content of the next one, which must have this tag.
    pub fn take(&mut self, tag: u8) -> Result<&'a [u8], NotDer> {
        self.element()?.of(tag)
    }

    /// The next one, if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, NotDer> {
        if self.0.first() == Some(&tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// The next one, if there is one.
    pub fn any(&mut self) -> Result<Option<Element<'a>>, NotDer> {
        if self.0.is_empty() { Ok(None) } else { self.element().map(Some) }
    }

    /// All that are left, without taking them.
    pub fn all(&self) -> Result<Vec<Element<'a>>, NotDer> {
        elements(self.0)
    }

    /// Nothing is left.
    pub fn end(self) -> Result<(), NotDer> {
        if self.0.is_empty() { Ok(()) } else { Err(NotDer) }
    }
}

/// Every element in `content`, which they must fill.
pub fn elements(content: &[u8]) -> Result<Vec<Element<'_>>, NotDer> {
    each(content).collect()
}

/// The one element that `der` is.
pub fn single(der: &[u8]) -> Result<Element<'_>, NotDer> {
    match first(der)? {
        (element, []) => Ok(element),
        _ => Err(NotDer),
    }
}

/// The elements of the one element with this tag that `der` is.
pub fn children(der: &[u8], tag: u8) -> Result<Vec<Element<'_>>, NotDer> {
    elements(single(der)?.of(tag)?)
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
            &[0x30, 0x81, 0x7f],
            &[0x30, 0x82, 0x00, 0x01, 0x05],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x30, 0xff, 0],
            // End-of-contents, GraphicString, strings in pieces, a SEQUENCE without elements, a long tag.
            &[0x00, 0x00],
            &[0x19, 1, 0],
            &[0x24, 0],
            &[0x2c, 0],
            &[0x10, 0],
            &[0x1f, 0x1f, 0],
            &[0xbf, 0x1f, 0],
        ] {
            assert_eq!(single(bad), Err(NotDer), "{bad:?}");
            assert_eq!(elements(&[&[5, 0], bad].concat()).is_ok(), bad.is_empty(), "{bad:?}");
        }
    }

    #[test]
    fn tags_are_those_the_der_crate_knows_and_one_more() {
        for tag in 0..=0xff {
            let known =
                der::Header::decode(&mut SliceReader::new(&[tag, 0]).unwrap()).is_ok() || tag == UNIVERSAL_STRING;
            assert_eq!(is_tag(tag), known, "{tag:#x}");
            assert_eq!(read_header(&[tag, 0]).is_ok(), known, "{tag:#x}");
        }
    }

    #[test]
    fn a_cut_header_wants_more() {
        let whole = header(SEQUENCE, 0x12345);
        for length in 0..whole.len() {
            assert_eq!(read_header(&whole[..length]), Ok(None), "{length}");
        }
        assert_eq!(read_header(&whole), Ok(Some(Header { tag: SEQUENCE, header: 5, content: 0x12345 })));
    }
}
