//! A profile as a value: everything a cluster's tree depends on.

use super::hooks::{Hooks, OnHookFailure};
use super::signing::{IssuerOptions, Signing};
use super::threshold::{MaxAge, Threshold};
use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::blueprint::{Algorithm, ExtendedKeyUsage, San, Subtree};
use crate::catalog::releases::{KnownRelease, Release};
use crate::catalog::{CaId, Entry, Files, Holders};
use crate::clock::Span;

/// Everything a cluster's tree depends on, every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub origin: Origin,
    pub cluster_name: String,
    pub kubernetes_version: Release,
    pub control_plane_endpoint: Option<Endpoint>,
    /// Absolute, no `..`: default `/etc/kubernetes/pki`.
    pub certificates_dir: String,
    /// One, or two of different families; never empty. Only the first yields the service address in the SANs.
    pub service_subnets: Vec<Subnet>,
    pub dns_domain: String,
    /// apiServer.certSANs: `San::Dns` (wildcards allowed) and `San::Ip` only, in the profile's order.
    pub api_server_sans: Vec<San>,
    pub etcd: Etcd,
    /// encryptionAlgorithm: the default of every key.
    pub algorithm: Algorithm,
    /// certificateValidityPeriod and caCertificateValidityPeriod; never zero.
    pub validity: Span,
    pub ca_validity: Span,
    pub stated: Stated,
    /// Options of single authorities; absent: the defaults above.
    pub authorities: BTreeMap<CaId, AuthorityOptions>,
    /// Options of single entries, by catalogue name.
    pub certificates: BTreeMap<&'static str, EntryOptions>,
    pub extra_certificates: Vec<ExtraCertificate>,
    /// Whether nodes get a kubelet serving pair (kubelet.serving).
    pub kubelet_serving: bool,
    /// Whether ca-signer.crt is written even if ca.crt holds one certificate (controllerManager.signerFile).
    pub signer_file: bool,
    /// Files that kube-controller-manager signs with, by a kubeadm configuration (controllerManager.extraArgs): flags without their
    /// dashes, with their paths. kpki's own kind has none.
    pub signing_files: Vec<(String, String)>,
    /// Whether control-plane nodes get the CA keys (caKeys).
    pub ca_keys: CaKeys,
    /// crl.validity: from thisUpdate to nextUpdate.
    pub crl_validity: Span,
    pub renewal: Renewal,
    pub rotation: Waits,
    pub expiration: Expiration,
    /// Copies of this cluster's credentials elsewhere (expiration.copies): absolute paths, as they are on the machine.
    pub copies: Vec<String>,
    /// What `kpki verify` shows and does not count (verify.ignore).
    pub verify_ignore: Vec<IgnoredRule>,
    /// Never empty; names unique; at least one control-plane node.
    pub nodes: Vec<Node>,
}

/// Which kind of document it was: it decides what "exactly kubeadm's tree" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `apiVersion: kpki/v1`, `kind: ClusterProfile`.
    Kpki,
    /// `apiVersion: kubeadm.k8s.io/...`: the tree is kubeadm's, no file more, one node.
    Kubeadm,
    /// The same for a node that joins: the authorities come from the cluster, and super-admin.conf stays where it is.
    KubeadmJoin,
}

impl Origin {
    pub const fn is_kubeadm(self) -> bool {
        matches!(self, Self::Kubeadm | Self::KubeadmJoin)
    }
}

/// Whether the document states it, or it is a default: a renewal follows only what is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// encryptionAlgorithm, or kubeadm's older feature gate PublicKeysECDSA.
    pub algorithm: bool,
    /// certificateValidityPeriod.
    pub validity: bool,
    /// caCertificateValidityPeriod.
    pub ca_validity: bool,
    /// kubernetesVersion.
    pub version: bool,
}

impl Stated {
    pub const ALL: Self = Self { algorithm: true, validity: true, ca_validity: true, version: true };
}

/// controlPlaneEndpoint: `host`, `host:port` or `[v6]:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `San::Dns` (a lower-case RFC 1123 subdomain) or `San::Ip`.
    pub host: San,
    /// `None`: the node's bindPort.
    pub port: Option<u16>,
}

/// A CIDR block with its host bits cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    pub network: IpAddr,
    pub prefix: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Etcd {
    Local {
        server_sans: Vec<San>,
        peer_sans: Vec<San>,
    },
    /// At least one endpoint. A file that is not named is an empty text; the pair comes together, and never without the CA.
    External {
        endpoints: Vec<String>,
        ca_file: String,
        cert_file: String,
        key_file: String,
    },
}

/// Options of one authority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorityOptions {
    pub algorithm: Option<Algorithm>,
    pub validity: Option<Span>,
    pub subject: SubjectAttributes,
    /// permittedNames: what it may sign for; empty: everything.
    pub permitted: Vec<Subtree>,
    /// pathLength: how many authorities may follow below it. `None`: its signer decides; one that signs itself has no limit.
    pub path_len: Option<u8>,
    /// key, signer or issuer; `None`: its key is the tree's plain file.
    pub signing: Option<Signing>,
    /// key or signer of the authority that is to take its place, where it is no plain file of the tree.
    pub next: Option<Signing>,
}

/// Subject attributes beside the CN, which is kubeadm's; in the order C, O, OU, L, ST (Go's, so kubeadm's).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectAttributes {
    pub country: Vec<String>,
    pub organization: Vec<String>,
    pub organizational_unit: Vec<String>,
    pub locality: Vec<String>,
    pub state: Vec<String>,
}

/// Options of one entry that is not an authority (`sa` has an algorithm only).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryOptions {
    pub algorithm: Option<Algorithm>,
    pub validity: Option<Span>,
}

/// A certificate beside kubeadm's: for a load balancer, metrics-server, a monitoring client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraCertificate {
    /// Unique, and no catalogue name: a lower-case RFC 1123 subdomain.
    pub name: String,
    pub authority: ExtraAuthority,
    /// Of an external authority: the program that has it issued.
    pub issuer: Option<IssuerOptions>,
    pub common_name: String,
    pub organizations: Vec<String>,
    /// Never empty.
    pub usages: Vec<ExtendedKeyUsage>,
    pub sans: Vec<San>,
    /// Below the pki directory, without `.crt`/`.key`: relative, plain components, not a catalogue path.
    pub path: String,
    pub algorithm: Option<Algorithm>,
    pub validity: Option<Span>,
    /// Names of the nodes that hold it, each with a key of its own; resolved from names and roles.
    pub nodes: Vec<String>,
}

/// Who signs an extra certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtraAuthority {
    InTree(CaId),
    /// A public or commercial one, that the tree does not know. Its paths end at one of these roots.
    External(Roots),
}

/// Which roots the path of an external certificate may end at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    System,
    /// An absolute path.
    File(String),
}

impl ExtraAuthority {
    /// In profiles.
    pub const EXTERNAL: &str = "external";

    pub const fn name(&self) -> &'static str {
        match self {
            Self::InTree(authority) => authority.name(),
            Self::External(_) => Self::EXTERNAL,
        }
    }

    pub const fn in_tree(&self) -> Option<CaId> {
        match self {
            Self::InTree(authority) => Some(*authority),
            Self::External(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaKeys {
    /// As with kubeadm: the keys of the authorities are on control-plane nodes.
    ControlPlane,
    /// They stay in the cluster directory.
    Nowhere,
}

impl CaKeys {
    pub const ALL: [Self; 2] = [Self::ControlPlane, Self::Nowhere];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Nowhere => "none",
        }
    }
}

/// How near its end a certificate may come before check-expiration reports it (expiration).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiration {
    pub warning: Threshold,
    pub critical: Threshold,
    pub ca_warning: Threshold,
    pub ca_critical: Threshold,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// A lower-case RFC 1123 subdomain: also a directory name and a CN.
    pub name: String,
    /// Sorted, unique, never empty.
    pub roles: Vec<NodeRole>,
    /// localAPIEndpoint.advertiseAddress; always there on control-plane nodes and etcd members.
    pub advertise_address: Option<IpAddr>,
    /// localAPIEndpoint.bindPort.
    pub bind_port: u16,
    /// Every address, the advertise address first; may be empty on a worker or load balancer.
    pub addresses: Vec<IpAddr>,
    /// Further names and addresses for this node's serving certificates.
    pub sans: Vec<San>,
    /// What its own kpki runs around a renewal, as `renewal.hooks` of the profile it is given. Nobody else runs them.
    pub hooks: Hooks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeRole {
    ControlPlane,
    Etcd,
    Worker,
    /// Stands before the API servers and runs no kubelet. Alone: no node has it beside another role.
    LoadBalancer,
}

impl NodeRole {
    pub const ALL: [Self; 4] = [Self::ControlPlane, Self::Etcd, Self::Worker, Self::LoadBalancer];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Etcd => "etcd",
            Self::Worker => "worker",
            Self::LoadBalancer => "load-balancer",
        }
    }
}

impl Node {
    pub fn is(&self, role: NodeRole) -> bool {
        self.roles.contains(&role)
    }
}

impl Profile {
    /// The release whose components read its trees.
    pub const fn release(&self) -> KnownRelease {
        KnownRelease { release: self.kubernetes_version, is_stated: self.stated.version }
    }

    /// The program that has issued what an authority elsewhere is to sign.
    pub fn issuer(&self, authority: CaId) -> Option<&IssuerOptions> {
        match self.authorities.get(&authority)?.signing.as_ref()? {
            Signing::Issuer(issuer) => Some(issuer),
            Signing::Key(_) | Signing::Signer(_) => None,
        }
    }

    /// The authority's key is no file of its tree.
    pub fn has_key_elsewhere(&self, authority: CaId) -> bool {
        let options = self.authorities.get(&authority);
        options.and_then(|options| options.signing.as_ref()).is_some_and(Signing::is_elsewhere)
    }

    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Whether this cluster has this entry at all.
    pub fn includes(&self, entry: &Entry) -> bool {
        let etcd = !entry.etcd || matches!(self.etcd, Etcd::Local { .. });
        let kubelet = !matches!(entry.files, Files::KubeletPair(_)) || self.kubelet_serving;
        let writes_super_admin = self.kubernetes_version.has_super_admin() && self.origin != Origin::KubeadmJoin;
        let super_admin = entry.name != "super-admin.conf" || writes_super_admin;
        // kubeadm `init` makes the front-proxy and etcd authorities on every control-plane node: so does the catalogue.
        etcd && kubelet && super_admin
    }

    /// Whether this node holds this entry, if its cluster has it.
    pub fn holds(&self, node: &Node, entry: &Entry) -> bool {
        let control_plane = node.is(NodeRole::ControlPlane);
        match entry.holders {
            Holders::All => true,
            Holders::Kubelets => !node.is(NodeRole::LoadBalancer),
            Holders::ControlPlane => control_plane,
            Holders::FirstControlPlane => self.first_control_plane().is_some_and(|first| first.name == node.name),
            Holders::EtcdMembers => node.is(NodeRole::Etcd),
            Holders::ControlPlaneAndEtcd => control_plane || node.is(NodeRole::Etcd),
        }
    }

    /// The node on which `kubeadm init` would have run.
    pub fn first_control_plane(&self) -> Option<&Node> {
        self.nodes.iter().find(|node| node.is(NodeRole::ControlPlane))
    }
}

/// One entry of verify.ignore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredRule {
    /// `AREA/NAME`, or `AREA`; which there are `verify` knows.
    pub rule: String,
    /// The end of a path, or an entry; `None`: everywhere.
    pub place: Option<String>,
    pub reason: String,
}

/// When a certificate is due, and what happens around its renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Shorter than every lifetime in the profile.
    pub before: Threshold,
    /// `None`: however old.
    pub max_age: Option<MaxAge>,
    /// How many earlier generations of a tree are kept: 1 to 1000.
    pub keep_generations: usize,
    pub on_hook_failure: OnHookFailure,
    pub hooks: Hooks,
}

/// How long a rotation of an authority waits between its steps at least (rotation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    pub before_switch: Span,
    pub before_retire: Span,
}
