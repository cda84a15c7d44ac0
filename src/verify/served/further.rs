//! Addresses that only files name: the servers of kubeconfigs, the URLs in static pods' manifests, an external etcd.

use super::endpoint::{Endpoint, Source};
use crate::catalog::endpoints::{LISTENERS, Listener, listener};
use crate::live::Peer;
use crate::manifest::Flags;
use crate::profile::Etcd;
use crate::tree::EntryId;
use crate::verify::{Cluster, Content, File, Part, Tree};

/// kube-apiserver's flag for etcd's members.
const ETCD_SERVERS: &str = "etcd-servers";

/// What files name.
pub fn endpoints(cluster: &Cluster<'_>) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for file in cluster.trees.iter().flat_map(|tree| &tree.files) {
        let source = || Source::File(file.path.clone());
        match &file.content {
            Content::Kubeconfig(kubeconfig) => found.extend(endpoint("apiserver", &kubeconfig.server, source())),
            Content::Text(text) if file.part == Part::Manifest => {
                let flags = Flags::read(text).unwrap_or_default();
                let set = urls(&file.entry).filter_map(|(flag, entry)| Some((flags.get(flag)?, entry)));
                let each = set.flat_map(|(urls, entry)| urls.split(',').map(move |url| (url, entry)));
                found.extend(each.filter_map(|(url, entry)| endpoint(entry, url, source())));
            }
            _ => {}
        }
    }
    if let Some(Etcd::External { endpoints, .. }) = cluster.profile.map(|profile| &profile.etcd) {
        found.extend(endpoints.iter().filter_map(|url| endpoint("etcd-server", url, Source::ExternalEtcd)));
    }
    // A port that listens everywhere is no place to connect to.
    found.retain(|one| one.peer.is_one());
    found
}

fn endpoint(entry: &'static str, url: &str, source: Source) -> Option<Endpoint> {
    Some(Endpoint { id: EntryId::new(None, entry), listener: listener(entry), peer: Peer::of_url(url)?, source })
}

/// The flags of a component that hold URLs, and what is served there.
fn urls(component: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = LISTENERS.iter().filter(move |one| one.component == component);
    let own = own.flat_map(|one| one.url_flags.iter().map(|flag| (*flag, one.entry)));
    own.chain((component == "kube-apiserver").then_some((ETCD_SERVERS, "etcd-server")))
}

/// The port that a static pod of the tree is started with.
pub fn port(tree: &Tree, listener: &Listener) -> Option<u16> {
    let flag = listener.port_flag?;
    let is_its = |file: &&File| file.part == Part::Manifest && file.entry == listener.component;
    let Content::Text(text) = &tree.files.iter().find(is_its)?.content else { return None };
    Flags::read(text)?.get(flag)?.parse().ok().filter(|port| *port > 0)
}
