//! A certificate of a public or commercial authority as an entry: requested, imported, judged, exported, never signed here.

use kpki::x509::{Request, parse_pem_bundle};

use super::harness::{NOW, Place, Run, single};

const ENTRY: &str = "extraCertificates:\n\
    - {name: lb, authority: external, root: ROOT, usages: [server], certSANs: [lb.example.com, 192.0.2.7], path: lb/public}\n";
const CSR: &str = "t/.kpki/requests/pki/lb/public.csr";
/// Within the last third of its 90 days.
const DUE: &str = "2027-02-01T00:00:00Z";

fn at(place: &Place, at: &str, words: &[&str]) -> Run {
    place.kpki(&[words, &["--at", at]].concat())
}

/// A public authority in `public/`, its intermediate in `middle.crt`, and a tree in `t` whose entry waits for it.
fn made() -> Place {
    let place = Place::new();
    let profile = |entry: &str| single(&entry.replace("ROOT", place.path("public/pki/ca.crt").to_str().unwrap()));
    place.write("public.yaml", single("authorities: {ca: {subject: {O: [Public Trust]}}}\n"));
    place.write("p.yaml", profile(ENTRY));
    place.write("system.yaml", profile(&ENTRY.replace("root: ROOT, ", "")));
    place.init(&["-p", "public.yaml", "-d", "public"]).ok();
    place.init(&["-p", "p.yaml", "-d", "t"]).status(5);
    at(&place, NOW, &["csr", "ca", "-p", "system.yaml", "-d", "nowhere", "--out", "middle"]).ok();
    let root = ["--ca-cert", "public/pki/ca.crt", "--ca-key", "public/pki/ca.key"];
    let words = [
        "sign",
        "middle/pki/ca.csr",
        "--intermediate",
        "--subject",
        "O=Public Trust,CN=Issuing 7",
        "--out",
        "middle.crt",
    ];
    at(&place, NOW, &[&words[..], &root].concat()).status(0);
    place
}

/// Has the request signed, with another subject than it asked for; the chain follows the leaf.
fn signed(place: &Place, out: &str) {
    let by = ["--ca-cert", "middle.crt", "--ca-key", "middle/pki/ca.key", "--out", out];
    let words = ["sign", CSR, "--usage", "server", "--request-names", "--subject", "CN=192.0.2.7", "--validity", "90d"];
    at(place, NOW, &[&words[..], &by].concat()).status(0);
}

#[test]
fn it_is_requested_imported_and_judged() {
    let place = made();
    let request = Request::read_file(place.read(CSR).as_bytes()).unwrap().remove(0);
    // Public authorities take no common name that is not among the names.
    assert_eq!((request.subject.to_string().as_str(), request.sans.len()), ("CN=lb.example.com", 2));
    assert!(!place.path("t/pki/lb").exists());
    let run = at(&place, NOW, &["check-expiration", "t"]).status(4);
    assert!(run.stdout.contains("1 certificate needs an external authority (lb)"), "{}", run.stdout);
    at(&place, NOW, &["csr", "lb", "-d", "t"]).ok();
    let run = at(&place, NOW, &["renew", "all", "--due", "-d", "t"]).status(5);
    assert!(run.stdout.contains("its authority is external; have "), "{}", run.stdout);

    signed(&place, "lb.pem");
    let chain = place.read("lb.pem");
    let leaf = parse_pem_bundle(chain.as_bytes()).unwrap().remove(0);
    place.write("leaf.pem", leaf.to_pem());
    let run = at(&place, NOW, &["import", "leaf.pem", "-d", "t"]).fails(1);
    assert!(run.stderr.contains("it does not chain to a root in "), "{}", run.stderr);
    assert!(run.stderr.contains("hint: append the certificates between it and its authority"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: if its root is another one, give it with --root FILE"), "{}", run.stderr);
    let run = at(&place, NOW, &["import", "lb.pem", "-d", "t", "--root", "t/pki/ca.crt"]).fails(1);
    assert!(run.stderr.contains("it does not chain to a root in t/pki/ca.crt"), "{}", run.stderr);
    let run = at(&place, NOW, &["import", "lb.pem", "-d", "t"]).warns();
    assert!(run.stderr.contains("lb has the subject CN=192.0.2.7, requested was CN=lb.example.com"), "{}", run.stderr);
    let there = parse_pem_bundle(place.read("t/pki/lb/public.crt").as_bytes()).unwrap();
    let subjects: Vec<String> = there.iter().map(|one| one.subject.to_string()).collect();
    assert_eq!(subjects, ["CN=192.0.2.7", "O=Public Trust, CN=Issuing 7"]);
    assert!(!place.path(CSR).exists());

    // It fits, although its authority wrote what it liked.
    let run = at(&place, NOW, &["init", "-p", "p.yaml", "-d", "t"]).ok();
    assert!(run.stdout.starts_with("nothing to do"), "{}", run.stdout);
    at(&place, NOW, &["check-expiration", "t"]).ok();
    let run = at(&place, NOW, &["check-expiration", "t", "-o", "wide"]).ok();
    let row = run.stdout.lines().find(|line| line.starts_with("lb ")).unwrap();
    assert!(row.contains(" external ") && row.contains("CN=Issuing 7"), "{row}");
    let run = at(&place, NOW, &["renew", "all", "--due", "-d", "t"]).ok();
    assert!(run.stdout.starts_with("nothing was renewed"), "{}", run.stdout);
    at(&place, NOW, &["export", "cp1", "-d", "t", "--out", "cp1.tar"]).ok();
    at(&place, NOW, &["export", "--verify", "cp1", "-d", "t"]).ok();
    let bundle = ["convert", "t/pki/lb/public.crt", "t/pki/lb/public.key", "--bundle", "haproxy", "--out", "lb.bundle"];
    place.kpki(&bundle).ok();

    // Near its end: a request beside the files in use, and a status that says so; the same again the next day.
    let run = at(&place, DUE, &["check-expiration", "t"]).status(3);
    assert!(run.stdout.contains("1 certificate needs an external authority (lb)"), "{}", run.stdout);
    for _ in 0..2 {
        let run = at(&place, DUE, &["renew", "all", "--due", "-d", "t"]).status(5);
        assert!(run.stdout.contains("public.csr signed, then: kpki import CERT"), "{}", run.stdout);
        assert!(place.path(CSR).exists());
    }
    assert_eq!(parse_pem_bundle(place.read("t/pki/lb/public.crt").as_bytes()).unwrap()[0].der, leaf.der);
}

#[test]
fn nothing_of_this_tree_signs_or_revokes_it() {
    let place = made();
    let run = at(&place, NOW, &["sign", CSR, "--as", "lb", "-d", "t", "--out", "x.crt"]).fails(1);
    assert!(run.stderr.contains("cannot sign for lb: its authority is external"), "{}", run.stderr);
    signed(&place, "lb.pem");
    let run = at(&place, NOW, &["revoke", "--cert", "lb.pem", "-d", "t"]).fails(1);
    assert!(run.stderr.contains("no authority of this tree signed it"), "{}", run.stderr);
    // The system does not know our public authority, or has no roots at all.
    let words = ["import", "lb.pem", "-d", "t", "-p", "system.yaml"];
    let run = at(&place, NOW, &words).fails(1);
    assert!(run.stderr.contains("--root FILE"), "{}", run.stderr);
    at(&place, NOW, &[&words[..], &["--root", "public/pki/ca.crt"]].concat()).status(0);
    // What belongs to the tree's own authority is not checked against other roots.
    let words = ["import", "t/pki/apiserver.crt", "-d", "t", "--root", "public/pki/ca.crt"];
    at(&place, NOW, &words).fails(2);
    place.write("empty.pem", "");
    for (root, says) in
        [("none.pem", "none.pem"), ("empty.pem", "cannot read the roots in empty.pem"), ("p.yaml", "p.yaml")]
    {
        let run = at(&place, NOW, &["import", "lb.pem", "-d", "t", "--root", root, "--dry-run"]).fails(1);
        assert!(run.stderr.contains(says) && run.stderr.contains("--root FILE"), "{root}: {}", run.stderr);
    }
}

#[test]
fn every_node_of_a_cluster_directory_has_its_own() {
    let place = Place::new();
    let profile = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com:6443\nnodes:\n\
        - {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n";
    place.write("p.yaml", profile.to_owned() + &ENTRY.replace("root: ROOT, ", ""));
    let run = place.init(&["-p", "p.yaml", "-d", "c"]).status(5);
    assert!(run.stdout.contains("2 wait for an external authority"), "{}", run.stdout);
    for node in ["cp1", "cp2"] {
        assert!(place.path(&format!("c/.kpki/requests/nodes/{node}/pki/lb/public.csr")).exists(), "{node}");
    }
    // What is left to do is said on every run.
    place.init(&["-p", "p.yaml", "-d", "c"]).status(5);
    let run = at(&place, NOW, &["export", "cp1", "-d", "c", "--out", "cp1.tar"]).fails(1);
    assert!(run.stderr.contains("lb"), "{}", run.stderr);
}
