//! From a blueprint to a certificate.

use time::OffsetDateTime;

use crate::blueprint::{Blueprint, ExtendedKeyUsage, Role, San};
use crate::ca::error::TbsField;
use crate::ca::{CaError, Issuer, Purpose, Signer, serial};
use crate::encoding::certificate::{self, SignatureAlgorithm, TbsContext};
use crate::encoding::name;
use crate::x509::{Certificate, KeyKind, Usage, compare, key_identifier, key_kind, path, valid_for_name, verify_for};

/// A certificate that was read again, agrees with its blueprint, and verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub certificate: Certificate,
    pub pem: String,
}

/// A certificate signed by its own key: an authority.
pub fn self_sign(blueprint: &Blueprint, key: &dyn Signer) -> Result<Signed, CaError> {
    let spki = key.spki_der();
    let issuer = name::write(&blueprint.subject)?;
    let signed = sign(blueprint, &spki, &issuer, None, key)?;
    signed.certificate.signed_by(&signed.certificate).map_err(CaError::Verify)?;
    Ok(signed)
}

/// A certificate for this public key, signed by an authority.
pub fn issue(blueprint: &Blueprint, spki_der: &[u8], issuer: &Issuer) -> Result<Signed, CaError> {
    let signed = sign_by(blueprint, spki_der, issuer)?;
    signed.certificate.signed_by(issuer.certificate()).map_err(CaError::Verify)?;
    above(&signed.certificate, issuer)?;
    Ok(signed)
}

/// Nothing that stands above the issuer in its file forbids the certificate.
fn above(certificate: &Certificate, issuer: &Issuer) -> Result<(), CaError> {
    if issuer.chain().is_empty() {
        return Ok(());
    }
    let bundle: Vec<Certificate> = std::iter::once(issuer.certificate()).chain(issuer.chain()).cloned().collect();
    path::restricted(certificate, &[], issuer.certificate(), &bundle, certificate.not_before).map_err(CaError::Above)
}

/// The same, held against what a TLS peer with rustls-webpki would decide at this instant: chain, usages, and every name
/// it is to be valid for.
pub fn issue_for_peers(
    blueprint: &Blueprint,
    spki_der: &[u8],
    issuer: &Issuer,
    at: OffsetDateTime,
) -> Result<Signed, CaError> {
    issue_for_peers_by(blueprint, spki_der, issuer, at, &blueprint.sans)
}

/// The same, with these of its names only.
pub fn issue_for_peers_by(
    blueprint: &Blueprint,
    spki_der: &[u8],
    issuer: &Issuer,
    at: OffsetDateTime,
    names: &[San],
) -> Result<Signed, CaError> {
    let signed = sign_by(blueprint, spki_der, issuer)?;
    let leaf = &signed.certificate;
    let mut verified = false;
    for (wanted, usage) in
        [(ExtendedKeyUsage::ServerAuth, Usage::Server), (ExtendedKeyUsage::ClientAuth, Usage::Client)]
    {
        if leaf.extended_key_usages.contains(&wanted) {
            verify_for(leaf, &[], issuer.certificate(), usage, at).map_err(CaError::Peer)?;
            verified = true;
        }
    }
    // The peer's decision contains the signature, checked by the same library: once is enough.
    if !verified {
        leaf.signed_by(issuer.certificate()).map_err(CaError::Verify)?;
    }
    for san in names {
        let dialled = match san {
            // Nobody dials a wildcard, but a name below it.
            San::Dns(name) => San::Dns(name.replacen('*', "any", 1)),
            San::Ip(address) => San::Ip(*address),
            San::Email(_) | San::Uri(_) | San::Other(_) => continue,
        };
        valid_for_name(leaf, &dialled).map_err(CaError::Peer)?;
    }
    above(leaf, issuer)?;
    Ok(signed)
}

/// Signed and read again; the signature is for the caller to verify.
fn sign_by(blueprint: &Blueprint, spki_der: &[u8], issuer: &Issuer) -> Result<Signed, CaError> {
    let authority = issuer.certificate();
    if blueprint.not_after > authority.not_after {
        return Err(CaError::Outlives { not_after: blueprint.not_after, issuer_not_after: authority.not_after });
    }
    if let (Role::Authority { path_len }, Some(limit)) = (blueprint.role, authority.path_len)
        && (limit == 0 || path_len.is_some_and(|length| u32::from(length) >= limit))
    {
        return Err(CaError::PathLength { issuer: limit });
    }
    sign(blueprint, spki_der, &authority.subject_der, authority.subject_key_id.as_deref(), issuer.signer())
}

fn sign(
    blueprint: &Blueprint,
    spki_der: &[u8],
    issuer: &[u8],
    authority_key_id: Option<&[u8]>,
    signer: &dyn Signer,
) -> Result<Signed, CaError> {
    if blueprint.not_after < blueprint.not_before {
        let Blueprint { not_before, not_after, .. } = *blueprint;
        return Err(CaError::EmptyValidity { not_before, not_after });
    }
    if blueprint.role != Role::EndEntity && blueprint.subject.0.is_empty() {
        return Err(CaError::NamelessAuthority);
    }
    match key_kind(spki_der).map_err(|_| CaError::BrokenPublicKey)? {
        KeyKind::Known(_) => {}
        other @ KeyKind::Other(_) => return Err(CaError::PublicKey(other)),
    }
    let around = TbsContext {
        serial: &serial()?,
        issuer,
        public_key: spki_der,
        signature: SignatureAlgorithm::of(signer.algorithm()),
        subject_key_id: &key_identifier(spki_der).map_err(|_| CaError::BrokenPublicKey)?,
        authority_key_id,
    };
    let to_be_signed = certificate::to_be_signed(blueprint, around)?;
    let signature = signer.sign(&to_be_signed, Purpose::Certificate)?;
    let der = certificate::signed(&to_be_signed, around.signature, &signature);
    let certificate = Certificate::parse(&der).map_err(CaError::Reread)?;
    check(&certificate, blueprint, around)?;
    Ok(Signed { pem: certificate.to_pem(), certificate })
}

/// Everything read back is what was meant.
fn check(certificate: &Certificate, blueprint: &Blueprint, around: TbsContext<'_>) -> Result<(), CaError> {
    let mismatches = compare(certificate, blueprint);
    if !mismatches.is_empty() {
        return Err(CaError::Differs(mismatches));
    }
    let fields = [
        (certificate.version == 3, TbsField::Version),
        (certificate.serial == around.serial, TbsField::Serial),
        (certificate.issuer_der == around.issuer, TbsField::Issuer),
        (certificate.spki_der == around.public_key, TbsField::PublicKey),
        (certificate.subject_key_id.as_deref() == Some(around.subject_key_id), TbsField::SubjectKeyId),
        (certificate.authority_key_id.as_deref() == around.authority_key_id, TbsField::AuthorityKeyId),
    ];
    match fields.into_iter().find(|(agrees, _)| !agrees) {
        Some((_, what)) => Err(CaError::TbsContext(what)),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
