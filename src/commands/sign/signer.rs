//! The signer: an authority of a tree under its lock, or one given by its files.

use super::jobs;
use crate::ca::{CaError, Issuer};
use crate::catalog::CaId;
use crate::catalog::paths::DEFAULT_CERTIFICATES_DIR;
use crate::error::{self, Error};
use crate::keys::{AloneKey, GivenKey, KeyArgs, Why};
use crate::plan::renew::refusal;
use crate::plan::signer_file::elsewhere;
use crate::tree::{Authority, Issuers, Place};
use crate::workspace::rotation::state;
use crate::workspace::{Locked, Session, Snapshot, signer_file, survey};
use crate::x509::{Certificate, parse_pem_bundle};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The source of the authority.
pub struct Signer<'a> {
    /// Its files were given on the command line.
    pub by_files: Option<Issuer>,
    /// The tree, if it is needed for the authority or for the entry.
    pub session: Option<&'a Session<'a>>,
    pub locked: Option<Locked<'a>>,
    pub snapshot: Option<Snapshot>,
    pub issuers: Issuers,
}

impl<'a> Signer<'a> {
    /// Without a lock.
    pub fn look(by_files: Option<Issuer>, session: Option<&'a Session<'a>>) -> Result<Self, Error> {
        let mut signer = Self { by_files, session, locked: None, snapshot: None, issuers: Issuers::default() };
        let Some(session) = session else { return Ok(signer) };
        if signer.is_tree() {
            state::settled(session)?;
        }
        signer.snapshot = Some(session.peek()?);
        Ok(signer)
    }

    /// Opens the key that signs, and locks the tree if it is its authority's. `recovered`: what an interrupted run has written.
    pub fn locked(self, authority: CaId, recovered: Vec<PathBuf>) -> Result<Self, Error> {
        if let Some(issuer) = &self.by_files {
            issuer.signer().ready().map_err(CaError::Signer)?;
            return Ok(self);
        }
        let Some(session) = self.session else { return Ok(self) };
        let locked = session.lock_to_sign(BTreeSet::from([authority]))?.after(recovered);
        let (snapshot, issuers) = session.read(&locked)?;
        state::settled(session)?;
        Ok(Self { locked: Some(locked), snapshot: Some(snapshot), issuers, ..self })
    }

    pub const fn is_tree(&self) -> bool {
        self.by_files.is_none()
    }

    /// A key that is not open signs nothing in a dry run.
    pub fn issuer(&self, authority: CaId, is_dry: bool) -> Option<&Issuer> {
        let is_used = |issuer: &&Issuer| !is_dry || issuer.signer().private_key().is_some();
        if let Some(issuer) = &self.by_files {
            return Some(issuer).filter(is_used);
        }
        self.issuers.get(authority)
    }

    /// Which certificate the kube-controller-manager of a new authority's cluster signs with. Below an authority given by its
    /// files, the tree is that cluster's.
    pub fn signer_file(&self) -> Result<Vec<String>, Error> {
        let (Some(session), Some(issuer)) = (self.session, &self.by_files) else {
            return Ok(vec![elsewhere(DEFAULT_CERTIFICATES_DIR)]);
        };
        let bases = session.signing_bases();
        let written: Vec<Place> = bases.iter().map(|base| session.tree.directories.signer_file(base)).collect();
        let certificates = 2 + issuer.chain().len();
        signer_file::notices(&session.tree, session.profile(), &bases, certificates, &written)
    }

    /// The certificate of the authority that signs.
    pub fn certificate(&self, id: CaId) -> Result<&Certificate, Error> {
        if let Some(issuer) = &self.by_files {
            return Ok(issuer.certificate());
        }
        let session = self.session.ok_or_else(no_authority)?;
        let state = self.snapshot.as_ref().and_then(|snapshot| snapshot.authorities.get(&id));
        if let Some(refusal) = state.and_then(|state| refusal(id, state, session.run.now)) {
            let refused = Err(error::refused(&session.target.origin, &[refusal]));
            // Of a dry run an interrupted run may be the cause.
            return if session.run.dry_run { session.tree.or_interrupted(refused) } else { refused };
        }
        if let Some(Authority::Closed(_, why)) = state {
            return Err(error::closed(id, why));
        }
        let local = state.filter(|state| state.is_local()).and_then(|state| state.certificate());
        local.ok_or_else(|| {
            Error::new(format!("the key of {} is not in {}", id.name(), session.target.root.display()))
                .hint("sign on the host that has it, or give certificate and key with --ca-cert and --ca-key")
        })
    }
}

pub fn no_authority() -> Error {
    Error::usage("no authority was given").hint("give one with --dir, or with --ca-cert and --ca-key")
}

/// An authority whose certificate and key were named on the command line. An encrypted key is opened when it signs.
pub fn issuer_of((certificate, key): &(PathBuf, GivenKey), args: &KeyArgs) -> Result<Issuer, Error> {
    let unusable = |why: String| {
        Error::new(format!("cannot sign with {}", certificate.display()))
            .because(why)
            .hint("give the certificate of an authority, first in its file, and its key")
    };
    let bundle = parse_pem_bundle(&survey::input(certificate, jobs::LARGEST)?);
    let bundle = bundle.map_err(|why| unusable(why.to_string()))?;
    let first = bundle.first().ok_or_else(|| unusable(CaError::EmptyBundle.to_string()))?;
    let signer = AloneKey::signer(key, first, args).map_err(|why| unfit(key, why))?;
    Issuer::by(bundle, signer).map_err(|why| unusable(why.to_string()))
}

fn unfit(key: &GivenKey, why: Why) -> Error {
    match (key, why) {
        (_, Why::File(why)) => why.into(),
        (GivenKey::File(path), Why::Key(why)) => survey::unfit_key(path, &why),
        (GivenKey::File(path), why) => Error::new(format!("cannot use the key in {}", path.display())).because(why),
        (GivenKey::Pem(_), why) => Error::new("cannot use the key of --ca-key").because(why),
    }
}
