//! What a run leaves alone, refuses and says: dry runs, locks, modes, refusals, exit statuses.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};

use super::super::expect::recorded;
use super::super::harness::{Place, repository, single, tree};
use super::{fixture, made, renew, renew_at, report, visible};

#[test]
fn nothing_due_writes_nothing() {
    for place in [fixture("v1.36-ha-ecdsa-cp1"), fixture("v1.20-rsa2048"), made("")] {
        let before = tree(&place.path("k8s"));
        let run = renew(&place, &["all", "--due", "--detailed-exitcode"]).ok();
        assert!(run.stdout.starts_with("nothing was renewed") && run.stderr.is_empty(), "{run:?}");
        assert_eq!(before, tree(&place.path("k8s")), "not even a lock");
    }
}

#[test]
fn a_dry_run_shows_old_and_new_and_writes_nothing() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let before = tree(&place.path("k8s"));
    let run = renew(&place, &["all", "--dry-run"]).ok();
    recorded("golden/renew-dry-run.table", &run.stdout);
    let run = renew(&place, &["apiserver", "admin.conf", "--dry-run", "-o", "json"]).ok();
    recorded("golden/renew-dry-run.json", &run.stdout);
    let run = renew_at(&place, "2027-09-01", &["all", "--due", "--dry-run", "--detailed-exitcode"]).status(10);
    assert_eq!(run.stdout.matches("due, 80d left").count(), 12, "{}", run.stdout);
    assert_eq!(before, tree(&place.path("k8s")));
}

#[test]
fn the_report_names_what_has_to_be_restarted() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let components = |tree: &serde_json::Value| -> Vec<(String, String)> {
        let one = |restart: &serde_json::Value| {
            let text = |key: &str| restart[key].as_str().unwrap().to_owned();
            (text("component"), text("action"))
        };
        tree["restart"].as_array().unwrap().iter().map(one).collect()
    };
    for (name, wanted) in [
        ("apiserver", ("kube-apiserver", "none")),
        ("apiserver-etcd-client", ("kube-apiserver", "none")),
        ("apiserver-kubelet-client", ("kube-apiserver", "none")),
        ("front-proxy-client", ("kube-apiserver", "none")),
        ("etcd-server", ("etcd", "none")),
        ("scheduler.conf", ("kube-scheduler", "restart")),
        ("kubelet.conf", ("kubelet", "restart")),
        ("admin.conf", ("people", "copy-again")),
    ] {
        let found = components(&report(&place, &[name]));
        assert_eq!(found, [(wanted.0.to_owned(), wanted.1.to_owned())], "{name}");
    }
    let run = renew(&place, &["etcd-server"]).ok();
    let said = "\nUsed without a restart (Kubernetes v1.37.0, the newest known: no kubernetesVersion is stated):\n\
                - etcd, at the next connection: it reads the pair again for every handshake (etcd-server)\n";
    assert!(run.stdout.ends_with(said), "{}", run.stdout);
}

/// What a running kubelet does with a new serving pair depends on its release.
#[test]
fn what_must_be_restarted_follows_the_release() {
    for (release, restart, alone) in [
        ("v1.30.14", "- restart kubelet: it holds the serving pair it read when it started (kubelet-serving)", ""),
        (
            "v1.31.0",
            "",
            "- kubelet, within a minute: it watches its serving pair (kubelet-serving)\n  but clients that connect by address",
        ),
        ("v1.36.2", "", "- kubelet, within a minute: it watches its serving pair (kubelet-serving)\n"),
    ] {
        let place = Place::new();
        place.write("p.yaml", single(&format!("kubernetesVersion: {release}\n")));
        place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
        let run = renew(&place, &["kubelet-serving"]).ok();
        assert_eq!(run.stdout.contains("restart kubelet"), !restart.is_empty(), "{}", run.stdout);
        for said in [restart, alone, &format!("(Kubernetes {release}):")] {
            assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
        }
    }
}

/// In the order in which a node comes back, and only what must.
#[test]
fn of_a_whole_renewal_only_what_must_is_restarted() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let run = renew(&place, &["all"]).ok();
    let restarts: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("- restart ")).collect();
    let of = |component: &str, entry: &str| {
        format!("- restart {component}: it holds the client certificate it read when it started ({entry})")
    };
    let wanted = [
        of("kube-controller-manager", "controller-manager.conf"),
        of("kube-scheduler", "scheduler.conf"),
        of("kubelet", "kubelet.conf"),
    ];
    assert_eq!(restarts, wanted, "{}", run.stdout);
    assert!(
        run.stdout.contains("Before the new certificates are used, one component after another ("),
        "{}",
        run.stdout
    );
}

#[test]
fn the_exit_status_is_a_table() {
    let fresh = || fixture("v1.36-ha-ecdsa-cp1");
    for (at, words, status) in [
        ("2026-11-20T22:00:00Z", &["all"][..], 0),
        ("2026-11-20T22:00:00Z", &["all", "--detailed-exitcode"], 10),
        ("2026-11-20T22:00:00Z", &["all", "--due"], 0),
        ("2026-11-20T22:00:00Z", &["all", "--due", "--detailed-exitcode"], 0),
        ("2027-11-01", &["all", "--due", "--detailed-exitcode"], 10),
        ("2030-01-01", &["all", "--due"], 0),
        // Missing and unknown to everybody.
        ("2026-11-20T22:00:00Z", &["kubelet-serving"], 5),
        ("2037-01-01", &["all"], 1),
        ("2020-01-01", &["all"], 1),
        ("never", &["all"], 2),
        ("2026-11-20T22:00:00Z", &["--due"], 2),
        ("2026-11-20T22:00:00Z", &["nobody"], 2),
    ] {
        renew_at(&fresh(), at, words).status(status);
    }
    let place = Place::new();
    fs::create_dir(place.path("k8s")).unwrap();
    renew(&place, &["all"]).fails(1);
    fs::remove_dir(place.path("k8s")).unwrap();
    renew(&place, &["all"]).fails(1);
}

#[test]
fn an_authority_that_cannot_sign_now_is_refused_before_anything_is_written() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let before = tree(&place.path("k8s"));
    for (at, said) in [
        ("2036-11-18", "the authority ca expired at 2036-11-17T21:06:20Z; its certificates would not be accepted"),
        ("2026-11-20T21:01:19Z", "the authority ca is not valid before 2026-11-20T21:01:20Z"),
    ] {
        let run = renew_at(&place, at, &["all"]).fails(1);
        assert!(run.stderr.contains(said) && run.stderr.contains("nothing was written"), "{}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    }
    assert_eq!(before, tree(&place.path("k8s")));

    // The key of another authority: also for the scheduled job, also when nothing is due. The other authorities' go on.
    fs::copy(place.path("k8s/pki/front-proxy-ca.key"), place.path("k8s/pki/ca.key")).unwrap();
    let before = visible(&place);
    for words in [&["all"][..], &["all", "--due"], &["all", "--dry-run"]] {
        let run = renew(&place, words).status(5);
        assert!(run.stdout.contains("put the matching ca.crt and ca.key in place"), "{}", run.stdout);
    }
    let after = visible(&place);
    let changed = |name: &str| before[name] != after[name];
    assert!(changed("pki/front-proxy-client.crt") && changed("pki/etcd/server.crt"));
    assert!(!changed("pki/apiserver.crt") && !changed("pki/apiserver.key") && !changed("admin.conf"));
    // Named, it is refused, and so is what was named with it.
    let run = renew(&place, &["apiserver", "etcd-server"]).fails(1);
    assert!(run.stderr.contains("nothing was written"), "{}", run.stderr);
    assert_eq!(after, visible(&place));
}

#[test]
fn another_node_s_profile_is_refused() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let before = tree(&place.path("k8s"));
    place.write("p.yaml", single("").replace("name: cp1", "name: other"));
    let said = |run: super::Run| {
        assert!(run.stderr.contains("k8s is not the tree of \"other\""), "{}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
        run.stderr
    };
    let found = said(renew(&place, &["all", "-p", "p.yaml"]).fails(2));
    assert!(found.contains("kubelet.conf names the node cp1"), "{found}");
    said(renew(&place, &["all", "-p", "p.yaml", "--node", "other"]).fails(2));
    fs::remove_file(place.path("k8s/kubelet.conf")).unwrap();
    let found = said(renew(&place, &["all", "-p", "p.yaml"]).fails(2));
    assert!(found.contains("etcd/server.crt names the node"), "{found}");
    fs::write(place.path("k8s/kubelet.conf"), "").unwrap();
    fs::remove_file(place.path("k8s/kubelet.conf")).unwrap();
    fs::remove_file(place.path("k8s/pki/etcd/server.crt")).unwrap();
    // Nothing names another.
    renew(&place, &["all", "--dry-run", "-p", "p.yaml"]).warns();
    assert!(before.contains_key("pki/apiserver.crt"));
}

#[test]
fn modes_and_owners_stay_and_keys_never_open() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let at = |name: &str| place.path("k8s").join(name);
    let modes = [
        // (file, mode before, mode after)
        ("pki/apiserver.crt", 0o640, 0o640),
        ("pki/apiserver.key", 0o644, 0o600),
        ("pki/etcd/server.crt", 0o444, 0o444),
        // Let in on purpose: etcd's own group.
        ("pki/etcd/server.key", 0o640, 0o640),
        ("pki/etcd/peer.key", 0o400, 0o400),
        ("admin.conf", 0o660, 0o640),
        ("scheduler.conf", 0o604, 0o600),
    ];
    for (name, mode, _) in modes {
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let root = rustix::process::geteuid().is_root();
    if root {
        chown(at("pki/etcd/server.key"), Some(0), Some(2379)).unwrap();
        chown(at("pki/etcd/server.crt"), Some(2379), Some(2379)).unwrap();
    }
    renew(&place, &["all"]).ok();
    for (name, _, mode) in modes {
        let facts = fs::metadata(at(name)).unwrap();
        assert_eq!(facts.mode() & 0o7777, mode, "{name}");
    }
    if root {
        let owner = |name: &str| fs::metadata(at(name)).map(|facts| (facts.uid(), facts.gid())).unwrap();
        assert_eq!((owner("pki/etcd/server.key"), owner("pki/etcd/server.crt")), ((0, 2379), (2379, 2379)));
    }
    // What was is kept with the mode it had, where nobody else can enter.
    for (name, (mode, _)) in tree(&place.path("k8s")).iter().filter(|(name, _)| name.starts_with(".kpki")) {
        assert!(!name.ends_with('/') || *mode == 0o700, "{name}: {mode:o}");
    }
}

fn lock_of(place: &Place) -> fs::File {
    fs::create_dir_all(place.path("k8s/.kpki")).unwrap();
    fs::File::create(place.path("k8s/.kpki/lock")).unwrap()
}

#[test]
fn a_second_run_says_who_holds_the_lock() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let lock = lock_of(&place);
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    fs::write(place.path("k8s/.kpki/lock"), "4711").unwrap();
    let before = visible(&place);
    let run = renew(&place, &["all", "--lock-timeout", "0s"]).fails(1);
    assert!(run.stderr.contains("process 4711 holds the lock k8s/.kpki/lock"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: wait for the other kpki"), "{}", run.stderr);
    assert_eq!(before, visible(&place));
    // Who only looks needs no lock.
    renew(&place, &["all", "--due"]).ok();
    renew(&place, &["all", "--dry-run"]).ok();
    let run = place.kpki(&["restore", "--dir", "k8s", "--lock-timeout", "0s"]).fails(1);
    assert!(run.stderr.contains("there is nothing to restore"), "{}", run.stderr);
    // A run that waits gets its turn.
    let waiting = start(&place, &["renew", "apiserver", "--dir", "k8s", "--lock-timeout", "30s"]);
    // Long enough that it waits as a rule; it succeeds either way.
    std::thread::sleep(std::time::Duration::from_millis(200));
    drop(lock);
    assert!(waiting.wait_with_output().unwrap().status.success());
}

fn start(place: &Place, words: &[&str]) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kpki"));
    command.args(words).current_dir(place.path("")).env_clear().stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_killed_holder_leaves_no_stale_lock() {
    // Each hook runs under the lock, and kills kpki while it holds it.
    for hook in ["pre: 'kill -9 $PPID'", "deploy: {default: 'kill -9 $PPID'}", "post: 'kill -9 $PPID'"] {
        let place = made(&format!("renewal: {{hooks: {{{hook}}}}}\n"));
        renew(&place, &["all"]).status(-1);
        renew(&place, &["all", "--lock-timeout", "0s", "--no-hooks"]).ok();
        // The number of a process that holds nothing is no obstacle either.
        fs::write(place.path("k8s/.kpki/lock"), "1").unwrap();
        renew(&place, &["all", "--lock-timeout", "0s", "--no-hooks"]).ok();
        pairs(&place.path("k8s"));
    }
}

fn pairs(root: &Path) {
    use super::super::facts::{File, read};
    let facts = read(root);
    for (name, (_, file)) in &facts {
        let File::Certificates(list) = file else { continue };
        let File::Key(_, kind) = &facts[&name.replace(".crt", ".key")].1 else { panic!("{name}") };
        assert_eq!(*kind, list[0].key, "{name}");
    }
}

#[test]
fn the_profile_s_word_on_one_certificate_holds() {
    let place = made("");
    let lines = "certificates: {apiserver: {algorithm: ECDSA-P384, validity: 30d}}\nencryptionAlgorithm: ECDSA-P256\n";
    place.write("p.yaml", single(lines));
    // It is not the recorded one, and one certificate is not the whole tree.
    let run = renew(&place, &["apiserver", "-p", "p.yaml", "-o", "json"]).warns();
    assert!(run.stderr.contains("p.yaml is not the recorded profile"), "{}", run.stderr);
    let tree = run.json()["trees"][0].take();
    let new = &tree["entries"][0]["new"];
    assert_eq!(
        (new["algorithm"].as_str(), new["expirationDate"].as_str()),
        (Some("ECDSA-P384"), Some("2026-12-20T22:00:00Z"))
    );
    // A window as wide as the lifetime would renew it on every run.
    place.write("p.yaml", single(&format!("{lines}renewal: {{before: 29d}}\n")));
    renew_at(&place, "2026-12-01", &["apiserver", "--due", "-p", "p.yaml"]).warns();
}

#[test]
fn a_tree_without_a_usable_profile_is_not_renewed_by_guesswork() {
    let place = made("");
    place.write("k8s/.kpki/profile.yaml", "kind: nonsense\n");
    let before = visible(&place);
    renew(&place, &["all"]).fails(2);
    assert_eq!(before, visible(&place));
    place.write("p.yaml", single(""));
    renew(&place, &["all", "-p", "p.yaml"]).ok();
}

#[test]
fn a_node_that_trusts_another_authority_is_told() {
    let place = Place::new();
    let nodes = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: a.example.com:6443\nnodes:\n\
        - {name: cp1, addresses: [10.0.0.11]}\n- {name: cp2, addresses: [10.0.0.12]}\n";
    place.write("p.yaml", nodes);
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    let other = fs::read(repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/ca.crt")).unwrap();
    place.write("k8s/nodes/cp2/pki/ca.crt", other);
    let before = visible(&place);
    let run = renew(&place, &["cp2/apiserver"]).fails(1);
    assert!(run.stderr.contains("cp2 trusts another ca than pki/ca.crt"), "{}", run.stderr);
    assert_eq!(before, visible(&place));
    // It concerns what that node has of this authority, and nothing else.
    let run = renew(&place, &["all"]).status(5);
    assert!(run.stdout.contains("cp2 trusts another ca than pki/ca.crt"), "{}", run.stdout);
    let after = visible(&place);
    let changed = |name: &str| before[name] != after[name];
    assert!(changed("nodes/cp1/pki/apiserver.crt") && changed("nodes/cp2/pki/etcd/server.crt"));
    assert!(!changed("nodes/cp2/pki/apiserver.crt") && !changed("nodes/cp2/admin.conf"));
}
