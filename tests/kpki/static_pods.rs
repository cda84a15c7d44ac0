//! `restart: static-pod`: the kubelet restarts a pod because kpki sets an annotation of its manifest.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::harness::{NOW, Place, Run, single};
use super::unpack::{DIR, YEAR, export, made, renewed, unpack};

const LATER: &str = "2026-11-21T00:00:00Z";
const FIRST: &str = "20261121T000000Z-renew";
const KEY: &str = "kpki/generation";
const PODS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const ALL: &str = "  hooks: {deploy: {default: {restart: static-pod, wait: 1s}}}\n";

/// A node's tree and, of each of these components, its manifest as kubeadm makes it.
fn node(renewal: &str, pods: &[&str]) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(&format!("renewal:\n{renewal}")));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    pods.iter().for_each(|pod| manifest(&place, "k8s", pod));
    place
}

fn kubeadms(pod: &str) -> String {
    fs::read_to_string(format!("{}/fixtures/manifests/{pod}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn manifest(place: &Place, dir: &str, pod: &str) {
    let path = place.write(&format!("{dir}/manifests/{pod}.yaml"), kubeadms(pod));
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The value of the annotation in its manifest, of which nothing else has changed.
#[track_caller]
fn mark(place: &Place, dir: &str, pod: &str) -> Option<String> {
    let path = format!("{dir}/manifests/{pod}.yaml");
    let text = place.read(&path);
    let line = text.lines().find(|line| line.contains(KEY)).map(str::to_owned);
    let own = kubeadms(pod);
    let rest: Vec<&str> = text
        .lines()
        .filter(|line| Some(*line) != line.contains(KEY).then_some(*line))
        .filter(|line| *line != "  annotations:" || own.contains(line))
        .collect();
    assert_eq!(rest, own.lines().collect::<Vec<_>>(), "{pod}");
    assert_eq!(fs::metadata(place.path(&path)).unwrap().mode() & 0o7777, 0o600);
    line.map(|line| line.split('"').nth(1).unwrap().to_owned())
}

fn renew(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["renew"], words, &["--dir", "k8s", "--at", LATER, "-o", "json"]].concat())
}

/// Component and how it ended, of each deploy hook.
fn told(run: &Run) -> Vec<(String, String)> {
    let hooks = run.json()["trees"][0]["hooks"].clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    hooks.as_array().unwrap().iter().map(|hook| (text(&hook["component"]), text(&hook["ended"]))).collect()
}

fn restarted(pods: &[&str]) -> Vec<(String, String)> {
    pods.iter().map(|pod| ((*pod).to_owned(), "manifest changed, waited 1 s".to_owned())).collect()
}

#[test]
fn what_has_to_be_restarted_is_and_nothing_else() {
    let place = node(ALL, &PODS);
    let run = renew(&place, &["all"]).ok();
    assert_eq!(told(&run), restarted(&["kube-controller-manager", "kube-scheduler"]));
    let marks = PODS.map(|pod| mark(&place, "k8s", pod));
    assert_eq!(marks, [None, None, Some(FIRST.to_owned()), Some(FIRST.to_owned())], "what takes it up by itself stays");
    let output = run.json()["trees"][0]["hooks"][0]["output"].as_str().unwrap().to_owned();
    assert!(output.contains(FIRST) && output.contains("its process cannot be seen from here: waited 1s"), "{output}");
    // The kubelet takes every file for a pod.
    let mut files: Vec<_> = fs::read_dir(place.path("k8s/manifests"))
        .unwrap()
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, PODS.map(|pod| format!("{pod}.yaml")));
    // The manifests have no generation: a restore leaves them as they are then.
    let history = place.kpki(&["history", "--dir", "k8s", "-o", "json"]).ok().stdout;
    assert!(!history.contains("manifests/") && history.matches("\"generation\"").count() == 2, "{history}");
    assert!(!place.path("k8s/.kpki/owed.json").exists() && !place.path("k8s/.kpki/staging").exists());
    // An authority that is renewed has to be read again, by etcd before its client.
    let run = renew(&place, &["ca", "etcd-ca"]).status(0);
    assert_eq!(told(&run), restarted(&PODS));
    let marks = PODS.map(|pod| mark(&place, "k8s", pod));
    assert!(marks.iter().all(|mark| mark.as_deref() == Some(&format!("{FIRST}.2"))), "{marks:?}");
}

#[test]
fn what_could_not_be_done_is_refused_before_anything_is_changed() {
    let place = node(ALL, &PODS);
    place.write("k8s/manifests/kube-scheduler.yaml", "{kind: Pod, metadata: {name: kube-scheduler}}\n");
    let before = place.files();
    let run = place.kpki(&["renew", "scheduler.conf", "--dir", "k8s", "--at", LATER]).fails(1);
    assert_eq!(
        run.stderr,
        "error: kube-scheduler could not be restarted: nothing was changed\n\
         caused by: cannot set kpki/generation in k8s/manifests/kube-scheduler.yaml and nothing else\n\
         caused by: expected metadata and its annotations in block style, one key on a line, found another style\n\
         hint: correct it, or skip the hooks with --no-hooks\n"
    );
    assert_eq!(place.files(), before);
    place.kpki(&["renew", "scheduler.conf", "--dir", "k8s", "--at", LATER, "--no-hooks"]).ok();
    // Another component does not need it.
    assert_eq!(told(&renew(&place, &["controller-manager.conf"]).ok()), restarted(&["kube-controller-manager"]));
}

/// Nobody says that a component was restarted whose manifest is not there.
#[test]
fn a_component_without_a_manifest_is_owed_its_restart() {
    let place = node(ALL, &["kube-controller-manager"]);
    let run = renew(&place, &["controller-manager.conf", "scheduler.conf"]).status(1);
    let missing = "expected its manifest k8s/manifests/kube-scheduler.yaml, found none";
    assert_eq!(told(&run)[1], ("kube-scheduler".to_owned(), missing.to_owned()));
    let first = fs::metadata(place.path("k8s/manifests/kube-controller-manager.yaml")).unwrap().ino();
    assert_eq!(told(&renew(&place, &["all", "--due"]).status(1))[0].0, "kube-scheduler");
    manifest(&place, "k8s", "kube-scheduler");
    assert_eq!(told(&renew(&place, &["all", "--due"]).ok()), restarted(&["kube-scheduler"]));
    assert_eq!(mark(&place, "k8s", "kube-scheduler").as_deref(), Some(FIRST));
    assert_eq!(fs::metadata(place.path("k8s/manifests/kube-controller-manager.yaml")).unwrap().ino(), first);
    assert!(!place.path("k8s/.kpki/owed.json").exists());
}

#[test]
fn a_rollback_restarts_who_has_read_the_new_files() {
    let place = node(&format!("  onHookFailure: restore\n{ALL}"), &["kube-controller-manager"]);
    let old = place.read("k8s/controller-manager.conf");
    let run = renew(&place, &["controller-manager.conf", "scheduler.conf"]).status(1);
    assert_eq!(run.json()["trees"][0]["rolledBack"], true);
    assert_eq!(place.read("k8s/controller-manager.conf"), old);
    assert_eq!(mark(&place, "k8s", "kube-controller-manager"), Some(format!("{FIRST}-restored")));
}

/// A run that was killed between two components is gone on with: who has been restarted is not restarted again, unless there is
/// something newer.
#[test]
fn a_run_that_is_killed_is_gone_on_with() {
    let hooks = "  hooks: {deploy: {kube-controller-manager: {restart: static-pod, wait: 1s}, kube-scheduler: 'test -e LOG || kill -9 $PPID'}}\n";
    let killed = || {
        let place = Place::new();
        let log = place.path("log");
        place.write("p.yaml", single(&format!("renewal:\n{}", hooks.replace("LOG", log.to_str().unwrap()))));
        place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
        manifest(&place, "k8s", "kube-controller-manager");
        renew(&place, &["controller-manager.conf", "scheduler.conf"]).status(-1);
        assert_eq!(mark(&place, "k8s", "kube-controller-manager").as_deref(), Some(FIRST));
        place.write("log", "");
        place
    };
    let place = killed();
    let inode = |place: &Place| fs::metadata(place.path("k8s/manifests/kube-controller-manager.yaml")).unwrap().ino();
    let before = inode(&place);
    let run = renew(&place, &["all", "--due"]).ok();
    assert_eq!((told(&run).len(), inode(&place)), (2, before), "the same mark twice changes nothing");

    let place = killed();
    let before = inode(&place);
    renew(&place, &["controller-manager.conf"]).ok();
    assert_ne!(inode(&place), before);
    assert_eq!(mark(&place, "k8s", "kube-controller-manager"), Some(format!("{FIRST}.2")));
    assert!(!place.path("k8s/.kpki/owed.json").exists());
}

const NODES: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: lb.example.com\n\
    encryptionAlgorithm: ECDSA-P256\nnodes:\n\
    - {name: cp1, addresses: [10.0.0.1], hooks: {deploy: {default: {restart: static-pod, wait: 1s}}}}\n\
    - {name: cp2, addresses: [10.0.0.2]}\n- {name: w1, roles: [worker], addresses: [10.0.0.9]}\n";

/// The hook of a node goes along with its archive. Before kubeadm has started anything there is nothing to restart.
#[test]
fn an_archive_restarts_the_pods_of_its_node() {
    let place = made(NODES);
    unpack(&place, "cp1.tar", &[]).status(0);
    assert!(!place.path(&format!("{DIR}/.kpki/owed.json")).exists());
    PODS.iter().for_each(|pod| manifest(&place, DIR, pod));
    renewed(&place);
    unpack(&place, "new.tar", &["--at", YEAR]).status(0);
    let marks = PODS.map(|pod| mark(&place, DIR, pod).is_some_and(|mark| mark.ends_with("-unpack")));
    assert_eq!(marks, [false, false, true, true]);
    // The same archive again.
    let before = place.files();
    unpack(&place, "new.tar", &["--at", YEAR]).status(0);
    assert_eq!(place.files(), before);
}

#[test]
fn pods_are_not_restarted_from_a_cluster_directory() {
    let place = made(&NODES.replace(", hooks: {deploy: {default: {restart: static-pod, wait: 1s}}}", ""));
    place.write("p.yaml", format!("{NODES}renewal:\n{ALL}"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).status(0);
    let run = place.kpki(&["renew", "cp1/scheduler.conf", "--dir", "c", "--at", NOW]).fails(1);
    assert_eq!(
        run.stderr,
        "error: kube-scheduler could not be restarted: nothing was changed\n\
         caused by: static pods are restarted on their node, and this is a cluster directory\n\
         caused by: give the hook in nodes[].hooks; kpki export takes it along, and kpki unpack runs it there\n\
         hint: correct it, or skip the hooks with --no-hooks\n"
    );
    export(&place, "cp2", "cp2.tar", NOW);
}
