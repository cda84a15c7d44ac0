//! The journal has every line once, whatever its last bytes are.

#![allow(clippy::disallowed_methods)] // the outside world of these tests

use std::os::unix::fs::symlink;

use super::super::step::Step;
use super::super::transaction::publish_watched;
use super::super::{ChainFaults, chain_faults, check_writable, generations, journal, journal_bytes, recover};
use super::crash::stop_at;
use super::*;
use crate::files::{FileError, Kind};

/// A tree with a journal that reads `one`.
fn prepared(tmp: &Path) -> (Roots, std::path::PathBuf) {
    let roots = main_only(tmp);
    write(&roots.main.join("own"), "x");
    assert_eq!(journal(&roots).unwrap(), [""; 0]);
    publish(&with_lines(&roots, &["one"])).unwrap();
    let path = roots.main.join(".kpki/journal.jsonl");
    assert_eq!(snapshot(&roots.main)[".kpki/journal.jsonl"], (0o600, Some("one\n".to_owned())));
    (roots, path)
}

fn with_lines<'a>(roots: &'a Roots, lines: &[&str]) -> Commit<'a> {
    let journal = lines.iter().map(|line| (*line).to_owned()).collect();
    Commit { journal, ..commit(roots, Vec::new()) }
}

#[test]
fn whatever_a_crash_left_of_the_lines_they_are_there_once() {
    for (before, tail, expected) in [
        ("one\n", "", "one\ntwo\nthree\n"),
        ("one\n", "t", "one\ntwo\nthree\n"),
        ("one\n", "two\n", "one\ntwo\nthree\n"),
        ("one\n", "two\nthree\n", "one\ntwo\nthree\n"),
        // Blocks that were added and never written.
        ("one\n", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "one\ntwo\nthree\n"),
        // A line of somebody else's without an end.
        ("one\ntorn", "", "one\ntorn\ntwo\nthree\n"),
        ("one\ntorn", "\ntwo", "one\ntorn\ntwo\nthree\n"),
        ("", "", "two\nthree\n"),
        ("", "tw", "two\nthree\n"),
    ] {
        for step in [Step::Marked, Step::Kept] {
            let tmp = tempfile::tempdir().unwrap();
            let (roots, path) = prepared(tmp.path());
            write(&path, before);
            publish_watched(&with_lines(&roots, &["two", "three"]), &stop_at(step)).unwrap_err();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
            write(&path, &format!("{before}{tail}"));
            recover(&roots, Duration::ZERO).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected, "{before:?} {tail:?}");
        }
    }
}

#[test]
fn a_journal_that_was_moved_away_or_cut_begins_anew() {
    for (cut, expected) in [(None, "two\n"), (Some(""), "two\n"), (Some("on"), "on\ntwo\n")] {
        let tmp = tempfile::tempdir().unwrap();
        let (roots, path) = prepared(tmp.path());
        publish_watched(&with_lines(&roots, &["two"]), &stop_at(Step::Marked)).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        if let Some(cut) = cut {
            write(&path, cut);
            chmod(&path, 0o600);
        }
        recover(&roots, Duration::ZERO).unwrap();
        assert_eq!(snapshot(&roots.main)[".kpki/journal.jsonl"], (0o600, Some(expected.to_owned())));
    }
}

#[test]
fn what_is_no_journal_is_refused_before_anything_is_changed() {
    for directory in [true, false] {
        let tmp = tempfile::tempdir().unwrap();
        let (roots, path) = prepared(tmp.path());
        std::fs::remove_file(&path).unwrap();
        if directory {
            std::fs::create_dir(&path).unwrap();
        } else {
            symlink("../own", &path).unwrap();
        }
        let before = snapshot(tmp.path());
        let mut all = full(&roots, "two");
        all.journal = vec!["two".to_owned()];
        for error in [publish(&all).map(drop), check_writable(&roots, &[])] {
            let kind = if directory { Kind::NotAFile(crate::files::What::Directory) } else { Kind::SymlinkInTheWay };
            assert!(
                matches!(&error, Err(StoreError::File(FileError { kind: found, .. })) if *found == kind),
                "{error:?}"
            );
        }
        assert_eq!(snapshot(tmp.path()), before);
        // After the decision there is no way back, but nothing is written through a symlink either.
        std::fs::rename(&path, tmp.path().join("aside")).unwrap();
        publish_watched(&all, &stop_at(Step::Marked)).unwrap_err();
        std::fs::rename(tmp.path().join("aside"), &path).unwrap();
        assert!(matches!(recover(&roots, Duration::ZERO), Err(StoreError::Unfinished { placed: true, .. })));
        assert_eq!(snapshot(&roots.main)["own"].1.as_deref(), Some("x"));
        std::fs::rename(&path, tmp.path().join("aside")).unwrap();
        recover(&roots, Duration::ZERO).unwrap();
        assert_eq!(journal(&roots).unwrap(), ["two"]);
    }
}

#[test]
fn a_run_that_finishes_anothers_work_writes_its_chain_once() {
    for step in [Step::Staged, Step::Checked, Step::Marked, Step::Kept, Step::Journaled, Step::Synced, Step::Pruned] {
        for tail in ["", "{\"n\":2,\"prev"] {
            let tmp = tempfile::tempdir().unwrap();
            let roots = main_only(tmp.path());
            write(&roots.main.join("own"), "x");
            let path = roots.main.join(".kpki/journal.jsonl");
            publish(&with_lines(&roots, &["{\"n\":1}"])).unwrap();
            publish_watched(&with_lines(&roots, &["{\"n\":2}", "{\"n\":3}"]), &stop_at(step)).unwrap_err();
            let is_marked = super::super::pending(&roots).unwrap();
            if is_marked {
                let text = std::fs::read_to_string(&path).unwrap();
                write(&path, &if text.lines().count() == 1 { format!("{text}{tail}") } else { text });
            }
            publish(&with_lines(&roots, &["{\"n\":4}"])).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let numbers: String = text.lines().map(|line| line.get(5..6).unwrap()).collect();
            assert_eq!(numbers, if is_marked { "1234" } else { "14" }, "{step:?}");
            assert_eq!(chain_faults(text.as_bytes(), &[]), ChainFaults::default(), "{step:?} {text}");
        }
    }
}

#[test]
fn a_generation_knows_the_last_line_of_its_run() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let with = |journal: &[&str]| {
        let journal = journal.iter().map(|line| (*line).to_owned()).collect();
        publish(&Commit { journal, note: Some("{}".to_owned()), ..full(&roots, "a") }).unwrap();
        let known: Vec<String> = generations(&roots).unwrap().remove(0).journal.into_iter().collect();
        assert_eq!(known.len(), 1);
        let text = journal_bytes(&roots).unwrap();
        assert_eq!(chain_faults(&text, &known), ChainFaults::default());
        let cut = text.trim_ascii_end().iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        assert!(chain_faults(&text[..cut], &known).is_cut);
    };
    // A new tree, one that is merged into, and a run without lines.
    with(&["{\"n\":1}", "{\"n\":2}"]);
    with(&["{\"n\":3}"]);
    with(&[]);
    assert_eq!(journal(&roots).unwrap().len(), 3);
}
