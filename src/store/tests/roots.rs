//! Directories outside the main one: their own file systems, their own generations, and what two roots may not be.

#![allow(clippy::disallowed_methods)] // the outside world of these tests

use std::os::unix::fs::{MetadataExt as _, symlink};

use super::super::step::Step;
use super::super::transaction::publish_watched;
use super::super::{check_writable, generations, recover};
use super::crash::stop_at;
use super::*;
use crate::files::{FileError, Kind};

/// The version and the roots of the mark that a run leaves which dies right behind it.
fn mark(roots: &Roots) -> (u64, Vec<&'static str>) {
    publish_watched(&full(roots, "two"), &stop_at(Step::Marked)).unwrap_err();
    let text = std::fs::read(roots.main.join(".kpki/commit")).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let has = |name: &&str| value.get(*name).is_some_and(|found| !found.is_null());
    (value["version"].as_u64().unwrap(), ["kubelet", "certificates"].into_iter().filter(has).collect())
}

#[test]
fn only_a_mark_with_certificates_elsewhere_is_one_that_kpki_0_1_0_refuses() {
    for (place, version, outside) in [
        (main_only as fn(&Path) -> Roots, 2, &[][..]),
        (with_kubelet, 2, &["kubelet"]),
        (with_certificates, 4, &["certificates"]),
        (with_three, 4, &["kubelet", "certificates"]),
    ] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = place(tmp.path());
        put(&roots, "one", false).unwrap();
        assert_eq!(mark(&roots), (version, outside.to_vec()));
        recover(&roots, Duration::ZERO).unwrap();
        assert_whole(tmp.path(), &roots, "two");
    }
}

#[test]
fn certificates_may_lie_on_another_file_system() {
    let tmp = tempfile::tempdir().unwrap();
    // Every Linux has it, and it is no part of the disk.
    let other = tempfile::tempdir_in("/dev/shm").unwrap();
    assert_ne!(tmp.path().metadata().unwrap().dev(), other.path().metadata().unwrap().dev());
    let roots = Roots { certificates: Some(other.path().join("pki")), ..with_kubelet(tmp.path()) };
    put(&roots, "one", false).unwrap();
    for step in [Step::Staged, Step::Marked, Step::Placed(9), Step::Synced, Step::Unmarked] {
        publish_watched(&full(&roots, "two"), &stop_at(step)).unwrap_err();
        recover(&roots, Duration::ZERO).unwrap();
        let tag = if step == Step::Staged { "one" } else { "two" };
        assert_whole(tmp.path(), &roots, tag);
        assert_clean(other.path());
    }
    // Kept by a copy: no link leads to another file system.
    let kept = generations(&roots).unwrap();
    assert!(kept[0].kept.contains(&(RootId::Certificates, rel("ca.crt"))), "{kept:?}");
    let before = before(&roots, &kept[0].name).unwrap();
    let file = before.iter().find(|one| one.path == rel("etcd/ca.key")).unwrap();
    assert_eq!((file.root, file.content.as_ref().unwrap().0), (RootId::Certificates, 0o600));
}

#[test]
fn one_directory_is_not_two_roots_by_whatever_name() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_three(tmp.path());
    put(&roots, "one", false).unwrap();
    let before = snapshot(tmp.path());
    let (main, kubelet) = (roots.main.clone(), roots.kubelet.clone().unwrap());
    let alias = tmp.path().join("alias");
    for same in [main.join("."), kubelet.clone(), alias.join("pki")] {
        symlink(kubelet.parent().unwrap(), &alias).unwrap();
        let twice = Roots { certificates: Some(same.clone()), ..roots.clone() };
        assert!(matches!(put(&twice, "two", true).unwrap_err(), StoreError::SameRoot(..)), "{same:?}");
        std::fs::remove_file(&alias).unwrap();
        assert_eq!(snapshot(tmp.path()), before, "{same:?}");
    }
}

#[test]
fn a_symlink_below_certificates_or_in_their_place_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_certificates(tmp.path());
    let (certificates, theirs) = (roots.certificates.clone().unwrap(), tmp.path().join("theirs"));
    write(&theirs.join("ca.key"), "theirs");
    chmod(&theirs.join("ca.key"), 0o600);
    std::fs::create_dir_all(&certificates).unwrap();
    symlink(&theirs, certificates.join("etcd")).unwrap();
    match put(&roots, "one", true).unwrap_err() {
        StoreError::File(FileError { kind: Kind::SymlinkInTheWay, path, .. }) => assert!(path.ends_with("etcd")),
        other => panic!("{other}"),
    }
    assert_eq!(std::fs::read_to_string(theirs.join("ca.key")).unwrap(), "theirs");
    assert!(!roots.main.exists());
    // The profile names it, as it names `pki`; of DIR and of the kubelet's directory a person may have given a symlink.
    std::fs::remove_dir_all(&certificates).unwrap();
    symlink(&theirs, &certificates).unwrap();
    let wanted = [(RootId::Certificates, rel("ca.crt"), false)];
    for error in [put(&roots, "one", true).unwrap_err(), check_writable(&roots, &wanted).unwrap_err()] {
        match error {
            StoreError::File(FileError { kind: Kind::SymlinkInTheWay, path, .. }) => assert_eq!(path, certificates),
            other => panic!("{other}"),
        }
    }
    assert_eq!(snapshot(&theirs).len(), 2);
    std::fs::remove_file(&certificates).unwrap();
    put(&roots, "one", true).unwrap();
    assert_whole(tmp.path(), &roots, "one");
}

#[test]
fn directories_are_made_with_their_mode_and_go_again_after_an_error() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_three(tmp.path());
    let mut bad = full(&roots, "one");
    bad.changes.push(change(RootId::Certificates, &"n".repeat(300), 0o600, "x", true));
    publish(&bad).unwrap_err();
    assert_eq!(snapshot(tmp.path()).len(), 1);
    publish(&full(&roots, "one")).unwrap();
    let found = snapshot(tmp.path());
    for path in ["srv", "srv/pki", "srv/pki/etcd", "kubelet/pki"] {
        assert_eq!(found[path].0, 0o755, "{path}");
    }
}
