//! Trees that are right, each made once, and copies of them to be broken.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kpki::blueprint::Algorithm;
use kpki::ca::{Issuer, PrivateKey, sign_crl};
use kpki::encoding::base64;
use kpki::revocation::{CrlIssue, Number, RevocationList};
use kpki::x509::{Certificate, parse_pem_bundle};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::forge::Forged;
use crate::harness::{NOW, Place, repository, single};

pub const AT: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

/// A tree that is right. All keys are P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// A control-plane node by kubeadm 1.36, without a profile.
    Kubeadm,
    /// A node by kpki, with its profile.
    Node,
    /// A cluster directory: cp1 and cp2, and the worker w1.
    Cluster,
}

pub const NODES: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nencryptionAlgorithm: ECDSA-P256\n\
    controlPlaneEndpoint: api.example.com:6443\nextraCertificates:\n- {name: web, usages: [server], certSANs: [api.example.com], authority: front-proxy-ca}\n\
    nodes:\n- {name: cp1, addresses: [10.0.0.11]}\n- {name: cp2, addresses: [10.0.0.12]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.21]}\n";

impl Base {
    pub fn copy(self) -> Tree {
        static MADE: [OnceLock<Place>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
        let made = MADE[self as usize].get_or_init(|| self.make());
        let place = Place::new();
        copy(&made.path("t"), &place.path("t"));
        Tree { place }
    }

    fn make(self) -> Place {
        let place = Place::new();
        match self {
            Self::Kubeadm => kubeadm("v1.36-ha-ecdsa-cp1", &place.path("t")),
            Self::Node => {
                place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
                place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
            }
            Self::Cluster => {
                place.write("p.yaml", NODES);
                place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
            }
        }
        place
    }
}

/// One of kubeadm's trees with the modes kubeadm gives it.
pub fn kubeadm(fixture: &str, to: &Path) {
    copy(&repository("fixtures/kubeadm").join(fixture).join("etc-kubernetes"), to);
    for entry in walkdir::WalkDir::new(to) {
        let entry = entry.unwrap();
        let is_public = entry.path().extension().is_some_and(|end| end == "crt" || end == "csr");
        let mode = if entry.file_type().is_dir() {
            0o755
        } else if is_public {
            0o644
        } else {
            0o600
        };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// With the modes of the original.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).sort_by_file_name() {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
        fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
    }
}

/// A copy, in the directory `t` of a place.
pub struct Tree {
    pub place: Place,
}

impl Tree {
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path("t").join(name)
    }

    pub fn read(&self, name: &str) -> String {
        self.place.read(&format!("t/{name}"))
    }

    /// A file that is there keeps its mode.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        self.place.write(&format!("t/{name}"), text);
    }

    /// For its owner only.
    pub fn secret(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write(name, text);
        self.mode(name, 0o600);
    }

    pub fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub fn bring(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    pub fn swap(&self, one: &str, other: &str) {
        let (first, second) = (self.read(one), self.read(other));
        self.write(one, second);
        self.write(other, first);
    }

    pub fn certificate(&self, name: &str) -> Certificate {
        parse_pem_bundle(self.read(name).as_bytes()).unwrap().remove(0)
    }

    /// Changes a certificate, which its authority signs again.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Forged)) {
        let key = if name.ends_with("ca.crt") {
            name.replace(".crt", ".key")
        } else {
            format!("pki/{}.key", authority(name))
        };
        let mut forged = Forged::of(&self.certificate(name));
        change(&mut forged);
        self.write(name, forged.sign(&self.read(&key)).to_pem());
    }

    /// The same with the certificate in a kubeconfig.
    pub fn edit_conf(&self, name: &str, change: impl FnOnce(&mut Forged)) {
        let old = self.data(name, "client-certificate-data");
        let mut forged = Forged::of(&parse_pem_bundle(&old).unwrap().remove(0));
        change(&mut forged);
        self.set_data(name, "client-certificate-data", &forged.sign(&self.read("pki/ca.key")).to_pem());
    }

    /// What a field of a kubeconfig holds.
    pub fn data(&self, name: &str, field: &str) -> Vec<u8> {
        let text = self.read(name);
        let value = text.split_once(&format!("{field}: ")).unwrap().1.lines().next().unwrap();
        base64::decode(value.as_bytes()).unwrap().to_vec()
    }

    pub fn set_data(&self, name: &str, field: &str, pem: &str) {
        self.set_field(name, field, &base64::encode(pem.as_bytes()));
    }

    pub fn set_field(&self, name: &str, field: &str, value: &str) {
        let field = format!("{field}: ");
        let lines = self
            .read(name)
            .lines()
            .map(|line| match line.split_once(&field) {
                Some((before, _)) => format!("{before}{field}{value}\n"),
                None => format!("{line}\n"),
            })
            .collect::<String>();
        self.write(name, lines);
    }

    /// Every kubeconfig embeds these authorities.
    pub fn trust(&self, bundle: &str) {
        for name in ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"] {
            self.set_data(name, "certificate-authority-data", bundle);
        }
    }

    /// A new authority with the name of another: its certificate and key.
    pub fn foreign(&self, like: &str) -> (Certificate, String) {
        let key = key();
        let mut forged = Forged::of(&self.certificate(like));
        forged.key(&key.spki_der());
        forged.serial = vec![0x42; 8];
        (forged.sign(&key.to_pem()), key.to_pem().to_string())
    }

    /// An authority's CRL of nothing.
    pub fn crl(&self, authority: &str, until: OffsetDateTime) -> kpki::ca::SignedCrl {
        let stem = format!("pki/{authority}");
        let key = PrivateKey::from_pem(self.read(&format!("{stem}.key")).as_bytes()).unwrap();
        let issuer = Issuer::new(vec![self.certificate(&format!("{stem}.crt"))], key).unwrap();
        let edition = CrlIssue { number: Number::from(1), this_update: AT - Duration::days(10), next_update: until };
        sign_crl(&RevocationList { edition, revoked: vec![] }, &issuer).unwrap()
    }

    /// kpki in the place, at the tests' instant.
    pub fn kpki(&self, words: &[&str]) {
        self.place.kpki(&[words, &["--dir", "t", "--at", NOW]].concat()).status(0);
    }
}

pub fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

/// Who signs what is in a file.
fn authority(name: &str) -> &'static str {
    match name {
        _ if name.contains("etcd") => "etcd/ca",
        _ if name.contains("front-proxy") || name.contains("web") => "front-proxy-ca",
        _ => "ca",
    }
}
