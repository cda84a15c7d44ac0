//! `kpki csr`: keys and signing requests for an authority whose key is not here. Resolve, look, ask, publish.

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::commands::renew::Request as Looking;
use crate::commands::renew::tree::Tree;
use crate::commands::requests::{self, CsrSpec, Made, Site};
use crate::commands::targets::{self, Target, TargetQuery};
use crate::commands::{Progress, journal, survey};
use crate::error::{self, Error};
use crate::files::{self, FileState};
use crate::plan::layout::Place;
use crate::plan::renew::{self as plan, CsrDecision, CsrTemplate, Skipped};
use crate::report::requests::{RequestEntry, RequestedFacts, Requests, Verb};
use crate::store::{self, Commit, FileChange, Locking, TreeLock};
use crate::x509;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Empty: all.
    pub names: Vec<String>,
    pub dir: Option<PathBuf>,
    pub profile: Option<PathBuf>,
    pub node: Option<String>,
    pub kubelet_dir: Option<PathBuf>,
    pub hostname: Option<String>,
    /// In place of `DIR/.kpki/requests`.
    pub out: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub dry_run: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
    pub threads: usize,
}

/// One entry that was asked for.
struct Wanted {
    node: Option<String>,
    name: String,
    public: Place,
    private: Option<Place>,
    asked: Result<Box<CsrTemplate>, Skipped>,
}

/// Writes the requests, or says exactly why not.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<Requests, Error> {
    let (target, warnings) = target(request)?;
    let (authorities, names): (Vec<&String>, Vec<&String>) =
        request.names.iter().partition(|name| CaId::parse(name).is_some());
    let looking = Looking {
        names: names.into_iter().cloned().collect(),
        node: request.node.clone(),
        hostname: request.hostname.clone(),
        ..Looking::looking(request.now)
    };
    let tree = Tree::open(&looking, &target)?;
    let site = match &request.out {
        Some(out) => Site::out(out),
        None => Site::Tree(tree.roots.clone()),
    };
    let hold = match request.dry_run || files::what(None, &site.roots().main).is_none() {
        true => None,
        false => Some(TreeLock::acquire_and_recover(site.roots(), request.lock_wait)?.0),
    };
    let mut wanted = Vec::new();
    if request.names.is_empty() || !looking.names.is_empty() {
        wanted.extend(credentials(&tree)?);
    }
    wanted.extend(of_authorities(&tree, &authorities, request.now)?);
    if let (Some(_), [_, _, ..]) = (&request.key, wanted.as_slice()) {
        return Err(Error::usage("--key is for one entry, and several were named")
            .hint("name one entry, as NODE/NAME in a cluster directory"));
    }
    let mut key = request.key.as_deref().map(read_key).transpose()?;
    let specs = wanted.iter().filter_map(|one| Some((one, one.asked.as_ref().ok()?)));
    let specs = specs.map(|(one, ask)| CsrSpec {
        node: one.node.as_deref(),
        name: &one.name,
        public: &one.public,
        private: one.private.as_ref(),
        ask,
        key: key.take(),
    });
    let made = requests::make(&site, specs.collect(), request.threads, progress)?;
    let mut entries: Vec<RequestEntry> = made.iter().map(entry).collect();
    entries.extend(wanted.iter().filter_map(left));
    let changes: Vec<FileChange> = made.into_iter().flat_map(|made| made.changes).collect();
    if !request.dry_run && !changes.is_empty() {
        let stamp = journal::generation("csr", request.now);
        store::publish(&Commit {
            roots: site.roots(),
            changes,
            removals: Vec::new(),
            journal: Vec::new(),
            note: None,
            keep_generations: None,
            dir_mode: 0o755,
            generation: &stamp,
            locking: hold.as_ref().map_or(Locking::Wait(request.lock_wait), Locking::Held),
        })?;
    }
    let directory = Some(site.roots().main.display().to_string());
    Ok(Requests {
        verb: Verb::Csr,
        directory,
        dry_run: request.dry_run,
        generation: None,
        entries,
        restart: Vec::new(),
        warnings,
    })
}

fn target(request: &Request) -> Result<(Target, Vec<String>), Error> {
    let (paths, profiles): (Vec<PathBuf>, Vec<PathBuf>) =
        (request.dir.iter().cloned().collect(), request.profile.iter().cloned().collect());
    one_target(&paths, &profiles, request.kubelet_dir.as_deref(), request.hostname.as_deref())
}

/// The one tree that a command line names.
pub fn one_target(
    paths: &[PathBuf],
    profiles: &[PathBuf],
    kubelet_dir: Option<&std::path::Path>,
    hostname: Option<&str>,
) -> Result<(Target, Vec<String>), Error> {
    let targets::Resolved { targets, warnings } =
        targets::resolve(&TargetQuery { paths, profiles, fleet: None, kubelet_dir, hostname })?;
    let target = targets.into_iter().next();
    Ok((target.ok_or_else(|| Error::usage("no tree was named").hint("give one with --dir"))?, warnings))
}

fn credentials(tree: &Tree<'_>) -> Result<Vec<Wanted>, Error> {
    let (survey, signers) = tree.read()?;
    let rules = tree.rules();
    let mut wanted = Vec::new();
    for credential in &tree.credentials {
        let asked = match plan::ask(credential, &tree.all, &signers, &survey, &rules) {
            CsrDecision::Absent => continue,
            CsrDecision::CsrTemplate(ask) => Ok(ask),
            CsrDecision::Skipped(left) => Err(left),
        };
        wanted.push(Wanted {
            node: credential.node.clone(),
            name: credential.name.clone(),
            public: credential.public.clone(),
            private: credential.private.clone(),
            asked,
        });
    }
    Ok(wanted)
}

fn of_authorities(tree: &Tree<'_>, names: &[&String], now: OffsetDateTime) -> Result<Vec<Wanted>, Error> {
    let mut wanted = Vec::new();
    for authority in names.iter().filter_map(|name| CaId::parse(name)) {
        let (public, private) = plan::authority_places(authority, &tree.directories);
        let survey = survey::survey(&tree.roots, std::iter::once(&public))?;
        let asked = plan::ask_authority(authority, &public, &survey, tree.target.profile.as_ref(), now).map(Box::new);
        wanted.push(Wanted { node: None, name: authority.name().to_owned(), public, private, asked });
    }
    Ok(wanted)
}

/// A key a person named.
pub fn read_key(path: &std::path::Path) -> Result<PrivateKey, Error> {
    match files::read_input(path, 1 << 20)? {
        FileState::Missing => Err(files::FileError::new(files::Op::Read, path, files::Kind::Missing).into()),
        FileState::File { bytes, .. } => PrivateKey::from_pem(&bytes).map_err(|why| {
            Error::new(format!("cannot use the key in {}", path.display()))
                .because(why)
                .hint("give an unencrypted PEM key: PKCS#1, SEC1 or PKCS#8")
        }),
    }
}

/// The row of a request.
pub fn entry(made: &Made) -> RequestEntry {
    RequestEntry {
        node: made.node.clone(),
        name: made.name.clone(),
        action: if made.is_kept { "keep" } else { "request" },
        algorithm: Some(made.request.key.to_string()),
        asked: Some(asks(&made.request)),
        reasons: (made.is_old_key && !made.is_kept)
            .then(|| "for the key that was there".to_owned())
            .into_iter()
            .collect(),
        paths: made.paths.iter().map(|path| path.display().to_string()).collect(),
        ..RequestEntry::default()
    }
}

/// What a request asks for, as reports show it.
pub fn asks(request: &x509::Request) -> RequestedFacts {
    RequestedFacts {
        subject: request.subject.to_string(),
        sans: request.sans.iter().map(ToString::to_string).collect(),
        usages: request.extended_key_usages.iter().map(|usage| usage.name().to_owned()).collect(),
        authority: request.is_ca,
    }
}

fn left(one: &Wanted) -> Option<RequestEntry> {
    let left = one.asked.as_ref().err()?;
    let id = one.node.as_ref().map_or_else(|| one.name.clone(), |node| format!("{node}/{}", one.name));
    Some(RequestEntry {
        node: one.node.clone(),
        name: one.name.clone(),
        action: if left.is_gap() { "left" } else { "skip" },
        reasons: vec![match left {
            Skipped::NotReplenished => format!("it is not here; ask for it by name: kpki csr {id}"),
            left => error::left(left, &id),
        }],
        ..RequestEntry::default()
    })
}
