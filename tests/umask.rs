//! The modes of published files do not depend on the umask. It belongs to the whole process, so this test has a process of
//! its own.

#![allow(clippy::unwrap_used)] // a test, its helper too

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use kpki::files::RelPath;
use kpki::store::{Commit, FileChange, Locking, RootId, Roots, publish};
use rustix::fs::Mode;

fn change(root: RootId, path: &str, mode: u32, replace: bool) -> FileChange {
    FileChange { root, path: RelPath::parse(path).unwrap(), mode, bytes: b"x".to_vec().into(), replace }
}

#[test]
fn modes_are_exact_whatever_the_umask() {
    let tmp = tempfile::tempdir().unwrap();
    for umask in [0o000, 0o022, 0o077, 0o777] {
        let kubelet = Some(tmp.path().join(format!("{umask:o}/kubelet")));
        let roots = Roots { kubelet, ..Roots::alone(tmp.path().join(format!("{umask:o}/tree"))) };
        let before = rustix::process::umask(Mode::from_raw_mode(umask));
        for (tag, kubelet) in [("create", false), ("merge", true), ("again", true)] {
            let mut changes = vec![
                change(RootId::Main, "pki/ca.key", 0o600, true),
                change(RootId::Main, "pki/ca.crt", 0o644, true),
                change(RootId::State, "profile.yaml", 0o600, true),
            ];
            if kubelet {
                changes.push(change(RootId::Kubelet, "sub/k.key", 0o600, true));
                changes.push(change(RootId::Kubelet, "sub/k.crt", 0o644, true));
            }
            publish(&Commit {
                roots: &roots,
                changes,
                dir_mode: 0o755,
                generation: tag,
                locking: Locking::Wait(Duration::ZERO),
                removals: Vec::new(),
                outer: Vec::new(),
                journal: vec!["{}".to_owned()],
                note: Some("{}".to_owned()),
                keep_generations: None,
                pinned: Vec::new(),
                erasures: Vec::new(),
                forgets: false,
            })
            .unwrap();
        }
        rustix::process::umask(before);
        for (path, mode) in [
            ("", 0o755),
            ("tree", 0o755),
            ("tree/pki", 0o755),
            ("tree/pki/ca.key", 0o600),
            ("tree/pki/ca.crt", 0o644),
            ("tree/.kpki", 0o700),
            ("tree/.kpki/lock", 0o600),
            ("tree/.kpki/profile.yaml", 0o600),
            ("tree/.kpki/generations", 0o700),
            ("tree/.kpki/generations/again/main/pki/ca.key", 0o600),
            ("kubelet", 0o755),
            ("kubelet/sub", 0o755),
            ("kubelet/sub/k.key", 0o600),
            ("kubelet/sub/k.crt", 0o644),
        ] {
            let found = tmp.path().join(format!("{umask:o}")).join(path).metadata().unwrap();
            assert_eq!(found.permissions().mode() & 0o7777, mode, "umask {umask:03o}: {path}");
        }
    }
}
