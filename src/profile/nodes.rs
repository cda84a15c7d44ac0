//! The nodes of a ClusterProfile: names, roles, addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::defaults::{BIND_PORT, RENEWAL};
use super::fields::{Field, Fields, Reading};
use super::model::{Etcd, Node, NodeRole, Origin};
use super::problem::{Mismatch, shown};
use super::{renewal, values};

/// Kubernetes' own bound for the size of a cluster.
pub const MAX_NODES: usize = 5000;
/// RFC 5280 appendix A.1, ub-common-name: the node's name is the CN of its etcd certificates.
const LONGEST_COMMON_NAME: usize = 64;
/// In extraCertificates[].nodes these stand for roles.
pub const ALL_NODES: &str = "all";

pub fn read(fields: &mut Fields<'_>, etcd: &Etcd, reading: &mut Reading) -> Vec<Node> {
    let Some(field) = fields.take("nodes", reading) else {
        reading.missing("nodes", "a list of nodes");
        return Vec::new();
    };
    let Some(items) = field.items(reading, MAX_NODES) else { return Vec::new() };
    if items.is_empty() {
        reading.missing("nodes", "at least one node");
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

/// The index of the node, an address of it, and the field it is in.
type Written = Vec<(usize, IpAddr, String)>;

fn node(index: usize, item: &Field<'_>, written: &mut Written, reading: &mut Reading) -> Node {
    let mut node = Node {
        name: String::new(),
        roles: vec![NodeRole::ControlPlane],
        advertise_address: None,
        bind_port: BIND_PORT,
        addresses: Vec::new(),
        sans: Vec::new(),
        hooks: RENEWAL.hooks,
    };
    let Some(mut fields) = item.fields(reading) else { return node };
    match fields.take("name", reading) {
        Some(field) => node.name = field.value(reading, values::subdomain).unwrap_or_default(),
        None => reading.missing(&fields.join("name"), "the name of the node"),
    }
    if let Some(field) = fields.take("roles", reading) {
        node.roles =
            field.values(reading, |text| values::choice(&NodeRole::ALL, NodeRole::name, text)).unwrap_or_default();
        if field.is_empty_list() {
            reading.missing(&field.path, "at least one role");
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
    node.sans = fields.values("certSANs", reading, values::san);
    node.hooks = renewal::hooks(fields.section("hooks", reading), reading);
    fields.finish(reading);

    node.roles.sort_unstable();
    node.roles.dedup();
    settle(&mut node);
    node
}

/// The advertise address is first among the addresses, each of them once; without one, the first address is it.
pub fn settle(node: &mut Node) {
    let first = node.advertise_address.or(node.addresses.first().copied());
    let mut addresses: Vec<IpAddr> = Vec::with_capacity(node.addresses.len() + 1);
    let mut seen = std::collections::BTreeSet::new();
    addresses.extend(first.iter().chain(&node.addresses).filter(|address| seen.insert(**address)));
    node.addresses = addresses;
    node.advertise_address = first;
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
                Some(why) => reading.problem(&item.path, why),
                None => addresses.push((address, item.path)),
            }
        }
    }
    addresses
}

/// An advertise address; `origin` decides which addresses are refused.
pub fn advertise_address(field: &Field<'_>, origin: Origin, reading: &mut Reading) -> Option<IpAddr> {
    let address = field.value(reading, values::address)?;
    judged(address, origin, &field.path, reading)
}

/// kubeadm takes global unicast addresses only; our own kind lets a single-node laboratory live on loopback.
pub fn judged(address: IpAddr, origin: Origin, path: &str, reading: &mut Reading) -> Option<IpAddr> {
    if let Some(why) = never_a_nodes(address) {
        reading.problem(path, why);
        return None;
    }
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if address.is_loopback() || link_local {
        if origin == Origin::Kubeadm {
            reading.refuse(path, "a global unicast address as kubeadm does", address.to_string());
            return None;
        }
        reading.warn(path, format!("no other node reaches {address}; kubeadm refuses it as advertiseAddress"));
    }
    Some(address)
}

fn never_a_nodes(address: IpAddr) -> Option<Mismatch> {
    let what = match address {
        _ if address.is_unspecified() => "unspecified",
        _ if address.is_multicast() => "multicast",
        IpAddr::V4(v4) if v4.is_broadcast() => "broadcast",
        _ => return None,
    };
    Some(Mismatch::new("the address of a node", format!("the {what} address {address}")))
}

/// `what` of one thing that another already has.
pub fn taken(what: &str, first_line: usize) -> Mismatch {
    Mismatch::new(format!("{what} of its own"), format!("one that is taken (line {first_line})"))
}

/// Stacked etcd, kubeadm's habit: unless some node has the role etcd, every control-plane node is an etcd member.
fn assign_roles(nodes: &mut [Node], etcd: &Etcd, reading: &mut Reading) {
    let external = matches!(etcd, Etcd::External { .. });
    let somebody_said = nodes.iter().any(|node| node.is(NodeRole::Etcd));
    for (i, node) in nodes.iter_mut().enumerate() {
        if node.is(NodeRole::Worker) && node.is(NodeRole::ControlPlane) {
            reading.refuse(&format!("nodes[{i}].roles"), "worker or control-plane", "both");
        }
        if node.is(NodeRole::LoadBalancer) && node.roles.len() > 1 {
            reading.refuse(&format!("nodes[{i}].roles"), "load-balancer alone", "another role beside it");
        }
        if node.is(NodeRole::LoadBalancer) && !node.sans.is_empty() {
            let unused = "unused: the names of a load balancer belong to its extraCertificates";
            reading.warn(&format!("nodes[{i}].certSANs"), unused);
        }
        if external && node.is(NodeRole::Etcd) {
            reading.refuse(&format!("nodes[{i}].roles"), "no role etcd with etcd.external", "one");
        }
        if !external && !somebody_said && node.is(NodeRole::ControlPlane) {
            node.roles.push(NodeRole::Etcd);
            node.roles.sort_unstable();
        }
    }
    // A role that could not be read may have been the missing one, and has been reported.
    let readable = nodes.iter().all(|node| !node.roles.is_empty());
    if readable && !nodes.iter().any(|node| node.is(NodeRole::ControlPlane)) {
        reading.refuse("nodes", "at least one node with role control-plane", "none");
    }
}

fn check_names(nodes: &[Node], reading: &mut Reading) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate().filter(|(_, node)| !node.name.is_empty()) {
        let path = format!("nodes[{i}].name");
        let line = reading.place(&path).line;
        if let Some(first_line) = seen.get(node.name.as_str()).copied() {
            reading.problem(&path, taken("a name", first_line));
        } else {
            seen.insert(&node.name, line);
        }
        if node.name == ALL_NODES || NodeRole::ALL.iter().any(|role| role.name() == node.name) {
            let found = "a word that stands for roles (control-plane, etcd, worker, load-balancer, all)";
            reading.refuse(&path, "a node name", found);
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
            let node = nodes.get(first).map_or("", |node| &node.name);
            reading.refuse(path, "an address of its own", format!("one of node {} (line {line})", shown(node)));
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        let serves = node.is(NodeRole::ControlPlane) || node.is(NodeRole::Etcd);
        // One that could not be read has been reported.
        let stated =
            reading.has(&format!("nodes[{i}].addresses[0]")) || reading.has(&format!("nodes[{i}].advertiseAddress"));
        if serves && node.addresses.is_empty() && !stated {
            reading.refuse(&format!("nodes[{i}].addresses"), "an address on a control-plane or etcd node", "none");
        }
    }
}
