//! Resolve, evaluate, make, commit.

use super::elsewhere;
use super::manifests::manifests;
use super::request::{Outcome, Request};
use super::wanted::Wanted;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::files;
use crate::plan::renew::{self as plan, CsrDecision, Skipped};
use crate::report::facts::requested;
use crate::report::requests::{RequestEntry, Requests, Verb};
use crate::tree::EntryId;
use crate::workspace::requests::{self, CsrSpec, Made, Site};
use crate::workspace::{Absent, Progress, Session, Snapshot, Transaction, TreeDir, survey, targets};

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
    let signers = elsewhere::signers(&site, &checked(&session, request)?)?;
    let signers = Some(signers).filter(|signers| !run.dry_run && !signers.is_empty());
    let is_there = files::what(None, &session.tree.roots.main).is_some();
    let signing = match signers {
        Some(signers) if is_there => Some(session.lock_to_sign(signers)?),
        Some(signers) => {
            session.tree.ask_passphrases(&signers)?;
            None
        }
        None => None,
    };
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
    let wanted = checked(&session, request)?;
    let mut key = request.key.as_deref().map(survey::key).transpose()?;
    let (mut specs, mut of_signers, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for one in &wanted {
        match (&one.template, &one.by) {
            (Ok(template), Some(by)) => {
                match elsewhere::request(&session, &site, (one, template), by, opened.as_ref())? {
                    Ok(one) => of_signers.push(one),
                    Err(row) => rows.push(row),
                }
            }
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

fn checked(session: &Session<'_>, request: &Request) -> Result<Vec<Wanted>, Error> {
    let wanted = wanted(session, request)?;
    match (&request.key, wanted.as_slice()) {
        (Some(_), [_, _, ..]) => Err(Error::usage("--key is for one entry, and several were named")
            .hint("name one entry, as NODE/NAME in a cluster directory")),
        _ => Ok(wanted),
    }
}

/// Credentials by name, and authorities.
fn wanted(session: &Session<'_>, request: &Request) -> Result<Vec<Wanted>, Error> {
    let names = &request.names;
    let (authorities, credentials): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| CaId::parse(name).is_some());
    let snapshot = session.peek()?;
    let mut wanted = Vec::new();
    if names.is_empty() || !credentials.is_empty() {
        let names: Vec<String> = credentials.into_iter().cloned().collect();
        wanted.extend(of_credentials(session, &snapshot, &names)?);
    }
    for authority in authorities.iter().filter_map(|name| CaId::parse(name)) {
        let (public, private) = session.tree.directories.authority(authority);
        let (profile, now) = (session.profile(), session.run.now);
        let template = plan::ask_authority(authority, &public, &snapshot.survey, profile, now).map(Box::new);
        let by = if request.key.is_none() { elsewhere::key_of(session, &snapshot, authority)? } else { None };
        wanted.push(Wanted { id: EntryId::new(None, authority.name()), public, private, template, by });
    }
    Ok(wanted)
}

fn of_credentials(session: &Session<'_>, snapshot: &Snapshot, names: &[String]) -> Result<Vec<Wanted>, Error> {
    let rules = session.identity_rules(names.iter().any(|name| EntryId::whole_node(name).is_none()));
    let mut wanted = Vec::new();
    for credential in session.select(names)? {
        let (authorities, survey) = (&snapshot.authorities, &snapshot.survey);
        let template = match plan::ask(&credential, &session.credentials, authorities, survey, &rules) {
            CsrDecision::Absent => continue,
            CsrDecision::CsrTemplate(template) => Ok(template),
            CsrDecision::Skipped(skipped) => Err(skipped),
        };
        wanted.push(Wanted {
            id: credential.id,
            public: credential.public,
            private: credential.private,
            template,
            by: None,
        });
    }
    Ok(wanted)
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
            skipped => error::left(skipped, &id, &session.target.origin, false),
        }],
        ..RequestEntry::default()
    }
}
