//! A CRL (RFC 5280 section 5.1): the TBSCertList, version 2, written around entries that are already
//! bytes. A CRL of a million entries is re-signed by copying them.

use crate::encoding::certificate::{SignatureAlgorithm, generalized_time, time};
use crate::encoding::error::EncodeError;
use crate::encoding::extension::{authority_key_identifier, extension};
use crate::encoding::pem;
use crate::encoding::tlv;
use crate::revocation::{CrlIssue, Reason, Revoked};

/// Content octets of the object identifiers, id-ce 2.5.29.n.
pub const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
pub const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
pub const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
pub const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
pub const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
pub const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];

pub const LABEL: &str = "X509 CRL";

/// A serial number has at most 20 octets (section 4.1.2.2); older and foreign ones are repeated as they stand.
const SERIAL: usize = 64;

/// Everything a TBSCertList needs besides its number, dates and entries.
#[derive(Debug, Clone, Copy)]
pub struct TbsContext<'a> {
    /// The issuer's Name exactly as it stands in its certificate.
    pub issuer: &'a [u8],
    pub signature: SignatureAlgorithm,
    pub authority_key_id: &'a [u8],
}

/// One element of revokedCertificates (section 5.3).
pub fn entry(revoked: &Revoked) -> Result<Vec<u8>, EncodeError> {
    if revoked.serial.is_empty() || revoked.serial.len() > SERIAL {
        return Err(EncodeError::Serial { bytes: revoked.serial.len() });
    }
    let mut extensions = Vec::new();
    // Section 5.3.1: unspecified is said by saying nothing.
    if let Some(reason) = revoked.reason.filter(|reason| *reason != Reason::Unspecified) {
        extensions.push(extension(REASON_CODE, false, &tlv::write(tlv::ENUMERATED, &[reason.code()])));
    }
    if let Some(since) = revoked.invalid_since {
        extensions.push(extension(INVALIDITY_DATE, false, &generalized_time(since)?));
    }
    if !revoked.other.is_empty() {
        let whole = |other: &[u8]| tlv::elements(other).is_ok_and(|list| list.iter().all(|e| e.tag == tlv::SEQUENCE));
        if !whole(&revoked.other) {
            return Err(EncodeError::OtherExtension { bytes: revoked.other.len() });
        }
        extensions.push(revoked.other.clone());
    }
    let mut parts = vec![tlv::write(tlv::INTEGER, &revoked.serial), time(revoked.at)?];
    if !extensions.is_empty() {
        parts.push(tlv::sequence(&extensions));
    }
    Ok(tlv::sequence(&parts))
}

/// TBSCertList with these entries, which are whole elements one behind the other, in as many pieces as the caller has.
/// Without entries the list of them is absent (section 5.1.2.6).
pub fn to_be_signed(issue: &CrlIssue, entries: &[&[u8]], around: TbsContext<'_>) -> Result<Vec<u8>, EncodeError> {
    let extensions = [
        authority_key_identifier(around.authority_key_id),
        extension(CRL_NUMBER, false, &tlv::integer(issue.number.magnitude())),
    ];
    let head = tlv::concat(&[
        &tlv::integer(&[1]),
        &around.signature.to_der(),
        around.issuer,
        &time(issue.this_update)?,
        &time(issue.next_update)?,
    ]);
    let length = entries.iter().map(|piece| piece.len()).sum();
    let list = if length == 0 { Vec::new() } else { tlv::header(tlv::SEQUENCE, length) };
    let tail = tlv::write(tlv::CONTEXT_CONSTRUCTED, &tlv::sequence(&extensions));
    let content = head.len() + list.len() + length + tail.len();
    let header = tlv::header(tlv::SEQUENCE, content);
    // Room for the signature too: what is signed is not copied again.
    let mut signed = Vec::with_capacity(header.len() + content + AROUND);
    for part in [&header, &head, &list] {
        signed.extend_from_slice(part);
    }
    entries.iter().for_each(|piece| signed.extend_from_slice(piece));
    signed.extend_from_slice(&tail);
    Ok(signed)
}

/// The outer header, an AlgorithmIdentifier and the signature of an RSA key of 8192 bits.
const AROUND: usize = 2048;

/// CertificateList: the signed bytes, how they were signed, and the signature.
pub fn signed(to_be_signed: Vec<u8>, algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    let mut der = to_be_signed;
    der.extend_from_slice(&algorithm.to_der());
    der.extend_from_slice(&tlv::bit_string(signature));
    let header = tlv::header(tlv::SEQUENCE, der.len());
    der.splice(0..0, header);
    der
}

pub fn to_pem(der: &[u8]) -> String {
    pem::write_large(LABEL, der)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Number;
    use time::macros::datetime;

    fn revoked() -> Revoked {
        Revoked {
            serial: vec![0, 0x80],
            at: datetime!(2026-11-20 12:00 UTC),
            reason: None,
            invalid_since: None,
            other: vec![],
        }
    }

    #[test]
    fn entries_as_the_standard_writes_them() {
        let plain = [&[0x30, 19, 2, 2, 0, 0x80, 0x17, 13][..], b"261120120000Z"].concat();
        assert_eq!(entry(&revoked()).unwrap(), plain);
        assert_eq!(entry(&Revoked { reason: Some(Reason::Unspecified), ..revoked() }).unwrap(), plain);
        let late = Revoked { at: datetime!(2050-01-01 0:00 UTC), ..revoked() };
        assert_eq!(entry(&late).unwrap()[6..], [&[0x18, 15][..], b"20500101000000Z"].concat());
        let reason = Revoked { reason: Some(Reason::KeyCompromise), ..revoked() };
        assert_eq!(entry(&reason).unwrap()[21..], [0x30, 12, 0x30, 10, 6, 3, 0x55, 0x1d, 21, 4, 3, 10, 1, 1]);
        let since = Revoked { invalid_since: Some(datetime!(2026-11-01 0:00 UTC)), ..revoked() };
        let value = [&[0x30, 26, 0x30, 24, 6, 3, 0x55, 0x1d, 24, 4, 17, 0x18, 15][..], b"20261101000000Z"].concat();
        assert_eq!(entry(&since).unwrap()[21..], value, "GeneralizedTime in every year (section 5.3.2)");
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let none = Revoked { serial: vec![], ..revoked() };
        assert_eq!(entry(&none), Err(EncodeError::Serial { bytes: 0 }));
        for other in [vec![1], vec![5, 0], vec![0x30, 1]] {
            let bytes = other.len();
            assert_eq!(entry(&Revoked { other, ..revoked() }), Err(EncodeError::OtherExtension { bytes }));
        }
    }

    #[test]
    fn no_entries_no_list_of_them() {
        let issue = CrlIssue {
            number: Number::from(0x80),
            this_update: datetime!(2026-11-20 12:00 UTC),
            next_update: datetime!(2050-01-01 0:00 UTC),
        };
        let around = TbsContext {
            issuer: &[0x30, 0],
            signature: SignatureAlgorithm::EcdsaWithSha256,
            authority_key_id: &[7; 20],
        };
        let signed_part = to_be_signed(&issue, &[], around).unwrap();
        let parts = tlv::children(&signed_part, tlv::SEQUENCE).unwrap();
        let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
        assert_eq!(tags, [tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE, tlv::UTC_TIME, tlv::GENERALIZED_TIME, 0xa0]);
        assert!(signed_part.ends_with(&[6, 3, 0x55, 0x1d, 20, 4, 4, 2, 2, 0, 0x80]));
        let one = entry(&revoked()).unwrap();
        let pieces: [&[u8]; 3] = [&one, &[], &one];
        let signed_part = to_be_signed(&issue, &pieces, around).unwrap();
        let parts = tlv::children(&signed_part, tlv::SEQUENCE).unwrap();
        assert_eq!(parts[5].content, [one.as_slice(), &one].concat());
        let der = signed(signed_part.clone(), around.signature, &[1, 2, 3]);
        let parts = crate::encoding::certificate::signed_parts(&der).unwrap();
        assert_eq!((parts.signed, parts.signature), (signed_part.as_slice(), &[1, 2, 3][..]));
    }
}
