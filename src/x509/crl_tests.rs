use super::*;
use crate::revocation::Number;
use proptest::prelude::*;
use time::macros::datetime;

/// A list with this many entries of 36 bytes.
fn list(entries: usize, extensions: bool) -> Vec<u8> {
    let algorithm = tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    let issuer = name::write(&Name::of("kubernetes", &[])).unwrap();
    let entry = tlv::sequence(&[tlv::integer(&[7; 16]), tlv::write(tlv::UTC_TIME, b"261120000000Z")]);
    let entries = match entries {
        0 => Vec::new(),
        n => tlv::write(tlv::SEQUENCE, &entry.repeat(n)),
    };
    let extension = |id: u8, value: &[u8]| {
        tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, &[0x55, 0x1d, id]), tlv::write(tlv::OCTET_STRING, value)])
    };
    let extensions = match extensions {
        true => {
            let list = tlv::sequence(&[extension(20, &tlv::integer(&[1, 0])), extension(28, &[0x30, 0])]);
            tlv::write(tlv::CONTEXT_CONSTRUCTED, &list)
        }
        false => Vec::new(),
    };
    let signed = tlv::sequence(&[
        &tlv::integer(&[1]),
        &algorithm,
        &issuer,
        &tlv::write(tlv::UTC_TIME, b"261120000000Z"),
        &tlv::write(tlv::UTC_TIME, b"261127000000Z"),
        &entries,
        &extensions,
    ]);
    tlv::sequence(&[signed, algorithm, tlv::bit_string(&[9; 70])])
}

#[test]
fn a_list_as_facts() {
    for (entries, extensions) in [(0, false), (0, true), (1, false), (3, true), (5000, true)] {
        let der = list(entries, extensions);
        let crl = Crl::parse(&der).unwrap();
        assert_eq!((crl.entries, crl.version), (entries as u64, 2));
        assert_eq!(crl.edition(), extensions.then(|| Number::from(256)));
        assert_eq!((crl.scope.is_some(), crl.delta), (extensions, false));
        assert_eq!(crl.issuer.to_string(), "CN=kubernetes");
        assert_eq!(crl.this_update, datetime!(2026-11-20 0:00 UTC));
        assert_eq!(crl.next_update, Some(datetime!(2026-11-27 0:00 UTC)));
    }
}

#[test]
fn pieces_of_any_size_say_the_same() {
    let der = list(40, true);
    let whole = Crl::parse(&der).unwrap();
    for size in 1..100 {
        let mut walker = Walker::default();
        der.chunks(size).for_each(|piece| walker.feed(piece).unwrap());
        assert_eq!(walker.finish().as_ref(), Ok(&whole), "{size}");
    }
}

#[test]
fn what_is_no_list_is_refused() {
    let der = list(2, true);
    for length in 0..der.len() {
        assert_eq!(Crl::parse(&der[..length]), Err(CrlError::Truncated), "{length}");
    }
    assert_eq!(Crl::parse(&[der.as_slice(), &[0]].concat()), Err(CrlError::Trailing));
    assert!(matches!(Crl::parse(b"-----BEGIN X509 CRL-----"), Err(CrlError::Malformed(_) | CrlError::Truncated)));
    let huge = [&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x30, 0x84, 0x7f, 0xff, 0xff, 0, 0x30, 0x84, 0x70, 0, 0, 0][..]];
    assert_eq!(Crl::parse(huge[0]), Err(CrlError::TooLarge("version")));
}

/// Time and memory grow no faster than the CRL: each header is read once, or twice where a piece ends inside, and no more
/// than one element waits for its end.
#[test]
fn entries_are_counted_with_bounded_work_and_memory() {
    for (entries, size) in [(1_000, 1 << 16), (200_000, 1 << 16), (200_000, 1000), (2_000, 7)] {
        let der = list(entries, true);
        let mut walker = Walker::default();
        for piece in der.chunks(size) {
            walker.feed(piece).unwrap();
            assert!(walker.pending.capacity() <= 256, "{}", walker.pending.capacity());
        }
        let (entries, pieces) = (entries as u64, der.len().div_ceil(size) as u64);
        assert!(walker.headers <= entries + 20 + 4 * pieces, "{} headers in {pieces} pieces", walker.headers);
        assert_eq!(walker.finish().unwrap().entries, entries);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Crl::parse(&bytes);
    }

    #[test]
    fn any_mutation_says_the_same_whole_and_in_pieces(at in 0usize..200, byte in any::<u8>(), size in 1usize..40) {
        let mut der = list(3, true);
        let at = at % der.len();
        der[at] = byte;
        let mut walker = Walker::default();
        let fed = der.chunks(size).try_for_each(|piece| walker.feed(piece));
        prop_assert_eq!(fed.and_then(|()| walker.finish()).ok(), Crl::parse(&der).ok());
    }
}
