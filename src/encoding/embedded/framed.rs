//! PEM blocks in any text: with any line ends, indented, or with the escapes of a text inside JSON. Whole files of PEM are for
//! `pem_blocks`, which is strict.

use zeroize::Zeroizing;

use crate::encoding::base64;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
/// Labels are shorter (RFC 7468 knows none of more than thirty characters).
const LABEL: usize = 64;

/// One block, and where it is in the text.
pub struct Framed<'t> {
    pub start: usize,
    pub end: usize,
    pub label: &'t [u8],
    /// `None`: there is no END line.
    body: Option<&'t [u8]>,
}

impl Framed<'_> {
    /// The bytes inside; `None`: damaged.
    pub fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut text = Zeroizing::new(Vec::with_capacity(self.body?.len()));
        let mut escaped = false;
        for byte in self.body?.iter().copied() {
            match byte {
                b'\\' => escaped = true,
                // `\n`, `\r`, `\t` inside JSON, however often it is escaped.
                b'n' | b'r' | b't' if escaped => escaped = false,
                byte if byte.is_ascii_whitespace() => escaped = false,
                byte => {
                    escaped = false;
                    text.push(byte);
                }
            }
        }
        base64::decode(&text).ok()
    }
}

/// The next block from a place on.
pub fn next(text: &[u8], from: usize) -> Option<Framed<'_>> {
    let mut at = from;
    loop {
        let start = at + find(text.get(at..)?, BEGIN)?;
        let label_at = start + BEGIN.len();
        let label = text.get(label_at..)?;
        let Some(length) = find(label.get(..label.len().min(LABEL + DASHES.len()))?, DASHES) else {
            at = label_at;
            continue;
        };
        let label = label.get(..length)?;
        let body_at = label_at + length + DASHES.len();
        let rest = text.get(body_at..)?;
        let end_line = [b"-----END ", label, DASHES].concat();
        // A block ends before the next one begins.
        let most = find(rest, BEGIN).unwrap_or(rest.len());
        return Some(match find(rest.get(..most)?, &end_line) {
            Some(length) => Framed { start, end: body_at + length + end_line.len(), label, body: rest.get(..length) },
            None => Framed { start, end: body_at, label, body: None },
        });
    }
}

/// Where a text first holds another.
pub fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        at += rest.iter().position(|byte| *byte == first)?;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}
