//! Resolve, evaluate, make, commit.

use std::path::PathBuf;

use super::elsewhere;
use super::wanted::{self, Wanted};
use crate::error::{self, Error};
use crate::files;
use crate::plan::certificate_request::{self, Asked, Issuer};
use crate::plan::renew::Skipped;
use crate::report::facts::requested;
use crate::report::requests::{RequestEntry, Requests, Verb};
use crate::workspace::requests::{self, CsrSpec, Made, Site};
use crate::workspace::{Absent, Progress, RunArgs, Session, Transaction, TreeArgs, TreeDir, survey, targets};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Empty: all.
    pub names: Vec<String>,
    /// Instead of `DIR/.kpki/requests`.
    pub out: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Whom manifests for cert-manager ask.
    pub issuer: Option<Issuer>,
}

#[derive(Debug)]
pub struct Outcome {
    pub report: Requests,
    /// A manifest for each request, where an issuer was named.
    pub manifests: Option<String>,
}

/// Writes the requests.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<Outcome, Error> {
    if let Some(issuer) = &request.issuer {
        issuer.check().map_err(|why| {
            Error::usage(why.to_string()).hint("give the name that kubectl get issuers,clusterissuers -A shows")
        })?;
    }
    let run = &request.run;
    let (target, mut warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, run, &target, Absent::Planned)?;
    let (site, out) = match &request.out {
        Some(out) => (Site::out(out), Some(TreeDir::plain(out))),
        None => (Site::Tree(session.tree.roots.clone()), None),
    };
    let tree = out.as_ref().unwrap_or(&session.tree);
    if !run.dry_run && out.is_none() {
        session.tree.recover(run.lock_wait)?;
    }
    // Whose keys are needed is known before a lock.
    let signers = elsewhere::signers(&site, &wanted::of(&session, request)?)?;
    let signers = Some(signers).filter(|signers| !run.dry_run && !signers.is_empty());
    let signing = signers.map(|signers| session.lock_to_sign(signers)).transpose()?;
    let opened = signing.as_ref().map(|locked| session.read(locked)).transpose()?;
    let signing = signing.filter(|_| out.is_none());
    let locked = match run.dry_run {
        true => {
            warnings.extend(session.tree.left_by_interrupted()?);
            None
        }
        false if signing.is_some() => signing,
        false if files::what(None, &tree.roots.main).is_some() => Some(tree.lock(run.lock_wait)?),
        false => Some(tree.lock_or_create(run.lock_wait)?),
    };
    let wanted = wanted::of(&session, request)?;
    let mut key = request.key.as_deref().map(survey::key).transpose()?;
    let (mut specs, mut of_signers, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for one in &wanted {
        match (&one.template, &one.by) {
            (Ok(template), Some(by)) => match elsewhere::request(&site, one, template, by, opened.as_ref())? {
                Ok(one) => of_signers.push(one),
                Err(row) => rows.push(row),
            },
            (Ok(template), None) => specs.push(CsrSpec {
                id: one.id.clone(),
                public: &one.public,
                private: one.private.as_ref(),
                template,
                key: key.take(),
            }),
            (Err(why), _) => rows.push(skipped(one, why, &session)),
        }
    }
    let mut made = requests::make(&site, specs, run.threads, progress)?;
    made.extend(of_signers);
    let manifests = request.issuer.as_ref().map(|issuer| manifests(&made, &wanted, issuer)).transpose()?;
    let entries = made.iter().map(entry).chain(rows).collect();
    let changes: Vec<_> = made.into_iter().flat_map(|made| made.changes).collect();
    if let Some(locked) = locked.filter(|_| !changes.is_empty()) {
        locked.commit("csr", run.now, Transaction { changes, ..Transaction::default() })?;
    }
    let report = Requests {
        verb: Verb::Csr,
        directory: Some(site.roots().main.display().to_string()),
        tree: Some(session.target.origin.clone()),
        out: request.out.as_ref().map(|out| out.display().to_string()),
        dry_run: run.dry_run,
        entries,
        warnings,
        ..Requests::default()
    };
    Ok(Outcome { report, manifests })
}

/// One document for each request, those that waited already too.
fn manifests(made: &[Made], wanted: &[Wanted], issuer: &Issuer) -> Result<String, Error> {
    let mut documents = Vec::with_capacity(made.len());
    for one in made {
        let of_it = wanted.iter().find(|wanted| wanted.id == one.id);
        let Some(template) = of_it.and_then(|wanted| wanted.template.as_ref().ok()) else { continue };
        let asked = Asked { id: &one.id, request: &one.request, lifetime: template.lifetime };
        let manifest = certificate_request::manifest(asked, issuer).map_err(|why| {
            Error::new(why.to_string()).hint("leave it out, and have the owner of its authority sign the .csr file")
        })?;
        documents.push(manifest);
    }
    Ok(documents.join("---\n"))
}

/// The row of a request.
fn entry(made: &Made) -> RequestEntry {
    let of_old_key = made.is_old_key && !made.is_kept;
    RequestEntry {
        id: made.id.clone(),
        action: if made.is_kept { "keep" } else { "request" },
        algorithm: Some(made.request.key.to_string()),
        asked: Some(requested(&made.request)),
        reasons: of_old_key.then(|| "for the existing key".to_owned()).into_iter().collect(),
        paths: made.paths.iter().map(|path| path.display().to_string()).collect(),
        ..RequestEntry::default()
    }
}

fn skipped(one: &Wanted, skipped: &Skipped, session: &Session<'_>) -> RequestEntry {
    let id = one.id.to_string();
    RequestEntry {
        id: one.id.clone(),
        action: if skipped.is_gap() { "left" } else { "skip" },
        reasons: vec![match skipped {
            Skipped::NotReplenished => {
                let request = session.target.origin.command("csr", &[&id], &[]);
                format!("it does not exist; request it by name: {request}")
            }
            skipped => error::left(skipped, &id, &session.target.origin),
        }],
        ..RequestEntry::default()
    }
}
