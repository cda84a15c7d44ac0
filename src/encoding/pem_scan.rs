//! Where PEM blocks begin and end (RFC 7468 section 3): what one line means, for the reader of whole texts and for the one of
//! pieces.

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const HYPHENS: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'l> {
    /// Outside of blocks anything; inside the content, or a header before it.
    Text,
    /// Also inside of a block, which then has no end.
    Begin(&'l [u8]),
    End,
    /// The END line of another label, or outside of all blocks.
    OtherEnd(&'l [u8]),
    /// Inside of a block: no content, and neither BEGIN nor END.
    Hyphens,
}

/// What a line means inside the block with the label `open`, or outside of all.
pub fn line<'l>(open: Option<&[u8]>, line: &'l [u8]) -> Line<'l> {
    let line = line.trim_ascii();
    let Some(open) = open else {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        return match (label(line, BEGIN), label(line, END)) {
            (Some(found), _) => Line::Begin(found),
            (None, Some(found)) => Line::OtherEnd(found),
            (None, None) => Line::Text,
        };
    };
    match (label(line, END), label(line, BEGIN)) {
        (Some(found), _) if found == open => Line::End,
        (Some(found), _) => Line::OtherEnd(found),
        (_, Some(found)) => Line::Begin(found),
        _ if line.starts_with(HYPHENS) => Line::Hyphens,
        _ => Line::Text,
    }
}

fn label<'l>(line: &'l [u8], start: &[u8]) -> Option<&'l [u8]> {
    line.strip_prefix(start)?.strip_suffix(HYPHENS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_means_what_its_place_says() {
        for (text, outside, inside) in [
            ("-----BEGIN A-----", Line::Begin(b"A"), Line::Begin(b"A")),
            ("  -----BEGIN A B-----\r\n", Line::Begin(b"A B"), Line::Begin(b"A B")),
            ("\u{feff}-----BEGIN A-----\n", Line::Begin(b"A"), Line::Text),
            ("-----END A-----\n", Line::OtherEnd(b"A"), Line::End),
            ("-----END B-----", Line::OtherEnd(b"B"), Line::OtherEnd(b"B")),
            ("-----END A--", Line::Text, Line::Hyphens),
            ("-----BEGIN A", Line::Text, Line::Hyphens),
            ("-----", Line::Text, Line::Hyphens),
            ("----", Line::Text, Line::Text),
            ("Zm9v-----END A-----", Line::Text, Line::Text),
            ("", Line::Text, Line::Text),
        ] {
            assert_eq!(line(None, text.as_bytes()), outside, "{text}");
            assert_eq!(line(Some(b"A"), text.as_bytes()), inside, "{text}");
        }
    }
}
