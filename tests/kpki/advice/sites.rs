//! The trees that are broken.

use std::fs;
use std::path::PathBuf;

use super::Host;
use crate::harness::{copy_tree, repository};

/// A tree and how kpki is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// One node's directory with a recorded profile.
    Single,
    /// Two nodes in a cluster directory.
    Cluster,
    /// Two of three clusters beside their profiles.
    Fleet,
    /// What kubeadm made, of which there is no profile.
    Kubeadm,
    /// Files that are in no tree.
    Loose,
}

pub const ALL: [Site; 4] = [Site::Single, Site::Cluster, Site::Fleet, Site::Kubeadm];

/// Where a fault is made: a node's directory, and the one with its authorities.
#[derive(Debug, Clone)]
pub struct Node {
    pub root: PathBuf,
    pub shared: PathBuf,
}

/// The other node is as it was, so that advice for one must not mean both.
const CLUSTER: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nencryptionAlgorithm: ECDSA-P256\n\
    controlPlaneEndpoint: api.example.com:6443\nnodes:\n\
    - {name: cp1, addresses: [10.0.0.11]}\n- {name: cp2, addresses: [10.0.0.12]}\n";

impl Site {
    /// Makes the tree. `extra`: lines of the profile.
    pub fn make(self, host: &Host, extra: &str) -> Vec<Node> {
        let profile = single(extra);
        host.place.write("p.yaml", &profile);
        let node = |root: &str, shared: &str| Node { root: host.place.path(root), shared: host.place.path(shared) };
        match self {
            Self::Single => {
                host.sh("kpki init --profile p.yaml --dir k8s").ok();
                vec![node("k8s", "k8s")]
            }
            Self::Cluster => {
                host.place.write("p.yaml", format!("{CLUSTER}{extra}"));
                host.sh("kpki init --profile p.yaml --dir k8s").ok();
                vec![node("k8s/nodes/cp1", "k8s")]
            }
            Self::Fleet => {
                for name in ["a", "b", "c"] {
                    host.place.write(&format!("clusters/{name}.yaml"), &profile);
                    host.sh(&format!("kpki init --profile clusters/{name}.yaml --dir clusters/{name}")).ok();
                }
                vec![node("clusters/a", "clusters/a"), node("clusters/b", "clusters/b")]
            }
            Self::Kubeadm => {
                let fixture = "fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes";
                copy_tree(&repository(fixture), &host.place.path("k8s"));
                let profile = repository(fixture).with_file_name("kubeadm.yaml");
                host.place.write("p.yaml", fs::read(profile).unwrap());
                vec![node("k8s", "k8s")]
            }
            Self::Loose => {
                host.sh("kpki init --profile p.yaml --dir k8s").ok();
                fs::create_dir(host.place.path("loose")).unwrap();
                vec![node("loose", "k8s")]
            }
        }
    }

    /// What check-expiration is given.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Fleet => "--profiles clusters",
            Self::Loose => "loose",
            _ => "k8s",
        }
    }
}

pub fn single(extra: &str) -> String {
    crate::harness::single(&format!("encryptionAlgorithm: ECDSA-P256\n{extra}"))
}

impl Node {
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }

    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A file of the node, and the same of the cluster directory.
    pub fn remove(&self, file: &str) {
        for path in [self.root.join(file), self.shared.join(file)] {
            let _ = fs::remove_file(path);
        }
    }

    pub fn remove_own(&self, file: &str) {
        fs::remove_file(self.root.join(file)).unwrap();
    }

    pub fn swap(&self, one: &str, other: &str) {
        let (first, second) = (self.read(one), self.read(other));
        self.write(one, second);
        self.write(other, first);
    }
}
