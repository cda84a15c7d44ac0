//! `kpki plan`: what it says is what `init` and `renew all --due` then do, and it does nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::harness::{NOW, Place, Run, single};

/// Inside the renewal window of what is made at [`NOW`].
const DUE: &str = "2027-11-10T22:00:00Z";

/// Profiles in `git`, trees in `state`.
fn fleet(names: &[&str]) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("state")).unwrap();
    for name in names {
        place.write(&format!("git/{name}.yaml"), single(&format!("clusterName: {name}\n")));
        apply(&place, name, NOW);
    }
    place
}

/// `init` of one cluster by its profile.
fn apply(place: &Place, name: &str, at: &str) -> Run {
    let (profile, dir) = (format!("git/{name}.yaml"), format!("state/{name}"));
    place.kpki(&["init", "--profile", &profile, "--dir", &dir, "--at", at])
}

const FLEET: [&str; 4] = ["--profiles", "git", "--state", "state"];

#[track_caller]
fn plan_at(place: &Place, at: &str, words: &[&str], status: i32) -> Run {
    let run = place.kpki(&[&["plan", "--at", at], words].concat()).status(status);
    assert!(!run.wrote, "a plan wrote something");
    run
}

#[track_caller]
fn plan(place: &Place, status: i32) -> Value {
    plan_at(place, NOW, &[&FLEET[..], &["-o", "json"]].concat(), status).json()
}

/// Of one cluster: its profile's state, then `ACTION ID` of every change.
fn of(report: &Value, name: &str) -> (String, Vec<String>) {
    let cluster = report["clusters"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let change = |one: &Value| match one["node"].as_str() {
        Some(node) => format!("{} {node}/{}", word(&one["action"]), word(&one["name"])),
        None => format!("{} {}", word(&one["action"]), word(&one["name"])),
    };
    (word(&cluster["profile"]), cluster["changes"].as_array().unwrap().iter().map(change).collect())
}

#[test]
fn nothing_to_do_is_status_0() {
    let place = fleet(&["a", "b"]);
    let run = plan_at(&place, NOW, &FLEET, 0).ok();
    assert!(run.stdout.starts_with("0 of 2 clusters would change; 2 with nothing to do\n"), "{}", run.stdout);
    // A comment changes no certificate.
    place.write("git/a.yaml", single("clusterName: a\n# a comment\n"));
    assert_eq!(of(&plan(&place, 0), "a"), ("same".to_owned(), vec![]));
    let run = plan_at(&place, NOW, &["--dir", "state/a"], 0).ok();
    assert!(run.stdout.contains("state/a"), "{}", run.stdout);
}

#[test]
fn a_new_profile_is_a_cluster_that_would_be_made() {
    let place = fleet(&["a"]);
    place.write("git/b.yaml", single("clusterName: b\n"));
    let report = plan(&place, 10);
    let (profile, changes) = of(&report, "b");
    assert_eq!(profile, "new");
    assert!(changes.iter().all(|change| change.starts_with("make ")) && changes.len() > 13, "{changes:?}");
    assert_eq!(of(&report, "a").1, Vec::<String>::new());
    // What is planned is what is made.
    let (profile, dir) = ("git/b.yaml", "state/b");
    let made = place.kpki(&["init", "--profile", profile, "--dir", dir, "--at", NOW, "-o", "json"]).ok().json();
    assert_eq!(made["entries"].as_array().unwrap().len(), changes.len());
    plan(&place, 0);
}

#[test]
fn a_name_that_is_added_is_renewed_as_planned() {
    let place = fleet(&["a", "b"]);
    place.write("git/a.yaml", single("clusterName: a\napiServer:\n  certSANs: [api.example.com]\n"));
    let report = plan(&place, 10);
    assert_eq!(of(&report, "a"), ("changed".to_owned(), vec!["renew apiserver".to_owned()]));
    let one = &report["clusters"][0];
    assert_eq!(one["differences"][0]["field"], "apiServer.certSANs");
    assert_eq!(one["differences"][0]["added"][0], "api.example.com");
    assert_eq!(one["changes"][0]["namesAdded"][0], "api.example.com");
    // The same of the one tree.
    plan_at(&place, NOW, &["--dir", "state/a", "--profile", "git/a.yaml"], 10);
    plan_at(&place, NOW, &["--dir", "state/a"], 0);
    // Init records the profile and leaves the name to renew, in a fleet with its trees elsewhere.
    apply(&place, "a", NOW).status(5);
    let renewed = place.kpki(&[&["renew", "all", "--due", "--at", NOW, "-o", "json"], &FLEET[..]].concat()).ok().json();
    let made = |tree: &Value| {
        let all = tree["entries"].as_array().unwrap().iter();
        all.filter(|entry| entry["action"] == "renew").map(|entry| entry["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(made(&renewed["trees"][0]), ["apiserver"]);
    assert_eq!(made(&renewed["trees"][1]), Vec::<Value>::new());
    plan(&place, 0);
}

#[test]
fn what_is_due_at_an_instant_is_what_renew_then_renews() {
    let place = fleet(&["a"]);
    let report = plan_at(&place, DUE, &[&FLEET[..], &["-o", "json"]].concat(), 10).json();
    let planned = of(&report, "a").1;
    let words = [&["renew", "all", "--due", "--dry-run", "--at", DUE, "-o", "json"], &FLEET[..]].concat();
    let renewed = place.kpki(&words).ok().json();
    let all = renewed["trees"][0]["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "renew");
    let mut all: Vec<String> = all.map(|entry| format!("renew {}", entry["name"].as_str().unwrap())).collect();
    all.sort();
    assert_eq!(planned, all);
    assert_eq!(planned.len(), 13);
}

#[test]
fn what_has_expired_and_is_renewed_is_a_change() {
    let place = fleet(&["a"]);
    let at = "2028-03-01T00:00:00Z";
    let report = plan_at(&place, at, &[&FLEET[..], &["-o", "json"]].concat(), 10).json();
    assert_eq!(report["clusters"][0]["outcome"], "changes", "{report}");
    let (_, changes) = of(&report, "a");
    assert!(
        changes.contains(&"renew apiserver".to_owned()) && changes.iter().all(|one| one.starts_with("renew")),
        "{changes:?}"
    );
    // Init itself refuses it as before.
    assert!(apply(&place, "a", at).fails(1).stderr.contains("expired at"));
}

#[test]
fn a_dry_run_of_several_trees_claims_nothing() {
    let place = fleet(&["a", "b"]);
    let words = [&["renew", "all", "--due", "--at", DUE, "--dry-run"][..], &FLEET].concat();
    let run = place.kpki(&words).status(0);
    let verdict = run.stdout.lines().next().unwrap_or_default();
    assert!(verdict.starts_with("would renew ") && verdict.ends_with("in 2 trees; 2 would be renewed"), "{verdict}");
}

#[test]
fn a_profile_is_taken_from_standard_input_and_by_any_name() {
    let place = fleet(&["a"]);
    let more = single("clusterName: a\napiServer:\n  certSANs: [x.example.com]\n");
    let words = ["plan", "--profile", "-", "--dir", "state/a", "--at", NOW, "-o", "json"];
    let stdin = place.kpki_with(&words, more.as_bytes()).status(10).json();
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"p\xff.yaml");
    fs::write(place.path("").join(name), &more).unwrap();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_kpki"));
    program
        .current_dir(place.path(""))
        .args(["plan", "--dir", "state/a", "--at", NOW, "-o", "json", "--profile"])
        .arg(name);
    let ran = program.output().unwrap();
    fs::remove_file(place.path("").join(name)).unwrap();
    let file: Value = serde_json::from_slice(&ran.stdout).unwrap();
    for report in [stdin, file] {
        assert_eq!(report["clusters"][0]["outcome"], "changes", "{report}");
        assert_eq!(of(&report, "state/a"), ("changed".to_owned(), vec!["renew apiserver".to_owned()]));
    }
    // The metrics after a run are of the same profile.
    let words =
        ["renew", "all", "--due", "--profile", "-", "--dir", "state/a", "--at", NOW, "--metrics-file", "m.prom"];
    let run = place.kpki_with(&words, more.as_bytes()).status(0);
    assert!(run.stdout.starts_with("renewed 1 of ") && place.read("m.prom").contains("kpki_"), "{}", run.stdout);
}

#[test]
fn a_profile_whose_name_is_dots_leads_nowhere() {
    let place = fleet(&["a"]);
    for name in ["..yaml", "...yaml"] {
        place.write(&format!("git/{name}"), single("clusterName: a\n"));
        let file = format!("git/{name}");
        for words in [&["plan"][..], &["renew", "all", "--due"], &["check"]] {
            for given in [&FLEET[..], &["--profile", &file]] {
                let run = place.kpki(&[words, given, &["--at", NOW]].concat()).fails(2);
                assert!(run.stderr.contains("names no tree"), "{}", run.stderr);
            }
        }
        fs::remove_file(place.path(&file)).unwrap();
    }
}

#[test]
fn a_node_that_is_added_is_made_and_not_renewed() {
    let nodes = |all: &[&str]| {
        let node = |(index, name): (usize, &&str)| {
            format!("- name: {name}\n  roles: [control-plane]\n  addresses: [10.0.0.{}]\n", index + 1)
        };
        let nodes: String = all.iter().enumerate().map(node).collect();
        format!(
            "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: a\ncontrolPlaneEndpoint: lb.example.com:6443\nnodes:\n{nodes}"
        )
    };
    let place = fleet(&[]);
    place.write("git/a.yaml", nodes(&["cp1", "cp2"]));
    apply(&place, "a", NOW).ok();
    place.write("git/a.yaml", nodes(&["cp1", "cp2", "cp3"]));
    let (profile, changes) = of(&plan(&place, 10), "a");
    assert_eq!(profile, "changed");
    assert!(changes.iter().any(|change| change == "make cp3/apiserver"), "{changes:?}");
    // The others know it by a name that is added.
    let renewed: Vec<&String> = changes.iter().filter(|change| !change.starts_with("make cp3/")).collect();
    assert_eq!(renewed, ["renew cp1/apiserver", "renew cp2/apiserver"]);
    let mut once = changes.clone();
    once.dedup();
    assert_eq!(once, changes);
}

#[test]
fn what_cannot_be_done_is_said_and_stops_no_other() {
    let place = fleet(&["a", "b", "c", "d"]);
    // Another subject, which init refuses; a damaged file; a directory without its profile.
    place.write("git/a.yaml", single("clusterName: a\nencryptionAlgorithm: RSA-2048\n"));
    fs::write(place.path("state/a/pki/ca.crt"), "junk").unwrap();
    fs::remove_file(place.path("git/c.yaml")).unwrap();
    place.write("git/e.yaml", single("clusterName: e\n"));
    let run = plan_at(&place, NOW, &[&FLEET[..], &["-o", "json"]].concat(), 1);
    let report = run.json();
    let failures = report["clusters"][0]["failures"].to_string();
    assert!(failures.contains("ca: its certificate cannot be read"), "{failures}");
    // Quiet, they are all that a job says.
    let quiet = plan_at(&place, NOW, &[&FLEET[..], &["-q"]].concat(), 1);
    assert!(quiet.stdout.is_empty() && quiet.stderr.starts_with("error: a: cannot make the tree"), "{}", quiet.stderr);
    let outcomes: Vec<_> = report["clusters"].as_array().unwrap().iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!(outcomes, ["refused", "nothing", "nothing", "nothing", "changes"]);
    assert_eq!(of(&report, "c").0, "gone");
    let table = plan_at(&place, NOW, &FLEET, 1).stdout;
    assert!(table.contains("gone: the tree has no profile any more"), "{table}");
    assert!(
        table.starts_with("1 of 5 clusters would change; 1 refused or not readable; 3 with nothing to do\n"),
        "{table}"
    );
    // A wrong profile outranks it, and the others are shown.
    place.write("git/b.yaml", "nonsense");
    let run = plan_at(&place, NOW, &[&FLEET[..], &["-o", "json"]].concat(), 2);
    assert_eq!(of(&run.json(), "b").0, "wrong");
    assert_eq!(of(&run.json(), "e").0, "new");
    assert_eq!(run.stderr, "");
}

#[test]
fn an_external_authority_leaves_what_is_due() {
    let place = fleet(&["a"]);
    fs::remove_file(place.path("state/a/pki/etcd/ca.key")).unwrap();
    plan(&place, 0);
    let report = plan_at(&place, DUE, &[&FLEET[..], &["-o", "json"]].concat(), 10).json();
    let (_, changes) = of(&report, "a");
    assert!(changes.contains(&"left etcd-server".to_owned()), "{changes:?}");
    assert!(changes.contains(&"renew apiserver".to_owned()), "{changes:?}");
}

#[test]
fn a_rotation_in_progress_is_named() {
    let place = fleet(&["a"]);
    place.kpki(&["rotate", "prepare", "etcd-ca", "--dir", "state/a", "--at", NOW]).status(0);
    let report = plan_at(&place, NOW, &[&FLEET[..], &["-o", "json"]].concat(), 0).json();
    assert_eq!(report["clusters"][0]["rotations"], serde_json::json!([{"name": "etcd-ca", "phase": "prepared"}]));
}

#[test]
fn a_wrong_command_line_is_refused() {
    let place = fleet(&["a"]);
    place.kpki(&["plan", "--state", "state"]).fails(2);
    place.kpki(&["plan", "--profiles", "git", "--state", "nowhere"]).fails(1);
    place.kpki(&["plan", "--profiles", "nowhere"]).fails(1);
    // Which of two profiles is meant is not guessed.
    fs::copy(place.path("git/a.yaml"), place.path("git/a.yml")).unwrap();
    let run = place.kpki(&[&["plan", "--at", NOW], &FLEET[..]].concat()).fails(2);
    assert!(run.stderr.contains("two profiles describe state/a"), "{}", run.stderr);
}

#[test]
fn no_program_is_run_and_no_key_is_decrypted() {
    let place = fleet(&[]);
    let hook = place.write("hook", "#!/bin/sh\ntouch \"$(dirname \"$0\")/was-run\"\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let hook = hook.display().to_string();
    let nodes = "nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n";
    place.write(
        "git/a.yaml",
        format!(
            "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: a\ncaKeys: none\ncontrolPlaneEndpoint: lb.example.com:6443\n\
             authorities:\n  etcd-ca:\n    key:\n      command: [\"{hook}\"]\nrenewal:\n  hooks:\n    pre: [\"{hook}\"]\n{nodes}"
        ),
    );
    plan_at(&place, NOW, &FLEET, 10);
    assert!(!place.path("was-run").exists());
    // Nor of a tree that is there, when everything is due.
    let place = fleet(&["b"]);
    place.write("git/b.yaml", single(&format!("clusterName: b\nrenewal:\n  hooks:\n    pre: [\"{hook}\"]\n")));
    plan_at(&place, DUE, &FLEET, 10);
    assert!(!fs::exists(std::path::Path::new(&hook).with_file_name("was-run")).unwrap());
}

#[test]
fn a_key_that_has_to_be_opened_is_named() {
    let place = fleet(&[]);
    let nodes = "nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n";
    let profile =
        "apiVersion: kpki/v1\nkind: ClusterProfile\ncaKeys: none\ncontrolPlaneEndpoint: lb.example.com:6443\n";
    place.write("git/a.yaml", format!("{profile}{nodes}"));
    fs::set_permissions(place.write("passphrase", "correct horse"), fs::Permissions::from_mode(0o600)).unwrap();
    let words =
        ["init", "--profile", "git/a.yaml", "--dir", "state/a", "--key-passphrase-file", "passphrase", "--at", NOW];
    place.kpki(&words).status(0);
    assert_eq!(plan(&place, 0)["clusters"][0]["keysToOpen"], serde_json::json!([]));
    let due = plan_at(&place, DUE, &[&FLEET[..], &["-o", "json"]].concat(), 10).json();
    let all = serde_json::json!(["ca", "etcd-ca", "front-proxy-ca"]);
    assert_eq!(due["clusters"][0]["keysToOpen"], all);
    // The same where init would sign.
    place.write("git/a.yaml", format!("{profile}{nodes}- {{name: cp3, addresses: [10.0.0.3]}}\n"));
    assert_eq!(plan(&place, 10)["clusters"][0]["keysToOpen"], all);
}

#[test]
fn names_that_are_hostile_stay_text_in_a_comment() {
    let place = fleet(&[]);
    for name in ["a|b", "`x`", "@everyone", "\u{202e}gpj", "<script>", "a\nb"] {
        place.write(&format!("git/{name}.yaml"), "nonsense\n");
    }
    let text = plan_at(&place, NOW, &[&FLEET[..], &["-o", "markdown"]].concat(), 2).stdout;
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| <code>")).collect();
    assert_eq!(rows.len(), 6, "{text}");
    assert!(rows.iter().all(|row| row.matches('|').count() == 8), "{text}");
    assert!(
        !text.contains('`') && !text.contains('@') && !text.contains("<script") && !text.contains('\u{202e}'),
        "{text}"
    );
}

#[test]
fn it_is_the_same_in_every_run() {
    let place = fleet(&["a", "b", "c"]);
    place.write("git/b.yaml", single("clusterName: b\napiServer:\n  certSANs: [api.example.com]\n"));
    for form in ["table", "wide", "json", "yaml", "markdown"] {
        let words = [&FLEET[..], &["-o", form]].concat();
        let [one, other] = [0, 1].map(|_| plan_at(&place, DUE, &words, 10).stdout);
        assert_eq!(one, other);
        assert!(one.contains("api.example.com") || one.contains("api&#46;example&#46;com"), "{one}");
    }
}
