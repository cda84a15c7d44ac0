//! All at once: the old authority is trusted by nobody, and everything is of the new one.

use std::fs;

use super::harness::Place;
use super::rotating::{AUTHORITIES, CLUSTER, DAYS, FILES, Story, blocks, single};

fn file(place: &Place, dir: &str, path: &str) -> String {
    place.read(&format!("{dir}/{path}"))
}

#[test]
fn from_each_phase_everything_is_of_a_fresh_authority() {
    for profile in [CLUSTER, &single()] {
        let story = Story::phases(profile, &AUTHORITIES);
        for from in ["none", "prepared", "switched"] {
            for (name, public, key) in FILES {
                let dir = format!("{from}-{name}");
                story.copy(from, &dir);
                story.step("emergency", &dir, &[name], 3).status(0);
                let now = file(&story.place, &dir, public);
                assert_eq!(blocks(&now), 1, "{dir}");
                for other in ["none", "switched"] {
                    assert!(!file(&story.place, other, public).contains(&now), "{dir}: not fresh");
                    assert_ne!(file(&story.place, &dir, key), file(&story.place, other, key), "{dir}");
                }
                let record = story.record(&dir);
                let one = record["rotations"].as_array().unwrap().iter().find(|one| one["authority"] == name).unwrap();
                assert_eq!(one["phase"], "emergency", "{dir}");
                assert_eq!(one["since"], DAYS[3], "{dir}");
                assert!(!story.place.path(&format!("{dir}/.kpki/rotation/{name}.next.key")).exists(), "{dir}");
                story.verifies(&dir, 4);
                assert!(story.step("emergency", &dir, &[name], 4).ok().stdout.starts_with("nothing to do"), "{dir}");
                // There is no way back, and the retirement ends it.
                story.step("back", &dir, &[name], 4).fails(1);
                story.step("retire", &dir, &[name], 4).status(0);
                story.step("back", &dir, &[name], 4).fails(1);
                story.place.kpki(&["rotate", "forget", name, "--dir", &dir, "--at", DAYS[4]]).status(0);
                for other in ["none", "switched"] {
                    let gone = from == "switched" || other == "none";
                    assert!(!gone || story.holders(&format!("{other}/{key}"), &dir).is_empty(), "{dir} {other}");
                }
                story.verifies(&dir, 4);
            }
        }
    }
}

#[test]
fn the_trust_file_is_for_pods_alone_and_goes_with_the_retirement() {
    for (profile, paths) in [
        (CLUSTER, &["nodes/cp1/pki/ca-trust.crt", "nodes/cp2/pki/ca-trust.crt"][..]),
        (&single(), &["pki/ca-trust.crt"]),
    ] {
        let story = Story::new(profile);
        story.copy("none", "now");
        let run = story.step("emergency", "now", &["ca"], 0).status(0);
        assert!(run.stdout.contains("--root-ca-file=/etc/kubernetes/pki/ca-trust.crt"), "{run:?}");
        for path in paths {
            let both = file(&story.place, "now", "pki/ca.crt") + &file(&story.place, "none", "pki/ca.crt");
            assert_eq!(file(&story.place, "now", path), both, "{path}");
        }
        assert!(!story.place.path("now/nodes/w1/pki/ca-trust.crt").exists());
        story.step("retire", "now", &["ca"], 1).status(0);
        assert!(!paths.iter().any(|path| story.place.path("now").join(path).exists()));
        story.verifies("now", 2);
    }
}

#[test]
fn without_the_word_it_is_explained_and_refused() {
    let story = Story::new(&single());
    for (name, said) in [
        ("ca", "the API is away"),
        ("etcd-ca", "stopped and started"),
        ("front-proxy-ca", "extension API servers"),
        ("sa", "every pod gets 401"),
    ] {
        let words = ["rotate", "emergency", name, "--dir", "none", "--at", DAYS[0]];
        let run = story.place.kpki(&words).fails(1);
        assert!(run.stderr.contains(said) && run.stderr.contains("--yes-this-interrupts"), "{run:?}");
        // Nothing is near its end: a renewal is no help.
        assert!(!run.stderr.contains("kpki renew"), "{run:?}");
        let trial = story.place.kpki(&[&words[..], &["--dry-run"]].concat()).status(0);
        assert!(!trial.wrote && trial.stdout.starts_with("would emergency"), "{trial:?}");
    }
    // Nobody replaces everything at once by a word, and it is no success that nothing was done.
    let all = ["rotate", "emergency", "all", "--yes-this-interrupts", "--dir", "none", "--at", DAYS[0]];
    let run = story.place.kpki(&all).fails(2);
    assert!(run.stderr.contains("each authority is named"), "{run:?}");
    // Shortly before its end the renewal is named first, and each command works as it is printed.
    let late = "2036-11-10T00:00:00Z";
    let run = story.place.kpki(&["rotate", "emergency", "ca", "--dir", "none", "--at", late]).fails(1);
    let commands = printed(&run.stderr);
    let starts: Vec<&str> = commands.iter().map(|words| words[0].as_str()).collect();
    assert_eq!(starts, ["rotate", "renew", "rotate", "rotate"], "{run:?}");
    for words in commands {
        story.copy("none", "other");
        let mut words: Vec<&str> = words.iter().map(|word| if word == "none" { "other" } else { word }).collect();
        words.extend(["--at", if words[1] == "prepare" { DAYS[0] } else { late }]);
        let run = story.place.kpki(&words);
        assert!([0, 5].contains(&run.status), "{words:?} {run:?}");
        fs::remove_dir_all(story.place.path("other")).unwrap();
    }
}

/// The commands behind the colons of hints.
fn printed(stderr: &str) -> Vec<Vec<String>> {
    let commands = stderr.lines().filter_map(|line| Some(line.rsplit_once(": kpki ")?.1));
    commands.map(|command| command.split(' ').map(str::to_owned).collect()).collect()
}

/// Expired, or without its key: nothing of the old one is needed.
#[test]
fn an_authority_that_ended_or_lost_its_key_is_replaced() {
    for profile in [CLUSTER, &single()] {
        let story = Story::new(profile);
        for (name, public, key) in FILES {
            story.copy("none", name);
            fs::remove_file(story.place.path(&format!("{name}/{key}"))).unwrap();
            story.step("emergency", name, &[name], 0).status(0);
            assert_eq!(blocks(&file(&story.place, name, public)), 1);
            assert_ne!(file(&story.place, name, public), file(&story.place, "none", public));
            assert_eq!(blocks(&file(&story.place, name, key)), 1);
            story.verifies(name, 1);
        }
        story.copy("none", "late");
        let late = "2037-01-01T00:00:00Z";
        let words = ["rotate", "emergency", "ca", "--dir", "late", "--at", late, "--yes-this-interrupts"];
        story.place.kpki(&words).status(0);
        assert_eq!(blocks(&file(&story.place, "late", "pki/ca.crt")), 1);
    }
}
