//! Who answers, on which node.

use super::held::{self, Held};
use super::pair::Serving;
use crate::catalog::{CaId, find};
use crate::profile::Etcd;
use crate::verify::cluster::{Cluster, Part, Tree, is_made_by_kubelet};

const KUBELETS_OWN: &str = "the kubelet makes its serving certificate itself, and the API server does not verify it";
const EXTERNAL_ETCD: &str = "etcd is external, and its files are not in this tree";

pub fn serving<'a>(cluster: &'a Cluster<'_>, tree: &'a Tree, name: &str, clients: CaId) -> Serving<'a> {
    let leaf = match held::pair(cluster, tree, name) {
        Held::Here(leaf) if name == "kubelet-serving" && is_made_by_kubelet(leaf.chain) => {
            Held::Elsewhere(KUBELETS_OWN)
        }
        leaf => leaf,
    };
    Serving { id: held::entry_of(tree, name), tree: Some(tree), leaf, clients: held::bundle(cluster, tree, clients) }
}

/// All servers of this kind.
pub fn servers<'a>(cluster: &'a Cluster<'_>, name: &str, clients: CaId) -> Vec<Serving<'a>> {
    let holds = |tree: &&Tree| tree.file(name, Part::Certificate).is_some();
    held::nodes(cluster).filter(holds).map(|tree| serving(cluster, tree, name, clients)).collect()
}

/// What is said of an entry that no tree has.
pub fn absent<T>(cluster: &Cluster<'_>, name: &str) -> Held<T> {
    let entry = find(name);
    let external = cluster.profile.is_some_and(|profile| matches!(profile.etcd, Etcd::External { .. }));
    let serving = cluster.profile.is_some_and(|profile| profile.kubelet_serving && !profile.origin.is_kubeadm());
    match entry {
        Some(entry) if entry.etcd && external => Held::Elsewhere(EXTERNAL_ETCD),
        Some(entry) if entry.name == "kubelet-serving" && !serving => Held::Elsewhere(KUBELETS_OWN),
        _ => Held::NotOnDisk,
    }
}
