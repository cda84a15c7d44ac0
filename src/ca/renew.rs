//! An authority's next certificate for the same key: what the old one signed stays valid below the new one, and the reverse.

use time::OffsetDateTime;

use crate::ca::error::TbsField;
use crate::ca::{CaError, Issuer, Purpose, Signed, serial};
use crate::encoding::certificate::{self, SignatureAlgorithm, signed_parts};
use crate::x509::Certificate;

/// Renews the certificate that signs, which has to be self-signed: another serial number, these dates, and every other byte as it
/// was, the subject key identifier and extensions that kpki does not know included.
///
/// # Errors
/// It cannot be signed, or does not read back as meant; ring does not verify it by the old certificate, or the old by it.
pub fn renew(issuer: &Issuer, not_before: OffsetDateTime, not_after: OffsetDateTime) -> Result<Signed, CaError> {
    let (old, key) = (issuer.certificate(), issuer.signer());
    if not_after < not_before {
        return Err(CaError::EmptyValidity { not_before, not_after });
    }
    let parts = signed_parts(&old.der).map_err(|_| CaError::TbsContext(TbsField::Version))?;
    let (serial, algorithm) = (serial()?, SignatureAlgorithm::of(key.algorithm()));
    let to_be_signed = certificate::redated(parts.signed, &serial, algorithm, (not_before, not_after))?;
    let der = certificate::signed(&to_be_signed, algorithm, &key.sign(&to_be_signed, Purpose::Certificate)?);
    let new = Certificate::parse(&der).map_err(CaError::Reread)?;
    let fields = [
        (new.version == old.version, TbsField::Version),
        (new.serial == serial && new.serial != old.serial, TbsField::Serial),
        (new.issuer_der == old.issuer_der, TbsField::Issuer),
        ((new.not_before, new.not_after) == whole_seconds(not_before, not_after), TbsField::Dates),
        (new.spki_der == old.spki_der, TbsField::PublicKey),
        (new.subject_key_id == old.subject_key_id, TbsField::SubjectKeyId),
        (new.authority_key_id == old.authority_key_id, TbsField::AuthorityKeyId),
        (new.kept_in_renewal().is_some() && new.kept_in_renewal() == old.kept_in_renewal(), TbsField::Extensions),
    ];
    if let Some((_, what)) = fields.into_iter().find(|(agrees, _)| !agrees) {
        return Err(CaError::TbsContext(what));
    }
    new.signed_by(old).map_err(CaError::Verify)?;
    new.signed_by(&new).map_err(CaError::Verify)?;
    Ok(Signed { pem: new.to_pem(), certificate: new })
}

/// A certificate has no fractions of a second.
fn whole_seconds(from: OffsetDateTime, to: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
    let whole = |at: OffsetDateTime| at.replace_nanosecond(0).unwrap_or(at);
    (whole(from), whole(to))
}

#[cfg(test)]
#[path = "renew_tests.rs"]
mod tests;
