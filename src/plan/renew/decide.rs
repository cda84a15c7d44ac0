//! One credential: is it due, may it be renewed, and what is to be made.

use time::{Duration, OffsetDateTime};

use super::identity::{self, YEAR};
use super::signers::file;
use super::{Credential, Decision, Key, Kubeconfig, Left, Names, Reason, Refusal, Renewal, Rules, Signer, Signers};
use crate::blueprint::{Algorithm, Blueprint, San};
use crate::ca::{Issuer, PrivateKey};
use crate::catalog::releases::Release;
use crate::catalog::{Authority, Entry, Files, Sans, Subject};
use crate::kubeconfig::{self, Credentials, Read};
use crate::plan::blueprints::{self, BACK_DATE, Bounds};
use crate::plan::decision::Survey;
use crate::plan::init::{Access, What};
use crate::plan::layout::Place;
use crate::profile::{Profile, Window};
use crate::x509::{Certificate, KeyKind, parse_pem_bundle};

/// Decides one credential. `credentials`: all of the tree, which say what else is there.
pub fn decide(
    credential: &Credential,
    credentials: &[Credential],
    signers: &Signers,
    survey: &Survey,
    rules: &Rules<'_>,
) -> Result<Decision, Refusal> {
    Run { credential, credentials, signer: signers.get(&credential.authority), survey, rules }.decide()
}

pub(super) struct Run<'a> {
    pub credential: &'a Credential,
    pub credentials: &'a [Credential],
    pub signer: Option<&'a Signer>,
    pub survey: &'a Survey,
    pub rules: &'a Rules<'a>,
}

/// What lies there.
pub(super) struct Existing {
    pub leaf: Certificate,
    pub chain: Vec<Certificate>,
    key: Option<Result<PrivateKey, String>>,
    pub read: Option<Read>,
}

/// What the profile, or for want of one the catalogue, would make.
pub(super) struct Wanted {
    pub algorithm: Algorithm,
    pub blueprint: Blueprint,
    pub lifetime: Duration,
    /// Said in so many words, so that it goes before what lies there.
    pub stated_algorithm: bool,
    stated_validity: bool,
    pub access: Option<Access>,
}

/// Why nothing could be had from what lies there.
pub(super) enum Unfit {
    Nothing,
    Left(Left),
    /// It can be made anew where somebody says what it is.
    Broken(Reason),
}

impl Run<'_> {
    fn decide(&self) -> Result<Decision, Refusal> {
        match self.existing() {
            Ok(existing) => self.present(existing),
            Err(Unfit::Left(left)) => Ok(Decision::Left(left, None)),
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
            let unreadable = |why: String| Unfit::Broken(Reason::Unreadable(why));
            let (leaf, chain) = leaf(bytes).map_err(unreadable)?;
            return Ok(Existing { leaf, chain, key: self.file(true).map(key), read: None });
        }
        let unreadable = |why: String| Unfit::Left(Left::Unreadable(why));
        let read = kubeconfig::read(bytes).map_err(|why| unreadable(why.to_string()))?;
        match &read.credentials {
            Credentials::Files { certificate, .. } => Err(Unfit::Left(match self.credential.name.as_str() {
                "kubelet.conf" => Left::KubeletRotates(certificate.clone()),
                _ => Left::CredentialFiles(certificate.clone()),
            })),
            Credentials::Embedded { certificate, key: pem } => {
                let (leaf, chain) = leaf(certificate).map_err(unreadable)?;
                Ok(Existing { leaf, chain, key: Some(key(pem)), read: Some(read) })
            }
        }
    }

    fn present(&self, existing: Existing) -> Result<Decision, Refusal> {
        let left = |left, leaf: Certificate| Ok(Decision::Left(left, Some(Box::new(leaf))));
        if existing.leaf.is_ca {
            return left(Left::IsAuthority, existing.leaf);
        }
        let Some(authority) = self.signer.and_then(Signer::certificate) else {
            return match self.broken_signer() {
                Some(refusal) => Err(refusal),
                None => left(Left::AuthorityMissing(self.credential.authority), existing.leaf),
            };
        };
        let earlier = match self.signed(&existing.leaf, &existing.chain) {
            Signed::ByTheAuthority => None,
            Signed::ByAnEarlierOne(reason) => Some(reason),
            Signed::Elsewhere(refused) => return left(refused, existing.leaf),
        };
        let wanted = self.wanted(Bounds::of(authority));
        let names = wanted.as_ref().map_or_else(
            || (existing.leaf.sans.clone(), Names::default()),
            |wanted| identity::names(&existing.leaf.sans, &wanted.blueprint.sans, self.rules.prune_sans),
        );
        let authority_data = existing.read.as_ref().is_some_and(|read| self.other_authority_data(read));
        let mut reasons = self.reasons(&existing, &names.1);
        reasons.extend(earlier);
        reasons.extend(authority_data.then_some(Reason::AuthorityData));
        if self.is_asked() && reasons.is_empty() {
            reasons.push(Reason::Asked);
        }
        if reasons.is_empty() {
            return Ok(Decision::Keep(Box::new(existing.leaf)));
        }
        match self.signer {
            Some(Signer::Here(issuer)) => self.renewal(existing, wanted, names, reasons, authority_data, issuer),
            // What it trusts may be older than ca.crt; only its owner can sign a new credential.
            _ if reasons == [Reason::AuthorityData] && !self.is_asked() => Ok(Decision::Keep(Box::new(existing.leaf))),
            _ => left(Left::External(self.credential.authority), existing.leaf),
        }
    }

    fn renewal(
        &self,
        existing: Existing,
        wanted: Option<Wanted>,
        (sans, names): (Vec<San>, Names),
        reasons: Vec<Reason>,
        authority_data: bool,
        issuer: &Issuer,
    ) -> Result<Decision, Refusal> {
        self.usable()?;
        let Existing { leaf, chain, key, .. } = existing;
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
                return Ok(Decision::Left(Left::OtherKey(other.clone()), Some(Box::new(leaf))));
            }
        };
        let authority = issuer.certificate();
        let lifetime = match &wanted {
            Some(wanted) if wanted.stated_validity => wanted.lifetime + BACK_DATE,
            _ => identity::lifetime(&leaf, authority)
                .unwrap_or_else(|| wanted.as_ref().map_or(YEAR, |wanted| wanted.lifetime) + BACK_DATE),
        };
        let (not_before, not_after, shortened) = self.dates(lifetime, authority);
        if let Some(left) = self.gains_nothing(&leaf, not_after, &reasons) {
            return Ok(Decision::Left(left, Some(Box::new(leaf))));
        }
        self.wide(&reasons, lifetime)?;
        let blueprint = Blueprint { not_before, not_after, ..identity::blueprint(&leaf, algorithm, sans) };
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
            kubeconfig: self.credential.is_kubeconfig().then_some(Kubeconfig::Edit { authority: authority_data }),
        })))
    }

    /// Nothing is there, or nothing that can be read.
    fn absent(&self, reason: Reason) -> Result<Decision, Refusal> {
        let unreadable = match &reason {
            Reason::Unreadable(why) => Some(Left::Unreadable(why.clone())),
            _ => None,
        };
        let Some(authority) = self.signer.and_then(Signer::certificate) else {
            return match (self.broken_signer(), unreadable, &self.credential.wanted) {
                (Some(refusal), ..) if self.credential.wanted.is_some() => Err(refusal),
                (None, None, Some(_)) => Ok(Decision::Left(Left::AuthorityMissing(self.credential.authority), None)),
                (_, Some(left), _) => Ok(Decision::Left(left, None)),
                _ => Ok(Decision::Absent),
            };
        };
        if !self.credential.replenished && unreadable.is_none() && !self.rules.named {
            return Ok(Decision::Left(Left::NotReplenished, None));
        }
        let Some(wanted) = self.wanted(Bounds::of(authority)).or_else(|| self.of_catalogue(Bounds::of(authority)))
        else {
            return Ok(match (unreadable, self.rules.named || self.file(true).is_some()) {
                (Some(left), _) => Decision::Left(left, None),
                (None, true) => Decision::Left(Left::Unknown, None),
                (None, false) => Decision::Absent,
            });
        };
        let Some(Signer::Here(_)) = self.signer else {
            return Ok(Decision::Left(Left::External(self.credential.authority), None));
        };
        self.usable()?;
        let (not_before, not_after, shortened) = self.dates(wanted.lifetime + BACK_DATE, authority);
        self.wide(std::slice::from_ref(&reason), wanted.lifetime)?;
        let names = Names { added: wanted.blueprint.sans.clone(), ..Names::default() };
        let blueprint = Blueprint { not_before, not_after, ..wanted.blueprint };
        Ok(Decision::Renew(Box::new(Renewal {
            reasons: vec![reason],
            old: None,
            blueprint,
            algorithm: wanted.algorithm,
            key: Key::New,
            names,
            chain: Vec::new(),
            shortened,
            dropped: Vec::new(),
            kubeconfig: wanted.access.map(Kubeconfig::New),
        })))
    }

    const fn is_asked(&self) -> bool {
        self.rules.due.is_none()
    }

    /// Why the signer cannot be used, where it is there at all.
    fn broken_signer(&self) -> Option<Refusal> {
        self.signer.and_then(|signer| signer.refusal(self.credential.authority, self.rules.now))
    }

    fn usable(&self) -> Result<(), Refusal> {
        self.broken_signer().map_or(Ok(()), Err)
    }

    pub(super) fn signed(&self, leaf: &Certificate, chain: &[Certificate]) -> Signed {
        let bundle = self.signer.map(Signer::bundle).unwrap_or_default();
        let links =
            |below: &&Certificate, above: &Certificate| above.may_sign_certificates() && below.signed_by(above).is_ok();
        // Up through the intermediates in its own file, as far as they lead.
        let top = chain.iter().try_fold(leaf, |below, above| if links(&below, above) { Ok(above) } else { Err(below) });
        let (Ok(top) | Err(top)) = top;
        let signs = |authority: &&Certificate| {
            leaf.signed_by(authority).is_ok() || top.signed_by(authority).is_ok() || top.der == authority.der
        };
        match bundle.iter().position(signs) {
            Some(0) => Signed::ByTheAuthority,
            Some(_) => Signed::ByAnEarlierOne(Reason::EarlierAuthority(leaf.issuer.clone())),
            None if matches!(self.credential.entry.map(|entry| entry.files), Some(Files::KubeletPair(_)))
                && self.credential.wanted.is_none() =>
            {
                Signed::Elsewhere(Left::KubeletsOwn)
            }
            None => Signed::Elsewhere(Left::NotOurs(leaf.issuer.clone())),
        }
    }

    fn reasons(&self, existing: &Existing, names: &Names) -> Vec<Reason> {
        let leaf = &existing.leaf;
        let now = self.rules.now;
        let mut reasons = Vec::new();
        if leaf.not_after < now {
            reasons.push(Reason::Expired(leaf.not_after));
        } else if let Some(window) = self.rules.due {
            let left = leaf.not_after - now;
            if left.whole_seconds() <= seconds(window, (leaf.not_after - leaf.not_before).whole_seconds()) {
                reasons.push(Reason::Window { left });
            }
        }
        match &existing.key {
            None => reasons.push(Reason::KeyMissing),
            Some(Err(why)) => reasons.push(Reason::KeyUnreadable(why.clone())),
            Some(Ok(key)) if !key.matches(leaf) => reasons.push(Reason::KeyMismatch),
            Some(Ok(_)) => {}
        }
        if !names.added.is_empty() {
            reasons.push(Reason::MissingNames(names.added.clone()));
        }
        if !names.removed.is_empty() {
            reasons.push(Reason::SurplusNames(names.removed.clone()));
        }
        reasons
    }

    /// A kubeconfig without CA data gets none: it trusts a file, or the system's authorities.
    fn other_authority_data(&self, read: &Read) -> bool {
        if read.authority.is_empty() {
            return false;
        }
        let found = parse_pem_bundle(&read.authority).unwrap_or_default();
        let wanted = self.signer.map(Signer::bundle).unwrap_or_default();
        !found.iter().map(|one| &one.der).eq(wanted.iter().map(|one| &one.der))
    }

    /// From five minutes ago, for so long, within the authority's own dates.
    fn dates(
        &self,
        lifetime: Duration,
        authority: &Certificate,
    ) -> (OffsetDateTime, OffsetDateTime, Option<OffsetDateTime>) {
        let start = self.rules.now.saturating_sub(BACK_DATE);
        let end = start.saturating_add(lifetime);
        let shortened = (end > authority.not_after).then_some(end);
        (start.max(authority.not_before), end.min(authority.not_after), shortened)
    }

    /// Cut to the same end again, on every run: there is nothing to win until there is another authority.
    fn gains_nothing(&self, leaf: &Certificate, not_after: OffsetDateTime, reasons: &[Reason]) -> Option<Left> {
        let only_window = matches!(reasons, [Reason::Window { .. }]);
        (only_window && not_after <= leaf.not_after)
            .then_some(Left::AuthorityEnds(self.credential.authority, not_after))
    }

    fn wide(&self, reasons: &[Reason], lifetime: Duration) -> Result<(), Refusal> {
        let Some(window) = self.rules.due else { return Ok(()) };
        let too_wide = seconds(window, lifetime.whole_seconds()) >= lifetime.whole_seconds();
        if too_wide && !reasons.is_empty() {
            return Err(Refusal::WindowTooWide { item: self.credential.id(), window, lifetime });
        }
        Ok(())
    }

    pub(super) fn wanted(&self, bounds: Bounds) -> Option<Wanted> {
        let profile = self.rules.profile?;
        let (what, home) = self.credential.wanted.as_ref()?;
        let (algorithm, blueprint, access) = match what {
            What::Leaf(entry) => (
                blueprints::algorithm(profile, entry),
                blueprints::leaf(profile, profile.node(home)?, entry, self.rules.now, bounds),
                None,
            ),
            What::Kubeconfig(entry, access) => (
                blueprints::algorithm(profile, entry),
                blueprints::leaf(profile, profile.node(home)?, entry, self.rules.now, bounds),
                Some(access.clone()),
            ),
            What::Extra(extra) => {
                let (algorithm, blueprint) = blueprints::extra(profile, extra, self.rules.now, bounds);
                (algorithm, blueprint, None)
            }
            What::Authority(_) | What::ServiceAccount(_) | What::Copy { .. } => return None,
        };
        let (stated_algorithm, stated_validity) = stated(profile, what);
        let lifetime = blueprints::validity(profile, what).duration();
        Some(Wanted { algorithm, blueprint, lifetime, stated_algorithm, stated_validity, access })
    }

    /// Without a profile the catalogue knows the clients that are the same on every control-plane node; that it is one
    /// is seen by what else lies there.
    pub(super) fn of_catalogue(&self, bounds: Bounds) -> Option<Wanted> {
        let entry: &Entry = self.credential.entry.filter(|_| self.rules.profile.is_none())?;
        let (Subject::Fixed(name, organization), Sans::None, Files::Pair(_)) = (entry.subject, entry.sans, entry.files)
        else {
            return None;
        };
        let witness = if entry.name == "etcd-healthcheck-client" { "etcd-server" } else { "apiserver" };
        let beside = |other: &&Credential| other.node == self.credential.node && other.name == witness;
        let server = file(self.survey, self.credentials.iter().find(beside).map(|other| &other.public));
        let (leaf, _) = leaf(server?).ok()?;
        let KeyKind::Known(algorithm) = leaf.key else { return None };
        let subject = crate::blueprint::Name::of(name, organization.at(Release::NEWEST).as_slice());
        let blueprint = blueprints::client(subject, entry.usages, algorithm, self.rules.now, YEAR, bounds);
        let (stated_algorithm, stated_validity) = (false, false);
        Some(Wanted { algorithm, blueprint, lifetime: YEAR, stated_algorithm, stated_validity, access: None })
    }
}

pub(super) enum Signed {
    ByTheAuthority,
    ByAnEarlierOne(Reason),
    Elsewhere(Left),
}

/// How long before its end something that lives this long is due, in seconds; a share is rounded down.
fn seconds(window: Window, lifetime: i64) -> i64 {
    match window {
        Window::Before(span) => i64::try_from(span.as_seconds()).unwrap_or(i64::MAX),
        Window::PercentLeft(percent) => {
            i64::try_from(i128::from(lifetime.max(0)) * i128::from(percent) / 100).unwrap_or(i64::MAX)
        }
    }
}

/// Whether the profile says algorithm and validity itself, of all certificates or of this one.
fn stated(profile: &Profile, what: &What) -> (bool, bool) {
    let (algorithm, validity) = match what {
        What::Leaf(entry) | What::Kubeconfig(entry, _) => {
            let options = profile.certificates.get(entry.name);
            (options.and_then(|options| options.algorithm), options.and_then(|options| options.validity))
        }
        What::Extra(extra) => (extra.algorithm, extra.validity),
        What::Authority(_) | What::ServiceAccount(_) | What::Copy { .. } => (None, None),
    };
    (profile.stated.algorithm || algorithm.is_some(), profile.stated.validity || validity.is_some())
}

/// The certificate itself, and what follows it in its file.
fn leaf(bytes: &[u8]) -> Result<(Certificate, Vec<Certificate>), String> {
    let mut bundle = parse_pem_bundle(bytes).map_err(|why| why.to_string())?.into_iter();
    let leaf = bundle.next().ok_or_else(|| "no certificate in it".to_owned())?;
    Ok((leaf, bundle.collect()))
}

fn key(pem: impl AsRef<[u8]>) -> Result<PrivateKey, String> {
    PrivateKey::from_pem(pem.as_ref()).map_err(|why| why.to_string())
}

/// A chain that leads on from the authority that signs is still the new certificate's; that of an earlier authority of the
/// same name is not.
fn kept_chain(chain: Vec<Certificate>, authority: &Certificate) -> Vec<Certificate> {
    let same =
        |first: &Certificate| (&first.subject_der, &first.spki_der) == (&authority.subject_der, &authority.spki_der);
    let leads_on = chain.first().is_some_and(same);
    if leads_on { chain } else { Vec::new() }
}

/// Every authority a run needs but cannot use, and every node that trusts another one.
pub fn other_authorities(copies: &[(String, Authority, Place)], signers: &Signers, survey: &Survey) -> Vec<Refusal> {
    let differs = |(node, authority, place): &(String, Authority, Place)| {
        let signer = signers.get(authority).and_then(Signer::certificate)?;
        let copy = parse_pem_bundle(file(survey, Some(place))?).ok()?;
        let trusts = copy.iter().any(|one| one.der == signer.der);
        (!trusts).then(|| Refusal::OtherAuthority { node: node.clone(), authority: *authority })
    };
    copies.iter().filter_map(differs).collect()
}
