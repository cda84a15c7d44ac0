//! What is synced between which steps: nothing is visible before it is durable, and nothing is forgotten afterwards.

use std::cell::RefCell;

use super::super::recover;
use super::super::step::Step;
use super::super::transaction::publish_watched;
use super::crash::stop_at;
use super::*;
use crate::files::synced::take;

/// For every step what was synced since the one before, where anything was; and what was synced after the last one.
fn syncs(dir: &Path, commit: &Commit<'_>) -> (Vec<(Step, Vec<String>)>, Vec<String>) {
    take(dir);
    let seen = RefCell::new(Vec::new());
    let note = |step| {
        let synced = take(dir);
        if !synced.is_empty() {
            seen.borrow_mut().push((step, synced));
        }
        Ok(())
    };
    publish_watched(commit, &note).unwrap();
    (seen.into_inner(), take(dir))
}

fn paths(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

/// What a merge of one file has changed.
const CHANGED: [&str; 5] =
    ["tree/.kpki", "tree/.kpki/generations", "tree/.kpki/journal.jsonl", "tree/gone", "tree/pki"];

fn merge(roots: &Roots) -> Commit<'_> {
    Commit {
        removals: vec![(RootId::Main, rel("gone/old"))],
        journal: vec!["{}".to_owned()],
        note: Some("{}".to_owned()),
        ..commit(roots, vec![change(RootId::Main, "pki/ca.crt", 0o644, "two", true)])
    }
}

fn with_old_files(tmp: &Path) -> Roots {
    let roots = main_only(tmp);
    write(&roots.main.join("pki/ca.crt"), "one");
    write(&roots.main.join("gone/old"), "old");
    roots
}

#[test]
fn a_merge_syncs_before_it_is_decided_and_before_the_mark_goes() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_old_files(tmp.path());
    let staged = [
        "tree", // .kpki is new
        "tree/.kpki",
        "tree/.kpki/staging",
        "tree/.kpki/staging/0",
        "tree/.kpki/staging/commit",
        "tree/.kpki/staging/journal",
        "tree/.kpki/staging/kept",
        "tree/.kpki/staging/kept/generation.json",
        "tree/.kpki/staging/kept/main/gone",
        "tree/.kpki/staging/kept/main/pki",
    ];
    let mut staged = paths(&staged);
    staged.push("tree/.kpki/staging/kept/main".to_owned());
    staged.sort();
    let kpki = || paths(&["tree/.kpki"]);
    let expected = vec![
        (Step::Staged, staged.clone()),
        (Step::Marked, kpki()),
        (Step::Synced, paths(&CHANGED)),
        (Step::Unmarked, kpki()),
    ];
    assert_eq!(syncs(tmp.path(), &merge(&roots)), (expected, Vec::new()));
}

#[test]
fn a_generation_that_keeps_no_file_is_synced() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_old_files(tmp.path());
    let new = vec![change(RootId::Main, "pki/new.crt", 0o644, "new", false)];
    let (steps, _) = syncs(tmp.path(), &Commit { note: Some("{}".to_owned()), ..commit(&roots, new) });
    let (step, staged) = &steps[0];
    assert!(*step == Step::Staged && paths(&["tree/.kpki/staging/kept"]).iter().all(|path| staged.contains(path)));
}

#[test]
fn both_roots_are_synced() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    write(&roots.main.join(".kpki/profile.yaml"), "x");
    chmod(&roots.main.join(".kpki"), 0o700);
    let (syncs, rest) = syncs(tmp.path(), &commit(&roots, vec![change(RootId::Kubelet, "a/b", 0o600, "x", false)]));
    let [(Step::Staged, staged), (Step::Marked, _), (Step::Synced, placed), (Step::Unmarked, _)] = &syncs[..] else {
        panic!("{syncs:?}")
    };
    // The kubelet's directory is new, and so is the one above it.
    assert!(paths(&["", "kubelet", "kubelet/pki"]).iter().all(|path| staged.contains(path)), "{staged:?}");
    let outside = |path: &&String| path.starts_with("kubelet/pki/.kpki-staging-");
    assert_eq!(staged.iter().filter(outside).count(), 2, "{staged:?}");
    assert!(!staged.contains(&"tree".to_owned()), "{staged:?}");
    assert_eq!((placed, rest), (&paths(&["kubelet/pki", "kubelet/pki/a"]), Vec::new()));
}

#[test]
fn a_recovery_syncs_what_the_interrupted_run_may_not_have_synced() {
    for step in [Step::Marked, Step::Kept, Step::Placed(1), Step::Removed(1), Step::Journaled, Step::Synced] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = with_old_files(tmp.path());
        publish_watched(&merge(&roots), &stop_at(step)).unwrap_err();
        take(tmp.path());
        recover(&roots, Duration::ZERO).unwrap();
        // First and last the directory of the mark.
        let mut expected = paths(&CHANGED);
        expected.extend(paths(&["tree/.kpki", "tree/.kpki"]));
        expected.sort();
        assert_eq!(take(tmp.path()), expected, "{step:?}");
    }
}

#[test]
fn a_journal_and_a_file_that_turns_up_are_synced() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    write(&roots.main.join("own"), "x");
    let lines = Commit { journal: vec!["{}".to_owned()], ..commit(&roots, Vec::new()) };
    let (steps, _) = syncs(tmp.path(), &lines);
    let synced = steps.iter().find(|(step, _)| *step == Step::Synced);
    assert_eq!(synced.unwrap().1, paths(&["tree/.kpki", "tree/.kpki/journal.jsonl"]));

    let new = commit(&roots, vec![change(RootId::Main, "pki/ca.crt", 0o644, "x", false)]);
    publish_watched(&new, &stop_at(Step::Kept)).unwrap_err();
    write(&roots.main.join("pki/ca.crt"), "theirs");
    take(tmp.path());
    recover(&roots, Duration::ZERO).unwrap();
    let synced = take(tmp.path());
    let kept = ["tree/.kpki/generations", "tree/.kpki/generations/gen", "tree/.kpki/generations/gen/main"];
    assert!(paths(&kept).iter().all(|path| synced.contains(path)), "{synced:?}");
}

#[test]
fn a_new_tree_is_synced_before_it_is_visible() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let new = Commit {
        journal: vec!["{}".to_owned()],
        note: Some("{}".to_owned()),
        ..commit(&roots, vec![change(RootId::Main, "pki/ca.crt", 0o644, "x", false)])
    };
    let (steps, last) = syncs(tmp.path(), &new);
    let [(Step::Staged, staged)] = &steps[..] else { panic!("{steps:?}") };
    let below: Vec<&str> = staged.iter().map(|path| path.split_once('/').map_or("", |(_, below)| below)).collect();
    let expected = [
        "",
        ".kpki",
        ".kpki/generations",
        ".kpki/generations/gen",
        ".kpki/generations/gen/generation.json",
        ".kpki/journal.jsonl",
        "pki",
        "pki/ca.crt",
    ];
    assert_eq!((below, last), (expected.to_vec(), paths(&[""])));
}
