//! The certificates of a tree that can be renewed, with their places.

use super::Credential;
use crate::catalog::{CaId, ENTRIES, Entry, Files};
use crate::plan::init;
use crate::plan::item::{Item, What};
use crate::profile::Profile;
use crate::tree::{Directories, EntryId, Layout, Place};

/// Every certificate of the profile, and the kubelet's serving certificate, which may exist without being in the
/// profile.
pub fn of_profile(profile: &Profile, layout: &Layout, directories: &Directories) -> Vec<Credential> {
    let items = init::items(profile, layout, directories);
    let mut all: Vec<Credential> = items.iter().filter_map(of_item).collect();
    let nodes = profile.nodes.iter().filter(|node| match layout {
        Layout::Node { name } => node.name == *name,
        Layout::Cluster => true,
    });
    for node in nodes {
        let owner = (*layout == Layout::Cluster).then(|| node.name.clone());
        let further = ENTRIES.iter().filter(|entry| matches!(entry.files, Files::KubeletPair(_)));
        for credential in further.filter_map(|entry| of_entry(entry, owner.as_deref(), directories)) {
            if !all.iter().any(|known| known.public == credential.public) {
                all.push(credential);
            }
        }
    }
    all
}

fn of_item(item: &Item) -> Option<Credential> {
    let (entry, authority) = match &item.what {
        What::Leaf(entry) | What::Kubeconfig(entry, _) => (Some(*entry), Some(entry.signer?)),
        What::Extra(extra) => (None, extra.authority.in_tree()),
        What::Authority(_) | What::ServiceAccount(_) | What::SignerFile { .. } | What::Copy { .. } => return None,
    };
    Some(Credential {
        id: item.id.clone(),
        entry,
        authority,
        public: item.public.clone(),
        private: item.private.clone(),
        wanted: item.home.clone().map(|home| (item.what.clone(), home)),
        replenished: item.id.name != "super-admin.conf",
        elsewhere: None,
        named_by: None,
    })
}

/// Every certificate of the catalogue, for a tree without a profile: one node's, or a cluster directory's nodes.
pub fn of_catalogue(nodes: &[Option<String>], directories: &Directories) -> Vec<Credential> {
    let of_node = |node: &Option<String>| {
        let node = node.clone();
        ENTRIES.iter().filter_map(move |entry| of_entry(entry, node.as_deref(), directories))
    };
    nodes.iter().flat_map(of_node).collect()
}

fn of_entry(entry: &'static Entry, node: Option<&str>, directories: &Directories) -> Option<Credential> {
    let (public, private) = directories.files(&base(node), entry.files);
    Some(Credential {
        id: EntryId::new(node, entry.name),
        entry: Some(entry),
        authority: Some(entry.signer?),
        public,
        private,
        wanted: None,
        replenished: true,
        elsewhere: None,
        named_by: None,
    })
}

fn base(node: Option<&str>) -> String {
    node.map_or_else(String::new, |node| Directories::base(&Layout::Cluster, node))
}

/// The copies of an authority's certificate that the nodes of a cluster directory hold.
pub fn authority_copies(credentials: &[Credential], directories: &Directories) -> Vec<(String, CaId, Place)> {
    let mut nodes: Vec<&str> = credentials.iter().filter_map(|credential| credential.id.node.as_deref()).collect();
    // A node's extra certificates stand behind those of all others.
    nodes.sort_unstable();
    nodes.dedup();
    let of_node = |node: &str| {
        let node = node.to_owned();
        CaId::ALL.map(|authority| {
            let (public, _) = directories.pair(&base(Some(&node)), authority.stem());
            (node.clone(), authority, public)
        })
    };
    nodes.into_iter().flat_map(of_node).collect()
}
