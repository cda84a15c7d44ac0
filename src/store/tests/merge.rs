use std::os::unix::fs::{MetadataExt as _, symlink};

use rustix::fs::{FileType, Mode};

use super::super::step::Step;
use super::super::transaction::publish_watched;
use super::super::{check_writable, interrupted};
use super::crash::stop_at;
use super::*;
use crate::files::{FileError, Kind, What};

#[test]
fn files_join_a_tree_that_exists() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    write(&roots.main.join("pki/own.txt"), "mine");
    let receipt = put(&roots, "one", false).unwrap();
    assert_eq!(receipt, Receipt { kept: None, generation: None });
    assert!(is_merged(&roots));
    assert_whole(tmp.path(), &roots, "one");
    assert_eq!(snapshot(tmp.path())["tree/pki/own.txt"].1.as_deref(), Some("mine"));
    assert_eq!(snapshot(tmp.path())["kubelet/pki/sub"].0, 0o755);
}

#[test]
fn replaced_files_are_kept_with_mode_and_the_tree_keeps_its_directories() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    put(&roots, "one", false).unwrap();
    let inode = roots.main.join("pki").metadata().unwrap().ino();
    for (tag, generation) in [("two", "gen"), ("three", "gen.2")] {
        let receipt = put(&roots, tag, true).unwrap();
        assert_eq!(receipt.kept.unwrap(), roots.main.join(".kpki/generations").join(generation));
        assert_whole(tmp.path(), &roots, tag);
    }
    assert_eq!(roots.main.join("pki").metadata().unwrap().ino(), inode);
    let found = snapshot(&roots.main.join(".kpki/generations"));
    for (path, mode, text) in [
        ("gen/main/pki/ca.key", 0o600, "one"),
        ("gen/main/pki/ca.crt", 0o644, "one"),
        ("gen/kubelet/sub/kubelet.crt", 0o644, "one"),
        ("gen.2/main/pki/etcd/ca.key", 0o600, "two"),
    ] {
        assert_eq!(found[path], (mode, Some(text.to_owned())), "{path}");
    }
    assert_eq!(found["gen/main/pki"].0, 0o700);
    assert!(!found.keys().any(|path| path.contains("profile.yaml")));
}

#[test]
fn a_replaced_file_keeps_its_mode_but_a_key_is_never_opened() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    put(&roots, "one", false).unwrap();
    chmod(&roots.main.join("pki/ca.crt"), 0o640);
    chmod(&roots.main.join("pki/ca.key"), 0o644);
    chmod(&roots.main.join("admin.conf"), 0o400);
    put(&roots, "two", true).unwrap();
    let found = snapshot(&roots.main);
    assert_eq!(found["pki/ca.crt"], (0o640, Some("two".to_owned())));
    assert_eq!(found["pki/ca.key"], (0o600, Some("two".to_owned())));
    assert_eq!(found["admin.conf"], (0o400, Some("two".to_owned())));
}

#[test]
fn a_replaced_file_keeps_its_owner() {
    if !rustix::process::geteuid().is_root() {
        return; // only root can give files away
    }
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    put(&roots, "one", false).unwrap();
    let path = roots.main.join("pki/etcd/ca.key");
    std::os::unix::fs::chown(&path, Some(1234), Some(4321)).unwrap();
    put(&roots, "two", true).unwrap();
    let meta = path.metadata().unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (1234, 4321, 0o600));
}

#[test]
fn every_file_in_the_way_is_named_and_nothing_is_changed() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    write(&roots.main.join("pki/ca.crt"), "old");
    write(&roots.main.join("admin.conf"), "old");
    chmod(&roots.main.join("admin.conf"), 0o600);
    let before = snapshot(tmp.path());
    match put(&roots, "one", false).unwrap_err() {
        StoreError::Exist(paths) => {
            assert_eq!(paths, [roots.main.join("pki/ca.crt"), roots.main.join("admin.conf")]);
        }
        other => panic!("{other}"),
    }
    assert_eq!(snapshot(tmp.path()), before);
    assert!(!roots.main.join(".kpki").exists());
}

#[test]
fn symlinks_and_other_things_in_the_way_are_refused_at_every_level() {
    let outside = tempfile::tempdir().unwrap();
    write(&outside.path().join("etcd/ca.key"), "theirs");
    let elsewhere = snapshot(outside.path());
    for (name, target) in [
        ("pki", "."),
        ("pki/etcd", "etcd"),
        ("pki/etcd/ca.key", "etcd/ca.key"),
        ("pki/etcd/ca.key", "nothing"),
        (".kpki", "."),
    ] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = main_only(tmp.path());
        write(&roots.main.join("own"), "x");
        let link = roots.main.join(name);
        std::fs::DirBuilder::new().recursive(true).create(link.parent().unwrap()).unwrap();
        symlink(outside.path().join(target), &link).unwrap();
        let before = snapshot(tmp.path());
        let wanted: Vec<_> = changes(&roots, "", true).into_iter().map(|c| (c.root, c.path, c.replace)).collect();
        for error in [put(&roots, "one", true).unwrap_err(), check_writable(&roots, &wanted).unwrap_err()] {
            match error {
                StoreError::File(FileError { kind: Kind::SymlinkInTheWay, path, .. }) => assert_eq!(path, link),
                other => panic!("{name}: {other}"),
            }
        }
        assert_eq!(snapshot(tmp.path()), before, "{name}");
        assert_eq!(snapshot(outside.path()), elsewhere, "{name}");
    }
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    std::fs::DirBuilder::new().recursive(true).create(roots.main.join("pki/ca.key")).unwrap();
    let error = put(&roots, "one", true).unwrap_err();
    assert!(matches!(&error, StoreError::File(FileError { kind: Kind::NotAFile(What::Directory), .. })), "{error}");
    std::fs::remove_dir(roots.main.join("pki/ca.key")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, roots.main.join("pki/ca.key"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let error = put(&roots, "one", true).unwrap_err();
    assert!(matches!(&error, StoreError::File(FileError { kind: Kind::NotAFile(What::Fifo), .. })), "{error}");
}

#[test]
fn the_lock_is_waited_for_and_its_holder_named() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    put(&roots, "one", false).unwrap();
    let held = hold(&roots);
    let now = Commit { locking: Locking::Wait(Duration::ZERO), ..commit(&roots, changes(&roots, "two", true)) };
    match publish(&now).unwrap_err() {
        StoreError::Locked { holder, path } => {
            assert_eq!((holder, path), (Some(std::process::id()), roots.main.join(".kpki/lock")));
        }
        other => panic!("{other}"),
    }
    let with = Commit { locking: Locking::Held(&held), ..commit(&roots, changes(&roots, "two", true)) };
    publish(&with).unwrap();
    drop(held);
    put(&roots, "three", true).unwrap();
    assert_whole(tmp.path(), &roots, "three");
}

#[test]
fn a_lock_that_recovers_shows_a_whole_tree_and_does_not_outlive_an_exec() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    write(&roots.main.join("own"), "x");
    let before = snapshot(tmp.path());
    let (held, recovery) = TreeLock::acquire_and_recover(&roots, Duration::ZERO).unwrap();
    assert_eq!(recovery, Recovery::Nothing);
    for fd in held.descriptors() {
        assert!(rustix::io::fcntl_getfd(fd).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    }
    drop(held);
    assert_eq!(snapshot(tmp.path()), before);
    assert!(!interrupted(&roots).unwrap());

    put(&roots, "one", true).unwrap();
    let watch = stop_at(Step::Placed(1));
    publish_watched(&full(&roots, "two"), &watch).unwrap_err();
    assert!(interrupted(&roots).unwrap());
    let (held, recovery) = TreeLock::acquire_and_recover(&roots, Duration::ZERO).unwrap();
    assert!(matches!(recovery, Recovery::Finished { .. }));
    assert_whole(tmp.path(), &roots, "two");
    assert!(matches!(
        TreeLock::acquire_and_recover(&roots, Duration::ZERO),
        Err(StoreError::Locked { holder: Some(_), .. })
    ));
    let with = Commit { locking: Locking::Held(&held), ..full(&roots, "three") };
    publish(&with).unwrap();
    drop(held);
    assert_whole(tmp.path(), &roots, "three");
}

#[test]
fn a_lock_taken_for_nothing_leaves_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    write(&roots.main.join("own"), "x");
    drop(hold(&roots));
    assert!(!roots.main.join(".kpki").exists());
    let held = hold(&roots);
    publish(&Commit { locking: Locking::Held(&held), ..commit(&roots, changes(&roots, "one", false)) }).unwrap();
    drop(held);
    assert_whole(tmp.path(), &roots, "one");
}

#[test]
fn a_labelled_directory_is_not_swapped() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    std::fs::create_dir(&roots.main).unwrap();
    let set = rustix::fs::setxattr(&roots.main, "user.label", b"x", rustix::fs::XattrFlags::empty());
    if set.is_err() {
        return; // a file system without attributes
    }
    put(&roots, "one", false).unwrap();
    assert!(is_merged(&roots));
    assert_whole(tmp.path(), &roots, "one");
}
