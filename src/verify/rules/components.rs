//! What the components are told: the flags in static pods' manifests, and the kubelet's configuration.

use std::net::IpAddr;

use super::chains::SEVERAL_SIGNERS;
use crate::blueprint::San;
use crate::catalog::paths::DEFAULT_DIR;
use crate::encoding::shown::named;
use crate::encoding::yaml;
use crate::manifest::Flags;
use crate::verify::cluster::{Content, File, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::rule::{Rule, Severity};
use crate::x509::valid_for_name;

pub const WRONG_FILE: Rule = Rule {
    id: "component/wrong-file",
    severity: Severity::Error,
    what: "a component is told to read another file of the tree than the one for it, or one that is not there",
    why: "kubeadm app/phases/controlplane and app/phases/etcd: flags of the static pods",
    repair: "let the flag name the right file",
    follows: &["file/missing", "sa/missing"],
};

pub const NO_CLIENT_AUTH: Rule = Rule {
    id: "component/no-client-auth",
    severity: Severity::Error,
    what: "etcd does not ask for a client's certificate: whoever reaches it reads every secret",
    why: "CIS Kubernetes Benchmark 2.2 and 2.5",
    repair: "add the flag to manifests/etcd.yaml",
    follows: &[],
};

pub const NO_KUBELET_AUTHORITY: Rule = Rule {
    id: "component/no-kubelet-authority",
    severity: Severity::Notice,
    what: "kube-apiserver does not verify kubelets",
    why: "CIS Kubernetes Benchmark 1.2.5; kubeadm sets no --kubelet-certificate-authority",
    repair: "set it once every kubelet has a serving certificate of the cluster's CA",
    follows: &[],
};

pub const CRL_FORM: Rule = Rule {
    id: "component/crl-form",
    severity: Severity::Error,
    what: "etcd is told to read a CRL in a form that it cannot read",
    why: "etcd 3.6 and newer read DER, older ones PEM (client/pkg/transport)",
    repair: "name etcd/ca.crl.der from 3.6 on, etcd/ca.crl before",
    follows: &[],
};

pub const NO_ROTATION: Rule = Rule {
    id: "component/no-rotation",
    severity: Severity::Warning,
    what: "the kubelet does not rotate its client certificate",
    why: "CIS Kubernetes Benchmark 4.2.10; kubeadm sets rotateCertificates: true",
    repair: "set it in the kubelet's configuration, or have kubelet.conf renewed by a job",
    follows: &[],
};

pub const SNI: Rule = Rule {
    id: "component/sni",
    severity: Severity::Warning,
    what: "a certificate for SNI answers on the name that the cluster's own clients use, and is none of its authority",
    why: "kubelets and controllers trust ca.crt alone, and lose the API server (kube-apiserver --tls-sni-cert-key)",
    repair: "give the certificate another name",
    follows: &[],
};

pub const RULES: [&Rule; 6] = [&WRONG_FILE, &NO_CLIENT_AUTH, &NO_KUBELET_AUTHORITY, &CRL_FORM, &NO_ROTATION, &SNI];

/// Component, flag, and the entry and part of the file it should name.
const FLAGS: &[(&str, &str, &str, Part)] = &[
    ("kube-apiserver", "client-ca-file", "ca", Part::Authority),
    ("kube-apiserver", "etcd-cafile", "etcd-ca", Part::Authority),
    ("kube-apiserver", "etcd-certfile", "apiserver-etcd-client", Part::Certificate),
    ("kube-apiserver", "etcd-keyfile", "apiserver-etcd-client", Part::Key),
    ("kube-apiserver", "kubelet-client-certificate", "apiserver-kubelet-client", Part::Certificate),
    ("kube-apiserver", "kubelet-client-key", "apiserver-kubelet-client", Part::Key),
    ("kube-apiserver", "proxy-client-cert-file", "front-proxy-client", Part::Certificate),
    ("kube-apiserver", "proxy-client-key-file", "front-proxy-client", Part::Key),
    ("kube-apiserver", "requestheader-client-ca-file", "front-proxy-ca", Part::Authority),
    ("kube-apiserver", "service-account-key-file", "sa", Part::PublicKeys),
    ("kube-apiserver", "service-account-signing-key-file", "sa", Part::Key),
    ("kube-apiserver", "tls-cert-file", "apiserver", Part::Certificate),
    ("kube-apiserver", "tls-private-key-file", "apiserver", Part::Key),
    ("etcd", "cert-file", "etcd-server", Part::Certificate),
    ("etcd", "key-file", "etcd-server", Part::Key),
    ("etcd", "trusted-ca-file", "etcd-ca", Part::Authority),
    ("etcd", "peer-cert-file", "etcd-peer", Part::Certificate),
    ("etcd", "peer-key-file", "etcd-peer", Part::Key),
    ("etcd", "peer-trusted-ca-file", "etcd-ca", Part::Authority),
    ("kube-controller-manager", "root-ca-file", "ca", Part::Authority),
    ("kube-controller-manager", "client-ca-file", "ca", Part::Authority),
    ("kube-controller-manager", "requestheader-client-ca-file", "front-proxy-ca", Part::Authority),
    ("kube-controller-manager", "cluster-signing-key-file", "ca", Part::Key),
    ("kube-controller-manager", "service-account-private-key-file", "sa", Part::Key),
    ("kube-controller-manager", "kubeconfig", "controller-manager.conf", Part::Kubeconfig),
    ("kube-scheduler", "kubeconfig", "scheduler.conf", Part::Kubeconfig),
];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        match (file.part, &file.content) {
            (Part::Manifest, Content::Text(text)) => match Flags::read(text) {
                Some(flags) => manifest(tree, file, text, &flags, findings),
                None => findings.skip(file, "expected YAML, found something else"),
            },
            (Part::KubeletConfig, Content::Text(text)) => kubelet(tree, file, text, findings),
            _ => {}
        }
    }
}

/// Where a file that a node's manifest names is in this tree.
fn local(tree: &Tree, path: &str) -> String {
    let below = |dir: &str| path.strip_prefix(dir).and_then(|rest| rest.strip_prefix('/'));
    let certificate = tree.certificates.as_ref().and_then(|(dir, here)| Some((here.as_str(), below(dir)?)));
    match certificate.or_else(|| Some((tree.root.as_str(), below(DEFAULT_DIR)?))) {
        Some((here, rest)) => format!("{}/{rest}", here.trim_end_matches('/')),
        None => path.to_owned(),
    }
}

fn looked_at<'t>(tree: &'t Tree, path: &str) -> Option<&'t File> {
    let path = local(tree, path);
    tree.files.iter().find(|file| file.path == path)
}

fn manifest(tree: &Tree, file: &File, text: &[u8], flags: &Flags, findings: &mut Findings<'_>) {
    for (_, flag, entry, part) in FLAGS.iter().filter(|(component, ..)| *component == file.entry) {
        let Some(path) = flags.get(flag) else { continue };
        match looked_at(tree, path) {
            Some(found) if found.entry == *entry && found.part == *part && found.is_there() => {}
            // One that signs is another than the one that others trust.
            Some(found) if found.is_there() => {
                let said = format!("expected --{flag} to name the file of {entry}, found {}", named(&found.path));
                findings.add(&WRONG_FILE, (tree, file), None, said, []);
            }
            Some(_) => {
                let said = format!("expected the file that --{flag} names, found none: {}", named(path));
                findings.add(&WRONG_FILE, (tree, file), None, said, []);
            }
            None => findings.skip(file, format!("--{flag} names {}, which was not looked at", named(path))),
        }
    }
    match file.entry.as_str() {
        "kube-controller-manager" => signer(tree, file, flags, findings),
        "kube-apiserver" => api_server(tree, file, flags, findings),
        "etcd" => etcd(tree, file, text, flags, findings),
        _ => {}
    }
}

fn signer(tree: &Tree, file: &File, flags: &Flags, findings: &mut Findings<'_>) {
    let Some(path) = flags.get("cluster-signing-cert-file") else { return };
    match looked_at(tree, path) {
        Some(signer) if signer.certificates().len() > 1 => {
            let found = format!("expected one certificate in {}, found {}", named(path), signer.certificates().len());
            findings.add(&SEVERAL_SIGNERS, (tree, file), None, found, []);
        }
        Some(signer) if !signer.is_there() => {
            let said = format!("expected the file that --cluster-signing-cert-file names, found none: {}", named(path));
            findings.add(&WRONG_FILE, (tree, file), None, said, []);
        }
        Some(_) => {}
        None => {
            findings.skip(file, format!("--cluster-signing-cert-file names {}, which was not looked at", named(path)));
        }
    }
}

fn api_server(tree: &Tree, file: &File, flags: &Flags, findings: &mut Findings<'_>) {
    if flags.get("kubelet-certificate-authority").is_none() {
        let found = "expected --kubelet-certificate-authority, found no such flag";
        findings.add(&NO_KUBELET_AUTHORITY, (tree, file), None, found, []);
    }
    let endpoint = findings.cluster.profile.and_then(|profile| profile.control_plane_endpoint.as_ref());
    let Some(endpoint) = endpoint else { return };
    for sni in flags.all("tls-sni-cert-key") {
        self::sni(tree, file, &endpoint.host.to_string(), sni, findings);
    }
}

/// One `CERTIFICATE,KEY` or `CERTIFICATE,KEY:NAME,NAME`.
fn sni(tree: &Tree, file: &File, host: &str, sni: &str, findings: &mut Findings<'_>) {
    let (files, patterns) = sni.split_once(':').unwrap_or((sni, ""));
    let path = files.split(',').next().unwrap_or_default();
    let named_there = patterns.split(',').any(|pattern| pattern == host);
    let Some(found) = looked_at(tree, path) else {
        return findings.skip(file, format!("--tls-sni-cert-key names {}, which was not looked at", named(path)));
    };
    let san = host.parse::<IpAddr>().map_or_else(|_| San::Dns(host.to_owned()), San::Ip);
    let answers = found.certificates().first().is_some_and(|leaf| valid_for_name(leaf, &san).is_ok());
    if (named_there || answers) && found.authority != Some(crate::catalog::CaId::Cluster) {
        let said = format!("expected the cluster's own certificate on {}, found that of {}", named(host), named(path));
        findings.add(&SNI, (tree, file), None, said, []);
    }
}

fn etcd(tree: &Tree, file: &File, text: &[u8], flags: &Flags, findings: &mut Findings<'_>) {
    for flag in ["client-cert-auth", "peer-client-cert-auth"] {
        if flags.get(flag) != Some("true") {
            let found =
                format!("expected --{flag}=true, found {}", flags.get(flag).map_or("no such flag".to_owned(), named));
            findings.add(&NO_CLIENT_AUTH, (tree, file), None, found, []);
        }
    }
    let wants_der = etcd_minor(text).map(|minor| minor >= 6);
    for flag in ["client-crl-file", "peer-crl-file"] {
        let Some(path) = flags.get(flag) else { continue };
        let (Some(wants_der), Some(list)) = (wants_der, looked_at(tree, path)) else {
            findings.skip(file, format!("--{flag} names {}, whose form was not judged", named(path)));
            continue;
        };
        if (list.part == Part::CrlDer) != wants_der {
            let wanted = if wants_der { "DER, as etcd 3.6 reads it" } else { "PEM, as etcd before 3.6 reads it" };
            let found = format!("expected --{flag} to name a CRL in {wanted}, found {}", named(path));
            findings.add(&CRL_FORM, (tree, file), None, found, []);
        }
    }
}

/// The minor of etcd 3 in its image's tag: `etcd:3.6.4-0`.
fn etcd_minor(manifest: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(manifest).ok()?;
    let (_, tag) = text.split_once("/etcd:")?;
    tag.trim_start_matches('v').strip_prefix("3.")?.split('.').next()?.parse().ok()
}

fn kubelet(tree: &Tree, file: &File, text: &[u8], findings: &mut Findings<'_>) {
    let stream = yaml::read(text);
    let Some(document) = stream.documents.first().filter(|_| stream.readable()) else {
        return findings.skip(file, "expected YAML, found something else");
    };
    let rotates = yaml::text(document, "rotateCertificates");
    if rotates != Some("true") {
        let found =
            format!("expected rotateCertificates: true, found {}", rotates.map_or("no such field".to_owned(), named));
        findings.add(&NO_ROTATION, (tree, file), None, found, []);
    }
}
