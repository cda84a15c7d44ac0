//! Kubeconfigs: whom they trust, and whom they talk to.

use std::net::IpAddr;

use crate::blueprint::San;
use crate::catalog::CaId;
use crate::encoding::shown::named;
use crate::kubeconfig;
use crate::verify::cluster::{Content, File, Kubeconfig, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::{Certificate, valid_for_name};

pub const AUTHORITY: Rule = Rule {
    id: "kubeconfig/authority",
    severity: Severity::Error,
    what: "a kubeconfig does not trust all of ca.crt",
    why: "its client refuses the API server's certificate; kubeadm certs renew leaves the first certificate of a chain only",
    repair: "renew it, which embeds ca.crt again",
    follows: &["chain/authority-differs"],
};

pub const FOREIGN: Rule = Rule {
    id: "kubeconfig/foreign-authority",
    severity: Severity::Warning,
    what: "a kubeconfig trusts authorities that are not in ca.crt",
    why: "who holds their keys can pretend to be the API server",
    repair: "renew it, which embeds ca.crt again",
    follows: &["kubeconfig/authority", "chain/authority-differs"],
};

pub const INSECURE: Rule = Rule {
    id: "kubeconfig/insecure",
    severity: Severity::Error,
    what: "a kubeconfig does not verify the server",
    why: "insecure-skip-tls-verify: whoever is on the way can take its place (client-go rest.TLSClientConfig)",
    repair: "take the field out of the file",
    follows: &[],
};

pub const SERVER: Rule = Rule {
    id: "kubeconfig/server-name",
    severity: Severity::Error,
    what: "the API server's certificate is not valid for the server a kubeconfig names",
    why: "RFC 9525; Go crypto/x509 VerifyHostname",
    repair: "renew apiserver with the name in the profile, or let the kubeconfig name another",
    follows: &["name/missing-san", "usage/unknown-critical", "name/malformed-san"],
};

pub const EMBEDS_ANOTHER: Rule = Rule {
    id: "kubeconfig/embeds-another",
    severity: Severity::Warning,
    what: "the kubelet rotates its certificate in its own file, and kubelet.conf has another",
    why: "once the embedded one has expired the kubelet does not start any more (kubernetes/kubernetes#99645)",
    repair: "let kubelet.conf name the file: kubeadm init phase kubelet-finalize all",
    follows: &["name/other-node"],
};

pub const RULES: [&Rule; 5] = [&AUTHORITY, &FOREIGN, &INSECURE, &SERVER, &EMBEDS_ANOTHER];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        let Content::Kubeconfig(kubeconfig) = &file.content else { continue };
        authority(tree, file, kubeconfig, findings);
        server(tree, file, kubeconfig, findings);
        rotated(tree, file, kubeconfig, findings);
    }
}

fn authority(tree: &Tree, file: &File, kubeconfig: &Kubeconfig, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let place = (tree, file);
    // A renewal keeps a kubeconfig that has no CA data as it is.
    let has_none = kubeconfig.authority.is_empty();
    let repair = || if has_none { repair::replace(cluster, tree, file) } else { repair::renew(cluster, tree, file) };
    if kubeconfig.is_insecure {
        return findings.add(&INSECURE, place, None, "expected a verified server, found insecure-skip-tls-verify", []);
    }
    let trusted = cluster.trusted(tree, CaId::Cluster);
    if trusted.is_empty() {
        return;
    }
    let lacks = |from: &[Certificate], all: &[Certificate]| {
        all.iter().filter(|one| !from.iter().any(|other| other.der == one.der)).count()
    };
    let own = &kubeconfig.authority;
    // The file it names may be on another machine.
    if own.is_empty() && !kubeconfig.not_here.is_empty() {
        return;
    }
    match (lacks(own, trusted), lacks(trusted, own)) {
        (0, 0) => {}
        (0, more) => {
            let found = format!("expected the certificates of ca.crt only, found {more} more");
            findings.add(&FOREIGN, place, None, found, repair());
        }
        (missing, _) => {
            let found = format!("expected all {} of ca.crt, found {missing} of them missing", counted(trusted.len()));
            findings.add(&AUTHORITY, place, None, found, repair());
        }
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 certificate".to_owned() } else { format!("{count} certificates") }
}

/// By any API server of the cluster: the host may be a load balancer's.
fn server(tree: &Tree, file: &File, kubeconfig: &Kubeconfig, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    if !kubeconfig.server.starts_with("https://") {
        let found = format!("expected https://HOST, found {}", named(&kubeconfig.server));
        return findings.add(&SERVER, (tree, file), None, found, []);
    }
    let host = kubeconfig.server_name.as_deref().or_else(|| kubeconfig::host(&kubeconfig.server));
    let Some(host) = host else {
        let found = format!("expected https://HOST, found {}", named(&kubeconfig.server));
        return findings.add(&SERVER, (tree, file), None, found, []);
    };
    let san = host.parse::<IpAddr>().map_or_else(|_| San::Dns(host.to_owned()), San::Ip);
    let serving: Vec<&Certificate> = cluster
        .trees
        .iter()
        .filter_map(|tree| tree.file("apiserver", Part::Certificate)?.certificates().first())
        .collect();
    if serving.is_empty() || serving.iter().any(|one| valid_for_name(one, &san).is_ok()) {
        return;
    }
    let found = format!("expected {} among the names of apiserver.crt, found no such name", named(host));
    findings.add(&SERVER, (tree, file), None, found, []);
}

fn rotated(tree: &Tree, file: &File, kubeconfig: &Kubeconfig, findings: &mut Findings<'_>) {
    if tree.file(&file.entry, Part::RotatedPair).is_none() || kubeconfig.certificate_file.is_some() {
        return;
    }
    if !kubeconfig.certificates.is_empty() {
        let found = "expected the name of kubelet-client-current.pem, found an embedded certificate";
        findings.add(&EMBEDS_ANOTHER, (tree, file), None, found, []);
    }
}
