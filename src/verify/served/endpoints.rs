//! Where the components of a cluster are asked: by default at the profile's nodes, its controlPlaneEndpoint and loopback.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::endpoint::{Endpoint, Endpoints, Skipped, Source};
use super::further;
use super::given::Given;
use crate::catalog::endpoints::{API_PORT, LISTENERS, Listener, Listens, Port, listener};
use crate::catalog::find;
use crate::live::{Host, Peer, is_loopback};
use crate::profile::{Node, Profile};
use crate::tree::EntryId;
use crate::verify::{Cluster, Tree};

/// No endpoint of the cluster has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownEndpoint {
    pub id: EntryId,
    pub known: Vec<String>,
}

/// Where to ask. `given` takes the place of what is known under the same name; `all`: also what only files name.
pub fn endpoints(cluster: &Cluster<'_>, given: &[Given], all: bool) -> Result<Endpoints, UnknownEndpoint> {
    let mut places =
        Places { is_own: is_own(cluster), given: Vec::new(), covered: BTreeSet::new(), found: Endpoints::default() };
    for one in given {
        places.given.push(checked(one, cluster, places.is_own)?);
    }
    for tree in cluster.trees.iter().filter(|tree| !tree.is_shared) {
        for listener in LISTENERS.iter().filter(|listener| runs(listener, cluster.profile, tree)) {
            places.of_tree(listener, cluster.profile, tree);
        }
    }
    if let Some(peer) = cluster.profile.and_then(control_plane_endpoint) {
        places.ask(Endpoint {
            id: EntryId::new(None, "apiserver"),
            listener: listener("apiserver"),
            peer,
            source: Source::ControlPlaneEndpoint,
        });
    }
    for given in std::mem::take(&mut places.given) {
        places.found.asked.push(Endpoint {
            listener: listener(&given.id.name),
            id: given.id,
            peer: given.peer,
            source: Source::Given,
        });
    }
    places.covered.extend(places.found.asked.iter().map(|endpoint| endpoint.peer.clone()));
    for endpoint in further::endpoints(cluster) {
        if all || is_permitted(&endpoint.peer.host, cluster.profile, places.is_own) {
            places.ask(endpoint);
        } else if places.covered.insert(endpoint.peer.clone()) {
            let path = match endpoint.source {
                Source::File(path) => Some(path),
                _ => None,
            };
            places.found.skipped.push(Skipped { id: endpoint.id, peer: Some(endpoint.peer), path });
        }
    }
    let tree = |id: &EntryId| cluster.trees.iter().position(|tree| id.node.is_some() && tree.node == id.node);
    let listener = |id: &EntryId| LISTENERS.iter().position(|listener| listener.entry == id.name);
    let last = |position: Option<usize>| position.unwrap_or(usize::MAX);
    places.found.asked.sort_by_key(|one| (last(tree(&one.id)), last(listener(&one.id))));
    Ok(places.found)
}

struct Places {
    is_own: bool,
    given: Vec<Given>,
    /// Asked already, or replaced by what was given.
    covered: BTreeSet<Peer>,
    found: Endpoints,
}

impl Places {
    fn of_tree(&mut self, listener: &'static Listener, profile: Option<&Profile>, tree: &Tree) {
        let node = profile.zip(tree.node.as_deref()).and_then(|(profile, name)| profile.node(name));
        let id = EntryId::new(tree.node.as_deref().filter(|_| !self.is_own), listener.entry);
        let port = port(listener, node, tree);
        let address = node.and_then(address);
        let loopback = match address {
            Some(IpAddr::V6(_)) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let (at, source) = match (listener.listens, address) {
            (Listens::Loopback, _) if self.is_own => (loopback, Source::Loopback),
            (Listens::Loopback, _) => return self.found.elsewhere.push(id),
            (_, Some(address)) => (address, Source::Node),
            (Listens::Everywhere, None) if self.is_own => (loopback, Source::Loopback),
            (_, None) => {
                if !self.is_given(&id) {
                    self.found.skipped.push(Skipped { id, peer: None, path: None });
                }
                return;
            }
        };
        self.ask(Endpoint { id, listener: Some(listener), peer: Peer::at(at, port), source });
    }

    fn is_given(&self, id: &EntryId) -> bool {
        self.given.iter().any(|given| given.id == *id)
    }

    /// One that was given takes its place.
    fn ask(&mut self, endpoint: Endpoint) {
        if self.covered.insert(endpoint.peer.clone()) && !self.is_given(&endpoint.id) {
            self.found.asked.push(endpoint);
        }
    }
}

/// One node's tree, not a cluster directory: what listens on loopback may be this machine's.
fn is_own(cluster: &Cluster<'_>) -> bool {
    !cluster.trees.iter().any(|tree| tree.is_shared || tree.in_cluster)
}

fn runs(listener: &Listener, profile: Option<&Profile>, tree: &Tree) -> bool {
    let node = profile.zip(tree.node.as_deref()).and_then(|(profile, name)| Some((profile, profile.node(name)?)));
    match (node, find(listener.evidence)) {
        (Some((profile, node)), Some(evidence)) => profile.includes(evidence) && profile.holds(node, evidence),
        _ => tree.files.iter().any(|file| file.entry == listener.evidence && file.is_there()),
    }
}

fn address(node: &Node) -> Option<IpAddr> {
    node.advertise_address.or_else(|| node.addresses.first().copied())
}

/// A static pod's flag says more than a default; the profile's bindPort says what the flag has to be.
fn port(listener: &Listener, node: Option<&Node>, tree: &Tree) -> u16 {
    let flag = || further::port(tree, listener);
    match (listener.port, node) {
        (Port::Api, Some(node)) => node.bind_port,
        (Port::Api, None) => flag().unwrap_or(API_PORT),
        (Port::Fixed(port), _) => flag().unwrap_or(port),
    }
}

fn control_plane_endpoint(profile: &Profile) -> Option<Peer> {
    let endpoint = profile.control_plane_endpoint.as_ref()?;
    let port = endpoint.port.or_else(|| Some(profile.first_control_plane()?.bind_port)).unwrap_or(API_PORT);
    Some(Peer { host: Host::of_san(&endpoint.host)?, port })
}

/// The hosts that are asked by default, whoever names them.
fn is_permitted(host: &Host, profile: Option<&Profile>, is_own: bool) -> bool {
    let of_profile = profile.is_some_and(|profile| {
        let endpoint = control_plane_endpoint(profile).is_some_and(|endpoint| endpoint.host == *host);
        let is_nodes = |node: &Node| match host {
            Host::Name(name) => *name == node.name,
            Host::Address(at) => node.advertise_address == Some(*at) || node.addresses.contains(at),
        };
        endpoint || profile.nodes.iter().any(is_nodes)
    });
    of_profile || is_own && is_loopback(host)
}

/// What was given, with its node where that says more; its name is a listener's or an extra certificate's.
fn checked(given: &Given, cluster: &Cluster<'_>, is_own: bool) -> Result<Given, UnknownEndpoint> {
    let extra =
        || cluster.profile.iter().flat_map(|profile| &profile.extra_certificates).map(|extra| extra.name.as_str());
    let nodes = || cluster.trees.iter().filter_map(|tree| tree.node.as_deref());
    let name_is_known = listener(&given.id.name).is_some() || extra().any(|name| name == given.id.name);
    let node_is_known = given.id.node.as_deref().is_none_or(|wanted| nodes().any(|node| node == wanted));
    if name_is_known && node_is_known {
        let node = given.id.node.as_deref().filter(|_| !is_own);
        return Ok(Given { id: EntryId::new(node, &given.id.name), peer: given.peer.clone() });
    }
    let known = if name_is_known {
        nodes().map(|node| EntryId::new(Some(node), &given.id.name).to_string()).collect()
    } else {
        LISTENERS.iter().map(|listener| listener.entry).chain(extra()).map(str::to_owned).collect()
    };
    Err(UnknownEndpoint { id: given.id.clone(), known })
}

#[cfg(test)]
#[path = "endpoints_tests.rs"]
mod tests;
