//! `kpki verify`: its reports, its exit statuses, and that it writes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::harness::{NOW, Place, single};

const LATER: &str = "2026-11-21T22:00:00Z";

fn made(profile: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(profile));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    place
}

fn verify<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["verify", "t", "--at", LATER], words].concat()
}

fn swap_keys(place: &Place) {
    fs::copy(place.path("t/pki/front-proxy-client.key"), place.path("t/pki/apiserver.key")).unwrap();
}

#[test]
fn a_right_tree_a_wrong_one_and_none() {
    let place = made("");
    place.run(&verify(&[])).recorded("verify");
    swap_keys(&place);
    fs::set_permissions(place.path("t/admin.conf"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::write(place.path("t/pki/ca.key"), "nothing").unwrap();
    place.run(&verify(&[])).status(4).recorded("verify-wrong");
    place.run(&verify(&["-o", "wide"])).status(4).recorded("verify-wide");
    place.run(&verify(&["-o", "json"])).status(4).recorded("verify-json");
    place.run(&["verify", "nowhere", "--at", NOW]).status(1).recorded("verify-refused");
    place.run(&verify(&["--only", "nothing/such"])).status(2).recorded("verify-usage");
}

#[test]
fn notices_are_no_failure_and_warnings_and_what_was_not_looked_at_are() {
    let place = made("");
    let state = |place: &Place, status: i32| {
        place.kpki(&verify(&["-o", "json"])).status(status).json()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&place, 0), "ok");
    fs::rename(place.path("t/admin.conf"), place.path("elsewhere.conf")).unwrap();
    std::os::unix::fs::symlink("../elsewhere.conf", place.path("t/admin.conf")).unwrap();
    assert_eq!(state(&place, 0), "notice");
    fs::set_permissions(place.path("t/pki/ca.crt"), fs::Permissions::from_mode(0o664)).unwrap();
    assert_eq!(state(&place, 3), "warning");
    fs::set_permissions(place.path("t/pki/ca.crt"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(
        place.path("t/pki/sa.key"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    let json = place.kpki(&verify(&["-o", "json"])).status(3).json();
    let skipped = &json["clusters"][0]["notLookedAt"][0];
    assert!(skipped["path"].as_str().unwrap().ends_with("sa.key"), "{json}");
}

#[test]
fn what_is_ignored_is_shown_and_does_not_count() {
    let place = made(
        "verify: {ignore: [{rule: pair/other-key, at: apiserver, reason: it is a test}, {rule: pair/none, reason: old}]}\n",
    );
    swap_keys(&place);
    let run = place.kpki(&verify(&[])).status(0);
    assert!(run.stdout.contains("(ignored: it is a test)"), "{}", run.stdout);
    assert!(run.stderr.contains("verify.ignore names no rule of kpki verify: pair/none"), "{}", run.stderr);
    let place = made("");
    swap_keys(&place);
    place.kpki(&verify(&["--ignore", "pair/other-key=t/pki/etcd/server.crt"])).status(4);
    place.kpki(&verify(&["--ignore", "pair/other-key=t/pki/apiserver.crt"])).status(0);
    let only = place.kpki(&verify(&["--only", "date"])).status(0);
    assert!(only.stdout.starts_with("ok: nothing found"), "{}", only.stdout);
}

#[test]
fn an_interrupted_run_is_an_error_and_stays_as_it_is() {
    let place = made("");
    place.write("t/.kpki/commit", "{}");
    let run = place.kpki(&verify(&["-o", "json"])).status(4);
    let json = run.json();
    let finding = &json["clusters"][0]["findings"][0];
    assert_eq!(finding["severity"], "error", "{json}");
    assert!(["state/interrupted", "state/unreadable"].contains(&finding["rule"].as_str().unwrap()), "{json}");
    assert!(!run.wrote);
}

#[test]
fn a_fleet_names_its_bad_clusters() {
    let place = Place::new();
    for name in ["a", "b"] {
        place.write(&format!("clusters/{name}.yaml"), single(""));
        place.init(&["--profile", &format!("clusters/{name}.yaml"), "--dir", &format!("clusters/{name}")]).ok();
    }
    place.kpki(&["verify", "--profiles", "clusters", "--at", LATER]).ok();
    fs::remove_file(place.path("clusters/b/pki/apiserver.key")).unwrap();
    let run = place.kpki(&["verify", "--profiles", "clusters", "--at", LATER]).status(4);
    assert!(run.stdout.contains("kpki renew apiserver --profile clusters/b.yaml --dir clusters/b"), "{}", run.stdout);
    assert!(!run.stdout.contains("clusters/a"), "{}", run.stdout);
}

#[test]
fn each_tree_of_a_directory_is_verified_by_itself() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    for dir in ["many/a", "many/b/kubernetes"] {
        place.write(&format!("{dir}/keep"), "");
        fs::remove_dir_all(place.path(dir)).unwrap();
        place.init(&["--profile", "p.yaml", "--dir", dir]).ok();
    }
    let run = place.kpki(&["verify", "many", "--at", LATER, "-o", "json"]).status(0);
    let json = run.json();
    let roots: Vec<&str> =
        json["clusters"].as_array().unwrap().iter().map(|one| one["directory"].as_str().unwrap()).collect();
    assert_eq!(roots, ["many/a", "many/b/kubernetes"]);
    // What is no tree is no success.
    place.write("many/loose.crt", "nothing");
    let run = place.kpki(&["verify", "many", "--at", LATER]).status(3);
    assert!(run.stdout.contains("many: files outside the trees"), "{}", run.stdout);
    let run = place.kpki(&["verify", "many/loose.crt", "--at", LATER]).status(4);
    assert!(run.stdout.contains("state/unreadable"), "{}", run.stdout);
}

#[test]
fn a_profile_that_cannot_be_used_is_no_success() {
    let place = made("");
    place.write("t/.kpki/profile.yaml", "x: [");
    let run = place.kpki(&verify(&["-o", "json"])).status(4);
    let json = run.json();
    assert_eq!(json["clusters"][0]["findings"][0]["rule"], "state/profile", "{json}");
}

#[test]
fn trees_in_a_directory_are_judged_by_the_profiles_they_record() {
    let place = Place::new();
    place.write("p.yaml", single("verify: {ignore: [{rule: pair/other-key, reason: it is a test}]}\n"));
    for dir in ["many/a", "many/b"] {
        place.init(&["--profile", "p.yaml", "--dir", dir]).ok();
    }
    fs::copy(place.path("many/a/pki/front-proxy-client.key"), place.path("many/a/pki/apiserver.key")).unwrap();
    let run = place.kpki(&["verify", "many", "--at", LATER]).status(0);
    assert!(run.stdout.contains("(ignored: it is a test)"), "{}", run.stdout);
}
