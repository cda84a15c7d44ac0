//! One file at a time.

#![allow(clippy::disallowed_methods)] // the outside world of these tests

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::store::{StoreError, check_file, create_file, replace_file};

fn names(dir: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_made_and_replaced_with_exactly_its_mode_and_nothing_is_left_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kpki.prom");
    for text in ["one\n", "two\n"] {
        replace_file(&path, text.as_bytes(), 0o644).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o644);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(names(dir.path()), ["kpki.prom"]);
}

#[test]
fn a_reader_keeps_what_it_opened_and_a_left_over_temporary_file_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    replace_file(&path, b"old", 0o644).unwrap();
    let mut open = fs::File::open(&path).unwrap();
    let planted = dir.path().join(format!(".a.kpki-{}-0", std::process::id()));
    symlink("/nonexistent/elsewhere", &planted).unwrap();
    replace_file(&path, b"new", 0o644).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut open, &mut text).unwrap();
    assert_eq!((text.as_str(), fs::read_to_string(&path).unwrap().as_str()), ("old", "new"));
    assert!(fs::symlink_metadata(&planted).unwrap().is_symlink());
}

#[test]
fn what_is_no_regular_file_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("target"), "kept").unwrap();
    symlink("target", dir.path().join("link")).unwrap();
    fs::create_dir(dir.path().join("directory")).unwrap();
    for (name, replace) in [("directory", false), ("directory", true), ("new/", false), ("new/", true), ("new/.", true)]
    {
        let path = dir.path().join(name);
        let write = if replace { replace_file } else { create_file };
        assert_eq!(write(&path, b"x", 0o644), Err(StoreError::NoName(path.clone())), "{name}");
        assert_eq!(check_file(&path, replace), Err(StoreError::NoName(path)), "{name}");
    }
    for name in ["link", "absent/file"] {
        let before = names(dir.path());
        assert!(matches!(replace_file(&dir.path().join(name), b"x", 0o644), Err(StoreError::File(_))), "{name}");
        assert!(matches!(check_file(&dir.path().join(name), true), Err(StoreError::File(_))), "{name}");
        assert_eq!(before, names(dir.path()));
    }
    for path in ["/dev/null", "/"] {
        assert!(replace_file(path.as_ref(), b"x", 0o644).is_err(), "{path}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("target")).unwrap(), "kept");
}

#[test]
fn a_new_file_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    create_file(&path, b"one", 0o640).unwrap();
    assert_eq!(create_file(&path, b"two", 0o644), Err(StoreError::Exist(vec![path.clone()])));
    assert_eq!(check_file(&path, false), Err(StoreError::Exist(vec![path.clone()])));
    assert_eq!(check_file(&dir.path().join("b"), false), Ok(()));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    symlink("nowhere", dir.path().join("link")).unwrap();
    assert!(matches!(create_file(&dir.path().join("link"), b"two", 0o644), Err(StoreError::Exist(_))));
    assert_eq!(names(dir.path()), ["a", "link"]);
}
