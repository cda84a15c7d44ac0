//! A step back that would cut somebody off is refused as a step forth is: after a switch the new authority is in use, after a
//! retirement the old one is trusted nowhere.

use std::fs;

use kpki::x509::Crl;

use super::harness::{NOW, Place, single};
use super::rotate_gate::{BEGIN, lines, prepared, record, step};

const SWITCHED: &str = "2026-11-21T22:00:00Z";
const BACK: &str = "2026-11-22T22:00:00Z";
const MINUTE: &str = "2026-11-22T22:01:00Z";
const LATER: &str = "2026-11-24T22:00:00Z";
const PASS: [&str; 2] = ["--confirm-all", "--not-before-override"];

/// What was switched, and taken back at [`BACK`].
fn taken_back(authorities: &[&str], keep: &[&str]) -> Place {
    let place = prepared(&[authorities, keep].concat());
    step(&place, "switch", SWITCHED, &PASS).status(0);
    for (name, at) in [("anna", SWITCHED), ("bert", "2026-11-21T22:01:00Z")] {
        let out = format!("{name}.conf");
        let words = ["kubeconfig", "user", name, "--dir", "c", "--out", &out, "--validity", "90d", "--at", at];
        place.kpki(&words).status(0);
    }
    // The first step is free: the old one is trusted everywhere.
    step(&place, "back", BACK, authorities).status(0);
    place
}

#[test]
fn what_was_switched_once_goes_back_to_nothing_as_it_would_be_retired() {
    for keep in [&[][..], &["--keep-subject"]] {
        let place = taken_back(&["ca"], keep);
        assert_eq!(record(&place)["rotations"][0]["signedSince"], SWITCHED);
        let run = step(&place, "back", MINUTE, &[]).fails(1);
        assert!(!run.wrote, "{run:?}");
        for said in [
            "cannot back ca yet: nothing was written",
            "it is prepared since 2026-11-22T22:00:00Z, and not known to be in force on cp1, cp2, w1, lb1",
            "the wait (rotation.waitBeforeRetire) is over at 2026-11-23T22:00:00Z",
            "certificates of the new authority are still valid: kubeconfig of anna until",
            "kubeconfig of bert until",
            "kpki rotate confirm cp1 cp2 w1 lb1 --dir c",
            "kpki rotate back ca --confirm-all --not-before-override --dir c",
        ] {
            assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
        }
        // Each reason has its own option, and what was given stays.
        step(&place, "confirm", MINUTE, &["all"]).ok();
        let run = step(&place, "back", LATER, &["ca"]).fails(1);
        assert!(!run.stderr.contains("not known") && !run.stderr.contains("the wait"), "{}", run.stderr);
        assert!(run.stderr.contains("kpki rotate back ca --not-before-override --dir c"), "{}", run.stderr);
        // Who has a new one of the old authority is as he was.
        for name in ["anna", "bert"] {
            let out = format!("{name}.conf");
            let words = ["kubeconfig", "user", name, "--dir", "c", "--out", &out, "--force", "--at", LATER];
            place.kpki(&words).status(0);
        }
        step(&place, "back", LATER, &["ca"]).status(0);
        assert!(!place.path("c/.kpki/rotation.json").exists());
        assert!(lines(&place, "rotate-override").is_empty());
    }
}

#[test]
fn what_is_passed_over_on_the_way_back_is_in_the_journal() {
    let place = taken_back(&["ca"], &[]);
    step(&place, "back", MINUTE, &PASS).status(0);
    let details = lines(&place, "rotate-override")[0]["details"].to_string();
    assert!(details.contains("anna") && details.contains("wait until"), "{details}");
    assert!(lines(&place, "rotate-confirm")[0]["details"].to_string().contains("lb1"));
}

/// What was never switched has been used by nobody, and what is switched again goes on as ever.
#[test]
fn only_what_was_used_is_waited_for() {
    let place = prepared(&["ca", "sa"]);
    step(&place, "back", MINUTE, &[]).status(0);
    let place = taken_back(&["sa"], &[]);
    let run = step(&place, "back", LATER, &[]).fails(1);
    assert!(run.stderr.contains("not known to be in force on cp1, cp2"), "{}", run.stderr);
    step(&place, "confirm", LATER, &["all"]).ok();
    step(&place, "switch", LATER, &[]).status(0);
    step(&place, "back", LATER, &[]).status(0);
    let told = place.read("c/.kpki/rotation/back.md");
    assert!(told.contains("token secret") && told.contains("kpki rotate confirm cp1"), "{told}");
}

#[test]
fn the_instructions_name_what_wins_over_the_old_certificates() {
    let place = taken_back(&["ca"], &[]);
    let told = place.read("c/.kpki/rotation/back.md");
    for said in
        ["kubelet-client-current.pem is of the new authority", "credentials of the old authority", "refused while"]
    {
        assert!(told.contains(said), "{said}: {told}");
    }
}

#[test]
fn after_a_retirement_the_old_one_signs_again_only_where_it_is_trusted() {
    let place = prepared(&["ca"]);
    let export = |name: &str, at: &str| {
        place.kpki(&["export", "cp1", "--dir", "c", "--out", &format!("{name}.tar"), "--at", at])
    };
    step(&place, "switch", SWITCHED, &PASS).status(0);
    step(&place, "retire", SWITCHED, &PASS).status(0);
    export("retired", SWITCHED).status(0);
    step(&place, "back", BACK, &["ca"]).status(0);
    assert_eq!(record(&place)["rotations"][0]["restored"], true);
    // What the step prints can be done.
    export("restored", MINUTE).status(0);
    let run = step(&place, "back", LATER, &["ca"]).fails(1);
    assert!(
        run.stderr.contains("it is switched since 2026-11-22T22:00:00Z, and not known to be in force on cp1"),
        "{run:?}"
    );
    assert!(run.stderr.contains("kpki rotate back ca --confirm-all --dir c"), "{}", run.stderr);
    step(&place, "confirm", MINUTE, &["all"]).ok();
    let run = step(&place, "back", MINUTE, &["ca"]).fails(1);
    assert!(
        run.stderr.contains("the wait (rotation.waitBeforeSwitch) is over at 2026-11-22T23:00:00Z"),
        "{}",
        run.stderr
    );
    step(&place, "back", LATER, &["ca"]).status(0);
    place.kpki(&["verify", "c", "--at", LATER]).status(0);
    // And from there as after every switch.
    let run = step(&place, "back", LATER, &["ca"]).fails(1);
    assert!(run.stderr.contains("it is prepared since 2026-11-24T22:00:00Z, and not known"), "{}", run.stderr);
}

/// The lists of a file, by who signed them, with their entries.
fn lists(place: &Place, file: &str) -> Vec<(String, u64)> {
    let bytes = fs::read(place.path(file)).unwrap();
    let ders = match bytes.first() {
        Some(0x30) => vec![bytes],
        _ => kpki::encoding::pem::read(&bytes).unwrap().iter().map(|block| block.contents.to_vec()).collect(),
    };
    let of = |der: &Vec<u8>| {
        let crl = Crl::parse(der).unwrap();
        (crl.issuer.to_string(), crl.entries)
    };
    ders.iter().map(of).collect()
}

#[test]
fn who_is_trusted_again_has_its_list_again() {
    let place = super::rotate_gate::cluster();
    place.kpki(&["revoke", "w1/kubelet.conf", "--dir", "c", "--yes", "--at", BEGIN]).status(0);
    place.kpki(&["crl", "update", "etcd-ca", "--dir", "c", "--at", BEGIN]).status(0);
    step(&place, "prepare", BEGIN, &["ca", "etcd-ca", "--signer-file-in-use"]).status(0);
    step(&place, "switch", SWITCHED, &PASS).status(0);
    let (ca, etcd) = (lists(&place, "c/pki/ca.crl"), lists(&place, "c/pki/etcd/ca.crl"));
    assert_eq!(ca, [("CN=kubernetes@2".to_owned(), 0), ("CN=kubernetes".to_owned(), 1)]);
    let der = lists(&place, "c/pki/etcd/ca.crl.der");
    step(&place, "retire", SWITCHED, &PASS).status(0);
    let with_generations = place.path("c/.kpki/generations");
    assert_eq!(lists(&place, "c/pki/ca.crl"), ca[..1]);
    step(&place, "back", BACK, &["ca", "etcd-ca"]).status(0);
    for base in ["c/pki", "c/nodes/cp1/pki"] {
        assert_eq!(lists(&place, &format!("{base}/ca.crl")), ca, "{base}");
        assert_eq!(lists(&place, &format!("{base}/etcd/ca.crl")), etcd, "{base}");
        assert_eq!(lists(&place, &format!("{base}/etcd/ca.crl.der")), der, "{base}");
    }
    place.kpki(&["verify", "c", "--at", LATER]).status(0);
    // Without the generations the journal says what is on it.
    step(&place, "retire", LATER, &PASS).status(0);
    fs::remove_dir_all(with_generations).unwrap();
    step(&place, "back", LATER, &["ca", "etcd-ca"]).status(0);
    assert_eq!(lists(&place, "c/pki/ca.crl"), ca);
    assert_eq!(lists(&place, "c/pki/etcd/ca.crl.der"), der);
    place.kpki(&["crl", "update", "--dir", "c", "--at", LATER]).status(0);
}

#[test]
fn the_end_of_an_emergency_names_the_nodes_that_nobody_has_confirmed() {
    let place = super::rotate_gate::cluster();
    step(&place, "emergency", BEGIN, &["ca", "--yes-this-interrupts"]).status(0);
    step(&place, "confirm", MINUTE, &["cp1", "cp2", "lb1"]).ok();
    let run = step(&place, "retire", LATER, &["ca"]).status(0);
    assert!(
        run.stderr.contains("ca: nobody has confirmed that the new one alone is in force on w1;"),
        "{}",
        run.stderr
    );
}

/// A request that waits for its certificate is in no record: each of the two verbs that end it destroys its key.
#[test]
fn a_waiting_request_goes_with_its_key() {
    let place = Place::new();
    place.write("root.yaml", single(""));
    place.init(&["--profile", "root.yaml", "--dir", "root"]).ok();
    place.write("p.yaml", single("authorities: {ca: {subject: {O: [acme]}}}\n"));
    place.kpki(&["csr", "ca", "--at", NOW, "--profile", "p.yaml", "--dir", "c"]).ok();
    let root = ["--dir", "c", "--profile", "p.yaml", "--ca-cert", "root/pki/ca.crt", "--ca-key", "root/pki/ca.key"];
    let words =
        ["sign", "--at", NOW, "c/.kpki/requests/pki/ca.csr", "--intermediate", "--as", "ca", "--out", "old.crt"];
    place.kpki(&[&words[..], &root].concat()).status(0);
    place.kpki(&["import", "--at", NOW, "old.crt", "--profile", "p.yaml", "--dir", "c"]).status(0);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).status(0);
    for (verb, words) in [("back", &["ca"][..]), ("emergency", &["ca", "--yes-this-interrupts"])] {
        step(&place, "prepare", BACK, &["ca", "--signer-file-in-use"]).status(5);
        let key = place.read("c/.kpki/rotation/ca.next.key");
        assert!(place.path("c/.kpki/rotation/ca.csr").exists());
        step(&place, verb, LATER, words).status(0);
        assert!(!place.path("c/.kpki/rotation/ca.csr").exists(), "{verb}");
        assert!(super::rotating::holders(&key, &place.path("c")).is_empty(), "{verb}");
    }
}

/// kpki's record and keys move with the files: files alone would be of another phase than the record says.
#[test]
fn a_failed_hook_does_not_put_back_half_a_step() {
    let place = Place::new();
    let hooks =
        "encryptionAlgorithm: ECDSA-P256\nrenewal: {onHookFailure: restore, hooks: {deploy: {etcd: 'exit 3'}}}\n";
    place.write("p.yaml", single(hooks));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).status(0);
    for (verb, words, at) in [
        ("prepare", &["etcd-ca"][..], BEGIN),
        ("switch", &PASS, SWITCHED),
        ("retire", &PASS, BACK),
        ("back", &["etcd-ca"], LATER),
    ] {
        let run = step(&place, verb, at, words).status(1);
        assert!(run.stdout.contains("deploy hook of etcd failed: exit status 3"), "{verb}: {run:?}");
        assert!(run.stderr.contains("does not take back a step of a rotation"), "{verb}: {}", run.stderr);
        assert!(run.stderr.contains("kpki rotate back --dir c"), "{verb}: {}", run.stderr);
        // Whole, and it goes on.
        let status = step(&place, "status", at, &["-o", "json"]).json();
        assert_eq!(status["findings"].as_array().unwrap().len(), 0, "{verb}: {status}");
    }
}
