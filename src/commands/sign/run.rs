//! Read, judge all, sign in memory, journal, write.

use super::jobs::{self, Job, Place};
use super::request::Request;
use super::signer::{Signer, issuer_of};
use super::{judge, terms};
use crate::ca::{self, Issuer, Signed};
use crate::error::{self, Error};
use crate::plan::sign::Grant;
use crate::report::Facts;
use crate::report::facts::{facts, of_blueprint, requested};
use crate::report::requests::{RequestEntry, Requests, Verb};
use crate::tree::EntryId;
use crate::workspace::rotation::{record, remarks};
use crate::workspace::{Absent, Session, TreeDir, journal, targets};
use crate::x509::Certificate;

/// The report, and what goes to standard output.
#[derive(Debug)]
pub struct Outcome {
    pub report: Requests,
    /// `--out -`: the certificates.
    pub text: Option<String>,
}

/// Signs all requests, or none.
pub fn run(request: &Request) -> Result<Outcome, Error> {
    let by_files = request.authority_files.as_ref().map(|files| issuer_of(files, &request.trees.keys)).transpose()?;
    let target = match by_files.is_none() || request.entry.is_some() {
        true => Some(targets::one(&request.trees)?),
        false => None,
    };
    let session = match &target {
        Some((target, _)) => Some(Session::open(&request.trees, &request.run, target, Absent::Planned)?),
        None => None,
    };
    let is_dry = request.run.dry_run;
    let recovered = session.as_ref().filter(|_| by_files.is_none() && !is_dry);
    let recovered = recovered.map(|session| session.tree.recover(request.run.lock_wait)).transpose()?;
    let recovered = recovered.unwrap_or_default();
    let mut signer = Signer::look(by_files, session.as_ref())?;
    let place = Place::of(request);
    // It goes again if nothing comes to be in it.
    let _made = place.make_dir(request)?;
    // What is refused is refused before a lock, and before a key is opened.
    let mut agreed = terms::agree(request, session.as_ref().zip(signer.snapshot.as_ref()))?;
    let jobs = jobs::read(request)?;
    let mut grants = judge::all(request, &signer, &agreed, &jobs)?;
    // Without a tree, several outputs are one transaction in their own directory.
    let apart = Some(request).filter(|_| !signer.is_tree() && !is_dry).and_then(|request| place.home(request));
    let apart = apart.map(|home| TreeDir::plain(&home));
    // What an interrupted run is still to write there is told from what is in the way when that run is finished.
    if recovered.is_empty() && apart.is_none() {
        jobs.iter().try_for_each(|job| jobs::outs(&place, job, "").map(|_| ()))?;
    }
    if !is_dry {
        signer = signer.locked(agreed.authority, recovered)?;
    }
    let apart = apart.as_ref().map(|home| home.lock(request.run.lock_wait)).transpose()?;
    let locked = signer.locked.as_ref().or(apart.as_ref());
    let in_the_way = |error: Error| match locked {
        Some(locked) => locked.in_the_way(error),
        None => error,
    };
    if signer.locked.is_some() {
        agreed = terms::agree(request, session.as_ref().zip(signer.snapshot.as_ref()))?;
        grants = judge::all(request, &signer, &agreed, &jobs)?;
    }
    let authority = signer.certificate(agreed.authority)?;
    let to_stdout = matches!(place, Place::StandardOutput);
    let (mut written, mut entries, mut lines, mut text) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    for (job, grant) in jobs.iter().zip(&grants) {
        let name = agreed.entry.clone().unwrap_or_else(|| job.name.clone());
        let (says, pem) = match signer.issuer(agreed.authority, is_dry) {
            // A dry run has no key to sign with.
            None => (of_blueprint(&grant.blueprint, &authority.subject), String::new()),
            Some(issuer) => {
                let (blueprint, spki) = (&grant.blueprint, &job.request.spki_der);
                let signed = match request.authority {
                    None => ca::issue_for_peers(blueprint, spki, issuer, request.run.now)?,
                    Some(_) => ca::issue(blueprint, spki, issuer)?,
                };
                lines.push(journal::line("sign", &name, &signed.certificate, request.run.now));
                (facts(&signed.certificate), with_chain(&signed, issuer, signer.is_tree(), request))
            }
        };
        let outs = jobs::outs(&place, job, &pem).map_err(in_the_way)?;
        // The certificate, then what it was made from.
        let paths = outs.iter().rev().map(|out| out.path.display().to_string()).collect();
        entries.push(entry(name, job, grant, says, paths));
        written.extend(outs);
        text.push_str(&pem);
    }
    let mut warnings = target.as_ref().map_or(Vec::new(), |(_, warnings)| warnings.clone());
    if let Some(session) = session.as_ref().filter(|_| request.run.dry_run) {
        warnings.extend(session.tree.left_by_interrupted()?);
    }
    if let Some(session) = session.as_ref().filter(|_| signer.is_tree()) {
        let record = record::read(&session.tree.roots)?;
        warnings.extend(remarks::until_retired(&record, agreed.authority, &session.target.origin));
    }
    for (job, grant) in jobs.iter().zip(&grants).filter(|(_, grant)| grant.shortened.is_some()) {
        let at = crate::clock::rfc3339(grant.blueprint.not_after);
        warnings.push(format!("{}: shortened to the authority's notAfter {at}", job.file.display()));
    }
    if request.authority.is_some() && signer.is_tree() {
        warnings.push(format!(
            "an authority below {} may sign whatever {} may, any user and any server; --permit-dns and --permit-ip restrict names only",
            authority.subject, authority.subject
        ));
    }
    if request.authority.is_some() && matches!(request.entry.as_deref(), None | Some("ca")) {
        warnings.extend(signer.signer_file()?);
    }
    for (job, grant) in jobs.iter().zip(&grants) {
        let said = |one| format!("{}: granted as stated: {}", job.file.display(), error::meaning(one));
        warnings.extend(grant.meanings.iter().map(said));
    }
    jobs::check(&place, &written)?;
    if !request.run.dry_run {
        jobs::write(locked, request, lines, written)?;
    }
    let report = Requests {
        verb: Verb::Sign,
        directory: signer.session.filter(|_| signer.is_tree()).map(|session| session.names().0),
        dry_run: request.run.dry_run,
        entries,
        warnings,
        ..Requests::default()
    };
    Ok(Outcome { report, text: (to_stdout && !request.run.dry_run).then_some(text) })
}

/// The certificates after the leaf: below an intermediate, its chain; an authority's file is the bundle that others
/// trust.
fn with_chain(signed: &Signed, issuer: &Issuer, in_tree: bool, request: &Request) -> String {
    let chain = std::iter::once(issuer.certificate()).chain(issuer.chain());
    let is_needed = |one: &&Certificate| match (&request.authority, in_tree) {
        (Some(_), _) => true,
        (None, false) => !one.is_self_issued(),
        // Every reader trusts the tree's own ca.crt.
        (None, true) => false,
    };
    std::iter::once(signed.pem.clone()).chain(chain.filter(is_needed).map(Certificate::to_pem)).collect()
}

fn entry(name: String, job: &Job, grant: &Grant, facts: Facts, paths: Vec<String>) -> RequestEntry {
    RequestEntry {
        id: EntryId { node: None, name },
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
