//! Who meets whom in a cluster, node by node, and with which files.

use super::clients::clients;
use super::extra;
use super::held::{self, Held, Leaf};
use super::names;
use super::pair::{Dialling, Pair, Serving, meet};
use super::servers::{absent, servers};
use super::table::{Client, Dials, ROWS, Row, Server};
use crate::blueprint::San;
use crate::catalog::CaId;
use crate::tree::EntryId;
use crate::verify::cluster::{Cluster, Tree};

/// All pairs, in the table's order.
pub fn pairs<'a>(cluster: &'a Cluster<'_>) -> Vec<Pair<'a>> {
    let of_row = |row: &Row| match row.client {
        Client::Extra => extra::pairs(cluster, row.number),
        _ => clients(cluster, row).iter().flat_map(|client| with_servers(cluster, row, client)).collect(),
    };
    ROWS.iter().flat_map(of_row).collect()
}

fn with_servers<'a>(cluster: &'a Cluster<'_>, row: &Row, client: &Dialling<'a>) -> Vec<Pair<'a>> {
    // Whoever accepts its clients has the client's own copy of the authority, as far as can be seen here.
    let elsewhere = |name: &str, clients: CaId, leaf: Held<Leaf<'a>>| {
        let clients = client.tree.map_or(Held::NotOnDisk, |tree| held::bundle(cluster, tree, clients));
        Serving { id: EntryId::new(None, name), tree: None, leaf, clients }
    };
    let met: Vec<Serving<'a>> = match row.server {
        Server::Pair(name, authority) => {
            let mut all = servers(cluster, name, authority);
            if all.is_empty() {
                all.push(elsewhere(name, authority, absent(cluster, name)));
            }
            dialled(cluster, row.dials, client, all)
        }
        Server::Elsewhere(names, authority, why) => {
            let leaf = |name: &str| client.tree.and_then(|tree| stated(tree, name)).unwrap_or(Held::Elsewhere(why));
            names.iter().map(|name| elsewhere(name, authority, leaf(name))).collect()
        }
        Server::Unknown(name, why) => {
            let id = EntryId::new(None, name);
            vec![Serving { id, tree: None, leaf: Held::Elsewhere(why), clients: Held::Elsewhere(why) }]
        }
        Server::Extra => Vec::new(),
    };
    let named = |server: &Serving<'a>| dials(cluster, row.dials, client, server);
    met.into_iter().map(|server| meet(row.number, client, named(&server), server)).collect()
}

/// A component that is told to serve with a certificate of its own, wherever that is.
fn stated<T>(tree: &Tree, component: &str) -> Option<Held<T>> {
    let (path, named) = held::flag(tree, component, "tls-cert-file")?;
    let why = "--tls-cert-file names a certificate that is not judged here".to_owned();
    named.map(|_| Held::NotLookedAt { path: path.to_owned(), why })
}

/// Whom of several servers a client meets.
fn dialled<'a>(cluster: &Cluster<'_>, dials: Dials, client: &Dialling<'a>, all: Vec<Serving<'a>>) -> Vec<Serving<'a>> {
    let same = |one: Option<&Tree>, other: Option<&Tree>| one.zip(other).is_some_and(|(a, b)| std::ptr::eq(a, b));
    let is_own = |server: &&Serving<'a>| same(server.tree, client.tree);
    let own = || all.iter().filter(is_own).cloned().collect::<Vec<_>>();
    let some = match (dials, &client.host) {
        (Dials::Kubeconfig, Some(host)) if names::is_loopback(host) => own(),
        (Dials::Kubeconfig, Some(host)) => {
            let is_it = |server: &&Serving<'a>| server.tree.is_some_and(|tree| names::is_node(cluster, tree, host));
            all.iter().filter(is_it).cloned().collect()
        }
        (Dials::Own, _) => own(),
        (Dials::Peers, _) => all.iter().filter(|server| !is_own(server)).cloned().collect(),
        _ => Vec::new(),
    };
    // A load balancer leads to all of them; a member without others would meet itself.
    if some.is_empty() { all } else { some }
}

fn dials(cluster: &Cluster<'_>, dials: Dials, client: &Dialling<'_>, server: &Serving<'_>) -> Vec<San> {
    let Some(tree) = server.tree else { return Vec::new() };
    let is_own = client.tree.is_some_and(|own| std::ptr::eq(own, tree));
    let by_address = || names::address(cluster, tree).map(San::Ip).into_iter().collect();
    match dials {
        Dials::Kubeconfig => client.host.iter().cloned().collect(),
        Dials::Nodes => names::of_node(cluster, tree),
        Dials::Service => names::of_service(cluster),
        Dials::Endpoint => names::endpoint(cluster, tree),
        Dials::Own => vec![names::own(cluster, tree)],
        Dials::Members if is_own => vec![names::own(cluster, tree)],
        Dials::Members | Dials::Peers => by_address(),
    }
}
