//! Real kubeadm's trees against ours: the same facts but for the listed differences, in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kpki::catalog::differences::DIFFERENCES;

use super::facts::{self, Certificate, File, Kubeconfig};
use super::harness::{Place, copy_tree, repository, text, tree};

type Tree = BTreeMap<String, (u32, File)>;

/// Folders with a full tree, and whether the authorities were there before (a second control-plane node).
const FOLDERS: &[(&str, bool)] = &[
    ("v1.20-rsa2048", false),
    ("v1.36-default-rsa2048", false),
    ("v1.36-dualstack-p384", false),
    ("v1.36-expired", false),
    ("v1.36-external-etcd-rsa3072", false),
    ("v1.36-ha-ecdsa-cp1", false),
    ("v1.36-ha-ecdsa-cp2", true),
];

/// What only old releases did, and no configuration of ours asks for: noticed, not reproduced.
const OLD: &[&str] = &["old-basic-constraints", "old-ca-san", "old-not-before", "old-user-extra", "old-serial-zero"];

/// Critical, as everywhere from 1.21 on.
const BASIC_CONSTRAINTS: &str = "2.5.29.19!";

/// Files that the shared part of a joining node brings along.
const SHARED: &[&str] =
    &["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub", "etcd/ca.crt", "etcd/ca.key"];

#[test]
fn every_tree_equals_kubeadms_but_for_the_listed_differences() {
    let mut found = BTreeSet::new();
    for (folder, joined) in FOLDERS {
        let base = repository("fixtures/kubeadm").join(folder);
        let place = Place::new();
        let target = place.path("k8s");
        if *joined {
            for file in SHARED {
                place.write(&format!("k8s/pki/{file}"), fs::read(base.join("etc-kubernetes/pki").join(file)).unwrap());
            }
        }
        let config = text(&format!("fixtures/kubeadm/{folder}/kubeadm.yaml"));
        place.init(&["--config", &config, "--dir", target.to_str().unwrap()]).status(0);

        let kubeadms = facts::read(&base.join("etc-kubernetes"));
        let mut ours = facts::read(&target);
        if *joined {
            // kubeadm join writes no super-admin.conf; this configuration is one for init.
            ours.remove("super-admin.conf");
        } else {
            self_consistent(folder, &ours, true);
        }
        self_consistent(folder, &kubeadms, false);
        found.extend(compare(folder, &kubeadms, &ours, *joined));
        modes(folder, &ours, *joined);
    }
    let listed: BTreeSet<&str> = DIFFERENCES.iter().map(|d| d.id).chain(OLD.iter().copied()).collect();
    let unlisted: Vec<_> = found.iter().filter(|id| !listed.contains(id.as_str())).collect();
    assert!(unlisted.is_empty(), "not in the list of differences: {unlisted:?}");
    // These show only where a profile asks for them; tests of their own hold them (init.rs, existing.rs).
    let elsewhere = ["leaf-within-ca", "whole-ca-bundle", "signer-file", "one-algorithm"];
    let missing: Vec<_> = listed.iter().filter(|id| !found.contains(**id) && !elsewhere.contains(id)).collect();
    assert!(missing.is_empty(), "listed, but kubeadm's trees do not show it: {missing:?}");
}

/// Directories 0755, keys, sa.pub and kubeconfigs 0600, certificates 0644 (the fixtures' README: git keeps no 0600).
fn modes(folder: &str, ours: &Tree, joined: bool) {
    for (name, (mode, _)) in ours {
        let secret = [".key", ".pub", ".conf"].iter().any(|end| name.ends_with(end));
        if joined && SHARED.iter().any(|file| name == &format!("pki/{file}")) {
            continue;
        }
        assert_eq!(*mode, if secret { 0o600 } else { 0o644 }, "{folder}: {name}");
    }
}

fn compare(folder: &str, kubeadms: &Tree, ours: &Tree, joined: bool) -> BTreeSet<String> {
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(kubeadms), names(ours), "{folder}: files");
    let mut found = BTreeSet::new();
    for (name, (_, theirs)) in kubeadms {
        let place = format!("{folder}: {name}");
        let old = folder.starts_with("v1.20");
        let existing = joined && SHARED.iter().any(|file| name == &format!("pki/{file}"));
        match (theirs, &ours[name].1) {
            (File::Certificates(a), File::Certificates(b)) if existing => assert_eq!(a, b, "{place}"),
            (File::Certificates(a), File::Certificates(b)) => {
                assert_eq!((a.len(), b.len()), (1, 1), "{place}");
                certificate(&place, &a[0], &b[0], old, false, &mut found);
            }
            (File::Key(..), File::Key(..)) => assert_eq!(theirs, &ours[name].1, "{place}"),
            (File::Kubeconfig(a), File::Kubeconfig(b)) => kubeconfig(&place, a, b, old, &mut found),
            other => panic!("{place}: {other:?}"),
        }
    }
    found
}

fn certificate(place: &str, a: &Certificate, b: &Certificate, old: bool, conf: bool, found: &mut BTreeSet<String>) {
    let mut id = |id: &str| {
        found.insert(id.to_owned());
    };
    assert_eq!((&a.subject, &a.issuer), (&b.subject, &b.issuer), "{place}: names");
    assert_eq!((&a.key, &a.signature), (&b.key, &b.signature), "{place}: key and signature");
    assert_eq!((a.is_ca, a.path_len), (b.is_ca, b.path_len), "{place}: basic constraints");
    assert_eq!(a.extended_key_usages, b.extended_key_usages, "{place}: extended key usages");

    if a.sans != b.sans {
        assert!(old && a.is_ca && a.sans.is_empty() && b.sans.len() == 1, "{place}: {:?} {:?}", a.sans, b.sans);
        id("old-ca-san");
    }
    let mut usage = a.key_usage.clone();
    if a.is_ca && !usage.contains("cRLSign") && b.key_usage.contains("cRLSign") {
        usage.insert("cRLSign");
        id("crl-sign");
    }
    if a.key.starts_with("EC") && usage.contains("keyEncipherment") && !b.key_usage.contains("keyEncipherment") {
        usage.remove("keyEncipherment");
        id("ec-key-encipherment");
    }
    assert_eq!(usage, b.key_usage, "{place}: key usage");

    let mut extensions = a.extensions.clone();
    if old && !a.is_ca && !extensions.contains(&BASIC_CONSTRAINTS.to_owned()) {
        let at = extensions.iter().position(|oid| oid == "2.5.29.35").unwrap_or(extensions.len());
        extensions.insert(at, BASIC_CONSTRAINTS.to_owned());
        id("old-basic-constraints");
    }
    if a.subject_key_id.is_none() && b.subject_key_id.is_some() {
        assert!(!a.is_ca, "{place}");
        // Before the authority key identifier, as on CAs after basicConstraints.
        let at = extensions.iter().position(|oid| oid == "2.5.29.35").unwrap_or(extensions.len());
        extensions.insert(at, "2.5.29.14".to_owned());
        id("leaf-ski");
    }
    if old && a.is_ca && !extensions.contains(&"2.5.29.17".to_owned()) {
        extensions.push("2.5.29.17".to_owned());
    }
    assert_eq!(extensions, b.extensions, "{place}: extensions");

    assert!(a.serial_bits <= 63 && (64..=127).contains(&b.serial_bits), "{place}: {} {}", a.serial_bits, b.serial_bits);
    assert!(!b.negative_serial, "{place}");
    id(if a.serial_bits == 0 { "old-serial-zero" } else { "serial" });

    let lifetime = |c: &Certificate| c.not_after - c.not_before;
    if lifetime(a) != lifetime(b) {
        match (old, conf) {
            // No back-dating before 1.31: five minutes less, and a second for the time between CA and leaf.
            (true, _) => {
                assert!((295..=300).contains(&(lifetime(b) - lifetime(a))), "{place}: {} {}", lifetime(a), lifetime(b));
                id("old-not-before");
            }
            // kubeadm counts from the CA's notBefore, a few seconds earlier.
            (false, true) => {
                assert!((0..60).contains(&(lifetime(a) - lifetime(b))), "{place}: {} {}", lifetime(a), lifetime(b));
                id("kubeconfig-not-before");
            }
            (false, false) => panic!("{place}: lifetime {} {}", lifetime(a), lifetime(b)),
        }
    }
}

fn kubeconfig(place: &str, a: &Kubeconfig, b: &Kubeconfig, old: bool, found: &mut BTreeSet<String>) {
    let mut shape = a.shape.clone();
    if old && shape.contains("    as-user-extra: null\n") {
        shape = shape.replace("    as-user-extra: null\n", "");
        found.insert("old-user-extra".to_owned());
    }
    assert_eq!(shape, b.shape, "{place}: shape");
    assert_eq!(a.key, b.key, "{place}: key");
    assert_eq!((a.authority.len(), b.authority.len(), a.client.len(), b.client.len()), (1, 1, 1, 1), "{place}");
    certificate(place, &a.client[0], &b.client[0], old, true, found);
}

/// Assertions that hold for any tree, kubeadm's or ours: who signed whom, by name and key identifier.
fn self_consistent(folder: &str, tree: &Tree, ours: bool) {
    let first = |name: &str| match tree.get(name) {
        Some((_, File::Certificates(list))) => list.first().cloned(),
        _ => None,
    };
    for (name, (_, file)) in tree {
        let (leaf, ca) = match file {
            File::Certificates(list) if !list[0].is_ca => {
                let ca = match name.as_str() {
                    n if n.starts_with("pki/etcd/") || n.contains("etcd-client") => "pki/etcd/ca.crt",
                    n if n.contains("front-proxy") => "pki/front-proxy-ca.crt",
                    _ => "pki/ca.crt",
                };
                (list[0].clone(), ca)
            }
            File::Kubeconfig(conf) => {
                assert_eq!(conf.authority.first(), first("pki/ca.crt").as_ref(), "{folder}: {name}");
                (conf.client[0].clone(), "pki/ca.crt")
            }
            _ => continue,
        };
        let ca = first(ca).unwrap();
        assert_eq!(leaf.issuer, ca.subject, "{folder}: {name}");
        assert_eq!(leaf.authority_key_id, ca.subject_key_id, "{folder}: {name}");
        if ours {
            assert!(leaf.extensions.contains(&BASIC_CONSTRAINTS.to_owned()), "{folder}: {name}");
            assert!(leaf.not_after <= ca.not_after && leaf.not_before >= ca.not_before, "{folder}: {name}");
        }
    }
}

/// kubeadm's own tree fits its own configuration: `init` over it keeps every file, byte for byte.
#[test]
fn a_tree_made_by_kubeadm_is_kept_as_it_is() {
    for (folder, joined) in FOLDERS.iter().filter(|(folder, _)| *folder != "v1.36-expired") {
        let place = Place::new();
        copy_tree(&repository("fixtures/kubeadm").join(folder).join("etc-kubernetes"), &place.path("k8s"));
        let before = tree(&place.path("k8s"));
        let config = text(&format!("fixtures/kubeadm/{folder}/kubeadm.yaml"));
        let run = place.init(&["--config", &config, "--dir", "k8s"]).ok();
        let after = tree(&place.path("k8s"));
        for (name, content) in &before {
            assert_eq!(after.get(name), Some(content), "{folder}: {name}");
        }
        if *joined {
            assert!(run.stdout.starts_with("created 1, replaced 0, kept 15"), "{}", run.stdout);
        } else {
            assert!(run.stdout.starts_with("nothing to do"), "{folder}: {}", run.stdout);
        }
    }
}

/// An expired tree is refused, entry by entry, and nothing is written.
#[test]
fn an_expired_tree_is_refused_with_every_entry_named() {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm/v1.36-expired/etc-kubernetes"), &place.path("k8s"));
    let before = tree(&place.path("k8s"));
    let config = text("fixtures/kubeadm/v1.36-expired/kubeadm.yaml");
    let run = place.init(&["--config", &config, "--dir", "k8s"]).fails(1);
    assert_eq!(before, tree(&place.path("k8s")));
    for name in ["apiserver", "etcd-peer", "front-proxy-client", "admin.conf", "scheduler.conf"] {
        assert!(run.stderr.contains(&format!("caused by: {name} (")), "{name}: {}", run.stderr);
    }
    assert!(run.stderr.contains("expired at 2026-11-20T21:06:30Z"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: re-issue what does not fit with --force"), "{}", run.stderr);
}
