//! PEM block by block, without decoding what nobody asks for: how a file that also holds keys is read for its certificates.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::encoding::base64;
use crate::encoding::pem::{Block, PemError};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

/// One block as it stands.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    /// Counted from 1.
    pub position: usize,
    label: &'a [u8],
    /// Between the BEGIN and END lines.
    body: &'a [u8],
}

/// The body may be a key.
impl std::fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raw({}, {} bytes)", self.label(), self.body.len())
    }
}

impl<'a> Raw<'a> {
    pub fn label(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.label)
    }

    pub fn is(&self, label: &str) -> bool {
        self.label == label.as_bytes()
    }

    pub fn is_private_key(&self) -> bool {
        self.label.ends_with(b"PRIVATE KEY")
    }

    /// The bytes inside.
    pub fn decode(&self) -> Result<Block, PemError> {
        let encrypted = self.is_encrypted();
        // One allocation of sufficient size, wiped on drop.
        let mut text = Zeroizing::new(Vec::with_capacity(self.body.len()));
        for line in self.lines() {
            // Headers come before the base64 (RFC 1421 section 4.4), and base64 knows no colon.
            if !line.contains(&b':') {
                text.extend_from_slice(line);
            }
        }
        match base64::decode(&text) {
            Ok(contents) => Ok(Block { label: self.label().into_owned(), contents, encrypted }),
            Err(_) => Err(PemError::NotBase64 { position: self.position, label: self.label().into_owned() }),
        }
    }

    fn is_encrypted(&self) -> bool {
        self.lines()
            .take_while(|line| line.is_empty() || line.contains(&b':'))
            .any(|line| line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED"))
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
    }
}

/// The blocks of a text. One that is broken is an error of its own; reading goes on behind it.
#[derive(Clone)]
pub struct Blocks<'a> {
    rest: &'a [u8],
    position: usize,
}

impl std::fmt::Debug for Blocks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blocks({} before {} bytes)", self.position, self.rest.len())
    }
}

pub fn blocks(input: &[u8]) -> Blocks<'_> {
    Blocks { rest: input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input), position: 0 }
}

/// The first line and what follows it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (first, rest) = text.split_at_checked(end.map_or(text.len(), |end| end + 1)).unwrap_or((text, &[]));
    (first.trim_ascii(), rest)
}

fn label<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(start)?.strip_suffix(b"-----")
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Raw<'a>, PemError>;

    fn next(&mut self) -> Option<Self::Item> {
        let wanted = loop {
            if self.rest.is_empty() {
                return None;
            }
            let (first, rest) = line(self.rest);
            self.rest = rest;
            if let Some(found) = label(first, BEGIN) {
                break found;
            }
        };
        self.position += 1;
        let position = self.position;
        let name = || String::from_utf8_lossy(wanted).into_owned();
        let inside = self.rest;
        loop {
            if self.rest.is_empty() {
                return Some(Err(PemError::Unterminated { position, label: name() }));
            }
            let (next, rest) = line(self.rest);
            if next.starts_with(b"-----") {
                return Some(match label(next, END) {
                    Some(found) => {
                        let length = inside.len().saturating_sub(self.rest.len());
                        self.rest = rest;
                        if found == wanted {
                            Ok(Raw { position, label: wanted, body: inside.get(..length).unwrap_or_default() })
                        } else {
                            let found = String::from_utf8_lossy(found).into_owned();
                            Err(PemError::WrongEnd { position, label: name(), found })
                        }
                    }
                    // The line may begin the next block: it is looked at again.
                    None => {
                        if label(next, BEGIN).is_none() {
                            self.rest = rest;
                        }
                        Err(PemError::Unterminated { position, label: name() })
                    }
                });
            }
            self.rest = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::pem;
    use proptest::prelude::*;

    #[test]
    fn reading_goes_on_behind_a_broken_block() {
        let text = b"-----BEGIN A-----\nZm9v\n-----BEGIN B-----\nZm9v\n-----END B-----\n-----BEGIN C-----\n!\n-----END C-----\n-----BEGIN D-----\n-----END E-----\n-----BEGIN F-----";
        let found: Vec<_> = blocks(text).map(|block| block.and_then(|raw| raw.decode()).map(|b| b.label)).collect();
        let label = |text: &str| text.to_owned();
        assert_eq!(
            found,
            [
                Err(PemError::Unterminated { position: 1, label: label("A") }),
                Ok(label("B")),
                Err(PemError::NotBase64 { position: 3, label: label("C") }),
                Err(PemError::WrongEnd { position: 4, label: label("D"), found: label("E") }),
                Err(PemError::Unterminated { position: 5, label: label("F") }),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_end(input in prop::collection::vec(prop_oneof![Just(b'-'), Just(b'\n'), any::<u8>()], 0..400)) {
            let mut text = b"-----BEGIN A-----\nZm9v\n".to_vec();
            text.extend_from_slice(&input);
            for text in [&text, &input] {
                prop_assert!(blocks(text).take(500).count() < 500);
            }
        }

        #[test]
        fn written_blocks_are_found(ders in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6)) {
            let text: String = ders.iter().map(|der| pem::write("X", der).to_string()).collect();
            let found: Vec<_> = blocks(text.as_bytes()).map(|b| b.unwrap().decode().unwrap().contents.to_vec()).collect();
            prop_assert_eq!(found, ders);
        }
    }
}
