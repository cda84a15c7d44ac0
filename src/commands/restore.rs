//! `kpki history` and `kpki restore`: the generations a tree keeps, and going back to one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::commands::init::state::{self, State};
use crate::commands::restarts::restarts;
use crate::commands::{journal, place, profile as profiles, survey, targets};
use crate::error::Error;
use crate::files::RelPath;
use crate::kubeconfig::{self, Credentials};
use crate::plan::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, Place, Root};
use crate::plan::renew::authority_places;
use crate::plan::restore as plan;
use crate::profile::{Profile, RENEWAL};
use crate::report::history::{Generation, History, Restored};
use crate::store::{self, Commit, FileChange, Locking, PriorFile, RootId, Roots, StoreError, TreeLock};
use crate::x509::{Certificate, parse_pem_bundle};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub dir: PathBuf,
    pub kubelet_dir: Option<PathBuf>,
    /// `None`: the newest.
    pub generation: Option<String>,
    pub dry_run: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
}

/// Every generation, the newest first.
pub fn history(dir: &Path, kubelet_dir: Option<&Path>) -> Result<History, Error> {
    let roots = roots(dir, kubelet_dir)?;
    let generations = store::generations(&roots)?.iter().map(shown).collect();
    Ok(History { directory: dir.display().to_string(), generations })
}

fn shown(generation: &store::Generation) -> Generation {
    let note = |key: &str| generation.note.as_ref().and_then(|note| note.get(key));
    let (stamp, verb) = generation.name.split_once('-').unwrap_or((&generation.name, ""));
    let text = |key, fallback: &str| note(key).and_then(Value::as_str).unwrap_or(fallback).to_owned();
    let entries = note("entries").and_then(Value::as_array).into_iter().flatten();
    Generation {
        name: generation.name.clone(),
        time: text("time", stamp),
        command: text("command", verb.split('.').next().unwrap_or_default()),
        entries: entries.filter_map(Value::as_str).map(str::to_owned).collect(),
        replaced: generation.kept.iter().map(|(_, path)| path.to_string()).collect(),
        created: generation.created.iter().map(|(_, path)| path.to_string()).collect(),
    }
}

/// Puts the tree back as it was before a generation's command ran.
pub fn run(request: &Request) -> Result<Restored, Error> {
    let roots = roots(&request.dir, request.kubelet_dir.as_deref())?;
    if request.dry_run {
        let name = chosen(request, &roots)?;
        let left = lists_left(&roots, &name)?;
        let all = store::before_of(&roots, &name, is_restored)?;
        let warnings = verified(request, &roots, &all)?;
        let was = changed(&roots, all)?;
        return Ok(Restored { warnings, ..restored(&request.dir, &roots, &name, &was, None, left) });
    }
    if survey::open(&request.dir.join(".kpki/generations"))?.is_none() {
        return Err(none(&request.dir));
    }
    let (hold, _) = TreeLock::acquire_and_recover(&roots, request.lock_wait)?;
    let name = chosen(request, &roots)?;
    let left = lists_left(&roots, &name)?;
    let warnings = verified(request, &roots, &store::before_of(&roots, &name, is_restored)?)?;
    let (was, generation) = put_back(&roots, &hold, &name, keep(&request.dir), request.now)?;
    Ok(Restored { warnings, ..restored(&request.dir, &roots, &name, &was, generation, left) })
}

/// What is worth a warning about the tree as it would be. A pair of which one half would come back without the other, which
/// another program has replaced since, is refused.
fn verified(request: &Request, roots: &Roots, was: &[PriorFile]) -> Result<Vec<String>, Error> {
    let id = |root| match root {
        Root::Main => RootId::Main,
        Root::Kubelet => RootId::Kubelet,
    };
    let place = |one: &PriorFile| {
        let root = match one.root {
            RootId::Main => Root::Main,
            RootId::Kubelet => Root::Kubelet,
            RootId::State => return None,
        };
        Some(Place { root, path: one.path.to_string() })
    };
    let back: plan::Files = was
        .iter()
        .filter_map(|one| Some((place(one)?, one.content.as_ref().map(|(_, bytes)| bytes.clone()))))
        .collect();
    let profile = recorded(&request.dir);
    let pki = place::pki(profile.as_ref(), &request.dir).unwrap_or_else(|_| "pki".to_owned());
    let directories = place::directories(&request.dir, pki, None)?;
    let authorities = CaId::ALL.map(|authority| authority_places(authority, &directories).0);
    let mut there = plan::Files::new();
    for place in plan::siblings(back.keys()).iter().chain(back.keys()).chain(&authorities) {
        there.insert(place.clone(), survey::read(roots, id(place.root), &RelPath::parse(place.path.as_str())?)?);
    }
    let judgement = plan::judge(&back, &there, &authorities, request.now);
    match judgement.torn.as_slice() {
        [] => Ok(judgement.warnings),
        torn => Err(not_whole(request, roots, torn.iter().map(|place| (id(place.root), place.path.as_str())))),
    }
}

fn not_whole<'a>(request: &Request, roots: &Roots, torn: impl Iterator<Item = (RootId, &'a str)>) -> Error {
    let dir = request.dir.display();
    let mut error = Error::new(format!("going back would leave certificates in {dir} without their keys"));
    for (root, path) in torn {
        let shown = RelPath::parse(path).map_or_else(|_| path.into(), |below| roots.path_of(root, &below));
        error =
            error.because(format!("{} would not match the key beside it, which was replaced since", shown.display()));
        if let Some((node, name)) = entry(path) {
            let name = node.map_or(name.clone(), |node| format!("{node}/{name}"));
            error = error.hint(format!("make a new pair instead: kpki renew {name} --dir {dir}"));
        }
    }
    error.hint(format!("go back to a newer generation, which holds both halves: kpki history --dir {dir}"))
}

fn none(dir: &Path) -> Error {
    Error::new(format!("{} keeps no generation to go back to", dir.display()))
        .hint("check --dir: it is the directory that was given to init or renew")
}

fn chosen(request: &Request, roots: &Roots) -> Result<String, Error> {
    let all = store::generations(roots)?;
    let name = match &request.generation {
        None => newest(request, &all)?,
        Some(name) if all.iter().any(|one| one.name == *name) => name.clone(),
        Some(name) => {
            return Err(Error::usage(format!("there is no generation {name:?}"))
                .hint(format!("list them with: kpki history --dir {}", request.dir.display())));
        }
    };
    in_order(request, &all, &name)?;
    Ok(name)
}

/// Without its record nobody knows when a generation was made: what earlier ones made would be taken for newer, and removed.
fn in_order(request: &Request, all: &[store::Generation], name: &str) -> Result<(), Error> {
    let unplaced = |one: &&store::Generation| {
        let stamped = one.name.starts_with(|first: char| first.is_ascii_digit());
        let after_another = all.iter().any(|other| other.recorded && other.name < one.name);
        stamped && !one.recorded && after_another && *one.name >= *name
    };
    match all.iter().find(unplaced) {
        None => Ok(()),
        Some(damaged) => Err(Error::new(format!("cannot tell how the tree was before {name}"))
            .because(format!("the record of {} is missing or damaged", damaged.name))
            .hint(format!(
                "look into {}/.kpki/generations/{}: what was replaced lies there as it was",
                request.dir.display(),
                damaged.name
            ))),
    }
}

/// What is undone when nobody says what; not what only made files, such as the first `init`, of which nothing would be left.
fn newest(request: &Request, all: &[store::Generation]) -> Result<String, Error> {
    let newest = all.first().ok_or_else(|| none(&request.dir))?;
    in_order(request, all, &newest.name)?;
    if newest.kept.is_empty() && !newest.created.is_empty() {
        return Err(Error::new(format!("the newest generation {} replaced nothing", newest.name))
            .because(format!("going back would only remove the {} files it made", newest.created.len()))
            .hint(format!("name it if that is meant: kpki restore {} --dir {}", newest.name, request.dir.display())));
    }
    Ok(newest.name.clone())
}

/// An older revocation list would take revocations back and, with its lower number, be refused by whoever has seen the newer
/// one: lists only ever go forward.
fn is_restored(path: &RelPath) -> bool {
    !path.as_str().ends_with(".crl") && !path.as_str().ends_with(".crl.der")
}

/// The lists that a generation keeps, or that were made since, and that stay as they are.
fn lists_left(roots: &Roots, name: &str) -> Result<Vec<String>, Error> {
    let newer = store::generations(roots)?;
    let at = newer.iter().position(|one| one.name == name).map_or(0, |at| at.saturating_add(1));
    let mut left: Vec<String> = newer
        .iter()
        .take(at)
        .flat_map(|one| one.kept.iter().chain(&one.created))
        .map(|(_, path)| path)
        .filter(|path| !is_restored(path))
        .map(ToString::to_string)
        .collect();
    left.sort();
    left.dedup();
    Ok(left)
}

/// One transaction, which keeps what it replaces as a generation of its own. What was put back, and that generation.
pub fn put_back(
    roots: &Roots,
    hold: &TreeLock,
    name: &str,
    keep: usize,
    now: OffsetDateTime,
) -> Result<(Vec<PriorFile>, Option<String>), Error> {
    let mut was = changed(roots, store::before_of(roots, name, is_restored)?)?;
    if was.is_empty() {
        return Ok((was, None));
    }
    // A key and its certificate next to each other.
    was.sort_by(|a, b| (a.root, a.path.as_str()).cmp(&(b.root, b.path.as_str())));
    let mut lines = Vec::new();
    let mut entries = Vec::new();
    let (mut changes, mut removals) = (Vec::new(), Vec::new());
    for one in &was {
        match &one.content {
            None => removals.push((one.root, one.path.clone())),
            Some((mode, bytes)) => {
                if let Some(certificate) = certificate(bytes) {
                    lines.push(journal::line("restore", one.path.as_str(), &certificate, now));
                }
                changes.push(FileChange {
                    root: one.root,
                    path: one.path.clone(),
                    mode: *mode,
                    bytes: bytes.clone(),
                    replace: true,
                });
            }
        }
        entries.push(one.path.to_string());
    }
    let stamp = journal::generation("restore", now);
    let receipt = store::publish(&Commit {
        roots,
        changes,
        removals,
        journal: lines,
        note: Some(journal::note("restore", &entries, now)),
        keep_generations: Some(keep),
        dir_mode: 0o755,
        generation: &stamp,
        locking: Locking::Held(hold),
    })?;
    Ok((was, receipt.generation))
}

/// What lies there already stays as it is.
fn changed(roots: &Roots, was: Vec<PriorFile>) -> Result<Vec<PriorFile>, Error> {
    if roots.kubelet.is_none() && was.iter().any(|one| one.root == RootId::Kubelet) {
        return Err(StoreError::NoKubeletRoot.into());
    }
    let mut changed = Vec::new();
    for one in was {
        let now = survey::read(roots, one.root, &one.path)?;
        if now.as_deref() != one.content.as_ref().map(|(_, bytes)| &**bytes) {
            changed.push(one);
        }
    }
    Ok(changed)
}

fn restored(
    dir: &Path,
    roots: &Roots,
    name: &str,
    was: &[PriorFile],
    generation: Option<String>,
    lists_left: Vec<String>,
) -> Restored {
    let shown = |one: &PriorFile| match one.root {
        RootId::Kubelet => roots.path_of(one.root, &one.path).display().to_string(),
        RootId::Main | RootId::State => one.path.to_string(),
    };
    let names: Vec<(Option<String>, String)> = was.iter().filter_map(|one| entry(one.path.as_str())).collect();
    Restored {
        directory: dir.display().to_string(),
        generation: name.to_owned(),
        kept: generation,
        lists_left,
        warnings: Vec::new(),
        put_back: was.iter().filter(|one| one.content.is_some()).map(shown).collect(),
        removed: was.iter().filter(|one| one.content.is_none()).map(shown).collect(),
        restart: restarts(names.iter().map(|(node, name)| (node.as_deref(), name.as_str()))),
    }
}

/// Which node and entry of the catalogue a certificate or kubeconfig is, by its path.
fn entry(path: &str) -> Option<(Option<String>, String)> {
    let (node, below) = match path.strip_prefix("nodes/").and_then(|rest| rest.split_once('/')) {
        Some((node, below)) => (Some(node.to_owned()), below),
        None => (None, path),
    };
    let stem = below.strip_suffix(".crt");
    let found = crate::catalog::ENTRIES.iter().find(|entry| match entry.files {
        crate::catalog::Files::Kubeconfig(name) => below == name,
        crate::catalog::Files::Pair(known) | crate::catalog::Files::KubeletPair(known) => {
            stem.is_some_and(|stem| stem == known || stem.ends_with(&format!("/{known}")))
                && (known.contains('/') || !stem.is_some_and(|stem| stem.ends_with("etcd/ca")))
        }
        crate::catalog::Files::KeyPair(_) => false,
    })?;
    Some((node, found.name.to_owned()))
}

/// The first certificate of a file, or of a kubeconfig's credential.
pub(super) fn certificate(bytes: &[u8]) -> Option<Certificate> {
    let first = |pem: &[u8]| parse_pem_bundle(pem).ok().and_then(|bundle| bundle.into_iter().next());
    first(bytes).or_else(|| match kubeconfig::read(bytes).ok()?.credentials {
        Credentials::Embedded { certificate, .. } => first(&certificate),
        Credentials::Files { .. } => None,
    })
}

/// How many generations the recorded profile keeps.
fn keep(dir: &Path) -> usize {
    recorded(dir).map_or(RENEWAL.keep_generations, |profile| profile.renewal.keep_generations)
}

/// The profile the tree records, if it records one that can be used.
fn recorded(dir: &Path) -> Option<Profile> {
    let state = State::read(dir).ok()??;
    let name = state::path(dir).display().to_string();
    Some(profiles::load(&name, &state.profile, &targets::overrides(&state)).ok()?.profile)
}

/// The tree's roots as init and renew know them.
fn roots(dir: &Path, kubelet_dir: Option<&Path>) -> Result<Roots, Error> {
    if survey::open(dir)?.is_none() {
        return Err(none(dir));
    }
    let recorded = State::read(dir).ok().flatten().and_then(|state| state.kubelet_dir);
    let default = (dir == Path::new(DEFAULT_DIR)).then(|| PathBuf::from(DEFAULT_KUBELET_DIR));
    let kubelet = kubelet_dir.map(Path::to_path_buf).or(recorded).or(default);
    let outside = place::directories(dir, "pki".to_owned(), kubelet.as_deref())?.kubelet.is_none();
    Ok(survey::roots(dir, kubelet.as_deref().filter(|_| outside)))
}
