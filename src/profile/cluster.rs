//! Our own kind: `apiVersion: kpki/v1`, `kind: ClusterProfile`.

use super::configuration::{self, Dialect, taken};
use super::fields::{Field, Fields, Reading};
use super::load::Overrides;
use super::options::unknown;
use super::{CaKeys, Expiration, Origin, Profile, Window, checks, extra, nodes, options, renewal, values};
use crate::blueprint::Algorithm;
use crate::clock::Span;
use crate::encoding::yaml::Node as Document;

/// Smaller and quicker than RSA at the same strength, and every supported Kubernetes reads it.
pub const ALGORITHM: Algorithm = Algorithm::EcdsaP256;
pub const CRL_VALIDITY: Span = Span::days(30);
/// A month and a week, as most alerts have it; authorities earlier, because a new one takes a while to reach everybody.
pub const EXPIRATION: Expiration = Expiration {
    warning: Window::Before(Span::days(30)),
    critical: Window::Before(Span::days(7)),
    ca_warning: Window::Before(Span::days(365)),
    ca_critical: Window::Before(Span::days(180)),
};

/// `None`: no mapping. A profile with problems is complete nevertheless, and must not be used.
pub fn read(document: &Document, overrides: &Overrides, reading: &mut Reading) -> Option<Profile> {
    let mut fields = Field::root(document, reading).fields(reading)?;
    // Both have been read to find out what the document is.
    fields.take("apiVersion", reading);
    fields.take("kind", reading);
    let configuration = configuration::read(&mut fields, Dialect::Kpki, reading);
    let authorities = options::authorities(&mut fields, reading);
    let certificates = options::certificates(&mut fields, reading);
    let nodes = nodes::read(&mut fields, &configuration.etcd, reading);
    let extra_certificates = extra::read(&mut fields, &nodes, &configuration.etcd, reading);

    let mut kubelet = fields.section("kubelet", reading);
    let serving = kubelet.take("serving", reading).and_then(|field| field.boolean(reading));
    kubelet.finish(&[], reading);
    let ca_keys = taken(&mut fields, "caKeys", reading, |text| match text {
        "control-plane" => Ok(CaKeys::ControlPlane),
        "none" => Ok(CaKeys::Nowhere),
        _ => Err(unknown("control-plane or none", text, ["control-plane", "none"])),
    });
    let mut crl = fields.section("crl", reading);
    let crl_validity = taken(&mut crl, "validity", reading, values::duration);
    crl.finish(&[], reading);
    let renewal = renewal::read(&mut fields, reading);
    let (expiration, copies) = expiration(&mut fields, reading);
    fields.finish(&[], reading);

    let profile = Profile {
        origin: Origin::Kpki,
        cluster_name: configuration.cluster_name,
        kubernetes_version: configuration.kubernetes_version,
        control_plane_endpoint: configuration.control_plane_endpoint,
        certificates_dir: configuration.certificates_dir,
        service_subnets: configuration.service_subnets,
        dns_domain: configuration.dns_domain,
        api_server_sans: configuration.api_server_sans,
        etcd: configuration.etcd,
        algorithm: configuration.algorithm.unwrap_or(ALGORITHM),
        validity: configuration.validity,
        ca_validity: configuration.ca_validity,
        stated: configuration.stated,
        authorities,
        certificates,
        extra_certificates,
        kubelet_serving: overrides.kubelet_serving.or(serving).unwrap_or(true),
        ca_keys: ca_keys.unwrap_or(CaKeys::ControlPlane),
        crl_validity: crl_validity.unwrap_or(CRL_VALIDITY),
        renewal,
        expiration,
        copies,
        nodes,
    };
    checks::run(&profile, reading);
    Some(profile)
}

fn expiration(fields: &mut Fields<'_>, reading: &mut Reading) -> (Expiration, Vec<String>) {
    let mut section = fields.section("expiration", reading);
    let mut window = |key, default| taken(&mut section, key, reading, values::window).unwrap_or(default);
    let expiration = Expiration {
        warning: window("warning", EXPIRATION.warning),
        critical: window("critical", EXPIRATION.critical),
        ca_warning: window("caWarning", EXPIRATION.ca_warning),
        ca_critical: window("caCritical", EXPIRATION.ca_critical),
    };
    let copies = section.take("copies", reading).and_then(|field| field.values(reading, values::absolute_path));
    section.finish(&[], reading);
    (expiration, copies.unwrap_or_default())
}
