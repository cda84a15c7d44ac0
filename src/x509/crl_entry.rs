//! One entry of a CRL (RFC 5280 section 5.3), borrowed from the CRL's bytes: a million of them are looked at
//! without keeping any.

use time::OffsetDateTime;

use crate::blueprint::Name;
use crate::encoding::crl::{CERTIFICATE_ISSUER, INVALIDITY_DATE, REASON_CODE};
pub use crate::encoding::extension::Extension;
use crate::encoding::tlv::{self, Element, Fields, NotDer};
use crate::revocation::{Reason, Revoked};
use crate::x509::distribution::certificate_issuer;
use crate::x509::time::time;

/// An entry taken apart; date and extensions are read when asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The content octets of the INTEGER, as they stand.
    pub serial: &'a [u8],
    date: Element<'a>,
    /// What is inside crlEntryExtensions.
    extensions: &'a [u8],
}

/// What forbids to use the whole CRL, though the entry may be about another certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryAnomaly {
    /// certificateIssuer: entries are about certificates of other issuers (section 5.3.3).
    CertificateIssuer,
    /// An unknown critical extension (section 5.3).
    UnknownCritical,
}

impl<'a> Entry<'a> {
    /// From the whole element.
    pub fn read(raw: &'a [u8]) -> Result<Self, NotDer> {
        Self::of(tlv::single(raw)?)
    }

    fn of(element: Element<'a>) -> Result<Self, NotDer> {
        let mut fields = Fields::of(element.of(tlv::SEQUENCE)?);
        let (serial, date) = (fields.take(tlv::INTEGER)?, fields.element()?);
        let extensions = fields.any()?.map_or(Ok(&[][..]), |list| list.of(tlv::SEQUENCE))?;
        fields.end()?;
        if serial.is_empty() || !matches!(date.tag, tlv::UTC_TIME | tlv::GENERALIZED_TIME) {
            return Err(NotDer);
        }
        Ok(Self { serial, date, extensions })
    }

    /// Every extension, as the element it is and taken apart.
    fn extensions(&self) -> impl Iterator<Item = Result<(Element<'a>, Extension<'a>), NotDer>> + use<'a> {
        tlv::each(self.extensions).map(|element| element.and_then(|element| Ok((element, Extension::read(element)?))))
    }

    /// revocationDate.
    pub fn at(&self) -> Result<OffsetDateTime, NotDer> {
        time(self.date)
    }

    pub fn anomaly(&self) -> Result<Option<EntryAnomaly>, NotDer> {
        for extension in self.extensions() {
            match extension?.1 {
                Extension { id: CERTIFICATE_ISSUER, .. } => return Ok(Some(EntryAnomaly::CertificateIssuer)),
                Extension { id: REASON_CODE | INVALIDITY_DATE, .. } | Extension { critical: false, .. } => {}
                _ => return Ok(Some(EntryAnomaly::UnknownCritical)),
            }
        }
        Ok(None)
    }

    /// Whose certificate it and those behind it are about, where it says so (section 5.3.3); and nothing else is unknown.
    pub fn certificate_issuer(&self) -> Result<Option<Name>, NotDer> {
        let mut issuer = None;
        for extension in self.extensions() {
            match extension?.1 {
                Extension { id: CERTIFICATE_ISSUER, value, .. } => issuer = Some(certificate_issuer(value)?),
                Extension { id: REASON_CODE | INVALIDITY_DATE, .. } | Extension { critical: false, .. } => {}
                _ => return Err(NotDer),
            }
        }
        Ok(issuer)
    }

    /// Everything it says. A reason or invalidity date that is no such thing does not undo the revocation: it is kept among
    /// [`Revoked::other`] as it stands.
    pub fn revoked(&self) -> Result<Revoked, NotDer> {
        let mut revoked = Revoked {
            serial: self.serial.to_vec(),
            at: self.at()?,
            reason: None,
            invalid_since: None,
            other: Vec::new(),
        };
        let mut seen: Vec<&[u8]> = Vec::new();
        for extension in self.extensions() {
            let (element, Extension { id, value, .. }) = extension?;
            if seen.contains(&id) {
                return Err(NotDer);
            }
            seen.push(id);
            let read = match id {
                REASON_CODE => {
                    revoked.reason = reason(value);
                    revoked.reason.is_some()
                }
                INVALIDITY_DATE => {
                    let at = tlv::single(value).ok().filter(|element| element.tag == tlv::GENERALIZED_TIME);
                    revoked.invalid_since = at.and_then(|element| time(element).ok());
                    revoked.invalid_since.is_some()
                }
                _ => false,
            };
            if !read {
                revoked.other.extend_from_slice(element.raw);
            }
        }
        Ok(revoked)
    }
}

fn reason(value: &[u8]) -> Option<Reason> {
    match tlv::single(value).ok()? {
        Element { tag: tlv::ENUMERATED, content: [code], .. } => Reason::of_code(*code),
        _ => None,
    }
}

/// The entries of a CRL, out of [`crate::x509::Crl::entries_in`], each with its whole element.
pub fn entries(all: &[u8]) -> impl Iterator<Item = Result<(&[u8], Entry<'_>), NotDer>> {
    tlv::each(all).map(|element| element.and_then(|element| Ok((element.raw, Entry::of(element)?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::crl::entry;
    use crate::encoding::extension::extension;
    use time::macros::datetime;

    fn revoked() -> Revoked {
        Revoked {
            serial: vec![5; 16],
            at: datetime!(2026-11-20 12:00 UTC),
            reason: None,
            invalid_since: None,
            other: vec![],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut all: Vec<Revoked> = Reason::all()
            .filter(|reason| *reason != Reason::Unspecified)
            .map(|reason| Revoked { reason: Some(reason), ..revoked() })
            .collect();
        all.push(revoked());
        all.push(Revoked { at: datetime!(2051-01-01 0:00 UTC), ..revoked() });
        all.push(Revoked { invalid_since: Some(datetime!(1999-01-01 0:00 UTC)), serial: vec![0x80], ..revoked() });
        all.push(Revoked { other: extension(&[0x55, 0x1d, 23], false, &[6, 1, 0]), ..revoked() });
        let bytes: Vec<u8> = all.iter().flat_map(|one| entry(one).unwrap()).collect();
        let read: Vec<Revoked> = entries(&bytes).map(|one| one.unwrap().1.revoked().unwrap()).collect();
        assert_eq!(read, all);
        for length in 0..bytes.len() {
            entries(&bytes[..length]).for_each(|one| drop(one.map(|(_, entry)| entry.revoked())));
        }
    }

    #[test]
    fn anomalies_are_found() {
        let oid = |last: u8| [0x55, 0x1d, last];
        for (other, anomaly) in [
            (extension(&oid(29), true, &[0x30, 0]), Some(EntryAnomaly::CertificateIssuer)),
            (extension(&oid(29), false, &[0x30, 0]), Some(EntryAnomaly::CertificateIssuer)),
            (extension(&oid(23), true, &[6, 0]), Some(EntryAnomaly::UnknownCritical)),
            (extension(&oid(23), false, &[6, 0]), None),
            (extension(&oid(21), true, &[10, 1, 1]), None),
        ] {
            let der = entry(&Revoked { other, ..revoked() }).unwrap();
            assert_eq!(Entry::read(&der).unwrap().anomaly(), Ok(anomaly), "{der:?}");
        }
    }

    #[test]
    fn an_odd_reason_does_not_undo_a_revocation_and_two_are_refused() {
        for value in [&[10, 1, 7][..], &[10, 2, 0, 1], &[2, 1, 1], &[]] {
            let other = extension(REASON_CODE, false, value);
            let der = entry(&Revoked { other: other.clone(), ..revoked() }).unwrap();
            assert_eq!(Entry::read(&der).unwrap().revoked(), Ok(Revoked { other, ..revoked() }), "{value:?}");
        }
        let twice = [6, 1].map(|code| extension(REASON_CODE, false, &[10, 1, code])).concat();
        let der = entry(&Revoked { other: twice, ..revoked() }).unwrap();
        assert_eq!(Entry::read(&der).unwrap().revoked(), Err(NotDer));
    }
}
