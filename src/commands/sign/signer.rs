//! The signer: an authority of a tree under its lock, or one given by its files.

use super::jobs;
use crate::ca::Issuer;
use crate::catalog::CaId;
use crate::catalog::paths::DEFAULT_CERTIFICATES_DIR;
use crate::error::{self, Error};
use crate::plan::renew::refusal;
use crate::plan::signer_file::elsewhere;
use crate::tree::{Issuers, Place};
use crate::workspace::rotation::state;
use crate::workspace::{Locked, Session, Snapshot, signer_file, survey};
use crate::x509::{Certificate, parse_pem_bundle};
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
    /// Locks the tree if its authority signs.
    pub fn open(by_files: Option<Issuer>, session: Option<&'a Session<'a>>) -> Result<Self, Error> {
        let mut signer = Self { by_files, session, locked: None, snapshot: None, issuers: Issuers::default() };
        let Some(session) = session else { return Ok(signer) };
        if signer.by_files.is_some() || session.run.dry_run {
            if signer.by_files.is_none() {
                state::settled(session)?;
            }
            signer.snapshot = Some(session.peek()?);
            return Ok(signer);
        }
        let locked = session.lock()?;
        let (snapshot, issuers) = session.read(&locked)?;
        state::settled(session)?;
        Ok(Self { locked: Some(locked), snapshot: Some(snapshot), issuers, ..signer })
    }

    pub const fn is_tree(&self) -> bool {
        self.by_files.is_none()
    }

    pub fn issuer(&self, authority: CaId) -> Option<&Issuer> {
        self.by_files.as_ref().or_else(|| self.issuers.get(authority))
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

/// An authority whose certificate and key were named on the command line.
pub fn issuer_of((certificate, key): &(PathBuf, PathBuf)) -> Result<Issuer, Error> {
    let unusable = |why: String| {
        Error::new(format!("cannot sign with {}", certificate.display()))
            .because(why)
            .hint("give the certificate of an authority, first in its file, and its key")
    };
    let bundle = parse_pem_bundle(&survey::input(certificate, jobs::LARGEST)?);
    let bundle = bundle.map_err(|why| unusable(why.to_string()))?;
    Issuer::new(bundle, survey::key(key)?).map_err(|why| unusable(why.to_string()))
}
