//! Trees in each phase of a rotation, for the tests of its verbs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::harness::{NOW, Place, Run, copy_tree, tree};

pub const CLUSTER: &str = "apiVersion: kpki/v1
kind: ClusterProfile
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: api.example.com
nodes:
- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}
- {name: cp2, roles: [control-plane], addresses: [10.0.0.12]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
";
/// A day between two steps.
pub const DAYS: [&str; 5] = [
    "2026-11-21T22:00:00Z",
    "2026-11-22T22:00:00Z",
    "2026-11-23T22:00:00Z",
    "2026-11-24T22:00:00Z",
    "2026-11-25T22:00:00Z",
];
pub const AUTHORITIES: [&str; 4] = ["ca", "front-proxy-ca", "etcd-ca", "sa"];
/// What of the tree is an authority's own, its key last.
pub const FILES: [(&str, &str, &str); 4] = [
    ("ca", "pki/ca.crt", "pki/ca.key"),
    ("front-proxy-ca", "pki/front-proxy-ca.crt", "pki/front-proxy-ca.key"),
    ("etcd-ca", "pki/etcd/ca.crt", "pki/etcd/ca.key"),
    ("sa", "pki/sa.pub", "pki/sa.key"),
];

/// Directories with the same tree before the rotation (`none`) and in the phases that were asked for.
pub struct Story {
    pub place: Place,
}

impl Story {
    pub fn new(profile: &str) -> Self {
        let place = Place::new();
        place.write("p.yaml", profile);
        place.init(&["--profile", "p.yaml", "--dir", "none"]).status(0);
        Self { place }
    }

    /// `none`, `prepared`, `switched`, `retired`, of these authorities.
    pub fn phases(profile: &str, names: &[&str]) -> Self {
        let story = Self::new(profile);
        story.copy("none", "prepared");
        story.step("prepare", "prepared", names, 0).status(0);
        story.copy("prepared", "switched");
        story.step("switch", "switched", names, 1).status(0);
        story.copy("switched", "retired");
        story.step("retire", "retired", names, 2).status(0);
        story
    }

    pub fn copy(&self, from: &str, to: &str) {
        copy_tree(&self.place.path(from), &self.place.path(to));
        for (name, (mode, _)) in tree(&self.place.path(from)) {
            fs::set_permissions(self.place.path(to).join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    /// A step on a day; no gate is in its way.
    pub fn step(&self, verb: &str, dir: &str, names: &[&str], day: usize) -> Run {
        let passing: &[&str] = match verb {
            "prepare" => &["--signer-file-in-use"],
            "switch" | "retire" | "back" => &["--confirm-all", "--not-before-override"],
            "emergency" => &["--yes-this-interrupts"],
            _ => &[],
        };
        let words = [&["rotate", verb], names, passing, &["--dir", dir, "--at", DAYS[day]]].concat();
        self.place.kpki(&words)
    }

    /// The tree without what is kpki's own.
    pub fn files(&self, dir: &str) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut files = tree(&self.place.path(dir));
        files.retain(|name, _| !name.starts_with(".kpki"));
        files
    }

    /// Every rule and every connection holds.
    #[track_caller]
    pub fn verifies(&self, dir: &str, day: usize) {
        let run = self.place.kpki(&["verify", dir, "--at", DAYS[day], "-o", "json"]);
        assert_eq!(run.status, 0, "{}", self.place.kpki(&["verify", dir, "--at", DAYS[day]]).stdout);
    }

    pub fn record(&self, dir: &str) -> serde_json::Value {
        serde_json::from_str(&self.place.read(&format!("{dir}/.kpki/rotation.json"))).unwrap()
    }

    /// Where the key of this file still is, below another directory.
    pub fn holders(&self, key: &str, dir: &str) -> Vec<String> {
        holders(&self.place.read(key), &self.place.path(dir))
    }
}

/// Files below a directory with a line of this key.
pub fn holders(pem: &str, dir: &Path) -> Vec<String> {
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-') && line.len() > 40).collect();
    // The first line may be no more than the algorithm.
    let secret = *lines.get(1).unwrap_or(&lines[0]);
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    let found = tree(dir).into_iter().filter(|(_, (_, bytes))| holds(bytes));
    found.map(|(name, _)| name).collect()
}

/// The names that differ between two trees, or are in one of them.
pub fn differences(one: &BTreeMap<String, (u32, Vec<u8>)>, other: &BTreeMap<String, (u32, Vec<u8>)>) -> Vec<String> {
    let names = one.keys().chain(other.keys());
    let mut all: Vec<String> = names.filter(|name| one.get(*name) != other.get(*name)).cloned().collect();
    all.sort();
    all.dedup();
    let said = |name: String| {
        let of = |files: &BTreeMap<String, (u32, Vec<u8>)>| {
            files.get(&name).map(|(mode, bytes)| format!("{mode:o} {}", bytes.len()))
        };
        format!("{name} {:?} {:?}", of(one), of(other))
    };
    all.into_iter().map(said).collect()
}

/// How many PEM blocks a file has.
pub fn blocks(text: &str) -> usize {
    text.matches("-----BEGIN ").count()
}

/// One node's own tree, with a key of an algorithm that takes no time.
pub fn single() -> String {
    super::harness::single("encryptionAlgorithm: ECDSA-P256\n")
}

/// The generation that a command made last.
pub fn generation(place: &Place, dir: &str, verb: &str) -> String {
    let all = fs::read_dir(place.path(dir).join(".kpki/generations")).unwrap();
    let mut names: Vec<String> = all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(verb));
    names.sort();
    names.pop().unwrap()
}

#[test]
fn a_key_is_found_where_it_is() {
    let story = Story::new(&single());
    assert_eq!(story.holders("none/pki/ca.key", "none"), ["pki/ca.key"]);
    let _ = NOW;
}
