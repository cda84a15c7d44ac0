//! NIST's vectors before our own path validation (fixtures/pkits). Nothing that must fail may be accepted; what should be
//! accepted and is not stands in a table, each with its reason.

use std::fmt::Write as _;
use std::fs;

use kpki::blueprint::Oid;
use kpki::x509::path::{Dates, Links, Revocation, ValidationInput, validate};
use kpki::x509::policies::PolicyInput;
use kpki::x509::revocation::Strictness;
use kpki::x509::{Certificate, CrlLookup, ParseError, Wanted};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use super::expect::recording;
use super::harness::repository;

/// Every certificate of the suite that is meant to be valid is so until 2030.
const AT: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

/// Refused although it should be accepted, and why.
const MISSES: &[(&str, &str)] = &[
    ("4.1.4", "DSA: neither made nor verified by kpki, and given up by the standards (FIPS 186-5)"),
    ("4.1.5", "DSA, with parameters inherited from the issuer"),
];

struct Vector {
    name: String,
    /// One that cannot be read at all is refused with its path.
    certificates: Result<Vec<Certificate>, ParseError>,
    lists: Vec<Vec<u8>>,
    acceptable: Vec<Oid>,
    explicit: bool,
    inhibit_mapping: bool,
    inhibit_any: bool,
    valid: bool,
}

impl Vector {
    fn number(&self) -> &str {
        self.name.split(' ').next().unwrap()
    }

    fn policies(&self) -> PolicyInput<'_> {
        let Self { explicit, inhibit_mapping, inhibit_any, .. } = *self;
        PolicyInput { acceptable: &self.acceptable, explicit, inhibit_mapping, inhibit_any }
    }

    /// In an error: why it is refused.
    fn run(&self, lists: &[&Vec<u8>]) -> Result<(), String> {
        let certificates = self.certificates.as_ref().map_err(ToString::to_string)?;
        let [anchor, rest @ .., leaf] = certificates.as_slice() else { panic!("{}", self.name) };
        let wanted = Wanted::new(certificates.iter().map(|certificate| certificate.serial.as_slice()));
        let lists: Vec<(&[u8], CrlLookup<'_>)> =
            lists.iter().filter_map(|der| Some((der.as_slice(), CrlLookup::read(der, &wanted).ok()?))).collect();
        let input = ValidationInput {
            anchors: std::slice::from_ref(anchor),
            intermediates: rest,
            at: AT,
            links: Links::Rfc5280,
            dates: Dates::All,
            policies: self.policies(),
            revocation: Some(Revocation { crls: &lists, strictness: Strictness::Strict }),
        };
        validate(leaf, input).map(|_| ()).map_err(|why| why.to_string())
    }
}

fn vectors() -> Vec<Vector> {
    let file = |path: String| fs::read(repository(&format!("fixtures/pkits/{path}"))).unwrap();
    let text = file("vectors.json".to_owned());
    let list: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let names = |vector: &Value, field: &str| -> Vec<String> {
        vector[field].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let flag = |vector: &Value, field: &str| vector[field].as_bool().unwrap();
    list.iter()
        .map(|vector| Vector {
            name: vector["Name"].as_str().unwrap().to_owned(),
            certificates: names(vector, "CertPath")
                .into_iter()
                .map(|name| Certificate::parse(&file(format!("certs/{name}"))))
                .collect(),
            acceptable: names(vector, "InitialPolicySet").iter().map(|name| policy(name)).collect(),
            explicit: flag(vector, "InitialExplicitPolicy"),
            inhibit_mapping: flag(vector, "InitialPolicyMappingInhibit"),
            inhibit_any: flag(vector, "InitialAnyPolicyInhibit"),
            lists: names(vector, "CRLPath").into_iter().map(|name| file(format!("crls/{name}"))).collect(),
            valid: vector["ShouldValidate"].as_bool().unwrap(),
        })
        .collect()
}

/// The suite's names of its policies (PKITS section 3).
fn policy(name: &str) -> Oid {
    let number = name.strip_prefix("NIST-test-policy-");
    Oid::new(number.map_or_else(|| "2.5.29.32.0".to_owned(), |number| format!("2.16.840.1.101.3.2.1.48.{number}")))
}

#[test]
fn nothing_that_must_fail_is_accepted() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 70);
    let mut misses = Vec::new();
    let mut table = String::new();
    for vector in &vectors {
        let answer = vector.run(&vector.lists.iter().collect::<Vec<_>>());
        assert!(vector.valid || answer.is_err(), "accepted: {}", vector.name);
        // The same whichever list comes first.
        assert_eq!(
            vector.run(&vector.lists.iter().rev().collect::<Vec<_>>()).is_ok(),
            answer.is_ok(),
            "{}",
            vector.name
        );
        if vector.valid && answer.is_err() {
            misses.push(vector.number());
        }
        let said = answer.map_or_else(|why| why, |()| "accepted".to_owned());
        let should = if vector.valid { "accepted" } else { "refused" };
        let _ = writeln!(table, "| {} | {should} | {said} |", vector.name);
    }
    let expected: Vec<&str> = MISSES.iter().map(|(number, _)| *number).collect();
    assert_eq!(misses, expected);
    let mut text = format!(
        "# Score: {} of {}\n\nWritten by tests/kpki/pkits.rs. OpenSSL 3.0 gets 67 of these 70 right, plain rustls-webpki 54.\n\n\
         Refused although valid:\n\n| vector | why |\n|---|---|\n",
        vectors.len() - misses.len(),
        vectors.len()
    );
    MISSES.iter().for_each(|(number, why)| text.push_str(&format!("| {number} | {why} |\n")));
    text.push_str(&format!("\nAll of them:\n\n| vector | should be | is |\n|---|---|---|\n{table}"));
    let path = repository("fixtures/pkits/SCORE.md");
    if recording() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == text, "run: KPKI_RECORD=1 cargo test --test kpki pkits");
}

/// Without their lists the valid ones are not valid either, and no list of another vector makes an invalid one valid.
#[test]
fn unknown_is_never_good() {
    let vectors = vectors();
    let all: Vec<&Vec<u8>> = vectors.iter().flat_map(|vector| &vector.lists).collect();
    for vector in &vectors {
        assert!(vector.run(&[]).is_err(), "accepted without lists: {}", vector.name);
        let lists: Vec<&Vec<u8>> = vector.lists.iter().skip(1).collect();
        assert!(vector.run(&lists).is_err(), "accepted without the first list: {}", vector.name);
        if !vector.valid && vector.number() != "4.4.1" {
            assert!(vector.run(&all).is_err(), "accepted with every list: {}", vector.name);
        }
    }
}

/// PKITS 4.8.1: the path of 4.1.1, asked for its policies.
#[test]
fn policies_are_asked_for() {
    let vectors = vectors();
    let path = vectors.into_iter().find(|vector| vector.number() == "4.1.1").unwrap();
    for (acceptable, explicit, valid) in [
        (&["anyPolicy"][..], true, true),
        (&["NIST-test-policy-1"], true, true),
        (&["NIST-test-policy-2"], true, false),
        (&["NIST-test-policy-1", "NIST-test-policy-2"], true, true),
        (&["NIST-test-policy-2"], false, true),
    ] {
        let acceptable = acceptable.iter().map(|name| policy(name)).collect();
        let vector = Vector {
            acceptable,
            explicit,
            certificates: path.certificates.clone(),
            lists: path.lists.clone(),
            name: path.name.clone(),
            ..path
        };
        assert_eq!(
            vector.run(&vector.lists.iter().collect::<Vec<_>>()).is_ok(),
            valid,
            "{explicit} {:?}",
            vector.acceptable
        );
    }
}
