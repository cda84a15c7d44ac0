//! What a name in a certificate means to those who trust its authority. Pure: one table decides which names are taken over
//! from a request, and which an operator has to state.

use std::net::{IpAddr, Ipv4Addr};

use crate::blueprint::{ExtendedKeyUsage, Name, Oid, San};
use crate::catalog::{CaId, Sans};
use crate::plan::sans;
use crate::profile::{NodeRole, Profile};

/// Where a name stands in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    CommonName,
    Organization,
    /// kube-apiserver reads a user's UID from it, 1.34 and later.
    UserId,
    /// The subject of a client's certificate, whatever it is.
    Client,
    Dns,
    Ip,
}

impl Field {
    pub const fn name(self) -> &'static str {
        match self {
            Self::CommonName => "CN",
            Self::Organization => "O",
            Self::UserId => USER_ID,
            Self::Client => "subject",
            Self::Dns => "DNS name",
            Self::Ip => "IP address",
        }
    }
}

/// authentication.k8s.io's attribute type for a UID.
const USER_ID: &str = "1.3.6.1.4.1.57683.2";

#[derive(Debug, Clone, Copy)]
enum Pattern {
    Is(&'static str),
    Begins(&'static str),
    Any,
}

use Field::{Client, CommonName, Dns, Ip, Organization, UserId};
use Pattern::{Any, Begins, Is};

const API_SERVER: &str = "its owner can pass for the API server";
const ETCD: &str = "its owner can pass for etcd";
const KUBELET: &str = "its owner can pass for the kubelet of a node";
const LOOPBACK: &str = "its owner can pass for what this host's own components reach there";
const ROOT: &str =
    "etcd gives the rights of root to every client with a certificate of its CA, unless its authentication is on";

/// The first row that fits decides.
const RULES: &[(CaId, Field, Pattern, &str)] = &[
    (CaId::Cluster, Organization, Is("system:masters"), "its owner may do everything, and RBAC cannot restrict it"),
    (
        CaId::Cluster,
        Organization,
        Is("kubeadm:cluster-admins"),
        "its owner may do everything: kubeadm binds it to cluster-admin",
    ),
    (CaId::Cluster, Organization, Is("system:nodes"), "its owner has the rights of a node"),
    (CaId::Cluster, Organization, Begins("system:serviceaccounts"), "its owner has the rights of service accounts"),
    (CaId::Cluster, Organization, Begins("system:"), "Kubernetes gives rights to it"),
    (CaId::Cluster, Organization, Begins("kubeadm:"), "kubeadm gives rights to it"),
    (CaId::Cluster, CommonName, Begins("system:node:"), "its owner has the rights of that node"),
    (CaId::Cluster, CommonName, Begins("system:serviceaccount:"), "its owner has the rights of that service account"),
    (CaId::Cluster, CommonName, Begins("system:"), "it is a name that Kubernetes keeps for its own components"),
    (CaId::Cluster, CommonName, Begins("kubeadm:"), "it is a name that kubeadm keeps for itself"),
    (CaId::Cluster, UserId, Any, "kube-apiserver takes it for the UID of the user"),
    (CaId::Cluster, Dns, Is("kubernetes"), API_SERVER),
    (CaId::Cluster, Dns, Is("kubernetes.default"), API_SERVER),
    (CaId::Cluster, Dns, Is("kubernetes.default.svc"), API_SERVER),
    (CaId::Cluster, Dns, Begins("kubernetes.default.svc."), API_SERVER),
    (CaId::Cluster, Dns, Is("localhost"), LOOPBACK),
    (CaId::Cluster, Ip, Begins("127."), LOOPBACK),
    (CaId::Cluster, Ip, Is("::1"), LOOPBACK),
    (
        CaId::FrontProxy,
        CommonName,
        Is("front-proxy-client"),
        "its owner may act as any user (--requestheader-allowed-names of kube-apiserver)",
    ),
    (
        CaId::FrontProxy,
        Client,
        Any,
        "its owner may act as any user if --requestheader-allowed-names of kube-apiserver has its CN or is empty",
    ),
    (CaId::Etcd, Client, Any, ROOT),
    (CaId::Etcd, Dns, Is("localhost"), ETCD),
    (CaId::Etcd, Ip, Begins("127."), ETCD),
    (CaId::Etcd, Ip, Is("::1"), ETCD),
];

impl Pattern {
    /// Also what a wildcard of one label stands for.
    fn fits(self, text: &str) -> bool {
        let fits = |pattern: &str, text: &str, is_whole: bool| match is_whole {
            true => text.eq_ignore_ascii_case(pattern),
            false => text.get(..pattern.len()).is_some_and(|start| start.eq_ignore_ascii_case(pattern)),
        };
        let (pattern, is_whole) = match self {
            Any => return true,
            Is(pattern) => (pattern, true),
            Begins(pattern) => (pattern, false),
        };
        let below = || Some((pattern.split_once('.')?.1, text.strip_prefix("*.")?));
        fits(pattern, text, is_whole) || below().is_some_and(|(pattern, text)| fits(pattern, text, is_whole))
    }
}

/// A name that means something, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    pub authority: CaId,
    pub field: Field,
    pub value: String,
    pub means: &'static str,
}

/// What one name means; `None`: nothing in particular.
pub fn meaning(authority: CaId, field: Field, value: &str) -> Option<Meaning> {
    let fits = |rule: &&(CaId, Field, Pattern, &str)| rule.0 == authority && rule.1 == field && rule.2.fits(value);
    let (.., means) = RULES.iter().find(fits)?;
    Some(Meaning { authority, field, value: value.to_owned(), means })
}

/// What a subject means. `usages`: of the certificate; none: any.
pub fn of_subject(authority: CaId, subject: &Name, usages: &[ExtendedKeyUsage]) -> Vec<Meaning> {
    let fields = [(Oid::ORGANIZATION, Organization), (Oid::COMMON_NAME, CommonName), (Oid::new(USER_ID), UserId)];
    let mut found: Vec<Meaning> = fields
        .iter()
        .flat_map(|(oid, field)| subject.values(oid).into_iter().filter_map(|text| meaning(authority, *field, &text)))
        .collect();
    if found.is_empty() && is_for(usages, &ExtendedKeyUsage::ClientAuth) {
        found.extend(meaning(authority, Client, &subject.to_string()));
    }
    found
}

fn is_for(usages: &[ExtendedKeyUsage], usage: &ExtendedKeyUsage) -> bool {
    usages.is_empty() || usages.contains(usage)
}

/// The names by which a cluster's servers are reached, beside those that every cluster has.
#[derive(Debug, Clone, Default)]
pub struct ServerNames(Vec<(CaId, San, &'static str)>);

impl ServerNames {
    /// Those of the profile, and those in certificates: what the rule of the catalogue is, and the names. Without any of the
    /// API server's, the address that its service has with kubeadm's default.
    pub fn new(profile: Option<&Profile>, certificates: impl IntoIterator<Item = (Sans, Vec<San>)>) -> Self {
        let mut known = Self::default();
        if let Some(profile) = profile {
            for node in &profile.nodes {
                let of_node: &[Sans] = match node.roles.as_slice() {
                    [NodeRole::LoadBalancer] => &[],
                    _ if node.is(NodeRole::ControlPlane) => {
                        &[Sans::ApiServer, Sans::EtcdServer, Sans::EtcdPeer, Sans::Kubelet]
                    }
                    _ => &[Sans::Kubelet],
                };
                for rule in of_node {
                    known.add(*rule, sans::sans(*rule, profile, node));
                }
            }
        }
        for (rule, names) in certificates {
            known.add(rule, names);
        }
        if !known.0.iter().any(|(.., means)| *means == API_SERVER) {
            known.add(Sans::ApiServer, vec![San::Ip(IpAddr::V4(Ipv4Addr::new(10, 96, 0, 1)))]);
        }
        known
    }

    fn add(&mut self, rule: Sans, names: Vec<San>) {
        let (authority, means) = match rule {
            Sans::ApiServer => (CaId::Cluster, API_SERVER),
            Sans::Kubelet => (CaId::Cluster, KUBELET),
            Sans::EtcdServer | Sans::EtcdPeer => (CaId::Etcd, ETCD),
            Sans::None | Sans::Authority => return,
        };
        self.0.extend(names.into_iter().map(|name| (authority, name, means)));
    }

    /// What the names of a certificate mean.
    pub fn of_names(&self, authority: CaId, names: &[San], usages: &[ExtendedKeyUsage]) -> Vec<Meaning> {
        if !is_for(usages, &ExtendedKeyUsage::ServerAuth) {
            return Vec::new();
        }
        names.iter().filter_map(|name| self.of_name(authority, name)).collect()
    }

    fn of_name(&self, authority: CaId, name: &San) -> Option<Meaning> {
        let (field, value) = match name {
            San::Dns(name) => (Dns, name.clone()),
            // Go compares an IPv4-mapped address with the IPv4 address.
            San::Ip(address) => (Ip, address.to_canonical().to_string()),
            San::Email(_) | San::Uri(_) | San::Other(_) => return None,
        };
        let known = || {
            let is_it = |(of, known, _): &&(CaId, San, &'static str)| *of == authority && covers(name, known);
            self.0.iter().find(is_it).map(|(.., means)| *means)
        };
        let plain = meaning(authority, field, &value);
        plain.or_else(|| Some(Meaning { authority, field, means: known()?, value }))
    }
}

/// Whether a certificate for one name is good for the other (RFC 9525 section 6.3).
fn covers(name: &San, other: &San) -> bool {
    match (name, other) {
        (San::Dns(name), San::Dns(other)) => {
            let below = || Some(name.strip_prefix("*.")?.eq_ignore_ascii_case(other.split_once('.')?.1));
            name.eq_ignore_ascii_case(other) || below() == Some(true)
        }
        (San::Ip(name), San::Ip(other)) => name.to_canonical() == other.to_canonical(),
        (name, other) => name == other,
    }
}

#[cfg(test)]
#[path = "names_policy_tests.rs"]
mod tests;
