//! The trees of other tools, as data: where their files are and who signs them. They are read only, and judged by the rules that hold
//! for everybody: kubeadm's own names and groups are asked for where kubeadm made the certificates.

use crate::blueprint::ExtendedKeyUsage;
use crate::catalog::CaId;

/// What one tool makes on a node.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    pub name: &'static str,
    /// Where it is on its machine.
    pub home: &'static str,
    /// Directories below it that may be given in its place; the empty one is itself.
    pub given: &'static [&'static str],
    /// Sets of files: one that is whole tells it from other layouts.
    pub marks: &'static [&'static [&'static str]],
    /// kubeadm made the certificates.
    pub is_kubeadms: bool,
    /// Authorities by their role. A tool with two of one role has two groups, each with a name.
    pub groups: &'static [Group],
}

#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub name: &'static str,
    pub authorities: &'static [(CaId, &'static [&'static str])],
    pub files: &'static [Row],
    /// sa.key and sa.pub without their ends.
    pub accounts: Option<&'static str>,
}

/// One file. A `*` is any text in one part of its path; the key is beside the certificate.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// An entry of the catalogue where its rule of names holds; else a name of its own. Empty: the path without its end.
    pub entry: &'static str,
    pub path: &'static str,
    pub authority: CaId,
    pub is_for: Use,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Server,
    Client,
    Both,
    /// With a client's certificate of this authority in it.
    Kubeconfig,
    /// Its client's certificate is another file of the layout.
    KubeconfigOfFiles,
}

const fn row(entry: &'static str, path: &'static str, authority: CaId, is_for: Use) -> Row {
    Row { entry, path, authority, is_for }
}

use CaId::{Cluster, Etcd, FrontProxy};
use Use::{Both, Client, Kubeconfig, KubeconfigOfFiles, Server};

/// k3s pkg/daemons/control/deps; RKE2 is k3s with other names for two of its clients.
const RANCHER_SERVERS: Group = Group {
    name: "server",
    authorities: &[
        (Cluster, &["server/tls/server-ca.crt", "agent/server-ca.crt"]),
        (Etcd, &["server/tls/etcd/server-ca.crt"]),
        (FrontProxy, &["server/tls/request-header-ca.crt"]),
    ],
    files: &[
        row("apiserver", "server/tls/serving-kube-apiserver.crt", Cluster, Server),
        row("serving-kubelet", "agent/serving-kubelet.crt", Cluster, Server),
        row("client-auth-proxy", "server/tls/client-auth-proxy.crt", FrontProxy, Client),
        row("etcd-server-client", "server/tls/etcd/server-client.crt", Etcd, Both),
        row("etcd-client", "server/tls/etcd/client.crt", Etcd, Client),
        row("admin.kubeconfig", "server/cred/admin.kubeconfig", Cluster, KubeconfigOfFiles),
        row("controller.kubeconfig", "server/cred/controller.kubeconfig", Cluster, KubeconfigOfFiles),
        row("scheduler.kubeconfig", "server/cred/scheduler.kubeconfig", Cluster, KubeconfigOfFiles),
        row("api-server.kubeconfig", "server/cred/api-server.kubeconfig", Cluster, KubeconfigOfFiles),
        row("cloud-controller.kubeconfig", "server/cred/cloud-controller.kubeconfig", Cluster, KubeconfigOfFiles),
        row("kubelet.kubeconfig", "agent/kubelet.kubeconfig", Cluster, KubeconfigOfFiles),
        row("kubeproxy.kubeconfig", "agent/kubeproxy.kubeconfig", Cluster, KubeconfigOfFiles),
    ],
    accounts: None,
};

const RANCHER_CLIENTS: Group = Group {
    name: "client",
    authorities: &[
        (Cluster, &["server/tls/client-ca.crt", "agent/client-ca.crt"]),
        (Etcd, &["server/tls/etcd/peer-ca.crt"]),
    ],
    files: &[
        row("", "server/tls/client-*.crt", Cluster, Client),
        row("", "agent/client-*.crt", Cluster, Client),
        row("etcd-peer-server-client", "server/tls/etcd/peer-server-client.crt", Etcd, Both),
    ],
    accounts: None,
};

const RANCHER: &[Group] = &[RANCHER_SERVERS, RANCHER_CLIENTS];
const RANCHER_GIVEN: &[&str] = &["", "server", "server/tls", "agent"];

pub const LAYOUTS: &[Layout] = &[
    Layout {
        name: "RKE2",
        home: "/var/lib/rancher/rke2",
        given: RANCHER_GIVEN,
        marks: &[
            &["server/tls/client-rke2-controller.crt", "server/tls/client-admin.crt"],
            &["agent/client-rke2-controller.crt", "agent/client-kubelet.crt"],
        ],
        is_kubeadms: false,
        groups: RANCHER,
    },
    Layout {
        name: "k3s",
        home: "/var/lib/rancher/k3s",
        given: RANCHER_GIVEN,
        marks: &[
            &["server/tls/client-k3s-controller.crt", "server/tls/client-admin.crt"],
            &["agent/client-k3s-controller.crt", "agent/client-kubelet.crt"],
        ],
        is_kubeadms: false,
        groups: RANCHER,
    },
    // k0s pkg/component/controller/certificates.go
    Layout {
        name: "k0s",
        home: "/var/lib/k0s",
        given: &["", "pki"],
        marks: &[&["pki/k0s-api.crt"]],
        is_kubeadms: false,
        groups: &[Group {
            name: "pki",
            authorities: &[
                (Cluster, &["pki/ca.crt"]),
                (FrontProxy, &["pki/front-proxy-ca.crt"]),
                (Etcd, &["pki/etcd/ca.crt"]),
            ],
            files: &[
                row("apiserver", "pki/server.crt", Cluster, Server),
                row("k0s-api", "pki/k0s-api.crt", Cluster, Server),
                row("admin", "pki/admin.crt", Cluster, Client),
                row("ccm", "pki/ccm.crt", Cluster, Client),
                row("scheduler", "pki/scheduler.crt", Cluster, Client),
                row("konnectivity", "pki/konnectivity.crt", Cluster, Client),
                row("kubelet-client", "pki/apiserver-kubelet-client.crt", Cluster, Client),
                row("front-proxy-client", "pki/front-proxy-client.crt", FrontProxy, Client),
                row("etcd-client", "pki/apiserver-etcd-client.crt", Etcd, Client),
                row("etcd-member-server", "pki/etcd/server.crt", Etcd, Both),
                row("etcd-member-peer", "pki/etcd/peer.crt", Etcd, Both),
                row("admin.conf", "pki/admin.conf", Cluster, Kubeconfig),
                row("ccm.conf", "pki/ccm.conf", Cluster, Kubeconfig),
                row("scheduler.conf", "pki/scheduler.conf", Cluster, Kubeconfig),
                row("konnectivity.conf", "pki/konnectivity.conf", Cluster, Kubeconfig),
            ],
            accounts: Some("pki/sa"),
        }],
    },
    // minikube pkg/minikube/bootstrapper/certs.go: what it keeps for all clusters, on the machine it runs on.
    Layout {
        name: "minikube",
        home: "/root/.minikube",
        given: &[""],
        marks: &[&["proxy-client-ca.crt", "profiles/*/apiserver.crt"]],
        is_kubeadms: false,
        groups: &[Group {
            name: "minikube",
            authorities: &[(Cluster, &["ca.crt"]), (FrontProxy, &["proxy-client-ca.crt"])],
            files: &[
                row("", "profiles/*/apiserver.crt", Cluster, Server),
                row("", "profiles/*/client.crt", Cluster, Client),
                row("", "profiles/*/proxy-client.crt", FrontProxy, Client),
            ],
            accounts: None,
        }],
    },
    // The same on the node: apiserver and proxy-client are minikube's, the others kubeadm's.
    Layout {
        name: "minikube",
        home: "/var/lib/minikube/certs",
        given: &[""],
        marks: &[&["proxy-client.crt", "apiserver-kubelet-client.crt"]],
        is_kubeadms: false,
        groups: &[
            Group {
                name: "certs",
                authorities: &[(Cluster, &["ca.crt"]), (FrontProxy, &["front-proxy-ca.crt"]), (Etcd, &["etcd/ca.crt"])],
                files: &[
                    row("apiserver", "apiserver.crt", Cluster, Server),
                    row("kubelet-client", "apiserver-kubelet-client.crt", Cluster, Client),
                    row("front-proxy-client", "front-proxy-client.crt", FrontProxy, Client),
                    row("etcd-client", "apiserver-etcd-client.crt", Etcd, Client),
                    row("etcd-server", "etcd/server.crt", Etcd, Both),
                    row("etcd-peer", "etcd/peer.crt", Etcd, Both),
                    row("etcd-healthcheck-client", "etcd/healthcheck-client.crt", Etcd, Client),
                ],
                accounts: Some("sa"),
            },
            Group {
                name: "proxy",
                authorities: &[(FrontProxy, &["proxy-client-ca.crt"])],
                files: &[row("proxy-client", "proxy-client.crt", FrontProxy, Client)],
                accounts: None,
            },
        ],
    },
    // Kubespray lets kubeadm write to ssl/ (kube_cert_dir), and makes etcd's own with roles/etcd/templates/make-ssl-etcd.sh.
    Layout {
        name: "Kubespray",
        home: "/etc/kubernetes",
        given: &["", "ssl"],
        marks: &[&["ssl/ca.crt", "ssl/apiserver.crt"]],
        is_kubeadms: true,
        groups: &[Group {
            name: "ssl",
            authorities: &[(Cluster, &["ssl/ca.crt"]), (FrontProxy, &["ssl/front-proxy-ca.crt"])],
            files: &[
                row("apiserver", "ssl/apiserver.crt", Cluster, Server),
                row("apiserver-kubelet-client", "ssl/apiserver-kubelet-client.crt", Cluster, Client),
                row("front-proxy-client", "ssl/front-proxy-client.crt", FrontProxy, Client),
                row("admin.conf", "admin.conf", Cluster, Kubeconfig),
                row("super-admin.conf", "super-admin.conf", Cluster, Kubeconfig),
                row("kubelet.conf", "kubelet.conf", Cluster, Kubeconfig),
                row("controller-manager.conf", "controller-manager.conf", Cluster, Kubeconfig),
                row("scheduler.conf", "scheduler.conf", Cluster, Kubeconfig),
            ],
            accounts: Some("ssl/sa"),
        }],
    },
    Layout {
        name: "Kubespray's etcd",
        home: "/etc/ssl/etcd",
        given: &["", "ssl"],
        marks: &[&["ssl/ca.pem", "ssl/member-*.pem"], &["ssl/ca.pem", "ssl/node-*.pem"]],
        is_kubeadms: false,
        groups: &[ETCD],
    },
];

const ETCD: Group = Group {
    name: "ssl",
    authorities: &[(Etcd, &["ssl/ca.pem"])],
    files: &[
        row("", "ssl/member-*.pem", Etcd, Both),
        row("", "ssl/admin-*.pem", Etcd, Client),
        row("", "ssl/node-*.pem", Etcd, Client),
    ],
    accounts: None,
};

/// A layout as it was given: some directory below its home may stand for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised {
    pub layout: &'static Layout,
    /// The directory that was given, below its home.
    pub given: &'static str,
}

impl Recognised {
    /// The path of a file from the directory that was given; `None`: it is outside.
    pub fn path<'p>(&self, path: &'p str) -> Option<&'p str> {
        below(self.given, path)
    }

    /// The directory that was given, on the layout's own machine.
    pub fn home(&self) -> String {
        if self.given.is_empty() { self.layout.home.to_owned() } else { format!("{}/{}", self.layout.home, self.given) }
    }
}

fn below<'p>(dir: &str, path: &'p str) -> Option<&'p str> {
    if dir.is_empty() { Some(path) } else { path.strip_prefix(dir)?.strip_prefix('/') }
}

/// The layout of a directory in which these files are.
/// `is_called`: whether its path ends so; a directory inside a layout has the layout's name for it.
pub fn recognise(is_there: &dyn Fn(&str) -> bool, is_called: &dyn Fn(&str) -> bool) -> Option<Recognised> {
    let all = LAYOUTS.iter().flat_map(|layout| layout.given.iter().map(move |given| Recognised { layout, given }));
    let all = all.filter(|one| one.given.is_empty() || is_called(one.given));
    let is_whole = |one: &Recognised, set: &[&str]| set.iter().all(|mark| one.path(mark).is_some_and(is_there));
    all.into_iter().find(|one| one.layout.marks.iter().any(|set| is_whole(one, set)))
}

impl Layout {
    /// What the certificate of an entry may be used for; `None`: it is none of this layout.
    pub fn usages(&self, entry: &str) -> Option<Vec<ExtendedKeyUsage>> {
        let is_it = |row: &&Row| row.entry == entry || (row.entry.is_empty() && matches(row.path, entry));
        let row = self.groups.iter().flat_map(|group| group.files).find(is_it)?;
        Some(match row.is_for {
            Server => vec![ExtendedKeyUsage::ServerAuth],
            Both => vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
            Client | Kubeconfig | KubeconfigOfFiles => vec![ExtendedKeyUsage::ClientAuth],
        })
    }
}

/// Whether a path without its end is of a pattern.
fn matches(pattern: &str, entry: &str) -> bool {
    let Some((before, after)) = without_end(pattern).split_once('*') else { return false };
    entry.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
}

/// A path without `.crt` or `.pem`.
pub fn without_end(path: &str) -> &str {
    path.strip_suffix(".crt").or_else(|| path.strip_suffix(".pem")).unwrap_or(path)
}

/// Where the key of a certificate is: `x.key` beside `x.crt`, `x-key.pem` beside `x.pem`.
pub fn key_beside(path: &str) -> Option<String> {
    let crt = || Some(format!("{}.key", path.strip_suffix(".crt")?));
    crt().or_else(|| Some(format!("{}-key.pem", path.strip_suffix(".pem")?)))
}

#[cfg(test)]
#[path = "layouts_tests.rs"]
mod tests;
