//! The table itself.

use super::entry::{CaId, Entry, Files, Holders, Sans, Server, Subject};
use super::releases::Organization;
use crate::blueprint::ExtendedKeyUsage::{self, ClientAuth, ServerAuth};

const CLIENT: &[ExtendedKeyUsage] = &[ClientAuth];
const SERVER: &[ExtendedKeyUsage] = &[ServerAuth];
const BOTH: &[ExtendedKeyUsage] = &[ServerAuth, ClientAuth];

/// A leaf in the pki directory that every control-plane node holds.
const fn pair(name: &'static str, signer: CaId, subject: Subject, description: &'static str) -> Entry {
    Entry {
        name,
        files: Files::Pair(name),
        signer: Some(signer),
        subject,
        sans: Sans::None,
        usages: CLIENT,
        server: Server::None,
        holders: Holders::ControlPlane,
        etcd: false,
        description,
    }
}

const fn authority(authority: CaId, holders: Holders, description: &'static str) -> Entry {
    Entry {
        name: authority.name(),
        files: Files::Pair(authority.stem()),
        signer: None,
        subject: Subject::Authority(authority),
        sans: Sans::Authority,
        usages: &[],
        server: Server::None,
        holders,
        etcd: false,
        description,
    }
}

const fn kubeconfig(
    name: &'static str,
    subject: Subject,
    server: Server,
    holders: Holders,
    description: &'static str,
) -> Entry {
    Entry {
        name,
        files: Files::Kubeconfig(name),
        signer: Some(CaId::Cluster),
        subject,
        sans: Sans::None,
        usages: CLIENT,
        server,
        holders,
        etcd: false,
        description,
    }
}

/// Every entry, in kubeadm's order of `init phase certs all`, then the kubeconfigs, then what kubeadm leaves out.
pub const ENTRIES: &[Entry] = &[
    authority(
        CaId::Cluster,
        Holders::All,
        "self-signed Kubernetes CA to provision identities for other Kubernetes components",
    ),
    Entry {
        sans: Sans::ApiServer,
        usages: SERVER,
        ..pair(
            "apiserver",
            CaId::Cluster,
            Subject::Fixed("kube-apiserver", Organization::None),
            "certificate for serving the Kubernetes API",
        )
    },
    pair(
        "apiserver-kubelet-client",
        CaId::Cluster,
        Subject::Fixed("kube-apiserver-kubelet-client", Organization::ApiServerKubeletClient),
        "certificate for the API server to connect to kubelet",
    ),
    authority(CaId::FrontProxy, Holders::ControlPlane, "self-signed CA to provision identities for front proxy"),
    pair(
        "front-proxy-client",
        CaId::FrontProxy,
        Subject::Fixed("front-proxy-client", Organization::None),
        "certificate for the front proxy client",
    ),
    Entry {
        etcd: true,
        ..authority(CaId::Etcd, Holders::ControlPlaneAndEtcd, "self-signed CA to provision identities for etcd")
    },
    Entry {
        files: Files::Pair("etcd/server"),
        sans: Sans::EtcdServer,
        usages: BOTH,
        holders: Holders::EtcdMembers,
        etcd: true,
        ..pair("etcd-server", CaId::Etcd, Subject::NodeName, "certificate for serving etcd")
    },
    Entry {
        files: Files::Pair("etcd/peer"),
        sans: Sans::EtcdPeer,
        usages: BOTH,
        holders: Holders::EtcdMembers,
        etcd: true,
        ..pair("etcd-peer", CaId::Etcd, Subject::NodeName, "certificate for etcd nodes to communicate with each other")
    },
    Entry {
        files: Files::Pair("etcd/healthcheck-client"),
        holders: Holders::EtcdMembers,
        etcd: true,
        ..pair(
            "etcd-healthcheck-client",
            CaId::Etcd,
            Subject::Fixed("kube-etcd-healthcheck-client", Organization::EtcdClient),
            "certificate for liveness probes to healthcheck etcd",
        )
    },
    Entry {
        etcd: true,
        ..pair(
            "apiserver-etcd-client",
            CaId::Etcd,
            Subject::Fixed("kube-apiserver-etcd-client", Organization::EtcdClient),
            "certificate the apiserver uses to access etcd",
        )
    },
    Entry {
        name: "sa",
        files: Files::KeyPair("sa"),
        signer: None,
        subject: Subject::None,
        sans: Sans::None,
        usages: &[],
        server: Server::None,
        holders: Holders::ControlPlane,
        etcd: false,
        description: "key pair that signs service account tokens",
    },
    kubeconfig(
        "admin.conf",
        Subject::Fixed("kubernetes-admin", Organization::Admin),
        Server::ControlPlane,
        Holders::ControlPlane,
        "certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself",
    ),
    kubeconfig(
        "super-admin.conf",
        Subject::Fixed("kubernetes-super-admin", Organization::Always("system:masters")),
        Server::ControlPlane,
        Holders::FirstControlPlane,
        "certificate embedded in the kubeconfig file for the super-admin",
    ),
    kubeconfig(
        "kubelet.conf",
        Subject::Node,
        Server::Kubelet,
        Holders::Kubelets,
        "certificate embedded in the kubeconfig file for the kubelet to use",
    ),
    kubeconfig(
        "controller-manager.conf",
        Subject::Fixed("system:kube-controller-manager", Organization::None),
        Server::Local,
        Holders::ControlPlane,
        "certificate embedded in the kubeconfig file for the controller manager to use",
    ),
    kubeconfig(
        "scheduler.conf",
        Subject::Fixed("system:kube-scheduler", Organization::None),
        Server::Local,
        Holders::ControlPlane,
        "certificate embedded in the kubeconfig file for the scheduler manager to use",
    ),
    Entry {
        name: "kubelet-serving",
        files: Files::KubeletPair("kubelet"),
        signer: Some(CaId::Cluster),
        subject: Subject::Node,
        sans: Sans::Kubelet,
        usages: SERVER,
        server: Server::None,
        holders: Holders::Kubelets,
        etcd: false,
        description: "certificate for serving the kubelet API",
    },
];

/// Looks an entry up by its exact name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_paths_are_unique() {
        let names: BTreeSet<_> = ENTRIES.iter().map(|e| e.name).collect();
        let files: BTreeSet<_> = ENTRIES.iter().map(|e| format!("{:?}", e.files)).collect();
        assert_eq!((names.len(), files.len()), (ENTRIES.len(), ENTRIES.len()));
    }

    #[test]
    fn a_signer_stands_before_what_it_signs() {
        for (i, entry) in ENTRIES.iter().enumerate() {
            if let Some(signer) = entry.signer {
                let position = ENTRIES.iter().position(|e| e.authority() == Some(signer));
                assert!(position.is_some_and(|p| p < i), "{}", entry.name);
            }
        }
    }

    #[test]
    fn only_certificates_have_usages_and_only_kubeconfigs_have_servers() {
        for entry in ENTRIES {
            assert_eq!(entry.usages.is_empty(), entry.signer.is_none(), "{}", entry.name);
            assert_eq!(entry.server == Server::None, !matches!(entry.files, Files::Kubeconfig(_)), "{}", entry.name);
        }
    }

    #[test]
    fn the_tree_is_kubeadms_and_the_kubelets() {
        // kubeadm-behaviour section 1.1 and 2: ten pairs, sa, five kubeconfigs; and ours.
        let names: Vec<_> = ENTRIES.iter().map(|e| e.name).collect();
        assert_eq!(
            names,
            [
                "ca",
                "apiserver",
                "apiserver-kubelet-client",
                "front-proxy-ca",
                "front-proxy-client",
                "etcd-ca",
                "etcd-server",
                "etcd-peer",
                "etcd-healthcheck-client",
                "apiserver-etcd-client",
                "sa",
                "admin.conf",
                "super-admin.conf",
                "kubelet.conf",
                "controller-manager.conf",
                "scheduler.conf",
                "kubelet-serving",
            ]
        );
    }

    #[test]
    fn external_etcd_drops_exactly_kubeadms_five() {
        let etcd: Vec<_> = ENTRIES.iter().filter(|e| e.etcd).map(|e| e.name).collect();
        assert_eq!(etcd, ["etcd-ca", "etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client"]);
    }
}
