//! A run that ends at any of its steps as if the power had failed there.

#![allow(clippy::disallowed_methods)] // the outside world of these tests

use std::cell::RefCell;

use super::super::step::Step;
use super::super::transaction::publish_watched;
use super::super::{journal, pending, recover};
use super::*;

pub(super) fn stop_at(at: Step) -> impl Fn(Step) -> Result<(), StoreError> {
    move |step| if step == at { Err(StoreError::Crashed) } else { Ok(()) }
}

fn run(roots: &Roots, tag: &str, at: Option<Step>) -> (Result<Receipt, StoreError>, Vec<Step>) {
    let seen = RefCell::new(Vec::new());
    let result = publish_watched(&full(roots, tag), &|step| {
        seen.borrow_mut().push(step);
        at.map_or(Ok(()), |at| stop_at(at)(step))
    });
    (result, seen.into_inner())
}

/// The steps of an undisturbed run, and what is on disk before and after it.
fn undisturbed(prepare: fn(&Roots), place: fn(&Path) -> Roots) -> (Vec<Step>, Disk, Disk) {
    let tmp = tempfile::tempdir().unwrap();
    let roots = place(tmp.path());
    prepare(&roots);
    let before = snapshot(tmp.path());
    let steps = run(&roots, "two", None).1;
    (steps, before, snapshot(tmp.path()))
}

type Disk = BTreeMap<String, (u32, Option<String>)>;

fn steps_of(steps: &[Step], which: fn(&Step) -> bool) -> usize {
    steps.iter().filter(|step| which(step)).count()
}

fn with_a_tree(roots: &Roots) {
    put(roots, "one", false).unwrap();
}

fn sweep(prepare: fn(&Roots), place: fn(&Path) -> Roots, before: Option<&str>) {
    let (steps, old, new) = undisturbed(prepare, place);
    assert!(steps.len() >= 2);
    let mut decided = false;
    for step in steps.iter().copied() {
        decided |= step == Step::Marked;
        let tmp = tempfile::tempdir().unwrap();
        let roots = place(tmp.path());
        prepare(&roots);
        assert_eq!(run(&roots, "two", Some(step)).0, Err(StoreError::Crashed), "{step:?}");
        assert_eq!(pending(&roots).unwrap(), decided && step != Step::Unmarked, "{step:?}");
        let recovered = recover(&roots, Duration::ZERO).unwrap();
        if decided {
            match recovered {
                Recovery::Finished { files, generation, .. } => {
                    let removed = steps_of(&steps, |step| matches!(step, Step::Removed(_)));
                    assert_eq!(files, changes(&roots, "", true).len() + removed);
                    assert!(generation.starts_with("gen"));
                }
                other => assert_eq!((other, step), (Recovery::Discarded, Step::Unmarked)),
            }
            assert_whole(tmp.path(), &roots, "two");
            assert_eq!(snapshot(tmp.path()), new, "{step:?}");
            assert_eq!(journal(&roots).unwrap().iter().filter(|line| line.starts_with("two")).count(), 2, "{step:?}");
        } else if let Some(tag) = before {
            assert_whole(tmp.path(), &roots, tag);
            assert_eq!(snapshot(tmp.path()), old, "{step:?}");
        }
        let after = snapshot(tmp.path());
        assert_eq!(recover(&roots, Duration::ZERO).unwrap(), Recovery::Nothing, "{step:?}");
        assert_eq!(snapshot(tmp.path()), after, "{step:?}");
        publish(&full(&roots, "three")).unwrap();
        assert_whole(tmp.path(), &roots, "three");
        assert_eq!(journal(&roots).unwrap().iter().filter(|line| line.starts_with("three")).count(), 2, "{step:?}");
    }
}

#[test]
fn a_create_that_dies_leaves_no_tree_and_nothing_after_the_next() {
    sweep(|_| (), main_only, None);
}

#[test]
fn a_merge_that_dies_is_finished_or_discarded() {
    sweep(with_a_tree, main_only, Some("one"));
    sweep(with_history, main_only, Some("one"));
}

#[test]
fn a_merge_over_two_roots_that_dies_is_finished_or_discarded() {
    sweep(with_a_tree, with_kubelet, Some("one"));
    sweep(with_history, with_kubelet, Some("one"));
    sweep(|_| (), with_kubelet, None);
    assert_eq!(steps_of(&undisturbed(with_history, with_kubelet).0, |step| matches!(step, Step::Removed(_))), 2);
}

#[test]
fn a_merge_with_certificates_elsewhere_that_dies_is_finished_or_discarded() {
    for place in [with_certificates, with_three] {
        sweep(with_a_tree, place, Some("one"));
        sweep(with_history, place, Some("one"));
        sweep(|_| (), place, None);
    }
    assert_eq!(steps_of(&undisturbed(with_history, with_three).0, |step| matches!(step, Step::Removed(_))), 3);
}

#[test]
fn a_removal_finds_another_file_after_the_decision_and_leaves_it() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    with_history(&roots);
    let old = roots.main.join("pki/old.key");
    let theirs = || {
        std::fs::remove_file(&old).unwrap();
        write(&old, "theirs");
        chmod(&old, 0o600);
    };
    publish_watched(&full(&roots, "two"), &meddle(Step::Kept, theirs)).unwrap();
    assert_whole(tmp.path(), &roots, "two");
    assert_eq!(snapshot(&roots.main)["pki/old.key"].1.as_deref(), Some("theirs"));
    // Before the decision it ends the run, as does one that turns up where there was none.
    let touched = || write(&old, "again");
    let error = publish_watched(&full(&roots, "three"), &meddle(Step::Staged, touched)).unwrap_err();
    assert_eq!(error, StoreError::ChangedMeanwhile(old.clone()));
    std::fs::remove_file(&old).unwrap();
    let error = publish_watched(&full(&roots, "three"), &meddle(Step::Staged, touched)).unwrap_err();
    assert_eq!(error, StoreError::ChangedMeanwhile(old.clone()));
    assert_eq!(journal(&roots).unwrap().len(), 8);
}

#[test]
fn the_mark_of_an_earlier_kpki_is_finished() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    with_a_tree(&roots);
    let watch = stop_at(Step::Placed(2));
    publish_watched(&commit(&roots, changes(&roots, "two", true)), &watch).unwrap_err();
    let mark = roots.main.join(".kpki/commit");
    let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(&mark).unwrap()).unwrap();
    value["version"] = 1.into();
    for newer in ["removals", "journal", "keepGenerations"] {
        assert!(value.as_object_mut().unwrap().remove(newer).is_some());
    }
    write(&mark, &value.to_string());
    assert!(matches!(recover(&roots, Duration::ZERO).unwrap(), Recovery::Finished { .. }));
    assert_whole(tmp.path(), &roots, "two");
}

#[test]
fn publishing_finishes_what_it_finds() {
    for place in [with_kubelet, with_three] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = place(tmp.path());
        with_a_tree(&roots);
        assert!(run(&roots, "two", Some(Step::Placed(2))).0.is_err());
        // The directories outside are in the mark: the run that completes it needs no option.
        let main = Roots::alone(roots.main.clone());
        publish(&commit(&main, vec![change(RootId::Main, "new", 0o600, "x", false)])).unwrap();
        assert_whole(tmp.path(), &roots, "two");
    }
}

#[test]
fn a_file_that_turns_up_after_the_decision_is_kept() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    write(&roots.main.join("own"), "x");
    let watch = stop_at(Step::Kept);
    publish_watched(&commit(&roots, changes(&roots, "one", false)), &watch).unwrap_err();
    write(&roots.main.join("pki/ca.crt"), "theirs");
    recover(&roots, Duration::ZERO).unwrap();
    assert_whole(tmp.path(), &roots, "one");
    let kept = snapshot(&roots.main.join(".kpki/generations"));
    assert_eq!(kept["gen/main/pki/ca.crt"].1.as_deref(), Some("theirs"));
}

#[test]
fn a_file_that_turns_up_and_was_kept_before_the_crash_is_no_obstacle() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    write(&roots.main.join("own"), "x");
    publish_watched(&commit(&roots, changes(&roots, "one", false)), &stop_at(Step::Kept)).unwrap_err();
    let (late, kept) = (roots.main.join("pki/ca.crt"), roots.main.join(".kpki/generations/gen/main/pki/ca.crt"));
    write(&late, "theirs");
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::hard_link(&late, &kept).unwrap();
    recover(&roots, Duration::ZERO).unwrap();
    assert_whole(tmp.path(), &roots, "one");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "theirs");
}

#[test]
fn a_removal_makes_no_directories() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    with_a_tree(&roots);
    let old = [(RootId::Main, "gone/a"), (RootId::Kubelet, "gone/b")];
    let put = old.map(|(root, path)| change(root, path, 0o600, "x", true));
    publish(&commit(&roots, put.to_vec())).unwrap();
    let removals = old.map(|(root, path)| (root, rel(path))).to_vec();
    let removing = Commit { removals, ..commit(&roots, Vec::new()) };
    publish_watched(&removing, &stop_at(Step::Marked)).unwrap_err();
    let gone = [roots.main.join("gone"), roots.kubelet.as_ref().unwrap().join("gone")];
    gone.iter().for_each(|dir| std::fs::remove_dir_all(dir).unwrap());
    recover(&roots, Duration::ZERO).unwrap();
    assert!(!gone.iter().any(|dir| dir.exists()));
    assert_whole(tmp.path(), &roots, "one");

    // Nor the kubelet's own, where nothing can be to remove; where it is, the file goes.
    let kubelet = tmp.path().join("elsewhere");
    let other = Roots { kubelet: Some(kubelet.clone()), ..roots };
    let removing = Commit { removals: vec![(RootId::Kubelet, rel("a"))], ..commit(&other, Vec::new()) };
    publish(&removing).unwrap();
    assert!(!kubelet.exists());
    write(&kubelet.join("a"), "x");
    publish(&removing).unwrap();
    assert_eq!(snapshot(&kubelet).len(), 1);
}

#[test]
fn a_mark_without_a_staging_directory_is_removed() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    with_a_tree(&roots);
    publish_watched(&full(&roots, "two"), &stop_at(Step::Synced)).unwrap_err();
    std::fs::remove_dir_all(roots.main.join(".kpki/staging")).unwrap();
    assert!(matches!(recover(&roots, Duration::ZERO).unwrap(), Recovery::Finished { .. }));
    assert_whole(tmp.path(), &roots, "two");
}

/// Does something to the disk at a step, as another program might.
fn meddle(at: Step, act: impl Fn()) -> impl Fn(Step) -> Result<(), StoreError> {
    move |step| {
        if step == at {
            act();
        }
        Ok(())
    }
}

#[test]
fn what_others_do_before_the_decision_ends_the_run_without_a_trace() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    write(&roots.main.join("own"), "x");
    let theirs = roots.main.join("pki/ca.crt");
    let watch = meddle(Step::Staged, || write(&theirs, "theirs"));
    let error = publish_watched(&commit(&roots, changes(&roots, "one", false)), &watch).unwrap_err();
    assert_eq!(error, StoreError::Exist(vec![theirs.clone()]));
    let error = publish_watched(
        &commit(&roots, changes(&roots, "one", true)),
        &meddle(Step::Staged, || write(&theirs, "changed again")),
    );
    assert_eq!(error.unwrap_err(), StoreError::ChangedMeanwhile(theirs.clone()));
    let mut left: Vec<String> = snapshot(tmp.path()).into_keys().collect();
    left.sort();
    assert_eq!(left, ["", "tree", "tree/own", "tree/pki", "tree/pki/ca.crt"]);
}

#[test]
fn a_run_that_fails_before_the_mark_leaves_nothing_prepared_in_any_root() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_three(tmp.path());
    with_a_tree(&roots);
    let old = roots.main.join("pki/old.key");
    let touched = || {
        write(&old, "theirs");
        chmod(&old, 0o600);
    };
    let error = publish_watched(&full(&roots, "two"), &meddle(Step::Staged, touched)).unwrap_err();
    assert_eq!(error, StoreError::ChangedMeanwhile(old.clone()));
    assert_whole(tmp.path(), &roots, "one");
}

#[test]
fn a_lock_that_was_taken_away_ends_the_run() {
    for replaced in [false, true] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = main_only(tmp.path());
        with_a_tree(&roots);
        let lock = roots.main.join(".kpki/lock");
        write(&lock, "");
        let watch = meddle(Step::Staged, || {
            std::fs::remove_file(&lock).unwrap();
            if replaced {
                write(&lock, "1");
            }
        });
        let error = publish_watched(&full(&roots, "two"), &watch).unwrap_err();
        assert_eq!(error, StoreError::ChangedMeanwhile(lock.clone()));
        assert_whole(tmp.path(), &roots, "one");
    }
}

#[test]
fn a_tree_made_meanwhile_wins() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let watch = meddle(Step::Checked, || drop(put(&roots, "theirs", false)));
    let error = publish_watched(&commit(&roots, changes(&roots, "one", false)), &watch).unwrap_err();
    assert_eq!(error, StoreError::MadeMeanwhile(roots.main.clone()));
    assert_whole(tmp.path(), &roots, "theirs");
}

#[test]
fn an_unreadable_mark_is_not_guessed_at() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    put(&roots, "one", false).unwrap();
    write(&roots.main.join(".kpki/commit"), "{\"version\":1}");
    let before = snapshot(tmp.path());
    for error in [recover(&roots, Duration::ZERO).map(drop), put(&roots, "two", true).map(drop)] {
        assert!(matches!(error, Err(StoreError::BadMark { .. })));
    }
    assert_eq!(snapshot(tmp.path()), before);
}

#[test]
fn without_a_directory_outside_the_decision_waits_for_it() {
    for gone in RootId::OUTSIDE {
        let tmp = tempfile::tempdir().unwrap();
        let roots = with_three(tmp.path());
        put(&roots, "one", false).unwrap();
        assert_eq!(run(&roots, "two", Some(Step::Placed(1))).0, Err(StoreError::Crashed));
        let (gone, away) = (roots.outside(gone).unwrap(), tmp.path().join("away"));
        std::fs::rename(gone, &away).unwrap();
        let error = recover(&roots, Duration::ZERO).unwrap_err();
        assert!(matches!(error, StoreError::OutsideGone(_)), "{error}");
        assert!(
            error.to_string().starts_with("an interrupted run is pending and cannot be finished: cannot open "),
            "{error}"
        );
        std::fs::rename(&away, gone).unwrap();
        recover(&roots, Duration::ZERO).unwrap();
        assert_whole(tmp.path(), &roots, "two");
    }
}

#[test]
fn an_error_says_whether_the_files_are_in_place_already() {
    for (occupied, placed) in [("pki", false), (".kpki/journal.jsonl", true)] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = main_only(tmp.path());
        put(&roots, "one", false).unwrap();
        assert_eq!(run(&roots, "two", Some(Step::Marked)).0, Err(StoreError::Crashed));
        // Something is in the way that was not there when it was decided.
        let (path, away) = (roots.main.join(occupied), tmp.path().join("away"));
        let was = path.exists();
        if was {
            std::fs::rename(&path, &away).unwrap();
        }
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        let error = recover(&roots, Duration::ZERO).unwrap_err();
        let said =
            if placed { "; the new files are in place and the next run cleans up" } else { "puts them in place" };
        assert!(error.to_string().ends_with(said), "{error}");
        std::fs::remove_file(&path).unwrap();
        if was {
            std::fs::rename(&away, &path).unwrap();
        }
        recover(&roots, Duration::ZERO).unwrap();
        assert_whole(tmp.path(), &roots, "two");
    }
}
