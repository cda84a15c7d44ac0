//! Who dials, on which node, and what it shows.

use super::held::{self, Bundle, Held};
use super::names;
use super::pair::{Dialling, Shows, Signer};
use super::servers::absent;
use super::table::{Client, Row};
use crate::catalog::CaId;
use crate::tree::EntryId;
use crate::verify::cluster::{Cluster, Content, Part, Tree};

/// What the API server shows to kubelets.
const TO_KUBELETS: &str = "apiserver-kubelet-client";
const BOOTSTRAP: &str = "a bootstrap token is an object in the cluster";

/// All clients of a row; one that is nowhere is a client, too.
pub fn clients<'a>(cluster: &'a Cluster<'_>, row: &Row) -> Vec<Dialling<'a>> {
    let (name, found): (&str, Vec<Dialling<'a>>) = match row.client {
        Client::Kubeconfigs(all) => {
            let of = |name: &&str| held::nodes(cluster).filter_map(|tree| kubeconfig(tree, name)).collect::<Vec<_>>();
            (all.first().copied().unwrap_or_default(), all.iter().flat_map(of).collect())
        }
        Client::Pair(name, authority) => {
            let holds = |tree: &&Tree| tree.file(name, Part::Certificate).is_some();
            (name, held::nodes(cluster).filter(holds).map(|tree| pair(cluster, tree, name, authority)).collect())
        }
        Client::Pods => {
            ("pods", held::nodes(cluster).filter(|tree| serves_api(tree)).map(|tree| pods(cluster, tree)).collect())
        }
        Client::Joining => (
            "joining node",
            held::nodes(cluster).filter(|tree| serves_api(tree)).map(|tree| joining(cluster, tree)).collect(),
        ),
        Client::Unknown(name) => (name, Vec::new()),
        Client::Extra => ("", Vec::new()),
    };
    if found.is_empty() { vec![nobody(cluster, name)] } else { found }
}

fn serves_api(tree: &Tree) -> bool {
    tree.file("apiserver", Part::Certificate).is_some()
}

fn kubeconfig<'a>(tree: &'a Tree, name: &str) -> Option<Dialling<'a>> {
    let file = tree.file(name, Part::Kubeconfig)?;
    let (leaf, trusts) = held::kubeconfig(tree, file);
    let host = match &file.content {
        Content::Kubeconfig(read) => names::of_kubeconfig(read),
        _ => None,
    };
    Some(Dialling { id: held::entry_of(tree, name), tree: Some(tree), shows: Shows::Certificate(leaf), trusts, host })
}

pub fn pair<'a>(cluster: &'a Cluster<'_>, tree: &'a Tree, name: &str, servers: CaId) -> Dialling<'a> {
    Dialling {
        id: held::entry_of(tree, name),
        tree: Some(tree),
        shows: Shows::Certificate(held::pair(cluster, tree, name)),
        trusts: if name == TO_KUBELETS { kubelets(cluster, tree) } else { held::bundle(cluster, tree, servers) },
        host: None,
    }
}

/// Whether the API server verifies kubelets is a flag, which kubeadm does not set. Where the manifest is not here it may be.
fn kubelets<'a>(cluster: &'a Cluster<'_>, tree: &'a Tree) -> Held<Bundle<'a>> {
    match held::flag(tree, "kube-apiserver", "kubelet-certificate-authority") {
        Some((_, None)) => {
            Held::Elsewhere("--kubelet-certificate-authority is not set: the API server does not verify kubelets")
        }
        Some((path, Some(named))) if !named.ends_with("pki/ca.crt") => {
            let why = "--kubelet-certificate-authority names another file than ca.crt".to_owned();
            Held::NotLookedAt { path: path.to_owned(), why }
        }
        _ => held::bundle(cluster, tree, CaId::Cluster),
    }
}

/// Whose tokens the API server of this node signs.
fn pods<'a>(cluster: &'a Cluster<'_>, tree: &'a Tree) -> Dialling<'a> {
    let signer = match tree.file("sa", Part::Key) {
        Some(file) => match file.key() {
            Some(key) => Held::Here(Signer { entry: held::entry_of(tree, "sa"), path: &file.path, key }),
            None => held::unread(file),
        },
        None => Held::NotOnDisk,
    };
    Dialling {
        id: held::entry_of(tree, "pods"),
        tree: Some(tree),
        shows: Shows::Token(signer),
        trusts: held::bundle(cluster, tree, CaId::Cluster),
        host: None,
    }
}

fn joining<'a>(cluster: &'a Cluster<'_>, tree: &'a Tree) -> Dialling<'a> {
    Dialling {
        id: held::entry_of(tree, "joining node"),
        tree: Some(tree),
        shows: Shows::Token(Held::Elsewhere(BOOTSTRAP)),
        trusts: held::bundle(cluster, tree, CaId::Cluster),
        host: None,
    }
}

fn nobody<'a>(cluster: &Cluster<'_>, name: &str) -> Dialling<'a> {
    let shows = Shows::Certificate(absent(cluster, name));
    Dialling { id: EntryId::new(None, name), tree: None, shows, trusts: Held::NotOnDisk, host: None }
}
