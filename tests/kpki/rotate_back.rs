//! The way back from each phase: the tree is as it was, byte for byte, and what must not be there any more is nowhere.

use std::fs;

use super::harness::repository;
use super::rotating::{AUTHORITIES, CLUSTER, DAYS, FILES, Story, blocks, differences, generation, single};

/// ca-signer.crt stays: it is right in every phase. manifest.json lists it.
fn but_signer(names: Vec<String>) -> Vec<String> {
    names.into_iter().filter(|name| !name.contains("ca-signer.crt") && !name.starts_with("manifest.json ")).collect()
}

#[test]
fn from_each_phase_the_tree_is_as_it_was_before() {
    let external =
        fs::read_to_string(repository("profiles/external-etcd.yaml")).unwrap().replace("RSA-2048", "ECDSA-P256");
    for (profile, names) in [
        (CLUSTER, &AUTHORITIES[..]),
        (CLUSTER, &["ca"]),
        (CLUSTER, &["front-proxy-ca"]),
        (CLUSTER, &["etcd-ca"]),
        (CLUSTER, &["sa"]),
        (&single(), &AUTHORITIES),
        (&external, &["ca", "front-proxy-ca", "sa"]),
    ] {
        let story = Story::phases(profile, names);
        let nothing: Vec<String> = Vec::new();

        // After the switch: what the old one had signed is put back, and the new one's key waits again.
        story.copy("switched", "back");
        let run = story.step("back", "back", names, 2).status(0);
        assert!(
            run.stdout.contains("switched -> prepared") && run.stdout.contains(" 0 certificates made again"),
            "{names:?} {run:?}"
        );
        assert_eq!(differences(&story.files("back"), &story.files("prepared")), nothing, "{names:?}");
        for name in names {
            let key = |which: &str| format!("{{}}/.kpki/rotation/{name}.{which}.key");
            let next = key("next");
            assert_eq!(
                story.place.read(&next.replace("{}", "back")),
                story.place.read(&next.replace("{}", "prepared"))
            );
            assert!(!story.place.path(&key("previous").replace("{}", "back")).exists());
        }
        assert!(story.record("back")["rotations"].as_array().unwrap().iter().all(|one| one["phase"] == "prepared"));
        assert!(story.record("back")["rotations"].as_array().unwrap().iter().all(|one| one["since"] == DAYS[2]));

        // Once more, and from prepared: the new one's key is nowhere.
        for dir in ["back", "prepared"] {
            let keys: Vec<String> = names
                .iter()
                .map(|name| story.place.read(&format!("prepared/.kpki/rotation/{name}.next.key")))
                .collect();
            let from = format!("{dir}-none");
            story.copy(dir, &from);
            // Without a name: all that are being rotated.
            story.step("back", &from, &[], 3).ok();
            assert_eq!(but_signer(differences(&story.files(&from), &story.files("none"))), nothing, "{names:?} {dir}");
            for key in keys {
                assert_eq!(super::rotating::holders(&key, &story.place.path(&from)), nothing, "{names:?} {dir}");
            }
            assert!(!story.place.path(&format!("{from}/.kpki/rotation.json")).exists());
            assert!(story.step("back", &from, &[], 4).ok().stdout.starts_with("nothing to do"));
            story.verifies(&from, 4);
        }
    }
}

#[test]
fn a_trial_writes_nothing_and_says_the_same() {
    let story = Story::phases(CLUSTER, &["ca"]);
    for dir in ["prepared", "switched"] {
        let words = ["rotate", "back", "--dir", dir, "--at", DAYS[3]];
        let trial = story.place.kpki(&[&words[..], &["--dry-run", "-o", "json"]].concat());
        assert!(!trial.wrote && trial.status == 0, "{trial:?}");
        let done = story.place.kpki(&[&words[..], &["-o", "json"]].concat());
        for part in ["authorities", "entries", "restart"] {
            assert_eq!(trial.json()[part], done.json()[part], "{dir} {part}");
        }
    }
}

#[test]
fn what_is_not_kept_is_made_again_by_the_old_one_and_that_is_said() {
    let story = Story::phases(&single(), &["ca", "etcd-ca"]);
    let kept = generation(&story.place, "switched", "rotate-switch");
    fs::remove_dir_all(story.place.path("switched/.kpki/generations").join(kept)).unwrap();
    let run = story.step("back", "switched", &[], 2).status(0);
    assert!(run.stdout.contains(" 0 put back") || !run.stdout.contains("put back"), "{run:?}");
    assert!(run.stderr.contains("is not kept any more: everything is made again by the old one"), "{run:?}");
    story.verifies("switched", 3);
    let crt = |dir: &str, file: &str| story.place.read(&format!("{dir}/pki/{file}"));
    assert_eq!(crt("switched", "ca.crt"), crt("prepared", "ca.crt"));
    assert_ne!(crt("switched", "apiserver.crt"), crt("prepared", "apiserver.crt"));
}

/// The generation of the switch stays, however many come after it, and what was renewed since is put back too.
#[test]
fn the_generation_of_the_switch_outlives_the_others() {
    let profile = format!("{}renewal: {{keepGenerations: 1}}\n", single());
    let story = Story::phases(&profile, &["ca"]);
    for _ in 0..3 {
        story.place.kpki(&["renew", "apiserver", "--dir", "switched", "--at", DAYS[2]]).status(0);
    }
    assert!(!generation(&story.place, "switched", "rotate-switch").is_empty());
    story.step("back", "switched", &["ca"], 3).status(0);
    assert_eq!(differences(&story.files("switched"), &story.files("prepared")), Vec::<String>::new());
    // Once it is over, it goes as any other.
    story.step("back", "switched", &["ca"], 4).status(0);
    for name in ["apiserver", "apiserver-kubelet-client"] {
        story.place.kpki(&["renew", name, "--dir", "switched", "--at", DAYS[4]]).status(0);
    }
    let all = fs::read_dir(story.place.path("switched/.kpki/generations")).unwrap().count();
    assert_eq!(all, 1);
}

#[test]
fn after_the_retirement_a_named_one_is_trusted_again_and_does_not_sign() {
    let story = Story::phases(CLUSTER, &AUTHORITIES);
    assert!(story.step("back", "retired", &[], 3).ok().stdout.starts_with("nothing to do"));
    story.step("back", "retired", &["ca", "sa"], 3).ok();
    for (name, public, key) in FILES {
        let read = |dir: &str, file: &str| story.place.read(&format!("{dir}/{file}"));
        assert_eq!(read("retired", key), read("switched", key), "{name}");
        let expected = if ["ca", "sa"].contains(&name) { 2 } else { 1 };
        assert_eq!(blocks(&read("retired", public)), expected, "{name}");
    }
    assert_eq!(
        differences(&story.files("retired"), &story.files("switched"))
            .iter()
            .filter(|name| name.contains("pki/ca.crt"))
            .count(),
        0
    );
    story.verifies("retired", 4);
    // And all the way: the old one's key is here, and signs again.
    story.step("back", "retired", &["ca"], 4).status(0);
    let read = |dir: &str, file: &str| story.place.read(&format!("{dir}/{file}"));
    assert_eq!(read("retired", "pki/ca.crt"), read("prepared", "pki/ca.crt"));
    assert_eq!(read("retired", "pki/ca.key"), read("prepared", "pki/ca.key"));
    story.verifies("retired", 4);
}

#[test]
fn without_the_old_key_it_cannot_sign_again() {
    let story = Story::phases(&single(), &["ca"]);
    fs::remove_file(story.place.path("switched/.kpki/rotation/ca.previous.key")).unwrap();
    let run = story.step("back", "switched", &[], 2).fails(1);
    assert!(run.stderr.contains("expected switched/.kpki/rotation/ca.previous.key"), "{run:?}");
    assert!(run.stderr.contains("kpki rotate retire ca --dir switched"), "{run:?}");
    let run = story.step("back", "none", &["ca"], 2).fails(1);
    assert!(run.stderr.contains("is not being rotated"), "{run:?}");
}
