//! What a tree should hold: the catalogue's entries, the profile's extra certificates, and what may be beside them.

use super::item::Kind;
use super::request::Request;
use crate::catalog::paths::DEFAULT_DIR;
use crate::catalog::paths::{KUBELET_CONF, SIGNER_ENTRY, SIGNER_FILE, SUPER_ADMIN_CONF};
use crate::catalog::{self, CaId, ENTRIES, Entry, Files, Holders};
use crate::profile::{Etcd, NodeRole, Profile};

/// etcd's CRL in DER.
pub const ETCD_CRL_DER: &str = "etcd-ca.crl.der";

/// Whether a file must exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Required,
    /// Missing is shown, but no finding.
    Optional,
    /// Missing is not even shown.
    IfThere,
    /// No profile says; what else is in the tree decides.
    Unknown,
}

/// Where a file may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CandidatePath {
    /// Below the root of the tree; or absolute, if a profile says so.
    Below(String),
    /// As a person gave it, from the current directory.
    AsIs(String),
}

impl CandidatePath {
    /// Where the key of a certificate is: beside it.
    pub fn key(&self) -> Option<Self> {
        let beside = |path: &str| Some(format!("{}.key", path.strip_suffix(".crt")?));
        match self {
            Self::Below(path) => beside(path).map(Self::Below),
            Self::AsIs(path) => beside(path).map(Self::AsIs),
        }
    }

    fn join(&self, name: &str) -> Self {
        match self {
            Self::Below(dir) => Self::Below(format!("{dir}/{name}")),
            Self::AsIs(dir) => Self::AsIs(format!("{dir}/{name}")),
        }
    }
}

/// One file. What it holds follows from its kind: a kubeconfig, or certificates or CRLs.
#[derive(Debug, Clone)]
pub struct Expected {
    pub name: String,
    /// The first that exists counts.
    pub candidates: Vec<CandidatePath>,
    pub kind: Kind,
    /// Who signs it.
    pub authority: Option<CaId>,
    /// Whose key decides whether it is managed here: its signer's, or an authority's own.
    pub key: Option<CaId>,
    /// Its authority is none of the tree's.
    pub outside: bool,
    pub presence: Presence,
    pub entry: Option<&'static Entry>,
}

impl Expected {
    /// Its components read PEM only; an extra certificate's reader may want DER.
    pub fn is_read_by_kubernetes(&self) -> bool {
        self.kind != Kind::Crl && (catalog::find(&self.name).is_some() || self.name == SIGNER_ENTRY)
    }

    /// The tree's own certificate is of no use without its key: all but an authority, and what the profile does not place here.
    pub fn needs_key(&self) -> bool {
        self.kind == Kind::Certificate && self.presence != Presence::IfThere
    }

    /// What is no entry of the catalogue.
    pub fn further(name: String, path: String, kind: Kind, authority: Option<CaId>) -> Self {
        let candidates = vec![CandidatePath::Below(path)];
        Self {
            name,
            candidates,
            kind,
            authority,
            key: authority,
            outside: false,
            presence: Presence::IfThere,
            entry: None,
        }
    }
}

/// The pki directory, below the root or absolute.
pub fn pki(profile: Option<&Profile>) -> String {
    let Some(profile) = profile else { return "pki".to_owned() };
    below_default(&profile.certificates_dir).to_owned()
}

/// A path relative to the root, if it is below kubeadm's directory.
fn below_default(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_prefix(DEFAULT_DIR).and_then(|rest| rest.strip_prefix('/')).filter(|p| !p.is_empty()).unwrap_or(path)
}

/// Everything of one node.
pub fn of_node(request: &Request<'_>, kubelet: &CandidatePath) -> Vec<Expected> {
    let pki = pki(request.profile);
    let mut all: Vec<Expected> = ENTRIES
        .iter()
        .filter_map(|entry| of_entry(entry, &pki, kubelet).map(|found| (entry, found)))
        .map(|(entry, expected)| Expected { presence: presence(request, entry), ..expected })
        .collect();
    all.push(Expected {
        key: Some(CaId::Cluster),
        ..Expected::further(SIGNER_ENTRY.to_owned(), format!("{pki}/{SIGNER_FILE}"), Kind::Authority, None)
    });
    all.extend(CaId::ALL.into_iter().map(|authority| crl(authority, &pki)));
    all.push(etcd_der(&pki));
    if let Some(profile) = request.profile {
        all.extend(extras(profile, request.node.as_deref(), &pki));
        all.extend(external_etcd(profile));
    }
    all
}

/// What a cluster directory holds once for all nodes.
pub fn of_cluster(request: &Request<'_>) -> Vec<Expected> {
    let authorities = ENTRIES.iter().filter(|entry| entry.authority().is_some());
    let mut all: Vec<Expected> = authorities
        .filter_map(|entry| of_entry(entry, "pki", &CandidatePath::Below(String::new())).map(|found| (entry, found)))
        .map(|(entry, expected)| {
            let presence = match request.profile {
                Some(profile) if profile.includes(entry) => Presence::Required,
                None if !entry.etcd => Presence::Required,
                _ => Presence::Optional,
            };
            Expected { presence, ..expected }
        })
        .collect();
    all.extend(CaId::ALL.into_iter().map(|authority| crl(authority, "pki")));
    all.push(etcd_der("pki"));
    all
}

fn presence(request: &Request<'_>, entry: &Entry) -> Presence {
    let known = request.profile.zip(request.node.as_deref());
    match known.and_then(|(profile, name)| profile.node(name).map(|node| (profile, node))) {
        Some((_, node)) if node.is(NodeRole::LoadBalancer) && entry.name == SUPER_ADMIN_CONF => Presence::IfThere,
        // Who has removed it meant to; kubeadm shows it everywhere.
        _ if entry.name == SUPER_ADMIN_CONF => Presence::Optional,
        Some((profile, node)) if profile.includes(entry) && profile.holds(node, entry) => Presence::Required,
        Some(_) => Presence::IfThere,
        None if matches!(entry.files, Files::KubeletPair(_)) => Presence::IfThere,
        None => Presence::Unknown,
    }
}

/// What of a tree is there, where no profile says what should be: a worker needs no API server, and etcd may be elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    nothing: bool,
    etcd: bool,
    control_plane: bool,
    /// Its kubelet joined the cluster.
    joined: bool,
}

impl Seen {
    pub fn of(is_there: &dyn Fn(&Entry) -> bool, is_key: &dyn Fn(&str) -> bool) -> Self {
        let there = |wanted: &dyn Fn(&Entry) -> bool| ENTRIES.iter().any(|entry| wanted(entry) && is_there(entry));
        let plane =
            |entry: &Entry| matches!(entry.holders, Holders::ControlPlane | Holders::FirstControlPlane) && !entry.etcd;
        let nothing = !there(&|_| true);
        let joined = there(&|entry| entry.name == KUBELET_CONF);
        Self {
            nothing,
            etcd: there(&|entry| entry.etcd && entry.holders == Holders::EtcdMembers)
                || ["etcd/server", "etcd/peer", "etcd/healthcheck-client"].into_iter().any(is_key),
            control_plane: nothing
                || there(&plane)
                || ["apiserver", "sa", "front-proxy-ca"].into_iter().any(is_key)
                // A node that joined and has nothing else of a control plane is a worker that must not have it.
                || (is_key("ca") && !joined),
            joined,
        }
    }

    /// An etcd host of an external etcd has no kubelet that joined the cluster, so it needs no CA of the cluster.
    pub fn requires(self, entry: &Entry) -> bool {
        let Self { nothing, etcd, control_plane, joined } = self;
        match (entry.holders, entry.etcd) {
            (Holders::EtcdMembers, _) => etcd || nothing,
            (_, true) => (etcd && (control_plane || entry.authority().is_some())) || nothing,
            (Holders::All | Holders::Kubelets, _) => control_plane || !etcd || joined,
            _ => control_plane,
        }
    }
}

fn of_entry(entry: &'static Entry, pki: &str, kubelet: &CandidatePath) -> Option<Expected> {
    let below = |path: String| vec![CandidatePath::Below(path)];
    let (candidates, kind) = match entry.files {
        Files::Pair(stem) => {
            let kind = if entry.authority().is_some() { Kind::Authority } else { Kind::Certificate };
            (below(format!("{pki}/{stem}.crt")), kind)
        }
        Files::KeyPair(_) => return None,
        Files::Kubeconfig(name) => (below(name.to_owned()), Kind::Kubeconfig),
        // What the kubelet got through a CSR, then what it signed itself or was given.
        Files::KubeletPair(stem) => {
            (vec![kubelet.join("kubelet-server-current.pem"), kubelet.join(&format!("{stem}.crt"))], Kind::Certificate)
        }
    };
    Some(Expected {
        name: entry.name.to_owned(),
        candidates,
        kind,
        authority: entry.signer,
        key: entry.signer.or(entry.authority()),
        outside: false,
        presence: Presence::Unknown,
        entry: Some(entry),
    })
}

fn crl(authority: CaId, pki: &str) -> Expected {
    let (name, path) = (format!("{}.crl", authority.name()), format!("{pki}/{}.crl", authority.stem()));
    Expected::further(name, path, Kind::Crl, Some(authority))
}

/// What etcd reads from 3.6 on: the same in DER.
fn etcd_der(pki: &str) -> Expected {
    let crl = crl(CaId::Etcd, pki);
    let beside = |candidate| match candidate {
        CandidatePath::Below(path) => CandidatePath::Below(format!("{path}.der")),
        CandidatePath::AsIs(path) => CandidatePath::AsIs(format!("{path}.der")),
    };
    Expected {
        name: ETCD_CRL_DER.to_owned(),
        candidates: crl.candidates.into_iter().map(beside).collect(),
        presence: Presence::Optional,
        ..crl
    }
}

fn extras(profile: &Profile, node: Option<&str>, pki: &str) -> impl Iterator<Item = Expected> {
    let extras = profile.extra_certificates.iter();
    extras.filter(move |extra| node.is_none_or(|node| extra.nodes.iter().any(|name| name == node))).map(move |extra| {
        let path = format!("{pki}/{}.crt", extra.path);
        let presence = if node.is_some() { Presence::Required } else { Presence::IfThere };
        let authority = extra.authority.in_tree();
        let further = Expected::further(extra.name.clone(), path, Kind::Certificate, authority);
        Expected { presence, outside: authority.is_none(), ..further }
    })
}

/// The files the API server needs for an etcd it does not run, if the profile names them outside the catalogue's places.
fn external_etcd(profile: &Profile) -> Vec<Expected> {
    let Etcd::External { ca_file, cert_file, .. } = &profile.etcd else { return Vec::new() };
    let named = [("etcd-ca", ca_file, Kind::Authority), ("apiserver-etcd-client", cert_file, Kind::Certificate)];
    let usual = |path: &str| {
        let pki = pki(Some(profile));
        [format!("{pki}/etcd/ca.crt"), format!("{pki}/apiserver-etcd-client.crt")].iter().any(|usual| usual == path)
    };
    named
        .into_iter()
        .map(|(name, path, kind)| (name, below_default(path), kind))
        .filter(|(_, path, _)| !path.is_empty() && !usual(path))
        .map(|(name, path, kind)| {
            let authority = Some(CaId::Etcd).filter(|_| kind != Kind::Authority);
            Expected { key: None, ..Expected::further(name.to_owned(), path.to_owned(), kind, authority) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_plane_whose_etcd_is_elsewhere_needs_no_members_files() {
        let needs = |there: &[&str], keys: &[&str]| {
            let seen = Seen::of(&|entry| there.contains(&entry.name), &|stem| keys.contains(&stem));
            ["etcd-server", "etcd-peer"].map(|name| seen.requires(catalog::find(name).unwrap()))
        };
        let plane = ["ca", "apiserver", "etcd-ca", "apiserver-etcd-client", "kubelet.conf"];
        // With the key of etcd's CA it may sign for members, and is none.
        assert_eq!(needs(&plane, &["ca", "etcd/ca"]), [false, false]);
        assert_eq!(needs(&plane, &["ca", "etcd/ca", "etcd/peer"]), [true, true]);
        assert_eq!(needs(&[&plane[..], &["etcd-server"]].concat(), &["etcd/ca"]), [true, true]);
        assert_eq!(needs(&[], &[]), [true, true]);
    }
}
