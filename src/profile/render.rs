//! A profile as a complete document of our own kind: every default visible, and read back to the same profile.

use std::fmt::Write as _;

use super::load::{API_VERSION, KIND};
use super::{
    CaKeys, Command, Endpoint, Etcd, ExtraCertificate, Node, Profile, Renewal, SubjectAttributes, Subnet, Window,
};
use crate::blueprint::{ExtendedKeyUsage, San, Subtree};
use crate::encoding::yaml::scalar;

/// Complete YAML of kind ClusterProfile. A profile that came from kubeadm's documents becomes one of ours, and what was left
/// to a default is stated from then on.
pub fn render(profile: &Profile) -> String {
    let mut page = Page::default();
    page.line(0, "apiVersion", API_VERSION);
    page.line(0, "kind", KIND);
    page.line(0, "clusterName", &profile.cluster_name);
    page.line(0, "kubernetesVersion", &profile.kubernetes_version.to_string());
    if let Some(endpoint) = &profile.control_plane_endpoint {
        page.line(0, "controlPlaneEndpoint", &endpoint_text(endpoint));
    }
    page.line(0, "certificatesDir", &profile.certificates_dir);
    page.open(0, "networking");
    let subnets: Vec<String> = profile.service_subnets.iter().map(subnet_text).collect();
    page.line(1, "serviceSubnet", &subnets.join(","));
    page.line(1, "dnsDomain", &profile.dns_domain);
    page.open(0, "apiServer");
    page.list(1, "certSANs", profile.api_server_sans.iter().map(San::to_string));
    etcd(&mut page, &profile.etcd);
    page.line(0, "encryptionAlgorithm", profile.algorithm.name());
    page.line(0, "certificateValidityPeriod", &profile.validity.to_string());
    page.line(0, "caCertificateValidityPeriod", &profile.ca_validity.to_string());
    options(&mut page, profile);
    page.open(0, "kubelet");
    page.raw(1, "serving", &profile.kubelet_serving.to_string());
    page.line(
        0,
        "caKeys",
        match profile.ca_keys {
            CaKeys::ControlPlane => "control-plane",
            CaKeys::Nowhere => "none",
        },
    );
    page.open(0, "crl");
    page.line(1, "validity", &profile.crl_validity.to_string());
    renewal(&mut page, &profile.renewal);
    page.open(0, "expiration");
    page.line(1, "warning", &window_text(profile.expiration.warning));
    page.line(1, "critical", &window_text(profile.expiration.critical));
    page.line(1, "caWarning", &window_text(profile.expiration.ca_warning));
    page.line(1, "caCritical", &window_text(profile.expiration.ca_critical));
    page.list(1, "copies", profile.copies.iter().cloned());
    if !profile.extra_certificates.is_empty() {
        page.open(0, "extraCertificates");
        profile.extra_certificates.iter().for_each(|extra| extra_certificate(&mut page, extra));
    }
    page.open(0, "nodes");
    profile.nodes.iter().for_each(|one| node(&mut page, one));
    page.text
}

fn renewal(page: &mut Page, renewal: &Renewal) {
    page.open(0, "renewal");
    page.line(1, "before", &window_text(renewal.before));
    page.raw(1, "keepGenerations", &renewal.keep_generations.to_string());
    page.line(1, "onHookFailure", renewal.on_hook_failure.name());
    page.open(1, "hooks");
    let hooks = &renewal.hooks;
    hooks.pre.iter().for_each(|command| page.command(2, "pre", command));
    if !hooks.deploy.is_empty() {
        page.open(2, "deploy");
        hooks.deploy.iter().for_each(|(component, command)| page.command(3, component, command));
    }
    hooks.post.iter().for_each(|command| page.command(2, "post", command));
    page.line(2, "timeout", &hooks.timeout.to_string());
}

fn window_text(window: Window) -> String {
    match window {
        Window::Before(span) => span.to_string(),
        Window::PercentLeft(percent) => format!("{percent}%"),
    }
}

fn etcd(page: &mut Page, etcd: &Etcd) {
    page.open(0, "etcd");
    match etcd {
        Etcd::Local { server_sans, peer_sans } => {
            page.open(1, "local");
            page.list(2, "serverCertSANs", server_sans.iter().map(San::to_string));
            page.list(2, "peerCertSANs", peer_sans.iter().map(San::to_string));
        }
        Etcd::External { endpoints, ca_file, cert_file, key_file } => {
            page.open(1, "external");
            page.list(2, "endpoints", endpoints.iter().cloned());
            for (key, file) in [("caFile", ca_file), ("certFile", cert_file), ("keyFile", key_file)] {
                if !file.is_empty() {
                    page.line(2, key, file);
                }
            }
        }
    }
}

fn options(page: &mut Page, profile: &Profile) {
    if !profile.authorities.is_empty() {
        page.open(0, "authorities");
    }
    for (authority, options) in &profile.authorities {
        page.open(1, authority.name());
        page.maybe(2, "algorithm", options.algorithm.map(|algorithm| algorithm.to_string()));
        page.maybe(2, "validity", options.validity.map(|validity| validity.to_string()));
        subject(page, &options.subject);
        if !options.permitted.is_empty() {
            page.list(2, "permittedNames", options.permitted.iter().map(Subtree::to_string));
        }
        if let Some(length) = options.path_len {
            page.raw(2, "pathLength", &length.to_string());
        }
    }
    if !profile.certificates.is_empty() {
        page.open(0, "certificates");
    }
    for (name, options) in &profile.certificates {
        page.open(1, name);
        page.maybe(2, "algorithm", options.algorithm.map(|algorithm| algorithm.to_string()));
        page.maybe(2, "validity", options.validity.map(|validity| validity.to_string()));
    }
}

fn subject(page: &mut Page, subject: &SubjectAttributes) {
    if *subject == SubjectAttributes::default() {
        return;
    }
    page.open(2, "subject");
    for (key, values) in [
        ("C", &subject.country),
        ("O", &subject.organization),
        ("OU", &subject.organizational_unit),
        ("L", &subject.locality),
        ("ST", &subject.state),
    ] {
        if !values.is_empty() {
            page.list(3, key, values.iter().cloned());
        }
    }
}

fn extra_certificate(page: &mut Page, extra: &ExtraCertificate) {
    page.item(1, "name", &extra.name);
    page.line(2, "authority", extra.authority.name());
    page.line(2, "commonName", &extra.common_name);
    page.list(2, "organizations", extra.organizations.iter().cloned());
    let usage = |usage: &ExtendedKeyUsage| match usage {
        ExtendedKeyUsage::ServerAuth => "server".to_owned(),
        ExtendedKeyUsage::ClientAuth => "client".to_owned(),
        ExtendedKeyUsage::Other(oid) => oid.to_string(),
    };
    page.list(2, "usages", extra.usages.iter().map(usage));
    page.list(2, "certSANs", extra.sans.iter().map(San::to_string));
    page.line(2, "path", &extra.path);
    page.list(2, "nodes", extra.nodes.iter().cloned());
    page.maybe(2, "algorithm", extra.algorithm.map(|algorithm| algorithm.to_string()));
    page.maybe(2, "validity", extra.validity.map(|validity| validity.to_string()));
}

fn node(page: &mut Page, node: &Node) {
    page.item(1, "name", &node.name);
    page.list(2, "roles", node.roles.iter().map(|role| role.name().to_owned()));
    page.list(2, "addresses", node.addresses.iter().map(ToString::to_string));
    page.maybe(2, "advertiseAddress", node.advertise_address.map(|address| address.to_string()));
    page.raw(2, "bindPort", &node.bind_port.to_string());
    page.list(2, "certSANs", node.sans.iter().map(San::to_string));
}

fn endpoint_text(endpoint: &Endpoint) -> String {
    match (&endpoint.host, endpoint.port) {
        (host, None) => host.to_string(),
        (San::Ip(address), Some(port)) => std::net::SocketAddr::new(*address, port).to_string(),
        (host, Some(port)) => format!("{host}:{port}"),
    }
}

fn subnet_text(subnet: &Subnet) -> String {
    format!("{}/{}", subnet.network, subnet.prefix)
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn raw(&mut self, depth: usize, key: &str, value: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:width$}{key}: {value}", "", width = 2 * depth);
    }

    fn open(&mut self, depth: usize, key: &str) {
        let _ = writeln!(self.text, "{:width$}{key}:", "", width = 2 * depth);
    }

    fn line(&mut self, depth: usize, key: &str, value: &str) {
        self.raw(depth, key, &scalar(value));
    }

    fn maybe(&mut self, depth: usize, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.line(depth, key, &value);
        }
    }

    fn list(&mut self, depth: usize, key: &str, values: impl Iterator<Item = String>) {
        let values: Vec<String> = values.map(|value| scalar(&value)).collect();
        self.raw(depth, key, &format!("[{}]", values.join(", ")));
    }

    fn command(&mut self, depth: usize, key: &str, command: &Command) {
        match command {
            Command::Shell(text) => self.line(depth, key, text),
            Command::Program(words) => self.list(depth, key, words.iter().cloned()),
        }
    }

    /// The first line of an item of a list, whose other lines are one level deeper.
    fn item(&mut self, depth: usize, key: &str, value: &str) {
        let _ = writeln!(self.text, "{:width$}- {key}: {}", "", scalar(value), width = 2 * depth);
    }
}
