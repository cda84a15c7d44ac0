//! kubeadm's own documents, `apiVersion: kubeadm.k8s.io/...`: the tree of the one node they describe. The keys of each
//! struct are kubeadm's (its API reference, v1beta2 to v1beta4); what decides nothing here is known and not read.

use super::configuration::{self, Dialect};
use super::defaults::{BIND_PORT, RENEWAL};
use super::fields::{Field, Fields, Reading};
use super::model::{Etcd, Node, NodeRole, Origin, Profile};
use super::overrides::Overrides;
use super::problem::Mismatch;
use super::{nodes, values};
use crate::blueprint::Algorithm;
use crate::encoding::yaml::{Mark, Node as Document, Value, field, text};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V1Beta2,
    V1Beta3,
    V1Beta4,
    /// In kubeadm's sources, with the fields of v1beta4.
    V1,
}

impl Version {
    pub const ALL: [(&'static str, Self); 4] = [
        ("kubeadm.k8s.io/v1beta4", Self::V1Beta4),
        ("kubeadm.k8s.io/v1beta3", Self::V1Beta3),
        ("kubeadm.k8s.io/v1beta2", Self::V1Beta2),
        ("kubeadm.k8s.io/v1", Self::V1),
    ];
}

/// The documents of one file that matter, each at most once.
#[derive(Debug, Default)]
pub struct Documents<'n> {
    pub cluster: Option<(Version, &'n Document)>,
    pub init: Option<&'n Document>,
    pub join: Option<&'n Document>,
}

/// The node of an InitConfiguration or JoinConfiguration.
#[derive(Debug, Default)]
struct Host {
    name: Option<String>,
    advertise_address: Option<std::net::IpAddr>,
    bind_port: Option<u16>,
    /// The fields in which the address and the name would stand.
    address_field: String,
    name_field: String,
}

pub fn read(documents: &Documents<'_>, overrides: &Overrides, reading: &mut Reading) -> Option<Profile> {
    let mut profile = match documents.cluster {
        Some((version, document)) => cluster_configuration(version, document, reading)?,
        // kubeadm's defaults for a file without ClusterConfiguration, so an empty one.
        None => {
            let empty = Document::new(Mark::START, Value::Mapping(Vec::new()));
            cluster_configuration(Version::V1Beta4, &empty, reading)?
        }
    };
    let host = match (documents.init, documents.join) {
        (Some(document), join) => {
            if let Some(join) = join {
                reading.locate("kind", join.mark);
                reading.warn("kind", "JoinConfiguration is not read beside an InitConfiguration");
            }
            init_configuration(document, reading)?
        }
        (None, Some(document)) => join_configuration(document, reading)?,
        (None, None) => Host {
            address_field: "localAPIEndpoint.advertiseAddress".to_owned(),
            name_field: "nodeRegistration.name".to_owned(),
            ..Host::default()
        },
    };
    if documents.init.is_none() && documents.join.is_some() {
        profile.origin = Origin::KubeadmJoin;
    }
    profile.nodes = vec![node(host, &profile.etcd, overrides, reading)];
    profile.kubelet_serving = overrides.kubelet_serving.unwrap_or(profile.kubelet_serving);
    if profile.validity > profile.ca_validity {
        reading.warn("certificateValidityPeriod", "certificates would outlive their CA and end with it");
    }
    Some(profile)
}

/// A document's fields, apiVersion and kind taken.
fn opened<'n>(document: &'n Document, reading: &mut Reading) -> Option<Fields<'n>> {
    let mut fields = Field::root(document, reading).fields(reading)?.empty_is_absent();
    fields.skip(&["apiVersion", "kind"]);
    Some(fields)
}

fn cluster_configuration(version: Version, document: &Document, reading: &mut Reading) -> Option<Profile> {
    let mut fields = opened(document, reading)?;
    let has_algorithms = version >= Version::V1Beta4;
    let mut profile = configuration::read(&mut fields, Dialect::Kubeadm { has_algorithms }, reading);
    // ControlPlaneKubeletLocalMode (1.31 to 1.35) chooses kubelet.conf's server; the release's default is what is made here.
    let mut gates = fields.section("featureGates", reading);
    let ecdsa = gates.boolean("PublicKeysECDSA", reading) == Some(true);
    if let Some(local) = gates.boolean("ControlPlaneKubeletLocalMode", reading) {
        let release = profile.kubernetes_version;
        if (31..35).contains(&release.minor) && local != release.has_local_kubelet() {
            let text = "kubelet.conf gets the server that is the release's default, whatever the value of this gate";
            reading.warn("featureGates.ControlPlaneKubeletLocalMode", text);
        }
    }
    profile.signing_files =
        fields.take("controllerManager", reading).map(|field| signing_files(field.node)).unwrap_or_default();
    fields.skip(&["scheduler", "dns", "imageRepository", "proxy"]);
    if version == Version::V1Beta2 {
        fields.skip(&["useHyperKubeImage"]);
    }
    if !has_algorithms {
        for key in ["encryptionAlgorithm", "certificateValidityPeriod", "caCertificateValidityPeriod"] {
            let why = Mismatch::new("a key of this apiVersion", "one that exists from v1beta4 on");
            fields.refuse(key, why, reading);
        }
    }
    fields.finish(reading);
    if ecdsa && !profile.stated.algorithm {
        profile.algorithm = Algorithm::EcdsaP256;
    }
    profile.stated.algorithm |= ecdsa;
    Some(profile)
}

/// Of controllerManager.extraArgs: a mapping, or from v1beta4 on a list of names and values. Nothing else in it decides anything here,
/// and nothing in it is refused.
fn signing_files(controller_manager: &Document) -> Vec<(String, String)> {
    let pairs: Vec<(&str, &str)> = match field(controller_manager, "extraArgs").map(|arguments| &arguments.value) {
        Some(Value::Mapping(entries)) => {
            entries.iter().filter_map(|entry| Some((entry.key.as_str(), scalar(&entry.node)?))).collect()
        }
        Some(Value::Sequence(items)) => {
            items.iter().filter_map(|item| Some((text(item, "name")?, text(item, "value")?))).collect()
        }
        _ => Vec::new(),
    };
    let signs = |(name, _): &(&str, &str)| name.starts_with("cluster-signing-") && name.ends_with("cert-file");
    pairs.into_iter().filter(signs).map(|(name, path)| (name.to_owned(), path.to_owned())).collect()
}

fn scalar(node: &Document) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn init_configuration(document: &Document, reading: &mut Reading) -> Option<Host> {
    let mut fields = opened(document, reading)?;
    let mut host = Host::default();
    registration(&mut fields, &mut host, reading);
    api_endpoint(&mut fields, &mut host, reading);
    fields.skip(&["bootstrapTokens", "certificateKey", "skipPhases", "patches", "dryRun", "timeouts"]);
    fields.finish(reading);
    Some(host)
}

fn join_configuration(document: &Document, reading: &mut Reading) -> Option<Host> {
    let mut fields = opened(document, reading)?;
    let mut host = Host::default();
    registration(&mut fields, &mut host, reading);
    if !has_key(document, "controlPlane") {
        let found = "a worker: it gets its certificate from the cluster (TLS bootstrap), or from a cluster directory made \
                     from a profile";
        reading.refuse("controlPlane", "controlPlane", found);
    }
    let mut control_plane = fields.section("controlPlane", reading);
    api_endpoint(&mut control_plane, &mut host, reading);
    control_plane.skip(&["certificateKey"]);
    control_plane.finish(reading);
    fields.skip(&["caCertPath", "discovery", "skipPhases", "patches", "dryRun", "timeouts"]);
    fields.finish(reading);
    Some(host)
}

/// A key with an empty mapping counts: `controlPlane: {}` joins the control plane.
fn has_key(document: &Document, key: &str) -> bool {
    match &document.value {
        Value::Mapping(entries) => entries.iter().any(|entry| entry.key == key),
        _ => false,
    }
}

fn registration(fields: &mut Fields<'_>, host: &mut Host, reading: &mut Reading) {
    let mut registration = fields.section("nodeRegistration", reading);
    host.name_field = registration.join("name");
    host.name = registration.take("name", reading).and_then(|field| field.text(reading).map(str::to_owned));
    registration.skip(&[
        "criSocket",
        "taints",
        "kubeletExtraArgs",
        "ignorePreflightErrors",
        "imagePullPolicy",
        "imagePullSerial",
    ]);
    registration.finish(reading);
}

fn api_endpoint(fields: &mut Fields<'_>, host: &mut Host, reading: &mut Reading) {
    let mut endpoint = fields.section("localAPIEndpoint", reading);
    host.address_field = endpoint.join("advertiseAddress");
    if let Some(field) = endpoint.take("advertiseAddress", reading) {
        host.advertise_address = nodes::advertise_address(&field, Origin::Kubeadm, reading);
    }
    if let Some(field) = endpoint.take("bindPort", reading) {
        host.bind_port = Some(nodes::port(&field, reading));
    }
    endpoint.finish(reading);
}

/// The one node: control plane, and etcd member when etcd is stacked.
fn node(host: Host, etcd: &Etcd, overrides: &Overrides, reading: &mut Reading) -> Node {
    // kubeadm: nodeRegistration.name, --node-name, or the hostname; trimmed and lower-cased in every case.
    let name = host.name.as_ref().or(overrides.node_name.as_ref()).or(overrides.hostname.as_ref());
    let name = match name.map(|name| name.trim().to_lowercase()) {
        None => {
            let found = "none; add nodeRegistration.name or pass --node-name";
            reading.refuse(&host.name_field, "the name of the node", found);
            String::new()
        }
        Some(name) => {
            values::subdomain(&name).map_err(|why| reading.problem(&host.name_field, why)).unwrap_or_default()
        }
    };
    nodes::warn_of_long_name(&name, &host.name_field, reading);
    let given = match overrides.advertise_address {
        // One that could not be read has been reported.
        _ if reading.has(&host.address_field) => host.advertise_address,
        Some(address) => {
            nodes::judged(address.to_canonical(), Origin::Kubeadm, "--apiserver-advertise-address", reading)
        }
        None => {
            let found = "none; add localAPIEndpoint.advertiseAddress or pass --apiserver-advertise-address";
            reading.refuse(&host.address_field, "the address of the API server", found);
            None
        }
    };
    let mut roles = vec![NodeRole::ControlPlane];
    if matches!(etcd, Etcd::Local { .. }) {
        roles.push(NodeRole::Etcd);
    }
    Node {
        name,
        roles,
        advertise_address: given,
        bind_port: host.bind_port.unwrap_or(BIND_PORT),
        addresses: given.into_iter().collect(),
        sans: Vec::new(),
        hooks: RENEWAL.hooks,
    }
}
