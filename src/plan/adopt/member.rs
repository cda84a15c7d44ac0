//! One node of the cluster: its name, its roles, and how its own files are found.

use std::net::IpAddr;

use super::files::{NodeFiles, place_of};
use super::names;
use super::refusal::Refusal;
use crate::blueprint::San;
use crate::catalog::paths::{KUBELET_CONF, KUBELET_SERVING, SUPER_ADMIN_CONF};
use crate::catalog::{CaId, Entry, find};
use crate::kubeconfig::{self, Read};
use crate::manifest::Flags;
use crate::profile::{GATHERED, NodeRole};
use crate::tree::leaf::{bundle, leaf};
use crate::tree::{Directories, Place, Root};
use crate::x509::Certificate;

/// Where tools keep the certificates of a node, below `/etc/kubernetes`: kubeadm, Kubespray.
const DIRECTORIES: [&str; 2] = ["pki", "ssl"];

/// Entries that no other node has.
const CONTROL_PLANE: [&str; 5] =
    ["apiserver", "apiserver-kubelet-client", "front-proxy-client", "controller-manager.conf", "scheduler.conf"];
const ETCD: [&str; 2] = ["etcd-server", "etcd-peer"];

#[derive(Debug, Clone)]
pub struct Member {
    pub files: NodeFiles,
    pub name: String,
    pub is_control_plane: bool,
    pub is_etcd: bool,
    /// It has a credential of a kubelet. A host without one, that is no other part of the cluster, stands in front of it.
    pub has_kubelet: bool,
    /// Of the node itself.
    pub own: Directories,
}

impl Member {
    /// Its pki directory, below `/etc/kubernetes`.
    pub fn pki(&self) -> &str {
        self.own.pki.as_deref().unwrap_or(GATHERED)
    }

    /// Whose files they are, and what the node does.
    pub fn of(files: NodeFiles) -> Result<Self, Refusal> {
        if files.has("manifest.json") || files.files.keys().any(|place| place.path.starts_with("nodes/")) {
            return Err(Refusal::ClusterDirectory(files.input));
        }
        let own = Directories { pki: Some(pki(&files)?), kubelet: None };
        let name = names::name(&files, &own)?;
        // A half is enough: what is missing of a role is reported, and nobody loses one in silence.
        let holds = |entry: &&str| {
            let places = find(entry).map(|entry| own.files("", entry.files));
            let mut places = places.into_iter().flat_map(|(public, private)| std::iter::once(public).chain(private));
            places.any(|place| files.bytes(&place).is_some())
        };
        let (is_control_plane, is_etcd) = (CONTROL_PLANE.iter().any(holds), ETCD.iter().any(holds));
        let has_kubelet = holds(&KUBELET_CONF) || files.files.keys().any(|place| place.root == Root::Kubelet);
        Ok(Self { files, name, is_control_plane, is_etcd, has_kubelet, own })
    }

    pub fn roles(&self) -> Vec<NodeRole> {
        let mut roles = Vec::new();
        roles.extend(self.is_control_plane.then_some(NodeRole::ControlPlane));
        roles.extend(self.is_etcd.then_some(NodeRole::Etcd));
        match () {
            () if !roles.is_empty() => roles,
            () if self.has_kubelet => vec![NodeRole::Worker],
            () => vec![NodeRole::LoadBalancer],
        }
    }

    /// Certificate, public key or kubeconfig of an entry, and its key.
    pub fn places(&self, entry: &Entry) -> (Place, Option<Place>) {
        self.own.files("", entry.files)
    }

    pub fn authority(&self, authority: CaId) -> (Place, Option<Place>) {
        self.own.authority(authority)
    }

    pub fn bytes(&self, place: &Place) -> Option<&[u8]> {
        self.files.bytes(place)
    }

    pub fn shown(&self, place: &Place) -> String {
        self.files.shown(place)
    }

    /// The first certificate of an entry; `None`: there is none that can be read.
    pub fn leaf(&self, entry: &str) -> Option<Certificate> {
        leaf(self.bytes(&self.places(find(entry)?).0)?)
    }

    /// Every certificate of an entry, the leaf first.
    pub fn bundle(&self, entry: &Entry) -> Option<Vec<Certificate>> {
        bundle(self.bytes(&self.places(entry).0)?)
    }

    pub fn conf(&self, name: &str) -> Option<Read> {
        kubeconfig::read(self.bytes(&self.places(find(name)?).0)?).ok()
    }

    /// A static pod's manifest.
    pub fn manifest(&self, component: &str) -> Option<&[u8]> {
        self.bytes(&Place { root: Root::Main, path: format!("manifests/{component}.yaml") })
    }

    pub fn flags(&self, component: &str) -> Option<Flags> {
        Flags::read(self.manifest(component)?)
    }

    /// kubeadm's first node: it alone has super-admin.conf.
    pub fn is_first(&self) -> bool {
        self.is_control_plane && self.files.has(SUPER_ADMIN_CONF)
    }

    /// The addresses in a certificate that another machine may reach, in their order.
    pub fn addresses(&self, entry: &str) -> Vec<IpAddr> {
        let sans = self.leaf(entry).map(|leaf| leaf.sans).unwrap_or_default();
        let addresses = sans.into_iter().filter_map(|san| match san {
            San::Ip(address) if !address.is_loopback() && !address.is_unspecified() => Some(address),
            _ => None,
        });
        addresses.collect()
    }

    /// The address at which the others find it: said by a manifest, or the one that kubeadm puts first.
    pub fn advertised(&self) -> Option<IpAddr> {
        let flag = || self.flags("kube-apiserver")?.get("advertise-address")?.parse().ok();
        let of_etcd = || {
            let flags = self.flags("etcd")?;
            kubeconfig::host(flags.get("advertise-client-urls")?)?.parse().ok()
        };
        let local = || self.local_server()?.0.parse().ok();
        let certified = |entry: &str, at: usize| self.addresses(entry).into_iter().nth(at);
        let control_plane =
            || flag().or_else(|| certified("etcd-server", 0)).or_else(local).or_else(|| certified("apiserver", 1));
        match (self.is_control_plane, self.is_etcd) {
            (true, _) => control_plane(),
            (false, true) => of_etcd().or_else(|| certified("etcd-server", 0)),
            (false, false) => certified(KUBELET_SERVING, 0),
        }
    }

    /// Host and port that the node's own components dial.
    fn local_server(&self) -> Option<(String, Option<u16>)> {
        let server = self.conf("controller-manager.conf").or_else(|| self.conf("scheduler.conf"))?.server;
        Some((kubeconfig::host(&server)?.to_owned(), port(&server)))
    }

    /// The port of its API server.
    pub fn bind_port(&self) -> Option<u16> {
        let flag = || self.flags("kube-apiserver")?.get("secure-port")?.parse().ok();
        let local = || {
            let (host, port) = self.local_server()?;
            let is_own = host.parse().ok() == self.advertised();
            port.filter(|_| is_own)
        };
        flag().or_else(local)
    }
}

/// The port of a server's URL.
fn port(server: &str) -> Option<u16> {
    let authority = server.split_once("://")?.1.split('/').next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

/// Below which directory the certificates are.
fn pki(files: &NodeFiles) -> Result<String, Refusal> {
    let with = |name: &str| DIRECTORIES.into_iter().find(|dir| files.has(&format!("{dir}/{name}")));
    if let Some(dir) = with("ca.crt").or_else(|| with("etcd/ca.crt")) {
        return Ok(dir.to_owned());
    }
    let manifest = Place { root: Root::Main, path: "manifests/kube-apiserver.yaml".to_owned() };
    let flags = files.bytes(&manifest).and_then(Flags::read);
    let Some(found) = flags.as_ref().and_then(|flags| flags.get("client-ca-file")) else {
        return Err(Refusal::NotANode(files.input.clone()));
    };
    let below = place_of(found).filter(|place| place.root == Root::Main && files.bytes(place).is_some());
    let dir = below.as_ref().and_then(|place| place.path.strip_suffix("/ca.crt"));
    dir.map(str::to_owned).ok_or_else(|| Refusal::Elsewhere { file: files.shown(&manifest), found: found.to_owned() })
}
