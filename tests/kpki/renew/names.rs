//! Names: which certificates are meant, and which names they get.

use std::fs;

use super::super::facts::{self, File};
use super::super::harness::{Place, single, tree};
use super::{actions, fixture, made, renew, report, visible, with};

const THREE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: api.example.com:6443\n\
    nodes:\n- name: cp1\n  addresses: [10.0.0.11]\n- name: cp2\n  addresses: [10.0.0.12]\n- name: cp3\n  addresses: [10.0.0.13]\n";

fn three() -> Place {
    let place = Place::new();
    place.write("p.yaml", THREE);
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

/// The story of the issue: a load balancer gets a new name.
#[test]
fn a_new_name_in_the_profile_reaches_every_api_server_and_nothing_else() {
    let place = three();
    place.write("p.yaml", THREE.replace("nodes:", "apiServer: {certSANs: [lb.example.com]}\nnodes:"));
    let before = visible(&place);
    let told = report(&place, &["all", "--due", "--profile", "p.yaml"]);
    let found = actions(&told);
    assert_eq!(with(&found, "renew"), ["cp1/apiserver", "cp2/apiserver", "cp3/apiserver"], "{found:?}");
    assert_eq!(with(&found, "keep").len(), found.len() - 3);
    for entry in told["entries"].as_array().unwrap().iter().filter(|one| one["action"] == "renew") {
        assert_eq!(entry["reasons"], serde_json::json!(["the profile adds lb.example.com"]));
        assert_eq!(entry["namesAdded"], serde_json::json!(["lb.example.com"]));
    }
    let after = visible(&place);
    let changed: Vec<&String> = before.keys().filter(|name| before[*name] != after[*name]).collect();
    let wanted =
        ["cp1", "cp2", "cp3"].map(|node| ["crt", "key"].map(|end| format!("nodes/{node}/pki/apiserver.{end}")));
    assert_eq!(changed, wanted.iter().flatten().collect::<Vec<_>>());
    let shown = facts::read_certificates(&place.path("k8s")).into_iter().filter(|(name, _)| !name.starts_with(".kpki"));
    for (name, file) in shown {
        let File::Certificates(list) = file else { panic!() };
        assert_eq!(list[0].sans.contains(&"DNS:lb.example.com".to_owned()), name.ends_with("apiserver.crt"), "{name}");
    }
    // The second run has nothing to do, and does nothing.
    let before = tree(&place.path("k8s"));
    let run = renew(&place, &["all", "--due", "--detailed-exitcode", "--profile", "p.yaml"]).ok();
    assert!(run.stdout.starts_with("nothing was renewed"), "{}", run.stdout);
    assert_eq!(before, tree(&place.path("k8s")));
    // The recorded profile is this one: the next run keeps the name without a word.
    assert!(place.read("k8s/.kpki/profile.yaml").contains("lb.example.com"));
    renew(&place, &["cp1/apiserver"]).ok();
    assert!(place.read("k8s/.kpki/journal.jsonl").contains(r#""entry":"cp2/apiserver""#));
}

#[test]
fn surplus_names_go_when_it_is_said() {
    let place = made("apiServer: {certSANs: [old.example.com, 10.9.9.9]}\n");
    place.write("p.yaml", single(""));
    let run = renew(&place, &["all", "--due", "-p", "p.yaml", "--detailed-exitcode"]).status(0);
    assert!(run.stderr.contains("apiserver keeps names that are not in the profile (10.9.9.9, old.example.com)"));
    let told = report(&place, &["all", "--due", "-p", "p.yaml", "--prune-sans"]);
    let found = actions(&told);
    assert_eq!(with(&found, "renew"), ["apiserver"]);
    let entry = told["entries"].as_array().unwrap().iter().find(|one| one["name"] == "apiserver").unwrap();
    assert_eq!(entry["namesRemoved"], serde_json::json!(["old.example.com", "10.9.9.9"]));
    let certificates = facts::read_certificates(&place.path("k8s"));
    let File::Certificates(list) = &certificates["pki/apiserver.crt"] else { panic!() };
    assert!(!list[0].sans.iter().any(|name| name.contains("old.example.com") || name.contains("10.9.9.9")));
}

#[test]
fn one_certificate_of_one_node_or_of_all() {
    let place = three();
    for (words, wanted) in [
        (&["cp2/etcd-server"][..], &["cp2/etcd-server"][..]),
        (&["etcd-peer", "cp1/admin.conf"], &["cp1/admin.conf", "cp1/etcd-peer", "cp2/etcd-peer", "cp3/etcd-peer"]),
    ] {
        assert_eq!(with(&actions(&report(&place, words)), "renew"), wanted);
    }
}

#[test]
fn what_has_no_certificate_to_renew_is_refused() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let before = tree(&place.path("k8s"));
    for (words, status, said) in [
        (&["front-proxy-ca", "apiserver"][..], 2, "front-proxy-ca is an authority"),
        (&["sa"], 2, "sa is a key pair without a certificate"),
        (&["apisrver"], 2, "there is no certificate \"apisrver\" in this tree"),
        (&["cp9/apiserver"], 2, "there is no \"cp9/apiserver\" in k8s: it is one node's own tree"),
        (&["all", "apiserver"], 2, "all cannot be combined with other names"),
        (&["all", "--node", "cp1", "--profile", "nothing.yaml"], 1, "nothing.yaml"),
        (&[], 2, "NAME"),
        (&[""], 2, "there is no certificate \"\""),
        (&["/"], 2, "there is no \"/\" in k8s: it is one node's own tree"),
        (&["../apiserver"], 2, "there is no \"../apiserver\" in k8s: it is one node's own tree"),
    ] {
        let run = renew(&place, words).fails(status);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{words:?}: {}", run.stdout);
    }
    assert_eq!(before, tree(&place.path("k8s")));
}

#[test]
fn what_is_missing_is_made_where_something_says_what_it_is() {
    // kubeadm's tree without a profile: clients are the same everywhere, servers are not.
    let place = fixture("v1.36-ha-ecdsa-cp1");
    for name in ["pki/front-proxy-client.crt", "pki/front-proxy-client.key", "pki/etcd/peer.crt"] {
        fs::remove_file(place.path("k8s").join(name)).unwrap();
    }
    let run = renew(&place, &["all", "--due", "-o", "json"]).status(5).json();
    let found = actions(&run["trees"][0]);
    assert_eq!((with(&found, "create"), with(&found, "left")), (vec!["front-proxy-client"], vec!["etcd-peer"]));
    let run = renew(&place, &["etcd-peer"]).status(5);
    assert!(run.stdout.contains("in no profile; give one with --profile FILE"), "{}", run.stdout);

    // With one, everything is; super-admin.conf only when it is named.
    let place = made("");
    let gone = ["pki/apiserver.crt", "pki/etcd/peer.key", "admin.conf", "super-admin.conf", "kubelet/kubelet.crt"];
    for name in gone {
        fs::remove_file(place.path("k8s").join(name)).unwrap();
    }
    let found = actions(&report(&place, &["all", "--due"]));
    assert_eq!(with(&found, "create"), ["admin.conf", "apiserver", "kubelet-serving"], "{found:?}");
    assert_eq!((with(&found, "renew"), with(&found, "skip")), (vec!["etcd-peer"], vec!["super-admin.conf"]));
    assert!(!place.path("k8s/super-admin.conf").exists());
    let found = actions(&report(&place, &["super-admin.conf", "--due"]));
    assert_eq!(with(&found, "create"), ["super-admin.conf"]);
    renew(&place, &["all", "--due", "--detailed-exitcode"]).ok();
    place.init(&["--dir", "k8s"]).ok();
}

#[test]
fn the_key_of_another_is_replaced_by_the_scheduled_job() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    fs::copy(place.path("k8s/pki/etcd/peer.key"), place.path("k8s/pki/etcd/server.key")).unwrap();
    let run = renew(&place, &["all", "--due"]).ok();
    assert!(run.stdout.contains("its key does not match it"), "{}", run.stdout);
    assert!(run.stdout.starts_with("renewed 1 of 12"), "{}", run.stdout);
}

#[test]
fn a_key_is_kept_to_the_byte_when_it_is_said() {
    for folder in ["v1.36-ha-ecdsa-cp1", "v1.20-rsa2048", "v1.36-dualstack-p384"] {
        let place = fixture(folder);
        let before = visible(&place);
        let told = report(&place, &["all", "--reuse-key"]);
        let entries = told["entries"].as_array().unwrap();
        assert!(entries.iter().all(|entry| entry["keyReused"] == true), "{folder}");
        assert!(entries.iter().all(|entry| entry["old"]["serial"] != entry["new"]["serial"]), "{folder}");
        let after = visible(&place);
        for (name, content) in before.iter().filter(|(name, _)| name.ends_with(".key")) {
            assert_eq!(*content, after[name], "{folder}: {name}");
        }
        let line = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.lines().find(|line| line.contains("client-key-data")).unwrap().to_owned()
        };
        assert_eq!(line(&before["admin.conf"].1), line(&after["admin.conf"].1), "{folder}");
        assert!(before["admin.conf"] != after["admin.conf"]);
    }
}
