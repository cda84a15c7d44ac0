//! The part of a cluster's configuration that kubeadm has too: same names, same defaults, same bounds. Our own kind and
//! kubeadm's ClusterConfiguration are both read here; [`Dialect`] says which keys beside these are let pass.

use super::fields::{Field, Fields, Reading};
use super::problem::Kind;
use super::refusal::Refusal;
use super::{Endpoint, Etcd, Stated, Subnet, values};
use crate::blueprint::{Algorithm, San};
use crate::catalog::releases::Release;
use crate::clock::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Kpki,
    Kubeadm {
        /// encryptionAlgorithm and the validity periods exist from v1beta4 on.
        has_algorithms: bool,
    },
}

#[derive(Debug)]
pub struct Configuration {
    pub cluster_name: String,
    pub kubernetes_version: Release,
    pub control_plane_endpoint: Option<Endpoint>,
    pub certificates_dir: String,
    pub service_subnets: Vec<Subnet>,
    pub dns_domain: String,
    pub api_server_sans: Vec<San>,
    pub etcd: Etcd,
    pub algorithm: Option<Algorithm>,
    pub validity: Span,
    pub ca_validity: Span,
    pub stated: Stated,
}

pub const CLUSTER_NAME: &str = "kubernetes";
pub const CERTIFICATES_DIR: &str = "/etc/kubernetes/pki";
pub const SERVICE_SUBNET: &str = "10.96.0.0/12";
pub const DNS_DOMAIN: &str = "cluster.local";
const VALIDITY: Span = Span::hours(8760);
const CA_VALIDITY: Span = Span::hours(87600);

pub fn read(fields: &mut Fields<'_>, dialect: Dialect, reading: &mut Reading) -> Configuration {
    let cluster_name = taken(fields, "clusterName", reading, values::name_text(253, "a name for the cluster"));
    let kubernetes_version = version(fields, dialect, reading);
    let control_plane_endpoint = taken(fields, "controlPlaneEndpoint", reading, values::endpoint);
    let certificates_dir = taken(fields, "certificatesDir", reading, values::certificates_dir);

    let mut networking = fields.section("networking", reading);
    let service_subnets = taken(&mut networking, "serviceSubnet", reading, values::service_subnets);
    let dns_domain = taken(&mut networking, "dnsDomain", reading, values::subdomain);

    let mut api_server = fields.section("apiServer", reading);
    let api_server_sans = sans(&mut api_server, "certSANs", reading);

    if dialect != Dialect::Kpki {
        networking.skip(&["podSubnet"]);
        api_server.skip(&["extraArgs", "extraVolumes", "extraEnvs", "timeoutForControlPlane"]);
    }
    networking.finish(&[], reading);
    api_server.finish(&[], reading);
    let etcd = etcd(fields, dialect, reading);

    let (mut algorithm, mut validity, mut ca_validity) = (None, None, None);
    if matches!(dialect, Dialect::Kpki | Dialect::Kubeadm { has_algorithms: true }) {
        algorithm = taken(fields, "encryptionAlgorithm", reading, values::algorithm);
        validity = taken(fields, "certificateValidityPeriod", reading, values::duration);
        ca_validity = taken(fields, "caCertificateValidityPeriod", reading, values::duration);
    }
    Configuration {
        cluster_name: cluster_name.unwrap_or_else(|| CLUSTER_NAME.to_owned()),
        kubernetes_version,
        control_plane_endpoint,
        certificates_dir: certificates_dir.unwrap_or_else(|| CERTIFICATES_DIR.to_owned()),
        service_subnets: service_subnets.unwrap_or_else(|| values::service_subnets(SERVICE_SUBNET).unwrap_or_default()),
        dns_domain: dns_domain.unwrap_or_else(|| DNS_DOMAIN.to_owned()),
        api_server_sans,
        etcd,
        stated: Stated { algorithm: algorithm.is_some(), validity: validity.is_some() },
        algorithm,
        validity: validity.unwrap_or(VALIDITY),
        ca_validity: ca_validity.unwrap_or(CA_VALIDITY),
    }
}

pub fn taken<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    reading: &mut Reading,
    parse: impl Fn(&str) -> Result<T, Kind>,
) -> Option<T> {
    fields.take(key, reading)?.value(reading, parse)
}

pub fn sans(fields: &mut Fields<'_>, key: &'static str, reading: &mut Reading) -> Vec<San> {
    fields.take(key, reading).and_then(|field| field.values(reading, values::san)).unwrap_or_default()
}

/// kubernetesVersion; kubeadm's labels (`stable-1`, `latest`, a URL) stand for a release only the network knows.
fn version(fields: &mut Fields<'_>, dialect: Dialect, reading: &mut Reading) -> Release {
    let Some(field) = fields.take("kubernetesVersion", reading) else { return Release::NEWEST };
    let Some(text) = field.text(reading) else { return Release::NEWEST };
    if dialect != Dialect::Kpki && is_label(text) {
        reading.warn(&field.path, format!("a label needs a network to resolve; the rules of {} hold", Release::NEWEST));
        return Release::NEWEST;
    }
    let release = field.value(reading, values::release).unwrap_or(Release::NEWEST);
    if release.minor > Release::NEWEST.minor {
        reading.warn(
            &field.path,
            format!("{release} is newer than all known releases; the rules of {} hold", Release::NEWEST),
        );
    }
    release
}

fn is_label(text: &str) -> bool {
    let text = text.strip_prefix("ci/").unwrap_or(text);
    ["stable", "latest", "release/", "k8s-", "http://", "https://"].iter().any(|start| text.starts_with(start))
}

fn etcd(fields: &mut Fields<'_>, dialect: Dialect, reading: &mut Reading) -> Etcd {
    let mut etcd = fields.section("etcd", reading);
    let (has_local, has_external) = (etcd.is_present("local"), etcd.is_present("external"));
    let mut local = etcd.section("local", reading);
    let server_sans = sans(&mut local, "serverCertSANs", reading);
    let peer_sans = sans(&mut local, "peerCertSANs", reading);
    if dialect != Dialect::Kpki {
        local.skip(&["imageRepository", "imageTag", "dataDir", "extraArgs", "extraEnvs"]);
    }
    local.finish(&[], reading);
    let external = etcd.section("external", reading);
    let external = external_etcd(external, has_external, dialect, reading);
    let path = etcd.path.clone();
    etcd.finish(&[], reading);
    if has_local && has_external {
        reading.refuse(&path, Refusal::EtcdLocalAndExternal);
    }
    if has_external { external } else { Etcd::Local { server_sans, peer_sans } }
}

/// kubeadm's rules: the pair goes together and needs the CA, and with any of them every endpoint is https.
fn external_etcd(mut fields: Fields<'_>, required: bool, dialect: Dialect, reading: &mut Reading) -> Etcd {
    let endpoints_field = fields.take("endpoints", reading);
    let ca_file = taken(&mut fields, "caFile", reading, values::absolute_path).unwrap_or_default();
    let cert_file = taken(&mut fields, "certFile", reading, values::absolute_path).unwrap_or_default();
    let key_file = taken(&mut fields, "keyFile", reading, values::absolute_path).unwrap_or_default();
    if dialect != Dialect::Kpki {
        fields.skip(&["httpEndpoints"]);
    }
    let secured = ["caFile", "certFile", "keyFile"].into_iter().any(|key| reading.has(&fields.join(key)));
    let endpoints = endpoints_field
        .as_ref()
        .and_then(|field| field.items(reading, 1000))
        .unwrap_or_default()
        .iter()
        .filter_map(|item| external_endpoint(item, secured, reading))
        .collect::<Vec<_>>();
    if required {
        let (cert, key) = (reading.has(&fields.join("certFile")), reading.has(&fields.join("keyFile")));
        if endpoints_field.is_none_or(|field| is_empty_list(&field)) {
            reading.problem(&fields.join("endpoints"), Kind::Missing { expected: "at least one etcd URL" });
        }
        if cert != key {
            reading.refuse(&fields.join(if cert { "keyFile" } else { "certFile" }), Refusal::EtcdPairIncomplete);
        }
        if cert && key && !reading.has(&fields.join("caFile")) {
            reading.refuse(&fields.join("caFile"), Refusal::EtcdPairWithoutCa);
        }
    }
    fields.finish(&[], reading);
    Etcd::External { endpoints, ca_file, cert_file, key_file }
}

fn external_endpoint(item: &Field<'_>, secured: bool, reading: &mut Reading) -> Option<String> {
    let url = item.value(reading, values::url)?;
    if secured && !url.starts_with("https://") {
        reading.refuse(&item.path, Refusal::EtcdNeedsHttps { found: url });
        return None;
    }
    Some(url)
}

pub fn is_empty_list(field: &Field<'_>) -> bool {
    matches!(&field.node.value, crate::encoding::yaml::Value::Sequence(items) if items.is_empty())
}
