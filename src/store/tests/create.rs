use std::os::unix::fs::{MetadataExt as _, symlink};

use super::super::{check_writable, recover};
use super::*;
use crate::files::{FileError, Kind};

#[test]
fn a_tree_appears_whole_with_its_modes() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = Roots::alone(tmp.path().join("a/b/tree"));
    put(&roots, "one", false).unwrap();
    assert!(!is_merged(&roots));
    assert_whole(tmp.path(), &roots, "one");
    let found = snapshot(tmp.path());
    for (dir, mode) in [("a", 0o755), ("a/b", 0o755), ("a/b/tree", 0o755), ("a/b/tree/pki/etcd", 0o755)] {
        assert_eq!(found[dir].0, mode, "{dir}");
    }
    assert_eq!(found["a/b/tree/.kpki"].0, 0o700);
}

#[test]
fn an_empty_directory_is_replaced_and_keeps_its_mode() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    std::fs::create_dir(&roots.main).unwrap();
    chmod(&roots.main, 0o2750);
    let before = roots.main.metadata().unwrap().ino();
    put(&roots, "one", false).unwrap();
    assert!(!is_merged(&roots));
    assert_ne!(roots.main.metadata().unwrap().ino(), before);
    assert_eq!(snapshot(tmp.path())["tree"].0, 0o2750);
    assert_whole(tmp.path(), &roots, "one");
}

#[test]
fn a_symlink_a_person_named_stays_and_one_to_nothing_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    symlink("real", &roots.main).unwrap();
    for error in [put(&roots, "one", false).unwrap_err(), check_writable(&roots, &[]).unwrap_err()] {
        assert!(matches!(&error, StoreError::File(FileError { kind: Kind::SymlinkInTheWay, .. })), "{error}");
    }
    std::fs::create_dir(tmp.path().join("real")).unwrap();
    put(&roots, "one", false).unwrap();
    assert!(!is_merged(&roots));
    assert!(roots.main.symlink_metadata().unwrap().is_symlink());
    assert_whole(tmp.path(), &roots, "one");
}

#[test]
fn a_refusal_leaves_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    write(&tmp.path().join("file"), "x");
    let before = snapshot(tmp.path());
    let below_a_file = Roots::alone(tmp.path().join("file/tree"));
    assert!(matches!(put(&below_a_file, "one", false), Err(StoreError::File(_))));
    assert!(matches!(check_writable(&below_a_file, &[]), Err(StoreError::File(_))));
    let itself = Roots::alone(tmp.path().join("file"));
    assert!(matches!(put(&itself, "one", false), Err(StoreError::File(_))));
    // A name no file system takes: the failure comes in the middle of staging, below parents this run made.
    let roots = Roots::alone(tmp.path().join("a/b/tree"));
    let mut all = changes(&roots, "one", false);
    all.push(change(RootId::Main, &format!("pki/{}", "n".repeat(300)), 0o600, "x", false));
    assert!(matches!(publish(&commit(&roots, all)), Err(StoreError::File(_))));
    assert_eq!(snapshot(tmp.path()), before);
}

#[test]
fn paths_that_cannot_be_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let try_with = |more: FileChange| {
        let mut all = changes(&roots, "one", false);
        all.push(more);
        publish(&commit(&roots, all)).unwrap_err()
    };
    let file = |root, path| change(root, path, 0o600, "x", false);
    assert!(matches!(try_with(file(RootId::Main, "admin.conf")), StoreError::Conflict(_)));
    assert!(matches!(try_with(file(RootId::Main, "admin.conf/x")), StoreError::Conflict(_)));
    assert!(matches!(try_with(file(RootId::Main, "pki")), StoreError::Conflict(_)));
    assert!(matches!(try_with(file(RootId::Main, ".kpki/x")), StoreError::Reserved(_)));
    assert!(matches!(try_with(file(RootId::State, "staging/x")), StoreError::Reserved(_)));
    assert!(matches!(try_with(file(RootId::Kubelet, "x")), StoreError::NoRoot(_)));
    for generation in ["a/b", "..", ""] {
        let bad = Commit { generation, ..commit(&roots, Vec::new()) };
        assert!(matches!(publish(&bad), Err(StoreError::BadPath(_))), "{generation:?}");
    }
    assert!(snapshot(tmp.path()).len() == 1);
}

#[test]
fn hundreds_of_files_go_the_parallel_way() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let many = |tag: &str, replace| -> Vec<FileChange> {
        (0..600).map(|n| change(RootId::Main, &format!("users/{}/{n}.key", n % 50), 0o600, tag, replace)).collect()
    };
    publish(&commit(&roots, many("one", false))).unwrap();
    let receipt = publish(&commit(&roots, many("two", true))).unwrap();
    let found = snapshot(&roots.main);
    assert_eq!(found.values().filter(|(_, text)| text.as_deref() == Some("two")).count(), 600);
    assert_eq!(found.values().filter(|(_, text)| text.as_deref() == Some("one")).count(), 600);
    assert_eq!(receipt.kept.unwrap(), roots.main.join(".kpki/generations/gen"));
    assert_clean(tmp.path());
}

#[test]
fn a_trial_writes_nothing_and_says_what_publishing_would() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    let wanted = |replace| -> Vec<_> {
        changes(&roots, "x", replace).into_iter().map(|c| (c.root, c.path, c.replace)).collect()
    };
    assert_eq!(check_writable(&roots, &wanted(false)), Ok(()));
    assert_eq!(recover(&roots, Duration::ZERO), Ok(Recovery::Nothing));
    assert_eq!(snapshot(tmp.path()).len(), 1);
    put(&roots, "one", false).unwrap();
    let before = snapshot(tmp.path());
    match check_writable(&roots, &wanted(false)).unwrap_err() {
        StoreError::Exist(paths) => assert_eq!(paths.len(), 8),
        other => panic!("{other}"),
    }
    assert_eq!(check_writable(&roots, &wanted(true)), Ok(()));
    assert_eq!(snapshot(tmp.path()), before);
}
