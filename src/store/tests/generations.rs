//! What was before, as known by what was kept since.

#![allow(clippy::disallowed_methods)] // the outside world of these tests

use super::super::step::Step;
use super::super::transaction::publish_watched;
use super::super::{Generation, Recovery, generations, journal, kept_files, recover};
use super::crash::stop_at;
use super::*;

type Files<'a> = &'a [(&'a str, Option<&'a str>)];

/// One commit: files with their content, or `None` for those that are to go.
fn step<'a>(roots: &'a Roots, generation: &'a str, files: Files<'_>) -> Commit<'a> {
    let puts = files.iter().filter_map(|(path, text)| Some(change(RootId::Main, path, 0o600, (*text)?, true)));
    let gone = files.iter().filter(|(_, text)| text.is_none()).map(|(path, _)| (RootId::Main, rel(path)));
    Commit { generation, removals: gone.collect(), note: Some("{}".to_owned()), ..commit(roots, puts.collect()) }
}

fn names(found: &[Generation]) -> Vec<&str> {
    found.iter().map(|generation| generation.name.as_str()).collect()
}

fn texts(was: &[PriorFile]) -> Vec<(&str, Option<&str>)> {
    let text = |was: &PriorFile| was.content.as_ref().map(|(_, bytes)| std::str::from_utf8(bytes).unwrap().to_owned());
    let mut all: Vec<_> = was.iter().map(|was| (was.path.as_str(), text(was).map(|text| &*text.leak()))).collect();
    all.sort_unstable();
    all
}

/// The visible files of a tree.
fn visible(roots: &Roots) -> Vec<(String, String)> {
    let all = snapshot(&roots.main).into_iter().filter(|(path, _)| !path.starts_with(".kpki"));
    all.filter_map(|(path, (_, text))| Some((path, text?))).collect()
}

/// Files made, replaced twice, removed and made again; the clock turned back in between.
const STORY: [(&str, Files<'_>); 5] = [
    ("20261120T220101Z-init", &[("a", Some("a1")), ("b", Some("b1"))]),
    ("20261120T220102Z-renew", &[("a", Some("a2")), ("c", Some("c2"))]),
    ("20261120T220102Z-renew", &[("a", Some("a3")), ("c", Some("c3")), ("none", None)]),
    ("20261119T000000Z-renew", &[("b", None), ("d/e", Some("d4"))]),
    ("20261120T220103Z-renew", &[("b", Some("b5")), ("d/e", None)]),
];

fn states_of(roots: &Roots) -> Vec<Vec<(String, String)>> {
    write(&roots.main.join("own"), "x");
    let mut states = vec![visible(roots)];
    for (name, files) in STORY {
        publish(&step(roots, name, files)).unwrap();
        states.push(visible(roots));
    }
    states
}

#[test]
fn every_earlier_state_can_be_known_and_put_back() {
    let story: Vec<String> = ["20261120T220101Z-init", "20261120T220102Z-renew", "20261120T220102Z-renew.2"]
        .into_iter()
        .chain(["20261119T000000Z-renew", "20261120T220103Z-renew"])
        .map(str::to_owned)
        .collect();
    for (number, name) in story.iter().enumerate() {
        let tmp = tempfile::tempdir().unwrap();
        let roots = main_only(tmp.path());
        let states = states_of(&roots);
        let found = generations(&roots).unwrap();
        assert!(names(&found).into_iter().rev().eq(story.iter().map(String::as_str)), "{found:?}");
        let was = before(&roots, name).unwrap();
        if number == 2 {
            let expected = [("a", Some("a2")), ("b", Some("b1")), ("c", Some("c2")), ("d/e", None)];
            assert_eq!(texts(&was), expected);
        }
        let mut back = step(&roots, "20261120T220104Z-restore", &[]);
        for PriorFile { root, path, content } in was {
            match content {
                Some((mode, bytes)) => back.changes.push(FileChange { root, path, mode, bytes, replace: true }),
                None => back.removals.push((root, path)),
            }
        }
        let restored = publish(&back).unwrap();
        assert_eq!(visible(&roots), states[number], "{name}");
        // And that can be undone.
        for PriorFile { path, content, .. } in before(&roots, &restored.generation.unwrap()).unwrap() {
            let last = states.last().unwrap().iter().find(|(name, _)| *name == path.as_str());
            assert_eq!(content.map(|(_, bytes)| bytes.to_vec()), last.map(|(_, text)| text.clone().into_bytes()));
        }
    }
}

#[test]
fn a_generation_lists_what_it_kept_and_what_was_new() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = with_three(tmp.path());
    with_history(&roots);
    let receipt = publish(&full(&roots, "two")).unwrap();
    let mut more = full(&roots, "three");
    more.changes.push(change(RootId::Kubelet, "new", 0o600, "x", false));
    publish(&more).unwrap();
    let found = generations(&roots).unwrap();
    assert_eq!((names(&found)[1], found.len()), (receipt.generation.as_deref().unwrap(), 2));
    assert_eq!(found[0].note.as_ref().unwrap()["tag"], "three");
    assert_eq!(found[0].created, [(RootId::Kubelet, rel("new"))]);
    assert!(found[0].recorded && found[0].kept.len() == FILES.len() + 4);
    assert!(SURPLUS.iter().all(|(root, path)| found[1].kept.contains(&(*root, rel(path)))), "{found:?}");
    assert!(!found.iter().any(|g| g.kept.iter().chain(&g.created).any(|(root, _)| *root == RootId::State)));
    assert_eq!(snapshot(&receipt.kept.unwrap())["main/pki/old.key"], (0o600, Some("one".to_owned())));
    assert_eq!(before(&roots, "x").unwrap_err(), StoreError::NoGeneration("x".to_owned()));
}

#[test]
fn a_tree_made_at_once_has_its_generation_and_one_without_a_note_has_none() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    assert_eq!(generations(&roots).unwrap(), []);
    let receipt = publish(&full(&roots, "one")).unwrap();
    assert_eq!((receipt.generation.as_deref(), receipt.kept), (Some("gen"), None));
    let found = generations(&roots).unwrap();
    assert_eq!((found.len(), found[0].created.len(), found[0].kept.len()), (1, FILES.len(), 0));
    assert!(before(&roots, "gen").unwrap().iter().all(|was| was.content.is_none()));

    let own = || vec![change(RootId::State, "profile.yaml", 0o600, "x", true)];
    let noted = Commit { note: Some("{}".to_owned()), ..commit(&roots, own()) };
    assert_eq!(publish(&noted).unwrap().generation, None);
    let new = commit(&roots, vec![change(RootId::Main, "new", 0o600, "x", false)]);
    assert_eq!(publish(&new).unwrap().generation, None);
}

#[test]
fn what_was_made_without_a_record_or_by_others_is_listed_and_ordered_by_name() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let all = roots.main.join(".kpki/generations");
    for name in ["20260101T000000Z-init.2", "20260101T000000Z-init", "20260101T000000Z-init.10", "mine"] {
        write(&all.join(name).join("main/pki/a.crt"), name);
    }
    write(&all.join("note.txt"), "not a generation");
    write(&all.join("20260101T000000Z-init.2/generation.json"), "{\"version\":1,");
    write(&all.join("20260101T000000Z-init.2/other/x"), "x");
    std::os::unix::fs::symlink("mine", all.join("link")).unwrap();
    publish(&step(&roots, "20250101T000000Z-renew", &[("pki/a.crt", Some("new"))])).unwrap();
    let found = generations(&roots).unwrap();
    let expected = ["20250101T000000Z-renew", "mine", "20260101T000000Z-init.10", "20260101T000000Z-init.2"];
    assert_eq!(names(&found)[..4], expected);
    assert_eq!(found.iter().map(|g| g.recorded).collect::<Vec<_>>(), [true, false, false, false, false]);
    assert!(found[1..].iter().all(|g| g.kept == [(RootId::Main, rel("pki/a.crt"))]));
    assert_eq!(
        texts(&before(&roots, "20260101T000000Z-init.2").unwrap()),
        [("pki/a.crt", Some("20260101T000000Z-init.2"))]
    );
    // What others put there is not ours to remove.
    let prune = |keep| Commit { keep_generations: Some(keep), ..step(&roots, "p", &[("pki/a.crt", Some("newer"))]) };
    publish(&prune(3)).unwrap();
    assert_eq!(
        names(&generations(&roots).unwrap()),
        ["p", "20250101T000000Z-renew", "mine", "20260101T000000Z-init.10"]
    );
    publish(&prune(0)).unwrap();
    assert_eq!(names(&generations(&roots).unwrap()), ["p.2", "mine"]);
    assert_clean(tmp.path());
}

#[test]
fn crls_are_counted_apart() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let keep = |name, files: Files<'_>| {
        publish(&Commit { keep_generations: Some(2), ..step(&roots, name, files) }).unwrap();
    };
    write(&roots.main.join("own"), "x");
    for name in ["20260101T000000Z-init", "20260102T000000Z-renew"] {
        keep(name, &[("pki/a.crt", Some(name)), ("pki/ca.crl", Some(name))]);
    }
    for name in ["20260103T000000Z-hold", "20260104T000000Z-release", "20260105T000000Z-hold"] {
        keep(name, &[("pki/ca.crl", Some(name)), ("pki/ca.crl.der", Some(name))]);
    }
    let left = ["20260105T000000Z-hold", "20260104T000000Z-release", "20260102T000000Z-renew", "20260101T000000Z-init"];
    assert_eq!(names(&generations(&roots).unwrap()), left);
    assert_eq!(generations(&roots).unwrap().iter().filter(|one| one.is_of_crls()).count(), 2);
    keep("20260106T000000Z-renew", &[("pki/a.crt", Some("new"))]);
    let left = [&["20260106T000000Z-renew"], &left[..3]].concat();
    assert_eq!(names(&generations(&roots).unwrap()), left);
}

#[test]
fn a_kept_file_that_is_gone_is_an_error() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    states_of(&roots);
    std::fs::remove_file(roots.main.join(".kpki/generations/20261120T220102Z-renew/main/a")).unwrap();
    assert!(before(&roots, "20261120T220102Z-renew.2").is_ok());
    assert_eq!(texts(&before(&roots, "20261120T220101Z-init").unwrap())[0], ("a", None));
    assert!(matches!(before(&roots, "20261120T220102Z-renew"), Err(StoreError::NotKept { .. })));
}

#[test]
fn a_pinned_generation_stays() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    write(&roots.main.join("own"), "x");
    let name = |day: u32| format!("2026010{day}T000000Z-renew");
    for day in 1..=5 {
        let (pinned, text) = (vec![name(2)], name(day));
        let files: Files<'_> = &[("pki/a.crt", Some(&text))];
        publish(&Commit { keep_generations: Some(1), pinned, ..step(&roots, &name(day), files) }).unwrap();
    }
    assert_eq!(names(&generations(&roots).unwrap()), [name(5), name(2)]);
    publish(&Commit { keep_generations: Some(1), ..step(&roots, &name(6), &[("pki/a.crt", Some("6"))]) }).unwrap();
    assert_eq!(names(&generations(&roots).unwrap()), [name(6)]);
}

#[test]
fn a_destroyed_file_is_in_no_generation_whenever_the_run_is_interrupted() {
    for stop in [Step::Locked, Step::Staged, Step::Checked, Step::Marked, Step::Kept, Step::Removed(1), Step::Synced] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = main_only(tmp.path());
        states_of(&roots);
        let gone = "generations/20261120T220102Z-renew/main/a";
        assert!(kept_files(&roots).unwrap().contains(&rel(gone)));
        let erasing =
            || Commit { erasures: vec![rel(gone)], journal: vec!["{}".to_owned()], ..commit(&roots, Vec::new()) };
        let all = snapshot(&roots.main.join(".kpki/generations")).len();
        publish_watched(&erasing(), &stop_at(stop)).unwrap_err();
        let recovery = recover(&roots, Duration::ZERO).unwrap();
        let is_done = matches!(recovery, Recovery::Finished { .. });
        assert_eq!(!kept_files(&roots).unwrap().contains(&rel(gone)), is_done, "{stop:?}");
        assert_eq!(!journal(&roots).unwrap().is_empty(), is_done, "{stop:?}");
        publish(&erasing()).unwrap();
        assert_eq!(snapshot(&roots.main.join(".kpki/generations")).len(), all - 1, "{stop:?}");
        assert!(matches!(before(&roots, "20261120T220102Z-renew"), Err(StoreError::NotKept { .. })), "{stop:?}");
    }
}

#[test]
fn nothing_but_what_is_kept_is_destroyed() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    states_of(&roots);
    let erasing = Commit { erasures: vec![rel("journal.jsonl")], ..commit(&roots, Vec::new()) };
    assert!(matches!(publish(&erasing), Err(StoreError::Reserved(_))));
    assert_clean(tmp.path());
}

#[test]
fn a_key_that_is_encrypted_leaves_no_plain_copy_whenever_the_run_is_interrupted() {
    let kept = "generations/20261120T220102Z-renew/main/a";
    for stop in [
        Step::Locked,
        Step::Staged,
        Step::Checked,
        Step::Marked,
        Step::Kept,
        Step::Placed(1),
        Step::Placed(2),
        Step::Journaled,
        Step::Synced,
        Step::Pruned,
        Step::Unmarked,
    ] {
        let tmp = tempfile::tempdir().unwrap();
        let roots = main_only(tmp.path());
        states_of(&roots);
        write(&roots.main.join("a"), "plain");
        write(&roots.main.join(".kpki").join(kept), "plain");
        let encrypting = || Commit {
            changes: vec![
                change(RootId::Main, "a", 0o600, "encrypted", true),
                change(RootId::State, kept, 0o600, "encrypted", true),
            ],
            forgets: true,
            ..commit(&roots, Vec::new())
        };
        let holders = |text: &str| {
            let all = snapshot(&roots.main);
            all.values().filter(|(_, content)| content.as_ref().is_some_and(|content| content.ends_with(text))).count()
        };
        let before = generations(&roots).unwrap();
        publish_watched(&encrypting(), &stop_at(stop)).unwrap_err();
        let is_done =
            matches!(recover(&roots, Duration::ZERO).unwrap(), Recovery::Finished { .. }) || stop == Step::Unmarked;
        let expected = if is_done { (0, 2) } else { (2, 0) };
        assert_eq!((holders("plain"), holders("encrypted")), expected, "{stop:?}");
        publish(&encrypting()).unwrap();
        assert_eq!((holders("plain"), holders("encrypted")), (0, 2), "{stop:?}");
        assert_eq!(names(&generations(&roots).unwrap()), names(&before), "{stop:?}");
    }
}

#[test]
fn what_is_kept_is_replaced_by_nobody_else() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    states_of(&roots);
    let replacing = |path| commit(&roots, vec![change(RootId::State, path, 0o600, "x", true)]);
    for (path, forgets) in [
        ("generations/20261120T220102Z-renew/main/a", false),
        ("generations/a", true),
        ("journal.jsonl", true),
        ("commit", true),
    ] {
        let refused = publish(&Commit { forgets, ..replacing(path) });
        assert!(matches!(refused, Err(StoreError::Reserved(_))), "{path}");
    }
    assert_clean(tmp.path());
}
