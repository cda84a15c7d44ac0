//! The engine by itself, in memory: keys, signatures with both libraries, parsing, planning. `cargo bench`; figures are the
//! minimum and median of several runs. Whole processes against the peers: benches/compare.sh.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kpki::blueprint::Algorithm;
use kpki::ca::{self, PrivateKey};
use kpki::catalog::CaId;
use kpki::plan::blueprints::{self, Bounds};
use kpki::profile::{Overrides, Source, load};
use kpki::verify::{Policy, Selection, judge};
use kpki::workspace::{TreeArgs, load, targets};
use kpki::x509::Certificate;
use time::OffsetDateTime;

fn measure(what: &str, runs: usize, mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    let median = times.get(runs / 2).copied().unwrap_or_default();
    println!("{what:56} min {:>10.1?}  median {median:>10.1?}", times.first().copied().unwrap_or_default());
    median
}

/// `kpki verify` without what reads the files: rules alone, then with every connection.
fn verify(runs: usize) {
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Rsa2048] {
        let place = tempfile::tempdir().unwrap();
        let (dir, profile) = (place.path().join("tree"), place.path().join("profile.yaml"));
        let text = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: cp1, addresses: [10.0.0.11]}]\n";
        std::fs::write(&profile, format!("{text}encryptionAlgorithm: {algorithm}\n")).unwrap();
        let mut init = Command::new(env!("CARGO_BIN_EXE_kpki"));
        init.arg("init").arg("--profile").arg(&profile).arg("--dir").arg(&dir).stdout(Stdio::null());
        assert!(init.status().unwrap().success());
        let resolved = targets::resolve(&TreeArgs { dirs: vec![dir], ..TreeArgs::default() }, 1).unwrap();
        let units = load::units(resolved.targets.first().unwrap()).unwrap();
        let cluster = units.first().unwrap().cluster(OffsetDateTime::now_utc()).unwrap();
        for (what, edges) in [("rules", false), ("rules and connections", true)] {
            measure(&format!("verify: {what} of one tree ({algorithm})"), runs, || {
                judge(&cluster, Policy::Default, &Selection::default(), edges, None);
            });
        }
    }
}

fn main() {
    // `cargo test --benches` and `cargo bench -- --test` only want to see it run.
    let quick = std::env::args().any(|word| word == "--test");
    let runs = if quick { 1 } else { 15 };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let text = include_str!("../profiles/single-node.yaml");
    let source = || Source { name: "single-node.yaml", bytes: text.as_bytes() };
    let profile = load(source(), &Overrides::default()).unwrap().profile;
    let now = OffsetDateTime::from_unix_timestamp(1_795_212_000).unwrap();

    measure("profile: load profiles/single-node.yaml", runs, || {
        load(source(), &Overrides::default()).unwrap();
    });

    for algorithm in [Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::Rsa2048] {
        measure(&format!("ca: one {algorithm} key"), runs, || {
            PrivateKey::generate(algorithm).unwrap();
        });
        let (_, blueprint) = blueprints::authority(&profile, CaId::Cluster, now);
        let key = PrivateKey::generate(algorithm).unwrap();
        let signed = ca::self_sign(&blueprint, &key).unwrap();
        let bounds = Bounds { not_before: blueprint.not_before, not_after: blueprint.not_after };
        let issuer = ca::Issuer::new(vec![signed.certificate.clone()], key).unwrap();
        let entry = kpki::catalog::find("apiserver").unwrap();
        let leaf = blueprints::leaf(&profile, profile.nodes.first().unwrap(), entry, now, bounds);
        let spki = PrivateKey::generate(algorithm).unwrap().spki_der();
        measure(&format!("ca: sign, re-read, compare, verify ({algorithm})"), runs, || {
            ca::issue(&leaf, &spki, &issuer).unwrap();
        });
        let issued = ca::issue(&leaf, &spki, &issuer).unwrap();
        measure(&format!("ca: the same with a TLS peer's verdict ({algorithm})"), runs, || {
            ca::issue_for_peers(&leaf, &spki, &issuer, now).unwrap();
        });
        measure(&format!("x509: parse a certificate ({algorithm})"), runs, || {
            Certificate::parse(&issued.certificate.der).unwrap();
        });
    }

    verify(runs);

    let keys = if quick { 2 } else { 16 };
    let one = measure(&format!("ca: {keys} RSA-2048 keys, one thread"), 3, || {
        ca::generate_keys(&vec![Algorithm::Rsa2048; keys], 1, &mut |_, _| ()).unwrap();
    });
    let all = measure(&format!("ca: {keys} RSA-2048 keys, {threads} threads"), 3, || {
        ca::generate_keys(&vec![Algorithm::Rsa2048; keys], threads, &mut |_, _| ()).unwrap();
    });
    let ideal = one.as_secs_f64() / threads as f64;
    println!("parallel: {:.2} x the time of one thread divided by {threads}", all.as_secs_f64() / ideal);
}
