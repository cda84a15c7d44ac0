#![allow(clippy::disallowed_methods)] // a test lays out its files by hand

use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

const JANE: u32 = 1000;
const NOBODY: u32 = 65534;

#[test]
fn only_what_nobody_else_could_have_written_is_trusted() {
    for (uid, gid, mode, entry, us, flaw) in [
        // Files, and directories as such: owner and mode.
        (0, 0, 0o700, None, 0, None),
        (0, 0, 0o755, None, JANE, None),
        (JANE, JANE, 0o640, None, JANE, None),
        (JANE, JANE, 0o700, None, 0, Some((true, 0))),
        (NOBODY, NOBODY, 0o700, None, JANE, Some((true, 0))),
        (0, 0, 0o777, None, 0, Some((false, 0o022))),
        (0, 0, 0o770, None, 0, Some((false, 0o020))),
        (0, JANE, 0o770, None, JANE, Some((false, 0o020))),
        (JANE, JANE, 0o702, None, JANE, Some((false, 0o002))),
        (0, 0, 0o1777, None, 0, Some((false, 0o022))),
        (NOBODY, 0, 0o666, None, 0, Some((true, 0o022))),
        // A user's private group is the user; another group is not, and root has none.
        (JANE, JANE, 0o775, None, JANE, None),
        (JANE, JANE, 0o777, None, JANE, Some((false, 0o002))),
        (JANE, 100, 0o775, None, JANE, Some((false, 0o020))),
        // A sticky directory protects what is ours, and nothing else.
        (0, 0, 0o1777, Some(0), JANE, None),
        (0, 0, 0o1777, Some(JANE), JANE, None),
        (0, 0, 0o1777, Some(NOBODY), 0, Some((false, 0o022))),
        (0, 0, 0o777, Some(0), 0, Some((false, 0o022))),
        (NOBODY, 0, 0o1777, Some(0), 0, Some((true, 0))),
        (NOBODY, 0, 0o755, Some(0), 0, Some((true, 0))),
    ] {
        let flaw = flaw.map_or(Ok(()), |(owner, write)| Err(Flaw { owner, write }));
        assert_eq!(judge(Access { uid, gid, mode }, entry, us), flaw, "{uid}:{gid} {mode:o} {entry:?} as {us}");
    }
}

#[test]
fn every_directory_on_the_way_is_judged() {
    let tmp = tempfile::tempdir().unwrap();
    let at = |name: &str| tmp.path().join(name);
    for dir in ["closed/in", "open/in", "sticky/in"] {
        fs::create_dir_all(at(dir)).unwrap();
        fs::write(at(dir).join("f"), "").unwrap();
        fs::set_permissions(at(dir).join("f"), fs::Permissions::from_mode(0o644)).unwrap();
    }
    for (dir, mode) in [("open", 0o777), ("sticky", 0o1777), ("closed", 0o755)] {
        fs::set_permissions(at(dir), fs::Permissions::from_mode(mode)).unwrap();
        fs::set_permissions(at(dir).join("in"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("../open/in/f", at("closed/out")).unwrap();
    symlink(at("closed/in/f"), at("open/into")).unwrap();
    symlink("../closed/in/../in/f", at("sticky/into")).unwrap();
    symlink("nowhere", at("closed/dangling")).unwrap();
    for (name, expected) in [
        ("closed/in/f", Ok(true)),
        ("closed/in", Ok(true)),
        ("closed/absent/f", Ok(false)),
        ("closed/dangling", Ok(false)),
        ("closed/in/f/below", Ok(false)),
        ("open/in/f", Err("open")),
        // Nothing is looked up in it by name.
        ("open/../closed/in/f", Ok(true)),
        ("open/absent", Err("open")),
        // Where a link leads, and where it is.
        ("closed/out", Err("open")),
        ("open/into", Err("open")),
        ("sticky/into", Ok(true)),
        ("sticky/in/f", Ok(true)),
        ("sticky/absent", Ok(false)),
        ("sticky", Err("sticky")),
    ] {
        let found = match trusted(&at(name)) {
            Ok(found) => Ok(found),
            Err(TrustError::Untrusted(why)) => Err(why.path.clone()),
            Err(other) => panic!("{name}: {other}"),
        };
        let real = fs::canonicalize(tmp.path()).unwrap();
        assert_eq!(found, expected.map_err(|path| real.join(path)), "{name}");
    }
    symlink("loop", at("loop")).unwrap();
    assert!(matches!(trusted(&at("loop")), Err(TrustError::File(_))));
}

#[test]
fn the_commands_that_mend_it_are_said() {
    let untrusted = |named: &str, path: &str, us, flaw| Untrusted {
        named: named.into(),
        path: path.into(),
        owner: NOBODY,
        mode: 0o666,
        us,
        flaw,
    };
    let both = Flaw { owner: true, write: 0o022 };
    let file = untrusted("/a b", "/a b", 0, both);
    assert_eq!(file.hints(), ["check its contents, then mend it: chown root '/a b'; chmod go-w '/a b'"]);
    assert!(file.to_string().starts_with("/a b is not trusted: expected this user or root"), "{file}");
    let above = untrusted("/x/f", "/x", JANE, Flaw { owner: true, write: 0 });
    assert!(above.to_string().starts_with("/x/f is not trusted: because of /x: expected"), "{above}");
    assert_eq!(
        above.hints(),
        [
            "check its contents, then mend it: chown 1000 /x",
            "or move /x/f to a directory that nobody else can write to",
            "or run kpki as its owner, user 65534"
        ]
    );
    let state = untrusted("/k/.kpki", "/k/.kpki", 0, both);
    assert_eq!(state.remedy(), "chown -R root /k/.kpki; chmod -R go-w /k/.kpki");
    for (write, whose) in [(0o020, "g"), (0o002, "o")] {
        assert_eq!(untrusted("/f", "/f", 0, Flaw { owner: false, write }).remedy(), format!("chmod {whose}-w /f"));
    }
}
