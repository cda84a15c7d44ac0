//! A certificate (RFC 5280 section 4.1): the TBSCertificate written from a blueprint, and the outer three parts taken apart
//! again.

use time::{OffsetDateTime, UtcOffset};

use crate::blueprint::{Algorithm, Blueprint};
use crate::encoding::error::EncodeError;
use crate::encoding::tlv::{self, NotDer};
use crate::encoding::{algorithm, extension, name, pem};

/// How kpki signs: decided by the signer's key (as Go does, so kubeadm).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    Sha256WithRsa,
    EcdsaWithSha256,
    EcdsaWithSha384,
}

impl SignatureAlgorithm {
    pub const fn of(signer: Algorithm) -> Self {
        match signer {
            Algorithm::Rsa2048 | Algorithm::Rsa3072 | Algorithm::Rsa4096 => Self::Sha256WithRsa,
            Algorithm::EcdsaP256 => Self::EcdsaWithSha256,
            Algorithm::EcdsaP384 => Self::EcdsaWithSha384,
        }
    }

    /// AlgorithmIdentifier: NULL parameters for RSA (RFC 4055 section 5), none for ECDSA (RFC 5758 section 3.2).
    pub fn to_der(self) -> Vec<u8> {
        let (oid, parameters): (&[u8], &[u8]) = match self {
            Self::Sha256WithRsa => (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], &[tlv::NULL, 0]),
            Self::EcdsaWithSha256 => (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], &[]),
            Self::EcdsaWithSha384 => (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], &[]),
        };
        algorithm::write(oid, parameters)
    }
}

/// Everything a TBSCertificate needs besides its blueprint.
#[derive(Debug, Clone, Copy)]
pub struct TbsContext<'a> {
    /// Big-endian, positive.
    pub serial: &'a [u8],
    /// The issuer's Name exactly as it stands in its certificate.
    pub issuer: &'a [u8],
    /// SubjectPublicKeyInfo.
    pub public_key: &'a [u8],
    pub signature: SignatureAlgorithm,
    pub subject_key_id: &'a [u8],
    pub authority_key_id: Option<&'a [u8]>,
}

/// TBSCertificate, version 3.
pub fn to_be_signed(blueprint: &Blueprint, around: TbsContext<'_>) -> Result<Vec<u8>, EncodeError> {
    let extensions = extension::all(blueprint, around.subject_key_id, around.authority_key_id)?;
    Ok(tlv::sequence(&[
        &tlv::write(tlv::CONTEXT_CONSTRUCTED, &tlv::integer(&[2])),
        &tlv::integer(around.serial),
        &around.signature.to_der(),
        around.issuer,
        &tlv::sequence(&[time(blueprint.not_before)?, time(blueprint.not_after)?]),
        &name::write(&blueprint.subject)?,
        around.public_key,
        &tlv::write(tlv::CONTEXT_CONSTRUCTED | 3, &tlv::sequence(&extensions)),
    ]))
}

/// The TBSCertificate of an authority's next certificate for the same key: serial number, algorithm of the signature and dates are
/// new; every other byte is that of `old`, a TBSCertificate, its extensions included.
///
/// # Errors
/// `old` is no TBSCertificate, or a year cannot be written.
pub fn redated(
    old: &[u8],
    serial: &[u8],
    signature: SignatureAlgorithm,
    (not_before, not_after): (OffsetDateTime, OffsetDateTime),
) -> Result<Vec<u8>, EncodeError> {
    let fields = tlv::children(old, tlv::SEQUENCE).map_err(|NotDer| EncodeError::Tbs)?;
    let versioned = fields.first().is_some_and(|field| field.tag == tlv::CONTEXT_CONSTRUCTED);
    let (version, rest) = fields.split_at_checked(usize::from(versioned)).ok_or(EncodeError::Tbs)?;
    let [_, _, issuer, validity, kept @ ..] = rest else { return Err(EncodeError::Tbs) };
    if validity.tag != tlv::SEQUENCE || kept.len() < 2 {
        return Err(EncodeError::Tbs);
    }
    let new = [
        tlv::integer(serial),
        signature.to_der(),
        issuer.raw.to_vec(),
        tlv::sequence(&[time(not_before)?, time(not_after)?]),
    ];
    let parts = version.iter().map(|one| one.raw).chain(new.iter().map(Vec::as_slice));
    Ok(tlv::sequence(&parts.chain(kept.iter().map(|one| one.raw)).collect::<Vec<_>>()))
}

/// UTCTime through 2049, GeneralizedTime from 2050 on and before 1950, both in whole seconds UTC (RFC 5280 section
/// 4.1.2.5).
pub fn time(at: OffsetDateTime) -> Result<Vec<u8>, EncodeError> {
    let (year, rest) = written(at)?;
    match year {
        1950..=2049 => Ok(tlv::write(tlv::UTC_TIME, format!("{:02}{rest}", year.rem_euclid(100)).as_bytes())),
        _ => generalized_time(at),
    }
}

/// GeneralizedTime whatever the year, in whole seconds UTC.
pub fn generalized_time(at: OffsetDateTime) -> Result<Vec<u8>, EncodeError> {
    match written(at)? {
        (year @ 0..=9999, rest) => Ok(tlv::write(tlv::GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes())),
        _ => Err(EncodeError::Year(at)),
    }
}

/// The year, and everything behind it as both forms have it.
fn written(at: OffsetDateTime) -> Result<(i32, String), EncodeError> {
    let at = at.checked_to_offset(UtcOffset::UTC).ok_or(EncodeError::Year(at))?;
    let (month, day) = (u8::from(at.month()), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    Ok((at.year(), format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")))
}

/// Certificate or CertificationRequest: the signed bytes, how they were signed, and the signature.
pub fn signed(to_be_signed: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    tlv::sequence(&[to_be_signed, &algorithm.to_der(), &tlv::bit_string(signature)])
}

pub fn to_pem(der: &[u8]) -> String {
    pem::write_public("CERTIFICATE", der)
}

/// The three parts of something signed; a CRL and a signing request have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedParts<'a> {
    /// What the signature is over.
    pub signed: &'a [u8],
    /// AlgorithmIdentifier.
    pub algorithm: &'a [u8],
    /// The signature's octets.
    pub signature: &'a [u8],
}

/// Takes them apart; anything before, between or after them is refused.
pub fn signed_parts(der: &[u8]) -> Result<SignedParts<'_>, NotDer> {
    match tlv::children(der, tlv::SEQUENCE)?.as_slice() {
        [signed, algorithm, signature] if signed.tag == tlv::SEQUENCE && algorithm.tag == tlv::SEQUENCE => {
            Ok(SignedParts { signed: signed.raw, algorithm: algorithm.raw, signature: tlv::octets(*signature)? })
        }
        _ => Err(NotDer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_change_form_in_2050() {
        for (at, tag, text) in [
            (datetime!(2049-12-31 23:59:59 UTC), tlv::UTC_TIME, "491231235959Z"),
            (datetime!(2050-01-01 00:00:00 UTC), tlv::GENERALIZED_TIME, "20500101000000Z"),
            (datetime!(2050-01-01 00:30:00 +1), tlv::UTC_TIME, "491231233000Z"),
            (datetime!(2000-02-29 00:00:00.9 UTC), tlv::UTC_TIME, "000229000000Z"),
            (datetime!(1950-01-01 00:00:00 UTC), tlv::UTC_TIME, "500101000000Z"),
            (datetime!(1949-12-31 00:00:00 UTC), tlv::GENERALIZED_TIME, "19491231000000Z"),
            (datetime!(9999-12-31 23:59:59 UTC), tlv::GENERALIZED_TIME, "99991231235959Z"),
        ] {
            assert_eq!(time(at), Ok(tlv::write(tag, text.as_bytes())), "{at}");
        }
        let before = datetime!(-0001-01-01 00:00:00 UTC);
        assert_eq!(generalized_time(before), Err(EncodeError::Year(before)));
        assert_eq!(time(before), Err(EncodeError::Year(before)));
    }

    #[test]
    fn more_than_the_three_parts_is_refused() {
        let der = signed(&[0x30, 0], SignatureAlgorithm::EcdsaWithSha256, &[1, 2, 3]);
        assert_eq!(signed_parts(&der).unwrap().signature, [1, 2, 3]);
        assert_eq!(signed_parts(&[der.as_slice(), &[0]].concat()), Err(NotDer));
        let four = tlv::sequence(&[&[0x30, 0][..], &[0x30, 0], &[3, 1, 0], &[5, 0]]);
        assert_eq!(signed_parts(&four), Err(NotDer));
    }
}
