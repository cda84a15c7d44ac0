//! The switch and the retirement: what is made, what is left, the lists of revoked certificates, and who verifies whom in each phase.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::harness::{Place, copy_tree, repository, single, tree};
use kpki::x509::{Certificate, Crl, parse_pem_bundle, path};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

const AT: [&str; 3] = ["2026-11-22T22:00:00Z", "2026-11-24T22:00:00Z", "2026-11-26T22:00:00Z"];
const PASS: [&str; 2] = ["--confirm-all", "--not-before-override"];
const INSTANT: OffsetDateTime = datetime!(2026-11-26 22:00 UTC);

const CLUSTER: &str = "apiVersion: kpki/v1
kind: ClusterProfile
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: api.example.com
nodes:
- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
";

fn prepare(place: &Place, more: &[&str]) {
    place
        .kpki(&[&["rotate", "prepare", "all", "--signer-file-in-use", "--dir", "d", "--at", AT[0]], more].concat())
        .status(0);
}

fn switch(place: &Place, more: &[&str], status: i32) -> String {
    let run = place.kpki(&[&["rotate", "switch", "--dir", "d", "--at", AT[1]], &PASS[..], more].concat());
    assert_eq!(run.status, status, "{run:?}");
    format!("{}{}", run.stdout, run.stderr)
}

fn retire(place: &Place) {
    place.kpki(&[&["rotate", "retire", "--dir", "d", "--at", AT[2]], &PASS[..]].concat()).status(0);
}

/// Every file of certificates below `root`, by its path, without authorities.
fn leaves(root: &Path) -> BTreeMap<PathBuf, Vec<Certificate>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with(".kpki") => {}
                true => open.push(path),
                false if path.extension().is_some_and(|end| end == "crt") => {
                    let bundle = parse_pem_bundle(&fs::read(&path).unwrap()).unwrap();
                    if bundle.first().is_some_and(|first| !first.is_ca) {
                        found.insert(path.strip_prefix(root).unwrap().to_owned(), bundle);
                    }
                }
                false => {}
            }
        }
    }
    found
}

/// The bundle that verifies a leaf: beside it, as its name says.
fn bundle(root: &Path, leaf: &Path) -> Vec<Certificate> {
    let name = leaf.to_str().unwrap();
    let file = match name {
        name if name.contains("front-proxy") => "pki/front-proxy-ca.crt",
        name if name.contains("etcd") => "pki/etcd/ca.crt",
        _ => "pki/ca.crt",
    };
    parse_pem_bundle(&fs::read(root.join(file)).unwrap()).unwrap()
}

/// Old and new leaves meet every bundle of the phase before and after; nothing is made with a shorter life than it had.
#[test]
fn old_and_new_leaves_are_trusted_on_both_sides_of_every_step() {
    for (profile, more) in [
        (CLUSTER.to_owned(), &[][..]),
        (single(""), &[]),
        (fs::read_to_string(repository("profiles/rsa-legacy.yaml")).unwrap(), &["--algorithm", "ECDSA-P256"]),
    ] {
        let place = Place::new();
        place.write("p.yaml", &profile);
        place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
        let mut phases =
            vec![place.path("none"), place.path("prepared"), place.path("switched"), place.path("retired")];
        copy_tree(&place.path("d"), &phases[0]);
        prepare(&place, more);
        copy_tree(&place.path("d"), &phases[1]);
        switch(&place, &[], 0);
        copy_tree(&place.path("d"), &phases[2]);
        retire(&place);
        copy_tree(&place.path("d"), &phases[3]);
        let mut judged = 0;
        for pair in phases.windows(2) {
            for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                for (name, leaf) in leaves(&pair[from]) {
                    let trusted = bundle(&pair[to], &name);
                    let verdict = path::judge(&leaf[0], &leaf[1..], &trusted, INSTANT);
                    assert!(verdict.is_ok(), "{profile}\n{name:?} {from} -> {to}: {verdict:?}");
                    judged += 1;
                }
            }
        }
        assert!(judged > 60, "{judged}");
        // The twin: what the new one has signed is refused where the preparation never came, and what the old one has where it is
        // retired.
        for (of, at) in [(2, 0), (0, 3)] {
            let (of, at) = (&phases[of], &phases[at]);
            for (name, leaf) in leaves(of) {
                assert!(path::judge(&leaf[0], &[], &bundle(at, &name), INSTANT).is_err(), "{name:?}");
            }
        }
        let (before, after) = (leaves(&phases[0]), leaves(&phases[2]));
        assert!(before.keys().eq(after.keys()));
        for (name, old) in &before {
            let new = &after[name][0];
            assert_eq!(new.not_after - new.not_before, old[0].not_after - old[0].not_before, "{name:?}");
            assert_eq!((&new.subject, &new.sans), (&old[0].subject, &old[0].sans), "{name:?}");
            assert_ne!(new.spki_der, old[0].spki_der, "{name:?}");
        }
        phases.clear();
    }
}

/// A leaf that the old authority's end cut short gets its usual life from the new one.
#[test]
fn a_life_that_the_old_authority_cut_is_whole_again() {
    let place = Place::new();
    place.write("p.yaml", format!("{CLUSTER}caCertificateValidityPeriod: 2400h\n"));
    place.init(&["--profile", "p.yaml", "--dir", "d"]).status(0);
    prepare(&place, &["--validity", "10y"]);
    switch(&place, &[], 0);
    let leaf = &leaves(&place.path("d"))[Path::new("nodes/cp1/pki/apiserver.crt")][0];
    assert!((leaf.not_after - leaf.not_before).whole_days() >= 365, "{} {}", leaf.not_before, leaf.not_after);
}

#[test]
fn nothing_is_left_to_do_the_second_time_and_a_dry_run_writes_nothing() {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    prepare(&place, &[]);
    let before = tree(&place.path("d"));
    let said = switch(&place, &["--dry-run"], 0);
    assert!(said.contains("would switch") && tree(&place.path("d")) == before, "{said}");
    switch(&place, &[], 0);
    let files = || {
        let mut files = tree(&place.path("d"));
        files.remove(".kpki/lock");
        files
    };
    let after = files();
    assert!(switch(&place, &[], 0).starts_with("nothing to do"));
    assert!(files() == after);
}

/// The lists of a file, by who signed them.
fn lists(place: &Place, file: &str) -> Vec<String> {
    let bytes = fs::read(place.path(file)).unwrap();
    let ders = match bytes.first() {
        Some(0x30) => vec![bytes],
        _ => kpki::encoding::pem::read(&bytes).unwrap().iter().map(|block| block.contents.to_vec()).collect(),
    };
    ders.iter().map(|der| Crl::parse(der).unwrap().issuer.to_string()).collect()
}

#[test]
fn lists_of_both_authorities_stand_in_one_file_until_the_old_one_is_retired() {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    place.kpki(&["revoke", "w1/kubelet.conf", "--dir", "d", "--yes"]).status(0);
    place.kpki(&["crl", "update", "etcd-ca", "--dir", "d"]).status(0);
    prepare(&place, &[]);
    let of = |expected: &[&str], file: &str| {
        let expected: Vec<String> = expected.iter().map(|name| format!("CN={name}")).collect();
        for base in ["d/pki", "d/nodes/cp1/pki"] {
            assert_eq!(lists(&place, &format!("{base}/{file}")), expected, "{base}/{file}");
        }
    };
    of(&["kubernetes"], "ca.crl");
    switch(&place, &[], 0);
    of(&["kubernetes@2", "kubernetes"], "ca.crl");
    // etcd reads the first alone, and compares numbers alone.
    of(&["etcd-ca", "etcd-ca@2"], "etcd/ca.crl");
    of(&["etcd-ca"], "etcd/ca.crl.der");
    assert!(!place.path("d/pki/front-proxy-ca.crl").exists());
    // What was revoked is revoked still, and its successor is not.
    let run = place.kpki(&["crl", "show", "d/pki/ca.crl"]);
    assert!(run.stdout.contains("kubernetes@2"), "{run:?}");
    let verified = place.kpki(&["verify", "d", "--at", AT[1]]);
    assert_eq!(verified.status, 0, "{verified:?}");
    // Each is signed again by its own key.
    place.kpki(&["crl", "update", "--dir", "d", "--at", AT[1]]).status(0);
    of(&["kubernetes@2", "kubernetes"], "ca.crl");
    retire(&place);
    of(&["kubernetes@2"], "ca.crl");
    of(&["etcd-ca@2"], "etcd/ca.crl.der");
    place.kpki(&["crl", "update", "--dir", "d", "--at", AT[2]]).status(0);
}

#[test]
fn what_is_held_or_outside_is_named() {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    place.kpki(&["hold", "cp1/scheduler.conf", "--dir", "d"]).status(0);
    place.kpki(&["revoke", "cp1/admin.conf", "--dir", "d", "--yes"]).status(0);
    place.kpki(&[
        "kubeconfig",
        "user",
        "alice",
        "--group",
        "dev",
        "--validity",
        "90d",
        "--dir",
        "d",
        "--out",
        "alice.conf",
    ]);
    let held = place.read("d/nodes/cp1/scheduler.conf");
    prepare(&place, &[]);
    let said = switch(&place, &["--reuse-keys"], 5);
    assert!(said.contains("left: cp1/scheduler.conf is held"), "{said}");
    assert!(said.contains("kubeconfig of \"alice\"") || said.contains("kubeconfig of alice"), "{said}");
    let key = |text: &str| text.lines().find(|line| line.contains("client-key-data")).map(str::to_owned);
    assert_eq!(key(&place.read("d/nodes/cp1/scheduler.conf")), key(&held));
}

#[test]
fn keys_are_kept_where_that_is_asked_and_their_kind_stays() {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    let key = place.read("d/nodes/cp1/pki/apiserver.key");
    place.kpki(&["rotate", "prepare", "etcd-ca", "--algorithm", "ECDSA-P384", "--dir", "d", "--at", AT[0]]).status(0);
    let said = switch(&place, &["--reuse-keys"], 1);
    assert!(said.contains("because the algorithm changes"), "{said}");
    place.kpki(&["rotate", "prepare", "ca", "--signer-file-in-use", "--dir", "d", "--at", AT[0]]).status(0);
    switch(&place, &["ca", "--reuse-keys"], 0);
    assert_eq!(place.read("d/nodes/cp1/pki/apiserver.key"), key);
}

#[test]
fn who_trusts_the_old_authority_alone_accepts_a_cross_signed_server() {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    copy_tree(&place.path("d"), &place.path("none"));
    prepare(&place, &[]);
    switch(&place, &["--cross-sign"], 0);
    for (file, crossed) in
        [("apiserver", true), ("etcd/server", true), ("etcd/peer", false), ("apiserver-etcd-client", false)]
    {
        let name = PathBuf::from(format!("nodes/cp1/pki/{file}.crt"));
        let chain = &leaves(&place.path("d"))[&name];
        let old = bundle(&place.path("none"), &name);
        assert_eq!(
            (chain.len(), path::judge(&chain[0], &chain[1..], &old, INSTANT).is_ok()),
            (1 + usize::from(crossed), crossed)
        );
        let both = bundle(&place.path("d"), &name);
        assert_eq!(path::judge(&chain[0], &chain[1..], &both, INSTANT).unwrap().anchor, 0, "{file}");
    }
    // A renewal keeps it; it goes with the old authority.
    place.kpki(&["renew", "cp1/apiserver", "--dir", "d", "--at", AT[1]]).status(0);
    let apiserver = Path::new("nodes/cp1/pki/apiserver.crt");
    assert_eq!(leaves(&place.path("d"))[apiserver].len(), 2);
    retire(&place);
    assert_eq!(leaves(&place.path("d"))[apiserver].len(), 1);
}

/// kubeadm's own tree, of which no profile is recorded.
#[test]
fn kubeadms_tree_goes_all_the_way() {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes"), &place.path("d"));
    place
        .kpki(&[
            "rotate",
            "prepare",
            "ca",
            "front-proxy-ca",
            "etcd-ca",
            "sa",
            "--signer-file-in-use",
            "--dir",
            "d",
            "--at",
            AT[0],
        ])
        .status(0);
    let run = place.kpki(&[&["rotate", "switch", "--dir", "d", "--at", AT[1], "-o", "json"], &PASS[..]].concat());
    assert_eq!(run.status, 0, "{run:?}");
    let document: Value = run.json();
    let made = document["entries"].as_array().unwrap().iter().filter(|one| one["change"] == "reissue").count();
    assert_eq!(made, leaves(&place.path("d")).len() + 5, "{document}");
    retire(&place);
}

/// The owner of the new authority signs the requests; what is not signed yet keeps the phase as it is.
#[test]
fn an_authority_whose_key_is_elsewhere_signs_request_by_request() {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    place.write("o.yaml", single(""));
    place.init(&["--profile", "o.yaml", "--dir", "owner"]).ok();
    place.kpki(&["rotate", "prepare", "front-proxy-ca", "--dir", "owner", "--at", AT[0]]).status(0);
    place.kpki(&[&["rotate", "switch", "--dir", "owner", "--at", AT[0]], &PASS[..]].concat()).status(0);
    let both = place.read("owner/pki/front-proxy-ca.crt");
    let end = "-----END CERTIFICATE-----\n";
    place.write("new.crt", format!("{}{end}", both.split(end).next().unwrap()));
    place.kpki(&["rotate", "prepare", "front-proxy-ca", "--new-ca", "new.crt", "--dir", "d", "--at", AT[0]]).status(0);
    let said = switch(&place, &[], 5);
    assert!(said.contains("cp1/front-proxy-client"), "{said}");
    let request = "d/.kpki/requests/nodes/cp1/pki/front-proxy-client.csr";
    assert!(place.path(request).exists() && place.read("d/pki/front-proxy-ca.crt").matches(end).count() == 2);
}
