//! `kpki init`: the whole tree from a profile. Resolve, plan, survey, refuse, make in memory, publish, report.

mod material;
pub mod state;
mod summary;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;
use zeroize::Zeroizing;

use crate::commands::{profile as profiles, survey};
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::init as plan;
use crate::plan::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, Directories, Layout, Place, Root};
use crate::plan::reconcile::{Decision, Notice, reconcile};
use crate::profile::{NodeRole, Origin, Overrides, Profile};
use crate::report;
use crate::store::{self, FileChange, RootId, Roots};
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
pub fn run(request: &Request) -> Result<report::Init, Error> {
    let (state, source) = resolve(request)?;
    let loaded = load(&state, &source)?;
    let profile = &loaded.profile;
    let layout = layout(profile, &state)?;
    let (directories, roots) = directories(request, profile, &layout, &state)?;
    let items = plan::items(profile, &layout, &directories);

    let session = store::Session::open(&roots, request.lock_wait, request.dry_run)?;
    let survey = survey::survey(&roots, plan::places(&items))?;
    let reconciled = reconcile(profile, &items, &survey, request.now, request.force);
    refuse(&roots, &items, &reconciled, &layout)?;

    let mut report = report::Init {
        directory: request.directory.display().to_string(),
        cluster: profile.cluster_name.clone(),
        layout: state::layout_name(&layout),
        node: match &layout {
            Layout::Node { name } => Some(name.clone()),
            Layout::Cluster => None,
        },
        outcome: report::Outcome::Planned,
        generation: None,
        items: summary::items(&items, &reconciled, &survey, &roots),
        warnings: warnings(&loaded.warnings, &reconciled.notices),
    };
    let state_files = state_files(&state, profile, &layout, &items)?;
    if request.dry_run {
        session.check(&places(&items, &reconciled.decisions)?)?;
        return Ok(report);
    }
    session.check(&places(&items, &reconciled.decisions)?)?;

    report.outcome = outcome(&reconciled.decisions);
    let replaces = reconciled.decisions.iter().any(|d| matches!(d, Decision::Replace(..)));
    let made = material::make(&items, reconciled, &survey, request.threads)?;
    summary::add_made(&mut report.items, &made);
    let changes: Vec<FileChange> = made.into_iter().flat_map(|m| m.files).map(change).collect::<Result<_, Error>>()?;
    let generation = generation(request.now);
    if !changes.is_empty() || !session.state_is(&state_files)? {
        session.publish(changes, state_files, &generation)?;
    }
    report.generation = replaces.then_some(generation);
    Ok(report)
}

/// The profile's bytes with the choices that go with them: from the command line, else as recorded in the directory.
fn resolve(request: &Request) -> Result<(State, String), Error> {
    let recorded = match &request.profile {
        Some(_) => None,
        None => State::read(&request.directory)?,
    };
    let (base, source) = match (&request.profile, recorded) {
        (Some(path), _) => {
            let profile = profiles::read(path)?;
            (State { profile, hostname: request.hostname.clone(), ..State::default() }, path.display().to_string())
        }
        (None, Some(state)) => (state, request.directory.join(state::PROFILE).display().to_string()),
        (None, None) => {
            return Err(Error::usage(format!("no profile was given, and {} holds none", request.directory.display()))
                .hint("give one with --profile FILE (a kubeadm configuration works as it is)")
                .hint("write a starting point with: kpki profile new > cluster.yaml"));
        }
    };
    Ok((
        State {
            node: request.node.clone().or(base.node),
            kubelet_dir: request.kubelet_dir.clone().or(base.kubelet_dir),
            kubelet_serving: request.kubelet_serving || base.kubelet_serving,
            advertise_address: request.advertise_address.or(base.advertise_address),
            ..base
        },
        source,
    ))
}

fn load(state: &State, source: &str) -> Result<crate::profile::Loaded, Error> {
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
        Origin::Kubeadm => None,
    };
    let layout = Layout::of(profile, chosen);
    let Layout::Node { name } = &layout else { return Ok(layout) };
    match profile.node(name) {
        None => {
            let names: Vec<&str> = profile.nodes.iter().map(|node| node.name.as_str()).collect();
            Err(Error::usage(format!("the profile has no node {name:?}; it has {}", names.join(", ")))
                .hint("give one of these with --node, or add the node to the profile"))
        }
        Some(node) if !node.is(NodeRole::ControlPlane) => {
            Err(Error::new(format!("node {name} is no control-plane node: its tree would need the key of the cluster CA"))
                .hint("make the cluster directory on a safe host, without --node: it holds a ready tree for every node"))
        }
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
    let pki = match Directories::pki_of(profile) {
        Some(pki) => pki,
        None if !is_default => "pki".to_owned(),
        None => {
            return Err(Error::new(format!("certificatesDir {} lies outside {DEFAULT_DIR}", profile.certificates_dir))
                .hint("give a directory for the tree with --dir: the certificates go to its pki/"));
        }
    };
    let kubelet = match (layout, &state.kubelet_dir) {
        (Layout::Cluster, Some(_)) => {
            return Err(Error::usage("--kubelet-dir is for one node's tree; a cluster directory holds nodes/NAME/kubelet")
                .hint("choose a node with --node, or leave --kubelet-dir out"));
        }
        (Layout::Cluster, None) => None,
        (Layout::Node { .. }, Some(dir)) => Some(dir.clone()),
        (Layout::Node { .. }, None) => is_default.then(|| PathBuf::from(DEFAULT_KUBELET_DIR)),
    };
    let below = kubelet.as_deref().map(|dir| dir.strip_prefix(main).map(|below| below.display().to_string()));
    let directories = match below {
        Some(Ok(below)) if !below.is_empty() => Directories { pki, kubelet: Some(below) },
        Some(Ok(_)) => {
            return Err(Error::usage("--kubelet-dir is the same directory as --dir").hint("give another one"));
        }
        Some(Err(_)) => Directories { pki, kubelet: None },
        None => Directories { pki, kubelet: Some("kubelet".to_owned()) },
    };
    let outside = profile.kubelet_serving && directories.kubelet.is_none();
    let roots = survey::roots(main, kubelet.as_deref().filter(|_| outside));
    Ok((directories, roots))
}

fn state_files(state: &State, profile: &Profile, layout: &Layout, items: &[plan::Item]) -> Result<Vec<FileChange>, Error> {
    let file = |path: &str, mode: u32, bytes: Vec<u8>| -> Result<FileChange, Error> {
        let bytes = Zeroizing::new(bytes);
        Ok(FileChange { root: RootId::Main, path: RelPath::new(path)?, mode, bytes, replace: true })
    };
    let mut files = vec![
        file(state::PROFILE, 0o600, state.profile.clone())?,
        file(state::STATE, 0o600, state.document().into_bytes())?,
    ];
    if *layout == Layout::Cluster {
        files.push(file(state::MANIFEST, 0o644, state::manifest(&profile.cluster_name, items).into_bytes())?);
    }
    Ok(files)
}

/// Everything that makes the run impossible, said at once.
fn refuse(
    roots: &Roots,
    items: &[plan::Item],
    reconciled: &crate::plan::reconcile::Reconciled,
    layout: &Layout,
) -> Result<(), Error> {
    match crate::error::refusal(&roots.main, items, reconciled, layout) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn places(items: &[plan::Item], decisions: &[Decision]) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
    let mut places = Vec::new();
    for (item, decision) in items.iter().zip(decisions) {
        let replace = match decision {
            Decision::Make(_) => false,
            Decision::Replace(..) => true,
            _ => continue,
        };
        for place in std::iter::once(&item.public).chain(item.private.as_ref()) {
            // The half of a pair that is there already is not touched; replacing covers it.
            places.push((root(place), RelPath::new(&place.path)?, replace));
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
    let path = RelPath::new(&file.place.path)?;
    Ok(FileChange { root: root(&file.place), path, mode: file.mode, bytes: file.bytes, replace: file.replace })
}

fn outcome(decisions: &[Decision]) -> report::Outcome {
    let kept = decisions.iter().any(|decision| matches!(decision, Decision::Keep));
    let changed = decisions.iter().any(|decision| !matches!(decision, Decision::Keep));
    match (changed, kept || decisions.iter().any(|d| matches!(d, Decision::Replace(..)))) {
        (false, _) => report::Outcome::Unchanged,
        (true, true) => report::Outcome::Completed,
        (true, false) => report::Outcome::Created,
    }
}

fn warnings(profile: &[crate::profile::Warning], notices: &[Notice]) -> Vec<String> {
    profile.iter().map(ToString::to_string).chain(crate::error::notices(notices)).collect()
}

/// `20261120T220101Z-init`: sorts by time, says which command.
fn generation(now: OffsetDateTime) -> String {
    let stamp = now.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
    format!("{stamp}-init")
}
