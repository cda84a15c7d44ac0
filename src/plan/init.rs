//! The items of a new tree, in signing order: the catalogue held against the profile's nodes.

use crate::blueprint::Algorithm;
use crate::catalog::releases::Release;
use crate::catalog::{Authority, ENTRIES, Entry, Files, Server};
use crate::plan::blueprints;
use crate::plan::layout::{self, Directories, Layout, Place, Root};
use crate::profile::{Endpoint, ExtraCertificate, Node, NodeRole, Profile};

/// One thing the tree is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The node's name where the layout has several; `None`: shared by all, or the tree is one node's.
    pub node: Option<String>,
    /// The node whose names it carries; `None` for what is shared.
    pub home: Option<String>,
    /// kubeadm's name, or the profile's for an extra certificate.
    pub name: String,
    pub what: What,
    /// The certificate, public key or kubeconfig.
    pub public: Place,
    /// The private key, where it is a file of its own.
    pub private: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Authority(Authority),
    /// The service account key pair.
    ServiceAccount(Algorithm),
    Leaf(&'static Entry),
    Extra(ExtraCertificate),
    Kubeconfig(&'static Entry, Access),
    /// A copy of a shared item for one node, with or without its key.
    Copy {
        of: usize,
    },
}

/// What a kubeconfig says beside its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub cluster: String,
    pub user: String,
    pub server: String,
    /// Print `preferences: {}` (kubeadm up to 1.33).
    pub preferences: bool,
}

impl Item {
    /// `NODE/NAME` in a cluster directory, `NAME` otherwise.
    pub fn id(&self) -> String {
        match &self.node {
            Some(node) => format!("{node}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Who signs it.
    pub fn signer(&self) -> Option<Authority> {
        match &self.what {
            What::Leaf(entry) | What::Kubeconfig(entry, _) => entry.signer,
            What::Extra(extra) => Some(extra.authority),
            What::Authority(_) | What::ServiceAccount(_) | What::Copy { .. } => None,
        }
    }
}

/// Whether `private` may be read by others: never. `public` is secret when it embeds a key, and sa.pub goes through
/// kubeadm's key writer (kubeadm-behaviour section 1.6).
pub fn public_mode(what: &What) -> u32 {
    match what {
        What::Kubeconfig(..) | What::ServiceAccount(_) => 0o600,
        _ => 0o644,
    }
}

/// Every item of the tree, signers before what they sign.
pub fn items(profile: &Profile, layout: &Layout, directories: &Directories) -> Vec<Item> {
    let nodes: Vec<&Node> = match layout {
        Layout::Node { name } => profile.node(name).into_iter().collect(),
        Layout::Cluster => profile.nodes.iter().collect(),
    };
    let mut items = Vec::new();
    let entries = ENTRIES.iter().filter(|entry| in_profile(profile, entry));
    let (shared, own): (Vec<&Entry>, Vec<&Entry>) = entries.partition(|entry| is_shared(entry));
    match layout {
        Layout::Node { .. } => {
            // One node's tree is in the catalogue's own order.
            let all = ENTRIES.iter().filter(|entry| in_profile(profile, entry));
            for node in &nodes {
                let signs = |entry: &Entry| entry.authority().is_some_and(|a| signs_for(profile, node, a));
                let held = all.clone().filter(|entry| layout::holds(profile, node, entry) || signs(entry));
                items.extend(held.map(|entry| item(profile, layout, directories, node, entry)));
            }
        }
        Layout::Cluster => {
            for entry in shared {
                let (public, private) = directories.files("", entry.files);
                let what = shared_what(profile, entry);
                items.push(Item { node: None, home: None, name: entry.name.to_owned(), what, public, private });
            }
            let count = items.len();
            for node in &nodes {
                for of in 0..count {
                    items.extend(copy(profile, layout, directories, node, &items, of));
                }
                let held = own.iter().filter(|entry| layout::holds(profile, node, entry));
                items.extend(held.map(|entry| item(profile, layout, directories, node, entry)));
            }
        }
    }
    for extra in &profile.extra_certificates {
        for node in nodes.iter().filter(|node| extra.nodes.contains(&node.name)) {
            let base = Directories::base(layout, &node.name);
            let (public, private) = directories.pair(&base, &extra.path);
            let what = What::Extra(extra.clone());
            let home = Some(node.name.clone());
            items.push(Item { node: owner(layout, node), home, name: extra.name.clone(), what, public, private });
        }
    }
    items
}

/// Whether the profile has this entry at all.
fn in_profile(profile: &Profile, entry: &Entry) -> bool {
    profile.includes(entry)
}

/// Authorities and the service account keys are one for all nodes.
fn is_shared(entry: &Entry) -> bool {
    entry.authority().is_some() || matches!(entry.files, Files::KeyPair(_))
}

/// A node's own tree must hold every authority that signs for it.
fn signs_for(profile: &Profile, node: &Node, authority: Authority) -> bool {
    ENTRIES.iter().any(|e| e.signer == Some(authority) && in_profile(profile, e) && layout::holds(profile, node, e))
        || profile.extra_certificates.iter().any(|e| e.authority == authority && e.nodes.contains(&node.name))
}

fn owner(layout: &Layout, node: &Node) -> Option<String> {
    (*layout == Layout::Cluster).then(|| node.name.clone())
}

fn shared_what(profile: &Profile, entry: &'static Entry) -> What {
    match entry.authority() {
        Some(authority) => What::Authority(authority),
        None => What::ServiceAccount(blueprints::algorithm(profile, entry)),
    }
}

fn item(profile: &Profile, layout: &Layout, directories: &Directories, node: &Node, entry: &'static Entry) -> Item {
    let (public, private) = directories.files(&Directories::base(layout, &node.name), entry.files);
    let what = match entry.files {
        Files::Kubeconfig(_) => What::Kubeconfig(entry, access(profile, node, entry)),
        _ if is_shared(entry) => shared_what(profile, entry),
        _ => What::Leaf(entry),
    };
    let home = Some(node.name.clone());
    Item { node: owner(layout, node), home, name: entry.name.to_owned(), what, public, private }
}

/// The copy of a shared item that a node needs, if it needs one.
fn copy(
    profile: &Profile,
    layout: &Layout,
    directories: &Directories,
    node: &Node,
    items: &[Item],
    of: usize,
) -> Option<Item> {
    let shared = items.get(of)?;
    let entry = crate::catalog::find(&shared.name)?;
    if !layout::holds(profile, node, entry) {
        return None;
    }
    let (public, private) = directories.files(&Directories::base(layout, &node.name), entry.files);
    let with_key = entry.authority().is_none() || layout::holds_ca_keys(profile, node);
    let private = if with_key { private } else { None };
    let (node, home) = (owner(layout, node), Some(node.name.clone()));
    Some(Item { node, home, name: shared.name.clone(), what: What::Copy { of }, public, private })
}

fn access(profile: &Profile, node: &Node, entry: &Entry) -> Access {
    let user = match entry.subject {
        crate::catalog::Subject::Fixed(name, _) => name.to_owned(),
        _ => blueprints::node_user(node),
    };
    let release = profile.kubernetes_version;
    Access {
        cluster: profile.cluster_name.clone(),
        user,
        server: server(profile, node, entry.server, release),
        preferences: release.prints_preferences(),
    }
}

/// The URL a kubeconfig talks to (kubeadm util/endpoint.go).
fn server(profile: &Profile, node: &Node, server: Server, release: Release) -> String {
    let own = node.is(NodeRole::ControlPlane);
    let local = match server {
        Server::Local => true,
        Server::Kubelet => own && release.has_local_kubelet(),
        Server::ControlPlane | Server::None => false,
    };
    // A worker without a control-plane endpoint talks to the first control-plane node.
    let reachable = if own { Some(node) } else { profile.first_control_plane() };
    match (&profile.control_plane_endpoint, reachable) {
        (Some(endpoint), node) if !local || node.is_none() => {
            let port = endpoint.port.or(node.map(|n| n.bind_port)).unwrap_or(DEFAULT_PORT);
            url(endpoint, port)
        }
        (_, Some(node)) => match node.advertise_address {
            Some(host) => url(&Endpoint { host: crate::blueprint::San::Ip(host), port: None }, node.bind_port),
            None => String::new(),
        },
        _ => String::new(),
    }
}

/// kubeadm's default bindPort.
const DEFAULT_PORT: u16 = 6443;

fn url(endpoint: &Endpoint, port: u16) -> String {
    match &endpoint.host {
        crate::blueprint::San::Ip(std::net::IpAddr::V6(address)) => format!("https://[{address}]:{port}"),
        host => format!("https://{host}:{port}"),
    }
}

/// Every place the items use, for the survey.
pub fn places(items: &[Item]) -> impl Iterator<Item = &Place> {
    items.iter().flat_map(|item| std::iter::once(&item.public).chain(item.private.as_ref()))
}

/// Whether any file lies in the kubelet's own directory outside DIR.
pub fn uses_kubelet_root(items: &[Item]) -> bool {
    places(items).any(|place| place.root == Root::Kubelet)
}
