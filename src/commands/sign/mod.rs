//! `kpki sign`: certificates for other people's requests. Read, judge all, sign in memory, journal, write.

mod cfssl;
mod jobs;
mod terms;

use std::path::{Path, PathBuf};

use crate::ca::{self, Issuer, Signed};
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::blueprints::Bounds;
use crate::plan::renew::refusal;
use crate::plan::sign::{self as plan, CaConstraints, Dates, Grant, Stated};
use crate::report::Facts;
use crate::report::facts::{facts, of_blueprint, requested};
use crate::report::requests::{RequestEntry, Requests, Verb};
use crate::store;
use crate::tree::Issuers;
use crate::workspace::{Absent, Locked, RunArgs, Session, Snapshot, Transaction, TreeArgs, journal, survey, targets};
use crate::x509::{Certificate, parse_pem_bundle};
use jobs::Job;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub files: Vec<PathBuf>,
    /// They are cfssl's JSON, and get a key each.
    pub csr_json: bool,
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Certificate and key of the signer, in place of the tree's.
    pub authority_files: Option<(PathBuf, PathBuf)>,
    /// Which of the tree's authorities signs, where no entry says it.
    pub signer: CaId,
    /// `--as`.
    pub entry: Option<String>,
    pub stated: Stated,
    /// `--ca`.
    pub authority: Option<CaConstraints>,
    pub validity: Option<time::Duration>,
    pub out: Option<PathBuf>,
}

/// The report, and what goes to standard output.
#[derive(Debug)]
pub struct Outcome {
    pub report: Requests,
    /// `--out -`: the certificates.
    pub text: Option<String>,
}

/// Where the authority comes from.
struct Signer<'a> {
    /// Its files were named on the command line.
    by_files: Option<Issuer>,
    /// The tree, as far as it is needed: for the authority, or for what an entry is to be.
    session: Option<&'a Session<'a>>,
    locked: Option<Locked<'a>>,
    snapshot: Option<Snapshot>,
    issuers: Issuers,
}

/// Signs every request, or none, and says exactly why not.
pub fn run(request: &Request) -> Result<Outcome, Error> {
    let by_files = request.authority_files.as_ref().map(issuer_of).transpose()?;
    let target = match by_files.is_none() || request.entry.is_some() {
        true => Some(targets::one(&request.trees)?),
        false => None,
    };
    let session = match &target {
        Some((target, _)) => Some(Session::open(&request.trees, &request.run, target, Absent::Planned)?),
        None => None,
    };
    let signer = Signer::open(by_files, session.as_ref())?;
    let agreed = terms::agree(request, session.as_ref().zip(signer.snapshot.as_ref()))?;
    let jobs = jobs::read(request)?;
    if agreed.entry.is_some() && jobs.len() > 1 {
        return Err(Error::usage("--as is for one request, and several were given").hint("sign them one by one"));
    }
    let authority = signer.certificate(agreed.authority)?;
    if !authority.is_valid_at(request.run.now) {
        return Err(Error::new(format!("the authority {} is not valid now", authority.subject))
            .hint("check the clock; what an expired authority signs is accepted by nobody"));
    }
    let dates = Dates { now: request.run.now, validity: request.validity, signer: Bounds::of(authority) };
    let (mut grants, mut declined) = (Vec::new(), Vec::new());
    for job in &jobs {
        match plan::grant(&job.request, &agreed.terms, request.authority.as_ref(), dates) {
            Ok(grant) => grants.push(grant),
            Err(why) => declined.push((job.file.display().to_string(), why)),
        }
    }
    if !declined.is_empty() {
        return Err(error::declined(&declined));
    }
    let to_stdout = request.out.as_deref() == Some(Path::new("-"));
    let (mut written, mut entries, mut lines, mut text) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    for (job, grant) in jobs.iter().zip(&grants) {
        let name = agreed.entry.clone().unwrap_or_else(|| job.name.clone());
        let (says, pem) = match signer.issuer(agreed.authority) {
            // A dry run has no key to sign with.
            None => (of_blueprint(&grant.blueprint, &authority.subject), String::new()),
            Some(issuer) => {
                let signed = ca::issue(&grant.blueprint, &job.request.spki_der, issuer)?;
                if request.authority.is_none() {
                    ca::accepted(&signed, issuer, request.run.now)?;
                }
                lines.push(journal::line("sign", &name, &signed.certificate, request.run.now));
                (facts(&signed.certificate), with_chain(&signed, issuer, signer.is_tree(), request))
            }
        };
        let outs = if to_stdout { Vec::new() } else { jobs::outs(request, job, jobs.len(), &pem)? };
        let paths = outs.iter().map(|(path, ..)| path.display().to_string()).collect();
        entries.push(entry(name, job, grant, says, paths));
        written.extend(outs);
        text.push_str(&pem);
    }
    let mut warnings = target.as_ref().map_or(Vec::new(), |(_, warnings)| warnings.clone());
    for (job, grant) in jobs.iter().zip(&grants).filter(|(_, grant)| grant.shortened.is_some()) {
        let at = crate::clock::rfc3339(grant.blueprint.not_after);
        warnings.push(format!("{}: cut to the authority's end at {at}", job.file.display()));
    }
    if !request.run.dry_run {
        // A certificate is in the journal before anybody has it.
        if let Some(locked) = &signer.locked {
            locked.commit("sign", request.run.now, Transaction { journal: lines, ..Transaction::default() })?;
        }
        for (path, mode, bytes) in &written {
            store::replace_file(path, bytes, *mode)?;
        }
    }
    let report = Requests {
        verb: Verb::Sign,
        directory: signer.session.filter(|_| signer.is_tree()).map(|session| session.names().0),
        dry_run: request.run.dry_run,
        generation: None,
        entries,
        restart: Vec::new(),
        warnings,
    };
    Ok(Outcome { report, text: (to_stdout && !request.run.dry_run).then_some(text) })
}

impl<'a> Signer<'a> {
    /// Locks the tree where its authority is to sign.
    fn open(by_files: Option<Issuer>, session: Option<&'a Session<'a>>) -> Result<Self, Error> {
        let mut signer = Self { by_files, session, locked: None, snapshot: None, issuers: Issuers::default() };
        let Some(session) = session else { return Ok(signer) };
        if signer.by_files.is_some() || session.run.dry_run {
            signer.snapshot = Some(session.peek()?);
            return Ok(signer);
        }
        let locked = session.lock()?;
        let (snapshot, issuers) = session.read(&locked)?;
        Ok(Self { locked: Some(locked), snapshot: Some(snapshot), issuers, ..signer })
    }

    const fn is_tree(&self) -> bool {
        self.by_files.is_none()
    }

    fn issuer(&self, authority: CaId) -> Option<&Issuer> {
        self.by_files.as_ref().or_else(|| self.issuers.get(authority))
    }

    /// The certificate of the authority that signs, whose key is here.
    fn certificate(&self, id: CaId) -> Result<&Certificate, Error> {
        if let Some(issuer) = &self.by_files {
            return Ok(issuer.certificate());
        }
        let session = self.session.ok_or_else(no_authority)?;
        let state = self.snapshot.as_ref().and_then(|snapshot| snapshot.authorities.get(&id));
        if let Some(refusal) = state.and_then(|state| refusal(id, state, session.run.now)) {
            return Err(error::refused(&session.target.root, &[refusal]));
        }
        let local = state.filter(|state| state.is_local()).and_then(|state| state.certificate());
        local.ok_or_else(|| {
            Error::new(format!("the key of {} is not in {}", id.name(), session.target.root.display()))
                .hint("sign where it is, or give both with --ca-cert and --ca-key")
        })
    }
}

fn no_authority() -> Error {
    Error::usage("no authority was given").hint("give one with --dir, or with --ca-cert and --ca-key")
}

/// An authority whose certificate and key were named on the command line.
fn issuer_of((certificate, key): &(PathBuf, PathBuf)) -> Result<Issuer, Error> {
    let unusable = |why: String| {
        Error::new(format!("cannot sign with {}", certificate.display()))
            .because(why)
            .hint("give the certificate of an authority, first in its file, and its key")
    };
    let bundle = parse_pem_bundle(&survey::input(certificate, jobs::LARGEST)?);
    let bundle = bundle.map_err(|why| unusable(why.to_string()))?;
    Issuer::new(bundle, survey::key(key)?).map_err(|why| unusable(why.to_string()))
}

/// What goes with the certificate: below an intermediate, its chain; an authority's file is the bundle others will trust.
fn with_chain(signed: &Signed, issuer: &Issuer, in_tree: bool, request: &Request) -> String {
    let chain = std::iter::once(issuer.certificate()).chain(issuer.chain());
    let is_needed = |one: &&Certificate| match (&request.authority, in_tree) {
        (Some(_), _) => true,
        (None, false) => !one.is_self_issued(),
        // Everybody trusts the tree's own ca.crt.
        (None, true) => false,
    };
    std::iter::once(signed.pem.clone()).chain(chain.filter(is_needed).map(Certificate::to_pem)).collect()
}

fn entry(name: String, job: &Job, grant: &Grant, facts: Facts, paths: Vec<String>) -> RequestEntry {
    RequestEntry {
        name,
        action: "sign",
        algorithm: Some(job.request.key.to_string()),
        asked: Some(requested(&job.request)),
        facts: Some(facts),
        refused: grant.refused.iter().map(error::denied_attribute).collect(),
        added: grant.added.iter().map(ToString::to_string).collect(),
        paths,
        ..RequestEntry::default()
    }
}
