//! One credential: is it due, may it be renewed, and what is to be made.

use super::context::{Existing, Run, Signed, Unfit};
use super::reasons::differences;
use super::repairs::lacks;
use super::wanted::Wanted;
use super::{
    Credential, Decision, Elsewhere, Key, Kubeconfig, Names, Reason, Refusal, Renewal, Rules, Skipped, Unwell,
    identity, moved,
};
use crate::blueprint::{Blueprint, ExtendedKeyUsage, San};
use crate::ca::PrivateKey;
use crate::catalog::Files;
use crate::catalog::paths::KUBELET_CONF;
use crate::encoding::shown::named;
use crate::kubeconfig::{self, Credentials};
use crate::plan::blueprints::{BACK_DATE, Bounds};
use crate::plan::outside::Outside;
use crate::profile::RENEWAL;
use crate::tree::{Authorities, Authority, Survey, file};
use crate::x509::{BundleError, Certificate, KeyKind, parse_pem_bundle, path};
use time::{Duration, OffsetDateTime};

/// Decides one credential. `credentials`: all of the tree, which say what else is there.
pub fn decide(
    credential: &Credential,
    credentials: &[Credential],
    authorities: &Authorities,
    survey: &Survey,
    rules: &Rules<'_>,
) -> Result<Decision, Refusal> {
    Run::new(credential, credentials, authorities, survey, rules).decide()
}

impl Run<'_> {
    fn decide(&self) -> Result<Decision, Refusal> {
        match self.existing() {
            Ok(existing) => self.present(existing),
            Err(Unfit::Skipped(left)) => self.embedded_now().unwrap_or(Ok(Decision::Skipped(left, None))),
            Err(Unfit::Nothing) => self.absent(Reason::Missing),
            Err(Unfit::Broken(reason)) => self.absent(reason),
        }
    }

    pub(super) fn file(&self, private: bool) -> Option<&[u8]> {
        let place = if private { self.credential.private.as_ref() } else { Some(&self.credential.public) };
        file(self.survey, place)
    }

    pub(super) fn existing(&self) -> Result<Existing, Unfit> {
        let bytes = self.file(false).ok_or(Unfit::Nothing)?;
        if !self.credential.is_kubeconfig() {
            let (leaf, chain) = leaf(bytes).map_err(|why| Unfit::Broken(Reason::Unreadable(why.into())))?;
            return Ok(Existing { leaf, chain, key: self.file(true).map(PrivateKey::from_pem), read: None });
        }
        let unreadable = |why| Unfit::Skipped(Skipped::Unreadable(why));
        let read = kubeconfig::read(bytes).map_err(|why| unreadable(why.into()))?;
        match &read.credentials {
            Credentials::Files { certificate, .. } => {
                // Its CA data is replaced where it stands.
                if lacks(&read.authority, self.authority.map(Authority::bundle).unwrap_or_default()) {
                    kubeconfig::editable(bytes).map_err(|why| unreadable(why.into()))?;
                }
                Err(Unfit::Skipped(self.elsewhere(&named(certificate))))
            }
            Credentials::Embedded { certificate, key: pem } => {
                kubeconfig::editable(bytes).map_err(|why| unreadable(why.into()))?;
                let (leaf, chain) = leaf(certificate).map_err(|why| unreadable(why.into()))?;
                Ok(Existing { leaf, chain, key: Some(PrivateKey::from_pem(pem)), read: Some(read) })
            }
        }
    }

    /// A credential in a file that is renewed elsewhere. One that is not well there is nothing to be silent about.
    fn elsewhere(&self, path: &str) -> Skipped {
        let rotates = self.credential.id.name == KUBELET_CONF;
        match self.unwell() {
            Some(why) => Skipped::NotWellElsewhere(path.to_owned(), why),
            None if rotates => Skipped::KubeletRotates(path.to_owned()),
            None => Skipped::CredentialFiles(path.to_owned()),
        }
    }

    /// What is wrong with a credential in a file that is renewed elsewhere.
    fn unwell(&self) -> Option<Unwell> {
        let used = match self.credential.elsewhere.as_ref()? {
            Elsewhere::Missing => return Some(Unwell::Missing),
            Elsewhere::Unreadable => return Some(Unwell::Unreadable),
            Elsewhere::Certificate(used) => used,
        };
        let (leaf, now) = (&used.leaf, self.rules.now);
        let (left, lifetime) = (leaf.not_after - now, (leaf.not_after - leaf.not_before).whole_seconds());
        let window = self.rules.due.unwrap_or(RENEWAL.before).seconds(lifetime);
        let is_ours = || {
            let judged = self.authority.and_then(Authority::certificate).map(|_| self.signed(leaf, &used.chain));
            !matches!(judged, Some(Signed::Outdated(Reason::WrongIssuer(_)) | Signed::Elsewhere(_)))
        };
        // The kubelet renews its own when 10 to 30 % of its lifetime are left.
        let is_judged = self.credential.id.name != KUBELET_CONF || self.rules.named;
        match left.whole_seconds() {
            left if left < 0 => Some(Unwell::Expired(leaf.not_after)),
            _ if now < leaf.not_before => Some(Unwell::NotYetValid(leaf.not_before)),
            _ if used.key == Some(false) => Some(Unwell::Key),
            _ if !is_ours() => Some(Unwell::WrongIssuer(leaf.issuer.clone())),
            seconds if is_judged && seconds <= window => Some(Unwell::Due(left)),
            _ => None,
        }
    }

    /// What kubelet.conf embeds counts where the kubelet has no certificate of its own that is still valid.
    fn present(&self, existing: Existing) -> Result<Decision, Refusal> {
        let unwell = match self.credential.elsewhere {
            None | Some(Elsewhere::Missing) => return self.embedded(existing),
            // Whatever the kubelet uses: what stands in the file is not to be of an authority that is replaced.
            Some(_) if self.rules.kubelets.is_some() => return self.embedded(existing),
            Some(_) => self.unwell().map(Skipped::KubeletsNotWell),
        };
        let Some(Skipped::KubeletsNotWell(Unwell::Expired(_))) = unwell else {
            let used = self.credential.rotated(self.rules.now).cloned();
            return Ok(Decision::Skipped(unwell.unwrap_or(Skipped::KubeletUsesItsOwn), used.map(Box::new)));
        };
        Ok(match (self.embedded(existing)?, unwell) {
            (Decision::Keep(leaf), Some(unwell)) => Decision::Skipped(unwell, Some(leaf)),
            (decision, _) => decision,
        })
    }

    fn embedded(&self, existing: Existing) -> Result<Decision, Refusal> {
        let left = |left, leaf: Certificate| Ok(Decision::Skipped(left, Some(Box::new(leaf))));
        if existing.leaf.is_ca {
            return left(Skipped::IsAuthority, existing.leaf);
        }
        let Some(signer) = self.credential.authority else { return Ok(self.by_external(existing)) };
        let Some(authority) = self.authority.and_then(Authority::certificate) else {
            return match self.broken_signer() {
                Some(refusal) => Err(refusal),
                None => left(Skipped::AuthorityMissing(signer), existing.leaf),
            };
        };
        let authority_data = existing.read.as_ref().is_some_and(|read| self.other_authority_data(read));
        let wanted = self.wanted(Bounds::of(authority));
        let (lifetime, guessed) =
            self.lifetime(&existing.leaf, wanted.as_ref(), self.issuer(&existing.leaf, authority));
        let path = match self.signed(&existing.leaf, &existing.chain) {
            Signed::ByTheAuthority => None,
            Signed::Outdated(reason) => Some(reason),
            // A certificate of an external authority counts as skipped only when it is due.
            Signed::Elsewhere(Skipped::NotOurs(_))
                if !self.is_asked() && self.broken(&existing, lifetime).is_empty() =>
            {
                return Ok(Decision::Keep(Box::new(existing.leaf)));
            }
            Signed::Elsewhere(refused) => return left(refused, existing.leaf),
        };
        let names = self.names(&existing.leaf, wanted.as_ref());
        let missing = self.missing_usages(&existing.leaf, wanted.as_ref());
        let mut reasons = self.broken(&existing, lifetime);
        reasons.extend(differences(&names.1, &missing));
        reasons.extend(path);
        reasons.extend(authority_data.then_some(Reason::AuthorityData));
        if self.is_asked() && reasons.is_empty() {
            reasons.push(Reason::Requested);
        }
        if reasons.is_empty() {
            return Ok(Decision::Keep(Box::new(existing.leaf)));
        }
        // What it trusts is replaced without a signature.
        if !self.is_asked() && reasons == [Reason::AuthorityData] {
            return Ok(Decision::Keep(Box::new(existing.leaf)));
        }
        match self.authority {
            Some(Authority::Local(_)) => {
                let new = New { wanted, names, missing, lifetime, guessed, reasons, authority_data };
                self.renewal(existing, new, authority)
            }
            _ if reasons == [Reason::AuthorityData] => Ok(Decision::Keep(Box::new(existing.leaf))),
            Some(Authority::Closed(_, why)) => left(Skipped::Closed(signer, why.clone()), existing.leaf),
            _ if reasons.iter().all(|reason| matches!(reason, Reason::Window { .. } | Reason::Age { .. })) => {
                left(Skipped::ExternalInWindow(signer), existing.leaf)
            }
            _ => left(Skipped::External(Outside::Key(signer)), existing.leaf),
        }
    }

    fn renewal(&self, existing: Existing, new: New, authority: &Certificate) -> Result<Decision, Refusal> {
        self.usable()?;
        let New { wanted, names: (sans, names), missing, lifetime, guessed, reasons, authority_data } = new;
        let Existing { leaf, chain, key, read } = existing;
        let server = read.and_then(|read| moved::server(self.credential, &read.server, self.rules.former_servers));
        let same = match key {
            Some(Ok(key)) if self.rules.reuse_key && key.matches(&leaf) => Some(key),
            _ => None,
        };
        let stated = wanted.as_ref().filter(|wanted| wanted.stated_algorithm).map(|wanted| wanted.algorithm);
        let algorithm = match (&same, stated, &leaf.key) {
            (Some(key), ..) => key.algorithm(),
            (None, Some(algorithm), _) => algorithm,
            (None, None, KeyKind::Known(algorithm)) => *algorithm,
            (None, None, KeyKind::Other(other)) => {
                return Ok(Decision::Skipped(Skipped::OtherKey(other.clone()), Some(Box::new(leaf))));
            }
        };
        let (not_before, not_after, shortened) = self.dates(lifetime, authority);
        if shortened.is_some()
            && let Some(left) = self.gains_nothing(&leaf, not_after, &reasons)
        {
            return Ok(Decision::Skipped(left, Some(Box::new(leaf))));
        }
        self.wide(lifetime)?;
        let too_short = match identity::lifetime(&leaf, self.issuer(&leaf, authority)) {
            identity::Lifetime::Short(old) if guessed => Some(old),
            _ => None,
        };
        let other_name = self.other_name(&leaf, wanted.as_ref());
        let mut blueprint = Blueprint { not_before, not_after, ..identity::blueprint(&leaf, algorithm, sans) };
        blueprint.extended_key_usages.extend(missing);
        Ok(Decision::Renew(Box::new(Renewal {
            reasons,
            dropped: identity::dropped(&leaf),
            chain: kept_chain(chain, authority),
            old: Some(Box::new(leaf)),
            blueprint,
            algorithm,
            key: same.map_or(Key::New, |key| Key::Same(Box::new(key))),
            names,
            shortened,
            guessed: guessed.then_some(lifetime),
            too_short,
            other_name,
            kubeconfig: self
                .credential
                .is_kubeconfig()
                .then_some(Kubeconfig::Edit { authority: authority_data, server }),
        })))
    }

    /// There is no certificate, or it cannot be read.
    fn absent(&self, reason: Reason) -> Result<Decision, Refusal> {
        let unreadable = match &reason {
            Reason::Unreadable(why) => Some(Skipped::Unreadable(why.clone())),
            _ => None,
        };
        let Some(signer) = self.credential.authority else {
            return Ok(Decision::Skipped(Skipped::External(Outside::Authority), None));
        };
        let Some(authority) = self.authority.and_then(Authority::certificate) else {
            return match (self.broken_signer(), unreadable, &self.credential.wanted) {
                (Some(refusal), ..) if self.credential.wanted.is_some() => Err(refusal),
                // What was named is never passed over in silence.
                (None, None, wanted) if wanted.is_some() || self.rules.named => {
                    Ok(Decision::Skipped(Skipped::AuthorityMissing(signer), None))
                }
                (_, Some(left), _) => Ok(Decision::Skipped(left, None)),
                _ => Ok(Decision::Absent),
            };
        };
        if !self.credential.replenished && unreadable.is_none() && !self.rules.named {
            return Ok(Decision::Skipped(Skipped::NotReplenished, None));
        }
        let Some(wanted) = self.wanted(Bounds::of(authority)).or_else(|| self.of_catalogue(Bounds::of(authority)))
        else {
            return Ok(match (unreadable, self.rules.named || self.file(true).is_some()) {
                (Some(left), _) => Decision::Skipped(left, None),
                (None, true) => Decision::Skipped(Skipped::Unknown, None),
                (None, false) => Decision::Absent,
            });
        };
        match self.authority {
            Some(Authority::Local(_)) => self.usable()?,
            Some(Authority::Closed(_, why)) => {
                return Ok(Decision::Skipped(Skipped::Closed(signer, why.clone()), None));
            }
            _ => return Ok(Decision::Skipped(Skipped::External(Outside::Key(signer)), None)),
        }
        // Its blueprint has these dates already.
        let (.., shortened) = self.dates(wanted.lifetime + BACK_DATE, authority);
        self.wide(wanted.lifetime + BACK_DATE)?;
        let names = Names { added: wanted.blueprint.sans.clone(), ..Names::default() };
        Ok(Decision::Renew(Box::new(Renewal {
            reasons: vec![reason],
            old: None,
            blueprint: wanted.blueprint,
            algorithm: wanted.algorithm,
            key: Key::New,
            names,
            chain: Vec::new(),
            shortened,
            guessed: None,
            too_short: None,
            other_name: None,
            dropped: Vec::new(),
            kubeconfig: wanted.access.filter(|_| self.credential.is_kubeconfig()).map(Kubeconfig::New),
        })))
    }

    pub(super) const fn is_asked(&self) -> bool {
        self.rules.due.is_none()
    }

    /// Why an existing signer cannot be used.
    fn broken_signer(&self) -> Option<Refusal> {
        self.authority.and_then(|authority| super::refusal(self.credential.authority?, authority, self.rules.now))
    }

    pub(super) fn usable(&self) -> Result<(), Refusal> {
        self.broken_signer().map_or(Ok(()), Err)
    }

    pub(super) fn signed(&self, leaf: &Certificate, chain: &[Certificate]) -> Signed {
        let bundle = self.authority.map(Authority::bundle).unwrap_or_default();
        match path::judge(leaf, chain, bundle, self.rules.now) {
            Ok(path) if path.anchor == 0 => Signed::ByTheAuthority,
            Ok(_) => Signed::Outdated(Reason::EarlierAuthority(leaf.issuer.clone())),
            Err(why) if why.is_about_dates() => Signed::Outdated(Reason::Path(why)),
            Err(_)
                if matches!(self.credential.entry.map(|entry| entry.files), Some(Files::KubeletPair(_)))
                    && (self.credential.wanted.is_none() || made_by_itself(leaf, chain)) =>
            {
                Signed::Elsewhere(Skipped::KubeletsOwn)
            }
            // What says that this authority signed it, or is for a client that only this authority's verifiers let in, cannot
            // work as it is.
            Err(_) if self.has_to_be_ours(leaf) => Signed::Outdated(Reason::WrongIssuer(leaf.issuer.clone())),
            Err(_) => Signed::Elsewhere(Skipped::NotOurs(leaf.issuer.clone())),
        }
    }

    /// Who of those that are trusted signed it: an earlier authority may have cut it to its own end. Where nobody did, who would.
    fn issuer<'c>(&'c self, leaf: &Certificate, signer: &'c Certificate) -> &'c Certificate {
        match self.authority.map(Authority::bundle).unwrap_or_default() {
            [] | [_] => signer,
            bundle => bundle.iter().find(|one| leaf.signed_by(one).is_ok()).unwrap_or(signer),
        }
    }

    fn has_to_be_ours(&self, leaf: &Certificate) -> bool {
        let named = self.authority.and_then(Authority::certificate).is_some_and(|own| leaf.names_issuer(own));
        named || self.credential.entry.is_some_and(|entry| !entry.usages.contains(&ExtendedKeyUsage::ServerAuth))
    }

    /// From five minutes ago, for so long, within the authority's own dates.
    pub(super) fn dates(
        &self,
        lifetime: Duration,
        authority: &Certificate,
    ) -> (OffsetDateTime, OffsetDateTime, Option<OffsetDateTime>) {
        let start = self.rules.now.saturating_sub(BACK_DATE);
        let end = start.saturating_add(lifetime);
        let shortened = (end > authority.not_after).then_some(end);
        (start.max(authority.not_before), end.min(authority.not_after), shortened)
    }
}

/// What is known of a new certificate before it is certain that there will be one.
struct New {
    wanted: Option<Wanted>,
    names: (Vec<San>, Names),
    /// Usages the old one lacks.
    missing: Vec<ExtendedKeyUsage>,
    /// With what it is dated back; `guessed`: the old one's dates do not say.
    lifetime: Duration,
    guessed: bool,
    reasons: Vec<Reason>,
    authority_data: bool,
}

/// Self-signed, or by the authority `HOST-ca@TIME` that a kubelet makes for itself and puts behind it.
fn made_by_itself(leaf: &Certificate, chain: &[Certificate]) -> bool {
    let kubelets = |above: &Certificate| above.common_name().is_some_and(|name| name.contains("-ca@"));
    leaf.signed_by(leaf).is_ok()
        || chain.iter().any(|above| kubelets(above) && above.signed_by(above).is_ok() && leaf.signed_by(above).is_ok())
}

/// The certificate itself, and what follows it in its file.
pub(super) fn leaf(bytes: &[u8]) -> Result<(Certificate, Vec<Certificate>), BundleError> {
    let mut bundle = parse_pem_bundle(bytes)?.into_iter();
    let leaf = bundle.next().ok_or(BundleError::NoCertificate { found: Vec::new(), other: None })?;
    Ok((leaf, bundle.collect()))
}

/// A chain that leads on from the authority that signs is still the new certificate's; that of an earlier authority of the
/// same name is not.
fn kept_chain(chain: Vec<Certificate>, authority: &Certificate) -> Vec<Certificate> {
    let same =
        |first: &Certificate| (&first.subject_der, &first.spki_der) == (&authority.subject_der, &authority.spki_der);
    let leads_on = chain.first().is_some_and(same);
    if leads_on { chain } else { Vec::new() }
}
