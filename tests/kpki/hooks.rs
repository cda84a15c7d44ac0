//! The profile's hooks around a renewal.

use super::harness::{Place, single, tree};

/// A tree whose profile has these hooks; each hook writes what it knows to `log`.
fn made(hooks: &str) -> Place {
    let place = Place::new();
    let log = place.path("log");
    let hooks = hooks.replace("LOG", log.to_str().unwrap());
    place.write("p.yaml", single(&format!("renewal:\n{hooks}")));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

const ALL: &str = r#"  hooks:
    pre: 'echo "pre $KPKI_CLUSTER $KPKI_ENTRIES" >> LOG'
    deploy:
      kube-apiserver: 'echo "deploy $KPKI_COMPONENT $KPKI_ACTION $KPKI_ENTRIES" >> LOG'
      default: 'echo "default $KPKI_COMPONENT" >> LOG'
    post: 'echo "post $KPKI_RESULT $KPKI_GENERATION" >> LOG'
"#;

const LATER: &str = "2026-11-21T00:00:00Z";

#[test]
fn hooks_run_around_what_is_renewed_and_only_then() {
    let place = made(ALL);
    place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).ok();
    assert!(!place.path("log").exists(), "nothing was due");
    place.kpki(&["renew", "apiserver", "etcd-server", "--dir", "k8s", "--at", LATER, "--dry-run"]).ok();
    assert!(!place.path("log").exists(), "nothing was renewed");
    place.kpki(&["renew", "apiserver", "etcd-server", "--dir", "k8s", "--at", LATER, "--no-hooks"]).ok();
    assert!(!place.path("log").exists(), "hooks were not wanted");

    let run = place.kpki(&["renew", "apiserver", "etcd-server", "--dir", "k8s", "--at", LATER, "-o", "json"]).ok();
    assert_eq!(
        place.read("log"),
        "pre kubernetes apiserver etcd-server\n\
         default etcd\n\
         deploy kube-apiserver none apiserver\n\
         post renewed 20261121T000000Z-renew.2\n"
    );
    let hooks = run.json()["trees"][0]["hooks"].clone();
    let names: Vec<_> =
        hooks.as_array().unwrap().iter().map(|hook| hook["hook"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["pre", "deploy", "deploy", "post"]);
}

#[test]
fn a_pre_hook_that_fails_stops_everything() {
    let place = made("  hooks: {pre: 'echo not now; exit 3', post: 'touch LOG'}\n");
    let before = tree(&place.path("k8s"));
    let run = place.kpki(&["renew", "all", "--dir", "k8s", "--at", LATER]).fails(1);
    assert!(run.stderr.contains("pre hook failed") && run.stderr.contains("not now"), "{}", run.stderr);
    assert!(!place.path("log").exists());
    let after = tree(&place.path("k8s"));
    let changed: Vec<_> = before.iter().filter(|(name, file)| after.get(*name) != Some(file)).map(|(n, _)| n).collect();
    assert!(changed.iter().all(|name| name.starts_with(".kpki/lock")), "{changed:?}");
}

#[test]
fn a_deploy_hook_that_fails_is_told_or_undoes_the_renewal() {
    let place = made("  hooks: {deploy: {etcd: 'echo broken; exit 1'}}\n");
    let old = place.read("k8s/pki/etcd/server.crt");
    let run = place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER]).status(1);
    assert!(run.stdout.contains("deploy hook of etcd failed") && run.stdout.contains("broken"), "{}", run.stdout);
    assert_ne!(old, place.read("k8s/pki/etcd/server.crt"));

    let place = made("  onHookFailure: restore\n  hooks: {deploy: {etcd: 'echo told >> LOG; exit 1'}}\n");
    let old = (place.read("k8s/pki/etcd/server.crt"), place.read("k8s/pki/etcd/server.key"));
    let run = place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER, "-o", "json"]).status(1);
    assert_eq!(old, (place.read("k8s/pki/etcd/server.crt"), place.read("k8s/pki/etcd/server.key")));
    assert_eq!(run.json()["trees"][0]["rolledBack"], true);
    assert_eq!(place.read("log"), "told\ntold\n", "the component is told again that the old files are back");
    let lines = place.read("k8s/.kpki/journal.jsonl");
    assert!(lines.lines().last().unwrap().contains("\"command\":\"restore\""), "{lines}");
}

#[test]
fn a_hook_that_hangs_is_ended() {
    let place = made("  hooks: {timeout: 1s, post: 'sleep 10000'}\n");
    let run = place.kpki(&["renew", "admin.conf", "--dir", "k8s", "--at", LATER]).status(1);
    assert!(run.stdout.contains("post hook failed: still running after 1s"), "{}", run.stdout);
}

/// What a scheduled job mails: nothing when all is well, and every failure.
#[test]
fn a_quiet_run_tells_its_failures() {
    let place = made("  hooks: {deploy: {etcd: 'echo broken; exit 1'}}\n");
    let run = place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER, "--quiet"]).status(1);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", "error: k8s: the deploy hook of etcd failed: exit status 1: broken\n")
    );
    let place = made("  before: 33%\n");
    std::fs::remove_file(place.path("k8s/pki/front-proxy-ca.key")).unwrap();
    let run = place.kpki(&["renew", "front-proxy-client", "--dir", "k8s", "--at", LATER, "--quiet"]).status(5);
    assert!(run.stderr.starts_with("error: k8s: front-proxy-client was not renewed: "), "{}", run.stderr);
    place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER, "--quiet"]).ok();
}

/// A run that was killed while it told components is gone on with by the next.
#[test]
fn nobody_is_forgotten_when_a_run_is_killed() {
    let hooks = "  hooks: {deploy: {etcd: 'echo etcd >> LOG', kube-apiserver: 'echo api >> LOG; test -e LOG.go || kill -9 $PPID'}}\n";
    let place = made(hooks);
    let words = ["renew", "apiserver", "etcd-server", "--dir", "k8s", "--at", LATER];
    place.kpki(&words).status(-1);
    let new = place.read("k8s/pki/apiserver.crt");
    assert_eq!(place.read("log"), "etcd\napi\n");
    place.write("log.go", "");
    // Nothing is due any more, and both are told, at least once.
    let run = place
        .kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER, "--detailed-exitcode", "-o", "json"])
        .status(10);
    assert_eq!(place.read("log"), "etcd\napi\netcd\napi\n");
    let tree = &run.json()["trees"][0];
    assert_eq!(tree["finished"], serde_json::json!(["apiserver", "etcd-server"]));
    assert_eq!(tree["restart"].as_array().unwrap().len(), 2);
    assert_eq!(new, place.read("k8s/pki/apiserver.crt"));
    let run = place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).ok();
    assert!(run.stdout.starts_with("nothing was renewed") && place.read("log").lines().count() == 4, "{}", run.stdout);
}

/// A component that could not be told stays on the list, and the exit status says so, until it has been.
#[test]
fn a_deploy_hook_that_fails_is_tried_again() {
    let place = made("  hooks: {deploy: {etcd: 'test -e LOG', kube-apiserver: 'true'}}\n");
    place.kpki(&["renew", "apiserver", "etcd-server", "--dir", "k8s", "--at", LATER]).status(1);
    let due = ["renew", "all", "--due", "--dir", "k8s", "--at", LATER];
    let run = place.kpki(&due).status(1);
    assert!(run.stdout.contains("deploy hook of etcd failed"), "{}", run.stdout);
    place.write("log", "");
    let run = place.kpki(&due).ok();
    assert!(run.stdout.contains("interrupted before its report: etcd-server\n"), "{}", run.stdout);
    let run = place.kpki(&due).ok();
    assert!(!run.stdout.contains("etcd-server"), "{}", run.stdout);
    assert!(!place.path("k8s/.kpki/owed.json").exists());
}

/// What the pre hook changes is seen, and what it began is ended although nothing came of it.
#[test]
fn a_pre_hook_may_change_the_tree_and_post_ends_what_it_began() {
    let place = made("  hooks: {pre: 'echo \"# mine\" >> \"$KPKI_DIR/admin.conf\"'}\n");
    place.kpki(&["renew", "admin.conf", "--dir", "k8s", "--at", LATER]).ok();
    assert!(place.read("k8s/admin.conf").ends_with("# mine\n"));
    let place = made("  hooks: {pre: 'echo nonsense > \"$KPKI_DIR/pki/ca.key\"', post: 'echo $KPKI_RESULT >> LOG'}\n");
    place.kpki(&["renew", "admin.conf", "--dir", "k8s", "--at", LATER]).status(1);
    assert_eq!(place.read("log"), "failed\n");
}
