//! Nodes come and go, the load balancer moves, a name is added: each story is one command or two, ends with nothing to do, and
//! touches nothing else.

use std::collections::BTreeMap;
use std::fs;

use super::harness::{NOW, Place, Run, copy_tree, repository, tree};

const HEAD: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\nencryptionAlgorithm: ECDSA-P256\n\
    kubelet: {serving: true}\n";

const NODES: &str = "nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
    - {name: cp3, addresses: [10.0.0.3]}\n- {name: w1, roles: [worker], addresses: [10.0.0.11]}\n\
    - {name: w2, roles: [worker], addresses: [10.0.0.12]}\n";

const CP4: &str = "- {name: cp4, addresses: [10.0.0.4]}\n";

fn profile(endpoint: &str, more: &str) -> String {
    format!("{HEAD}controlPlaneEndpoint: {endpoint}:6443\n{NODES}{more}")
}

/// Three control-plane nodes behind a load balancer, and two workers.
fn cluster() -> Place {
    let place = Place::new();
    place.write("p.yaml", profile("lb.example.com", ""));
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    place
}

/// A verb with its words, and `--dir d --at NOW` behind them.
fn run(place: &Place, words: &str) -> Run {
    let words: Vec<&str> = words.split(' ').collect();
    place.kpki(&[&words[..], &["--dir", "d", "--at", NOW]].concat())
}

type Files = BTreeMap<String, (u32, Vec<u8>)>;

/// Every file but kpki's own.
fn files(place: &Place) -> Files {
    let mut all = tree(&place.path("d"));
    all.retain(|name, _| !name.starts_with(".kpki") && !name.ends_with('/') && name != "manifest.json");
    all
}

/// What is new, has changed, or is gone.
fn changed(before: &Files, after: &Files) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

fn recorded(place: &Place) -> String {
    place.read("d/.kpki/profile.yaml")
}

#[track_caller]
fn fits(place: &Place) {
    assert!(run(place, "init").status(0).stdout.starts_with("nothing to do"));
    let told = run(place, "renew all --due").status(0);
    assert!(told.stdout.starts_with("nothing was renewed"), "{}", told.stdout);
}

#[test]
fn a_node_is_added_with_init_and_the_others_learn_its_name_with_renew() {
    let place = cluster();
    let new = profile("lb.example.com", CP4);
    place.write("new.yaml", &new);
    let before = files(&place);
    let shown = run(&place, "init --profile new.yaml --dry-run").status(0);
    assert!(shown.stdout.contains("would create 16, replace 0, keep 59 entries"), "{}", shown.stdout);
    assert!(!shown.wrote);
    let done = run(&place, "init --profile new.yaml").status(5);
    assert!(done.stdout.starts_with("created 16, replaced 0, kept 59 entries: "), "{}", done.stdout);
    assert!(
        done.stdout.contains("pack what it needs:\n    kpki export cp4 --out cp4.tar.gz --dir d\n"),
        "{}",
        done.stdout
    );
    assert_eq!(
        done.stderr,
        "warning: cp1/apiserver, cp2/apiserver and 1 more lack cp4, 10.0.0.4 of the profile; kept until changed with: kpki renew \
         all --due --profile new.yaml --dir d\n"
    );
    let after = files(&place);
    let touched = changed(&before, &after);
    assert!(touched.iter().all(|name| name.starts_with("nodes/cp4/")), "{touched:?}");
    assert!(touched.contains(&"nodes/cp4/pki/ca.key".to_owned()) && touched.len() == 28, "{touched:?}");
    assert_eq!(recorded(&place), new);
    run(&place, "init").status(5);
    // What init said: the API servers, and nothing else.
    let done = run(&place, "renew all --due --profile new.yaml").ok();
    assert!(done.stdout.contains("\n    kpki export cp1 --out cp1.tar.gz --dir d\n"), "{}", done.stdout);
    let touched = changed(&after, &files(&place));
    let wanted = ["cp1", "cp2", "cp3"].map(|n| ["crt", "key"].map(|end| format!("nodes/{n}/pki/apiserver.{end}")));
    assert_eq!(touched, wanted.concat());
    fits(&place);
    place.kpki(&["export", "cp4", "--dir", "d", "--out", "cp4.tar.gz"]).ok();
}

#[test]
fn renew_makes_no_half_node() {
    let place = cluster();
    place.write("new.yaml", profile("lb.example.com", CP4));
    let told = run(&place, "renew all --due --profile new.yaml").status(5);
    assert!(!place.path("d/nodes/cp4").exists());
    assert!(told.stdout.contains("12 could not be renewed"), "{}", told.stdout);
    assert!(
        told.stdout.contains("make them all, with the authorities it needs: kpki init --profile new.yaml --dir d"),
        "{}",
        told.stdout
    );
    // Something is left: the profile is not recorded, and that is said.
    assert!(told.stderr.contains("new.yaml is not the recorded profile"), "{}", told.stderr);
    assert!(!recorded(&place).contains("cp4"));
    run(&place, "renew cp4/apiserver --profile new.yaml").status(5);
    run(&place, "renew cp4/all --profile new.yaml").status(5);
    assert!(!place.path("d/nodes/cp4").exists());
    run(&place, "init --profile new.yaml").ok();
    fits(&place);
}

/// The endpoint moves. Whichever records the profile first, `renew` rewrites the kubeconfigs that have the old one, and nothing else
/// in them; what a person has set stays.
#[test]
fn the_load_balancer_moves() {
    for first in ["init --profile new.yaml", "renew all --due --profile new.yaml"] {
        let place = cluster();
        let conf = "d/nodes/w2/kubelet.conf";
        let own = place.read(conf).replace("lb.example.com:6443", "mine.example.com:443");
        fs::write(place.path(conf), &own).unwrap();
        let quoted = place.read("d/nodes/cp2/admin.conf");
        let quoted = quoted.replace("https://lb.example.com:6443", "\"https://lb.example.com:6443\" # ours");
        fs::write(place.path("d/nodes/cp2/admin.conf"), &quoted).unwrap();
        let (before, admin) = (files(&place), place.read("d/nodes/cp1/admin.conf"));
        place.write("new.yaml", profile("vip.example.com", ""));
        let shown = run(&place, "renew all --due --profile new.yaml --dry-run").status(0);
        assert!(!shown.wrote && shown.stdout.contains("would record new.yaml"), "{}", shown.stdout);
        let done = run(&place, first);
        if first.starts_with("init") {
            assert!(
                done.stderr.contains("the profile has https://vip.example.com:6443 now; kept until changed with: kpki")
            );
            assert_eq!(changed(&before, &files(&place)), [""; 0]);
            run(&place, "renew all --due").status(0);
        } else {
            let done = done.status(0);
            assert!(done.stdout.contains("recorded new.yaml as this tree's profile"), "{}", done.stdout);
            assert!(
                done.stdout.contains("its server is now https://vip.example.com:6443; nothing else in it is changed")
            );
            assert!(done.stdout.contains("on w1: restart kubelet"), "{}", done.stdout);
        }
        let mut wanted: Vec<String> =
            ["cp1/admin.conf", "cp1/super-admin.conf", "cp2/admin.conf", "cp3/admin.conf", "w1/kubelet.conf"]
                .map(|name| format!("nodes/{name}"))
                .to_vec();
        wanted.extend(
            ["cp1", "cp2", "cp3"].map(|n| ["crt", "key"].map(|end| format!("nodes/{n}/pki/apiserver.{end}"))).concat(),
        );
        wanted.sort();
        assert_eq!(changed(&before, &files(&place)), wanted, "{first}");
        assert_eq!(place.read("d/nodes/cp1/admin.conf"), admin.replace("lb.example.com", "vip.example.com"));
        assert_eq!(place.read("d/nodes/cp2/admin.conf"), quoted.replace("lb.example.com", "vip.example.com"));
        assert_eq!(place.read(conf), own);
        assert_eq!(recorded(&place), profile("vip.example.com", ""));
        fits(&place);
        // Nothing flips back without a word.
        run(&place, "renew all --due --prune-sans").status(0);
        assert!(place.read("d/nodes/cp1/admin.conf").contains("vip.example.com"));
        fits(&place);
    }
}

/// A kubeconfig that is due has its new credential and its new server in one file.
#[test]
fn a_server_moves_with_a_new_credential() {
    let place = cluster();
    place.write("new.yaml", profile("vip.example.com", ""));
    run(&place, "renew admin.conf --profile new.yaml").warns();
    for node in ["cp1", "cp2", "cp3"] {
        assert!(place.read(&format!("d/nodes/{node}/admin.conf")).contains("server: https://vip.example.com:6443\n"));
    }
    // One name is not the whole tree.
    assert!(recorded(&place).contains("lb.example.com"));
}

#[test]
fn a_given_profile_is_recorded_when_the_whole_tree_follows_it() {
    for (words, is_recorded) in [
        ("all --due", true),
        ("all", true),
        ("apiserver", false),
        ("cp1/all", false),
        ("all --node cp1", false),
        ("all --due --dry-run", false),
    ] {
        let place = cluster();
        let new = profile("lb.example.com", "").replace("nodes:", "apiServer: {certSANs: [api.example.com]}\nnodes:");
        place.write("new.yaml", &new);
        let told = run(&place, &format!("renew {words} --profile new.yaml")).status(0);
        assert_eq!(recorded(&place) == new, is_recorded, "{words}");
        let is_said =
            told.stderr.contains("new.yaml is not the recorded profile, which a run without --profile follows");
        assert_eq!(is_said, !is_recorded && !words.contains("dry-run"), "{words}: {}", told.stderr);
        if is_recorded {
            assert!(place.read("d/manifest.json").contains("cp1"));
            fits(&place);
            // The same profile again is no change.
            let before = tree(&place.path("d"));
            run(&place, "renew all --due --profile new.yaml").ok();
            assert_eq!(before, tree(&place.path("d")));
        }
    }
    // In a fleet the file beside the tree is the truth, and the recorded one follows.
    let place = Place::new();
    place.write("clusters/prod.yaml", profile("lb.example.com", ""));
    place.init(&["--profile", "clusters/prod.yaml", "--dir", "clusters/prod"]).ok();
    place.write("clusters/prod.yaml", profile("vip.example.com", ""));
    place.kpki(&["renew", "all", "--due", "--profiles", "clusters", "--at", NOW]).status(0);
    assert_eq!(place.read("clusters/prod/.kpki/profile.yaml"), profile("vip.example.com", ""));
    let again = place.kpki(&["renew", "all", "--due", "--profiles", "clusters", "--at", NOW]).status(0);
    assert!(!again.wrote, "{}", again.stdout);
}

#[test]
fn a_node_is_removed_in_one_transaction() {
    for (given, count) in [(false, 28), (true, 34)] {
        let place = cluster();
        if given {
            // Copies of the lists are in the node's tree as well.
            run(&place, "crl update --der").ok();
        }
        let rest = profile("lb.example.com", "").replace("- {name: cp3, addresses: [10.0.0.3]}\n", "");
        place.write("new.yaml", &rest);
        let words = if given { "nodes remove cp3 --revoke --profile new.yaml" } else { "nodes remove cp3 --revoke" };
        let before = files(&place);
        let shown = run(&place, &format!("{words} --dry-run")).ok();
        assert!(
            shown.stdout.starts_with(&format!("would remove cp3 with {count} files (nothing was written)")),
            "{}",
            shown.stdout
        );
        assert!(!shown.wrote);
        let done = run(&place, words).ok();
        assert!(
            done.stdout.starts_with(&format!("removed cp3 with {count} files: cluster prod, in d\n")),
            "{}",
            done.stdout
        );
        assert!(done.stdout.contains("the keys of ca, front-proxy-ca, etcd-ca, sa: wipe it"), "{}", done.stdout);
        assert_eq!(done.stdout.contains("is written anew without cp3"), !given);
        assert_eq!(done.stdout.matches("cessationOfOperation").count(), 12, "{}", done.stdout);
        assert!(!place.path("d/nodes/cp3").exists());
        let touched = changed(&before, &files(&place));
        let is_right =
            |name: &String| name.starts_with("nodes/cp3/") || name.ends_with(".crl") || name.ends_with(".crl.der");
        assert!(touched.iter().all(is_right), "{touched:?}");
        assert_eq!(recorded(&place) == rest, given);
        assert!(!recorded(&place).contains("cp3") && !place.read("d/manifest.json").contains("cp3"));
        // It is kept, and nobody exports or expects it.
        let kept = place.kpki(&["history", "--dir", "d", "-o", "json"]).json()["generations"][0].take();
        assert_eq!(kept["command"], "nodes-remove");
        assert_eq!(
            kept["replaced"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|name| name.as_str().unwrap().starts_with("nodes/cp3/"))
                .count(),
            count
        );
        place.kpki(&["export", "cp3", "--dir", "d", "--out", "cp3.tar"]).fails(2);
        place.kpki(&["verify", "--dir", "d", "--node", "cp3", "--at", NOW]).fails(2);
        let check = place.kpki(&["check-expiration", "d", "--at", NOW, "-o", "json"]);
        assert!(!check.stdout.contains("cp3/") && !check.stdout.contains("nodes/cp3"), "{}", check.stdout);
        fits(&place);
        run(&place, "renew all --due --prune-sans").ok();
        fits(&place);
        // A second time there is nothing to remove.
        run(&place, "nodes remove cp3").fails(2);
    }
}

/// A list that is in the node's directory already goes with it, and is not issued there again.
#[test]
fn several_nodes_are_removed_one_after_another() {
    let place = cluster();
    for (node, others) in [("w2", "cp1 cp2 cp3 w1"), ("cp3", "cp1 cp2 w1"), ("w1", "cp1 cp2")] {
        let shown = run(&place, &format!("nodes remove {node} --revoke --dry-run")).ok();
        let done = run(&place, &format!("nodes remove {node} --revoke")).ok();
        for (told, pack) in [(&shown, "then pack"), (&done, "pack")] {
            let packed: String = others
                .split(' ')
                .map(|other| format!("    kpki export {other} --out {other}.tar.gz --dir d\n"))
                .collect();
            let end = format!("\nFor each node with new files, {pack} what it needs:\n{packed}");
            assert!(told.stdout.ends_with(&end), "{}", told.stdout);
        }
        assert!(!place.path(&format!("d/nodes/{node}")).exists());
        for other in others.split(' ') {
            assert_eq!(place.read(&format!("d/nodes/{other}/pki/ca.crl")), place.read("d/pki/ca.crl"));
        }
    }
    fits(&place);
}

/// Whoever signs a list names the nodes that have a copy of it; nobody else does.
#[test]
fn a_new_list_is_packed_for_the_nodes_that_have_it() {
    let place = cluster();
    let export = |node: &&str| format!("    kpki export {node} --out {node}.tar.gz --dir d\n");
    for (words, nodes) in [
        ("revoke cp1/etcd-peer", &["cp1", "cp2", "cp3"][..]),
        ("hold w1/kubelet.conf", &["cp1", "cp2", "cp3", "w1", "w2"]),
        ("revoke cp1/etcd-peer", &[]),
        ("release w1/kubelet.conf", &["cp1", "cp2", "cp3", "w1", "w2"]),
        ("crl update etcd-ca", &["cp1", "cp2", "cp3"]),
    ] {
        let told = run(&place, words).ok();
        let packed: String = nodes.iter().map(export).collect();
        assert_eq!(told.stdout.matches("kpki export").count(), nodes.len(), "{words}: {}", told.stdout);
        assert!(told.stdout.ends_with(&packed), "{words}: {}", told.stdout);
    }
    // A renewal that signs a list that is due, and nothing else.
    let late = place.kpki(&["renew", "all", "--due", "--dir", "d", "--at", "2026-12-20T10:00:00Z"]).ok();
    assert_eq!(late.stdout.matches("kpki export").count(), 5, "{}", late.stdout);
}

/// A name that has left the profile stays in what exists, which is said when the profile is recorded; that alone is no change
/// that could be undone, and keeps no generation from being there.
#[test]
fn a_name_is_taken_out_of_the_profile() {
    let place = Place::new();
    let with = profile("lb.example.com", "").replace("nodes:", "apiServer: {certSANs: [api.example.com]}\nnodes:");
    place.write("with.yaml", &with);
    place.write("p.yaml", profile("lb.example.com", ""));
    place.init(&["--profile", "with.yaml", "--dir", "d"]).ok();
    let generations = || place.kpki(&["history", "--dir", "d", "-o", "json"]).json()["generations"].clone();
    let before = generations();
    let told = run(&place, "renew all --due --profile p.yaml").status(0);
    let kept =
        "cp1/apiserver and 2 more keep names that are not in the profile (api.example.com); take them out with: ";
    let command = told.stderr.lines().find_map(|line| line.split_once(kept)).unwrap().1.to_owned();
    assert_eq!(command, "kpki renew apiserver --prune-sans --profile p.yaml --dir d");
    assert!(told.stdout.contains("recorded p.yaml") && !told.stdout.contains("undo it"), "{}", told.stdout);
    assert_eq!(recorded(&place), profile("lb.example.com", ""));
    // A recorded profile is recorded by init, too.
    run(&place, "init --profile with.yaml");
    run(&place, "init --profile p.yaml");
    assert_eq!(generations(), before);
    // One of them is done: the others are named.
    run(&place, "init --profile with.yaml");
    run(&place, "renew cp2/apiserver --prune-sans --profile p.yaml").status(0);
    let told = run(&place, "renew all --due --profile p.yaml").status(0);
    assert!(
        told.stderr.contains(": kpki renew cp1/apiserver cp3/apiserver --prune-sans --profile p.yaml --dir d\n"),
        "{}",
        told.stderr
    );
    place.kpki(&command.split(' ').skip(1).chain(["--at", NOW]).collect::<Vec<_>>()).status(0);
    assert!(!run(&place, "verify").stdout.contains("api.example.com"));
    assert!(!run(&place, "renew all --due --profile p.yaml").stderr.contains("keep names"));
    fits(&place);
}

#[test]
fn a_removed_node_comes_back_with_its_generation() {
    let place = cluster();
    let before = (files(&place), recorded(&place));
    let done = run(&place, "nodes remove w2").ok();
    let undo = done.stdout.lines().find_map(|line| line.strip_prefix("undo it with a profile that has w2: ")).unwrap();
    assert!(!recorded(&place).contains("w2"));
    for command in undo.replace("FILE", "p.yaml").split(" && ") {
        let told = place.kpki(&command.split(' ').skip(1).collect::<Vec<_>>()).status(0);
        // What a worker does not run is not restarted there.
        if command.contains(" restore ") {
            assert!(told.stdout.contains("on w2: restart kubelet"), "{}", told.stdout);
            let others = ["kube-controller-manager", "kube-apiserver", "etcd"];
            assert!(!others.iter().any(|one| told.stdout.contains(one)), "{}", told.stdout);
        }
    }
    assert_eq!(before.0, files(&place));
    assert_eq!(before.1, recorded(&place));
    fits(&place);
}

#[test]
fn what_cannot_be_removed_is_refused() {
    let place = cluster();
    place.write(
        "other.yaml",
        profile("lb.example.com", "")
            .replace("prod", "other")
            .replace("- {name: w2, roles: [worker], addresses: [10.0.0.12]}\n", ""),
    );
    place.write("two.yaml", format!("{HEAD}nodes: [{{name: cp1, addresses: [10.0.0.1]}}, {{name: w1, roles: [worker], addresses: [10.0.0.11]}}]\n"));
    place.init(&["--profile", "two.yaml", "--dir", "two"]).ok();
    place.write("one.yaml", super::harness::single("encryptionAlgorithm: ECDSA-P256\n"));
    place.init(&["--profile", "one.yaml", "--dir", "one"]).ok();
    for (words, dir, status, says) in [
        ("nope", "d", 2, "there is no node \"nope\" in d"),
        ("../cp1", "d", 2, "there is no node \"../cp1\" in d"),
        ("w2 --profile p.yaml", "d", 2, "p.yaml still has the node w2"),
        ("w2 --profile other.yaml", "d", 2, "other.yaml is the profile of other, not of prod"),
        ("cp1", "two", 2, "cp1 is the only control-plane node of the profile"),
        ("w1", "two", 2, "without w1 only cp1 is left"),
        ("cp1", "one", 2, "one is one node's own tree"),
        ("cp1", "nowhere", 1, "nowhere"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        for more in [&[][..], &["--dry-run"]] {
            let all = [&["nodes", "remove"], &words[..], &["--dir", dir, "--at", NOW], more].concat();
            let run = place.kpki(&all).fails(status);
            assert!(run.stderr.contains(says), "{all:?}: {}", run.stderr);
        }
    }
    // A link is nothing to follow or to remove.
    std::os::unix::fs::symlink("/etc/hostname", place.path("d/nodes/w2/link")).unwrap();
    run(&place, "nodes remove w2").fails(1);
    assert!(place.path("d/nodes/w2/kubelet.conf").exists());
}

#[test]
fn a_node_directory_that_no_profile_has_is_named_by_every_verb() {
    let place = cluster();
    copy_tree(&place.path("d/nodes/w2"), &place.path("d/nodes/w9"));
    let says = "warning: d/nodes/w9 belongs to no node of the profile; if it has left the cluster: kpki nodes remove w9 --dir d\n";
    for words in ["init", "renew all --due", "check-expiration", "verify"] {
        let told = run(&place, words);
        assert!(told.stderr.contains(says), "{words}: {}", told.stderr);
    }
    run(&place, "nodes remove w9").ok();
    assert!(!place.path("d/nodes/w9").exists());
    fits(&place);
}

/// A node is lost or replaced: what is in use is revoked first, then all of it is made again.
#[test]
fn a_compromised_node_is_revoked_and_then_renewed() {
    let place = cluster();
    let told = run(&place, "revoke cp2/all --reason keyCompromise").status(0);
    assert!(told.stdout.starts_with("revoked 12 certificates"), "{}", told.stdout);
    assert!(told.stdout.contains("replace, with a new key: kpki renew cp2/all --dir d\n"), "{}", told.stdout);
    assert!(
        told.stderr.contains("cp2 has the keys of ca, front-proxy-ca, etcd-ca, sa: who has copied them"),
        "{}",
        told.stderr
    );
    let before = files(&place);
    let done = run(&place, "renew cp2/all").status(0);
    assert!(done.stdout.starts_with("renewed 12 of 12 certificates"), "{}", done.stdout);
    let touched = changed(&before, &files(&place));
    assert!(touched.iter().all(|name| name.starts_with("nodes/cp2/")), "{touched:?}");
    // super-admin.conf is not made by the way.
    assert!(!place.path("d/nodes/cp2/super-admin.conf").exists());
    let again = run(&place, "revoke cp2/all --dry-run").status(0);
    assert!(again.stdout.starts_with("would revoke 12 certificates"), "{}", again.stdout);
    // A worker has no authority's key, and nothing is warned of.
    let told = run(&place, "hold w1/all").ok();
    assert!(told.stdout.starts_with("held 2 certificates"), "{}", told.stdout);
    assert!(told.stdout.contains("kpki release w1/all --dir d\n"), "{}", told.stdout);
    // One of it is revoked for good: the rest is released.
    run(&place, "revoke w1/kubelet-serving").ok();
    let told = run(&place, "release w1/all").ok();
    assert!(told.stdout.starts_with("released 1 certificate:"), "{}", told.stdout);
    assert!(told.stdout.contains("unchanged"), "{}", told.stdout);
    run(&place, "revoke cp9/all").fails(2);
    run(&place, "renew cp9/all").fails(2);
}

/// A certificate that a node has and this directory does not, such as one that the node has renewed itself, is in the journal.
#[test]
fn all_of_a_node_is_what_the_journal_knows_too() {
    let place = cluster();
    run(&place, "renew w1/kubelet.conf").ok();
    place.kpki(&["restore", "--dir", "d"]).ok();
    let held = run(&place, "hold w1/all").ok();
    assert!(held.stdout.starts_with("held 3 certificates"), "{}", held.stdout);
    let released = run(&place, "release w1/all").ok();
    assert!(released.stdout.starts_with("released 3 certificates"), "{}", released.stdout);
    let again = run(&place, "release w1/all").ok();
    assert!(again.stdout.starts_with("nothing to do") && again.stdout.matches("w1/").count() == 2, "{}", again.stdout);
    let done = run(&place, "nodes remove w1 --revoke").ok();
    assert_eq!(done.stdout.matches("cessationOfOperation").count(), 3, "{}", done.stdout);
    // Its files are lost.
    fs::remove_dir_all(place.path("d/nodes/w2")).unwrap();
    let done = run(&place, "nodes remove w2 --revoke").ok();
    assert_eq!(done.stdout.matches("cessationOfOperation").count(), 2, "{}", done.stdout);
}

/// What a renewal keeps as it is does not follow a profile that has it otherwise.
#[test]
fn a_profile_that_the_tree_does_not_fit_is_not_recorded() {
    let extra = "extraCertificates:\n- {name: probe, organizations: [ORG], usages: [client], nodes: [w1]}\n";
    let text = |cluster: &str, group: &str| {
        profile("lb.example.com", &extra.replace("ORG", group))
            .replace("clusterName: prod", &format!("clusterName: {cluster}"))
    };
    let place = Place::new();
    place.write("p.yaml", text("prod", "one"));
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    for (cluster, group, first) in [("other", "one", "cp1/"), ("prod", "two", "w1/probe ")] {
        place.write("new.yaml", text(cluster, group));
        for words in ["all --due", "all"] {
            let told = run(&place, &format!("renew {words} --profile new.yaml"));
            let said = format!("new.yaml is not recorded: {first}");
            assert!(told.stderr.contains(&said) && !told.stdout.contains("recorded"), "{}{}", told.stdout, told.stderr);
            assert_eq!(recorded(&place), text("prod", "one"));
        }
        fits(&place);
    }
}

/// A node that nobody has, one beside `--node`, and a node where the tree has none are told apart.
#[test]
fn a_name_says_which_node_it_misses() {
    let place = cluster();
    place.write("one.yaml", super::harness::single("encryptionAlgorithm: ECDSA-P256\n"));
    place.init(&["--profile", "one.yaml", "--dir", "one"]).ok();
    for verb in ["renew", "revoke", "hold", "release", "csr"] {
        for entry in ["all", "kubelet.conf"] {
            for (name, dir, node, says) in [
                (
                    "cp9",
                    "d",
                    None,
                    "d has no node \"cp9\"\ncaused by: it has cp1, cp2, cp3, w1, w2\nhint: give one of these\n",
                ),
                ("cp1", "d", Some("cp3"), "is not of cp3, which --node names\n"),
                ("cp1", "one", None, "in one: it is one node's own tree\n"),
            ] {
                let name = format!("{name}/{entry}");
                let words = [verb, &name, "--dir", dir, "--at", NOW];
                let node: Vec<&str> = node.iter().flat_map(|node| ["--node", node]).collect();
                let refused = place.kpki(&[&words[..], &node].concat()).fails(2);
                assert!(refused.stderr.contains(says), "{verb} {name}: {}", refused.stderr);
            }
        }
    }
}

/// What the kubelet rotates is its node's too; what another authority signed is left out, and counted.
#[test]
fn all_of_a_node_is_what_its_kubelet_uses_too() {
    let place = cluster();
    run(&place, "renew w2/kubelet.conf").ok();
    let conf = place.read("d/nodes/w2/kubelet.conf");
    let pem = |key: &str| {
        let line = conf.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim().to_owned();
        String::from_utf8(base64(&line)).unwrap()
    };
    let rotated = pem("client-certificate-data:") + &pem("client-key-data:");
    place.write("d/nodes/w1/kubelet/kubelet-client-current.pem", rotated);
    let other = "fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/apiserver";
    for end in ["crt", "key"] {
        let bytes = fs::read(repository(&format!("{other}.{end}"))).unwrap();
        fs::write(place.path(&format!("d/nodes/w1/kubelet/kubelet.{end}")), bytes).unwrap();
    }
    let told = run(&place, "revoke w1/all").status(5);
    assert!(told.stdout.contains("- w1/kubelet-serving is left out: its issuer is CN=kubernetes"), "{}", told.stdout);
    // kubelet.conf's own, the rotated one, and what was made for kubelet-serving.
    assert!(told.stdout.starts_with("revoked 3 certificates"), "{}", told.stdout);
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let (mut bits, mut count, mut all) = (0u32, 0, Vec::new());
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        (bits, count) = ((bits << 6) | u32::from(digit(byte)), count + 6);
        if count >= 8 {
            count -= 8;
            all.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    all
}

/// `--node` selects in a cluster directory, or is refused; a node that nobody has is refused by every verb.
#[test]
fn node_is_never_ignored() {
    let place = cluster();
    run(&place, "crl update").ok();
    for (words, selects) in [
        ("renew all --dry-run", true),
        ("renew apiserver --dry-run", true),
        ("revoke apiserver --dry-run", true),
        ("hold apiserver --dry-run", true),
        ("release apiserver --dry-run", true),
        ("csr apiserver --dry-run", true),
        ("check-expiration", true),
        ("verify", true),
        ("crl check", true),
        ("crl update --dry-run", false),
        ("init", false),
    ] {
        let of = |node: &str| run(&place, &format!("{words} --node {node}"));
        let nobody = of("cp9").fails(2);
        assert!(nobody.stderr.contains("has no node \"cp9\""), "{words}: {}", nobody.stderr);
        if !selects {
            let refused = of("cp2").fails(2);
            assert!(refused.stderr.contains("--node"), "{words}: {}", refused.stderr);
            continue;
        }
        let told = of("cp2");
        assert!([0, 3].contains(&told.status) && !told.wrote, "{words}: {told:?}");
        if words != "verify" {
            assert!(told.stdout.contains("cp2"), "{words}: {}", told.stdout);
        }
        for other in ["cp1/", "cp3/", "w1/", "node cp1", "node w1"] {
            assert!(!told.stdout.contains(other), "{words}: {}", told.stdout);
        }
    }
    let told = run(&place, "verify --node cp2 -o json").json();
    let text = told.to_string();
    assert!(text.contains("cp2") && !text.contains("nodes/cp1") && !text.contains("nodes/w1"), "{text}");
    // A name that this node does not have.
    run(&place, "renew apiserver --node w1").fails(2);
    run(&place, "revoke apiserver --node w1").fails(2);
    // A node's own tree is that node's.
    place.kpki(&["init", "--at", NOW, "--profile", "p.yaml", "--dir", "own", "--node", "cp1"]).warns();
    for verb in [&["verify"][..], &["check-expiration"], &["renew", "all"], &["crl", "check"]] {
        let run = place.kpki(&[verb, &["--dir", "own", "--node", "cp9", "--at", NOW]].concat()).fails(2);
        assert!(run.stderr.contains("the profile has no node \"cp9\""), "{verb:?}: {}", run.stderr);
    }
}

/// What a profile says of new certificates is no reason to replace old ones; the command that does is named, and does.
#[test]
fn another_lifetime_and_another_key_are_for_renew() {
    let place = cluster();
    let before = files(&place);
    place.write(
        "new.yaml",
        profile("lb.example.com", "")
            .replace("nodes:", "certificateValidityPeriod: 90d\nnodes:")
            .replace("P256", "P384"),
    );
    let told = run(&place, "init --profile new.yaml").status(0);
    assert!(told.stdout.starts_with("nothing to do"), "{}", told.stdout);
    let says = [
        "valid for 365d, the profile says 90d; kept until the next renewal; now with: kpki renew all --profile new.yaml --dir d",
        "a key of kind ECDSA-P256, the profile says ECDSA-P384; kept until the next renewal; now with: kpki renew all --profile new.yaml --dir d",
        "kept: what an authority signed depends on it; plan a rotation",
    ];
    for says in says {
        assert!(told.stderr.contains(says), "{says}: {}", told.stderr);
    }
    assert_eq!(changed(&before, &files(&place)), [""; 0]);
    run(&place, "renew all --profile new.yaml").status(0);
    let again = run(&place, "init").status(0);
    assert!(!again.stderr.contains("kpki renew"), "{}", again.stderr);
}
