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
    assert!(run.stdout.contains("its hooks were not all run: etcd-server\n"), "{}", run.stdout);
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

/// `onHookFailure: restore` holds for a run that was killed before the hook had failed, too.
#[test]
fn a_renewal_is_undone_by_the_next_run_if_the_first_was_killed() {
    let hooks = "  onHookFailure: restore\n  hooks: {deploy: {etcd: 'echo told >> LOG; test -e LOG.fails && exit 1; kill -9 $PPID'}}\n";
    let place = made(hooks);
    let old = place.read("k8s/pki/etcd/server.crt");
    place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER]).status(-1);
    let new = place.read("k8s/pki/etcd/server.crt");
    assert_ne!(old, new);
    place.write("log.fails", "");
    let due = ["renew", "all", "--due", "--dir", "k8s", "--at", LATER, "-o", "json"];
    let run = place.kpki(&due).status(1);
    assert_eq!(run.json()["trees"][0]["rolledBack"], true);
    assert_eq!(place.read("k8s/pki/etcd/server.crt"), old);
    assert_eq!(place.read("log"), "told\ntold\ntold\n", "killed, failed, and told that the old files are back");
}

/// A run that was killed after it had restored the old files does not restore again: it only notifies the components.
#[test]
fn a_rollback_that_was_killed_is_finished_by_notifying() {
    // The first call fails, the second kills the run, the third succeeds.
    let hooks = "  onHookFailure: restore\n  hooks:\n    deploy: {etcd: 'echo told >> LOG; case $(wc -l < LOG) in 1) exit 1;; 2) kill -9 $PPID;; esac'}\n    post: 'echo $KPKI_RESULT >> LOG'\n";
    let place = made(hooks);
    let old = place.read("k8s/pki/etcd/server.crt");
    place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER]).status(-1);
    assert_eq!(place.read("k8s/pki/etcd/server.crt"), old);
    let owed: serde_json::Value = serde_json::from_str(&place.read("k8s/.kpki/owed.json")).unwrap();
    assert_eq!((&owed["rolled_back"], &owed["entries"]), (&true.into(), &serde_json::json!(["etcd-server"])));
    let run = place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER, "-o", "json"]).status(1);
    assert_eq!(run.json()["trees"][0]["rolledBack"], true);
    assert_eq!(place.read("log"), "told\ntold\ntold\nrestored\n");
    assert_eq!(place.read("k8s/pki/etcd/server.crt"), old);
    assert!(!place.path("k8s/.kpki/owed.json").exists());
    place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).ok();
    assert_eq!(place.read("log").lines().count(), 4, "nobody is told twice");
}

/// Old files whose certificate is revoked are not put back into use, whatever a hook says.
#[test]
fn a_hook_that_fails_brings_no_revoked_certificate_back() {
    let place = made("  onHookFailure: restore\n  hooks: {deploy: {etcd: 'echo told >> LOG; exit 1'}}\n");
    place.kpki(&["revoke", "etcd-server", "--reason", "keyCompromise", "--dir", "k8s", "--at", LATER]).ok();
    let old = place.read("k8s/pki/etcd/server.crt");
    let run = place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER, "-o", "json"]).status(1);
    let tree = run.json()["trees"][0].clone();
    assert_eq!(tree["rolledBack"], false);
    let generation = tree["generation"].as_str().unwrap();
    let warning = format!(
        "the old certificates were not restored: revoked certificates would be in use again: pki/etcd/server.crt is revoked \
         since {LATER} (keyCompromise); try: kpki restore {generation} --dir k8s"
    );
    assert_eq!(tree["warnings"], serde_json::json!([warning]));
    assert_ne!(place.read("k8s/pki/etcd/server.crt"), old);

    // The same by hand, and with --force.
    let refused = place.kpki(&["restore", generation, "--dir", "k8s", "--at", LATER]).fails(1);
    assert_eq!(
        refused.stderr,
        format!(
            "error: the restore would put revoked certificates in k8s into use again\n\
             caused by: pki/etcd/server.crt is revoked since {LATER} (keyCompromise)\n\
             hint: choose a generation without them: kpki history --dir k8s\n\
             hint: restore them all the same: kpki restore {generation} --force --dir k8s\n"
        )
    );
    place.kpki(&["restore", generation, "--dir", "k8s", "--at", LATER, "--dry-run"]).fails(1);
    assert_ne!(place.read("k8s/pki/etcd/server.crt"), old);
    let run = place.kpki(&["restore", generation, "--dir", "k8s", "--at", LATER, "--force"]).ok();
    assert!(
        run.stdout.contains(&format!("  warning: pki/etcd/server.crt is revoked since {LATER} (keyCompromise)\n")),
        "{}",
        run.stdout
    );
    assert_eq!(place.read("k8s/pki/etcd/server.crt"), old);
}

/// Whoever only looks says that components have not been notified, and no monitoring system is told that all is well.
#[test]
fn what_was_not_notified_is_said_by_those_who_look() {
    let place = made("  hooks: {deploy: {etcd: 'kill -9 $PPID'}}\n");
    place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER]).status(-1);
    let message = "an interrupted run renewed etcd-server; the next kpki renew reports what must be restarted and runs the deploy hooks";
    let check = |form| place.kpki(&["check-expiration", "k8s", "--at", LATER, "-o", form]);
    for (form, status) in [("table", 3), ("wide", 3), ("json", 3), ("yaml", 3), ("csv", 3), ("nagios", 1)] {
        let run = check(form).status(status);
        assert!(run.stdout.contains(message), "{form}: {}", run.stdout);
    }
    assert!(check("nagios").status(1).stdout.starts_with("CERTIFICATES WARNING - "));
    let metrics = check("prometheus").status(3).stdout;
    let line = metrics.lines().find(|line| line.starts_with("kpki_run_interrupted{")).unwrap();
    assert!(line.contains("source_name=\"k8s\",cluster=\"") && line.ends_with("\"} 1"), "{line}");
    let json = check("json").status(3).json();
    let expected = serde_json::json!([{"directory": "k8s", "message": message, "open": true}]);
    assert_eq!(json["interruptedRuns"], expected);
    for words in [
        &["history"][..],
        &["revoke", "admin.conf", "--dry-run"],
        &["export", "--verify", "cp1"],
        &["init", "--dry-run"],
    ] {
        let run = place.kpki(&[words, &["--dir", "k8s"]].concat());
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains(message), "{words:?}: {said}");
    }
}

#[test]
fn what_a_hook_has_restarted_is_not_asked_for_again() {
    for (hook, flag, is_asked) in
        [("'true'", None, false), ("'exit 1'", None, true), ("'true'", Some("--no-hooks"), true)]
    {
        let place = made(&format!("  hooks: {{deploy: {{kube-scheduler: {hook}}}}}\n"));
        let words = ["renew", "controller-manager.conf", "scheduler.conf", "--dir", "k8s", "--at", LATER];
        let run = place.kpki(&words.into_iter().chain(flag).collect::<Vec<_>>());
        assert_eq!(run.stdout.contains("- restart kube-scheduler"), is_asked, "{hook} {flag:?}: {}", run.stdout);
        assert!(run.stdout.contains("- restart kube-controller-manager"), "{}", run.stdout);
        let succeeded = "\nHooks that succeeded:\n- deploy hook of kube-scheduler: true, done in ";
        assert_eq!(run.stdout.contains(succeeded), !is_asked, "{}", run.stdout);
    }
    let place = made("  hooks: {deploy: {kube-scheduler: '/bin/true --token=secret'}}\n");
    let run = place.kpki(&["renew", "scheduler.conf", "--dir", "k8s", "--at", LATER, "-o", "json"]).ok();
    let tree = &run.json()["trees"][0];
    let hook = &tree["hooks"][0];
    assert_eq!((&hook["command"], &hook["ended"], &hook["succeeded"]), (&"true".into(), &"done".into(), &true.into()));
    assert!(hook["seconds"].is_u64() && hook["component"] == "kube-scheduler", "{hook}");
    assert!(tree["restart"].as_array().unwrap().is_empty() && !run.stdout.contains("secret"), "{}", run.stdout);
}
