//! The part of a cluster's configuration that kubeadm has too: same names, same defaults, same bounds. kpki's own kind and
//! kubeadm's ClusterConfiguration are both read here; [`Dialect`] decides which keys beside these are known and not read.

use std::collections::BTreeMap;

use super::defaults;
use super::fields::{Field, Fields, Reading};
use super::model::{CaKeys, Etcd, Origin, Profile, Stated};
use super::problem::shown;
use super::values;
use crate::catalog::paths::DEFAULT_CERTIFICATES_DIR;
use crate::catalog::releases::Release;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Kpki,
    Kubeadm {
        /// encryptionAlgorithm and the validity periods exist from v1beta4 on.
        has_algorithms: bool,
    },
}

/// A profile in which all that kubeadm does not have is at its default, and that has no nodes yet.
pub fn read(fields: &mut Fields<'_>, dialect: Dialect, reading: &mut Reading) -> Profile {
    let is_kpki = dialect == Dialect::Kpki;
    let cluster_name = fields.value("clusterName", reading, values::name_text(253, "a name for the cluster"));
    let stated_version = version(fields, dialect, reading);
    let control_plane_endpoint = fields.value("controlPlaneEndpoint", reading, values::endpoint);
    let certificates_dir = fields.value("certificatesDir", reading, values::certificates_dir);

    let mut networking = fields.section("networking", reading);
    let service_subnets = networking.value("serviceSubnet", reading, values::service_subnets);
    let dns_domain = networking.value("dnsDomain", reading, values::subdomain);

    let mut api_server = fields.section("apiServer", reading);
    let api_server_sans = api_server.values("certSANs", reading, values::san);

    if !is_kpki {
        networking.skip(&["podSubnet"]);
        api_server.skip(&["extraArgs", "extraVolumes", "extraEnvs", "timeoutForControlPlane"]);
    }
    networking.finish(reading);
    api_server.finish(reading);
    let etcd = etcd(fields, dialect, reading);

    let (mut algorithm, mut validity, mut ca_validity) = (None, None, None);
    if matches!(dialect, Dialect::Kpki | Dialect::Kubeadm { has_algorithms: true }) {
        algorithm = fields.value("encryptionAlgorithm", reading, values::algorithm);
        validity = fields.value("certificateValidityPeriod", reading, values::duration);
        ca_validity = fields.value("caCertificateValidityPeriod", reading, values::duration);
    }
    Profile {
        origin: if is_kpki { Origin::Kpki } else { Origin::Kubeadm },
        cluster_name: cluster_name.unwrap_or_else(|| defaults::CLUSTER_NAME.to_owned()),
        kubernetes_version: stated_version.unwrap_or(Release::NEWEST),
        control_plane_endpoint,
        certificates_dir: certificates_dir.unwrap_or_else(|| DEFAULT_CERTIFICATES_DIR.to_owned()),
        service_subnets: service_subnets.unwrap_or_else(|| vec![defaults::SERVICE_SUBNET]),
        dns_domain: dns_domain.unwrap_or_else(|| defaults::DNS_DOMAIN.to_owned()),
        api_server_sans,
        etcd,
        stated: Stated {
            algorithm: algorithm.is_some(),
            validity: validity.is_some(),
            ca_validity: ca_validity.is_some(),
            version: stated_version.is_some(),
        },
        algorithm: algorithm.unwrap_or(if is_kpki { defaults::ALGORITHM } else { defaults::KUBEADM_ALGORITHM }),
        validity: validity.unwrap_or(defaults::VALIDITY),
        ca_validity: ca_validity.unwrap_or(defaults::CA_VALIDITY),
        authorities: BTreeMap::new(),
        certificates: BTreeMap::new(),
        extra_certificates: Vec::new(),
        kubelet_serving: is_kpki,
        signer_file: false,
        signing_files: Vec::new(),
        ca_keys: CaKeys::ControlPlane,
        crl_validity: defaults::CRL_VALIDITY,
        renewal: defaults::RENEWAL,
        rotation: defaults::WAITS,
        expiration: defaults::EXPIRATION,
        copies: Vec::new(),
        verify_ignore: Vec::new(),
        nodes: Vec::new(),
    }
}

/// kubernetesVersion; kubeadm's labels (`stable-1`, `latest`, a URL) stand for a release only the network
/// knows; `stable-1.28` names its minor. `None`: the newest known one.
fn version(fields: &mut Fields<'_>, dialect: Dialect, reading: &mut Reading) -> Option<Release> {
    let field = fields.take("kubernetesVersion", reading)?;
    let text = field.text(reading)?;
    if dialect != Dialect::Kpki && is_label(text) {
        let named = Release::of_label(text).map(|release| release.min(Release::NEWEST));
        let release = named.unwrap_or(Release::NEWEST);
        reading.warn(&field.path, format!("a label needs a network to resolve; the rules of {release} hold"));
        return named;
    }
    let release = field.value(reading, values::release)?;
    if release.minor > Release::NEWEST.minor {
        reading.warn(
            &field.path,
            format!("{release} is newer than all known releases; the rules of {} hold", Release::NEWEST),
        );
    }
    Some(release)
}

fn is_label(text: &str) -> bool {
    let text = text.strip_prefix("ci/").unwrap_or(text);
    ["stable", "latest", "release/", "k8s-", "http://", "https://"].iter().any(|start| text.starts_with(start))
}

fn etcd(fields: &mut Fields<'_>, dialect: Dialect, reading: &mut Reading) -> Etcd {
    let mut etcd = fields.section("etcd", reading);
    let (has_local, has_external) = (etcd.is_present("local"), etcd.is_present("external"));
    let mut local = etcd.section("local", reading);
    let server_sans = local.values("serverCertSANs", reading, values::san);
    let peer_sans = local.values("peerCertSANs", reading, values::san);
    if dialect != Dialect::Kpki {
        local.skip(&["imageRepository", "imageTag", "dataDir", "extraArgs", "extraEnvs"]);
    }
    local.finish(reading);
    let external = etcd.section("external", reading);
    let external = external_etcd(external, has_external, dialect, reading);
    let path = etcd.path.clone();
    etcd.finish(reading);
    if has_local && has_external {
        reading.refuse(&path, "either etcd.local or etcd.external", "both");
    }
    if has_external { external } else { Etcd::Local { server_sans, peer_sans } }
}

/// kubeadm's rules: the pair goes together and needs the CA, and with any of them every endpoint is https.
fn external_etcd(mut fields: Fields<'_>, required: bool, dialect: Dialect, reading: &mut Reading) -> Etcd {
    let endpoints_field = fields.take("endpoints", reading);
    let mut file = |key| fields.value(key, reading, values::absolute_path).unwrap_or_default();
    let (ca_file, cert_file, key_file) = (file("caFile"), file("certFile"), file("keyFile"));
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
        if endpoints_field.is_none_or(|field| field.is_empty_list()) {
            reading.missing(&fields.join("endpoints"), "at least one etcd URL");
        }
        if cert != key {
            let missing = fields.join(if cert { "keyFile" } else { "certFile" });
            reading.refuse(&missing, "certFile and keyFile together", "one of them");
        }
        if cert && key && !reading.has(&fields.join("caFile")) {
            reading.refuse(&fields.join("caFile"), "caFile beside certFile and keyFile", "none");
        }
    }
    fields.finish(reading);
    Etcd::External { endpoints, ca_file, cert_file, key_file }
}

fn external_endpoint(item: &Field<'_>, secured: bool, reading: &mut Reading) -> Option<String> {
    let url = item.value(reading, values::url)?;
    if secured && !url.starts_with("https://") {
        reading.refuse(&item.path, "an https URL beside caFile, certFile and keyFile", shown(&url));
        return None;
    }
    Some(url)
}
