//! What is certified only when an operator says so, and what never is.

use kpki::blueprint::{Algorithm, Attribute, Blueprint, ExtendedKeyUsage, KeyUsage, Name, Oid, Role, San};
use kpki::ca::{self, PrivateKey};
use kpki::x509::parse_pem_bundle;
use time::macros::datetime;

use super::harness::{NOW, Place, Run, repository, single};

fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single("controlPlaneEndpoint: lb.example.com:8443\n"));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    place
}

fn at(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[words, &["--dir", "t", "--at", NOW]].concat())
}

fn csr(place: &Place, file: &str, key: &PrivateKey, subject: Name, names: &[&str]) {
    let name = |text: &&str| text.parse().map_or_else(|_| San::Dns((*text).to_owned()), San::Ip);
    let wanted = Blueprint {
        subject,
        not_before: datetime!(2026-11-20 22:00 UTC),
        not_after: datetime!(2026-11-20 22:00 UTC),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ClientAuth],
        sans: names.iter().map(name).collect(),
        permitted: Vec::new(),
    };
    place.write(file, ca::request(&wanted, key).unwrap().pem);
}

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

/// The option that the last hint says, as a shell reads it.
fn hinted(run: &Run, option: &str) -> String {
    let (_, rest) = run.stderr.split_once(&format!("{option} ")).unwrap_or_else(|| panic!("{}", run.stderr));
    match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next().unwrap().to_owned(),
        None => rest.split([' ', ',', '\n']).next().unwrap().to_owned(),
    }
}

#[test]
fn a_subject_that_gives_rights_has_to_be_stated() {
    let place = made();
    let key = key();
    for (authority, common_name, groups, means) in [
        ("ca", "x", &["system:masters"][..], "the O \"system:masters\", signed by ca: its owner may do everything"),
        ("ca", "system:node:cp1", &[], "the CN \"system:node:cp1\", signed by ca: "),
        ("front-proxy-ca", "front-proxy-client", &[], "its owner may act as any user"),
        ("front-proxy-ca", "web", &[], "--requestheader-allowed-names"),
        ("etcd-ca", "web", &["team"], "etcd gives the rights of root to every client"),
    ] {
        csr(&place, "x.csr", &key, Name::of(common_name, groups), &[]);
        let sign = ["sign", "x.csr", "--usage", "client", "--authority", authority, "--out", "x.crt"];
        let run = at(&place, &sign).fails(1);
        assert!(run.stderr.contains(means) && run.stderr.contains("x.csr: "), "{}", run.stderr);
        assert!(!run.wrote);
        let subject = match groups {
            [] => format!("CN={common_name}"),
            groups => format!("O={},CN={common_name}", groups.join(",O=")),
        };
        assert!(run.stderr.contains(&format!("--subject {subject}, or")), "{}", run.stderr);
        let run = at(&place, &[&sign[..], &["--subject", &subject, "-o", "json"]].concat()).warns();
        assert!(run.stderr.contains("granted as stated") && run.stderr.contains(means), "{}", run.stderr);
        assert!(run.json()["warnings"][0].as_str().unwrap().contains(means));
        std::fs::remove_file(place.path("x.crt")).unwrap();
    }
    // A server of etcd is no client of it.
    at(&place, &["sign", "x.csr", "--usage", "server", "--authority", "etcd-ca", "--out", "x.crt"]).ok();
}

#[test]
fn the_names_of_the_cluster_s_servers_have_to_be_stated() {
    let place = made();
    let key = key();
    let names = [
        "kubernetes",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "10.96.0.1",
        "lb.example.com",
        "cp1",
        "localhost",
        "127.0.0.1",
        "*.example.com",
    ];
    for name in names {
        csr(&place, "x.csr", &key, Name::of("x", &[]), &["web.example.org", name]);
        let sign = ["sign", "x.csr", "--usage", "server", "--request-names", "--out", "x.crt"];
        let run = at(&place, &sign).fails(1);
        assert!(
            !run.wrote && run.stderr.contains(&format!("{name:?}, signed by ca: its owner can pass for ")),
            "{}",
            run.stderr
        );
        let stated = hinted(&run, "--san");
        assert_eq!(stated, name);
        at(&place, &[&sign[..], &["--san", &stated]].concat()).warns();
        let issued = parse_pem_bundle(place.read("x.crt").as_bytes()).unwrap();
        assert_eq!(issued[0].sans.len(), 2);
        std::fs::remove_file(place.path("x.crt")).unwrap();
    }
    csr(&place, "x.csr", &key, Name::of("x", &[]), &["web.example.org", "10.0.0.77"]);
    at(&place, &["sign", "x.csr", "--usage", "server", "--request-names"]).ok();
    place.write("x.json", r#"{"CN": "x", "hosts": ["kubernetes"]}"#);
    let run = at(&place, &["sign", "x.json", "--csr-json", "--usage", "server", "--out", "y.crt"]).fails(1);
    assert!(run.stderr.contains("--san kubernetes"), "{}", run.stderr);
}

#[test]
fn values_that_rfc_5280_does_not_allow_are_refused() {
    let place = made();
    let key = key();
    let one = |oid: Oid, tag: u8, value: &str| Name(vec![vec![Attribute { oid, tag, value: value.into() }]]);
    for (subject, said) in [
        (Name::of(&"x".repeat(300), &[]), "expected at most 64 characters in CN"),
        (Name::of(" ", &[]), "without spaces at its ends in CN of its subject (RFC 5280), found \" \""),
        (Name::of("x", &[]).with(&Oid::COUNTRY, &["xx"]), "expected a country of two upper-case letters in C"),
        (one(Oid::ORGANIZATION, 0x14, "system:masters"), "expected a UTF8String or PrintableString in O"),
    ] {
        csr(&place, "x.csr", &key, subject, &[]);
        let run = at(&place, &["sign", "x.csr", "--usage", "client"]).fails(1);
        assert!(!run.wrote && run.stderr.contains(said) && run.stderr.contains("--subject"), "{}", run.stderr);
    }
    let run = at(&place, &["sign", "x.csr", "--usage", "client", "--subject", "C=xx,CN=x"]).fails(2);
    assert!(run.stderr.contains("expected two upper-case letters in C"), "{}", run.stderr);
}

/// No option grants these.
#[test]
fn keys_that_are_known_are_never_certified() {
    let place = made();
    let key = key();
    csr(&place, "web.csr", &key, Name::of("web", &["team"]), &[]);
    let exponent = repository("fixtures/cases/sign-exponent-3/web.csr");
    place.write("e3.csr", std::fs::read(exponent).unwrap());
    for authority in ["ca", "etcd/ca"] {
        let key = PrivateKey::from_pem(place.read(&format!("t/pki/{authority}.key")).as_bytes()).unwrap();
        csr(&place, &format!("{}.csr", authority.replace('/', "-")), &key, Name::of("web", &[]), &[]);
    }
    let refused = |file: &str, said: &str| {
        for words in [
            &["sign", file, "--usage", "client", "--subject", "CN=web"][..],
            &["sign", file, "--as", "scheduler.conf"],
            &[
                "sign",
                file,
                "--usage",
                "client",
                "--ca-cert",
                "t/pki/ca.crt",
                "--ca-key",
                "t/pki/ca.key",
                "--as",
                "apiserver",
            ],
            &["kubeconfig", "user", "web", "--group", "team", "--csr", file],
        ] {
            let words: Vec<&str> = match words.contains(&"--as") {
                true => words.iter().copied().filter(|word| !["--usage", "client"].contains(word)).collect(),
                false => words.to_vec(),
            };
            let run = at(&place, &words).fails(1);
            assert!(
                !run.wrote && run.stderr.contains(said) && run.stderr.contains("hint: have "),
                "{words:?}: {}",
                run.stderr
            );
        }
    };
    refused("e3.csr", "expected an odd public exponent of more than 65536 (FIPS 186-5), found 3");
    refused("ca.csr", "its key is that of the authority CN=kubernetes");
    refused("etcd-ca.csr", "its key is that of the authority CN=etcd-ca");
    // Without a tree, the signer's own is known.
    let files = ["--ca-cert", "t/pki/ca.crt", "--ca-key", "t/pki/ca.key"];
    let run = place.kpki(&[&["sign", "ca.csr", "--usage", "client", "--at", NOW], &files[..]].concat()).fails(1);
    assert!(run.stderr.contains("its key is that of the authority"), "{}", run.stderr);

    at(&place, &["sign", "web.csr", "--usage", "client", "--out", "one.crt"]).ok();
    at(&place, &["revoke", "--cert", "one.crt", "--reason", "superseded"]).ok();
    at(&place, &["sign", "web.csr", "--usage", "client", "--out", "two.crt"]).ok();
    at(&place, &["revoke", "--cert", "two.crt", "--reason", "keyCompromise"]).ok();
    refused("web.csr", ", revoked for keyCompromise: others may have it");
    // What the journal of 0.1.0 does not know is found in the tree.
    let key = PrivateKey::from_pem(place.read("t/pki/apiserver.key").as_bytes()).unwrap();
    csr(&place, "apiserver.csr", &key, Name::of("web", &[]), &[]);
    let journal = place.read("t/.kpki/journal.jsonl");
    let without = |line: &str| match line.split_once(",\"keyId\"") {
        Some((begin, _)) => format!("{begin}}}\n"),
        None => format!("{line}\n"),
    };
    place.write("t/.kpki/journal.jsonl", journal.lines().map(without).collect::<String>());
    at(&place, &["revoke", "apiserver", "--reason", "keyCompromise"]).ok();
    let run = at(&place, &["sign", "apiserver.csr", "--usage", "client"]).fails(1);
    assert!(run.stderr.contains(", revoked for keyCompromise: others may have it"), "{}", run.stderr);
    at(&place, &["renew", "apiserver", "--no-hooks"]).ok();
    refused("apiserver.csr", ", revoked for keyCompromise: others may have it");
}

#[test]
fn groups_are_given_one_by_one() {
    let place = made();
    let run = at(&place, &["kubeconfig", "user", "jane", "--group", "dev,system:masters"]).fails(2);
    assert!(!run.wrote && run.stderr.contains("--group dev --group system:masters"), "{}", run.stderr);
    let run = at(&place, &["kubeconfig", "user", "jane", "--group", "system:nodes"]).warns();
    assert!(run.stderr.contains("the group system:nodes: its owner has the rights of a node"), "{}", run.stderr);
    at(&place, &["kubeconfig", "user", " ", "--group", "dev"]).fails(2);
}

/// A key that was put in the place of a name stays where it is, also in hints.
#[test]
fn a_key_in_the_place_of_a_name_is_not_printed() {
    let place = made();
    let pem = place.read("t/pki/ca.key");
    let secret = super::secrets::Secret::of_pem(&pem);
    let body: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    for text in [pem.replace('\n', " "), body.clone(), body[..60].to_owned()] {
        for json in [
            serde_json::json!({"CN": "x", "names": [{"O": text}]}),
            serde_json::json!({"CN": text}),
            serde_json::json!({"CN": "system:node:x", "names": [{"C": text}, {"OU": text}]}),
            serde_json::json!({"CN": "system:node:x", "names": [{"O": text}]}),
        ] {
            place.write("r.json", json.to_string());
            for form in ["table", "json"] {
                let words =
                    ["sign", "--csr-json", "r.json", "--usage", "client", "--authority", "etcd-ca", "--out", "o"];
                let run = at(&place, &[&words[..], &["-o", form]].concat());
                assert_eq!(run.status, 1, "{}{}", run.stdout, run.stderr);
                let (out, err) = (run.stdout.as_bytes(), run.stderr.as_bytes());
                assert!(!secret.is_in(out) && !secret.is_in(err), "{}{}", run.stdout, run.stderr);
            }
        }
    }
}

#[test]
fn a_request_for_nobody_is_refused() {
    let place = made();
    csr(&place, "n.csr", &key(), Name::default(), &[]);
    for words in [&["--request-names"][..], &[]] {
        let run = at(&place, &[&["sign", "n.csr", "--usage", "server", "--out", "o"], words].concat()).fails(1);
        assert!(run.stderr.contains("it has neither a subject nor names"), "{}", run.stderr);
    }
}
