//! Certificates beside kubeadm's.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Field, Fields, Reading};
use super::model::{Etcd, ExtraAuthority, ExtraCertificate, Node, NodeRole, Roots};
use super::nodes::{ALL_NODES, MAX_NODES, taken};
use super::problem::{Mismatch, shown};
use super::{issuer_fields, values};
use crate::blueprint::{ExtendedKeyUsage, San};
use crate::catalog::{self, CaId, ENTRIES, Files};

/// Enough for everybody, and it bounds what certificates times nodes can take.
const MAX_EXTRA: usize = 100;
const COMMON_NAME: &str = "a common name of 1 to 64 characters";
const PATH: &str =
    "a relative path of letters, digits, dots, - and _ without .crt or .key, no part of it starting with a dot";
/// Membership that no RBAC rule can take away again.
const MASTERS: &str = "system:masters";

pub fn read(fields: &mut Fields<'_>, nodes: &[Node], etcd: &Etcd, reading: &mut Reading) -> Vec<ExtraCertificate> {
    let Some(field) = fields.take("extraCertificates", reading) else { return Vec::new() };
    let items = field.items(reading, MAX_EXTRA).unwrap_or_default();
    let extra: Vec<_> = items.iter().filter_map(|item| certificate(item, nodes, etcd, reading)).collect();
    check_unique(&items, &extra, reading);
    extra
}

/// `None`: not a mapping. Whatever else is wrong, the certificate keeps its position.
fn certificate(item: &Field<'_>, nodes: &[Node], etcd: &Etcd, reading: &mut Reading) -> Option<ExtraCertificate> {
    let mut fields = item.fields(reading)?;
    let name = name(&mut fields, reading);
    let authority = authority(&mut fields, etcd, reading);
    let issuer = issuer_fields::of_certificate(&mut fields, reading);
    if let (Some(_), ExtraAuthority::InTree(authority)) = (&issuer, &authority) {
        let found = format!("authority {}", authority.name());
        reading.refuse(&fields.join("issuer"), "issuer beside authority external only", found);
    }
    let stated_name = fields.take("commonName", reading);
    let stated_name = stated_name.map(|field| field.value(reading, values::name_text(64, COMMON_NAME)));
    let organizations = organizations(&mut fields, reading);
    let usages = usages(&mut fields, reading);
    let sans = fields.values("certSANs", reading, values::san);
    let nothing_said = !reading.has(&format!("{}[0]", fields.join("certSANs")));
    if usages.contains(&ExtendedKeyUsage::ServerAuth) && sans.is_empty() && nothing_said {
        reading.refuse(&fields.join("certSANs"), "certSANs beside usage server", "none");
    }
    let common_name = stated_name.map_or_else(
        || {
            let common_name = usual_name(&name, &authority, &sans);
            if let Err(why) = values::name_text(64, COMMON_NAME)(&common_name)
                && !name.is_empty()
            {
                reading.problem(&fields.join("commonName"), why);
            }
            common_name
        },
        Option::unwrap_or_default,
    );
    let path = fields.value("path", reading, path).unwrap_or_else(|| name.clone());
    let nodes = holders(&mut fields, nodes, reading);
    let algorithm = fields.value("algorithm", reading, values::algorithm);
    let validity = fields.value("validity", reading, values::duration);
    fields.finish(reading);
    Some(ExtraCertificate {
        name,
        authority,
        issuer,
        common_name,
        organizations,
        usages,
        sans,
        path,
        algorithm,
        validity,
        nodes,
    })
}

fn name(fields: &mut Fields<'_>, reading: &mut Reading) -> String {
    let Some(field) = fields.take("name", reading) else {
        reading.missing(&fields.join("name"), "a name for the certificate");
        return String::new();
    };
    let name = field.value(reading, values::subdomain).unwrap_or_default();
    if catalog::find(&name).is_some() {
        reading.refuse(&field.path, "a name of your own", "one of kubeadm's certificates");
    }
    name
}

/// Public authorities sign no common name that is not among the names.
fn usual_name(name: &str, authority: &ExtraAuthority, sans: &[San]) -> String {
    let first = sans.iter().find_map(|san| match san {
        San::Dns(name) if name.len() <= 64 => Some(name),
        _ => None,
    });
    match (authority, first) {
        (ExtraAuthority::External(_), Some(first)) => first.clone(),
        _ => name.to_owned(),
    }
}

fn authority(fields: &mut Fields<'_>, etcd: &Etcd, reading: &mut Reading) -> ExtraAuthority {
    let field = fields.take("authority", reading);
    let root = fields.take("root", reading);
    let named = field.as_ref().and_then(|field| field.value(reading, values::extra_authority));
    let authority = named.unwrap_or(Some(CaId::Cluster));
    if let (Some(field), Some(CaId::Etcd), Etcd::External { .. }) = (&field, authority, etcd) {
        reading.refuse(&field.path, "another authority", "etcd-ca, which etcd.external leaves to others");
    }
    match (authority, root) {
        (Some(authority), None) => ExtraAuthority::InTree(authority),
        (Some(authority), Some(root)) => {
            reading.refuse(
                &root.path,
                "root beside authority external only",
                format!("authority {}", authority.name()),
            );
            ExtraAuthority::InTree(authority)
        }
        (None, None) => ExtraAuthority::External(Roots::System),
        (None, Some(root)) => {
            let path = root.value(reading, values::absolute_path);
            ExtraAuthority::External(path.map_or(Roots::System, Roots::File))
        }
    }
}

fn organizations(fields: &mut Fields<'_>, reading: &mut Reading) -> Vec<String> {
    let Some(field) = fields.take("organizations", reading) else { return Vec::new() };
    let text = values::name_text(64, "a text of 1 to 64 characters");
    let organizations = field.values(reading, text).unwrap_or_default();
    if organizations.iter().any(|organization| organization == MASTERS) {
        reading.warn(
            &field.path,
            "system:masters is above RBAC: the key gives full control of the cluster until the CA changes",
        );
    }
    organizations
}

fn usages(fields: &mut Fields<'_>, reading: &mut Reading) -> Vec<ExtendedKeyUsage> {
    let expected = "at least one of server, client";
    let Some(field) = fields.take("usages", reading) else {
        reading.missing(&fields.join("usages"), expected);
        return Vec::new();
    };
    if field.is_empty_list() {
        reading.missing(&field.path, expected);
    }
    let read = field.values(reading, |text| match text {
        "server" => Ok(ExtendedKeyUsage::ServerAuth),
        "client" => Ok(ExtendedKeyUsage::ClientAuth),
        _ => Err(values::unknown(&["server", "client"], text)),
    });
    let mut seen = BTreeSet::new();
    read.unwrap_or_default().into_iter().filter(|usage| seen.insert(usage.clone())).collect()
}

/// Below the pki directory, without ending: plain parts, and none that could be a file of the tree.
fn path(text: &str) -> Result<String, Mismatch> {
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let ending =
            [".crt", ".key", ".pub", ".csr", ".pem"].iter().any(|ending| part.to_ascii_lowercase().ends_with(ending));
        !part.is_empty() && part.len() <= 100 && !part.starts_with('.') && part.bytes().all(plain) && !ending
    };
    if text.len() <= 400 && text.split('/').all(part) {
        return Ok(text.to_owned());
    }
    Err(Mismatch::value(PATH, text))
}

/// Names of nodes and roles, resolved in the order of the nodes.
fn holders(fields: &mut Fields<'_>, nodes: &[Node], reading: &mut Reading) -> Vec<String> {
    let named = |chosen: &dyn Fn(&Node) -> bool| nodes.iter().filter(|n| chosen(n)).map(|n| n.name.clone()).collect();
    let Some(field) = fields.take("nodes", reading) else { return named(&|node| node.is(NodeRole::ControlPlane)) };
    if field.is_empty_list() {
        reading.missing(&field.path, "at least one node or role");
    }
    let mut chosen = BTreeSet::new();
    for item in field.items(reading, MAX_NODES).unwrap_or_default() {
        let Some(word) = item.text(reading) else { continue };
        let role = NodeRole::ALL.into_iter().find(|role| role.name() == word);
        let found: Vec<&str> = match role {
            Some(role) => nodes.iter().filter(|node| node.is(role)).map(|node| node.name.as_str()).collect(),
            None => nodes.iter().filter(|n| word == ALL_NODES || n.name == word).map(|n| n.name.as_str()).collect(),
        };
        match role {
            Some(role) if found.is_empty() => {
                reading.refuse(&item.path, "a role that a node has", format!("{}, which none has", role.name()));
            }
            None if found.is_empty() => reading.problem(&item.path, no_such_node(word, nodes)),
            _ => chosen.extend(found),
        }
    }
    named(&|node| chosen.contains(node.name.as_str()))
}

fn no_such_node(word: &str, nodes: &[Node]) -> Mismatch {
    let words = nodes.iter().map(|node| node.name.as_str()).chain(NodeRole::ALL.map(NodeRole::name)).chain([ALL_NODES]);
    Mismatch::word("a node, or one of control-plane, etcd, worker, load-balancer and all", word, words)
}

/// Names and paths must be unique.
fn check_unique(items: &[Field<'_>], extra: &[ExtraCertificate], reading: &mut Reading) {
    // Items that are no mappings have been reported and are not among `extra`: positions would not fit.
    if items.len() != extra.len() {
        return;
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    for (item, certificate) in items.iter().zip(extra).filter(|(_, certificate)| !certificate.name.is_empty()) {
        let (name, path) = (format!("{}.name", item.path), format!("{}.path", item.path));
        let line = reading.place(&name).line;
        let first = names.insert(&certificate.name, line);
        if let Some(first_line) = first {
            reading.problem(&name, taken("a name", first_line));
        }
        let stem = certificate.path.to_ascii_lowercase();
        let is_kubeadms = ENTRIES.iter().any(|entry| stem_of(entry.files) == Some(stem.as_str()));
        let line = reading.place(&path).line;
        let before = paths.insert(stem, line);
        // A name that was refused makes its default path wrong too: reported once.
        let follows =
            certificate.path == certificate.name && (first.is_some() || catalog::find(&certificate.name).is_some());
        if follows {
            continue;
        }
        if is_kubeadms {
            reading.refuse(&path, "a path of your own", format!("{}, which is kubeadm's", shown(&certificate.path)));
        } else if let Some(first_line) = before {
            reading.problem(&path, taken("a path", first_line));
        }
    }
}

fn stem_of(files: Files) -> Option<&'static str> {
    match files {
        Files::Pair(stem) | Files::KeyPair(stem) | Files::KubeletPair(stem) => Some(stem),
        Files::Kubeconfig(_) => None,
    }
}
