//! The connections between Kubernetes' components that certificates of a tree decide, as data.

use crate::catalog::CaId;
use crate::catalog::paths::KUBELET_CONF;

/// One kind of connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub number: u8,
    pub what: &'static str,
    pub client: Client,
    pub server: Server,
    pub dials: Dials,
}

/// Who dials.
#[derive(Debug, PartialEq, Eq)]
pub enum Client {
    /// What it shows and whom it trusts stand in a kubeconfig.
    Kubeconfigs(&'static [&'static str]),
    /// A pair, and the authority of the servers it dials.
    Pair(&'static str, CaId),
    /// It shows a service account's token and trusts kube-root-ca.crt.
    Pods,
    /// It shows a bootstrap token and trusts cluster-info, which is ca.crt.
    Joining,
    /// What the profile lists beside kubeadm's certificates.
    Extra,
    /// Nothing of it is in a tree.
    Unknown(&'static str),
}

/// Who answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Server {
    /// A pair, and the authority whose clients it accepts.
    Pair(&'static str, CaId),
    /// Its certificate is never in a tree; the authority whose clients it accepts, and where the certificate is.
    Elsewhere(&'static [&'static str], CaId, &'static str),
    /// Who answers depends on the certificate.
    Extra,
    /// Nothing of it is in a tree.
    Unknown(&'static str, &'static str),
}

/// By which names, and whom of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dials {
    /// The host in the kubeconfig.
    Kubeconfig,
    /// Every node by name and address.
    Nodes,
    /// The `kubernetes` service, behind which is every API server.
    Service,
    /// Every member of etcd, its own by the loopback address.
    Members,
    /// Every other member of etcd.
    Peers,
    /// What runs on its own node, by the loopback address.
    Own,
    /// controlPlaneEndpoint, or the address of an API server.
    Endpoint,
}

const API_SERVER: Server = Server::Pair("apiserver", CaId::Cluster);
const ETCD: Server = Server::Pair("etcd-server", CaId::Etcd);

pub const ROWS: [Row; 13] = [
    Row {
        number: 1,
        what: "people's kubeconfigs to the API server",
        client: Client::Kubeconfigs(&["admin.conf", "super-admin.conf"]),
        server: API_SERVER,
        dials: Dials::Kubeconfig,
    },
    Row {
        number: 2,
        what: "controller manager and scheduler to the API server",
        client: Client::Kubeconfigs(&["controller-manager.conf", "scheduler.conf"]),
        server: API_SERVER,
        dials: Dials::Kubeconfig,
    },
    Row {
        number: 3,
        what: "kubelets to the API server",
        client: Client::Kubeconfigs(&[KUBELET_CONF]),
        server: API_SERVER,
        dials: Dials::Kubeconfig,
    },
    Row {
        number: 4,
        what: "the API server to kubelets",
        client: Client::Pair("apiserver-kubelet-client", CaId::Cluster),
        server: Server::Pair("kubelet-serving", CaId::Cluster),
        dials: Dials::Nodes,
    },
    Row { number: 5, what: "pods to the API server", client: Client::Pods, server: API_SERVER, dials: Dials::Service },
    Row {
        number: 6,
        what: "the API server to etcd",
        client: Client::Pair("apiserver-etcd-client", CaId::Etcd),
        server: ETCD,
        dials: Dials::Members,
    },
    Row {
        number: 7,
        what: "etcd members to each other",
        client: Client::Pair("etcd-peer", CaId::Etcd),
        server: Server::Pair("etcd-peer", CaId::Etcd),
        dials: Dials::Peers,
    },
    Row {
        number: 8,
        what: "probes and backups to etcd",
        client: Client::Pair("etcd-healthcheck-client", CaId::Etcd),
        server: ETCD,
        dials: Dials::Own,
    },
    Row {
        number: 9,
        what: "the API server to extension API servers",
        client: Client::Pair("front-proxy-client", CaId::FrontProxy),
        server: Server::Elsewhere(
            &["extension-apiserver"],
            CaId::FrontProxy,
            "an extension API server has a certificate of its own, trusted by caBundle in its APIService",
        ),
        dials: Dials::Own,
    },
    Row {
        number: 10,
        what: "scrapers to controller manager and scheduler",
        client: Client::Kubeconfigs(&["admin.conf"]),
        server: Server::Elsewhere(
            &["kube-controller-manager", "kube-scheduler"],
            CaId::Cluster,
            "controller manager and scheduler make their certificates in memory",
        ),
        dials: Dials::Own,
    },
    Row {
        number: 11,
        what: "load balancers and the profile's other certificates",
        client: Client::Extra,
        server: Server::Extra,
        dials: Dials::Nodes,
    },
    Row {
        number: 12,
        what: "the API server to webhooks",
        client: Client::Unknown("kube-apiserver"),
        server: Server::Unknown("webhook", "a webhook's certificate and its caBundle are objects in the cluster"),
        dials: Dials::Service,
    },
    Row {
        number: 13,
        what: "joining nodes to the API server",
        client: Client::Joining,
        server: API_SERVER,
        dials: Dials::Endpoint,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Files, find};

    #[test]
    fn rows_are_numbered_and_speak_of_the_catalogue() {
        let numbers: Vec<u8> = ROWS.iter().map(|row| row.number).collect();
        assert_eq!(numbers, (1..=13).collect::<Vec<u8>>());
        for row in &ROWS {
            if let Server::Pair(name, _) = row.server {
                assert!(find(name).is_some_and(|entry| !matches!(entry.files, Files::Kubeconfig(_))), "{name}");
            }
            match row.client {
                Client::Kubeconfigs(names) => {
                    let is_one = |name: &&str| find(name).is_some_and(|e| matches!(e.files, Files::Kubeconfig(_)));
                    assert!(names.iter().all(is_one), "{names:?}");
                }
                Client::Pair(name, _) => assert!(find(name).is_some(), "{name}"),
                _ => {}
            }
        }
    }
}
