//! A rotation of all four authorities by hand, as the documentation of Kubernetes describes it: bundles are concatenated, the signer's
//! certificate and key exchanged, and what the old one signed is made again by `kpki renew all --due`. Both sets have the same names.

use std::fs;
use std::path::{Path, PathBuf};

use super::components::Files;
use super::control_plane::NODES;
use super::wire::read;
use crate::support::{decode_base64, files, kpki, run, write};

/// (bundle, key of the signer) below a `pki`
const BUNDLES: [(&str, &str); 4] = [
    ("ca.crt", "ca.key"),
    ("front-proxy-ca.crt", "front-proxy-ca.key"),
    ("etcd/ca.crt", "etcd/ca.key"),
    ("sa.pub", "sa.key"),
];

pub struct ByHand {
    place: PathBuf,
}

impl ByHand {
    pub fn new(place: &Path, profile: &str, next: &str) -> Self {
        let one = Self { place: place.to_path_buf() };
        for (name, profile) in [("cluster", profile), ("next", next)] {
            let profile = write(place.join(format!("{name}.yaml")), profile);
            let mut init = kpki();
            init.arg("init").arg("--profile").arg(profile).arg("--dir").arg(place.join(name));
            run(&mut init).expect_ok("init");
        }
        one.ship();
        one
    }

    pub fn node(&self, node: &str) -> Files {
        let dir = self.place.join("nodes").join(node);
        Files { kubelet: dir.join("kubelet"), dir }
    }

    fn pkis(&self) -> Vec<PathBuf> {
        let nodes = NODES.iter().map(|(node, _)| self.place.join("cluster/nodes").join(node).join("pki"));
        nodes.chain([self.place.join("cluster/pki")]).collect()
    }

    /// Every bundle becomes this, by what was in it and what is in the next one's.
    fn bundles(&self, make: impl Fn(&[u8], &[u8]) -> Vec<u8>) {
        for (bundle, _) in BUNDLES {
            let next = read(&self.place.join("next/pki").join(bundle));
            for file in self.pkis().into_iter().map(|pki| pki.join(bundle)).filter(|file| file.exists()) {
                write(&file, make(&read(&file), &next));
            }
        }
        // CA data alone; what `renew` finds due gets it, too.
        let ca = read(&self.place.join("cluster/pki/ca.crt"));
        for file in files(&self.place.join("cluster")) {
            if file.extension().is_some_and(|end| end == "conf") {
                let text = String::from_utf8(read(&file)).unwrap();
                let data = |line: &str| {
                    let field = line.find("certificate-authority-data: ")?;
                    let (head, old) = line.split_at(field + "certificate-authority-data: ".len());
                    assert!(decode_base64(old).starts_with(b"-----BEGIN CERTIFICATE-----"));
                    Some(format!("{head}{}", base64(&ca)))
                };
                let lines = text.lines().map(|line| data(line).unwrap_or_else(|| line.to_owned()) + "\n");
                write(&file, lines.collect::<String>());
            }
        }
    }

    /// O+N, and O signs.
    pub fn prepare(&self) {
        self.bundles(|old, new| [old, new].concat());
    }

    /// N+O, N signs, and all leaves are of N.
    pub fn switch(&self) {
        self.bundles(|both, new| [new, &both[..both.len() - new.len()]].concat());
        for (_, key) in BUNDLES {
            let next = read(&self.place.join("next/pki").join(key));
            for file in self.pkis().into_iter().map(|pki| pki.join(key)).filter(|file| file.exists()) {
                write(&file, &next);
            }
        }
        let mut renew = kpki();
        renew.args(["renew", "all", "--due", "--dir"]).arg(self.place.join("cluster"));
        run(&mut renew).expect_ok("renew");
    }

    /// N alone.
    pub fn retire(&self) {
        self.bundles(|_, new| new.to_vec());
    }

    /// Each file by one rename, the two of a pair one after the other.
    /// The files of a node are prepared first and renamed back to back, so that hardly a handshake falls between a key and its
    /// certificate.
    pub fn ship(&self) {
        for (node, _) in NODES {
            let mut prepared = Vec::new();
            let from = self.place.join("cluster/nodes").join(node);
            for file in files(&from) {
                let to = self.node(node).path(file.strip_prefix(&from).unwrap().to_str().unwrap());
                if !to.exists() || read(&to) != read(&file) {
                    let name = format!("{}.new", to.file_name().unwrap().to_str().unwrap());
                    prepared.push((write(to.with_file_name(name), read(&file)), to));
                }
            }
            for (beside, to) in prepared {
                fs::rename(beside, to).unwrap();
            }
        }
    }
}

pub fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}
