//! After forget, no byte of the old key is anywhere below the directory.

use super::rotating::{AUTHORITIES, CLUSTER, DAYS, FILES, Story, generation, single};

#[test]
fn no_byte_of_the_old_keys_is_left() {
    for (profile, names) in [(CLUSTER, &AUTHORITIES[..]), (CLUSTER, &["etcd-ca"]), (&single(), &AUTHORITIES)] {
        let story = Story::phases(profile, names);
        // There and back again, so that more than one generation keeps the key.
        story.copy("switched", "twice");
        story.step("back", "twice", &[], 2).status(0);
        story.step("switch", "twice", &[], 3).status(0);
        story.step("retire", "twice", &[], 4).status(0);
        // In one command.
        story.copy("switched", "at-once");
        let passing = ["--confirm-all", "--not-before-override", "--forget"];
        let words = [&["rotate", "retire", "--dir", "at-once", "--at", DAYS[2]], &passing[..]].concat();
        story.place.kpki(&words).status(0);
        for dir in ["retired", "twice", "at-once"] {
            if dir != "at-once" {
                let held = story.holders("none/pki/etcd/ca.key", dir);
                assert!(held.iter().any(|path| path.starts_with(".kpki/rotation/")), "{held:?}");
                assert!(held.iter().any(|path| path.starts_with(".kpki/generations/")), "{held:?}");
                let trial = story.place.kpki(&["rotate", "forget", "--dir", dir, "--dry-run"]).status(0);
                assert!(!trial.wrote, "{trial:?}");
                let run =
                    story.place.kpki(&["rotate", "forget", "--dir", dir, "--at", DAYS[4], "-o", "json"]).status(0);
                assert!(run.json()["destroyed"].as_array().unwrap().len() >= names.len() * 2, "{run:?}");
            }
            for (name, public, key) in FILES {
                let held = story.holders(&format!("none/{key}"), dir);
                assert_eq!(held.is_empty(), names.contains(&name), "{dir} {name} {public} {held:?}");
                // The new one's is in use.
                assert!(story.holders(&format!("switched/{key}"), dir).contains(&key.to_owned()), "{dir} {name}");
            }
            let journal = story.place.read(&format!("{dir}/.kpki/journal.jsonl"));
            assert_eq!(journal.matches("\"rotate-forget\"").count(), names.len(), "{dir}");
            assert!(!story.place.path(&format!("{dir}/.kpki/rotation.json")).exists(), "{dir}");
            assert!(story.place.kpki(&["rotate", "forget", "--dir", dir]).ok().stdout.starts_with("nothing to do"));
            story.verifies(dir, 4);
        }
    }
}

/// The generations stay; one whose key is gone is not restored.
#[test]
fn a_generation_without_its_key_is_listed_and_refused() {
    let story = Story::phases(&single(), &["ca"]);
    let name = generation(&story.place, "retired", "rotate-switch");
    story.place.kpki(&["rotate", "forget", "--dir", "retired", "--at", DAYS[3]]).status(0);
    let history = story.place.kpki(&["history", "--dir", "retired"]).status(0);
    assert!(history.stdout.contains(&name), "{history:?}");
    story.place.kpki(&["restore", &name, "--dir", "retired", "--at", DAYS[4]]).fails(1);
    story.place.kpki(&["rotate", "back", "ca", "--dir", "retired", "--at", DAYS[4]]).fails(1);
}

#[test]
fn only_what_is_retired_is_forgotten() {
    let story = Story::phases(&single(), &["ca"]);
    for (dir, said) in [("none", "no ca is retired"), ("prepared", "it is prepared"), ("switched", "it is switched")] {
        let run = story.place.kpki(&["rotate", "forget", "ca", "--dir", dir]).fails(1);
        assert!(run.stderr.contains(said), "{run:?}");
        assert!(story.place.kpki(&["rotate", "forget", "--dir", dir]).ok().stdout.starts_with("nothing to do"));
    }
}

/// A copy in a file of the tree is in somebody's use: it is named, and counts.
#[test]
fn a_copy_that_is_in_use_is_named() {
    let story = Story::phases(CLUSTER, &["etcd-ca"]);
    let old = story.place.read("none/pki/etcd/ca.key");
    std::fs::write(story.place.path("retired/nodes/cp1/pki/front-proxy-ca.key"), old).unwrap();
    let run = story.place.kpki(&["rotate", "forget", "--dir", "retired", "--at", DAYS[3]]);
    assert!(run.status == 5 || run.status == 1, "{run:?}");
    if run.status == 5 {
        assert!(run.stdout.contains("nodes/cp1/pki/front-proxy-ca.key still holds the key"), "{run:?}");
    }
}
