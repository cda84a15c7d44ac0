//! What becomes of each authority that was named, and every file that holds its certificate.

use super::renewing::Renewing;
use crate::catalog::CaId;
use crate::clock::{Span, parse_instant};
use crate::error::{self, Error};
use crate::files::RelPath;
use crate::plan::blueprints;
use crate::plan::item::What;
use crate::plan::renew::{self as plan, CsrTemplate, Refusal};
use crate::plan::renew_authority::{Asked, Decision, Renewal, decide};
use crate::store::RootId;
use crate::tree::file;
use crate::workspace::Snapshot;
use crate::workspace::authority_files::{Holders, holders};
use crate::workspace::journal::{self, Line};
use crate::workspace::shipping::one_of_several;
use crate::x509::{Certificate, parse_pem_bundle};
use std::collections::BTreeSet;

/// The tree, and what is to be done.
pub(in crate::commands::renew_authority) struct Evaluation {
    pub snapshot: Snapshot,
    pub renewed: Vec<Renewed>,
    pub requested: Vec<Requested>,
    /// Whose kubeconfigs were made here, are still valid and are kept elsewhere.
    pub people: Vec<String>,
}

/// An authority that gets its next certificate.
pub(in crate::commands::renew_authority) struct Renewed {
    pub authority: CaId,
    pub old: Certificate,
    pub renewal: Renewal,
    pub holders: Holders,
}

/// One that another authority has to sign.
pub(in crate::commands::renew_authority) struct Requested {
    pub authority: CaId,
    pub old: Certificate,
    pub template: Box<CsrTemplate>,
}

impl Renewing<'_> {
    /// Decides every authority, or refuses all of them.
    pub fn evaluate(&self, snapshot: Snapshot) -> Result<Evaluation, Error> {
        let (session, origin) = (&self.session, &self.session.target.origin);
        let names: Vec<&str> = self.request.authorities.iter().map(|one| one.name()).collect();
        if let Some(first) = self.request.authorities.first() {
            let command = format!("kpki renew {}", names.join(" "));
            one_of_several::refuse(session, &snapshot, &command, first.name())?;
        }
        let (mut decided, mut refused) = (Vec::new(), Vec::new());
        for authority in self.request.authorities.iter().copied() {
            match self.decide(&snapshot, authority) {
                Ok(decision) => decided.push((authority, decision)),
                Err(why) => refused.push((authority, why)),
            }
        }
        if !refused.is_empty() {
            return Err(error::authorities_not_renewed(&refused, origin));
        }
        let mut foreign = plan::other_authorities(&session.copies(), &snapshot.authorities, &snapshot.survey);
        foreign.retain(|one| matches!(one, Refusal::OtherAuthority { authority, .. } if self.request.authorities.contains(authority)));
        if !foreign.is_empty() {
            return Err(error::refused(origin, &foreign));
        }
        let (mut renewed, mut requested) = (Vec::new(), Vec::new());
        for (authority, decision) in decided {
            let Some(old) = snapshot.certificate(authority).cloned() else { continue };
            match decision {
                Decision::Renew(renewal) => {
                    let holders = holders(session, &snapshot, authority, &old)?;
                    renewed.push(Renewed { authority, old, renewal, holders });
                }
                Decision::Request => {
                    let (public, _) = session.tree.directories.authority(authority);
                    let (profile, now) = (session.profile(), session.run.now);
                    let template = plan::ask_authority(authority, &public, &snapshot.survey, profile, now)
                        .map_err(|left| Error::new(error::left(&left, authority.name(), origin, false)))?;
                    requested.push(Requested { authority, old, template: Box::new(template) });
                }
            }
        }
        Ok(Evaluation { snapshot, renewed, requested, people: self.people()? })
    }

    fn decide(&self, snapshot: &Snapshot, authority: CaId) -> Result<Decision, crate::plan::renew_authority::Refusal> {
        let session = &self.session;
        let of_it = session.credentials.iter().filter(|one| one.authority == Some(authority));
        let signed: Vec<(String, Certificate)> = of_it
            .filter_map(|one| {
                let leaf = one.rotated(session.run.now).cloned();
                let leaf = leaf.or_else(|| plan::certificate_of(one, &snapshot.survey))?;
                Some((one.id.to_string(), leaf))
            })
            .collect();
        let (public, _) = session.tree.directories.authority(authority);
        let held = file(&snapshot.survey, Some(&public)).and_then(|bytes| parse_pem_bundle(bytes).ok());
        let asked = Asked { now: session.run.now, validity: self.validity(authority), signed: &signed };
        decide(snapshot.authorities.get(&authority), held.as_deref().and_then(<[_]>::first), &asked)
    }

    fn people(&self) -> Result<Vec<String>, Error> {
        let now = self.session.run.now;
        let is_valid = |end: &str| parse_instant(end, now).is_none_or(|end| end >= now);
        let names = journal::read(&self.session.tree.roots)?.into_iter().filter_map(|line| match line {
            Line::Certificate(line) if line.command == "kubeconfig" && is_valid(&line.not_after) => Some(line.entry),
            _ => None,
        });
        Ok(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// What was said here, or what the profile states.
    fn validity(&self, authority: CaId) -> Option<Span> {
        let what = What::Authority(authority);
        let stated = self.session.profile().filter(|profile| blueprints::stated(profile, &what).validity);
        self.request.validity.or_else(|| stated.map(|profile| blueprints::validity(profile, &what)))
    }
}

impl Evaluation {
    /// The authorities whose keys sign: their next certificates, or the requests for them.
    pub fn signers(&self) -> BTreeSet<CaId> {
        self.renewed.iter().map(|one| one.authority).chain(self.requested.iter().map(|one| one.authority)).collect()
    }

    /// The files to write.
    pub fn places(&self) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
        let places = self.renewed.iter().flat_map(|one| &one.holders.all).map(|holder| &holder.place);
        places.map(|place| Ok((place.root_id(), RelPath::parse(place.path.as_str())?, true))).collect()
    }
}
