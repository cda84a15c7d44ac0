//! `kpki history`, `kpki restore` and the journal: what was is kept, comes back to the byte, and is written down once.

use std::fs;

use serde_json::Value;

use super::super::harness::tree;
use super::{fixture, journal, made, renew, renew_at, report, visible};

#[test]
fn history_lists_and_restore_puts_back_to_the_byte() {
    let place = made("");
    fs::remove_file(place.path("k8s/scheduler.conf")).unwrap();
    let before = visible(&place);
    let renewed = report(&place, &["all"]);
    assert_eq!(renewed["generation"], "20261120T220000Z-renew");
    assert!(place.path("k8s/scheduler.conf").exists());
    let history = place.kpki(&["history", "--dir", "k8s", "-o", "json"]).ok().json();
    assert_eq!((&history["kind"], &history["directory"]), (&"History".into(), &"k8s".into()));
    let newest = &history["generations"][0];
    assert_eq!(newest["generation"], "20261120T220000Z-renew");
    assert_eq!((&newest["command"], &newest["time"]), (&"renew".into(), &"2026-11-20T22:00:00Z".into()));
    assert_eq!(newest["created"], serde_json::json!(["scheduler.conf"]));
    assert_eq!(newest["entries"].as_array().unwrap().len(), 13);
    // Seven pairs in pki, the kubelet's, and four kubeconfigs.
    assert_eq!(newest["replaced"].as_array().unwrap().len(), 2 * 8 + 4);
    let after = visible(&place);

    let dry = place.kpki(&["restore", "--dir", "k8s", "--dry-run"]).ok();
    assert!(dry.stdout.starts_with("would restore 21 files"), "{}", dry.stdout);
    assert_eq!(visible(&place), after);
    let restored = place.kpki(&["restore", "--dir", "k8s", "-o", "json"]).ok().json();
    assert_eq!(restored["removed"], serde_json::json!(["scheduler.conf"]));
    assert_eq!(visible(&place), before);
    // And it can be undone by its own generation.
    let kept = restored["kept"].as_str().unwrap();
    place.kpki(&["restore", kept, "--dir", "k8s"]).ok();
    assert_eq!(visible(&place), after);
}

#[test]
fn an_older_generation_takes_back_everything_since() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let before = visible(&place);
    let mut states = vec![before];
    for (day, words) in [("2026-12-01", "apiserver"), ("2026-12-02", "all"), ("2026-12-03", "admin.conf")] {
        renew_at(&place, day, &[words]).ok();
        states.push(visible(&place));
    }
    for (generation, state) in [("20261202T000000Z-renew", 1), ("20261201T000000Z-renew", 0)] {
        place.kpki(&["restore", generation, "--dir", "k8s"]).ok();
        assert_eq!(visible(&place), states[state], "{generation}");
    }
    let run = place.kpki(&["restore", "20261201T000000Z-renew", "--dir", "k8s"]).ok();
    assert!(run.stdout.starts_with("nothing to do"), "{}", run.stdout);
    let run = place.kpki(&["restore", "20991201T000000Z-renew", "--dir", "k8s"]).fails(2);
    assert!(run.stderr.contains("there is no generation"), "{}", run.stderr);
    for name in ["..", "../..", "/", "."] {
        place.kpki(&["restore", name, "--dir", "k8s"]).fails(2);
    }
}

#[test]
fn five_generations_stay() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    for n in 1..=7 {
        renew_at(&place, &format!("2026-12-{n:02}"), &["scheduler.conf"]).ok();
    }
    let history = place.kpki(&["history", "--dir", "k8s", "-o", "json"]).ok().json();
    let names: Vec<&str> =
        history["generations"].as_array().unwrap().iter().map(|one| one["generation"].as_str().unwrap()).collect();
    let wanted = [7, 6, 5, 4, 3].map(|n| format!("202612{n:02}T000000Z-renew"));
    assert_eq!(names, wanted);
    for (name, (mode, _)) in tree(&place.path("k8s/.kpki/generations")) {
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    // Twice in one second is two generations.
    renew_at(&place, "2026-12-07", &["scheduler.conf"]).ok();
    let again = place.kpki(&["history", "--dir", "k8s", "-o", "json"]).ok().json();
    assert_eq!(again["generations"].as_array().unwrap().len(), 5);
    assert_ne!(again["generations"][0]["generation"], "20261207T000000Z-renew");
}

#[test]
fn the_journal_has_every_certificate_once() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let first = report(&place, &["all"]);
    let second = report(&place, &["apiserver", "admin.conf"]);
    let failed = renew(&place, &["all", "--reuse-key", "--lock-timeout", "nonsense"]);
    assert_eq!(failed.status, 2);
    let lines = journal(&place);
    assert_eq!(lines.len(), 14);
    let made: Vec<Value> = [&first, &second]
        .iter()
        .flat_map(|tree| tree["entries"].as_array().unwrap().clone())
        .filter(|entry| entry["action"] == "renew")
        .collect();
    for (line, entry) in lines.iter().zip(&made) {
        assert_eq!((&line["command"], &line["entry"]), (&"renew".into(), &entry["name"]));
        let new = &entry["new"];
        let text = |value: &Value| value.as_str().unwrap().to_lowercase().replace(':', "");
        assert_eq!((text(&line["serial"]), text(&line["fingerprint"])), (text(&new["serial"]), text(&new["sha256"])));
        assert_eq!((&line["subject"], &line["issuer"]), (&new["subject"], &new["issuer"]));
        assert_eq!((&line["notBefore"], &line["notAfter"]), (&new["notBefore"], &new["expirationDate"]));
    }
    let serials: std::collections::BTreeSet<&str> = lines.iter().map(|line| line["serial"].as_str().unwrap()).collect();
    assert_eq!(serials.len(), 14);
    // What is put back is written down as well: it is in use again.
    place.kpki(&["restore", "--dir", "k8s"]).ok();
    let lines = journal(&place);
    assert_eq!(lines.len(), 16);
    assert!(lines[14..].iter().all(|line| line["command"] == "restore"));
}

#[test]
fn there_is_no_history_where_nothing_happened() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let history = place.kpki(&["history", "--dir", "k8s"]).ok();
    assert_eq!(history.stdout, "no run of kpki has replaced a file: k8s\n");
    let before = tree(&place.path("k8s"));
    let run = place.kpki(&["restore", "--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("there is nothing to restore in k8s: no run of kpki"), "{}", run.stderr);
    place.kpki(&["restore", "--dir", "nowhere"]).fails(1);
    assert_eq!(before, tree(&place.path("k8s")));
}

/// Who undoes the last run without naming it does not lose the tree that the first one made.
#[test]
fn what_only_made_files_is_undone_when_it_is_named() {
    let place = made("");
    let before = visible(&place);
    for words in [&["restore", "--dir", "k8s"][..], &["restore", "--dir", "k8s", "--dry-run"]] {
        let run = place.kpki(words).fails(1);
        assert!(run.stderr.contains("the newest generation 20261120T220000Z-init replaced nothing"), "{}", run.stderr);
        assert!(run.stderr.contains("restoring would only remove what it created: 29 files"), "{}", run.stderr);
    }
    assert_eq!(visible(&place), before);
    // The record of the newest is damaged: an older one is not taken for it.
    renew(&place, &["all"]).ok();
    let renewed = visible(&place);
    place.write("k8s/.kpki/generations/20261120T220000Z-renew/generation.json", "{");
    for words in [&["restore"][..], &["restore", "20261120T220000Z-renew"], &["restore", "20261120T220000Z-init"]] {
        let run = place.kpki(&[words, &["--dir", "k8s"]].concat()).fails(1);
        let said = "the record of 20261120T220000Z-renew is missing or damaged";
        assert!(run.stderr.contains(said) && run.stderr.contains("hint: see k8s/.kpki/generations/"), "{}", run.stderr);
        assert!(visible(&place) == renewed);
    }
}

/// Another tool has made a new pair since, and the generation holds only one half.
#[test]
fn a_pair_comes_back_whole_or_not_at_all() {
    let place = made("");
    renew(&place, &["apiserver"]).ok();
    let kept = place.path("k8s/.kpki/generations/20261120T220000Z-renew");
    fs::remove_file(kept.join("main/pki/apiserver.key")).unwrap();
    let record = kept.join("generation.json");
    let mut value: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    value["kept"].as_array_mut().unwrap().retain(|file| file["path"] != "pki/apiserver.key");
    fs::write(&record, value.to_string()).unwrap();
    let before = visible(&place);
    for words in [&["restore", "--dir", "k8s"][..], &["restore", "--dir", "k8s", "--dry-run"]] {
        let run = place.kpki(words).fails(1);
        for said in [
            "pki/apiserver.crt would not match the key beside it",
            "kpki renew apiserver --dir k8s",
            "newer generation",
        ] {
            assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
        }
    }
    assert!(visible(&place) == before);
}

/// The authority is another one since: what comes back is told to be of the old.
#[test]
fn what_comes_back_of_another_authority_is_told() {
    let place = made("");
    renew(&place, &["apiserver"]).ok();
    place.write("p2.yaml", super::super::harness::single(""));
    place.init(&["--profile", "p2.yaml", "--dir", "other"]).ok();
    for name in ["pki/ca.crt", "pki/ca.key"] {
        fs::copy(place.path("other").join(name), place.path("k8s").join(name)).unwrap();
    }
    let run = place.kpki(&["restore", "--dir", "k8s", "--dry-run", "-o", "json"]).ok();
    let warnings = run.json()["warnings"].clone();
    let said = "pki/apiserver.crt is signed by none of the tree's authorities";
    assert!(warnings.as_array().unwrap().len() == 1 && warnings[0].as_str().unwrap().starts_with(said), "{warnings}");
    let run = place.kpki(&["restore", "--dir", "k8s"]).ok();
    assert!(run.stdout.contains(&format!("  warning: {said}")), "{}", run.stdout);
}

#[test]
fn a_kubelets_directory_that_is_not_recorded_is_asked_for() {
    let place = made("");
    fs::create_dir(place.path("lib")).unwrap();
    fs::rename(place.path("k8s/kubelet"), place.path("lib/kubelet")).unwrap();
    let before = tree(&place.path("lib"));
    renew(&place, &["all", "--kubelet-dir", "lib/kubelet"]).ok();
    assert!(tree(&place.path("lib")) != before);
    let run = place.kpki(&["restore", "--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("no directory is known for the kubelet's files"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: give the same --kubelet-dir"), "{}", run.stderr);
    place.kpki(&["restore", "--dir", "k8s", "--kubelet-dir", "lib/kubelet"]).ok();
    assert!(tree(&place.path("lib")) == before);
}
