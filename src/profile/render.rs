//! A profile as a complete document of kpki's own kind: every default visible, and read back to the same profile.

use std::fmt::{self, Write as _};

use super::defaults::{BIND_PORT, RENEWAL};
use super::hooks::{Command, DeployHook, Hooks, STATIC_POD};
use super::load::{API_VERSION, KIND};
use super::model::{
    Endpoint, Etcd, ExtraAuthority, ExtraCertificate, IgnoredRule, Node, Profile, Renewal, Roots, Stated,
    SubjectAttributes, Subnet,
};
use super::signing::{IssuerOptions, KeyFrom, PassphraseFrom, PublicKeyFrom, Signing};
use crate::blueprint::{ExtendedKeyUsage, San};
use crate::encoding::yaml::scalar;

/// Complete YAML of kind ClusterProfile. A profile from kubeadm's documents becomes one of that kind, and what was left to a
/// default is stated from then on.
pub fn render(profile: &Profile) -> String {
    document(profile, Stated::ALL, true)
}

/// The same, and what the profile leaves to a default stays left to it: a renewal follows only what is stated. Nodes, of which
/// there may be thousands, have nothing that is a default.
pub fn render_as_stated(profile: &Profile) -> String {
    document(profile, profile.stated, false)
}

fn document(profile: &Profile, stated: Stated, complete: bool) -> String {
    let mut page = Page::default();
    page.line(0, "apiVersion", API_VERSION);
    page.line(0, "kind", KIND);
    page.line(0, "clusterName", &profile.cluster_name);
    page.maybe(0, "kubernetesVersion", stated.version.then_some(profile.kubernetes_version));
    page.maybe(0, "controlPlaneEndpoint", profile.control_plane_endpoint.as_ref().map(endpoint_text));
    page.line(0, "certificatesDir", &profile.certificates_dir);
    page.open(0, "networking");
    let subnets: Vec<String> = profile.service_subnets.iter().map(subnet_text).collect();
    page.line(1, "serviceSubnet", subnets.join(","));
    page.line(1, "dnsDomain", &profile.dns_domain);
    page.open(0, "apiServer");
    page.list(1, "certSANs", &profile.api_server_sans);
    etcd(&mut page, &profile.etcd);
    page.maybe(0, "encryptionAlgorithm", stated.algorithm.then_some(profile.algorithm.name()));
    page.maybe(0, "certificateValidityPeriod", stated.validity.then_some(profile.validity));
    page.maybe(0, "caCertificateValidityPeriod", stated.ca_validity.then_some(profile.ca_validity));
    options(&mut page, profile);
    page.open(0, "kubelet");
    page.raw(1, "serving", profile.kubelet_serving);
    page.open(0, "controllerManager");
    page.raw(1, "signerFile", profile.signer_file);
    page.line(0, "caKeys", profile.ca_keys.name());
    page.open(0, "crl");
    page.line(1, "validity", profile.crl_validity);
    renewal(&mut page, &profile.renewal);
    page.open(0, "rotation");
    page.line(1, "waitBeforeSwitch", profile.rotation.before_switch);
    page.line(1, "waitBeforeRetire", profile.rotation.before_retire);
    page.open(0, "expiration");
    page.line(1, "warning", profile.expiration.warning);
    page.line(1, "critical", profile.expiration.critical);
    page.line(1, "caWarning", profile.expiration.ca_warning);
    page.line(1, "caCritical", profile.expiration.ca_critical);
    page.list(1, "copies", &profile.copies);
    if !profile.verify_ignore.is_empty() {
        page.open(0, "verify");
        page.open(1, "ignore");
        profile.verify_ignore.iter().for_each(|one| ignored(&mut page, one));
    }
    if !profile.extra_certificates.is_empty() {
        page.open(0, "extraCertificates");
        profile.extra_certificates.iter().for_each(|extra| extra_certificate(&mut page, extra));
    }
    page.open(0, "nodes");
    profile.nodes.iter().for_each(|one| node(&mut page, one, complete));
    page.text
}

fn renewal(page: &mut Page, renewal: &Renewal) {
    page.open(0, "renewal");
    page.line(1, "before", renewal.before);
    renewal.max_age.iter().for_each(|most| page.line(1, "maxAge", most.0));
    page.raw(1, "keepGenerations", renewal.keep_generations);
    page.line(1, "onHookFailure", renewal.on_hook_failure.name());
    hooks(page, 1, &renewal.hooks);
}

fn hooks(page: &mut Page, depth: usize, hooks: &Hooks) {
    page.open(depth, "hooks");
    let (below, deeper) = (depth.saturating_add(1), depth.saturating_add(2));
    hooks.pre.iter().for_each(|command| page.command(below, "pre", command));
    if !hooks.deploy.is_empty() {
        page.open(below, "deploy");
        hooks.deploy.iter().for_each(|(component, hook)| page.deploy(deeper, component, hook));
    }
    hooks.post.iter().for_each(|command| page.command(below, "post", command));
    page.line(below, "timeout", hooks.timeout);
}

fn etcd(page: &mut Page, etcd: &Etcd) {
    page.open(0, "etcd");
    match etcd {
        Etcd::Local { server_sans, peer_sans } => {
            page.open(1, "local");
            page.list(2, "serverCertSANs", server_sans);
            page.list(2, "peerCertSANs", peer_sans);
        }
        Etcd::External { endpoints, ca_file, cert_file, key_file } => {
            page.open(1, "external");
            page.list(2, "endpoints", endpoints);
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
        page.maybe(2, "algorithm", options.algorithm);
        page.maybe(2, "validity", options.validity);
        subject(page, &options.subject);
        if !options.permitted.is_empty() {
            page.list(2, "permittedNames", &options.permitted);
        }
        if let Some(length) = options.path_len {
            page.raw(2, "pathLength", length);
        }
        if let Some(by) = &options.signing {
            signing(page, 2, by);
        }
        if let Some(by) = &options.next {
            page.open(2, "next");
            signing(page, 3, by);
        }
    }
    if !profile.certificates.is_empty() {
        page.open(0, "certificates");
    }
    for (name, options) in &profile.certificates {
        page.open(1, name);
        page.maybe(2, "algorithm", options.algorithm);
        page.maybe(2, "validity", options.validity);
    }
}

/// What is a default is stated, too: it may become another.
fn signing(page: &mut Page, level: usize, signing: &Signing) {
    page.open(level, signing.field());
    let inner = level + 1;
    match signing {
        Signing::Key(key) => {
            match &key.from {
                KeyFrom::Tree => {}
                KeyFrom::File(path) => page.line(inner, "file", path),
                KeyFrom::Command { words, timeout } => {
                    page.list(inner, "command", words);
                    page.line(inner, "timeout", timeout);
                }
            }
            match &key.passphrase {
                None => {}
                Some(PassphraseFrom::File(path)) => page.line(inner, "passphraseFile", path),
                Some(PassphraseFrom::Variable(name)) => page.line(inner, "passphraseEnv", name),
            }
        }
        Signing::Signer(signer) => {
            page.list(inner, "command", &signer.command);
            page.line(inner, "input", signer.input.name());
            match &signer.public_key {
                None => {}
                Some(PublicKeyFrom::File(path)) => page.line(inner, "publicKey", path),
                Some(PublicKeyFrom::Command(words)) => page.list(inner, "publicKey", words),
            }
            page.raw(inner, "parallel", signer.parallel);
            page.line(inner, "timeout", signer.timeout);
        }
        Signing::Issuer(issuer) => {
            issued_by(page, inner, issuer);
        }
    }
}

fn issued_by(page: &mut Page, depth: usize, issuer: &IssuerOptions) {
    page.list(depth, "command", &issuer.command);
    page.raw(depth, "parallel", issuer.parallel);
    page.line(depth, "timeout", issuer.timeout);
}

fn subject(page: &mut Page, subject: &SubjectAttributes) {
    if *subject != SubjectAttributes::default() {
        page.open(2, "subject");
    }
    for (key, values) in [
        ("C", &subject.country),
        ("O", &subject.organization),
        ("OU", &subject.organizational_unit),
        ("L", &subject.locality),
        ("ST", &subject.state),
    ] {
        if !values.is_empty() {
            page.list(3, key, values);
        }
    }
}

fn extra_certificate(page: &mut Page, extra: &ExtraCertificate) {
    page.item(1, "name", &extra.name);
    page.line(2, "authority", extra.authority.name());
    if let ExtraAuthority::External(Roots::File(root)) = &extra.authority {
        page.line(2, "root", root);
    }
    if let Some(issuer) = &extra.issuer {
        page.open(2, "issuer");
        issued_by(page, 3, issuer);
    }
    page.line(2, "commonName", &extra.common_name);
    page.list(2, "organizations", &extra.organizations);
    let usage = |usage: &ExtendedKeyUsage| match usage {
        ExtendedKeyUsage::ServerAuth => "server".to_owned(),
        ExtendedKeyUsage::ClientAuth => "client".to_owned(),
        ExtendedKeyUsage::Other(oid) => oid.to_string(),
    };
    page.list(2, "usages", extra.usages.iter().map(usage));
    page.list(2, "certSANs", &extra.sans);
    page.line(2, "path", &extra.path);
    page.list(2, "nodes", &extra.nodes);
    page.maybe(2, "algorithm", extra.algorithm);
    page.maybe(2, "validity", extra.validity);
}

fn ignored(page: &mut Page, one: &IgnoredRule) {
    page.item(2, "rule", &one.rule);
    page.maybe(3, "at", one.place.as_ref());
    page.line(3, "reason", &one.reason);
}

fn node(page: &mut Page, node: &Node, complete: bool) {
    page.item(1, "name", &node.name);
    page.list(2, "roles", node.roles.iter().map(|role| role.name()));
    if complete || !node.addresses.is_empty() {
        page.list(2, "addresses", &node.addresses);
    }
    let is_first = node.advertise_address.as_ref() == node.addresses.first();
    page.maybe(2, "advertiseAddress", node.advertise_address.filter(|_| complete || !is_first));
    if complete || node.bind_port != BIND_PORT {
        page.raw(2, "bindPort", node.bind_port);
    }
    if complete || !node.sans.is_empty() {
        page.list(2, "certSANs", &node.sans);
    }
    if node.hooks != RENEWAL.hooks {
        hooks(page, 2, &node.hooks);
    }
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
    fn raw(&mut self, depth: usize, key: &str, value: impl fmt::Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:width$}{key}: {value}", "", width = 2 * depth);
    }

    fn open(&mut self, depth: usize, key: &str) {
        let _ = writeln!(self.text, "{:width$}{key}:", "", width = 2 * depth);
    }

    fn line(&mut self, depth: usize, key: &str, value: impl ToString) {
        self.raw(depth, key, scalar(&value.to_string()));
    }

    fn maybe(&mut self, depth: usize, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.line(depth, key, value);
        }
    }

    fn list<V: ToString>(&mut self, depth: usize, key: &str, values: impl IntoIterator<Item = V>) {
        let values: Vec<String> = values.into_iter().map(|value| scalar(&value.to_string())).collect();
        self.raw(depth, key, format!("[{}]", values.join(", ")));
    }

    fn command(&mut self, depth: usize, key: &str, command: &Command) {
        match command {
            Command::Shell(text) => self.line(depth, key, text),
            Command::Program(words) => self.list(depth, key, words),
        }
    }

    fn deploy(&mut self, depth: usize, component: &str, hook: &DeployHook) {
        match hook {
            DeployHook::Run(command) => self.command(depth, component, command),
            DeployHook::StaticPod { wait } => {
                self.open(depth, component);
                self.line(depth.saturating_add(1), "restart", STATIC_POD);
                self.line(depth.saturating_add(1), "wait", wait);
            }
        }
    }

    /// The first line of an item of a list, whose other lines are one level deeper.
    fn item(&mut self, depth: usize, key: &str, value: &str) {
        let _ = writeln!(self.text, "{:width$}- {key}: {}", "", scalar(value), width = 2 * depth);
    }
}
