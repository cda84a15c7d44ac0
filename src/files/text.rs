//! UTF-16, which Windows PowerShell writes with `>` and `Out-File`. To every reader of text it is a file of nothing.

/// Enough to know it by.
const START: usize = 64;
/// Without a byte order mark, fewer characters are no sign.
const FEWEST: usize = 4;

/// What iconv calls the encoding of a text in UTF-16; `None`: it is something else.
pub fn utf16(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some("UTF-16");
    }
    let start = bytes.get(..START).unwrap_or(bytes);
    let all = |low: usize| {
        let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        let fits = |pair: &[u8]| pair.get(1 - low) == Some(&0) && pair.get(low).is_some_and(|byte| is_text(*byte));
        start.len() >= 2 * FEWEST && start.chunks_exact(2).all(fits)
    };
    match () {
        () if all(0) => Some("UTF-16LE"),
        () if all(1) => Some("UTF-16BE"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf16_is_utf16() {
        let text = "-----BEGIN CERTIFICATE-----\r\nZm9v\r\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((utf16(&le), utf16(&be)), (Some("UTF-16LE"), Some("UTF-16BE")));
        for (mark, bytes) in [(b"\xff\xfe", &le), (b"\xfe\xff", &be)] {
            assert_eq!(utf16(&[&mark[..], bytes].concat()), Some("UTF-16"));
        }
        let other: [&[u8]; 7] = [
            b"",
            b"a",
            b"a\0b\0",
            text.as_bytes(),
            b"\xef\xbb\xbfkind: Config",
            &[0; 64],
            b"\x30\x82\x01\x00\x02\x00\x04\x00",
        ];
        for bytes in other {
            assert_eq!(utf16(bytes), None, "{bytes:?}");
        }
    }
}
