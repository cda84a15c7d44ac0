//! One file's certificates in order: the one that a key belongs to, then those above it.

use super::context::Importing;
use crate::error::Error;
use crate::plan::import::Refusal;
use crate::tree::EntryId;
use crate::x509::ordered::distinct;
use crate::x509::{Certificate, Ordered, crls_beside, parse_bundle};

/// A certificate, and what belongs behind it in its file.
pub struct Arranged {
    pub leaf: Certificate,
    pub rest: Vec<Certificate>,
    /// What was changed.
    pub said: Vec<String>,
}

impl Importing<'_> {
    /// `Err`: no key can belong to it. `named`: the entry that it is said to be for.
    ///
    /// # Errors
    /// The key of a request that waits cannot be used.
    pub fn arranged(&self, bytes: &[u8], named: Option<&str>) -> Result<Result<Arranged, Refusal>, Error> {
        let certificates = match parse_bundle(bytes) {
            Ok(certificates) => certificates,
            Err(why) => return Ok(Err(Refusal::Bundle(why))),
        };
        let (certificates, dropped) = distinct(certificates);
        let before = certificates.clone();
        let leaves: Vec<&Certificate> = certificates.iter().filter(|one| !one.is_ca).collect();
        let at = match leaves.as_slice() {
            [] => self.authority_at(&certificates, named)?,
            [only] => certificates.iter().position(|one| one == *only),
            several => {
                let several = several.iter().map(|one| (one.subject.clone(), self.entry_of(one)));
                return Ok(Err(Refusal::Several(several.collect())));
            }
        };
        let Some(mut ordered) = Ordered::from(certificates, at.unwrap_or_default()) else {
            return Ok(Err(Refusal::UnfitAuthority(Vec::new())));
        };
        let strangers = if ordered.leaf.is_ca { Vec::new() } else { ordered.take_strangers() };
        let rest = ordered.rest();
        let mut said = match dropped {
            0 => Vec::new(),
            1 => vec!["a certificate stands in it twice: kept once".to_owned()],
            more => vec![format!("{more} duplicates are left out")],
        };
        match crls_beside(bytes) {
            0 => {}
            1 => said.push("its CRL is left out".to_owned()),
            more => said.push(format!("its {more} CRLs are left out")),
        }
        said.extend(strangers.iter().map(|one| format!("{} is left out: it signed none of the others", one.subject)));
        let in_order: Vec<&Certificate> = [&ordered.leaf].into_iter().chain(&rest).collect();
        if !before.iter().filter(|one| !strangers.contains(one)).eq(in_order.iter().copied()) {
            let names: Vec<String> = in_order.iter().map(|one| one.subject.to_string()).collect();
            said.push(format!("its certificates are put in order: {}", names.join("; ")));
        }
        Ok(Ok(Arranged { leaf: ordered.leaf, rest, said }))
    }

    /// The entry whose key it is for.
    pub(super) fn entry_of(&self, certificate: &Certificate) -> Option<EntryId> {
        let candidate = self.candidates.iter().find(|one| one.key.matches(certificate))?;
        Some(self.session.credentials.get(candidate.index)?.id.clone())
    }
}
