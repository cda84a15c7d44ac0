//! Which names and addresses each certificate is valid for: kubeadm's rules (pkiutil `GetAPIServerAltNames`,
//! `GetEtcdAltNames`, `GetEtcdPeerAltNames`), and for our own profiles every name and address of the set of control-plane
//! nodes, so that a client may come through any of them or through the load balancer.
//!
//! Order as kubeadm writes it: DNS names as a sorted unique set, then addresses in first-seen order without repeats.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::blueprint::San;
use crate::catalog::{CaId, Sans};
use crate::profile::{Etcd, Node, NodeRole, Origin, Profile, Subnet};

/// The SANs of one catalogue entry on one node.
pub fn sans(rule: Sans, profile: &Profile, node: &Node) -> Vec<San> {
    let mut set = Set::default();
    match rule {
        Sans::None => {}
        // Set by `authority`: it does not depend on a node.
        Sans::Authority => {}
        Sans::ApiServer => api_server(&mut set, profile, node),
        Sans::EtcdServer => etcd(&mut set, profile, node, |etcd| match etcd {
            Etcd::Local { server_sans, .. } => server_sans,
            Etcd::External { .. } => &[],
        }),
        Sans::EtcdPeer => etcd(&mut set, profile, node, |etcd| match etcd {
            Etcd::Local { peer_sans, .. } => peer_sans,
            Etcd::External { .. } => &[],
        }),
        Sans::Kubelet => own_names(&mut set, node),
    }
    set.into_sans()
}

/// A CA's one DNS name is its CN.
pub fn authority(authority: CaId) -> Vec<San> {
    vec![San::Dns(authority.common_name().to_owned())]
}

/// The SANs of a certificate that the profile lists by itself: as given, in kubeadm's order.
pub fn listed(sans: &[San]) -> Vec<San> {
    let mut set = Set::default();
    set.extend(sans);
    set.into_sans()
}

fn api_server(set: &mut Set, profile: &Profile, node: &Node) {
    set.dns(&node.name);
    for name in ["kubernetes", "kubernetes.default", "kubernetes.default.svc"] {
        set.dns(name);
    }
    set.dns(&format!("kubernetes.default.svc.{}", profile.dns_domain));
    if let Some(subnet) = profile.service_subnets.first() {
        set.ip(service_address(*subnet));
    }
    set.ips(node.advertise_address);
    if let Some(endpoint) = &profile.control_plane_endpoint {
        set.add(&endpoint.host);
    }
    set.extend(&profile.api_server_sans);
    if profile.origin == Origin::Kpki {
        own_names(set, node);
        for other in profile.nodes.iter().filter(|other| other.is(NodeRole::ControlPlane) && other.name != node.name) {
            own_names(set, other);
        }
    }
}

fn etcd<'a>(set: &mut Set, profile: &'a Profile, node: &Node, extra: impl Fn(&'a Etcd) -> &'a [San]) {
    set.dns(&node.name);
    set.dns("localhost");
    set.ips(node.advertise_address);
    set.ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    set.ip(IpAddr::V6(Ipv6Addr::LOCALHOST));
    set.extend(extra(&profile.etcd));
    if profile.origin == Origin::Kpki {
        own_names(set, node);
    }
}

/// A node's name, addresses and further names.
fn own_names(set: &mut Set, node: &Node) {
    set.dns(&node.name);
    set.ips(node.advertise_address);
    set.ips(node.addresses.iter().copied());
    set.extend(&node.sans);
}

/// The address of the `kubernetes` service: the first of the subnet after the network's own.
pub fn service_address(subnet: Subnet) -> IpAddr {
    match subnet.network {
        IpAddr::V4(network) => IpAddr::V4(Ipv4Addr::from(u32::from(network).wrapping_add(1))),
        IpAddr::V6(network) => IpAddr::V6(Ipv6Addr::from(u128::from(network).wrapping_add(1))),
    }
}

#[derive(Default)]
struct Set {
    dns: BTreeSet<String>,
    ips: Vec<IpAddr>,
    others: Vec<San>,
}

impl Set {
    fn dns(&mut self, name: &str) {
        self.dns.insert(name.to_owned());
    }

    fn ip(&mut self, address: IpAddr) {
        if !self.ips.contains(&address) {
            self.ips.push(address);
        }
    }

    fn ips(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        addresses.into_iter().for_each(|address| self.ip(address));
    }

    fn add(&mut self, san: &San) {
        match san {
            San::Dns(name) => self.dns(name),
            San::Ip(address) => self.ip(*address),
            other if !self.others.contains(other) => self.others.push(other.clone()),
            _ => {}
        }
    }

    fn extend(&mut self, sans: &[San]) {
        sans.iter().for_each(|san| self.add(san));
    }

    fn into_sans(self) -> Vec<San> {
        self.dns.into_iter().map(San::Dns).chain(self.ips.into_iter().map(San::Ip)).chain(self.others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_address_is_the_first_of_its_subnet() {
        for (network, prefix, expected) in [
            ("10.96.0.0", 12, "10.96.0.1"),
            ("10.0.0.0", 24, "10.0.0.1"),
            ("fd00:10:96::", 112, "fd00:10:96::1"),
            ("192.168.255.240", 28, "192.168.255.241"),
        ] {
            let subnet = Subnet { network: network.parse().unwrap(), prefix };
            assert_eq!(service_address(subnet), expected.parse::<IpAddr>().unwrap());
        }
    }

    #[test]
    fn names_are_sorted_and_addresses_keep_their_order() {
        let sans: Vec<San> = ["b", "a", "b"].map(|n| San::Dns(n.into())).to_vec();
        let ips = ["10.0.0.2", "10.0.0.1", "10.0.0.2"].map(|a| San::Ip(a.parse().unwrap()));
        let all: Vec<String> = listed(&[&ips[..], &sans[..]].concat()).iter().map(San::to_string).collect();
        assert_eq!(all, ["a", "b", "10.0.0.2", "10.0.0.1"]);
    }

    /// What kubeadm said it signed, word for word: `init phase certs all` prints names and addresses in their order.
    #[test]
    fn names_and_addresses_are_those_kubeadm_printed() {
        let mut compared = 0;
        for folder in [
            "v1.20-rsa2048",
            "v1.36-default-rsa2048",
            "v1.36-dualstack-p384",
            "v1.36-external-etcd-rsa3072",
            "v1.36-ha-ecdsa-cp1",
            "v1.36-ha-ecdsa-cp2",
        ] {
            let base = format!("{}/fixtures/kubeadm/{folder}", env!("CARGO_MANIFEST_DIR"));
            #[allow(clippy::disallowed_methods)] // reads the repository's own files
            let read = |name: &str| std::fs::read_to_string(format!("{base}/{name}")).unwrap();
            let config = read("kubeadm.yaml");
            let source = crate::profile::Source { name: "kubeadm.yaml", bytes: config.as_bytes() };
            let profile = crate::profile::load(source, &crate::profile::Overrides::default()).unwrap().profile;
            for line in read("init-certs.out").lines() {
                let Some((name, rest)) = line.trim_start_matches("[certs] ").split_once(" serving cert is signed for ")
                else {
                    continue;
                };
                let rule = match name {
                    "apiserver" => Sans::ApiServer,
                    "etcd/server" => Sans::EtcdServer,
                    "etcd/peer" => Sans::EtcdPeer,
                    other => panic!("{other}"),
                };
                let computed = sans(rule, &profile, &profile.nodes[0]);
                let (dns, ips): (Vec<&San>, Vec<&San>) = computed.iter().partition(|san| matches!(san, San::Dns(_)));
                let words = |list: &[&San]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                assert_eq!(rest, format!("DNS names [{}] and IPs [{}]", words(&dns), words(&ips)), "{folder}: {name}");
                compared += 1;
            }
        }
        assert_eq!(compared, 5 * 3 + 1);
    }
}
