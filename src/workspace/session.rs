//! A tree that exists or that a profile describes: its layout, and every certificate it has or should have.

use std::collections::BTreeSet;
use std::path::Path;

use crate::catalog::CaId;
use crate::clock::Span;
use crate::error::{self, Error};
use crate::files::{self, FileError, Op, shell_path};
use crate::inventory::{self, Form};
use crate::keys::KeyRing;
use crate::plan::renew::{self as plan, Credential, Rules};
use crate::profile::nearest;
use crate::profile::{CRL_VALIDITY, Etcd, Profile};
use crate::tree::layout::{Directories, Layout, Place};
use crate::tree::{EntryId, Issuers, Survey, leaf, survey};
use crate::workspace::args::{RunArgs, TreeArgs};
use crate::workspace::targets::Target;
use crate::workspace::tree_dir::{self, Locked, Shape, Snapshot, TreeDir};
use crate::workspace::{key_outside, referred, signer_file, state};

/// The facts that do not change during a run.
#[derive(Debug)]
pub struct Session<'a> {
    pub run: &'a RunArgs,
    pub target: &'a Target,
    pub tree: TreeDir,
    /// Every certificate with a key.
    pub credentials: Vec<Credential>,
    /// Of the profile; `None`: there is no profile.
    pub layout: Option<Layout>,
    /// The one node of a cluster directory that `--node` selects.
    pub only: Option<String>,
}

/// For a tree that does not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The profile describes it.
    Planned,
    Refused,
}

impl<'a> Session<'a> {
    pub fn open(args: &TreeArgs, run: &'a RunArgs, target: &'a Target, absent: Absent) -> Result<Self, Error> {
        if let Some(why) = target.profile_error.as_ref().or(target.distrust.as_ref()) {
            return Err(why.clone());
        }
        let main = &target.root;
        let profile = target.profile.as_ref();
        let nodes = match profile {
            Some(profile) if is_to_come(main, absent) => match Layout::of(profile, args.node.as_deref()) {
                Layout::Node { .. } => Nodes::One,
                Layout::Cluster => Nodes::Several(Vec::new()),
            },
            _ => nodes(main, profile)?,
        };
        let kubelet = tree_dir::kubelet_dir(main, target.kubelet_dir.as_deref());
        let shape = match &nodes {
            Nodes::Several(_) => Shape::Cluster,
            Nodes::One => Shape::Node { kubelet: kubelet.as_deref() },
        };
        let mut tree = TreeDir::new(main, profile, shape)?;
        key_outside::refuse_below(&tree.roots, profile, &args.keys)?;
        tree.keys = KeyRing::new(main, profile, &args.keys, matches!(nodes, Nodes::Several(_)));
        let only = args.node.clone().filter(|_| matches!(nodes, Nodes::Several(_)));
        let mut layout = profile.map(|_| Layout::Cluster);
        let mut credentials = match (&nodes, profile) {
            (Nodes::Several(names), None) => {
                let names: Vec<Option<String>> = names.iter().cloned().map(Some).collect();
                plan::of_catalogue(&names, &tree.directories)
            }
            (Nodes::One, None) => plan::of_catalogue(&[None], &tree.directories),
            (Nodes::Several(_), Some(profile)) => plan::of_profile(profile, &Layout::Cluster, &tree.directories),
            (Nodes::One, Some(profile)) => {
                let name = node_name(args, target, profile, &tree)?;
                if let Some((path, found)) = on_disk(profile, &tree).filter(|(_, found)| *found != name) {
                    return Err(error::another_node(main, &name, &path, &found));
                }
                let layout = layout.insert(Layout::Node { name });
                plan::of_profile(profile, layout, &tree.directories)
            }
        };
        referred::follow(&mut credentials, &tree)?;
        Ok(Self { run, target, tree, credentials, layout, only })
    }

    /// Whether `--node` leaves it out.
    pub fn is_left_out(&self, id: &EntryId) -> bool {
        self.only.is_some() && id.node != self.only
    }

    /// Refuses `--node` where it would select nothing: what the verb writes belongs to no node of a cluster directory.
    pub fn refuse_node(&self, what: &str) -> Result<(), Error> {
        if self.only.is_none() {
            return Ok(());
        }
        Err(Error::usage(format!("--node selects nothing here: {what} belong to no node of a cluster directory"))
            .hint("leave --node out"))
    }

    /// The named credentials, as `NODE/NAME`, `NODE/all`, or as NAME on every node that has it; without names, all. `--node`
    /// leaves those of other nodes out.
    pub fn select(&self, names: &[String]) -> Result<Vec<Credential>, Error> {
        let known = || self.credentials.iter().filter(|one| !self.is_left_out(&one.id));
        if names.is_empty() {
            return Ok(known().cloned().collect());
        }
        for name in names {
            if !known().any(|one| one.id.is_named(name)) {
                self.check_node(name)?;
                let bare = EntryId::bare_name(name);
                if crate::catalog::find(bare).is_some_and(|entry| entry.signer.is_none()) {
                    return Err(error::not_renewable(bare, &self.target.origin));
                }
                let of = self.only.as_ref().map(|node| format!(" of {node}")).unwrap_or_default();
                let error = Error::usage(format!("there is no certificate {name:?}{of} in this tree"))
                    .because(format!("expected all, or some of {}", self.known_names().join(", ")));
                return Err(match nearest(bare, self.known_names().into_iter().chain(["all"])) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error.hint("give NODE/NAME for one node of a cluster directory"),
                });
            }
        }
        let is_wanted = |one: &&Credential| names.iter().any(|name| one.id.is_named(name));
        Ok(known().filter(is_wanted).cloned().collect())
    }

    /// Refuses a name that means no node of this tree, or another one than `--node`.
    pub fn check_node(&self, name: &str) -> Result<(), Error> {
        let Some((node, _)) = name.split_once('/') else { return Ok(()) };
        let dir = self.target.root.display();
        let nodes: BTreeSet<&str> = self.credentials.iter().filter_map(|one| one.id.node.as_deref()).collect();
        if nodes.is_empty() {
            return Err(Error::usage(format!("there is no {name:?} in {dir}: it is one node's own tree"))
                .because("its entries have no node in their names")
                .hint("give NAME alone"));
        }
        if !nodes.contains(node) {
            let nodes: Vec<&str> = nodes.into_iter().collect();
            return Err(Error::usage(format!("there is no {name:?}: {dir} has no node {node:?}"))
                .because(format!("it has {}", nodes.join(", ")))
                .hint("give one of these"));
        }
        match &self.only {
            Some(only) if only != node => Err(Error::usage(format!("{name} is not of {only}, which --node names"))
                .hint("leave --node out, or give the name alone")),
            _ => Ok(()),
        }
    }

    /// Every entry's name, once.
    pub fn known_names(&self) -> Vec<&str> {
        let mut known: Vec<&str> = self.credentials.iter().map(|one| one.id.name.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Reads everything without the lock.
    pub fn peek(&self) -> Result<Snapshot, Error> {
        self.tree.peek(self.places().iter())
    }

    /// The same under the lock.
    pub fn read(&self, locked: &Locked<'_>) -> Result<(Snapshot, Issuers), Error> {
        locked.read(self.places().iter())
    }

    pub fn lock(&self) -> Result<Locked<'_>, Error> {
        self.tree.lock(self.run.lock_wait)
    }

    /// The same for a run in which these authorities sign: their passphrases are asked for first.
    pub fn lock_to_sign(&self, signers: BTreeSet<CaId>) -> Result<Locked<'_>, Error> {
        self.tree.ask_passphrases(&signers)?;
        Ok(self.lock()?.signing(signers))
    }

    /// The authorities' certificates as the nodes of a cluster directory hold them.
    pub fn copies(&self) -> Vec<(String, CaId, Place)> {
        plan::authority_copies(&self.credentials, &self.tree.directories)
    }

    /// `kpki export` packs its nodes: it is a cluster directory that records its profile.
    pub fn is_exported(&self) -> bool {
        self.layout == Some(Layout::Cluster) && files::what(None, &state::path(&self.target.root)).is_some()
    }

    /// Everything that a renewal looks at.
    pub fn places(&self) -> Vec<Place> {
        let own = self.credentials.iter().flat_map(|one| one.places().chain(&one.named_by));
        let signers = self.signing_bases().into_iter().map(|base| self.tree.directories.signer_file(&base));
        own.cloned().chain(self.copies().into_iter().map(|(.., place)| place)).chain(signers).collect()
    }

    pub fn profile(&self) -> Option<&'a Profile> {
        self.target.profile.as_ref()
    }

    /// The nodes that have kube-controller-manager's kubeconfig, and the place of ca-signer.crt on each.
    pub fn signer_files(&self, survey: &Survey) -> Vec<(Option<String>, Place)> {
        let confs = self.credentials.iter().filter(|one| one.id.name == "controller-manager.conf");
        let there = confs.filter(|one| survey::file(survey, one.conf()).is_some());
        let base = |node: &String| Directories::base(&Layout::Cluster, node);
        there
            .map(|one| {
                (
                    one.id.node.clone(),
                    self.tree.directories.signer_file(&one.id.node.as_ref().map(base).unwrap_or_default()),
                )
            })
            .collect()
    }

    /// The directories of the nodes whose kube-controller-manager signs. Without a profile, of those that have its kubeconfig.
    pub fn signing_bases(&self) -> Vec<String> {
        let mut nodes: Vec<String> = self.credentials.iter().filter_map(|one| one.id.node.clone()).collect();
        nodes.sort();
        nodes.dedup();
        let layout = match nodes.is_empty() {
            true => Layout::Node { name: String::new() },
            false => Layout::Cluster,
        };
        let conf = |base: &str| self.tree.roots.main.join(format!("{base}controller-manager.conf"));
        let mut bases = signer_file::bases(self.profile(), &layout, &nodes);
        bases.retain(|base| self.profile().is_some() || base.is_empty() || files::what(None, &conf(base)).is_some());
        bases
    }

    /// The time from thisUpdate to nextUpdate of a new CRL.
    pub fn crl_validity(&self) -> Span {
        self.profile().map_or(CRL_VALIDITY, |profile| profile.crl_validity)
    }

    /// A renewal plan that keeps every identity and ignores dates.
    pub fn identity_rules(&self, named: bool) -> Rules<'a> {
        Rules {
            profile: self.profile(),
            now: self.run.now,
            due: None,
            named,
            prune_sans: false,
            reuse_key: false,
            kubelets: None,
            former_servers: &self.target.former_servers,
        }
    }

    /// The directory and the cluster, as reports name them.
    pub fn names(&self) -> (String, Option<String>) {
        (self.target.root.display().to_string(), self.profile().map(|profile| profile.cluster_name.clone()))
    }
}

enum Nodes {
    One,
    Several(Vec<String>),
}

/// The layout: one node's tree, or a cluster directory with its nodes.
fn nodes(main: &Path, profile: Option<&Profile>) -> Result<Nodes, Error> {
    let requests = inventory::requests(main, profile, 1)
        .ok_or_else(|| Error::from(FileError::new(Op::Open, main, files::Kind::Missing)))?;
    let mut names = Vec::new();
    let mut shared = false;
    for request in &requests {
        match request.form {
            Form::Shared if request.root == main => shared = true,
            Form::Node if request.root == main => return Ok(Nodes::One),
            Form::Node if request.cluster_dir.as_deref() == Some(main) => names.extend(request.node.clone()),
            _ => {
                let error = Error::new(format!("{} is not a kubernetes directory", main.display()))
                    .because("expected pki/ and kubeconfigs, or a cluster directory with nodes/");
                let above = main.parent().filter(|above| inventory::is_node(above));
                return Err(above
                    .into_iter()
                    .fold(error, |error, above| {
                        error.hint(format!("give the directory above pki/: --dir {}", shell_path(above)))
                    })
                    .hint("give a directory of many clusters with --profiles DIR (check-expiration, renew)"));
            }
        }
    }
    if shared { Ok(Nodes::Several(names)) } else { Ok(Nodes::One) }
}

/// There is no tree yet, or requests and nothing else.
fn is_to_come(main: &Path, absent: Absent) -> bool {
    let is_there = |name: &str| files::what(None, &main.join(name)).is_some();
    match files::what(None, main) {
        None => absent == Absent::Planned,
        Some(_) => is_there(".kpki") && !["pki", "nodes", "kubelet.conf", "admin.conf"].into_iter().any(is_there),
    }
}

/// The node of the profile that this tree belongs to.
fn node_name(args: &TreeArgs, target: &Target, profile: &Profile, tree: &TreeDir) -> Result<String, Error> {
    let known = |name: &String| profile.node(name).is_some();
    if let Some(name) = &args.node {
        return if known(name) {
            Ok(name.clone())
        } else {
            Err(Error::usage(format!("the profile has no node {name:?}"))
                .because(format!("it has {}", names(profile)))
                .hint("give one of these with --node"))
        };
    }
    if let [only] = profile.nodes.as_slice() {
        return Ok(only.name.clone());
    }
    let said = target.node.clone().filter(known);
    let found = || named_by_certificate(profile, tree);
    let here = || args.hostname.clone().filter(known);
    said.or_else(found).or_else(here).ok_or_else(|| {
        Error::usage(format!("the node of {} is unknown: the profile has several", target.root.display()))
            .because(format!("it has {}", names(profile)))
            .hint("name it with --node NAME")
    })
}

fn names(profile: &Profile) -> String {
    profile.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The node that its own certificates name, and the file that says so: the kubelet's client, else etcd's server.
fn on_disk(profile: &Profile, tree: &TreeDir) -> Option<(String, String)> {
    let items = plan::of_catalogue(&[None], &tree.directories);
    let own = |name: &str| items.iter().find(|one| one.id.name == name);
    let kubelet = own("kubelet.conf")?;
    let etcd = own("etcd-server").filter(|_| matches!(profile.etcd, Etcd::Local { .. }));
    let places = std::iter::once(&kubelet.public).chain(etcd.map(|etcd| &etcd.public));
    let found = crate::workspace::survey::survey(&tree.roots, places).ok()?;
    let name = |one: &Credential| plan::certificate_of(one, &found)?.common_name();
    let of_kubelet = || Some(name(kubelet)?.strip_prefix("system:node:")?.to_owned());
    let of_etcd = || etcd.and_then(|etcd| Some((etcd.public.path.clone(), name(etcd)?)));
    of_kubelet().map(|name| (kubelet.public.path.clone(), name)).or_else(of_etcd)
}

/// etcd's serving certificate carries the node's name as its CN, and the API server's among its names.
fn named_by_certificate(profile: &Profile, tree: &TreeDir) -> Option<String> {
    let places = [tree.directories.pair("", "etcd/server").0, tree.directories.pair("", "apiserver").0];
    let found = crate::workspace::survey::survey(&tree.roots, places.iter()).ok()?;
    let leaves = places.iter().filter_map(|place| leaf::leaf(survey::file(&found, Some(place))?));
    let said: Vec<String> = leaves
        .flat_map(|leaf| {
            let names: Vec<String> = leaf.sans.iter().map(ToString::to_string).collect();
            leaf.common_name().into_iter().chain(names)
        })
        .collect();
    let mut nodes = profile.nodes.iter().filter(|node| said.contains(&node.name));
    match (nodes.next(), nodes.next()) {
        (Some(only), None) => Some(only.name.clone()),
        _ => None,
    }
}
