//! `kpki csr`: keys and signing requests for external authorities. Resolve, evaluate, make, commit.

use std::path::PathBuf;

use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::files;
use crate::plan::certificate_request::{self, Asked, Issuer};
use crate::plan::renew::{self as plan, CsrDecision, CsrTemplate, Skipped};
use crate::report::facts::requested;
use crate::report::requests::{RequestEntry, Requests, Verb};
use crate::tree::{EntryId, Place};
use crate::workspace::requests::{self, CsrSpec, Made, Site};
use crate::workspace::{Absent, Progress, RunArgs, Session, Snapshot, Transaction, TreeArgs, TreeDir, survey, targets};

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

/// One named entry.
struct Wanted {
    id: EntryId,
    public: Place,
    private: Option<Place>,
    template: Result<Box<CsrTemplate>, Skipped>,
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
    let locked = match run.dry_run {
        true => {
            warnings.extend(session.tree.left_by_interrupted()?);
            None
        }
        false if files::what(None, &tree.roots.main).is_some() => Some(tree.lock(run.lock_wait)?),
        false => Some(tree.lock_or_create(run.lock_wait)?),
    };
    let wanted = wanted(&session, &request.names)?;
    if let (Some(_), [_, _, ..]) = (&request.key, wanted.as_slice()) {
        return Err(Error::usage("--key is for one entry, and several were named")
            .hint("name one entry, as NODE/NAME in a cluster directory"));
    }
    let mut key = request.key.as_deref().map(survey::key).transpose()?;
    let specs = wanted.iter().filter_map(|one| Some((one, one.template.as_ref().ok()?)));
    let specs = specs.map(|(one, template)| CsrSpec {
        id: one.id.clone(),
        public: &one.public,
        private: one.private.as_ref(),
        template,
        key: key.take(),
    });
    let made = requests::make(&site, specs.collect(), run.threads, progress)?;
    let manifests = request.issuer.as_ref().map(|issuer| manifests(&made, &wanted, issuer)).transpose()?;
    let entries = made.iter().map(entry).chain(wanted.iter().filter_map(|one| skipped(one, &session))).collect();
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

/// Credentials by name, and authorities.
fn wanted(session: &Session<'_>, names: &[String]) -> Result<Vec<Wanted>, Error> {
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
        wanted.push(Wanted { id: EntryId::new(None, authority.name()), public, private, template });
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
        wanted.push(Wanted { id: credential.id, public: credential.public, private: credential.private, template });
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

fn skipped(one: &Wanted, session: &Session<'_>) -> Option<RequestEntry> {
    let skipped = one.template.as_ref().err()?;
    let id = one.id.to_string();
    Some(RequestEntry {
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
    })
}
