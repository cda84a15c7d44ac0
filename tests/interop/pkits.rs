//! OpenSSL before the vectors of path validation. Its answers stand in `fixtures/{pkits,paths}/openssl.txt`, beside ours in their
//! SCORE.md; `KPKI_RECORD=1` writes them.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Ran, program, project, run, say, scratch, write};

/// 2026-11-20T12:00:00Z, as tests/kpki/vectors.rs.
const AT: &str = "1795176000";

/// Everything its validator can: all lists, those of other issuers, deltas, policies.
const FLAGS: &[&str] = &["-attime", AT, "-crl_check_all", "-extended_crl", "-use_deltas", "-policy_check"];

fn names(vector: &Value, field: &str) -> Vec<String> {
    vector[field].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// These DER files as one PEM file.
fn pem(label: &str, from: &Path, names: &[String], to: PathBuf) -> PathBuf {
    let one = |name: &String| {
        let body = STANDARD.encode(fs::read(from.join(name)).unwrap());
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    };
    write(to, names.iter().map(one).collect::<String>())
}

fn verify(suite: &Path, vector: &Value, more: &[&str]) -> Ran {
    let out = scratch();
    let (certificates, lists) = (names(vector, "CertPath"), names(vector, "CRLPath"));
    let [anchor, between @ .., leaf] = certificates.as_slice() else { panic!("{vector}") };
    let file = |names: &[String], to: &str| pem("CERTIFICATE", &suite.join("certs"), names, out.path().join(to));
    let mut command = program("openssl");
    command.arg("verify").args(FLAGS).args(more);
    command.arg("-CAfile").arg(file(std::slice::from_ref(anchor), "anchor.pem"));
    if !between.is_empty() {
        command.arg("-untrusted").arg(file(between, "between.pem"));
    }
    command.arg("-CRLfile").arg(pem("X509 CRL", &suite.join("crls"), &lists, out.path().join("lists.pem")));
    for (field, flag) in [
        ("InitialExplicitPolicy", "-explicit_policy"),
        ("InitialPolicyMappingInhibit", "-inhibit_map"),
        ("InitialAnyPolicyInhibit", "-inhibit_any"),
    ] {
        if vector[field].as_bool().unwrap() {
            command.arg(flag);
        }
    }
    for policy in names(vector, "InitialPolicySet") {
        let number = policy.strip_prefix("NIST-test-policy-");
        let oid = number.map_or_else(|| "2.5.29.32.0".to_owned(), |number| format!("2.16.840.1.101.3.2.1.48.{number}"));
        command.args(["-policy", &oid]);
    }
    run(command.arg(file(std::slice::from_ref(leaf), "leaf.pem")))
}

/// `ok`, or the number of the first error.
fn answer(ran: &Ran) -> String {
    if ran.ok() {
        return "ok".to_owned();
    }
    let text = format!("{}{}", ran.err, ran.out);
    let number =
        text.split("error ").skip(1).find_map(|rest| rest.split_once(" at ").map(|(number, _)| number.to_owned()));
    number.filter(|number| number.parse::<u16>().is_ok()).unwrap_or_else(|| panic!("{text}"))
}

fn vectors(suite: &Path) -> Vec<Value> {
    serde_json::from_slice(&fs::read(suite.join("vectors.json")).unwrap()).unwrap()
}

#[test]
fn openssl_answers_the_vectors_as_recorded() {
    for name in ["pkits", "paths"] {
        let suite = project("fixtures").join(name);
        let mut text = format!("# {}: openssl verify {}\n", say("openssl", ["version"]).trim(), FLAGS.join(" "));
        for vector in vectors(&suite) {
            let number = vector["Name"].as_str().unwrap().split(' ').next().unwrap().to_owned();
            text.push_str(&format!("{number} {}\n", answer(&verify(&suite, &vector, &[]))));
        }
        let path = suite.join("openssl.txt");
        if std::env::var_os("KPKI_RECORD").is_some() {
            fs::write(&path, &text).unwrap();
        }
        // Which release it was is said, not compared.
        let body = |text: &str| text.split_once('\n').unwrap().1.to_owned();
        assert_eq!(body(&fs::read_to_string(&path).unwrap()), body(&text), "{name}");
    }
}

/// What every judge for Kubernetes refuses, OpenSSL refuses at the security level of its TLS.
#[test]
fn dsa_is_refused_from_security_level_1_on() {
    let suite = project("fixtures/pkits");
    for number in ["4.1.4", "4.1.5"] {
        let of_number = |vector: &&Value| vector["Name"].as_str().unwrap().starts_with(&format!("{number} "));
        let all = vectors(&suite);
        let vector = all.iter().find(of_number).unwrap();
        let ran = verify(&suite, vector, &["-auth_level", "1"]);
        assert!(!ran.ok(), "{number}: {ran:?}");
    }
    let all = vectors(&suite);
    assert!(verify(&suite, &all[0], &["-auth_level", "2"]).ok());
}
