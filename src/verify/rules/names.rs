//! Subjects, groups and alternative names: what a certificate is, against what its place asks for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::blueprint::{Name, Oid, San};
use crate::catalog::releases::{Organization, Release};
use crate::catalog::{self, Entry, Sans, Subject};
use crate::plan::{blueprints, sans};
use crate::profile::{Node, Profile};
use crate::verify::cluster::{File, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};
use crate::x509::Certificate;

pub const MISSING_SAN: Rule = Rule {
    id: "name/missing-san",
    severity: Severity::Error,
    what: "a certificate lacks a name or address that its clients use",
    why: "kubeadm pkiutil/pki_helpers.go (GetAPIServerAltNames, GetEtcdAltNames, GetEtcdPeerAltNames), or the profile",
    repair: "renew it with the profile that has the name",
    follows: &["name/other-node"],
};

pub const SURPLUS_SAN: Rule = Rule {
    id: "name/surplus-san",
    severity: Severity::Notice,
    what: "a certificate has names or addresses that the profile does not",
    why: "who holds its key can serve under them, too",
    repair: "add them to the profile, or renew it by the profile",
    follows: &["name/other-node", "name/malformed-san"],
};

pub const MALFORMED_SAN: Rule = Rule {
    id: "name/malformed-san",
    severity: Severity::Error,
    what: "an alternative name is none that Go reads: the whole certificate is refused, or the name never matches",
    why: "Go crypto/x509 parseSANExtension and validHostname; RFC 5280 section 4.2.1.6",
    repair: "renew it with names in order",
    follows: &[],
};

pub const SUBJECT: Rule = Rule {
    id: "name/subject",
    severity: Severity::Error,
    what: "a certificate names another user than its place asks for",
    why: "the API server takes the CN for the user and each O for a group (kubernetes.io/docs/reference/access-authn-authz/authentication)",
    repair: "renew it",
    follows: &["name/other-node"],
};

pub const GROUP: Rule = Rule {
    id: "name/group",
    severity: Severity::Warning,
    what: "a certificate has other groups (O) than kubeadm gives it",
    why: "kubeadm app/phases/certs/certlist.go and app/phases/kubeconfig: groups by release",
    repair: "renew it",
    follows: &["name/subject", "name/masters", "name/other-node"],
};

pub const MASTERS: Rule = Rule {
    id: "name/masters",
    severity: Severity::Error,
    what: "a credential has the group system:masters, which no authorization can restrict",
    why: "CIS Kubernetes Benchmark 5.1.7; kubeadm gives it to super-admin.conf alone from 1.29 on",
    repair: "renew it, and revoke it: rights go with the certificate until it ends",
    follows: &["name/subject"],
};

pub const OTHER_NODE: Rule = Rule {
    id: "name/other-node",
    severity: Severity::Error,
    what: "a file is another node's",
    why: "the node authorizer lets a kubelet act for itself only; etcd's peers and clients look for the node's names",
    repair: "bring this node's own file, or renew it",
    follows: &[],
};

pub const RULES: [&Rule; 7] = [&MISSING_SAN, &SURPLUS_SAN, &MALFORMED_SAN, &SUBJECT, &GROUP, &MASTERS, &OTHER_NODE];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        for (position, certificate) in file.certificates().iter().enumerate() {
            malformed(tree, file, (position, certificate), findings);
        }
        let Some(leaf) = file.certificates().first() else { continue };
        match (file.part, catalog::find(&file.entry)) {
            (Part::Certificate | Part::Kubeconfig | Part::RotatedPair, Some(entry)) => {
                // What another tool calls its users is its own.
                if !findings.cluster.has_own_names() {
                    subject(tree, file, entry, leaf, findings);
                }
                alternative(tree, file, entry, leaf, findings);
            }
            (Part::Certificate, None) => extra(tree, file, leaf, findings),
            _ => {}
        }
    }
}

/// What the API server takes for a kubelet (kubernetes pkg/auth/nodeidentifier).
const NODE_USER: &str = "system:node:";

/// The profile's node of a tree, if both are known.
fn node<'p>(tree: &Tree, findings: &Findings<'p>) -> Option<(&'p Profile, &'p Node)> {
    let profile = findings.cluster.profile?;
    Some((profile, profile.node(tree.node.as_deref()?)?))
}

fn malformed(tree: &Tree, file: &File, (position, one): (usize, &Certificate), findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    for found in one.sans.iter().filter_map(flaw) {
        let is_leaf = matches!(file.part, Part::Certificate | Part::RotatedPair | Part::Kubeconfig);
        let repair = if is_leaf { repair::prune(cluster, tree, file) } else { Vec::new() };
        findings.add(&MALFORMED_SAN, (tree, file), Some(position), found, repair);
    }
}

/// What is wrong with an alternative name. What is no address and no ASCII is kept as it stands.
fn flaw(san: &San) -> Option<String> {
    const DNS_NAME: u8 = 0x82;
    const IP_ADDRESS: u8 = 0x87;
    match san {
        San::Other(der) if der.first() == Some(&IP_ADDRESS) => {
            Some(format!("expected an address of 4 or 16 octets, found {}", der.len().saturating_sub(2)))
        }
        San::Other(der) if der.first() == Some(&DNS_NAME) => {
            Some("expected ASCII in a DNS name, found other octets".to_owned())
        }
        San::Dns(name) if name.is_empty() => Some("expected a DNS name, found an empty one".to_owned()),
        San::Dns(name) if name.ends_with('.') => Some(format!("expected no dot at the end, found {}", shown(name))),
        San::Dns(name) if name.parse::<IpAddr>().is_ok() => {
            Some(format!("expected an address as an address, found the DNS name {}", shown(name)))
        }
        San::Dns(name) if name.split('.').any(|label| label.is_empty() || label.len() > 63) || name.contains(' ') => {
            Some(format!("expected labels of 1 to 63 characters, found {}", shown(name)))
        }
        _ => None,
    }
}

fn shown(text: &str) -> String {
    crate::encoding::shown::named(text)
}

fn subject(tree: &Tree, file: &File, entry: &Entry, leaf: &Certificate, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let place = (tree, file);
    let repair = || repair::replace(cluster, tree, file);
    let groups = groups(&leaf.subject);
    let found = leaf.common_name().unwrap_or_default();
    let wanted = match (entry.subject, node(tree, findings)) {
        (Subject::Fixed(name, _), _) => Some(name.to_owned()),
        (Subject::NodeName, Some((_, node))) => Some(node.name.clone()),
        (Subject::Node, Some((_, node))) => Some(blueprints::node_user(node)),
        (Subject::NodeName, None) => tree.node.clone(),
        (Subject::Node, None) => tree.node.as_ref().map(|node| format!("{NODE_USER}{node}")),
        (Subject::Authority(_) | Subject::None, _) => return,
    };
    // The kubelet names the certificate that it signs itself NODE@SECONDS.
    let own = file.is_made_by_kubelet();
    if wanted.is_none() && matches!(entry.subject, Subject::Node) && !found.starts_with(NODE_USER) {
        let said = format!("expected CN system:node:NAME, found {}", shown(&found));
        findings.add(&SUBJECT, place, Some(0), said, repair());
    }
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found && !own) {
        let said = format!("expected CN {}, found {}", shown(&wanted), shown(&found));
        let is_a_node = matches!(entry.subject, Subject::NodeName)
            || (matches!(entry.subject, Subject::Node) && found.starts_with(NODE_USER));
        let rule = if is_a_node { &OTHER_NODE } else { &SUBJECT };
        findings.add(rule, place, Some(0), said, repair());
    }
    let allowed = allowed(entry, node(tree, findings).map(|(profile, _)| profile.kubernetes_version));
    if groups.contains("system:masters") && !allowed.iter().any(|set| set.contains("system:masters")) {
        findings.add(&MASTERS, place, Some(0), "expected another group, found system:masters", repair());
    }
    if !own && !allowed.contains(&groups) {
        let list = |set: &BTreeSet<String>| {
            if set.is_empty() {
                "none".to_owned()
            } else {
                set.iter().map(|one| shown(one)).collect::<Vec<_>>().join(", ")
            }
        };
        let wanted: Vec<String> = allowed.iter().map(list).collect();
        let found = format!("expected O {}, found {}", wanted.join(" or "), list(&groups));
        findings.add(&GROUP, place, Some(0), found, repair());
    }
}

/// The groups that an entry may have: of the release, or of any where none is known.
fn allowed(entry: &Entry, release: Option<Release>) -> Vec<BTreeSet<String>> {
    let set = |group: Option<&str>| group.map(str::to_owned).into_iter().collect::<BTreeSet<String>>();
    let organization = match entry.subject {
        Subject::Node => return vec![set(Some("system:nodes"))],
        Subject::Fixed(_, organization) => organization,
        Subject::NodeName | Subject::Authority(_) | Subject::None => return vec![set(None)],
    };
    // What an older release gave is still there until it is renewed.
    let mut all = match release {
        Some(release) => vec![set(organization.at(release))],
        None => HISTORY.iter().map(|(minor, patch)| set(organization.at(Release::of(*minor, *patch)))).collect(),
    };
    if organization == Organization::None {
        all = vec![set(None)];
    }
    all.dedup();
    all
}

/// Releases with which kubeadm's groups changed.
const HISTORY: [(u32, u32); 4] = [(28, 0), (29, 0), (36, 0), (37, 0)];

fn groups(subject: &Name) -> BTreeSet<String> {
    let attributes = subject.0.iter().flatten().filter(|attribute| attribute.oid == Oid::ORGANIZATION);
    attributes.map(|attribute| attribute.text().into_owned()).collect()
}

fn alternative(tree: &Tree, file: &File, entry: &Entry, leaf: &Certificate, findings: &mut Findings<'_>) {
    let own = file.is_made_by_kubelet();
    if own || matches!(entry.sans, Sans::None | Sans::Authority) {
        return;
    }
    match node(tree, findings) {
        Some((profile, node)) => {
            let wanted = sans::sans(entry.sans, profile, node);
            compare(tree, file, leaf, &wanted, findings);
        }
        None => {
            let node = tree.node.as_deref().filter(|_| !findings.cluster.has_own_names());
            let wanted = of_kubeadm(entry.sans, node);
            missing(tree, file, leaf, &wanted, findings);
            let is_in = |san: &San| matches!(san, San::Dns(name) if name.starts_with("kubernetes.default.svc."));
            if entry.sans == Sans::ApiServer && !leaf.sans.iter().any(is_in) {
                let wanted = "expected kubernetes.default.svc.DOMAIN, found no such name";
                let repair = repair::renew_by_profile(findings.cluster, tree, file);
                findings.add(&MISSING_SAN, (tree, file), Some(0), wanted, repair);
            }
        }
    }
}

/// What kubeadm puts into every such certificate, whatever its configuration.
fn of_kubeadm(rule: Sans, node: Option<&str>) -> Vec<San> {
    let dns = |name: &str| San::Dns(name.to_owned());
    let node = node.map(dns);
    let mut all: Vec<San> = match rule {
        Sans::ApiServer => ["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(dns).into(),
        Sans::EtcdServer | Sans::EtcdPeer => {
            let local = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1u16])];
            [dns("localhost")].into_iter().chain(local.map(San::Ip)).collect()
        }
        Sans::Kubelet | Sans::None | Sans::Authority => Vec::new(),
    };
    all.extend(node);
    all
}

fn extra(tree: &Tree, file: &File, leaf: &Certificate, findings: &mut Findings<'_>) {
    let Some(profile) = findings.cluster.profile else { return };
    let Some(extra) = profile.extra_certificates.iter().find(|extra| extra.name == file.entry) else { return };
    if extra.common_name != leaf.common_name().unwrap_or_default() {
        let found = format!(
            "expected CN {}, found {}",
            shown(&extra.common_name),
            shown(&leaf.common_name().unwrap_or_default())
        );
        findings.add(&SUBJECT, (tree, file), Some(0), found, repair::replace(findings.cluster, tree, file));
    }
    compare(tree, file, leaf, &sans::listed(&extra.sans), findings);
}

fn compare(tree: &Tree, file: &File, leaf: &Certificate, wanted: &[San], findings: &mut Findings<'_>) {
    missing(tree, file, leaf, wanted, findings);
    let surplus: Vec<String> =
        leaf.sans.iter().filter(|san| !wanted.contains(san)).map(|san| shown(&san.to_string())).collect();
    if !surplus.is_empty() {
        let found = format!("expected the profile's names only, found {}", surplus.join(", "));
        findings.add(&SURPLUS_SAN, (tree, file), Some(0), found, repair::prune(findings.cluster, tree, file));
    }
}

fn missing(tree: &Tree, file: &File, leaf: &Certificate, wanted: &[San], findings: &mut Findings<'_>) {
    let missing: Vec<String> =
        wanted.iter().filter(|san| !leaf.sans.contains(san)).map(|san| shown(&san.to_string())).collect();
    if !missing.is_empty() {
        let found = format!("expected {}, found no such name", missing.join(", "));
        findings.add(
            &MISSING_SAN,
            (tree, file),
            Some(0),
            found,
            repair::renew_by_profile(findings.cluster, tree, file),
        );
    }
}
