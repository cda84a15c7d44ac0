//! A rotation that nobody recorded is recorded as the files show it, or refused with what was found.

use std::fs;

use super::rotating::{AUTHORITIES, CLUSTER, DAYS, Story, single};

#[test]
fn a_lost_record_is_written_as_the_files_say() {
    for profile in [CLUSTER, &single()] {
        let story = Story::phases(profile, &AUTHORITIES);
        for phase in ["prepared", "switched"] {
            let was = story.record(phase);
            fs::remove_file(story.place.path(&format!("{phase}/.kpki/rotation.json"))).unwrap();
            let files = story.files(phase);
            // It is known that something is missing: nothing begins anew.
            let status = story.place.kpki(&["rotate", "status", "--dir", phase, "--at", DAYS[3]]).status(4);
            let said = format!("{}{}", status.stdout, status.stderr);
            assert!(
                said.contains("of a rotation that nothing records") && said.contains("kpki rotate record"),
                "{said}"
            );
            for verb in ["prepare", "switch", "retire", "back"] {
                let names: &[&str] = if verb == "prepare" { &["front-proxy-ca"] } else { &[] };
                let run =
                    story.place.kpki(&[&["rotate", verb, "--dir", phase, "--at", DAYS[3]], names].concat()).fails(1);
                assert!(run.stderr.contains("kpki rotate record"), "{run:?}");
            }
            story.step("record", phase, &[], 3).ok();
            assert_eq!(story.files(phase), files, "{phase}");
            let is = story.record(phase);
            for (was, is) in was["rotations"].as_array().unwrap().iter().zip(is["rotations"].as_array().unwrap()) {
                for field in ["authority", "number", "phase", "old", "new", "newKey"] {
                    assert_eq!(is[field], was[field], "{phase} {field}");
                }
                assert_eq!(is["since"], DAYS[3]);
                assert_eq!(is["confirmations"].as_array().unwrap().len(), 0);
            }
            assert!(story.step("record", phase, &[], 4).ok().stdout.starts_with("nothing to do"), "{phase}");
        }
        assert!(story.step("record", "none", &[], 4).ok().stdout.starts_with("nothing to do"));
        // It is a rotation as any other.
        story.step("switch", "prepared", &[], 4).status(0);
        story.verifies("prepared", 4);
        story.step("back", "switched", &["ca"], 4).status(0);
    }
}

#[test]
fn what_cannot_be_told_is_refused_or_given() {
    let story = Story::phases(&single(), &AUTHORITIES);
    let bare = |from: &str, dir: &str| {
        story.copy(from, dir);
        fs::remove_file(story.place.path(&format!("{dir}/.kpki/rotation.json"))).unwrap();
        fs::remove_dir_all(story.place.path(&format!("{dir}/.kpki/rotation"))).unwrap();
    };
    bare("prepared", "begun");
    bare("switched", "gone-on");
    // Public keys have no dates.
    let run = story.step("record", "gone-on", &["sa"], 3).fails(1);
    assert!(run.stderr.contains("cannot be told from gone-on/pki/sa.pub"), "{run:?}");
    story.step("record", "gone-on", &["sa", "--phase", "switched"], 3).ok();
    story.step("record", "gone-on", &["ca", "front-proxy-ca", "etcd-ca"], 3).ok();
    let record = story.record("gone-on");
    assert!(record["rotations"].as_array().unwrap().iter().all(|one| one["phase"] == "switched"), "{record}");
    // The key of the new one is with whoever made it.
    let run = story.step("record", "begun", &["ca"], 3).fails(1);
    assert!(run.stderr.contains("the key of the new ca is not here"), "{run:?}");
    let wrong =
        story.step("record", "begun", &["ca", "--new-key", "prepared/.kpki/rotation/etcd-ca.next.key"], 3).fails(1);
    assert!(wrong.stderr.contains("is not that of the new ca"), "{wrong:?}");
    story.step("record", "begun", &["ca", "--new-key", "prepared/.kpki/rotation/ca.next.key"], 3).ok();
    assert_eq!(story.record("begun")["rotations"][0]["newKey"], "here");
}

#[test]
fn what_was_found_is_said() {
    let story = Story::phases(CLUSTER, &["ca", "etcd-ca"]);
    let write = |path: &str, text: String| fs::write(story.place.path(path), text).unwrap();
    let read = |path: &str| story.place.read(path);
    let (old, new) = (read("none/pki/ca.crt"), read("retired/pki/ca.crt"));
    for (ca, key, said) in [
        (format!("{new}{old}"), "none/pki/ca.key", "the signer has to stand first"),
        (format!("{old}{new}"), "none/pki/etcd/ca.key", "found the key of none of them"),
        (format!("{old}{new}{}", read("none/pki/front-proxy-ca.crt")), "none/pki/ca.key", "found 3"),
    ] {
        story.copy("prepared", "other");
        fs::remove_file(story.place.path("other/.kpki/rotation.json")).unwrap();
        write("other/pki/ca.key", read(key));
        for path in ["pki/ca.crt", "nodes/cp1/pki/ca.crt", "nodes/cp2/pki/ca.crt", "nodes/w1/pki/ca.crt"] {
            write(&format!("other/{path}"), ca.clone());
        }
        let run = story.step("record", "other", &["ca"], 3).fails(1);
        assert!(run.stderr.contains(said), "{said}: {run:?}");
        fs::remove_dir_all(story.place.path("other")).unwrap();
    }
    // One node has another phase.
    write("prepared/nodes/w1/pki/ca.crt", old);
    fs::remove_file(story.place.path("prepared/.kpki/rotation.json")).unwrap();
    let run = story.step("record", "prepared", &["ca"], 3).fails(1);
    assert!(run.stderr.contains("nodes/w1/pki/ca.crt differs from"), "{run:?}");
}

/// The record is wrong: a step was done by hand since.
#[test]
fn the_files_outrank_the_record() {
    let story = Story::phases(&single(), &["ca"]);
    // The record of before the switch, with the files of after it.
    let early = story.place.read("prepared/.kpki/rotation.json");
    fs::write(story.place.path("switched/.kpki/rotation.json"), &early).unwrap();
    let run = story.step("retire", "switched", &["ca"], 3).fails(1);
    assert!(run.stderr.contains("kpki rotate record"), "{run:?}");
    story.step("record", "switched", &[], 3).ok();
    assert_eq!(story.record("switched")["rotations"][0]["phase"], "switched");
    fs::write(story.place.path("retired/.kpki/rotation.json"), &early).unwrap();
    story.step("record", "retired", &[], 3).ok();
    assert_eq!(story.record("retired")["rotations"].as_array().unwrap().len(), 0);
    assert_eq!(story.record("retired")["retired"][0]["authority"], "ca");
    fs::write(story.place.path("none/.kpki/rotation.json"), &early).unwrap();
    story.step("record", "none", &[], 3).ok();
    assert!(!story.place.path("none/.kpki/rotation.json").exists());
}
