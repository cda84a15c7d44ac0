//! The walk over a revocation list's DER, resumable at every byte.

use time::OffsetDateTime;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use crate::blueprint::{Name, Oid};
use crate::encoding::tlv::{self, Element, NotDer};
use crate::encoding::{name, oid};
use crate::x509::certificate::utc;
use crate::x509::crl::{Crl, CrlError};
use crate::x509::decimal;

/// Names, extensions and signatures are kept while they are read.
pub const SMALL: usize = 1 << 20;

/// Where in the list the walk stands: what the next element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Outer,
    Signed,
    Version,
    Algorithm,
    Issuer,
    ThisUpdate,
    NextUpdate,
    Entries,
    Entry,
    Extensions,
    OuterAlgorithm,
    Signature,
    End,
}

impl Step {
    const fn part(self) -> &'static str {
        match self {
            Self::Outer | Self::Signed | Self::End => "frame",
            Self::Version => "version",
            Self::Algorithm | Self::OuterAlgorithm => "signature algorithm",
            Self::Issuer => "issuer",
            Self::ThisUpdate => "thisUpdate",
            Self::NextUpdate => "nextUpdate",
            Self::Entries | Self::Entry => "list of entries",
            Self::Extensions => "list of extensions",
            Self::Signature => "signature",
        }
    }
}

/// Takes a list in pieces of any size; [`Walker::finish`] says what it was.
#[derive(Debug)]
pub struct Walker {
    next: Step,
    /// Absolute offsets: how far has been taken, and where the open collections end.
    at: u64,
    outer_end: u64,
    signed_end: u64,
    entries_end: u64,
    /// Content of an entry that is still to come.
    skip: u64,
    /// An element whose end has not come yet.
    pending: Vec<u8>,
    algorithm: Vec<u8>,
    version: u32,
    signature_algorithm: Option<Oid>,
    issuer: Option<(Name, Vec<u8>)>,
    this_update: Option<OffsetDateTime>,
    next_update: Option<OffsetDateTime>,
    entries: u64,
    number: Option<String>,
    delta: bool,
    partial: bool,
    authority_key_id: Option<Vec<u8>>,
    extensions: Vec<(Oid, bool)>,
}

impl Default for Walker {
    fn default() -> Self {
        Self {
            next: Step::Outer,
            at: 0,
            outer_end: u64::MAX,
            signed_end: u64::MAX,
            entries_end: 0,
            skip: 0,
            pending: Vec::new(),
            algorithm: Vec::new(),
            version: 1,
            signature_algorithm: None,
            issuer: None,
            this_update: None,
            next_update: None,
            entries: 0,
            number: None,
            delta: false,
            partial: false,
            authority_key_id: None,
            extensions: Vec::new(),
        }
    }
}

/// Tag, length of the header, length of the content.
struct Header {
    tag: u8,
    header: usize,
    content: u64,
}

/// `None`: more bytes are needed. Lengths are minimal, as DER wants them.
fn header(bytes: &[u8]) -> Result<Option<Header>, NotDer> {
    let [tag, first, rest @ ..] = bytes else { return Ok(None) };
    if tag & tlv::LONG_TAG == tlv::LONG_TAG {
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

impl Walker {
    /// The next piece.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), CrlError> {
        let mut piece = piece;
        while !piece.is_empty() {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(piece.len());
            if skipped > 0 {
                piece = piece.get(skipped..).unwrap_or_default();
                self.advance(skipped);
                self.skip = self.skip.saturating_sub(skipped as u64);
                continue;
            }
            if self.pending.is_empty() {
                let taken = self.take(piece)?;
                if taken > 0 {
                    piece = piece.get(taken..).unwrap_or_default();
                    continue;
                }
                self.pending.extend_from_slice(piece);
                piece = &[];
            } else {
                // An element that was cut: what it still needs is added, not the rest of the piece.
                let needed = match header(&self.pending).map_err(|NotDer| CrlError::Frame(self.next.part()))? {
                    Some(found) if self.is_collection(&found) => 1,
                    Some(found) => usize::try_from(found.content)
                        .unwrap_or(usize::MAX)
                        .saturating_add(found.header)
                        .saturating_sub(self.pending.len())
                        .max(1),
                    None => 1,
                };
                let (add, rest) = piece.split_at_checked(needed).unwrap_or((piece, &[]));
                piece = rest;
                self.pending.extend_from_slice(add);
                let pending = std::mem::take(&mut self.pending);
                if self.take(&pending)? == 0 {
                    self.pending = pending;
                }
            }
            if self.pending.len() > SMALL + 16 {
                return Err(CrlError::TooLarge(self.next.part()));
            }
        }
        Ok(())
    }

    fn advance(&mut self, length: usize) {
        self.at = self.at.saturating_add(length as u64);
    }

    /// Whether only the header of this element is taken, and what is inside follows element by element.
    fn is_collection(&self, found: &Header) -> bool {
        matches!(self.next, Step::Outer | Step::Signed | Step::Entry)
            || (matches!(self.next, Step::NextUpdate | Step::Entries) && found.tag == tlv::SEQUENCE)
    }

    /// Takes whole elements from the start of `bytes`; how many bytes that was. 0: the first is not complete.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, CrlError> {
        let mut taken = 0usize;
        loop {
            if self.next == Step::End {
                return if bytes.len() > taken { Err(CrlError::Trailing) } else { Ok(taken) };
            }
            let rest = bytes.get(taken..).unwrap_or_default();
            let broken = |_| CrlError::Frame(self.next.part());
            let Some(found) = header(rest).map_err(broken)? else { return Ok(taken) };
            let end = self.at.saturating_add(found.header as u64).saturating_add(found.content);
            let limit = match self.next {
                Step::Outer => u64::MAX,
                Step::Entry => self.entries_end,
                next if next < Step::OuterAlgorithm && next > Step::Signed => self.signed_end,
                _ => self.outer_end,
            };
            if end > limit {
                return Err(CrlError::Frame(self.next.part()));
            }
            if self.is_collection(&found) {
                taken = taken.saturating_add(found.header);
                self.advance(found.header);
                self.open(&found, end)?;
                // The content of an entry, as far as it is here.
                let here = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len().saturating_sub(taken));
                taken = taken.saturating_add(here);
                self.advance(here);
                self.skip = self.skip.saturating_sub(here as u64);
                if self.skip > 0 {
                    self.close();
                    return Ok(taken);
                }
            } else {
                if found.content > SMALL as u64 {
                    return Err(CrlError::TooLarge(self.next.part()));
                }
                let length = found.header.saturating_add(usize::try_from(found.content).unwrap_or(usize::MAX));
                let Some(raw) = rest.get(..length) else { return Ok(taken) };
                let content = raw.get(found.header..).unwrap_or_default();
                let element = Element { tag: found.tag, raw, content };
                taken = taken.saturating_add(length);
                self.advance(length);
                self.element(element).map_err(|NotDer| CrlError::Frame(self.next.part()))?;
            }
            self.close();
        }
    }

    /// The header of a collection was taken.
    fn open(&mut self, found: &Header, end: u64) -> Result<(), CrlError> {
        if found.tag != tlv::SEQUENCE {
            return Err(CrlError::Frame(self.next.part()));
        }
        self.next = match self.next {
            Step::Outer => {
                self.outer_end = end;
                Step::Signed
            }
            Step::Signed => {
                self.signed_end = end;
                Step::Version
            }
            Step::NextUpdate | Step::Entries => {
                self.entries_end = end;
                Step::Entry
            }
            other => {
                self.entries = self.entries.saturating_add(1);
                self.skip = found.content;
                other
            }
        };
        Ok(())
    }

    /// Moves on where a collection ends.
    fn close(&mut self) {
        if self.next == Step::Entry && self.at.saturating_add(self.skip) >= self.entries_end {
            self.next = Step::Extensions;
        }
        let signed_over = self.at.saturating_add(self.skip) >= self.signed_end;
        if signed_over && self.next > Step::ThisUpdate && self.next < Step::OuterAlgorithm {
            self.next = Step::OuterAlgorithm;
        }
    }

    fn element(&mut self, element: Element<'_>) -> Result<(), NotDer> {
        self.next = match (self.next, element.tag) {
            (Step::Version, tlv::INTEGER) => {
                self.version = match element.content {
                    [0] => 1,
                    [1] => 2,
                    _ => return Err(NotDer),
                };
                Step::Algorithm
            }
            (Step::Version | Step::Algorithm, tlv::SEQUENCE) => {
                let id = tlv::elements(element.content)?.first().copied().ok_or(NotDer)?;
                self.signature_algorithm = Some(oid::read(id.content).ok_or(NotDer)?);
                self.algorithm = element.raw.to_vec();
                Step::Issuer
            }
            (Step::Issuer, tlv::SEQUENCE) => {
                self.issuer = Some((name::read(element.raw)?, element.raw.to_vec()));
                Step::ThisUpdate
            }
            (Step::ThisUpdate, _) => {
                self.this_update = Some(time(element)?);
                Step::NextUpdate
            }
            (Step::NextUpdate, tlv::UTC_TIME | tlv::GENERALIZED_TIME) => {
                self.next_update = Some(time(element)?);
                Step::Entries
            }
            (Step::NextUpdate | Step::Entries | Step::Extensions, tlv::CONTEXT_CONSTRUCTED)
                if self.at == self.signed_end =>
            {
                self.read_extensions(element)?;
                Step::OuterAlgorithm
            }
            // Byte by byte, as in a certificate (section 5.1.1.2).
            (Step::OuterAlgorithm, tlv::SEQUENCE) if element.raw == self.algorithm => Step::Signature,
            (Step::Signature, tlv::BIT_STRING) if self.at == self.outer_end => Step::End,
            _ => return Err(NotDer),
        };
        Ok(())
    }

    fn read_extensions(&mut self, element: Element<'_>) -> Result<(), NotDer> {
        for extension in tlv::children(element.content, tlv::SEQUENCE)? {
            let parts = tlv::elements(extension.content)?;
            let (id, critical, value) = match parts.as_slice() {
                [id, value] => (id, false, value),
                [id, flag, value] if flag.tag == tlv::BOOLEAN => (id, flag.content != [0], value),
                _ => return Err(NotDer),
            };
            if id.tag != tlv::OBJECT_IDENTIFIER || value.tag != tlv::OCTET_STRING {
                return Err(NotDer);
            }
            self.extension(id.content, value.content)?;
            self.extensions.push((oid::read(id.content).ok_or(NotDer)?, critical));
        }
        Ok(())
    }

    /// Content octets of 2.5.29.n.
    fn extension(&mut self, id: &[u8], value: &[u8]) -> Result<(), NotDer> {
        match id {
            [0x55, 0x1d, 20] => {
                let number = tlv::single(value)?;
                match number.content {
                    [_, ..] if number.tag == tlv::INTEGER => self.number = Some(decimal(number.content)),
                    _ => return Err(NotDer),
                }
            }
            [0x55, 0x1d, 27] => self.delta = true,
            [0x55, 0x1d, 28] => self.partial = true,
            [0x55, 0x1d, 35] => {
                let parts = tlv::children(value, tlv::SEQUENCE)?;
                self.authority_key_id =
                    parts.iter().find(|part| part.tag == tlv::CONTEXT).map(|part| part.content.to_vec());
            }
            _ => {}
        }
        Ok(())
    }

    pub fn finish(self) -> Result<Crl, CrlError> {
        match (self.next, self.signature_algorithm, self.issuer, self.this_update) {
            (Step::End, Some(signature_algorithm), Some((issuer, issuer_der)), Some(this_update))
                if self.pending.is_empty() =>
            {
                Ok(Crl {
                    version: self.version,
                    signature_algorithm,
                    issuer,
                    issuer_der,
                    this_update,
                    next_update: self.next_update,
                    entries: self.entries,
                    number: self.number,
                    delta: self.delta,
                    partial: self.partial,
                    authority_key_id: self.authority_key_id,
                    extensions: self.extensions,
                })
            }
            _ => Err(CrlError::Truncated),
        }
    }
}

fn time(element: Element<'_>) -> Result<OffsetDateTime, NotDer> {
    match (element.tag, ASN1Time::from_der(element.raw)) {
        (tlv::UTC_TIME | tlv::GENERALIZED_TIME, Ok(([], at))) => Ok(utc(at.to_datetime())),
        _ => Err(NotDer),
    }
}
