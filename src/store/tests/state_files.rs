//! The state files of kpki 0.1.0, as `fixtures/state/0.1.0/README.md` describes them.

#![allow(clippy::disallowed_methods)] // the outside world of these tests

use super::super::{generations, journal, recover};
use super::*;

fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/state/0.1.0").join(name)).unwrap()
}

/// A tree with these state files, `.kpki` trusted.
fn tree(tmp: &Path, files: &[(&str, &str)]) -> Roots {
    let roots = main_only(tmp);
    for (path, text) in files {
        write(&roots.main.join(".kpki").join(path), text);
    }
    chmod(&roots.main.join(".kpki"), 0o700);
    roots
}

#[test]
fn a_renewal_that_kpki_0_1_0_began_is_finished() {
    let tmp = tempfile::tempdir().unwrap();
    let mark = fixture("mark.json").replace("/tmp/kpki-example", tmp.path().to_str().unwrap());
    let value: serde_json::Value = serde_json::from_str(&mark).unwrap();
    // The journal was longer: half a line of the new ones was written.
    let length = value["journal"].as_u64().unwrap().try_into().unwrap();
    let whole = fixture("journal.jsonl");
    let (old, new) = whole.split_at(length);
    let roots = tree(tmp.path(), &[("commit", &mark), ("staging/journal", new)]);
    write(&roots.main.join(".kpki/journal.jsonl"), &format!("{old}{}", new.get(..99).unwrap()));
    let outside = tmp.path().join("kubelet").join(value["kubelet"]["staging"].as_str().unwrap());
    let files = value["files"].as_array().unwrap();
    for file in files {
        let staging = if file["root"] == "kubelet" { outside.clone() } else { roots.main.join(".kpki/staging") };
        write(&staging.join(file["staged"].as_str().unwrap()), file["path"].as_str().unwrap());
    }
    let finished =
        Recovery::Finished { files: files.len(), generation: "20261122T080000Z-renew".to_owned(), outer: Vec::new() };
    assert_eq!(recover(&roots, Duration::ZERO), Ok(finished));
    let (main, state) = (roots.main.clone(), roots.main.join(".kpki"));
    for file in files {
        let root = match file["root"].as_str().unwrap() {
            "main" => &main,
            "kubelet" => &tmp.path().join("kubelet"),
            _ => &state,
        };
        let path = file["path"].as_str().unwrap();
        assert_eq!(std::fs::read_to_string(root.join(path)).unwrap(), path);
    }
    assert_eq!(journal(&roots).unwrap().join("\n") + "\n", whole);
    assert!(!state.join("commit").exists() && !state.join("staging").exists() && !outside.exists());
}

#[test]
fn a_restore_that_kpki_0_1_0_began_is_finished() {
    let tmp = tempfile::tempdir().unwrap();
    let mark = fixture("mark-with-removals.json");
    let roots = tree(tmp.path(), &[("commit", &mark)]);
    // Another file than the one that was to go: it stays.
    write(&roots.main.join("pki/etcd/healthcheck-client.crt"), "theirs");
    assert!(matches!(recover(&roots, Duration::ZERO), Ok(Recovery::Finished { files: 2, .. })));
    assert_eq!(snapshot(&roots.main)["pki/etcd/healthcheck-client.crt"].1.as_deref(), Some("theirs"));
    assert_clean(tmp.path());
}

#[test]
fn a_generation_and_a_journal_of_kpki_0_1_0_are_read() {
    let tmp = tempfile::tempdir().unwrap();
    let (record, lines) = (fixture("generation.json"), fixture("journal.jsonl"));
    let name = "20261122T080000Z-renew";
    let roots =
        tree(tmp.path(), &[(&format!("generations/{name}/generation.json"), &record), ("journal.jsonl", &lines)]);
    let found = generations(&roots).unwrap();
    assert_eq!((found.len(), found[0].name.as_str(), found[0].recorded), (1, name, true));
    assert_eq!(found[0].note.as_ref().unwrap()["command"], "renew");
    assert_eq!((found[0].kept.len(), found[0].created.len()), (21, 0));
    assert_eq!(found[0].kept[20], (RootId::Kubelet, rel("kubelet.crt")));
    assert_eq!(journal(&roots).unwrap().len(), 41);
    // The next commit of the tree counts on from there.
    let next = Commit { note: Some("{}".to_owned()), ..commit(&roots, changes(&roots, "one", false)) };
    publish(&next).unwrap();
    assert_eq!(generations(&roots).unwrap()[0].name, "gen");
    let record: serde_json::Value = serde_json::from_str(&fixture("generation.json")).unwrap();
    let text = std::fs::read_to_string(roots.main.join(".kpki/generations/gen/generation.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["sequence"].as_u64(), record["sequence"].as_u64().map(|number| number + 1));
}
