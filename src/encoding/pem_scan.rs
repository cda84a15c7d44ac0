//! Where PEM blocks begin and end (RFC 7468 section 3): what one line means, for the reader of whole texts and for the one of
//! pieces.

use crate::encoding::pem_label::Label;

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
    /// Outside of blocks: a BEGIN or END line to a person and to no program. What follows would be passed over in silence.
    Nearly(Boundary, Label),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    Begin,
    End,
}

impl std::fmt::Display for Boundary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Begin => "BEGIN",
            Self::End => "END",
        })
    }
}

/// What a line means inside the block with the label `open`, or outside of all.
pub fn line<'l>(open: Option<&[u8]>, line: &'l [u8]) -> Line<'l> {
    let line = line.trim_ascii();
    let Some(open) = open else {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        return match (label(line, BEGIN), label(line, END)) {
            (Some(found), _) => meant(found).map_or(Line::Begin(found), |label| Line::Nearly(Boundary::Begin, label)),
            (None, Some(found)) => {
                meant(found).map_or(Line::OtherEnd(found), |label| Line::Nearly(Boundary::End, label))
            }
            (None, None) => nearly(line).map_or(Line::Text, |(boundary, label)| Line::Nearly(boundary, label)),
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

/// A line of base64 as everybody writes it, and what follows: 64 characters without white space, hyphen or colon. Readers take
/// such lines as a whole, for nearly all lines of PEM are such.
pub fn whole_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match text.split_first_chunk() {
        Some((line, [b'\n', after @ ..])) if is_plain(line) => Some((line, after)),
        _ => None,
    }
}

/// Any line with its end, and what follows.
pub fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// By itself, so that it is compiled to a few vector instructions.
#[inline(never)]
fn is_plain(line: &[u8; 64]) -> bool {
    let is_other = |octet: u8| u8::from(octet <= b'-' && octet != b'+') | u8::from(octet == b':');
    line.iter().fold(0, |other, octet| other | is_other(*octet)) == 0
}

fn label<'l>(line: &'l [u8], start: &[u8]) -> Option<&'l [u8]> {
    line.strip_prefix(start)?.strip_suffix(HYPHENS)
}

/// The label of the table that another text stands for, by its words in any case; `None`: it is that label, or none.
fn meant(found: &[u8]) -> Option<Label> {
    if Label::of(found).known().is_some() { None } else { Label::like(found) }
}

/// Other hyphens or fewer, another case, other spaces, something before it. A line that begins with `#` is commented out, and
/// RFC 4716 has lines of its own for SSH2.
fn nearly(line: &[u8]) -> Option<(Boundary, Label)> {
    if line.starts_with(b"#") {
        return None;
    }
    (0..line.len()).find_map(|at| {
        let (before, rest) = line.split_at_checked(at)?;
        let word = |word: &[u8], boundary| {
            rest.split_at_checked(word.len())
                .filter(|(found, _)| found.eq_ignore_ascii_case(word))
                .map(|(_, rest)| (boundary, rest))
        };
        let (boundary, rest) = word(b"BEGIN", Boundary::Begin).or_else(|| word(b"END", Boundary::End))?;
        let end = (0..rest.len())
            .find(|at| rest.get(*at..).is_some_and(|rest| dash(rest) || matches!(rest, [b'"' | b'\'' | b'`', ..])));
        let (label, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let before = before.trim_ascii_end();
        let is_led = before.ends_with(b"-") || before.get(before.len().wrapping_sub(3)..).is_some_and(dash);
        let is_followed = before.is_empty() && dash(after);
        let label = Label::like(label).filter(|label| !label.known().is_some_and(|label| label.starts_with("SSH2")));
        label.filter(|_| is_led || is_followed).map(|label| (boundary, label))
    })
}

/// Whether a text begins with a hyphen, or a dash that an editor makes of hyphens (U+2010 to U+2015, U+2212).
fn dash(text: &[u8]) -> bool {
    matches!(text, [b'-', ..] | [0xe2, 0x80, 0x90..=0x95, ..] | [0xe2, 0x88, 0x92, ..])
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
            ("# -----BEGIN CERTIFICATE-----", Line::Text, Line::Text),
            ("---- BEGIN SSH2 PUBLIC KEY ----", Line::Text, Line::Text),
            ("the certificate at the end - CERTIFICATE", Line::Text, Line::Text),
            ("--- begin of the chain ---", Line::Text, Line::Text),
        ] {
            assert_eq!(line(None, text.as_bytes()), outside, "{text}");
            assert_eq!(line(Some(b"A"), text.as_bytes()), inside, "{text}");
        }
    }

    #[test]
    fn a_whole_line_is_64_characters_of_base64_and_its_end() {
        let line = "Aa0+/=Zz".repeat(8);
        let text = format!("{line}\nrest");
        assert_eq!(whole_line(text.as_bytes()), Some((line.as_bytes(), &b"rest"[..])));
        assert_eq!(whole_line(format!("{line}\n").as_bytes()), Some((line.as_bytes(), &b""[..])));
        for other in ["", " ", "\t", "\r", "\n", "-", ":", "\0"] {
            let changed = line.replacen("Z", other, 1);
            assert_eq!(whole_line(format!("{changed}\n").as_bytes()), None, "{other:?}");
        }
        for text in ["", &line, &format!("{line}A\n"), &format!("{line}\r\n")] {
            assert_eq!(whole_line(text.as_bytes()), None, "{text:?}");
            let (first, rest) = first_line(text.as_bytes());
            assert_eq!((first, rest), (text.as_bytes(), &b""[..]));
        }
        assert_eq!(first_line(b"a\nb\n"), (&b"a\n"[..], &b"b\n"[..]));
    }

    #[test]
    fn a_line_that_only_looks_like_a_boundary_is_told() {
        for text in [
            "----BEGIN CERTIFICATE-----",
            "-----BEGIN CERTIFICATE----",
            "-----BEGIN CERTIFICATE",
            "BEGIN CERTIFICATE-----",
            "----- BEGIN CERTIFICATE -----",
            "-----begin certificate-----",
            "-----BEGIN certificate-----",
            "-----BEGIN  CERTIFICATE-----",
            "-----BEGIN CERTIFICATE -----",
            "\u{2013}\u{2013}BEGIN CERTIFICATE\u{2013}\u{2013}",
            "\u{2014}BEGIN CERTIFICATE\u{2014}",
            "> -----BEGIN CERTIFICATE-----",
            "\"-----BEGIN CERTIFICATE-----\"",
            "ca: -----BEGIN CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----MIIB",
        ] {
            let label = Label::of(b"CERTIFICATE");
            assert_eq!(line(None, text.as_bytes()), Line::Nearly(Boundary::Begin, label), "{text}");
            let end = text.replace("BEGIN", "END").replace("begin", "end");
            assert_eq!(line(None, end.as_bytes()), Line::Nearly(Boundary::End, label), "{end}");
        }
    }
}
