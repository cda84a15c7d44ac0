//! Whatever legal sequence of steps, renewals and additions: the signer is first, every leaf is trusted by every bundle, no key of
//! the new authority is on a node before the switch, and after forget none of the old one is anywhere.

use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::harness::{Place, tree};
use kpki::ca::PrivateKey;
use kpki::x509::parse_pem_bundle;

const PROFILES: [&str; 3] = [
    "kind: ClusterProfile\nencryptionAlgorithm: ECDSA-P256\ncontrolPlaneEndpoint: api.example.com\nnodes:\n\
     - {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}\n- {name: w1, roles: [worker], addresses: [10.0.0.21]}\n",
    "kind: ClusterProfile\nencryptionAlgorithm: ECDSA-P384\ncontrolPlaneEndpoint: api.example.com\nnodes:\n\
     - {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}\n",
    "kind: ClusterProfile\nencryptionAlgorithm: ECDSA-P256\ncaKeys: none\ncontrolPlaneEndpoint: api.example.com\nnodes:\n\
     - {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}\n- {name: cp2, roles: [control-plane], addresses: [10.0.0.12]}\n\
     extraCertificates:\n- {name: probe, path: probe, commonName: probe, usages: [client], nodes: [cp1]}\n",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Prepare(&'static str),
    Switch,
    Retire,
    Back,
    Forget,
    Renew,
    Init,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let authority = prop::sample::select(vec!["ca", "front-proxy-ca", "etcd-ca", "sa", "all"]);
    let action = prop_oneof![
        3 => authority.prop_map(Action::Prepare),
        4 => Just(Action::Switch),
        3 => Just(Action::Retire),
        2 => Just(Action::Back),
        2 => Just(Action::Forget),
        2 => Just(Action::Renew),
        1 => Just(Action::Init),
    ];
    prop::collection::vec(action, 5..8)
}

/// Steps that are refused, because they are not the next ones, are legal to ask for and change nothing.
fn run(place: &Place, action: Action, hour: usize) {
    let at = format!("2026-11-{:02}T{:02}:00:00Z", 21 + hour / 24, hour % 24);
    let pass = ["--confirm-all", "--not-before-override"];
    let common = ["--dir", "c", "--at", at.as_str()];
    let words: Vec<&str> = match action {
        Action::Prepare(authority) => vec!["rotate", "prepare", authority, "--signer-file-in-use"],
        Action::Switch => [&["rotate", "switch"], &pass[..]].concat(),
        Action::Retire => [&["rotate", "retire"], &pass[..]].concat(),
        Action::Back => [&["rotate", "back"], &pass[..]].concat(),
        Action::Forget => vec!["rotate", "forget", "--yes"],
        Action::Renew => vec!["renew", "all", "--due"],
        Action::Init => vec!["init", "--profile", "p.yaml"],
    };
    let before = place.files();
    let done = place.kpki(&[&words[..], &common[..]].concat());
    match done.status {
        0 => {}
        1 => assert!(place.files() == before, "{action:?}: refused, and changed something: {}", done.stderr),
        other => panic!("{action:?}: {other}: {done:?}"),
    }
}

/// The authority's own file, key and copies.
const AUTHORITIES: [&str; 3] = ["ca", "front-proxy-ca", "etcd/ca"];

fn check(place: &Place, told: &str) {
    let read = |path: &str| fs::read(place.path(&format!("c/{path}"))).ok();
    for authority in AUTHORITIES {
        let bundle = parse_pem_bundle(&read(&format!("pki/{authority}.crt")).unwrap()).unwrap();
        let key = PrivateKey::from_pem(&read(&format!("pki/{authority}.key")).unwrap()).unwrap();
        assert!(key.matches(&bundle[0]), "{told}: the first certificate of {authority}.crt is not of {authority}.key");
    }
    let signer = parse_pem_bundle(&read("pki/ca.crt").unwrap()).unwrap().remove(0);
    let all = tree(&place.path("c"));
    for (path, (_, bytes)) in
        all.iter().filter(|(path, _)| path.ends_with("ca-signer.crt") && !path.starts_with(".kpki"))
    {
        assert_eq!(parse_pem_bundle(bytes).unwrap(), std::slice::from_ref(&signer), "{told}: {path}");
    }
    for (path, (_, key)) in all.iter().filter(|(path, _)| path.ends_with(".next.key")) {
        let used = |(other, (_, bytes)): &(&String, &(u32, Vec<u8>))| !other.starts_with(".kpki") && bytes == key;
        let found: Vec<&String> = all.iter().filter(used).map(|(other, _)| other).collect();
        assert!(found.is_empty(), "{told}: {path} is in {found:?}");
    }
    // Every leaf before every bundle.
    let verified = place.kpki(&["verify", "c", "--at", "2026-11-30T00:00:00Z", "-o", "json"]);
    let document = verified.json();
    let errors: Vec<String> = document["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["findings"].as_array().unwrap())
        .filter(|one| one["severity"] == "error")
        .map(|one| format!("{} {}", one["rule"], one["found"]))
        .collect();
    assert!(errors.is_empty(), "{told}: {errors:?}");
}

#[test]
fn every_sequence_of_steps_keeps_the_rules() {
    let mut runner =
        TestRunner::new(Config { cases: 8, max_shrink_iters: 20, failure_persistence: None, ..Config::default() });
    let strategy = (prop::sample::select(PROFILES.to_vec()), actions());
    let result = runner.run(&strategy, |(profile, actions)| {
        let place = Place::new();
        place.write("p.yaml", format!("apiVersion: kpki/v1\n{profile}"));
        place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
        for (hour, action) in actions.iter().enumerate() {
            // O's keys, by their bytes.
            let previous: Vec<Vec<u8>> = tree(&place.path("c"))
                .into_iter()
                .filter(|(path, _)| path.ends_with(".previous.key"))
                .map(|(_, (_, bytes))| bytes)
                .collect();
            run(&place, *action, hour * 3 + 1);
            let told = format!("{:?}", &actions[..=hour]);
            let is_left = tree(&place.path("c")).keys().any(|path| path.ends_with(".previous.key"));
            if *action == Action::Forget && !is_left {
                let all = tree(&place.path("c"));
                let holds = |(_, (_, bytes)): &(&String, &(u32, Vec<u8>))| previous.contains(bytes);
                let found: Vec<&String> = all.iter().filter(holds).map(|(path, _)| path).collect();
                assert!(found.is_empty(), "{told}: {found:?}");
            }
            check(&place, &told);
        }
        Ok(())
    });
    result.unwrap();
}
