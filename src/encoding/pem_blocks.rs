//! PEM block by block, without decoding blocks that are not needed: how a file that also holds keys is read for its certificates.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::encoding::base64;
use crate::encoding::dek_info::DekInfo;
use crate::encoding::pem_label::Label;
use crate::encoding::pem_scan::{self, Boundary, Line};
use crate::encoding::sniff::{Der, sniff};
use crate::encoding::tlv;

/// More than any file this program is meant to read: a CRL with a million entries, as PEM, has 67 MB.
pub const LIMIT: usize = 128 << 20;

/// What stands between `-----BEGIN label-----` and `-----END label-----`.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    pub label: Label,
    pub contents: Zeroizing<Vec<u8>>,
    /// `Proc-Type: 4,ENCRYPTED` stood before the base64 (RFC 1421 section 4.6.1.1): the contents are not DER.
    pub encrypted: bool,
    /// How it is encrypted, where its header says so.
    pub dek: Option<DekInfo>,
}

impl Block {
    /// The DER of a certificate, by the label. OpenSSL's TRUSTED CERTIFICATE has trust settings behind it, which are no part
    /// of the certificate.
    pub fn certificate(&self) -> Option<&[u8]> {
        if !self.label.is_certificate() {
            return None;
        }
        let rest = tlv::first(&self.contents).map_or(0, |(_, rest)| rest.len());
        let trusted = self.label.is("TRUSTED CERTIFICATE");
        self.contents.get(..self.contents.len() - if trusted { rest } else { 0 })
    }
}

/// The contents may be a key.
impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({}, {} bytes)", self.label, self.contents.len())
    }
}

/// The labels of a file's blocks for a message; `none`: what to say where it has none.
pub fn listed(labels: &[Label], none: &str) -> String {
    let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
    if labels.is_empty() { none.to_owned() } else { labels.join(", ") }
}

/// `position` counts blocks from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    #[error("expected at most {LIMIT} bytes of PEM, found {found}")]
    TooLarge { found: usize },
    #[error("PEM block {position} ({label}): expected an END line, found none")]
    Unterminated { position: usize, label: Label },
    #[error("PEM block {position} ({label}): expected its END line, found the one of {found}")]
    WrongEnd { position: usize, label: Label, found: Label },
    /// Its BEGIN line is not at the start of a line, or is damaged: what stands there would be passed over in silence.
    #[error("line {line}: expected a BEGIN line before the END line of {label}, found none")]
    NoBegin { line: usize, label: Label },
    #[error("PEM block {position} ({label}): expected padded standard base64")]
    NotBase64 { position: usize, label: Label },
    /// Nearly a BEGIN or END line: programs pass over what it begins.
    #[error("line {line}: expected -----{boundary} {label}-----, found a line that only looks like it")]
    NotABoundary { line: usize, boundary: Boundary, label: Label },
    /// Such as DER that was appended.
    #[error("line {line}: expected text behind PEM block {position}, found binary data")]
    Binary { line: usize, position: usize },
    /// Programs that look for certificates pass over it.
    #[error(
        "PEM block {position} ({label}): expected the label CERTIFICATE over a certificate; kpki convert --to pem writes it anew"
    )]
    OtherLabel { position: usize, label: Label },
}

impl PemError {
    /// Whether it is about a block with this label.
    pub fn is_about(&self, wanted: impl Fn(Label) -> bool) -> bool {
        match self {
            Self::TooLarge { .. } | Self::Binary { .. } => false,
            Self::Unterminated { label, .. }
            | Self::WrongEnd { label, .. }
            | Self::NoBegin { label, .. }
            | Self::NotABoundary { label, .. }
            | Self::OtherLabel { label, .. }
            | Self::NotBase64 { label, .. } => wanted(*label),
        }
    }

    /// It is about what is in no block.
    pub const fn is_outside(&self) -> bool {
        matches!(self, Self::NotABoundary { .. } | Self::Binary { .. })
    }
}

/// One block as it stands.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    /// Counted from 1.
    pub position: usize,
    label: &'a [u8],
    /// Between the BEGIN and END lines.
    body: &'a [u8],
    /// Where that begins in the whole text.
    at: usize,
}

/// The body may be a key.
impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({}, {} bytes)", self.label(), self.body.len())
    }
}

impl<'a> Raw<'a> {
    pub fn label(&self) -> Label {
        Label::of(self.label)
    }

    pub fn is(&self, label: &str) -> bool {
        self.label == label.as_bytes()
    }

    pub fn is_certificate(&self) -> bool {
        self.label().is_certificate()
    }

    /// What is between its BEGIN and END lines, in the whole text.
    pub const fn body(&self) -> Range<usize> {
        self.at..self.at + self.body.len()
    }

    pub fn is_private_key(&self) -> bool {
        self.label.ends_with(b"PRIVATE KEY")
    }

    /// The bytes inside. A certificate under the label of something else is refused: others pass over it.
    pub fn decode(&self) -> Result<Block, PemError> {
        let block = self.decode_any()?;
        let label = block.label;
        let may_be_one = label.is_certificate() || label.is_pkcs7() || label.is("ATTRIBUTE CERTIFICATE");
        if !may_be_one && !label.is_private_key() && is_v3_certificate(&block.contents) {
            return Err(PemError::OtherLabel { position: self.position, label });
        }
        Ok(block)
    }

    /// The same, whatever its label says.
    pub fn decode_any(&self) -> Result<Block, PemError> {
        let encrypted = self.is_encrypted();
        // One allocation of sufficient size, wiped on drop.
        let mut text = Zeroizing::new(Vec::with_capacity(self.body.len()));
        let mut rest = self.body;
        while !rest.is_empty() {
            if let Some((line, after)) = pem_scan::whole_line(rest) {
                text.extend_from_slice(line);
                rest = after;
                continue;
            }
            let line;
            (line, rest) = pem_scan::first_line(rest);
            // Headers come before the base64 (RFC 1421 section 4.4), and base64 knows no colon.
            if !line.contains(&b':') {
                text.extend_from_slice(line.trim_ascii());
            }
        }
        match base64::decode(&text) {
            Ok(contents) => {
                Ok(Block { label: self.label(), contents, encrypted, dek: self.headers().find_map(DekInfo::of_line) })
            }
            Err(_) => Err(PemError::NotBase64 { position: self.position, label: self.label() }),
        }
    }

    fn is_encrypted(&self) -> bool {
        self.headers().any(|line| line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED"))
    }

    fn headers(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.lines().take_while(|line| line.is_empty() || line.contains(&b':'))
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
    }
}

/// The blocks of a text. One that is broken is an error of its own; reading goes on behind it.
#[derive(Clone)]
pub struct Blocks<'a> {
    rest: &'a [u8],
    /// Of the whole text.
    length: usize,
    position: usize,
    line: usize,
    /// The block that has begun: its label, and the text from its first line on.
    open: Option<(&'a [u8], &'a [u8])>,
    /// The last block is broken and was reported: its END line may still come.
    broken: bool,
    /// Binary data was reported.
    binary: bool,
}

impl fmt::Debug for Blocks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocks({} before {} bytes)", self.position, self.rest.len())
    }
}

pub fn blocks(input: &[u8]) -> Blocks<'_> {
    Blocks { rest: input, length: input.len(), position: 0, line: 0, open: None, broken: false, binary: false }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Raw<'a>, PemError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let here = self.rest;
            self.line += 1;
            if self.open.is_some()
                && let Some((_, rest)) = pem_scan::whole_line(here)
            {
                self.rest = rest;
                continue;
            }
            let (line, rest) = pem_scan::first_line(here);
            self.rest = rest;
            let position = self.position;
            let meaning = pem_scan::line(self.open.map(|(label, _)| label), line);
            let begun = match meaning {
                Line::Text if self.open.is_none() && position > 0 && !self.binary && is_binary(line) => {
                    self.binary = true;
                    return Some(Err(PemError::Binary { line: self.line, position }));
                }
                Line::Text => continue,
                Line::Begin(label) => {
                    self.position += 1;
                    Some((label, rest))
                }
                Line::End | Line::OtherEnd(_) | Line::Hyphens | Line::Nearly(..) => None,
            };
            let was_broken = std::mem::replace(&mut self.broken, false);
            let Some((label, inside)) = std::mem::replace(&mut self.open, begun) else {
                match meaning {
                    Line::OtherEnd(found) if !was_broken => {
                        return Some(Err(PemError::NoBegin { line: self.line, label: Label::of(found) }));
                    }
                    Line::Nearly(boundary, label) if !was_broken || boundary == Boundary::Begin => {
                        self.broken = boundary == Boundary::Begin;
                        return Some(Err(PemError::NotABoundary { line: self.line, boundary, label }));
                    }
                    _ => continue,
                }
            };
            self.broken = meaning != Line::End;
            return Some(match meaning {
                Line::End => {
                    let length = inside.len().saturating_sub(here.len());
                    let at = self.length.saturating_sub(inside.len());
                    Ok(Raw { position, label, body: inside.get(..length).unwrap_or_default(), at })
                }
                Line::OtherEnd(found) => {
                    Err(PemError::WrongEnd { position, label: Label::of(label), found: Label::of(found) })
                }
                _ => Err(PemError::Unterminated { position, label: Label::of(label) }),
            });
        }
        let (label, _) = self.open.take()?;
        Some(Err(PemError::Unterminated { position: self.position, label: Label::of(label) }))
    }
}

/// A request without attributes begins as an old certificate does; one that states its version is no request.
fn is_v3_certificate(der: &[u8]) -> bool {
    let inner = tlv::first(der).and_then(|(outer, _)| tlv::first(outer.content));
    sniff(der) == Some(Der::Certificate)
        && inner.is_ok_and(|(tbs, _)| tbs.content.first() == Some(&tlv::CONTEXT_CONSTRUCTED))
}

/// No text has them: neither white space nor what old editors leave (Ctrl-Z, escapes).
fn is_binary(line: &[u8]) -> bool {
    line.iter().any(|byte| matches!(byte, 0..=8 | 0x0e..=0x19 | 0x1c..=0x1f))
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
        let label = |text: &str| Label::of(text.as_bytes());
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

    #[test]
    fn what_is_in_no_block_is_told_once() {
        const ONE: &str = "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n";
        let label = Label::of(b"CERTIFICATE");
        let nearly = |line| PemError::NotABoundary { line, boundary: Boundary::Begin, label };
        let quoted: String = ONE.lines().map(|line| format!("> {line}\n")).collect();
        for (behind, wanted) in [
            (quoted, nearly(4)),
            (ONE.replace("-----", "----"), nearly(4)),
            (ONE.replace("BEGIN", " BEGIN"), nearly(4)),
            (format!("text\n{}", ONE.to_lowercase()), nearly(5)),
            ("0\u{1}\u{2}\n0\u{1}\n".to_owned(), PemError::Binary { line: 4, position: 1 }),
        ] {
            let text = format!("{ONE}{behind}");
            let errors: Vec<_> = blocks(text.as_bytes()).filter_map(Result::err).collect();
            assert_eq!(errors, [wanted], "{text}");
        }
        let label = Label::of(b"FOO");
        let der = pem::read(include_bytes!("../../fixtures/convert/leaf.crt")).unwrap().remove(0).contents;
        let error = pem::read(pem::write("FOO", &der).as_bytes()).unwrap_err();
        assert_eq!(error, PemError::OtherLabel { position: 1, label });
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
