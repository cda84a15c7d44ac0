//! Files outside the tree in its transaction.

#![allow(clippy::disallowed_methods)] // the outside world of these tests

use std::cell::RefCell;
use std::path::PathBuf;

use super::super::step::Step;
use super::super::transaction::publish_watched;
use super::super::{OuterFile, journal, recover};
use super::crash::stop_at;
use super::*;

fn outer(path: PathBuf, mode: u32, text: &str, replace: bool) -> OuterFile {
    OuterFile { path, mode, bytes: Zeroizing::new(text.as_bytes().to_vec()), replace }
}

/// A certificate and its key, to two directories, and a line of the journal.
fn signing<'a>(roots: &'a Roots, tmp: &Path) -> Commit<'a> {
    let files = [("out/web.key", 0o600), ("other/web.crt", 0o644)];
    Commit {
        outer: files.map(|(path, mode)| outer(tmp.join(path), mode, path, false)).to_vec(),
        journal: vec!["signed".to_owned()],
        ..commit(roots, Vec::new())
    }
}

fn place(tmp: &Path) -> Roots {
    let roots = main_only(tmp);
    put(&roots, "one", false).unwrap();
    for dir in ["out", "other"] {
        std::fs::create_dir(tmp.join(dir)).unwrap();
    }
    roots
}

fn made(tmp: &Path) -> Vec<String> {
    let all = ["out", "other"].map(|dir| (dir, snapshot(&tmp.join(dir))));
    all.into_iter().flat_map(|(dir, all)| all.into_keys().skip(1).map(move |name| format!("{dir}/{name}"))).collect()
}

fn lines(roots: &Roots) -> usize {
    journal(roots).unwrap().iter().filter(|line| *line == "signed").count()
}

#[test]
fn a_file_and_its_line_are_there_together_wherever_the_run_ends() {
    let steps = RefCell::new(Vec::new());
    let tmp = tempfile::tempdir().unwrap();
    let roots = place(tmp.path());
    publish_watched(&signing(&roots, tmp.path()), &|step| {
        steps.borrow_mut().push(step);
        // Who sees a file finds its line in the journal.
        assert!(made(tmp.path()).iter().all(|name| name.contains(".kpki-")) || lines(&roots) == 1, "{step:?}");
        Ok(())
    })
    .unwrap();
    let whole = |tmp: &Path, roots: &Roots| {
        assert_eq!((made(tmp), lines(roots)), (vec!["out/web.key".to_owned(), "other/web.crt".to_owned()], 1));
        assert_eq!(snapshot(&tmp.join("out"))["web.key"], (0o600, Some("out/web.key".to_owned())));
        assert_eq!(snapshot(&tmp.join("other"))["web.crt"], (0o644, Some("other/web.crt".to_owned())));
        assert_whole(tmp, roots, "one");
        assert!(!roots.main.join(".kpki/undelivered").exists());
    };
    whole(tmp.path(), &roots);
    assert!(steps.borrow().contains(&Step::Delivered(2)));

    let mut decided = false;
    for step in steps.into_inner() {
        decided |= step == Step::Marked;
        let tmp = tempfile::tempdir().unwrap();
        let roots = place(tmp.path());
        let stopped = publish_watched(&signing(&roots, tmp.path()), &stop_at(step));
        assert_eq!(stopped, Err(StoreError::Crashed), "{step:?}");
        recover(&roots, Duration::ZERO).unwrap();
        match decided {
            true => whole(tmp.path(), &roots),
            false => assert_eq!((made(tmp.path()), lines(&roots)), (vec![], 0), "{step:?}"),
        }
        assert_eq!(recover(&roots, Duration::ZERO).unwrap(), Recovery::Nothing);
    }
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_recorded() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = place(tmp.path());
    let taken = tmp.path().join("out/taken");
    write(&taken, "mine");
    let own = roots.main.join(".kpki/x");
    let before = snapshot(tmp.path());
    for (path, replace) in
        [(tmp.path().join("none/a"), false), (taken.clone(), false), (tmp.path().join("out"), true), (own, false)]
    {
        let mut commit = signing(&roots, tmp.path());
        commit.outer.push(outer(path.clone(), 0o600, "x", replace));
        assert!(publish(&commit).is_err(), "{path:?}");
        assert_eq!(snapshot(tmp.path()), before, "{path:?}");
    }
    let mut twice = signing(&roots, tmp.path());
    twice.outer.push(outer(tmp.path().join("out/../out/web.key"), 0o600, "x", false));
    assert!(matches!(publish(&twice), Err(StoreError::Conflict(_))));
    assert_eq!(snapshot(tmp.path()), before);

    // Made by somebody else before the mark: nothing is recorded either.
    let late = tmp.path().join("out/web.key");
    let watch = |step| {
        if step == Step::Staged {
            write(&late, "theirs");
        }
        Ok(())
    };
    let error = publish_watched(&signing(&roots, tmp.path()), &watch).unwrap_err();
    assert_eq!(error, StoreError::Exist(vec![late.clone()]));
    assert_eq!((made(tmp.path()), lines(&roots)), (vec!["out/taken".to_owned(), "out/web.key".to_owned()], 0));
    // With `replace` it is replaced.
    let mut forced = signing(&roots, tmp.path());
    forced.outer.iter_mut().for_each(|file| file.replace = true);
    publish(&forced).unwrap();
    assert_eq!(std::fs::read_to_string(&late).unwrap(), "out/web.key");
}

#[test]
fn what_cannot_be_put_in_place_any_more_is_kept_and_said_once() {
    // The name is taken after the mark; the directory is gone when the next run finishes the work.
    for gone in [false, true] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = place(tmp.path());
        let (dir, path) = (tmp.path().join("out"), tmp.path().join("out/web.key"));
        let watch = |step| match step {
            Step::Synced if gone => {
                std::fs::remove_dir_all(&dir).unwrap();
                Err(StoreError::Crashed)
            }
            Step::Synced => {
                write(&path, "theirs");
                chmod(&path, 0o600);
                Ok(())
            }
            _ => Ok(()),
        };
        let error = match publish_watched(&signing(&roots, tmp.path()), &watch).unwrap_err() {
            StoreError::Crashed => recover(&roots, Duration::ZERO).unwrap_err(),
            error => error,
        };
        let StoreError::Undelivered(first, more) = &error else { panic!("{error}") };
        assert_eq!((first.path.canonicalize().ok(), more), (path.canonicalize().ok(), &0));
        assert!(error.to_string().contains("it is kept in "), "{error}");
        assert_eq!(std::fs::read_to_string(&first.kept).unwrap(), "out/web.key");
        // All the rest is done, and the tree is free again.
        assert_eq!((lines(&roots), recover(&roots, Duration::ZERO).unwrap()), (1, Recovery::Nothing));
        assert!(tmp.path().join("other/web.crt").exists());
        assert_clean(tmp.path());
    }
}

#[test]
fn a_directory_that_is_no_tree_is_left_without_a_trace() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = Roots::alone(tmp.path().join("out"));
    for dir in ["out", "other"] {
        std::fs::create_dir(tmp.path().join(dir)).unwrap();
    }
    publish(&Commit { journal: Vec::new(), ..signing(&roots, tmp.path()) }).unwrap();
    assert_eq!(made(tmp.path()), ["out/web.key", "other/web.crt"]);
}
