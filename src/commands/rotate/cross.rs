//! `switch --cross-sign`: the new authority's key, certified by the old one, stands behind serving certificates. Who trusts the old
//! authority alone accepts them, until that one ends or is retired.

use zeroize::Zeroizing;

use crate::blueprint::{BACK_DATE, Blueprint, KeyUsage, Role};
use crate::ca;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::store::FileChange;
use crate::tree::rotation::Rotating;
use crate::tree::{Former, Survey, file};
use crate::workspace::{Locked, Session};
use crate::x509::{Certificate, key_identifier, parse_pem_bundle};
use time::OffsetDateTime;

/// Whose clients are most, and not all in reach.
const BEHIND: [&str; 2] = ["apiserver", "etcd-server"];

/// One new authority that the old one certifies.
#[derive(Debug)]
pub(super) struct Cross {
    authority: CaId,
    old: Former,
    new: Certificate,
}

impl Cross {
    /// # Errors
    /// The old authority may not have another below it, or verifiers would not find the way.
    ///
    /// `key`: the old one's in PEM; `None`: it is where the profile names it.
    pub(super) fn of(
        authority: CaId,
        (old, new): (&[Certificate], &[Certificate]),
        key: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let name = authority.name();
        let refused = |why: &str| {
            Error::new(format!("{name}: the old authority cannot certify the new one: nothing was written"))
                .because(why)
                .hint("switch without --cross-sign, when everybody trusts both")
        };
        let (Some(old), Some(new)) = (old.first(), new.first()) else {
            return Err(refused("one of them has no certificate"));
        };
        if old.path_len == Some(0) {
            return Err(refused("its path length is 0: no authority may follow below it"));
        }
        if key_identifier(&new.spki_der).ok().as_ref().map(<[u8; 20]>::as_slice) != new.subject_key_id.as_deref() {
            return Err(refused(
                "the new one's subject key identifier is not the usual digest of its key: the way through another \
                 certificate of the key would not be found",
            ));
        }
        let pem = key.map(|key| Zeroizing::new(key.to_vec()));
        Ok(Self { authority, old: Former { certificate: old.clone(), pem }, new: new.clone() })
    }

    fn sign(&self, locked: &Locked<'_>, now: OffsetDateTime) -> Result<Certificate, Error> {
        let old = &self.old.certificate;
        let issuers = locked.former(self.authority, &self.old);
        let missing = || Error::new(format!("the key of the old {} does not belong to it", self.authority.name()));
        let issuer = issuers.of(self.authority, old).ok_or_else(missing)?;
        let blueprint = Blueprint {
            subject: self.new.subject.clone(),
            not_before: now.saturating_sub(BACK_DATE).max(old.not_before),
            not_after: self.new.not_after.min(old.not_after),
            role: Role::Authority { path_len: Some(0) },
            key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN),
            extended_key_usages: Vec::new(),
            sans: Vec::new(),
            permitted: Vec::new(),
        };
        Ok(ca::issue(&blueprint, &self.new.spki_der, issuer)?.certificate)
    }
}

/// The certificates, each for the entries it goes behind.
pub(super) fn certificates(
    all: &[Cross],
    locked: &Locked<'_>,
    now: OffsetDateTime,
) -> Result<Vec<(CaId, Certificate)>, Error> {
    all.iter().map(|one| Ok((one.authority, one.sign(locked, now)?))).collect()
}

/// Whether it goes behind the certificate of this entry.
pub(super) fn goes_behind(entry: &str) -> bool {
    BEHIND.contains(&entry)
}

/// Files without the certificates by which an authority that is retired certified another one.
pub(super) fn removed(
    (session, survey): (&Session<'_>, &Survey),
    rotating: Rotating,
    old: &[Certificate],
) -> Result<Vec<FileChange>, Error> {
    let Some(old) = old.first() else { return Ok(Vec::new()) };
    let mut changes = Vec::new();
    let of_it = |one: &&crate::plan::renew::Credential| {
        one.authority.is_some_and(|authority| Rotating::Authority(authority) == rotating) && !one.is_kubeconfig()
    };
    for credential in session.credentials.iter().filter(of_it) {
        let bytes = file(survey, Some(&credential.public)).unwrap_or_default();
        let Ok(bundle) = parse_pem_bundle(bytes) else { continue };
        let is_by_old = |one: &Certificate| one.is_ca && !one.is_self_issued() && one.signed_by(old).is_ok();
        let mut all = bundle.iter();
        let leaf = all.next().into_iter();
        let kept: Vec<&Certificate> = leaf.chain(all.filter(|one| !is_by_old(one))).collect();
        if kept.len() < bundle.len() {
            let pem: String = kept.into_iter().map(Certificate::to_pem).collect();
            let (root, path) = (credential.public.root_id(), RelPath::parse(credential.public.path.as_str())?);
            changes.push(FileChange {
                root,
                path,
                mode: 0o644,
                bytes: Zeroizing::new(pem.into_bytes()),
                replace: true,
            });
        }
    }
    Ok(changes)
}
