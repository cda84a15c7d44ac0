//! What clients dial.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::blueprint::San;
use crate::kubeconfig::host;
use crate::plan::sans::service_address;
use crate::profile::Node;
use crate::verify::cluster::{Cluster, Content, Kubeconfig, Part, Tree};

/// A kubeconfig's host, or the name it expects instead.
pub fn of_kubeconfig(read: &Kubeconfig) -> Option<San> {
    read.server_name.as_deref().or_else(|| host(&read.server)).map(san)
}

fn san(host: &str) -> San {
    host.parse().map_or_else(|_| San::Dns(host.to_owned()), San::Ip)
}

fn node<'a>(cluster: &Cluster<'a>, tree: &Tree) -> Option<&'a Node> {
    cluster.profile?.node(tree.node.as_deref()?)
}

/// The address of a node's API server and etcd: the profile's, or what its own controller manager dials.
pub fn address(cluster: &Cluster<'_>, tree: &Tree) -> Option<IpAddr> {
    if let Some(node) = node(cluster, tree) {
        return node.advertise_address.or_else(|| node.addresses.first().copied());
    }
    let file = tree.file("controller-manager.conf", Part::Kubeconfig)?;
    let Content::Kubeconfig(read) = &file.content else { return None };
    host(&read.server)?.parse().ok().filter(|address: &IpAddr| !address.is_loopback())
}

/// A node by its name and addresses.
pub fn of_node(cluster: &Cluster<'_>, tree: &Tree) -> Vec<San> {
    let name = tree.node.iter().cloned().map(San::Dns);
    let addresses: Vec<IpAddr> = match node(cluster, tree) {
        Some(node) => node.addresses.clone(),
        None => address(cluster, tree).into_iter().collect(),
    };
    name.chain(addresses.into_iter().map(San::Ip)).collect()
}

/// Whether a host is this node, by any of its names.
pub fn is_node(cluster: &Cluster<'_>, tree: &Tree, host: &San) -> bool {
    let further = node(cluster, tree).is_some_and(|node| node.sans.contains(host));
    further || of_node(cluster, tree).contains(host) || address(cluster, tree).map(San::Ip).as_ref() == Some(host)
}

pub fn is_loopback(host: &San) -> bool {
    match host {
        San::Ip(address) => address.is_loopback(),
        San::Dns(name) => name == "localhost",
        _ => false,
    }
}

/// The `kubernetes` service: pods are told its address.
pub fn of_service(cluster: &Cluster<'_>) -> Vec<San> {
    let subnet = cluster.profile.and_then(|profile| profile.service_subnets.first());
    let address = subnet.map(|subnet| San::Ip(service_address(*subnet)));
    [San::Dns("kubernetes.default.svc".to_owned())].into_iter().chain(address).collect()
}

/// etcd on the client's own node, as kubeadm has its API server dial it (app/util/etcd).
pub fn own(cluster: &Cluster<'_>, tree: &Tree) -> San {
    match address(cluster, tree) {
        Some(IpAddr::V6(_)) => San::Ip(Ipv6Addr::LOCALHOST.into()),
        _ => San::Ip(Ipv4Addr::LOCALHOST.into()),
    }
}

/// Where nodes join: controlPlaneEndpoint, or an API server's own address.
pub fn endpoint(cluster: &Cluster<'_>, tree: &Tree) -> Vec<San> {
    let stated = cluster.profile.and_then(|profile| profile.control_plane_endpoint.as_ref());
    let own = || address(cluster, tree).map(San::Ip);
    stated.map(|endpoint| endpoint.host.clone()).or_else(own).into_iter().collect()
}
