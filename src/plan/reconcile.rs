//! The plan compared with the existing files: what stays, what is made, what contradicts. Pure: bytes in,
//! decisions out; nothing is written and no key is generated here.

use time::OffsetDateTime;

use crate::blueprint::Algorithm;
use crate::ca::{Issuer, PrivateKey};
use crate::catalog::CaId;
use crate::encoding::pem;
use crate::encoding::shown::named;
use crate::kubeconfig::{self, Credentials};
use crate::plan::blueprints::{self, Bounds};
use crate::plan::decision::{Decision, Difference, Making, Notice, Reconciled, Refusal, Signer, Unreadable};
use crate::plan::import::is_of_its_signer;
use crate::plan::item::{Access, Item, What};
use crate::plan::outside::Outside;
use crate::plan::renew::for_key;
use crate::plan::signer_file::is_the_signer;
use crate::plan::{guard, kept};
use crate::profile::Profile;
use crate::tree::layout::Place;
use crate::tree::{Authorities, Authority, Survey, Unusable, file};
use crate::x509::{BundleError, Certificate, KeyKind, Mismatch, compare, parse_authority, parse_pem_bundle, path};

/// Decides every item. `force`: replace what does not fit, except authorities and sa.key.
pub fn reconcile(
    profile: &Profile,
    items: &[Item],
    survey: &Survey,
    authorities: &Authorities,
    now: OffsetDateTime,
    force: bool,
) -> Reconciled {
    let mut run = Run { profile, items, survey, authorities, now, force, out: Reconciled::default() };
    for item in items {
        let decision = run.decide(item);
        run.out.decisions.push(decision);
    }
    guard::guard(profile, items, survey, &mut run.out);
    run.closed();
    run.out
}

struct Run<'a> {
    profile: &'a Profile,
    items: &'a [Item],
    survey: &'a Survey,
    authorities: &'a Authorities,
    now: OffsetDateTime,
    force: bool,
    out: Reconciled,
}

impl Run<'_> {
    fn decide(&mut self, item: &Item) -> Decision {
        match &item.what {
            What::Authority(authority) => self.authority(item, *authority),
            What::ServiceAccount(algorithm) => self.service_account(item, *algorithm),
            What::Leaf(_) | What::Extra(_) => self.leaf(item),
            What::Kubeconfig(_, access) => self.kubeconfig(item, access),
            What::SignerFile { of } => self.signer_file(item, *of),
            What::Copy { of } => self.copy(item, *of),
        }
    }

    fn file(&self, place: Option<&Place>) -> Option<&[u8]> {
        file(self.survey, place)
    }

    fn authority(&mut self, item: &Item, id: CaId) -> Decision {
        let key = self.file(item.private.as_ref()).is_some();
        let refusal = match self.authorities.get(&id) {
            Some(Authority::Missing) | None if !key => {
                let (algorithm, blueprint) = blueprints::authority(self.profile, id, self.now);
                let bounds = Bounds { not_before: blueprint.not_before, not_after: blueprint.not_after };
                self.out.signers.insert(id, Signer::New(bounds));
                return Decision::Make(Making::Authority(algorithm, blueprint));
            }
            Some(Authority::Missing) | None => {
                let key = item.private.clone().unwrap_or_else(|| item.public.clone());
                Refusal::AuthorityCertificateMissing { item: item.id.to_string(), key }
            }
            Some(authority) => match existing_authority(item, authority, self.now) {
                Ok(signer) => {
                    if let Signer::InTree { bundle, is_local: true } = &signer {
                        let first = bundle.first();
                        let said = first.map(|first| kept::notices(self.profile, item, first, None));
                        self.out.notices.extend(said.into_iter().flatten());
                    }
                    self.out.signers.insert(id, signer);
                    return Decision::Keep;
                }
                Err(refusal) => refusal,
            },
        };
        self.out.refusals.push(refusal);
        Decision::Keep
    }

    fn service_account(&mut self, item: &Item, algorithm: Algorithm) -> Decision {
        let (public, private) = (self.file(Some(&item.public)), self.file(item.private.as_ref()));
        let Some(private) = private else {
            if public.is_none() {
                return Decision::Make(Making::KeyPair(algorithm));
            }
            self.out.refusals.push(Refusal::ServiceAccountKeyMissing);
            return Decision::Keep;
        };
        let half = match PrivateKey::from_pem(private) {
            Ok(key) => key.public_pem(),
            Err(why) => {
                self.out.refusals.push(Refusal::ServiceAccountKeyUnreadable(why));
                return Decision::Keep;
            }
        };
        match public {
            None => Decision::Make(Making::PublicHalf(half)),
            // Several public keys may be trusted while the key pair is being rotated: one of them must be ours.
            Some(public) if pem::contains(public, &half) && !pem::holds_private_key(public) => Decision::Keep,
            Some(_) => self.differs(Some(Making::PublicHalf(half)), vec![Difference::NotThePublicHalf]),
        }
    }

    fn leaf(&mut self, item: &Item) -> Decision {
        let Some(making) = self.making(item) else { return Decision::Keep };
        let (certificate, key) = (self.file(Some(&item.public)), self.file(item.private.as_ref()));
        let differences = match (certificate, key) {
            (None, None) => return self.make(item, making),
            (None, Some(_)) => vec![Difference::CertificateMissing],
            (Some(certificate), key) => {
                let (differences, notices) = self.pair(item, &making, certificate, key);
                self.out.notices.extend(notices);
                differences
            }
        };
        if differences.is_empty() {
            return Decision::Keep;
        }
        self.replace(item, making, differences)
    }

    fn kubeconfig(&mut self, item: &Item, access: &Access) -> Decision {
        let Some(making) = self.making(item) else { return Decision::Keep };
        let Some(file) = self.file(Some(&item.public)) else {
            return self.make(item, making);
        };
        let read = match kubeconfig::read(file) {
            Ok(read) => read,
            Err(why) => return self.replace(item, making, vec![Difference::Unreadable(why.into())]),
        };
        let mut notices = Vec::new();
        let mut differences = Vec::new();
        for (what, found, wanted) in [
            ("cluster", &read.cluster, &access.cluster),
            ("user", &read.user, &access.user),
            ("server", &read.server, &access.server),
        ] {
            match found == wanted {
                true => {}
                // kubeadm keeps a kubeconfig with another server, with a warning; so do we, without --force.
                false if what == "server" && !self.force => {
                    let (found, wanted) = (named(found), wanted.clone());
                    notices.push(Notice::OtherServer { item: item.id.to_string(), found, wanted });
                }
                false => {
                    differences.push(Difference::OtherAccess(format!("its {what} is {}, not {wanted}", named(found))))
                }
            }
        }
        match &read.credentials {
            Credentials::Files { .. } if item.id.name == "kubelet.conf" => {
                // The file was the kubelet's from its first rotation on, names and all.
                differences.clear();
                notices.push(Notice::KubeletRotates { item: item.id.to_string() });
            }
            Credentials::Files { certificate, .. } => {
                differences.push(Difference::Unreadable(Unreadable::NotEmbedded(certificate.clone())));
            }
            Credentials::Embedded { certificate, key } => {
                let (found, more) = self.pair(item, &making, certificate, Some(key));
                differences.extend(found);
                notices.extend(more);
            }
        }
        if !self.same_authority(item, &read.authority) {
            differences.insert(0, Difference::WrongAuthorityData);
        }
        self.out.notices.extend(notices);
        if differences.is_empty() { Decision::Keep } else { self.replace(item, making, differences) }
    }

    /// kubeadm compares the first certificate only, so that a bundle does not look like another CA.
    fn same_authority(&self, item: &Item, data: &[u8]) -> bool {
        let Some(signer) = item.signer().and_then(|authority| self.out.signers.get(&authority)) else { return false };
        // With a private key in it, it is none to be kept.
        let found = parse_authority(data).unwrap_or_default();
        match (found.first(), signer.certificate()) {
            (Some(found), Some(wanted)) => found.der == wanted.der,
            _ => false,
        }
    }

    /// A certificate and its key against the blueprint and the signer.
    fn pair(
        &self,
        item: &Item,
        making: &Making,
        certificate: &[u8],
        key: Option<&[u8]>,
    ) -> (Vec<Difference>, Vec<Notice>) {
        let Making::Certificate(algorithm, blueprint) = making else { return (Vec::new(), Vec::new()) };
        let bundle = match parse_pem_bundle(certificate) {
            Ok(bundle) => bundle,
            Err(why) => return (vec![Difference::Unreadable(why.into())], Vec::new()),
        };
        let Some((leaf, intermediates)) = bundle.split_first() else {
            return (vec![Difference::CertificateMissing], Vec::new());
        };
        // The path of one that no authority of the tree signs is import's question, which has the roots.
        let signature = item.signer().and_then(|authority| self.signature(leaf, intermediates, authority));
        let is_external = item.signer().is_none();
        let mut differences: Vec<Difference> = signature.into_iter().collect();
        differences.extend(dates(leaf, self.now));
        let (mut missing, mut surplus) = (Vec::new(), Vec::new());
        // What a key of its kind may be used for, whichever kind a new one would be.
        let blueprint = match leaf.key {
            KeyKind::Known(kind) => &for_key(blueprint.clone(), *algorithm, kind),
            KeyKind::Other(_) => blueprint,
        };
        for mismatch in compare(leaf, blueprint) {
            match mismatch {
                Mismatch::MissingSan(san) => missing.push(san),
                // A certificate with more names or other dates still works.
                Mismatch::SurplusSan(san) => surplus.push(san.to_string()),
                Mismatch::SurplusExtendedKeyUsage(usage) => surplus.push(usage.name().to_owned()),
                Mismatch::Subject { wanted, found } if wanted.says_the_same(&found) => {}
                Mismatch::Order(_) | Mismatch::NotBefore { .. } | Mismatch::NotAfter { .. } => {}
                Mismatch::KeyUsage { found: Some(found), wanted } if found.contains(wanted) => {}
                other if is_external && is_of_its_signer(&other) => {}
                other => differences.push(Difference::Certificate(other)),
            }
        }
        if !missing.is_empty() {
            differences.push(Difference::MissingNames(missing));
        }
        match key.map(PrivateKey::from_pem) {
            None => differences.push(Difference::KeyMissing),
            Some(Err(why)) => differences.push(Difference::KeyUnreadable(why)),
            Some(Ok(key)) if !key.matches(leaf) => differences.push(Difference::KeyMismatch),
            Some(Ok(_)) => {}
        }
        let mut notices = Vec::new();
        if !surplus.is_empty() {
            notices.push(Notice::Surplus { item: item.id.to_string(), what: surplus });
        }
        let signer = item.signer().and_then(|authority| self.out.signers.get(&authority)).and_then(Signer::certificate);
        if signer.is_some() {
            notices.extend(kept::notices(self.profile, item, leaf, signer));
        }
        (differences, notices)
    }

    /// Signed by this tree's CA, directly or through intermediates in the leaf's own file (as kubeadm accepts).
    fn signature(&self, leaf: &Certificate, intermediates: &[Certificate], authority: CaId) -> Option<Difference> {
        let signer = self.out.signers.get(&authority).and_then(Signer::certificate);
        let judged = path::judge(leaf, intermediates, signer.map(std::slice::from_ref).unwrap_or_default(), self.now);
        let bundle = self.authorities.get(&authority).map(Authority::bundle).unwrap_or_default();
        let above = |signer| path::restricted(leaf, intermediates, signer, bundle, self.now);
        let judged = judged.and_then(|_| signer.map_or(Ok(()), above));
        judged.err().map(|why| Difference::Path(authority, why))
    }

    fn copy(&mut self, item: &Item, of: usize) -> Decision {
        let Some(shared) = self.items.get(of) else { return Decision::Keep };
        let new = !matches!(self.out.decisions.get(of), Some(Decision::Keep));
        let mut wanted = (false, false);
        let mut differs = false;
        let mut state = |own: Option<&Place>, source: Option<&Place>| {
            let (Some(own), Some(source)) = (own, source) else { return false };
            match (self.file(Some(own)), self.file(Some(source))) {
                // An external CA has no key to copy.
                (None, None) => new,
                (None, Some(_)) => true,
                (Some(own), Some(source)) if own == source => false,
                (Some(_), _) => {
                    differs = true;
                    true
                }
            }
        };
        wanted.0 = state(Some(&item.public), Some(&shared.public));
        wanted.1 = state(item.private.as_ref(), shared.private.as_ref());
        let making = Making::Copy { of, public: wanted.0, private: wanted.1 };
        match (wanted, differs) {
            ((false, false), _) => Decision::Keep,
            (_, false) => Decision::Make(making),
            (_, true) => self.differs(Some(making), vec![Difference::NotTheSharedFile]),
        }
    }

    /// What is there must be the one certificate that signs.
    fn signer_file(&mut self, item: &Item, of: usize) -> Decision {
        let making = Making::SignerFile { of };
        let Some(file) = self.file(Some(&item.public)) else { return Decision::Make(making) };
        let signer = self.out.signers.get(&CaId::Cluster).and_then(Signer::certificate);
        match signer {
            Some(signer) if is_the_signer(file, signer) => Decision::Keep,
            _ => self.differs(Some(making), vec![Difference::NotTheSigner]),
        }
    }

    /// The blueprint of a leaf, within its signer's dates; `None`: the signer could not be read and is refused already.
    fn making(&mut self, item: &Item) -> Option<Making> {
        let bounds = match item.signer() {
            Some(authority) => self.out.signers.get(&authority)?.bounds()?,
            // An external one's dates are its own.
            None => Bounds::of_request(self.now),
        };
        let signed = blueprints::signed(self.profile, &item.what, item.home.as_deref(), self.now, bounds);
        signed.map(|(algorithm, blueprint)| Making::Certificate(algorithm, blueprint))
    }

    fn make(&mut self, item: &Item, making: Making) -> Decision {
        match self.no_key(item) {
            Some(outside) => Decision::NoKey(outside, making),
            None => {
                self.notice_shortened(item, &making);
                Decision::Make(making)
            }
        }
    }

    fn replace(&mut self, item: &Item, making: Making, differences: Vec<Difference>) -> Decision {
        if let Some(outside) = self.no_key(item) {
            return Decision::Conflict(differences, Some(outside));
        }
        if self.force {
            self.notice_shortened(item, &making);
        }
        self.differs(Some(making), differences)
    }

    fn differs(&self, making: Option<Making>, differences: Vec<Difference>) -> Decision {
        match making {
            Some(making) if self.force => Decision::Replace(making, differences),
            _ => Decision::Conflict(differences, None),
        }
    }

    fn no_key(&self, item: &Item) -> Option<Outside> {
        let Some(authority) = item.signer() else { return Some(Outside::Authority) };
        if matches!(self.authorities.get(&authority), Some(Authority::Closed(..))) {
            return Some(Outside::Closed(authority));
        }
        let is_external = matches!(self.out.signers.get(&authority), Some(Signer::InTree { is_local: false, .. }));
        is_external.then_some(Outside::Key(authority))
    }

    /// Says once for each authority whose key could not be opened what is left because of it.
    fn closed(&mut self) {
        for (authority, held) in self.authorities {
            let Authority::Closed(_, why) = held else { continue };
            let is_left = |decision: &Decision| match decision {
                Decision::NoKey(Outside::Closed(of), _) | Decision::Conflict(_, Some(Outside::Closed(of))) => {
                    of == authority
                }
                _ => false,
            };
            let left = self.items.iter().zip(&self.out.decisions).filter(|(_, decision)| is_left(decision));
            let items = left.map(|(item, _)| item.id.to_string()).collect();
            self.out.notices.push(Notice::Closed { why: why.clone(), items });
        }
    }

    fn notice_shortened(&mut self, item: &Item, making: &Making) {
        let Making::Certificate(_, blueprint) = making else { return };
        let wanted = self.now + blueprints::validity(self.profile, &item.what).duration();
        if blueprint.not_after < wanted {
            self.out.notices.push(Notice::Shortened {
                item: item.id.to_string(),
                wanted,
                not_after: blueprint.not_after,
            });
        }
    }
}

fn existing_authority(item: &Item, authority: &Authority, now: OffsetDateTime) -> Result<Signer, Refusal> {
    let (item, file) = (item.id.to_string(), &item.public);
    match authority {
        Authority::Unusable(Unusable::Bundle(BundleError::PrivateKey)) => {
            Err(Refusal::AuthorityWithKey { item, file: file.clone() })
        }
        Authority::Unusable(Unusable::Bundle(why)) => Err(Refusal::AuthorityUnreadable { item, why: why.clone() }),
        Authority::Unusable(Unusable::Ca(why)) => Err(Refusal::AuthorityUnusable { item, why: why.clone() }),
        Authority::Local(bundle) | Authority::External(bundle) | Authority::Closed(bundle, _) => {
            if let Some(first) = bundle.first() {
                match dates(first, now) {
                    Some(Difference::Expired(not_after)) => return Err(Refusal::AuthorityExpired { item, not_after }),
                    Some(_) => {
                        return Err(Refusal::AuthorityNotYetValid { item, not_before: first.not_before });
                    }
                    None => {}
                }
                Issuer::check(first).map_err(|why| Refusal::AuthorityUnusable { item, why })?;
            }
            Ok(Signer::InTree { bundle: bundle.clone(), is_local: authority.is_local() })
        }
        Authority::Missing => Ok(Signer::InTree { bundle: Vec::new(), is_local: false }),
    }
}

fn dates(certificate: &Certificate, now: OffsetDateTime) -> Option<Difference> {
    if certificate.not_after < now {
        return Some(Difference::Expired(certificate.not_after));
    }
    (certificate.not_before > now).then_some(Difference::NotYetValid(certificate.not_before))
}
