//! The room as a whole: files in, profiles or messages out.
#![allow(clippy::disallowed_methods)] // reads the repository's own files

mod certificates;
mod fields;
mod issuer;
mod kubeadm;
mod next;
mod nodes;
mod round_trip;
mod signing;
mod values;
mod warnings;

use super::*;
use crate::blueprint::{Algorithm, ExtendedKeyUsage, San, Subtree};
use crate::catalog::CaId;
use crate::catalog::releases::Release;
use crate::clock::Span;
use crate::profile::model::Stated;
use std::net::IpAddr;
use std::path::Path;

pub(super) fn load_text(text: &str) -> Result<Loaded, Problems> {
    load(Source { name: "p.yaml", bytes: text.as_bytes() }, &Overrides::default())
}

/// The messages for a text that must be refused, without the file's name.
fn refusals(text: &str) -> Vec<String> {
    let problems = load_text(text).expect_err(text);
    problems.0.iter().map(|p| p.to_string().strip_prefix("p.yaml:").expect("file").to_owned()).collect()
}

/// The warnings for a text that must be taken.
fn warnings(text: &str) -> Vec<String> {
    let loaded = load_text(text).unwrap_or_else(|problems| panic!("{problems}"));
    loaded.warnings.iter().map(|w| w.to_string().strip_prefix("p.yaml:").expect("file").to_owned()).collect()
}

/// What a rendered profile says of itself: it leaves nothing to a default.
const STATED: Stated = Stated { algorithm: true, validity: true, ca_validity: true, version: true };

const HEAD: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\n";
const NODES: &str = "nodes: [{name: cp1, addresses: [10.0.0.11]}]\n";

/// A valid profile with these lines from line 3 on.
fn with(lines: &str) -> String {
    format!("{HEAD}{lines}\n{NODES}")
}

fn with_nodes(lines: &str) -> String {
    format!("{HEAD}{lines}\n")
}

fn assert_refused(text: &str, expected: &[&str]) {
    assert_eq!(refusals(text), expected, "{text}");
}

fn yaml_files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_none_or(|end| end != "md")).collect();
    files.sort();
    files
}

#[test]
fn every_profile_of_the_repository_is_valid_without_a_warning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = yaml_files(&root.join("profiles"));
    assert_eq!(files.len(), 7);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let loaded =
            load(Source { name: &name, bytes: &bytes }, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(loaded.warnings, [], "{name}");
        let again = load_text(&render(&loaded.profile)).unwrap_or_else(|e| panic!("{name}: {e}"));
        for node in &loaded.profile.nodes {
            let back = load_text(&node_document(&loaded.profile, &node.name)).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(back.profile, for_node(&loaded.profile, &node.name), "{name} {}", node.name);
            assert_eq!(back.warnings, [], "{name} {}", node.name);
        }
        assert_eq!(again.profile, Profile { stated: STATED, ..loaded.profile }, "{name}");
    }
    assert!(load_text(starter()).is_ok());
}

#[test]
fn every_fixture_of_kubeadm_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubeadm");
    let mut count = 0;
    for folder in yaml_files(&root).into_iter().filter(|path| path.is_dir()) {
        let bytes = std::fs::read(folder.join("kubeadm.yaml")).unwrap();
        let loaded = load(Source { name: "k", bytes: &bytes }, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((loaded.profile.origin, loaded.warnings.len()), (Origin::Kubeadm, 0), "{}", folder.display());
        let again = load_text(&render(&loaded.profile)).unwrap_or_else(|e| panic!("{e}"));
        let name = loaded.profile.nodes[0].name.clone();
        let back = load_text(&node_document(&loaded.profile, &name)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(back.profile, for_node(&loaded.profile, &name));
        let expected = Profile { origin: Origin::Kpki, stated: STATED, ..loaded.profile };
        assert_eq!(again.profile, expected);
        count += 1;
    }
    assert_eq!(count, 10);
}

#[test]
fn a_kubeadm_fixture_says_what_its_tree_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubeadm");
    let profile = |folder: &str| {
        let bytes = std::fs::read(root.join(folder).join("kubeadm.yaml")).unwrap();
        load(Source { name: "k", bytes: &bytes }, &Overrides::default()).unwrap().profile
    };
    let dual = profile("v1.36-dualstack-p384");
    assert_eq!(dual.cluster_name, "lab");
    assert_eq!(dual.algorithm, Algorithm::EcdsaP384);
    assert_eq!(dual.service_subnets.len(), 2);
    assert_eq!(dual.service_subnets[0].network.to_string(), "fd00:10:96::");
    assert_eq!(dual.control_plane_endpoint.as_ref().and_then(|e| e.port), Some(8443));
    assert_eq!(dual.api_server_sans[0], San::Dns("*.lab.example.com".to_owned()));
    assert_eq!((dual.validity, dual.ca_validity), (Span::hours(2160), Span::hours(26280)));
    assert_eq!(dual.nodes[0].name, "node-a.corp.local");

    let external = profile("v1.36-external-etcd-rsa3072");
    assert!(matches!(&external.etcd, Etcd::External { endpoints, .. } if endpoints == &["https://10.0.0.21:2379"]));
    assert_eq!(external.nodes[0].roles, [NodeRole::ControlPlane]);

    let old = profile("v1.20-rsa2048");
    assert_eq!((old.algorithm, old.kubernetes_version), (Algorithm::Rsa2048, Release::of(20, 2)));
    assert_eq!(old.nodes[0].roles, [NodeRole::ControlPlane, NodeRole::Etcd]);
    assert!(!old.kubelet_serving);
}
