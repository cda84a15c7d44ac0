//! The nodes of our own kind: who they are, what they do, where they are reached.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::configuration::{is_empty_list, sans};
use super::fields::{Field, Fields, Reading};
use super::near::nearest;
use super::problem::Kind;
use super::refusal::Refusal;
use super::{Etcd, Node, NodeRole, Origin, values};

/// Kubernetes' own bound for the size of a cluster.
pub const MAX_NODES: usize = 5000;
pub const BIND_PORT: u16 = 6443;
/// RFC 5280 appendix A.1, ub-common-name: the node's name is the CN of its etcd certificates.
const LONGEST_COMMON_NAME: usize = 64;
/// In extraCertificates[].nodes these stand for roles.
pub const ALL_NODES: &str = "all";

pub fn read(fields: &mut Fields<'_>, etcd: &Etcd, reading: &mut Reading) -> Vec<Node> {
    let Some(field) = fields.take("nodes", reading) else {
        reading.problem("nodes", Kind::Missing { expected: "a list of nodes" });
        return Vec::new();
    };
    let Some(items) = field.items(reading, MAX_NODES) else { return Vec::new() };
    if items.is_empty() {
        reading.problem("nodes", Kind::Missing { expected: "at least one node" });
        return Vec::new();
    }
    // One node per item, whatever is wrong with it: the paths of the checks below go by position.
    let mut written = Written::new();
    let mut nodes: Vec<Node> = items.iter().enumerate().map(|(i, item)| node(i, item, &mut written, reading)).collect();
    assign_roles(&mut nodes, etcd, reading);
    check_names(&nodes, reading);
    check_addresses(&nodes, &written, reading);
    nodes
}

/// Which node says which address, and in which field.
type Written = Vec<(usize, IpAddr, String)>;

fn node(index: usize, item: &Field<'_>, written: &mut Written, reading: &mut Reading) -> Node {
    let mut node = Node {
        name: String::new(),
        roles: vec![NodeRole::ControlPlane],
        advertise_address: None,
        bind_port: BIND_PORT,
        addresses: Vec::new(),
        sans: Vec::new(),
    };
    let Some(mut fields) = item.fields(reading) else { return node };
    match fields.take("name", reading) {
        Some(field) => node.name = field.value(reading, values::subdomain).unwrap_or_default(),
        None => reading.problem(&fields.join("name"), Kind::Missing { expected: "the name of the node" }),
    }
    if let Some(field) = fields.take("roles", reading) {
        node.roles = field.values(reading, role).unwrap_or_default();
        if is_empty_list(&field) {
            reading.problem(&field.path, Kind::Missing { expected: "at least one role" });
        }
    }
    if let Some(field) = fields.take("addresses", reading) {
        let addresses = addresses(&field, reading);
        node.addresses = addresses.iter().map(|(address, _)| *address).collect();
        written.extend(addresses.into_iter().map(|(address, path)| (index, address, path)));
    }
    if let Some(field) = fields.take("advertiseAddress", reading) {
        node.advertise_address = advertise_address(&field, Origin::Kpki, reading);
        written.extend(node.advertise_address.map(|address| (index, address, field.path.clone())));
    }
    if let Some(field) = fields.take("bindPort", reading) {
        node.bind_port = port(&field, reading);
    }
    node.sans = sans(&mut fields, "certSANs", reading);
    fields.finish(&[], reading);

    node.roles.sort_unstable();
    node.roles.dedup();
    settle(&mut node);
    node
}

/// The advertise address stands first among the addresses, each of them once; without one, the first address is it.
pub fn settle(node: &mut Node) {
    let first = node.advertise_address.or(node.addresses.first().copied());
    let mut addresses: Vec<IpAddr> = Vec::with_capacity(node.addresses.len() + 1);
    let mut seen = std::collections::BTreeSet::new();
    addresses.extend(first.iter().chain(&node.addresses).filter(|address| seen.insert(**address)));
    node.addresses = addresses;
    node.advertise_address = first;
}

fn role(text: &str) -> Result<NodeRole, Kind> {
    let names = NodeRole::ALL.map(NodeRole::name);
    NodeRole::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| Kind::UnknownWord {
        expected: format!("one of {}", names.join(", ")),
        found: text.to_owned(),
        near: nearest(text, names).map(str::to_owned),
    })
}

pub fn port(field: &Field<'_>, reading: &mut Reading) -> u16 {
    let number = field.number(reading, 1, u64::from(u16::MAX));
    number.and_then(|number| u16::try_from(number).ok()).unwrap_or(BIND_PORT)
}

fn addresses(field: &Field<'_>, reading: &mut Reading) -> Vec<(IpAddr, String)> {
    let mut addresses = Vec::new();
    for item in field.items(reading, 100).unwrap_or_default() {
        if let Some(address) = item.value(reading, values::address) {
            match never_a_nodes(address) {
                Some(refusal) => reading.refuse(&item.path, refusal),
                None => addresses.push((address, item.path)),
            }
        }
    }
    addresses
}

/// An advertise address, read and judged by whose document it stands in.
pub fn advertise_address(field: &Field<'_>, origin: Origin, reading: &mut Reading) -> Option<IpAddr> {
    let address = field.value(reading, values::address)?;
    judged(address, origin, &field.path, reading)
}

/// kubeadm takes global unicast addresses only; our own kind lets a single-node laboratory live on loopback.
pub fn judged(address: IpAddr, origin: Origin, path: &str, reading: &mut Reading) -> Option<IpAddr> {
    if let Some(refusal) = never_a_nodes(address) {
        reading.refuse(path, refusal);
        return None;
    }
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if address.is_loopback() || link_local {
        if origin == Origin::Kubeadm {
            reading.refuse(path, Refusal::AddressNotGlobal { found: address.to_string() });
            return None;
        }
        reading.warn(path, format!("no other node reaches {address}; kubeadm refuses it as advertiseAddress"));
    }
    Some(address)
}

fn never_a_nodes(address: IpAddr) -> Option<Refusal> {
    let found = address.to_string();
    if address.is_unspecified() {
        Some(Refusal::AddressUnspecified { found })
    } else if address.is_multicast() {
        Some(Refusal::AddressMulticast { found })
    } else if matches!(address, IpAddr::V4(v4) if v4.is_broadcast()) {
        Some(Refusal::AddressBroadcast { found })
    } else {
        None
    }
}

/// Stacked etcd, kubeadm's habit: unless some node says otherwise, every control-plane node is an etcd member.
fn assign_roles(nodes: &mut [Node], etcd: &Etcd, reading: &mut Reading) {
    let external = matches!(etcd, Etcd::External { .. });
    let somebody_said = nodes.iter().any(|node| node.is(NodeRole::Etcd));
    for (i, node) in nodes.iter_mut().enumerate() {
        if node.is(NodeRole::Worker) && node.is(NodeRole::ControlPlane) {
            reading.refuse(&format!("nodes[{i}].roles"), Refusal::WorkerAndControlPlane);
        }
        if external && node.is(NodeRole::Etcd) {
            reading.refuse(&format!("nodes[{i}].roles"), Refusal::EtcdRoleButExternal);
        }
        if !external && !somebody_said && node.is(NodeRole::ControlPlane) {
            node.roles.push(NodeRole::Etcd);
            node.roles.sort_unstable();
        }
    }
    // A role that could not be read may have been the missing one, and has been reported.
    let readable = nodes.iter().all(|node| !node.roles.is_empty());
    if readable && !nodes.iter().any(|node| node.is(NodeRole::ControlPlane)) {
        reading.refuse("nodes", Refusal::NoControlPlane);
    }
}

fn check_names(nodes: &[Node], reading: &mut Reading) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate().filter(|(_, node)| !node.name.is_empty()) {
        let path = format!("nodes[{i}].name");
        let line = reading.place(&path).line;
        if let Some(first_line) = seen.get(node.name.as_str()).copied() {
            reading.refuse(&path, Refusal::NodeNameTaken { first_line });
        } else {
            seen.insert(&node.name, line);
        }
        if node.name == ALL_NODES || NodeRole::ALL.iter().any(|role| role.name() == node.name) {
            reading.refuse(&path, Refusal::NodeNameReserved);
        }
        warn_of_long_name(&node.name, &path, reading);
    }
}

pub fn warn_of_long_name(name: &str, path: &str, reading: &mut Reading) {
    if name.len() > LONGEST_COMMON_NAME {
        reading.warn(path, "longer than 64 characters: as a CN it breaks the upper bound of RFC 5280");
    }
}

fn check_addresses(nodes: &[Node], written: &Written, reading: &mut Reading) {
    let mut seen: BTreeMap<IpAddr, (usize, usize)> = BTreeMap::new();
    for (index, address, path) in written {
        let (first, line) = *seen.entry(*address).or_insert_with(|| (*index, reading.place(path).line));
        if first != *index {
            let node = nodes.get(first).map(|node| node.name.clone()).unwrap_or_default();
            reading.refuse(path, Refusal::AddressTaken { node, line });
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        let serves = node.is(NodeRole::ControlPlane) || node.is(NodeRole::Etcd);
        // One that could not be read has been reported.
        let said =
            reading.has(&format!("nodes[{i}].addresses[0]")) || reading.has(&format!("nodes[{i}].advertiseAddress"));
        if serves && node.addresses.is_empty() && !said {
            reading.refuse(&format!("nodes[{i}].addresses"), Refusal::NoAddress);
        }
    }
}
