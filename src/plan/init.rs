//! The items of a new tree, in signing order: the catalogue for the profile's nodes.

use std::collections::BTreeSet;

use crate::catalog::paths::SIGNER_ENTRY;
use crate::catalog::releases::Release;
use crate::catalog::{CaId, ENTRIES, Entry, Files, Server};
use crate::plan::blueprints;
use crate::plan::item::{Access, Item, What, public_mode};
use crate::profile::{Endpoint, Node, NodeRole, Profile};
use crate::tree::EntryId;
use crate::tree::layout::{self, Directories, Layout, Place};

/// The mode of an item's public file; a copy has that of what it copies.
pub fn mode(items: &[Item], item: &Item) -> u32 {
    match &item.what {
        What::Copy { of } => items.get(*of).map_or(0o600, |shared| public_mode(&shared.what)),
        what => public_mode(what),
    }
}

/// Every item of the tree, signers before what they sign.
pub fn items(profile: &Profile, layout: &Layout, directories: &Directories) -> Vec<Item> {
    let nodes: Vec<&Node> = match layout {
        Layout::Node { name } => profile.node(name).into_iter().collect(),
        Layout::Cluster => profile.nodes.iter().collect(),
    };
    let mut items = Vec::new();
    let all = ENTRIES.iter().filter(|entry| profile.includes(entry));
    let (shared, own): (Vec<&Entry>, Vec<&Entry>) = all.clone().partition(|entry| is_shared(entry));
    match layout {
        Layout::Node { .. } => {
            // One node's tree is in the catalogue's own order.
            for node in &nodes {
                let signs = |entry: &Entry| entry.authority().is_some_and(|a| signs_for(profile, node, a));
                let held = all.clone().filter(|entry| layout::holds(profile, node, entry) || signs(entry));
                items.extend(held.map(|entry| item(profile, layout, directories, node, entry)));
            }
        }
        Layout::Cluster => {
            for entry in shared {
                let (public, private) = directories.files("", entry.files);
                let is_elsewhere = entry.authority().is_some_and(|authority| profile.has_key_elsewhere(authority));
                let private = private.filter(|_| !is_elsewhere);
                let what = shared_what(profile, entry);
                items.push(Item { id: EntryId::new(None, entry.name), home: None, what, public, private });
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
            let id = EntryId { node: owner(layout, node), name: extra.name.clone() };
            items.push(Item { id, home, what, public, private });
        }
    }
    items
}

/// ca-signer.crt of every control-plane node, behind the items of its tree.
pub fn add_signer_files(items: &mut Vec<Item>, profile: &Profile, layout: &Layout, directories: &Directories) {
    let is_ca = |item: &Item| matches!(item.what, What::Authority(CaId::Cluster));
    let Some(of) = items.iter().position(is_ca) else { return };
    let nodes = profile.nodes.iter().filter(|node| node.is(NodeRole::ControlPlane));
    for node in nodes.filter(|node| !matches!(layout, Layout::Node { name } if *name != node.name)) {
        items.push(Item {
            id: EntryId { node: owner(layout, node), name: SIGNER_ENTRY.to_owned() },
            home: Some(node.name.clone()),
            what: What::SignerFile { of },
            public: directories.signer_file(&Directories::base(layout, &node.name)),
            private: None,
        });
    }
}

/// Authorities and the service account keys are one for all nodes.
fn is_shared(entry: &Entry) -> bool {
    entry.authority().is_some() || matches!(entry.files, Files::KeyPair(_))
}

/// A node's own tree must hold every authority that signs for it.
fn signs_for(profile: &Profile, node: &Node, authority: CaId) -> bool {
    ENTRIES.iter().any(|e| e.signer == Some(authority) && profile.includes(e) && layout::holds(profile, node, e))
        || profile
            .extra_certificates
            .iter()
            .any(|e| e.authority.in_tree() == Some(authority) && e.nodes.contains(&node.name))
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
    Item { id: EntryId { node: owner(layout, node), name: entry.name.to_owned() }, home, what, public, private }
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
    let entry = crate::catalog::find(&shared.id.name)?;
    if !layout::holds(profile, node, entry) {
        return None;
    }
    let (public, private) = directories.files(&Directories::base(layout, &node.name), entry.files);
    let with_key = entry.authority().is_none() || layout::holds_ca_keys(profile, node);
    let private = if with_key { private } else { None };
    let (node, home) = (owner(layout, node), Some(node.name.clone()));
    Some(Item { id: EntryId { node, name: shared.id.name.clone() }, home, what: What::Copy { of }, public, private })
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

/// The server URL of a kubeconfig (kubeadm util/endpoint.go).
fn server(profile: &Profile, node: &Node, server: Server, release: Release) -> String {
    let own = node.is(NodeRole::ControlPlane);
    let local = match server {
        Server::Local => true,
        Server::Kubelet => own && release.has_local_kubelet(),
        Server::ControlPlane | Server::None => false,
    };
    // Without a control-plane endpoint a worker uses the first control-plane node.
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

/// The servers that a profile gives to the kubeconfigs of its nodes.
pub fn servers(profile: &Profile) -> BTreeSet<String> {
    let of_node = |node: &Node| {
        let confs = ENTRIES.iter().filter(|entry| matches!(entry.files, Files::Kubeconfig(_)));
        confs.map(|entry| access(profile, node, entry).server).collect::<Vec<_>>()
    };
    profile.nodes.iter().flat_map(of_node).filter(|server| !server.is_empty()).collect()
}

/// The URL people use: controlPlaneEndpoint, or the first control-plane node's own API server.
pub fn control_plane_url(profile: &Profile) -> Option<String> {
    let node = profile.first_control_plane()?;
    Some(server(profile, node, Server::ControlPlane, profile.kubernetes_version)).filter(|url| !url.is_empty())
}

/// kubeadm's default bindPort.
const DEFAULT_PORT: u16 = 6443;

fn url(endpoint: &Endpoint, port: u16) -> String {
    match &endpoint.host {
        crate::blueprint::San::Ip(std::net::IpAddr::V6(address)) => format!("https://[{address}]:{port}"),
        host => format!("https://{host}:{port}"),
    }
}

/// Every place of the items, for the survey.
pub fn places(items: &[Item]) -> impl Iterator<Item = &Place> {
    items.iter().flat_map(Item::places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Overrides, Source, load};

    fn profile(text: &str) -> Profile {
        let text = format!("apiVersion: kpki/v1\nkind: ClusterProfile\n{text}");
        load(Source { name: "p.yaml", bytes: text.as_bytes() }, &Overrides::default()).unwrap().profile
    }

    fn held(profile: &Profile, node: &str) -> Vec<String> {
        let directories = Directories::usual();
        let items = items(profile, &Layout::Cluster, &directories);
        items.iter().filter(|item| item.id.node.as_deref() == Some(node)).map(|item| item.id.name.clone()).collect()
    }

    const MIXED: &str = "controlPlaneEndpoint: lb.example.com:8443\nnodes:\n\
        - {name: cp1, roles: [control-plane], addresses: [10.0.0.1]}\n\
        - {name: e1, roles: [etcd], addresses: [10.0.0.2]}\n\
        - {name: w1, roles: [worker], addresses: [10.0.0.3]}\n- {name: lb1, roles: [load-balancer]}\n\
        extraCertificates:\n- {name: haproxy, usages: [client], nodes: [load-balancer]}\n";

    #[test]
    fn a_node_holds_what_its_roles_need() {
        let profile = profile(MIXED);
        assert_eq!(
            held(&profile, "cp1"),
            [
                "ca",
                "front-proxy-ca",
                "etcd-ca",
                "sa",
                "apiserver",
                "apiserver-kubelet-client",
                "front-proxy-client",
                "apiserver-etcd-client",
                "admin.conf",
                "super-admin.conf",
                "kubelet.conf",
                "controller-manager.conf",
                "scheduler.conf",
                "kubelet-serving",
            ]
        );
        assert_eq!(
            held(&profile, "e1"),
            ["ca", "etcd-ca", "etcd-server", "etcd-peer", "etcd-healthcheck-client", "kubelet.conf", "kubelet-serving"]
        );
        assert_eq!(held(&profile, "w1"), ["ca", "kubelet.conf", "kubelet-serving"]);
        assert_eq!(held(&profile, "lb1"), ["ca", "haproxy"]);
    }

    #[test]
    fn external_etcd_and_old_releases_drop_what_kubeadm_drops() {
        let external = "etcd: {external: {endpoints: ['https://10.0.0.9:2379'], caFile: /e/ca.crt, certFile: /e/c.crt, \
                        keyFile: /e/c.key}}\nkubernetesVersion: v1.28.0\nkubelet: {serving: false}\n\
                        nodes: [{name: cp1, addresses: [10.0.0.1]}]\n";
        let names = held(&profile(external), "cp1");
        assert!(!names.iter().any(|name| name.contains("etcd")), "{names:?}");
        assert!(!names.contains(&"super-admin.conf".to_owned()) && !names.contains(&"kubelet-serving".to_owned()));
    }

    #[test]
    fn servers_follow_endpoint_address_and_release() {
        // release, endpoint, node index, rule, expected
        let nodes = "nodes:\n- {name: cp1, addresses: ['2001:db8::1']}\n\
                     - {name: w1, roles: [worker], addresses: [10.0.0.3]}\n- {name: lb1, roles: [load-balancer]}\n\
        extraCertificates:\n- {name: haproxy, usages: [client], nodes: [load-balancer]}\n";
        for (release, endpoint, node, rule, expected) in [
            ("v1.36.0", "lb:8443", 0, Server::ControlPlane, "https://lb:8443"),
            ("v1.36.0", "lb", 0, Server::ControlPlane, "https://lb:6443"),
            ("v1.36.0", "", 0, Server::ControlPlane, "https://[2001:db8::1]:6443"),
            ("v1.36.0", "lb:8443", 0, Server::Local, "https://[2001:db8::1]:6443"),
            ("v1.36.0", "lb:8443", 0, Server::Kubelet, "https://[2001:db8::1]:6443"),
            ("v1.32.0", "lb:8443", 0, Server::Kubelet, "https://lb:8443"),
            ("v1.36.0", "lb:8443", 1, Server::Kubelet, "https://lb:8443"),
            ("v1.36.0", "", 1, Server::Kubelet, "https://[2001:db8::1]:6443"),
            ("v1.36.0", "'[2001:db8::9]:8443'", 0, Server::ControlPlane, "https://[2001:db8::9]:8443"),
        ] {
            let endpoint =
                if endpoint.is_empty() { String::new() } else { format!("controlPlaneEndpoint: {endpoint}\n") };
            let profile = profile(&format!("kubernetesVersion: {release}\n{endpoint}{nodes}"));
            let found = server(&profile, &profile.nodes[node], rule, profile.kubernetes_version);
            assert_eq!(found, expected, "{release} {endpoint} {rule:?}");
        }
    }
}
