//! From a text to what is wrapped in it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use zeroize::Zeroizing;

use super::framed::{self, Framed};
use super::group::{DEEPEST, Group, INFLATED, Piece, Unread};
use super::{runs, token};
use crate::encoding::base64;
use crate::encoding::found::{Found, found};
use crate::encoding::pem_label::Label;
use crate::encoding::raw_key::{is_rsa_public, rsa_public_to_spki};
use crate::encoding::sniff::{Der, sniff};
use crate::encoding::{pkcs7, public_key, tlv};

/// Everything in the bytes of a value or a file, in order.
pub fn groups(bytes: &[u8]) -> Vec<Group> {
    let mut found = Vec::new();
    Look { found: &mut found }.bytes(bytes, &[], 0);
    found
}

struct Look<'f> {
    found: &'f mut Vec<Group>,
}

impl Look<'_> {
    fn push(&mut self, within: &[String], pieces: Vec<Piece>) {
        if !pieces.is_empty() {
            self.found.push(Group { within: within.to_vec(), pieces });
        }
    }

    fn close(&mut self, group: Option<Group>) {
        self.found.extend(group.filter(|group| !group.pieces.is_empty()));
    }

    fn bytes(&mut self, bytes: &[u8], within: &[String], depth: usize) {
        if bytes.len() < runs::SHORTEST {
            return;
        }
        if depth > DEEPEST {
            return self.push(within, vec![Piece::Unread(Unread::Deep)]);
        }
        let is_printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        // 0x30 is a SEQUENCE, and the digit 0.
        let is_container = || matches!(found(bytes), Some(Found::Pkcs7 | Found::Pkcs12));
        if bytes.first() == Some(&tlv::SEQUENCE) && (tlv::single(bytes).is_ok() || is_container()) {
            return self.push(within, der(bytes));
        }
        if !bytes.first().is_some_and(is_printable) {
            match found(bytes) {
                Some(Found::Gzip) => return self.gzip(bytes, within, depth),
                Some(Found::Jks | Found::Jceks | Found::Bks) => {
                    return self.push(within, vec![Piece::Unread(Unread::Locked)]);
                }
                _ if bytes.contains(&0) => return,
                _ => {}
            }
        }
        self.text(bytes, within, depth);
    }

    fn gzip(&mut self, bytes: &[u8], within: &[String], depth: usize) {
        let mut inner = Zeroizing::new(Vec::new());
        match GzDecoder::new(bytes).take(INFLATED + 1).read_to_end(&mut inner) {
            Err(_) => self.push(within, vec![Piece::Unread(Unread::BrokenGzip)]),
            Ok(length) if u64::try_from(length).is_ok_and(|length| length > INFLATED) => {
                self.push(within, vec![Piece::Unread(Unread::Large)]);
            }
            Ok(_) => self.bytes(&inner, within, depth + 1),
        }
    }

    /// PEM blocks, and what is between them.
    fn text(&mut self, text: &[u8], within: &[String], depth: usize) {
        let mut at = 0;
        let mut open: Option<Group> = None;
        while let Some(block) = framed::next(text, at) {
            let gap = text.get(at..block.start).unwrap_or_default();
            let inside = pieces(&block);
            if open.is_none() || parts(gap) {
                self.close(open.take());
                let key = runs::key(text.get(..block.start).unwrap_or_default());
                open = Some(Group { within: [within, key.as_slice()].concat(), pieces: Vec::new() });
            }
            self.runs(text, at, block.start, within, depth);
            if let Some(group) = &mut open {
                group.pieces.extend(inside);
            }
            at = block.end;
        }
        self.close(open);
        self.runs(text, at, text.len(), within, depth);
    }

    /// Base64 and tokens between two places of a text.
    fn runs(&mut self, text: &[u8], from: usize, until: usize, within: &[String], depth: usize) {
        let Some(part) = text.get(..until) else { return };
        let mut at = from;
        while let Some((start, end)) = runs::next(part, at) {
            at = self.run(part, start, end, within, depth);
        }
    }

    /// One run; where to go on.
    fn run(&mut self, text: &[u8], start: usize, end: usize, within: &[String], depth: usize) -> usize {
        let run = text.get(start..end).unwrap_or_default();
        let is_all = text.trim_ascii().len() == run.len();
        let key = if is_all { None } else { runs::key(text.get(..start).unwrap_or_default()) };
        let within = [within, key.as_slice()].concat();
        let tokens: Vec<Piece> = run
            .split(|byte| matches!(byte, b'/' | b'+' | b'='))
            .filter(|part| part.starts_with(b"eyJ"))
            .filter_map(|part| token::read(part.trim_ascii()).map(Piece::Token))
            .collect();
        if !tokens.is_empty() {
            self.push(&within, tokens);
            return end;
        }
        let before = self.found.len();
        if let Some((joined, end)) = runs::folded(text, start, end)
            && let Ok(inner) = base64::decode(&joined)
        {
            self.bytes(&inner, &within, depth + 1);
            if self.found.len() > before {
                return end;
            }
        }
        for part in run.split(|byte| matches!(byte, b'.' | b'-' | b'_')).filter(|part| part.len() >= runs::SHORTEST) {
            if let Ok(inner) = base64::decode(part) {
                self.bytes(&inner, &within, depth + 1);
            }
        }
        end
    }
}

/// Whether what is behind this text is another value than what is before it: in JSON or YAML, where a key is between them.
fn parts(gap: &[u8]) -> bool {
    let end = gap.trim_ascii_end();
    let end = end.strip_suffix(b"-").or_else(|| end.strip_suffix(b"+")).unwrap_or(end);
    end.ends_with(b"|") || end.ends_with(b">") || framed::find(gap, b"\":").is_some()
}

fn pieces(block: &Framed<'_>) -> Vec<Piece> {
    let label = Label::of(block.label);
    let wanted = label.is_certificate() || label.is_pkcs7();
    let is_public = label.is("PUBLIC KEY") || label.is("RSA PUBLIC KEY");
    if !wanted && !is_public {
        return Vec::new();
    }
    match block.decode() {
        // TRUSTED CERTIFICATE has trust settings behind the certificate.
        Some(inner) if label.is_certificate() => {
            let rest = tlv::first(&inner).map_or(0, |(_, rest)| rest.len());
            let whole = inner.get(..inner.len() - rest).unwrap_or_default();
            if whole.is_empty() {
                vec![Piece::Unread(Unread::BrokenPem)]
            } else {
                vec![Piece::Certificate(whole.to_vec())]
            }
        }
        Some(inner) => der(&inner),
        None if wanted => vec![Piece::Unread(Unread::BrokenPem)],
        None => Vec::new(),
    }
}

/// What one element of DER is, by content.
fn der(bytes: &[u8]) -> Vec<Piece> {
    match sniff(bytes) {
        Some(Der::Certificate) => return vec![Piece::Certificate(bytes.to_vec())],
        Some(Der::Crl | Der::Request) => return Vec::new(),
        None => {}
    }
    match found(bytes) {
        Some(Found::Pkcs12) => return vec![Piece::Unread(Unread::Locked)],
        Some(Found::Pkcs7) => {
            return match pkcs7::read(bytes) {
                Ok(signed) => signed.certificates.into_iter().map(Piece::Certificate).collect(),
                Err(pkcs7::Pkcs7Error::OtherContent(_)) => Vec::new(),
                Err(_) => vec![Piece::Unread(Unread::BrokenPkcs7)],
            };
        }
        _ => {}
    }
    if is_rsa_public(bytes) {
        return vec![Piece::PublicKey(rsa_public_to_spki(bytes))];
    }
    if public_key::read(bytes).is_ok() { vec![Piece::PublicKey(bytes.to_vec())] } else { Vec::new() }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
