//! What a step decides on, and what it decides.

use super::cross::Cross;
use super::request::Request;
use crate::catalog::CaId;
use crate::encoding::{pem, raw_key};
use crate::error::Error;
use crate::files::RelPath;
use crate::report::rotate as report;
use crate::store::{FileChange, OuterFile, RootId};
use crate::tree::rotation::{Identity, Kubelets, Phase, Record, Rotating, Rotation};
use crate::tree::{Authority, EntryId, Place, file};
use crate::workspace::reissue::Made;
use crate::workspace::rotation::change::Target;
use crate::workspace::rotation::prior::Prior;
use crate::workspace::rotation::state::{self, State};
use crate::workspace::rotation::{files, journal::RotationLine, record};
use crate::workspace::{Locked, Session, Snapshot};
use crate::x509::{Certificate, parse_authority};

/// A tree as a step finds it.
pub(super) struct Context<'a> {
    pub request: &'a Request,
    pub session: &'a Session<'a>,
    pub snapshot: Snapshot,
    pub record: Record,
    /// Kubeconfigs and ca-signer.crt that do not have what the phase wants.
    pub behind: Vec<EntryId>,
    /// The generation that the step makes; `None`: it makes nothing, and no keys either.
    pub generation: Option<String>,
}

/// What a step is going to do.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// The record afterwards.
    pub record: Record,
    pub targets: Vec<Target>,
    /// The authorities whose leaves are made again.
    pub reissue: Vec<CaId>,
    /// What the files are taken to hold where it is decided whose leaves these are, if other than what they will hold: an authority
    /// that is trusted no more has signed them.
    pub known: Vec<Target>,
    /// Files that are made although they are missing: the signer's key.
    pub missing: Vec<Place>,
    pub reuse_key: bool,
    /// Of these, those that are put back as they were are kept where nothing is wrong with them.
    pub keep_good: bool,
    /// Files as they were before the switch.
    pub put_back: Vec<Prior>,
    /// What becomes of kubelet.conf where leaves are made again.
    pub kubelets: Option<Kubelets>,
    /// What a new authority whose key is elsewhere has signed.
    pub given: Vec<Made>,
    /// New authorities that the old ones certify.
    pub cross: Vec<Cross>,
    /// ca-signer.crt, and what names it: written before every bundle.
    pub signing: Vec<FileChange>,
    /// The entries of these.
    pub signing_ids: Vec<EntryId>,
    /// Files of kpki's own.
    pub own: Vec<FileChange>,
    /// Keys of new authorities that the profile wants outside the tree.
    pub outer: Vec<OuterFile>,
    pub removals: Vec<(RootId, RelPath)>,
    /// What generations keep and nobody is to have any more: paths below `.kpki`.
    pub erasures: Vec<RelPath>,
    /// The files whose key is destroyed, as messages show them.
    pub destroyed: Vec<String>,
    pub journal: Vec<String>,
    pub rows: Vec<report::Row>,
    pub warnings: Vec<String>,
    /// What others must do first: exit status 5.
    pub left: Vec<String>,
}

impl Planned {
    /// Nothing changes yet.
    pub fn of(record: &Record) -> Self {
        Self { record: record.clone(), ..Self::default() }
    }

    pub fn is_idle(&self) -> bool {
        let Self { targets, signing, own, removals, erasures, journal, .. } = self;
        let is_written = !targets.is_empty() || !signing.is_empty() || !own.is_empty();
        !is_written && removals.is_empty() && erasures.is_empty() && journal.is_empty()
    }
}

impl<'a> Context<'a> {
    /// `locked`: keys and certificates of authorities are made.
    ///
    /// # Errors
    /// Record and files disagree.
    pub fn of(
        request: &'a Request,
        session: &'a Session<'a>,
        snapshot: Snapshot,
        locked: Option<&Locked<'_>>,
    ) -> Result<Self, Error> {
        let name = |locked: &Locked<'_>| locked.generation_name(request.step.command(), request.run.now);
        let state = state::of(session, &snapshot, record::read(&session.tree.roots)?)?;
        if !request.step.outranks_the_record() {
            state.check(&session.target.origin)?;
        }
        let State { record, behind, .. } = state;
        Ok(Self { request, session, snapshot, record, behind, generation: locked.map(name).transpose()? })
    }
}

impl Context<'_> {
    /// Keys and certificates are made.
    pub const fn is_making(&self) -> bool {
        self.generation.is_some()
    }

    /// The rotations that the step moves on: the named ones, or all in this phase.
    pub fn in_phase(&self, phase: Phase) -> Result<Vec<Rotation>, Error> {
        let of = |one: &&Rotation| one.phase == phase;
        let named = &self.request.authorities;
        if named.is_empty() {
            return Ok(self.record.rotations.iter().filter(of).cloned().collect());
        }
        let named = named.iter().filter(|one| phase != Phase::Switched || !self.is_emergency(**one));
        named.map(|one| self.one_in(*one, phase)).collect()
    }

    fn is_emergency(&self, rotating: Rotating) -> bool {
        self.record.phase(rotating) == Some(Phase::Emergency)
    }

    /// The named rotations of an emergency, or all: what is retired without a step in between.
    pub fn emergencies(&self) -> Vec<Rotation> {
        let named = &self.request.authorities;
        let is_meant = |one: &&Rotation| named.is_empty() || named.contains(&one.authority);
        self.record.rotations.iter().filter(|one| one.phase == Phase::Emergency).filter(is_meant).cloned().collect()
    }

    pub fn one_in(&self, rotating: Rotating, phase: Phase) -> Result<Rotation, Error> {
        let origin = &self.session.target.origin;
        match self.record.of(rotating) {
            Some(rotation) if rotation.phase == phase => Ok(rotation.clone()),
            Some(rotation) => Err(Error::new(format!("{rotating} is {}, expected {phase}", rotation.phase))
                .hint(format!("see how it stands: {}", origin.command("rotate status", &[""; 0], &[])))),
            None => Err(Error::new(format!("{rotating} is not being rotated"))
                .hint(format!("begin with: {}", origin.command("rotate prepare", &[rotating.name()], &[])))),
        }
    }

    /// What the tree's own file of an authority holds now.
    pub fn authority(&self, authority: CaId) -> Result<&Authority, Error> {
        self.snapshot.authorities.get(&authority).ok_or_else(|| Error::new(format!("there is no {}", authority.name())))
    }

    /// The public keys in the tree's own sa.pub.
    pub fn service_account(&self) -> Vec<Vec<u8>> {
        let place = files::own_public(self.session, Rotating::ServiceAccount);
        let bytes = file(&self.snapshot.survey, place.as_ref()).unwrap_or_default();
        pem::read(bytes).map(|blocks| raw_key::public_keys(&blocks)).unwrap_or_default()
    }

    /// The journal's line for a step of this rotation.
    pub fn line(&self, rotation: &Rotation, details: Vec<String>) -> String {
        let Rotation { authority, number, old, new, .. } = rotation;
        let command = self.request.step.command();
        RotationLine::line(command, (*authority, *number), (old, new), details, self.request.run.now)
    }
}

/// The certificates that a record has.
pub(super) fn certificates(identities: &[Identity]) -> Vec<Certificate> {
    identities.iter().filter_map(|one| parse_authority(one.pem.as_bytes()).ok()?.into_iter().next()).collect()
}

/// The public keys that a record has.
pub(super) fn public_keys(identities: &[Identity]) -> Vec<Vec<u8>> {
    let keys = |one: &Identity| pem::read(one.pem.as_bytes()).map(|blocks| raw_key::public_keys(&blocks));
    identities.iter().filter_map(|one| keys(one).ok()).flatten().collect()
}
