//! The CRLs of a check, each held against who signed it, once for all certificates.

use std::cell::OnceCell;

use super::known::Known;
use crate::x509::path::{Path, Revocation, validate};
use crate::x509::revocation::{CrlIssuer, Vetted, may_speak_of, states_crl_sign, vet};
use crate::x509::verify::Algorithms;
use crate::x509::{Certificate, CrlLookup, same_name};

/// Each with its DER.
pub type Read<'r> = [(&'r [u8], CrlLookup<'r>)];

/// A CRL with the certificate that signed it, or, where none did, one of its issuer's name, which says why.
pub struct List<'r> {
    pub read: &'r CrlLookup<'r>,
    signer: Option<&'r Certificate>,
    pub vetted: Option<Vetted<'r>>,
    /// The anchor up to which the signer is valid and not revoked; asked for where it is not the certificate's issuer.
    anchor: OnceCell<Option<&'r Certificate>>,
}

impl<'r> List<'r> {
    pub fn new((der, read): &'r (&'r [u8], CrlLookup<'r>), known: &'r Known) -> Self {
        let of_name = |one: &&Certificate| same_name(&one.subject, &read.crl.issuer);
        let by = known.all().filter(of_name);
        let (strictness, algorithms) = (known.strictness, Algorithms::Rfc5280);
        let signed = |one: &&Certificate| read.crl.signed_with(der, &known.whole(one), algorithms).is_ok();
        let signer = by.clone().find(signed).or_else(|| by.clone().next());
        let vetted = signer.map(|issuer| {
            let issuer = &known.whole(issuer);
            vet(read, der, CrlIssuer { issuer, delegates: &[], strictness, algorithms }, known.at)
        });
        Self { read, signer, vetted, anchor: OnceCell::new() }
    }

    /// Whether it is believed about the certificate: the issuer signed it, or whom the standard lets sign for it (RFC 5280 sections
    /// 5 and 6.3.3 (f)).
    pub fn is_about(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        path: Option<&Path<'_>>,
        (known, all): (&'r Known, &'r Read<'r>),
    ) -> bool {
        let Some(signer) = self.signer else { return false };
        if signer.spki_der == issuer.spki_der && same_name(&signer.subject, &issuer.subject) {
            return true;
        }
        let anchor = path.and_then(|path| path.certificates.first());
        states_crl_sign(signer)
            && may_speak_of(certificate, &self.read.crl)
            && anchor.is_some_and(|anchor| self.anchor(signer, known, all).is_some_and(|own| own.der == anchor.der))
    }

    fn anchor(&self, signer: &'r Certificate, known: &'r Known, all: &'r Read<'r>) -> Option<&'r Certificate> {
        *self.anchor.get_or_init(|| {
            let revocation = Some(Revocation { crls: all, strictness: known.strictness });
            let path = validate(signer, known.input(revocation)).ok();
            let is_anchor = || known.anchors.iter().any(|anchor| anchor.der == signer.der).then_some(signer);
            path.and_then(|path| path.certificates.first().copied()).or_else(is_anchor)
        })
    }
}
