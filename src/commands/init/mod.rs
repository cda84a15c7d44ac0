//! `kpki init`: the whole tree from a profile. Resolve, plan, survey, refuse, make in memory, publish, report.

mod external;
mod material;
pub mod state;
mod summary;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::commands::{Progress, journal, place, profile as profiles, survey};
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::decision::{Decision, Making, Notice, Reconciled, Survey};
use crate::plan::init as plan;
use crate::plan::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, Directories, Layout, Place, Root};
use crate::plan::reconcile::reconcile;
use crate::profile::{CaKeys, Loaded, NodeRole, Origin, Overrides, Profile, Warning};
use crate::report;
use crate::store::{self, Commit, FileChange, Locking, RootId, Roots, StoreError, TreeLock};
use external::External;
use state::State;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub directory: PathBuf,
    pub profile: Option<PathBuf>,
    pub node: Option<String>,
    pub kubelet_dir: Option<PathBuf>,
    pub kubelet_serving: bool,
    pub advertise_address: Option<IpAddr>,
    /// The machine's name, kubeadm's default for the node's.
    pub hostname: Option<String>,
    pub force: bool,
    pub dry_run: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
    pub threads: usize,
}

/// Makes the tree, or says exactly why not.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<report::Init, Error> {
    attempt(request, progress, true)
}

/// Two first runs at once have no lock to meet at: the one that comes second looks again, and finds the tree made.
fn attempt(request: &Request, progress: Progress<'_>, again: bool) -> Result<report::Init, Error> {
    let (state, source) = resolve(request)?;
    let loaded = load(&state, &source)?;
    let profile = &loaded.profile;
    let layout = layout(profile, &state)?;
    let (directories, roots) = directories(request, profile, &layout, &state)?;
    let items = plan::items(profile, &layout, &directories);
    let tree = Tree { request, profile, layout: &layout, directories: &directories, roots: &roots, items: &items };
    let own_files = own_files(&state, &tree)?;

    // The first look takes no lock: a tree with nothing to do may be one that cannot be written to.
    let recovered = match !request.dry_run && store::interrupted(&roots)? {
        true => Some(TreeLock::acquire_and_recover(&roots, request.lock_wait)?.0),
        false => None,
    };
    let (survey, decided) = tree.decide()?;
    let mut report = tree.report(&survey, &decided);
    report.warnings = tree.warnings(&loaded.warnings, &decided.notices)?;
    if request.dry_run {
        store::check_writable(&roots, &places(&items, &decided.decisions)?)?;
        return Ok(report);
    }
    report.outcome = outcome(&decided.decisions);
    let external = External::of(&items, &decided, &roots);
    if report.outcome == report::Outcome::Unchanged && external.is_there()? && state::is_recorded(&roots, &own_files)? {
        return Ok(report);
    }

    // From here on nobody else changes the tree: look once more, then act on what was seen.
    let hold = match recovered {
        Some(hold) => Some(hold),
        None => hold(&roots, request.lock_wait)?,
    };
    let (survey, decided) = tree.decide()?;
    report.outcome = outcome(&decided.decisions);
    report.items = summary::items(&items, &decided, &survey, &roots);
    report.warnings = tree.warnings(&loaded.warnings, &decided.notices)?;
    let external = External::of(&items, &decided, &roots);
    if report.outcome == report::Outcome::Unchanged && external.is_there()? && state::is_recorded(&roots, &own_files)? {
        return Ok(report);
    }
    match store::check_writable(&roots, &places(&items, &decided.decisions)?) {
        Err(StoreError::Exist(_)) if again => {
            drop(hold);
            return attempt(request, progress, false);
        }
        checked => checked?,
    }
    let waiting = external.make(request.threads, progress)?;
    let made = material::make(&items, decided, &survey, request.now, request.threads, progress)?;
    summary::add_made(&mut report.items, &made);
    let (journal, note) = remembered(&items, &made, request.now);
    let files = made.into_iter().flat_map(|made| made.files).map(change);
    let files = files.chain(waiting.into_iter().flat_map(|made| made.changes).map(Ok));
    let changes = files.chain(own_files.into_iter().map(Ok)).collect::<Result<Vec<_>, Error>>()?;
    let replaces = report.items.iter().any(|item| item.action == "replace");
    let generation = journal::generation("init", request.now);
    let published = store::publish(&Commit {
        roots: &roots,
        changes,
        dir_mode: 0o755,
        generation: &generation,
        locking: hold.as_ref().map_or(Locking::Wait(request.lock_wait), Locking::Held),
        removals: Vec::new(),
        journal,
        note: Some(note),
        keep_generations: Some(profile.renewal.keep_generations),
    });
    let receipt = match published {
        Err(StoreError::Exist(_) | StoreError::MadeMeanwhile(_) | StoreError::ChangedMeanwhile(_)) if again => {
            drop(hold);
            return attempt(request, progress, false);
        }
        published => published?,
    };
    report.generation = receipt.generation.filter(|_| replaces);
    Ok(report)
}

/// The lock of a tree that exists; an absent or empty one is published by a rename, which needs none.
fn hold(roots: &Roots, wait: Duration) -> Result<Option<TreeLock>, Error> {
    match survey::open(&roots.main)? {
        Some(dir) if !dir.list()?.is_empty() => Ok(Some(TreeLock::acquire_and_recover(roots, wait)?.0)),
        _ => Ok(None),
    }
}

/// What one run is about.
struct Tree<'a> {
    request: &'a Request,
    profile: &'a Profile,
    layout: &'a Layout,
    directories: &'a Directories,
    roots: &'a Roots,
    items: &'a [plan::Item],
}

impl Tree<'_> {
    /// Surveys the destination and decides every item, or refuses.
    fn decide(&self) -> Result<(Survey, Reconciled), Error> {
        let survey = survey::survey(self.roots, plan::places(self.items))?;
        let decided = reconcile(self.profile, self.items, &survey, self.request.now, self.request.force);
        match crate::error::refusal(&self.context(), self.items, &decided) {
            Some(refusal) => Err(refusal),
            None => Ok((survey, decided)),
        }
    }

    /// What is worth a warning: in the profile, in what lies there, and what a node that has left the profile left behind.
    fn warnings(&self, profile: &[Warning], notices: &[Notice]) -> Result<Vec<String>, Error> {
        let mut lines: Vec<String> = profile.iter().map(ToString::to_string).collect();
        lines.extend(crate::error::notices(notices, &self.context()));
        if *self.layout == Layout::Cluster {
            let known = |name: &str| self.profile.node(name).is_some();
            for name in survey::names(&self.roots.main, "nodes")?.iter().filter(|name| !known(name)) {
                let path = self.roots.main.join("nodes").join(name);
                lines.push(format!(
                    "{} belongs to no node of the profile; remove it when it is of no use",
                    path.display()
                ));
            }
        }
        Ok(lines)
    }

    fn context(&self) -> crate::error::Context<'_> {
        crate::error::Context {
            directory: &self.roots.main,
            kubelet: self.roots.kubelet.as_deref(),
            layout: self.layout,
            force: self.request.force,
        }
    }

    fn report(&self, survey: &Survey, decided: &Reconciled) -> report::Init {
        report::Init {
            directory: self.request.directory.display().to_string(),
            cluster: self.profile.cluster_name.clone(),
            layout: state::layout_name(self.layout),
            node: match self.layout {
                Layout::Node { name } => Some(name.clone()),
                Layout::Cluster => None,
            },
            outcome: report::Outcome::Planned,
            generation: None,
            items: summary::items(self.items, decided, survey, self.roots),
            warnings: Vec::new(),
        }
    }
}

/// The profile's bytes with the choices that go with them. A profile that is given replaces the recorded one; choices
/// that are not given stay as they were, or a second run without `--node` would turn a node's tree into a cluster's.
fn resolve(request: &Request) -> Result<(State, String), Error> {
    let recorded = match (State::read(&request.directory), &request.profile) {
        // What is given replaces what is recorded, and so what is damaged.
        (Err(_), Some(_)) => None,
        (recorded, _) => recorded?,
    };
    let (base, source) = match (&request.profile, recorded) {
        (Some(path), recorded) => {
            let fresh = || State { hostname: request.hostname.clone(), ..State::default() };
            let state = State { profile: profiles::read(path)?, ..recorded.unwrap_or_else(fresh) };
            (state, path.display().to_string())
        }
        (None, Some(state)) => (state, state::path(&request.directory).display().to_string()),
        (None, None) => {
            return Err(Error::usage(format!("no profile was given, and {} holds none", request.directory.display()))
                .hint("give one with --profile FILE (a kubeadm configuration works as it is)")
                .hint("write a starting point with: kpki profile new > cluster.yaml"));
        }
    };
    let state = State {
        node: request.node.clone().or(base.node),
        kubelet_dir: request.kubelet_dir.clone().or(base.kubelet_dir),
        kubelet_serving: request.kubelet_serving || base.kubelet_serving,
        advertise_address: request.advertise_address.or(base.advertise_address),
        ..base
    };
    Ok((state, source))
}

fn load(state: &State, source: &str) -> Result<Loaded, Error> {
    let overrides = Overrides {
        hostname: state.hostname.clone(),
        node_name: state.node.clone(),
        advertise_address: state.advertise_address,
        kubelet_serving: state.kubelet_serving.then_some(true),
    };
    profiles::load(source, &state.profile, &overrides)
}

fn layout(profile: &Profile, state: &State) -> Result<Layout, Error> {
    // For a kubeadm configuration --node names the one node, where the file does not.
    let chosen = match profile.origin {
        Origin::Kpki => state.node.as_deref(),
        Origin::Kubeadm | Origin::KubeadmJoin => None,
    };
    let layout = Layout::of(profile, chosen);
    let Layout::Node { name } = &layout else { return Ok(layout) };
    if profile.ca_keys == CaKeys::Nowhere {
        return Err(Error::new(format!(
            "caKeys: none keeps the CA keys away from nodes, so {name}'s tree cannot be made alone"
        ))
        .hint("make the cluster directory on a safe host, without --node: it keeps the keys in its own pki/"));
    }
    match profile.node(name) {
        None => {
            let names: Vec<&str> = profile.nodes.iter().map(|node| node.name.as_str()).collect();
            Err(Error::usage(format!("the profile has no node {name:?}; it has {}", names.join(", ")))
                .hint("give one of these with --node, or add the node to the profile"))
        }
        Some(node) if !node.is(NodeRole::ControlPlane) => Err(Error::new(format!(
            "node {name} is no control-plane node: its tree would need the key of the cluster CA"
        ))
        .hint("make the cluster directory on a safe host, without --node: it holds a ready tree for every node")),
        Some(_) => Ok(layout),
    }
}

fn directories(
    request: &Request,
    profile: &Profile,
    layout: &Layout,
    state: &State,
) -> Result<(Directories, Roots), Error> {
    let main = &request.directory;
    let is_default = main == Path::new(DEFAULT_DIR);
    let pki = place::pki(Some(profile), main)?;
    let kubelet = match (layout, &state.kubelet_dir) {
        (Layout::Cluster, Some(_)) => {
            return Err(Error::usage(
                "--kubelet-dir is for one node's tree; a cluster directory holds nodes/NAME/kubelet",
            )
            .hint("choose a node with --node, or leave --kubelet-dir out"));
        }
        (Layout::Cluster, None) => None,
        (Layout::Node { .. }, Some(dir)) => Some(dir.clone()),
        (Layout::Node { .. }, None) => is_default.then(|| PathBuf::from(DEFAULT_KUBELET_DIR)),
    };
    let directories = place::directories(main, pki, kubelet.as_deref())?;
    let outside = profile.kubelet_serving && directories.kubelet.is_none();
    let roots = survey::roots(main, kubelet.as_deref().filter(|_| outside));
    Ok((directories, roots))
}

/// kpki's own files: the profile as used, the choices, and a cluster directory's manifest.
fn own_files(state: &State, tree: &Tree<'_>) -> Result<Vec<FileChange>, Error> {
    let file = |root: RootId, path: &str, mode: u32, bytes: Vec<u8>| -> Result<FileChange, Error> {
        Ok(FileChange { root, path: RelPath::parse(path)?, mode, bytes: Zeroizing::new(bytes), replace: true })
    };
    let mut files = vec![
        file(RootId::State, state::PROFILE, 0o600, state.profile.clone())?,
        file(RootId::State, state::STATE, 0o600, state.document().into_bytes())?,
    ];
    if *tree.layout == Layout::Cluster {
        let manifest = state::manifest(tree.profile, &tree.directories.pki, tree.items);
        files.push(file(RootId::Main, state::MANIFEST, 0o644, manifest.into_bytes())?);
    }
    Ok(files)
}

/// What is going to be written, and whether something may lie there.
fn places(items: &[plan::Item], decisions: &[Decision]) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
    let mut places = Vec::new();
    for (item, decision) in items.iter().zip(decisions) {
        let (making, replace) = match decision {
            Decision::Make(making) => (making, false),
            Decision::Replace(making, _) => (making, true),
            _ => continue,
        };
        let (public, private) = match making {
            Making::PublicHalf(_) => (true, false),
            Making::Copy { public, private, .. } => (*public, *private),
            _ => (true, true),
        };
        let public = public.then_some(&item.public);
        for place in public.into_iter().chain(item.private.as_ref().filter(|_| private)) {
            places.push((root(place), RelPath::parse(place.path.as_str())?, replace));
        }
    }
    Ok(places)
}

fn root(place: &Place) -> RootId {
    match place.root {
        Root::Main => RootId::Main,
        Root::Kubelet => RootId::Kubelet,
    }
}

fn change(file: material::File) -> Result<FileChange, Error> {
    let path = RelPath::parse(file.place.path.as_str())?;
    Ok(FileChange { root: root(&file.place), path, mode: file.mode, bytes: file.bytes, replace: file.replace })
}

fn outcome(decisions: &[Decision]) -> report::Outcome {
    let kept = decisions.iter().any(|decision| matches!(decision, Decision::Keep));
    let changed = decisions.iter().any(|decision| matches!(decision, Decision::Make(_) | Decision::Replace(..)));
    match (changed, kept || decisions.iter().any(|d| matches!(d, Decision::Replace(..)))) {
        (false, _) => report::Outcome::Unchanged,
        (true, true) => report::Outcome::Completed,
        (true, false) => report::Outcome::Created,
    }
}

/// A line for the journal for every certificate that was issued, and the note for the history. A copy is no certificate of
/// its own.
fn remembered(items: &[plan::Item], made: &[material::Made], now: OffsetDateTime) -> (Vec<String>, String) {
    let copied = |item: &plan::Item| matches!(item.what, plan::What::Copy { .. });
    let issued = items.iter().zip(made).filter(|(item, _)| !copied(item));
    let lines =
        issued.filter_map(|(item, made)| Some(journal::line("init", &item.id(), made.certificate.as_ref()?, now)));
    let written = items.iter().zip(made).filter(|(_, made)| !made.files.is_empty());
    let entries: Vec<String> = written.map(|(item, _)| item.id()).collect();
    (lines.collect(), journal::note("init", &entries, now))
}
