//! The input of a run: the profile with its options, the layout, the directories, the items.

use std::path::Path;

use super::request::Request;
use crate::error::Error;
use crate::files;
use crate::keys::KeyRing;
use crate::plan::item::Item;
use crate::profile::{CaKeys, Loaded, NodeRole, Profile};
use crate::store::{self, FileChange};
use crate::tree::{self, Layout, ProfileAt};
use crate::workspace::state::{self, Choices, State};
use crate::workspace::tree_dir::Shape;
use crate::workspace::{TreeDir, key_outside, profiles, record, signer_file, tree_dir};

pub struct Resolved {
    pub loaded: Loaded,
    pub layout: Layout,
    pub tree: TreeDir,
    pub items: Vec<Item>,
    /// How a command names the tree.
    pub origin: tree::Origin,
    /// The tree records a profile already: what does not fit this one is a change.
    pub is_change: bool,
    /// What earlier profiles gave to kubeconfigs as their server.
    pub former_servers: Vec<String>,
    /// One authority in two places is accepted, now or by an earlier run.
    pub allow_shared_ca: bool,
    /// kpki's own files: the profile as used, the options, and a cluster directory's manifest.
    pub own_files: Vec<FileChange>,
}

pub fn resolve(request: &Request) -> Result<Resolved, Error> {
    let (mut state, source) = state_of(request)?;
    let loaded = profiles::load_state(&state, &source)?;
    let profile = &loaded.profile;
    let layout = layout(request, profile, &state.choices)?;
    let mut tree = tree_dir(&request.directory, profile, &layout, &state.choices)?;
    key_outside::refuse_below(&tree.roots, Some(profile), &request.keys)?;
    tree.keys = KeyRing::new(&request.directory, Some(profile), &request.keys, layout == Layout::Cluster);
    let mut items = signer_file::items(profile, &layout, &tree)?;
    let is_given = |item: &&mut Item| item.what.authority().is_some_and(|one| request.keys.keys.contains_key(&one));
    items.iter_mut().filter(is_given).for_each(|item| item.private = None);
    let before = profiles::recorded(&request.directory).ok().flatten().map(|(_, before)| before);
    state.follow(before.as_ref(), profile);
    let own_files = record::own_files(&state, profile, &layout, &tree, &items)?;
    let (origin, allow_shared_ca) = (origin(request, &tree), state.choices.allow_shared_ca);
    let (is_change, former_servers) = (before.is_some(), state.choices.former_servers);
    Ok(Resolved { loaded, layout, tree, items, origin, is_change, former_servers, allow_shared_ca, own_files })
}

/// Nothing is recorded before the first run has succeeded.
fn origin(request: &Request, tree: &TreeDir) -> tree::Origin {
    let text = |path: &Path| path.display().to_string();
    let profile = request.profile.as_deref().map_or(ProfileAt::Recorded, |path| ProfileAt::File(profiles::shown(path)));
    tree::Origin {
        node: request.node.clone(),
        kubelet_dir: request.kubelet_dir.as_deref().map(text),
        pki: Some(text(&request.directory.join(tree.pki()))),
        ..tree::Origin::new(text(&request.directory), profile)
    }
}

/// The profile's bytes with its options, and its name for messages. A given profile replaces the recorded one; options
/// that are not given stay as recorded, or a second run without `--node` would turn a node's tree into a cluster
/// directory.
fn state_of(request: &Request) -> Result<(State, String), Error> {
    let main = &request.directory;
    store::check_place(main)?;
    let recorded = match (State::read(main), &request.profile) {
        // A given profile replaces the recorded one, even a damaged one.
        (Err(_), Some(_)) => None,
        (recorded, _) => recorded?,
    };
    let (profile, choices, source) = match (&request.profile, recorded) {
        (Some(path), recorded) => {
            let fresh = || Choices { hostname: request.hostname.clone(), ..Choices::default() };
            let choices = recorded.map_or_else(fresh, |state| state.choices);
            profiles::check(path)?;
            (profiles::read(path)?, choices, profiles::name(path))
        }
        (None, Some(state)) => (state.profile, state.choices, state::path(main).display().to_string()),
        (None, None) => {
            return Err(Error::usage(format!("no profile was given, and none is recorded in {}", main.display()))
                .hint("give one with --profile FILE (a kubeadm configuration works as it is)")
                .hint("write a starting point with: kpki profile new > cluster.yaml"));
        }
    };
    let choices = Choices {
        node: request.node.clone().or(choices.node),
        kubelet_dir: request.kubelet_dir.clone().or(choices.kubelet_dir),
        kubelet_serving: request.kubelet_serving || choices.kubelet_serving,
        advertise_address: request.advertise_address.or(choices.advertise_address),
        hostname: choices.hostname,
        allow_shared_ca: request.allow_shared_ca || choices.allow_shared_ca,
        former_servers: choices.former_servers,
    };
    Ok((State { profile, choices }, source))
}

fn layout(request: &Request, profile: &Profile, choices: &Choices) -> Result<Layout, Error> {
    let layout = state::layout(profile, choices);
    let Layout::Node { name } = &layout else { return Ok(layout) };
    let is_cluster = files::what(None, &request.directory.join("nodes")).is_some();
    if is_cluster && request.node.is_some() && profile.node(name).is_some() {
        let dir = request.directory.display();
        return Err(Error::usage(format!(
            "{dir} is a cluster directory: --node would make {name}'s own tree in its place"
        ))
        .hint("leave --node out: what is missing of every node is made")
        .hint(format!(
            "pack what {name} needs: {}",
            tree::Origin::new(dir.to_string(), ProfileAt::Recorded).command(
                "export",
                &[name],
                &["--out", &format!("{name}.tar.gz")]
            )
        )));
    }
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
            "node {name} is not a control-plane node: its tree would need the key of the cluster CA"
        ))
        .hint("make the cluster directory on a safe host, without --node: it has a ready tree for every node")),
        Some(_) => Ok(layout),
    }
}

fn tree_dir(main: &Path, profile: &Profile, layout: &Layout, choices: &Choices) -> Result<TreeDir, Error> {
    let chosen = choices.kubelet_dir.as_deref();
    let kubelet = tree_dir::kubelet_dir(main, chosen);
    let shape = match layout {
        Layout::Cluster if chosen.is_some() => {
            return Err(Error::usage(
                "--kubelet-dir is for one node's tree; a cluster directory holds nodes/NAME/kubelet",
            )
            .hint("choose a node with --node, or leave --kubelet-dir out"));
        }
        Layout::Cluster => Shape::Cluster,
        Layout::Node { .. } => Shape::Node { kubelet: kubelet.as_deref() },
    };
    let mut tree = TreeDir::new(main, Some(profile), shape)?;
    tree.roots.kubelet = tree.roots.kubelet.filter(|_| profile.kubelet_serving);
    Ok(tree)
}
