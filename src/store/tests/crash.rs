//! A run that ends at any of its steps as if the power had failed there.

use std::sync::Mutex;

use super::super::step::{Step, Watch};
use super::super::transaction::publish_watched;
use super::super::{Recovery, pending, recover};
use super::*;

/// Stops at one step; notes the steps it saw.
struct StopAt {
    at: Option<Step>,
    seen: Mutex<Vec<Step>>,
}

impl Watch for StopAt {
    fn reached(&self, step: Step) -> Result<(), StoreError> {
        self.seen.lock().unwrap().push(step);
        if self.at == Some(step) { Err(StoreError::Stopped) } else { Ok(()) }
    }
}

fn run(roots: &Roots, tag: &str, at: Option<Step>) -> (Result<Receipt, StoreError>, Vec<Step>) {
    let watch = StopAt { at, seen: Mutex::new(Vec::new()) };
    let result = publish_watched(&commit(roots, changes(roots, tag, true)), &watch);
    (result, watch.seen.into_inner().unwrap())
}

/// The steps of an undisturbed run.
fn steps(prepare: fn(&Roots), place: fn(&Path) -> Roots) -> Vec<Step> {
    let tmp = tempfile::tempdir().unwrap();
    let roots = place(tmp.path());
    prepare(&roots);
    run(&roots, "two", None).1
}

fn with_a_tree(roots: &Roots) {
    put(roots, "one", false).unwrap();
}

fn sweep(prepare: fn(&Roots), place: fn(&Path) -> Roots, before: Option<&str>) {
    let steps = steps(prepare, place);
    assert!(steps.len() >= 2);
    let mut decided = false;
    for step in steps {
        decided |= step == Step::Marked;
        let tmp = tempfile::tempdir().unwrap();
        let roots = place(tmp.path());
        prepare(&roots);
        assert_eq!(run(&roots, "two", Some(step)).0, Err(StoreError::Stopped), "{step:?}");
        assert_eq!(pending(&roots).unwrap(), decided && step != Step::Unmarked, "{step:?}");
        let recovered = recover(&roots, Duration::ZERO).unwrap();
        if decided {
            let files = changes(&roots, "", true).len();
            match recovered {
                Recovery::Finished { files: found, generation } => {
                    assert_eq!((found, generation.as_str()), (files, "gen"))
                }
                other => assert_eq!((other, step), (Recovery::Discarded, Step::Unmarked)),
            }
            assert_whole(tmp.path(), &roots, "two");
        } else if let Some(tag) = before {
            assert_whole(tmp.path(), &roots, tag);
        }
        let after = snapshot(tmp.path());
        assert_eq!(recover(&roots, Duration::ZERO).unwrap(), Recovery::Nothing, "{step:?}");
        assert_eq!(snapshot(tmp.path()), after, "{step:?}");
        put(&roots, "three", true).unwrap();
        assert_whole(tmp.path(), &roots, "three");
    }
}

#[test]
fn a_create_that_dies_leaves_no_tree_and_nothing_after_the_next() {
    sweep(|_| (), main_only, None);
}

#[test]
fn a_merge_that_dies_is_finished_or_discarded() {
    sweep(with_a_tree, main_only, Some("one"));
}

#[test]
fn a_merge_over_two_roots_that_dies_is_finished_or_discarded() {
    sweep(with_a_tree, with_kubelet, Some("one"));
    sweep(|_| (), with_kubelet, None);
}

#[test]
fn publishing_finishes_what_it_finds() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_kubelet(tmp.path());
    with_a_tree(&roots);
    assert!(run(&roots, "two", Some(Step::Placed(2))).0.is_err());
    // The kubelet's directory is in the manifest: the run that finishes need not be told.
    let main = Roots { main: roots.main.clone(), kubelet: None };
    let receipt = publish(&commit(&main, vec![change(RootId::Main, "new", 0o600, "x", false)])).unwrap();
    assert_eq!(receipt.recovered, Recovery::Finished { files: 9, generation: "gen".to_owned() });
    assert_whole(tmp.path(), &roots, "two");
}

#[test]
fn a_file_that_turns_up_after_the_decision_is_kept() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    write(&roots.main.join("own"), "x");
    let watch = StopAt { at: Some(Step::Kept), seen: Mutex::new(Vec::new()) };
    publish_watched(&commit(&roots, changes(&roots, "one", false)), &watch).unwrap_err();
    write(&roots.main.join("pki/ca.crt"), "theirs");
    recover(&roots, Duration::ZERO).unwrap();
    assert_whole(tmp.path(), &roots, "one");
    let kept = snapshot(&roots.main.join(".kpki/generations"));
    assert_eq!(kept["gen/main/pki/ca.crt"].1.as_deref(), Some("theirs"));
}

/// Does something to the disk at a step, as another program might.
struct Meddle<F: Fn()>(Step, F);

impl<F: Fn()> Watch for Meddle<F> {
    fn reached(&self, step: Step) -> Result<(), StoreError> {
        if step == self.0 {
            (self.1)();
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
    let watch = Meddle(Step::Staged, || write(&theirs, "theirs"));
    let error = publish_watched(&commit(&roots, changes(&roots, "one", false)), &watch).unwrap_err();
    assert_eq!(error, StoreError::Exist(vec![theirs.clone()]));
    let error = publish_watched(
        &commit(&roots, changes(&roots, "one", true)),
        &Meddle(Step::Staged, || write(&theirs, "changed again")),
    );
    assert_eq!(error.unwrap_err(), StoreError::ChangedMeanwhile(theirs.clone()));
    let mut left: Vec<String> = snapshot(tmp.path()).into_keys().collect();
    left.sort();
    assert_eq!(left, ["", "tree", "tree/own", "tree/pki", "tree/pki/ca.crt"]);
}

#[test]
fn a_tree_made_meanwhile_wins() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let watch = Meddle(Step::Checked, || drop(put(&roots, "theirs", false)));
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
        assert!(matches!(error, Err(StoreError::BadManifest { .. })));
    }
    assert_eq!(snapshot(tmp.path()), before);
}
