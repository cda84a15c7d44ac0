//! What an authority may sign for, from the profile: path length and name constraints.

use std::fs;

use kpki::x509::{Request, Usage, parse_pem_bundle, valid_for_name, verify_for};
use time::macros::datetime;

use super::facts::{self, File};
use super::harness::{NOW, Place, single};

const ALL: &str = "authorities:\n  ca: {permittedNames: [kubernetes, cluster.local, kubernetes.default, svc, cp1, 10.0.0.0/8], pathLength: 0}\n  \
                   etcd-ca: {permittedNames: [cp1, localhost, 10.0.0.11, 127.0.0.0/8, \"::1\"]}\n";

fn limited() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(&ALL.replace("svc,", "kubernetes.default.svc,")));
    place
}

#[test]
fn authorities_are_limited_as_the_profile_says() {
    let place = limited();
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    let tree = facts::read(&place.path("t"));
    let authority = |name: &str| match &tree[name].1 {
        File::Certificates(list) => list[0].clone(),
        other => panic!("{other:?}"),
    };
    let (ca, etcd, front) =
        (authority("pki/ca.crt"), authority("pki/etcd/ca.crt"), authority("pki/front-proxy-ca.crt"));
    assert_eq!(ca.path_len, Some(0));
    assert_eq!(
        ca.permitted,
        [
            "kubernetes",
            "cluster.local",
            "kubernetes.default",
            "kubernetes.default.svc",
            "cp1",
            "[10, 0, 0, 0, 255, 0, 0, 0]"
        ]
    );
    assert!(ca.extensions.contains(&"2.5.29.30!".to_owned()), "{:?}", ca.extensions);
    assert_eq!((etcd.path_len, etcd.permitted.len()), (None, 5));
    assert_eq!((front.path_len, front.permitted.len()), (None, 0));
    assert!(!front.extensions.iter().any(|one| one.starts_with("2.5.29.30")));
    // A TLS peer that checks them takes what they signed.
    let read = |name: &str| parse_pem_bundle(place.read(&format!("t/{name}")).as_bytes()).unwrap().remove(0);
    let at = datetime!(2026-11-20 22:00 UTC);
    for (leaf, signer) in [
        ("pki/apiserver.crt", "pki/ca.crt"),
        ("kubelet/kubelet.crt", "pki/ca.crt"),
        ("pki/etcd/server.crt", "pki/etcd/ca.crt"),
        ("pki/etcd/peer.crt", "pki/etcd/ca.crt"),
    ] {
        let (leaf, signer) = (read(leaf), read(signer));
        verify_for(&leaf, &[], &signer, Usage::Server, at).unwrap();
        leaf.sans.iter().for_each(|san| valid_for_name(&leaf, san).unwrap());
    }
    // And init finds it all as it should be.
    assert!(place.init(&["--dir", "t"]).ok().stdout.starts_with("nothing to do"));
    place.kpki(&["renew", "all", "--at", NOW, "--dir", "t"]).ok();
}

#[test]
fn names_that_would_not_be_permitted_are_refused_by_name_before_anything_is_written() {
    for (case, authorities) in [
        ("ca", "authorities: {ca: {permittedNames: [kubernetes, cluster.local, kubernetes.default, 10.0.0.0/8]}}\n"),
        ("etcd-ca", "authorities: {etcd-ca: {permittedNames: [10.0.0.0/8, 127.0.0.1]}}\n"),
        (
            "extra",
            "authorities: {front-proxy-ca: {permittedNames: [x]}}\nextraCertificates: [{name: e, usages: [server], \
             certSANs: [e.example.com], authority: front-proxy-ca}]\n",
        ),
    ] {
        let place = Place::new();
        place.write("p.yaml", single(authorities));
        let run = place.run(&["init", "-p", "p.yaml", "--dir", "t", "--at", NOW]);
        run.status(1).recorded(&format!("not-permitted/{case}"));
    }
}

#[test]
fn an_offline_root_limits_the_authority_as_the_profile_says() {
    let place = limited();
    let sign = |out: &str, more: &[&str]| {
        let words = ["sign", "--at", NOW, "t/.kpki/requests/pki/ca.csr", "--intermediate", "--as", "ca", "--out", out];
        let root = ["--dir", "t", "--ca-cert", "root/pki/ca.crt", "--ca-key", "root/pki/ca.key"];
        place.kpki(&[&words[..], &root, more].concat()).status(0);
        let text = place.read(out);
        let File::Certificates(list) = facts::read_certificates(&place.path(""))[out].clone() else { panic!("{text}") };
        (list[0].path_len, list[0].permitted.len())
    };
    place.write("root.yaml", single(""));
    place.init(&["--profile", "root.yaml", "--dir", "root"]).ok();
    fs::create_dir(place.path("t")).unwrap();
    place.kpki(&["csr", "ca", "--at", NOW, "--profile", "p.yaml", "--dir", "t"]).ok();
    let asked = Request::read_file(&fs::read(place.path("t/.kpki/requests/pki/ca.csr")).unwrap()).unwrap().remove(0);
    assert_eq!((asked.path_len, asked.name_constraints.is_some()), (Some(0), true));
    let profile = ["--profile", "p.yaml"];
    assert_eq!(sign("a.crt", &profile), (Some(0), 6));
    place.write("p3.yaml", single(&ALL.replace("svc,", "").replace("pathLength: 0", "pathLength: 3")));
    assert_eq!(sign("b.crt", &["--profile", "p3.yaml"]), (Some(3), 5));
    // A flag goes before the profile.
    assert_eq!(
        sign("c.crt", &[&profile[..], &["--permit-dns", ".example.com", "--path-len", "1"]].concat()),
        (Some(1), 1)
    );
    // What was signed is put in place, and signs all that the cluster needs.
    place.kpki(&["import", "--at", NOW, "a.crt", "--profile", "p.yaml", "--dir", "t"]).warns();
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    // With the profile recorded in the tree, none has to be given.
    place.kpki(&["csr", "ca", "--at", NOW, "--dir", "t"]).ok();
    assert_eq!(sign("d.crt", &[]), (Some(0), 6));
}
