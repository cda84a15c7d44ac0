//! The certificates that a profile lists beside kubeadm's: of a load balancer's checks, a metrics server, a monitoring client.

use super::clients::pair;
use super::held::{self, Held};
use super::names;
use super::pair::{Dialling, Pair, Serving, Shows, meet};
use super::servers::{servers, serving};
use crate::blueprint::{ExtendedKeyUsage, San};
use crate::catalog::CaId;
use crate::profile::{ExtraAuthority, ExtraCertificate};
use crate::tree::EntryId;
use crate::verify::cluster::{Cluster, Part, Tree};

const OUTSIDE: &str = "its authority is outside the tree";
const EXTENSION: &str = "whom the front proxy's authority vouches for meets extension API servers";

pub fn pairs<'a>(cluster: &'a Cluster<'_>, number: u8) -> Vec<Pair<'a>> {
    let listed = cluster.profile.map(|profile| profile.extra_certificates.as_slice()).unwrap_or_default();
    let mut all = Vec::new();
    for extra in listed {
        for tree in held::nodes(cluster).filter(|tree| tree.file(&extra.name, Part::Certificate).is_some()) {
            for usage in &extra.usages {
                match usage {
                    ExtendedKeyUsage::ClientAuth => all.extend(as_client(cluster, number, extra, tree)),
                    ExtendedKeyUsage::ServerAuth => all.push(as_server(cluster, number, extra, tree)),
                    ExtendedKeyUsage::Other(_) => {}
                }
            }
        }
    }
    all
}

/// The servers that take certificates of its authority, each by the address of its node.
fn as_client<'a>(cluster: &'a Cluster<'_>, number: u8, extra: &ExtraCertificate, tree: &'a Tree) -> Vec<Pair<'a>> {
    let authority = extra.authority.in_tree();
    let client = pair(cluster, tree, &extra.name, authority.unwrap_or(CaId::Cluster));
    let elsewhere = |name: &str, why, clients| {
        let server = Serving { id: EntryId::new(None, name), tree: None, leaf: Held::Elsewhere(why), clients };
        vec![meet(number, &client, Vec::new(), server)]
    };
    let met = match authority {
        Some(CaId::Cluster) => servers(cluster, "apiserver", CaId::Cluster),
        Some(CaId::Etcd) => servers(cluster, "etcd-server", CaId::Etcd),
        Some(CaId::FrontProxy) => {
            return elsewhere("extension-apiserver", EXTENSION, held::bundle(cluster, tree, CaId::FrontProxy));
        }
        None => return elsewhere("its server", OUTSIDE, Held::Elsewhere(OUTSIDE)),
    };
    let address = |server: &Serving<'a>| server.tree.and_then(|tree| names::address(cluster, tree));
    let named = |server: &Serving<'a>| address(server).map(San::Ip).into_iter().collect();
    met.into_iter().map(|server| meet(number, &client, named(&server), server)).collect()
}

/// Clients of its own, who know its authority and dial the names the profile gives it.
fn as_server<'a>(cluster: &'a Cluster<'_>, number: u8, extra: &ExtraCertificate, tree: &'a Tree) -> Pair<'a> {
    let trusts = match &extra.authority {
        ExtraAuthority::InTree(authority) => held::bundle(cluster, tree, *authority),
        ExtraAuthority::External(_) => Held::Elsewhere(OUTSIDE),
    };
    let id = EntryId::new(None, &format!("clients of {}", extra.name));
    let shows = Shows::Certificate(Held::Elsewhere("who its clients are is not known"));
    let client = Dialling { id, tree: Some(tree), shows, trusts, host: None };
    let dialled = |san: &&San| match san {
        San::Dns(name) => !name.contains('*'),
        San::Ip(_) => true,
        _ => false,
    };
    let names = extra.sans.iter().filter(dialled).cloned().collect();
    meet(number, &client, names, serving(cluster, tree, &extra.name, CaId::Cluster))
}
