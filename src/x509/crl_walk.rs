//! The walk over a CRL's DER, resumable at every byte.

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::blueprint::{Name, Oid};
use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::extension::AUTHORITY_KEY_IDENTIFIER;
use crate::encoding::tlv::{self, Element, Header, NotDer};
use crate::encoding::{crl, name, oid};
use crate::x509::crl::{Crl, CrlError, SMALL};
use crate::x509::crl_entry::Extension;
use crate::x509::crl_scope::Scope;
use crate::x509::time::time;

/// What the next element is.
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

/// Takes a CRL in pieces of any size; [`Walker::finish`] says what it was.
#[derive(Debug)]
pub struct Walker {
    next: Step,
    /// Absolute offsets: how far has been taken, and where the open collections end.
    at: u64,
    outer_end: u64,
    signed_end: u64,
    /// An element whose end has not come yet.
    pending: Vec<u8>,
    algorithm: Vec<u8>,
    /// Filled in as its parts come: whole where `next` is [`Step::End`].
    crl: Crl,
    /// How many headers were read.
    #[cfg(test)]
    headers: u64,
}

impl Default for Walker {
    fn default() -> Self {
        let crl = Crl {
            version: 1,
            signature_algorithm: Oid(Cow::Borrowed("")),
            issuer: Name::default(),
            issuer_der: Vec::new(),
            this_update: OffsetDateTime::UNIX_EPOCH,
            next_update: None,
            entries: 0,
            entries_at: 0..0,
            number: None,
            delta: false,
            base_number: None,
            scope: None,
            distribution: None,
            authority_key_id: None,
            extensions: Vec::new(),
            unknown_critical: Vec::new(),
        };
        Self {
            next: Step::Outer,
            at: 0,
            outer_end: u64::MAX,
            signed_end: u64::MAX,
            pending: Vec::new(),
            algorithm: Vec::new(),
            crl,
            #[cfg(test)]
            headers: 0,
        }
    }
}

impl Walker {
    /// The next piece.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), CrlError> {
        self.feed_each(piece, &mut |_| Ok(()))
    }

    /// The next piece; `each` is shown every entry that ends in it, as a whole element.
    pub fn feed_each(
        &mut self,
        mut piece: &[u8],
        each: &mut impl FnMut(&[u8]) -> Result<(), NotDer>,
    ) -> Result<(), CrlError> {
        while !piece.is_empty() {
            if self.pending.is_empty() {
                let taken = self.take(piece, each)?;
                if taken > 0 {
                    piece = piece.get(taken..).unwrap_or_default();
                    continue;
                }
                self.pending.extend_from_slice(piece);
                piece = &[];
            } else {
                // An element that was cut: what it still needs is added, not the rest of the piece.
                let found = tlv::read_header(&self.pending).map_err(|NotDer| CrlError::Malformed(self.next.part()))?;
                let needed = match found {
                    Some(found) if !self.is_collection(&found) => {
                        found.header.saturating_add(found.content).saturating_sub(self.pending.len()).max(1)
                    }
                    _ => 1,
                };
                let (add, rest) = piece.split_at_checked(needed).unwrap_or((piece, &[]));
                piece = rest;
                self.pending.extend_from_slice(add);
                let mut pending = std::mem::take(&mut self.pending);
                if self.take(&pending, each)? > 0 {
                    pending.clear();
                }
                self.pending = pending;
            }
            if self.pending.len() > SMALL + 16 {
                return Err(CrlError::TooLarge(self.next.part()));
            }
        }
        Ok(())
    }

    /// Whether only the header of this element is taken, and what is inside follows element by element.
    fn is_collection(&self, found: &Header) -> bool {
        matches!(self.next, Step::Outer | Step::Signed)
            || (matches!(self.next, Step::NextUpdate | Step::Entries) && found.tag == tlv::SEQUENCE)
    }

    /// Takes whole elements from the start of `bytes`; how many bytes that was. 0: the first is not complete.
    fn take(&mut self, bytes: &[u8], each: &mut impl FnMut(&[u8]) -> Result<(), NotDer>) -> Result<usize, CrlError> {
        let mut taken = 0usize;
        loop {
            if self.next == Step::End {
                return if bytes.len() > taken { Err(CrlError::Trailing) } else { Ok(taken) };
            }
            #[cfg(test)]
            {
                self.headers += 1;
            }
            let rest = bytes.get(taken..).unwrap_or_default();
            let broken = |NotDer| CrlError::Malformed(self.next.part());
            let Some(found) = tlv::read_header(rest).map_err(broken)? else { return Ok(taken) };
            let end = self.at.saturating_add(found.header.saturating_add(found.content) as u64);
            let limit = match self.next {
                Step::Outer => u64::MAX,
                Step::Entry => self.crl.entries_at.end,
                next if next < Step::OuterAlgorithm && next > Step::Signed => self.signed_end,
                _ => self.outer_end,
            };
            if end > limit {
                return Err(CrlError::Malformed(self.next.part()));
            }
            let length = if self.is_collection(&found) {
                found.header
            } else if found.content > SMALL {
                return Err(CrlError::TooLarge(self.next.part()));
            } else {
                found.header.saturating_add(found.content)
            };
            let Some(raw) = rest.get(..length) else { return Ok(taken) };
            taken = taken.saturating_add(length);
            self.at = self.at.saturating_add(length as u64);
            if self.is_collection(&found) {
                self.open(&found, end)?;
            } else {
                let content = raw.get(found.header..).unwrap_or_default();
                let element = Element { tag: found.tag, raw, content };
                let read = match (self.next, element.tag) {
                    (Step::Entry, tlv::SEQUENCE) => {
                        self.crl.entries = self.crl.entries.saturating_add(1);
                        each(element.raw)
                    }
                    (Step::Entry, _) => Err(NotDer),
                    _ => self.element(element),
                };
                read.map_err(|NotDer| CrlError::Malformed(self.next.part()))?;
            }
            self.close();
        }
    }

    /// The header of a collection was taken.
    fn open(&mut self, found: &Header, end: u64) -> Result<(), CrlError> {
        if found.tag != tlv::SEQUENCE {
            return Err(CrlError::Malformed(self.next.part()));
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
            _ => {
                self.crl.entries_at = self.at..end;
                Step::Entry
            }
        };
        Ok(())
    }

    /// Moves on where a collection ends.
    fn close(&mut self) {
        if self.next == Step::Entry && self.at >= self.crl.entries_at.end {
            self.next = Step::Extensions;
        }
        if self.at >= self.signed_end && self.next > Step::ThisUpdate && self.next < Step::OuterAlgorithm {
            self.next = Step::OuterAlgorithm;
        }
    }

    fn element(&mut self, element: Element<'_>) -> Result<(), NotDer> {
        self.next = match (self.next, element.tag) {
            (Step::Version, tlv::INTEGER) => {
                self.crl.version = match element.content {
                    [0] => 1,
                    [1] => 2,
                    _ => return Err(NotDer),
                };
                Step::Algorithm
            }
            (Step::Version | Step::Algorithm, tlv::SEQUENCE) => {
                self.crl.signature_algorithm = AlgorithmIdentifier::read(element.raw)?.oid()?;
                self.algorithm = element.raw.to_vec();
                Step::Issuer
            }
            (Step::Issuer, tlv::SEQUENCE) => {
                (self.crl.issuer, self.crl.issuer_der) = (name::read(element.raw)?, element.raw.to_vec());
                Step::ThisUpdate
            }
            (Step::ThisUpdate, _) => {
                self.crl.this_update = time(element)?;
                Step::NextUpdate
            }
            (Step::NextUpdate, tlv::UTC_TIME | tlv::GENERALIZED_TIME) => {
                self.crl.next_update = Some(time(element)?);
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
            let Extension { id, critical, value } = Extension::read(extension)?;
            let oid = oid::read(id).ok_or(NotDer)?;
            // Section 4.2: one instance at most.
            if self.crl.extensions.iter().any(|(seen, _)| *seen == oid) {
                return Err(NotDer);
            }
            if !self.extension(id, value)? && critical {
                self.crl.unknown_critical.push(oid.clone());
            }
            self.crl.extensions.push((oid, critical));
        }
        Ok(())
    }

    /// Whether it is one that is understood here.
    fn extension(&mut self, id: &[u8], value: &[u8]) -> Result<bool, NotDer> {
        match id {
            crl::CRL_NUMBER => self.crl.number = Some(integer(value)?),
            crl::DELTA_CRL_INDICATOR => {
                (self.crl.delta, self.crl.base_number) = (true, Some(integer(value)?));
            }
            crl::ISSUING_DISTRIBUTION_POINT => {
                (self.crl.scope, self.crl.distribution) = (Some(Scope::read(value)?), Some(value.to_vec()));
            }
            AUTHORITY_KEY_IDENTIFIER => {
                let parts = tlv::children(value, tlv::SEQUENCE)?;
                self.crl.authority_key_id =
                    parts.iter().find(|part| part.tag == tlv::CONTEXT).map(|part| part.content.to_vec());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub fn finish(self) -> Result<Crl, CrlError> {
        if self.next == Step::End && self.pending.is_empty() { Ok(self.crl) } else { Err(CrlError::Truncated) }
    }
}

/// Its content octets, whatever number they are.
fn integer(value: &[u8]) -> Result<Vec<u8>, NotDer> {
    match tlv::single(value)?.of(tlv::INTEGER)? {
        [] => Err(NotDer),
        content => Ok(content.to_vec()),
    }
}

impl Crl {
    pub fn parse(der: &[u8]) -> Result<Self, CrlError> {
        let mut walker = Walker::default();
        walker.feed(der)?;
        walker.finish()
    }
}

#[cfg(test)]
#[path = "crl_tests.rs"]
mod tests;
