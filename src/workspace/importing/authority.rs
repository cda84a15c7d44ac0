//! The certificate of one of the tree's authorities: an intermediate for the key of a pending request, or, if it is
//! named, an external one's without a key.

use zeroize::Zeroizing;

use super::context::{Importing, Placed};
use crate::ca::PrivateKey;
use crate::catalog::{self, CaId};
use crate::error::Error;
use crate::plan::import::{self as plan, Refusal};
use crate::plan::renew::{self, Credential};
use crate::report::facts::facts;
use crate::report::requests::RequestEntry;
use crate::tree::{EntryId, Place};
use crate::workspace::authority_files::{self, What};
use crate::workspace::requests::{self, Files, Site};
use crate::workspace::signer_file;
use crate::x509::Certificate;
use crate::x509::ordered::end;

enum Key {
    Staged(PrivateKey, Files),
    InPlace,
    /// Elsewhere, and the authority's already. With its request, if one waits.
    Kept(Files),
    /// With the owner of the authority: an external one.
    Elsewhere,
}

impl Importing<'_> {
    /// `Err`: why it may not be put in place.
    ///
    /// # Errors
    /// A file that holds its certificate, or the key of a request, cannot be used.
    pub fn authority(&self, bundle: &[Certificate], named: Option<&str>) -> Result<Result<Placed, Refusal>, Error> {
        let now = self.session.run.now;
        let Some(certificate) = bundle.first() else { return Ok(Err(Refusal::UnnamedAuthority)) };
        let mut found = None;
        for authority in CaId::ALL.into_iter().filter(|one| named.is_none_or(|name| one.name() == name)) {
            if let Some(key) = self.staged_key(authority, certificate)? {
                found = Some((authority, key));
                break;
            }
        }
        let found = found.or_else(|| Some((CaId::parse(named?)?, Key::Elsewhere)));
        let Some((authority, key)) = found else {
            return Ok(Err(Refusal::UnnamedAuthority));
        };
        let (public, private) = self.session.tree.directories.authority(authority);
        let there = self.file(&public);
        let private_there = private.as_ref().and_then(|place| self.file(place)).is_some();
        if matches!(key, Key::Elsewhere) && private_there {
            return Ok(Err(Refusal::OtherKey(authority)));
        }
        let beside = private.as_ref().filter(|_| !matches!(key, Key::Kept(_)));
        let signed = self.issued_by(authority);
        let ask = renew::ask_authority(authority, &public, &self.snapshot.survey, self.session.profile(), now).ok();
        let objections = plan::judge_authority(bundle, ask.as_ref().map(|ask| &ask.blueprint), &signed, now);
        if !objections.is_empty() {
            return Ok(Err(Refusal::UnfitAuthority(objections)));
        }
        let pem: String = bundle.iter().map(Certificate::to_pem).collect();
        let entry = RequestEntry {
            id: EntryId::new(None, authority.name()),
            action: "import",
            algorithm: Some(certificate.key.to_string()),
            facts: Some(facts(certificate)),
            old: ask.and_then(|ask| ask.old).map(|old| facts(&old)),
            paths: self.session.tree.display_paths(std::iter::once(&public).chain(beside)),
            ..RequestEntry::default()
        };
        if there == Some(pem.as_bytes()) && !matches!(key, Key::Staged(..)) {
            return Ok(Ok(Placed { entry: RequestEntry { action: "keep", old: None, ..entry }, ..Placed::default() }));
        }
        let mut placed = Placed { entry, certificate: Some(certificate.clone()), ..Placed::default() };
        placed.before = self.snapshot.certificate(authority).cloned();
        match (key, &private) {
            (Key::Staged(key, files), Some(private)) => {
                placed.changes.push(private.change(0o600, Zeroizing::new(key.to_pem().as_bytes().to_vec()))?);
                placed.removals.extend([(files.root, files.key), (files.root, files.request)]);
            }
            (Key::Kept(files), _) => placed.removals.push((files.root, files.request)),
            _ => {}
        }
        placed.changes.push(public.change(0o644, Zeroizing::new(pem.clone().into_bytes()))?);
        // The nodes of a cluster directory trust the same authorities as the tree.
        for (_, of, copy) in self.session.copies() {
            if of == authority && copy != public && self.file(&copy).is_some() {
                placed.changes.push(copy.change(0o644, Zeroizing::new(pem.clone().into_bytes()))?);
            }
        }
        // Below the same key nothing else changes, so that nobody renews the kubeconfigs.
        if let Some(before) = placed.before.as_ref().filter(|before| before.is_same_authority(certificate)) {
            let holders = authority_files::holders(self.session, self.snapshot, authority, before)?.all;
            for one in holders.iter().filter(|one| one.what == What::Kubeconfig) {
                placed.trusting.push((one.id.clone(), one.trusting(&pem)?));
            }
        }
        if authority == CaId::Cluster {
            let places = self.signer_files(bundle.len());
            for place in &places {
                placed.changes.push(place.change(0o644, Zeroizing::new(certificate.to_pem().into_bytes()))?);
            }
            let (tree, profile) = (&self.session.tree, self.session.profile());
            placed.warnings =
                signer_file::notices(tree, profile, &self.session.signing_bases(), bundle.len(), &places)?;
        }
        Ok(Ok(placed))
    }

    /// Of authorities only: the one that a key in use, or of a request, belongs to; else the one that signed no other.
    pub(super) fn authority_at(
        &self,
        certificates: &[Certificate],
        named: Option<&str>,
    ) -> Result<Option<usize>, Error> {
        if let Some(at) = certificates.iter().position(|one| self.entry_of(one).is_some()) {
            return Ok(Some(at));
        }
        for authority in CaId::ALL.into_iter().filter(|one| named.is_none_or(|name| one.name() == name)) {
            for (at, certificate) in certificates.iter().enumerate() {
                if self.staged_key(authority, certificate)?.is_some() {
                    return Ok(Some(at));
                }
            }
        }
        Ok(end(certificates))
    }

    /// The places of ca-signer.crt: beside a ca.crt of several certificates, where it is already, or where the profile asks.
    fn signer_files(&self, certificates: usize) -> Vec<Place> {
        let directories = &self.session.tree.directories;
        let asked = self.session.profile().is_some_and(|profile| profile.signer_file);
        let places = self.session.signing_bases().into_iter().map(|base| directories.signer_file(&base));
        places.filter(|place| certificates > 1 || asked || self.file(place).is_some()).collect()
    }

    /// The key that belongs to an authority's certificate.
    fn staged_key(&self, authority: CaId, certificate: &Certificate) -> Result<Option<Key>, Error> {
        let (public, private) = self.session.tree.directories.authority(authority);
        let site = Site::Tree(self.session.tree.roots.clone());
        let files = site.files(&public, private.as_ref())?;
        if let Some(waiting) = requests::waiting(&site, &files)?
            && waiting.key.matches(certificate)
        {
            return Ok(Some(Key::Staged(waiting.key, files)));
        }
        let now = self.snapshot.certificate(authority).filter(|now| now.spki_der == certificate.spki_der);
        if now.is_some() && self.session.tree.keeps_key_elsewhere(self.snapshot, authority) {
            return Ok(Some(Key::Kept(files)));
        }
        let there = private.as_ref().and_then(|place| PrivateKey::from_pem(self.file(place)?).ok());
        Ok(there.filter(|key| key.matches(certificate)).map(|_| Key::InPlace))
    }

    /// The certificates of the entries of an authority.
    pub(super) fn issued_by(&self, authority: CaId) -> Vec<(String, Certificate)> {
        let all = self.session.credentials.iter().filter(|one| one.authority == Some(authority));
        all.filter_map(|one| self.issued(one)).collect()
    }

    /// The certificate that an entry has now.
    fn issued(&self, credential: &Credential) -> Option<(String, Certificate)> {
        // A certificate that the kubelet signed itself belongs to no authority of the tree.
        let leaf = renew::certificate_of(credential, &self.snapshot.survey).filter(|leaf| !leaf.is_self_issued())?;
        let own = credential.entry.is_some_and(|entry| matches!(entry.files, catalog::Files::KubeletPair(_)));
        (!own || credential.wanted.is_some()).then(|| (credential.id.to_string(), leaf))
    }
}
