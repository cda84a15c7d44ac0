//! `kpki renew ca|front-proxy-ca|etcd-ca`: an authority's date, with its key.

use std::collections::BTreeMap;

use kpki::blueprint::{Blueprint, KeyUsage, Name, Role};
use kpki::ca::{Issuer, PrivateKey, issue, self_sign};
use kpki::x509::{Certificate, Usage, parse_pem_bundle, verify_for};
use time::macros::datetime;

use super::facts::decode;
use super::harness::{NOW, Place, Run, copy_tree, repository, single};
use super::unpack;

const LATER: &str = "2035-01-01T00:00:00Z";
const SOON: &str = "2027-01-01T00:00:00Z";
const ALL: [&str; 3] = ["ca", "front-proxy-ca", "etcd-ca"];

fn made(lines: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(&format!("encryptionAlgorithm: ECDSA-P256\n{lines}")));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).status(0);
    place
}

fn renew(place: &Place, at: &str, words: &[&str]) -> Run {
    place.kpki(&[&["renew", "--dir", "k8s", "--at", at], words].concat())
}

fn certificates(place: &Place, name: &str) -> Vec<Certificate> {
    parse_pem_bundle(place.read(name).as_bytes()).unwrap()
}

/// What a kubeconfig trusts, and the rest of it.
fn trusted(place: &Place, name: &str) -> (Vec<Certificate>, String) {
    let text = place.read(name);
    let is_data = |line: &&str| line.trim().starts_with("certificate-authority-data:");
    let data = text.lines().find(is_data).unwrap().trim().split_once(": ").unwrap().1.to_owned();
    let rest: Vec<&str> = text.lines().filter(|line| !is_data(line)).collect();
    (parse_pem_bundle(&decode(&data)).unwrap(), rest.join("\n"))
}

fn conf_names(place: &Place) -> Vec<String> {
    place.files().into_keys().filter(|name| name.ends_with(".conf") && !name.contains("/.kpki/")).collect()
}

#[test]
fn the_date_is_new_and_nothing_else() {
    let place = made("");
    let before = place.files();
    let confs: BTreeMap<String, _> = conf_names(&place).into_iter().map(|n| (n.clone(), trusted(&place, &n))).collect();
    assert!(confs.len() >= 5, "{confs:?}");
    let run = renew(&place, LATER, &ALL).ok();
    assert!(run.stdout.starts_with("renewed ca, front-proxy-ca, etcd-ca with the same key: "), "{}", run.stdout);
    for said in ["Until 2036-11-17T22:00:00Z, when the old certificate of ca ends:", "kube-root-ca.crt", "restart etcd"]
    {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    let authorities = ["pki/ca.crt", "pki/front-proxy-ca.crt", "pki/etcd/ca.crt"];
    for (name, (mode, bytes)) in place.files().iter().filter(|(name, _)| !name.contains("/.kpki")) {
        let (mode_before, bytes_before) = &before[name];
        assert_eq!(mode, mode_before, "{name}");
        let is_authority = authorities.iter().any(|one| name.ends_with(one));
        assert_eq!(bytes != bytes_before, is_authority || name.ends_with(".conf"), "{name}");
        if is_authority {
            let (old, new) = (parse_pem_bundle(bytes_before).unwrap(), parse_pem_bundle(bytes).unwrap());
            assert_eq!((old.len(), new.len()), (1, 1));
            assert!(new[0].is_same_authority(&old[0]) && new[0].serial != old[0].serial, "{name}");
            assert_eq!(new[0].subject_key_id, old[0].subject_key_id);
            assert_eq!(new[0].kept_in_renewal(), old[0].kept_in_renewal());
            assert_eq!(new[0].not_after - new[0].not_before, old[0].not_after - old[0].not_before, "{name}");
        }
    }
    for (name, (_, rest)) in confs {
        assert_eq!(trusted(&place, &name), (certificates(&place, "k8s/pki/ca.crt"), rest), "{name}");
    }
    // Nothing is left to do for anybody else, and all of it can be undone.
    assert!(renew(&place, LATER, &["ca", "--dry-run"]).stdout.starts_with("would renew ca with the same key"));
    let generation = run.stdout.lines().find_map(|line| line.strip_prefix("undo it with: kpki restore ")).unwrap();
    let generation = generation.split(' ').next().unwrap();
    place.kpki(&["restore", generation, "--dir", "k8s", "--at", LATER]).ok();
    for (name, state) in place.files().iter().filter(|(name, _)| !name.contains("/.kpki")) {
        assert_eq!(state, &before[name], "{name}");
    }
}

#[test]
fn old_and_new_verify_each_others_leaves() {
    let place = made("certificateValidityPeriod: 1y\n");
    let leaf = || certificates(&place, "k8s/pki/apiserver-kubelet-client.crt").remove(0);
    let ca = || certificates(&place, "k8s/pki/ca.crt").remove(0);
    let at = "2026-12-01T00:00:00Z";
    let (old_ca, old_leaf) = (ca(), leaf());
    renew(&place, at, &["ca", "--validity", "20y"]).ok();
    renew(&place, at, &["apiserver-kubelet-client"]).ok();
    let (new_ca, new_leaf) = (ca(), leaf());
    place.kpki(&["verify", "k8s", "--at", "2026-12-02"]).ok();
    assert_eq!(new_ca.not_after, datetime!(2046-11-26 0:00 UTC));
    assert!(old_ca.der != new_ca.der && old_leaf.der != new_leaf.der);
    for leaf in [&old_leaf, &new_leaf] {
        for ca in [&old_ca, &new_ca] {
            verify_for(leaf, &[], ca, Usage::Client, datetime!(2026-12-02 0:00 UTC)).unwrap();
        }
    }
}

#[test]
fn a_cluster_directory_has_it_everywhere_and_its_archives_are_of_the_same_cluster() {
    let place = unpack::made(unpack::PROFILE);
    place.kpki(&["crl", "update", "ca", "--dir", "c", "--at", NOW]).ok();
    unpack::unpack(&place, "cp1.tar", &[]).ok();
    let node = |name: &str| format!("{}/{name}", unpack::DIR);
    let run = place.kpki(&["renew", "ca", "etcd-ca", "--dir", "c", "--at", SOON, "-o", "json"]).ok().json();
    let report = &run["trees"][0];
    assert_eq!(report["ship"], serde_json::json!(["cp1", "cp2", "w1"]));
    let afterwards: Vec<&str> =
        report["afterwards"].as_array().unwrap().iter().map(|one| one["authority"].as_str().unwrap()).collect();
    assert_eq!(afterwards, ["ca", "etcd-ca"]);
    let restarts = report["restart"].as_array().unwrap();
    let on = |node: &str, component: &str| {
        restarts.iter().any(|one| one["node"] == node && one["component"] == component && one["action"] == "restart")
    };
    for node in ["cp1", "cp2"] {
        assert!(on(node, "etcd") && on(node, "kube-controller-manager") && on(node, "kubelet"), "{node} {restarts:#?}");
    }
    assert!(on("w1", "kubelet") && !on("w1", "kube-controller-manager"), "{restarts:#?}");
    assert_eq!(restarts.iter().filter(|one| one["component"] == "pods").count(), 1);
    let new = place.read("c/pki/ca.crt");
    for node in ["cp1", "cp2", "w1"] {
        assert_eq!(place.read(&format!("c/nodes/{node}/pki/ca.crt")), new);
    }
    for name in conf_names(&place).iter().filter(|name| name.starts_with("c/")) {
        assert_eq!(trusted(&place, name).0, certificates(&place, "c/pki/ca.crt"), "{name}");
    }
    // A line for each, which says what it renews; CRLs of the old certificate are still the authority's.
    let journal = place.read("c/.kpki/journal.jsonl");
    assert_eq!(journal.lines().filter(|line| line.contains("\"renews\":\"")).count(), 2, "{journal}");
    place.kpki(&["crl", "update", "ca", "--dir", "c", "--at", SOON]).ok();
    assert!(place.kpki(&["crl", "show", "c/pki/ca.crl", "--at", SOON]).ok().stdout.contains("number:       2\n"));
    // The node gets it without --force, and the earlier archive is older, not another cluster's.
    unpack::export(&place, "cp1", "new.tar", SOON);
    unpack::unpack(&place, "new.tar", &["--at", SOON]).ok();
    assert_eq!(place.read(&node("pki/ca.crt")), new);
    let run = unpack::unpack(&place, "cp1.tar", &["--at", SOON]).fails(1);
    assert!(!run.stderr.contains("have no certificate in common"), "{}", run.stderr);
    // On the node it is not renewed: each would have another.
    let dir = unpack::DIR;
    let run = place.kpki(&["renew", "ca", "--dir", dir, "--at", SOON]).fails(1);
    assert!(run.stderr.contains("kpki-node.json") && run.stderr.contains("kpki renew ca --dir DIR"), "{}", run.stderr);
}

#[test]
fn a_node_that_has_the_old_one_is_behind_and_not_foreign() {
    let place = unpack::made(unpack::PROFILE);
    unpack::unpack(&place, "w1.tar", &["--node", "w1"]).ok();
    let receipt = ["export", "--verify", "w1", "--receipt", "-o", "json", "--dir", unpack::DIR, "--at", NOW];
    place.write("w1.json", place.kpki(&receipt).ok().stdout);
    place.kpki(&["nodes", "merge", "w1.json", "--dir", "c", "--at", NOW]).status(0);
    place.kpki(&["renew", "ca", "--dir", "c", "--at", SOON, "-q"]).ok();
    let run = place.kpki(&["nodes", "--dir", "c", "--at", SOON, "-o", "json"]).json();
    let w1 = run["nodes"].as_array().unwrap().iter().find(|one| one["node"] == "w1").unwrap();
    assert_eq!(w1["confirmed"]["state"].as_str().or(w1["confirmed"].as_str()), Some("older"), "{w1:#}");
}

#[test]
fn kubeadms_tree_needs_no_profile() {
    for folder in ["v1.36-default-rsa2048", "v1.20-rsa2048"] {
        let place = Place::new();
        copy_tree(&repository("fixtures/kubeadm").join(folder).join("etc-kubernetes"), &place.path("k8s"));
        let before = certificates(&place, "k8s/pki/ca.crt").remove(0);
        renew(&place, LATER, &ALL).ok();
        let after = certificates(&place, "k8s/pki/ca.crt").remove(0);
        assert!(after.is_same_authority(&before) && after.not_after > before.not_after, "{folder}");
        for leaf in ["apiserver", "apiserver-kubelet-client"] {
            certificates(&place, &format!("k8s/pki/{leaf}.crt"))[0].signed_by(&after).unwrap();
        }
        assert_eq!(trusted(&place, "k8s/admin.conf").0, std::slice::from_ref(&after), "{folder}");
    }
}

#[test]
fn an_address_that_nothing_explains_may_be_another_nodes() {
    let place = Place::new();
    let folder = repository("fixtures/kubeadm/v1.36-dualstack-p384");
    copy_tree(&folder.join("etc-kubernetes"), &place.path("k8s"));
    let run = renew(&place, LATER, &["ca"]).fails(1);
    for said in ["198.51.100.7", "kpki renew ca --profile FILE --dir k8s\n", "kpki adopt "] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    // The configuration by which it was made says so.
    let config = folder.join("kubeadm.yaml");
    renew(&place, LATER, &["ca", "--profile", config.to_str().unwrap()]).status(0);
}

#[test]
fn one_that_has_ended_is_renewed_and_then_what_ended_with_it() {
    let place = made("");
    let at = "2040-01-01T00:00:00Z";
    let run = renew(&place, at, &["all", "--due"]).fails(1);
    assert!(
        run.stderr.contains("renew it with the same key, and then what it signed: kpki renew ca --dir k8s"),
        "{run:?}"
    );
    let run = renew(&place, at, &ALL).ok();
    assert!(
        run.stdout.contains("The old certificate of ca has ended at 2036-11-17T22:00:00Z; still to do:"),
        "{run:?}"
    );
    assert!(run.stdout.contains("renew what has ended with it: kpki renew all --due --dir k8s\n"), "{run:?}");
    renew(&place, at, &["all", "--due"]).ok();
    place.kpki(&["verify", "k8s", "--at", at]).ok();
}

#[test]
fn in_a_bundle_the_signer_alone_is_renewed_where_it_stands() {
    let place = made("controllerManager: {signerFile: true}\n");
    let (own, other) = (place.read("k8s/pki/ca.crt"), place.read("k8s/pki/front-proxy-ca.crt"));
    place.write("k8s/pki/ca.crt", format!("# ours\n{own}# theirs\n{other}# the end"));
    renew(&place, NOW, &["all", "--due"]).ok();
    let signer = place.read("k8s/pki/ca-signer.crt");
    renew(&place, LATER, &["ca"]).ok();
    let text = place.read("k8s/pki/ca.crt");
    let new = certificates(&place, "k8s/pki/ca.crt").remove(0);
    assert_eq!(text, format!("# ours\n{}# theirs\n{other}# the end", new.to_pem()));
    assert_eq!(place.read("k8s/pki/ca-signer.crt"), new.to_pem());
    assert_ne!(signer, new.to_pem());
    assert_eq!(trusted(&place, "k8s/admin.conf").0, certificates(&place, "k8s/pki/ca.crt"));
}

#[test]
fn other_kubeconfigs_follow_and_people_are_named() {
    let place = made("");
    place
        .kpki(&[
            "kubeconfig",
            "user",
            "alice",
            "--group",
            "dev",
            "--dir",
            "k8s",
            "--out",
            "a.conf",
            "--validity",
            "9y",
            "--at",
            NOW,
        ])
        .status(0);
    let admin = place.read("k8s/admin.conf");
    place.write("k8s/bootstrap-kubelet.conf", &admin);
    place.write("k8s/not-ours.conf", "kind: Nothing\n");
    // What trusts something else stays, and it is said.
    let other = trusted(&place, "k8s/scheduler.conf").1;
    place.write("k8s/scheduler.conf", format!("{other}\n"));
    let run = renew(&place, LATER, &["ca"]).ok();
    assert!(run.stdout.contains("bootstrap-kubelet.conf"), "{}", run.stdout);
    assert!(run.stdout.contains("replace what they trust: alice\n"), "{}", run.stdout);
    assert_eq!(trusted(&place, "k8s/bootstrap-kubelet.conf").0, certificates(&place, "k8s/pki/ca.crt"));
    assert_eq!(place.read("k8s/not-ours.conf"), "kind: Nothing\n");
    assert_eq!(place.read("k8s/scheduler.conf"), format!("{other}\n"));
}

#[test]
fn a_kubeconfig_that_cannot_be_read_is_said_and_counted() {
    let place = made("");
    place.write("k8s/scheduler.conf", "{");
    let run = renew(&place, LATER, &["ca"]).status(5);
    assert!(run.stdout.contains("it cannot be read, and so not what it trusts"), "{run:?}");
    assert_eq!(certificates(&place, "k8s/pki/ca.crt")[0].not_before, datetime!(2034-12-31 23:55 UTC));
}

/// The cluster's CA below a root, for the same key.
fn below(place: &Place) -> Issuer {
    let key = PrivateKey::generate(kpki::blueprint::Algorithm::EcdsaP256).unwrap();
    let usage = KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN);
    let root = Blueprint {
        subject: Name::of("root", &[]),
        not_before: datetime!(2020-01-01 0:00 UTC),
        not_after: datetime!(2060-01-01 0:00 UTC),
        role: Role::Authority { path_len: None },
        key_usage: usage,
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    };
    let signed = self_sign(&root, &key).unwrap();
    let root = Issuer::new(vec![signed.certificate], key).unwrap();
    signed_below(place, &root, "k8s/pki/ca.crt", datetime!(2036-01-01 0:00 UTC));
    root
}

fn signed_below(place: &Place, root: &Issuer, to: &str, not_after: time::OffsetDateTime) {
    let old = certificates(place, "k8s/pki/ca.crt").remove(0);
    let wanted = Blueprint {
        subject: old.subject.clone(),
        not_before: old.not_before,
        not_after,
        role: Role::Authority { path_len: None },
        key_usage: old.key_usage.unwrap(),
        extended_key_usages: vec![],
        sans: old.sans.clone(),
        permitted: vec![],
    };
    let issued = issue(&wanted, &old.spki_der, root).unwrap();
    place.write(to, issued.certificate.to_pem() + &root.certificate().to_pem());
}

#[test]
fn below_another_authority_a_request_for_the_same_key_is_left_and_import_completes() {
    let place = made("");
    let root = below(&place);
    renew(&place, NOW, &["all", "--due"]).status(0);
    let key = place.read("k8s/pki/ca.key");
    let run = renew(&place, LATER, &["ca"]).status(5);
    assert!(run.stdout.contains("CN=root signed it, and has to sign it again"), "{run:?}");
    let request = "k8s/.kpki/requests/pki/ca.csr";
    assert!(run.stdout.contains(request), "{run:?}");
    assert!(!renew(&place, LATER, &["ca"]).status(5).wrote);
    signed_below(&place, &root, "new.crt", datetime!(2055-01-01 0:00 UTC));
    let (_, credential) = trusted(&place, "k8s/admin.conf");
    place.kpki(&["import", "new.crt", "--dir", "k8s", "--at", LATER]).status(0);
    assert_eq!(place.read("k8s/pki/ca.crt"), place.read("new.crt"));
    assert_eq!(place.read("k8s/pki/ca.key"), key);
    assert_eq!(trusted(&place, "k8s/admin.conf"), (certificates(&place, "new.crt"), credential));
    assert!(!place.path(request).exists());
    let journal = place.read("k8s/.kpki/journal.jsonl");
    assert!(journal.lines().last().unwrap().contains("\"renews\":\""), "{journal}");
}

#[test]
fn what_is_refused_is_refused_before_anything_is_written() {
    let several = "- name: cp2\n  addresses: [10.0.0.12]\ncontrolPlaneEndpoint: lb.example.com\n";
    let etcd = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: etcd\n    command: [etcd, \
        '--initial-cluster=cp1=https://10.0.0.11:2380,cp2=https://10.0.0.12:2380']\n";
    let none = |_: &Place| {};
    type Make = fn(&Place);
    let cases: [(Make, &[&str], i32, &str); 10] = [
        (none, &["ca", "apiserver"], 2, "not renewed with other entries"),
        (none, &["ca", "--due"], 2, "leave them out"),
        (none, &["apiserver", "--validity", "10y"], 2, "--validity is for authorities"),
        (none, &["cp1/ca"], 2, "one node's own tree"),
        (none, &["ca", "--validity", "1y"], 1, "the new ca would end at 2036-01-01T00:00:00Z"),
        (|place| std::fs::remove_file(place.path("k8s/pki/ca.key")).unwrap(), &["ca"], 1, "--as ca --dir k8s"),
        (|place| std::fs::remove_file(place.path("k8s/pki/ca.crt")).unwrap(), &["ca"], 1, "ca is not in this tree"),
        (
            |place| std::fs::rename(place.path("k8s/pki/etcd/ca.key"), place.path("k8s/pki/ca.key")).unwrap(),
            &["ca"],
            1,
            "ca cannot sign",
        ),
        (
            |place| drop(place.write("k8s/kpki-node.json", "{}")),
            &["ca"],
            1,
            "kpki renew ca --dir DIR && kpki export NODE",
        ),
        (none, &["sa"], 2, "rotation"),
    ];
    for (make, words, status, said) in cases {
        let place = made("");
        make(&place);
        let run = renew(&place, LATER, words).fails(status);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
    let place = made("");
    place.write("k8s/manifests/etcd.yaml", etcd);
    assert!(renew(&place, LATER, &["ca"]).fails(1).stderr.contains("has the members cp1, cp2"));
    let place = Place::new();
    place.write("p.yaml", single(several));
    place.init(&["--profile", "p.yaml", "--dir", "k8s", "--node", "cp1"]).status(0);
    assert!(renew(&place, LATER, &["ca"]).fails(1).stderr.contains("control-plane nodes cp1, cp2"));
}

#[test]
fn nothing_renews_an_authority_that_is_not_named() {
    let place = unpack::made(unpack::PROFILE);
    let authorities =
        |place: &Place| ["ca", "front-proxy-ca", "etcd/ca"].map(|one| place.read(&format!("c/pki/{one}.crt")));
    let before = authorities(&place);
    for words in [&["all"][..], &["all", "--due"], &["cp1/all"]] {
        place.kpki(&[&["renew", "--dir", "c", "--at", LATER, "-q"], words].concat()).status(0);
    }
    assert_eq!(authorities(&place), before);
    place.kpki(&["renew", "ca", "--dir", "c", "--node", "cp1", "--at", LATER]).fails(2);
}

#[test]
fn data_that_alone_is_old_is_replaced_alone() {
    let place = made("");
    let old = place.read("k8s/admin.conf");
    renew(&place, "2026-12-01", &["ca", "--validity", "20y"]).ok();
    let new = place.read("k8s/admin.conf");
    place.write("k8s/admin.conf", &old);
    let run = renew(&place, "2026-12-01", &["all", "--due"]).ok();
    assert_eq!(place.read("k8s/admin.conf"), new);
    assert!(run.stdout.contains("its certificate-authority-data was not ca.crt"), "{}", run.stdout);
    // More than ca.crt is not ca.crt either.
    let (_, rest) = trusted(&place, "k8s/admin.conf");
    let both = place.read("k8s/pki/ca.crt") + &place.read("k8s/pki/front-proxy-ca.crt");
    let data = base64(both.as_bytes());
    let (now, _) = new.split_once("certificate-authority-data: ").unwrap();
    let after = new.split_once("certificate-authority-data: ").unwrap().1.split_once('\n').unwrap().1;
    place.write("k8s/admin.conf", format!("{now}certificate-authority-data: {data}\n{after}"));
    renew(&place, "2026-12-01", &["all", "--due"]).ok();
    assert_eq!(trusted(&place, "k8s/admin.conf"), (certificates(&place, "k8s/pki/ca.crt"), rest));
    // By name, both are new.
    place.write("k8s/admin.conf", &old);
    renew(&place, "2026-12-01", &["admin.conf"]).ok();
    let (data, credential) = trusted(&place, "k8s/admin.conf");
    assert_eq!(data, certificates(&place, "k8s/pki/ca.crt"));
    assert_ne!(credential, trusted_text(&new));
}

fn base64(bytes: &[u8]) -> String {
    kpki::encoding::base64::encode(bytes).to_string()
}

fn trusted_text(conf: &str) -> String {
    conf.lines().filter(|line| !line.trim().starts_with("certificate-authority-data:")).collect::<Vec<_>>().join("\n")
}
