//! NIST's vectors and ours before our own path validation (fixtures/pkits, fixtures/paths), beside OpenSSL: all are answered right.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;

use super::expect::recording;
use super::vectors::{Vector, file, policy, read};

/// OpenSSL's answers, written by tests/interop/pkits.rs: the first line says which and how, then a vector's number and `ok` or
/// the number of its error.
struct OpenSsl {
    how: String,
    answers: HashMap<String, String>,
}

impl OpenSsl {
    fn read(suite: &str) -> Self {
        let text = fs::read_to_string(file(suite, "openssl.txt")).unwrap();
        let (how, rest) = text.split_once('\n').unwrap();
        let answer =
            |line: &str| line.split_once(' ').map(|(number, said)| (number.to_owned(), said.to_owned())).unwrap();
        Self { how: how.trim_start_matches("# ").to_owned(), answers: rest.lines().map(answer).collect() }
    }

    fn accepts(&self, vector: &Vector) -> bool {
        self.answers[vector.number()] == "ok"
    }

    fn says(&self, vector: &Vector) -> String {
        let mark = if self.accepts(vector) == vector.valid { "" } else { " (wrong)" };
        match self.answers[vector.number()].as_str() {
            "ok" => format!("accepted{mark}"),
            error => format!("error {error}{mark}"),
        }
    }
}

/// Runs a suite, and writes or compares its SCORE.md.
fn score(suite: &str) {
    let vectors = read(suite);
    let openssl = OpenSsl::read(suite);
    assert_eq!(openssl.answers.len(), vectors.len());
    let (mut table, mut wrong, mut theirs) = (String::new(), Vec::new(), [0, 0]);
    for vector in &vectors {
        let answer = vector.run();
        // The same whichever list comes first.
        let reversed: Vec<&Vec<u8>> = vector.lists.iter().rev().collect();
        assert_eq!(vector.with(&reversed).is_ok(), answer.is_ok(), "{}", vector.name);
        if vector.valid != answer.is_ok() {
            wrong.push(format!("{}: {answer:?}", vector.name));
        }
        theirs[0] += usize::from(openssl.accepts(vector) != vector.valid);
        theirs[1] += usize::from(openssl.accepts(vector) && !vector.valid);
        let said = answer.map_or_else(|why| why, |()| "accepted".to_owned());
        let should = if vector.valid { "accepted" } else { "refused" };
        let _ = writeln!(table, "| {} | {should} | {said} | {} |", vector.name, openssl.says(vector));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = vectors.len();
    let text = format!(
        "# Score: {all} of {all}\n\nWritten by tests/kpki/pkits.rs.\n\n| | right | accepted although invalid |\n|---|---|---|\n\
         | kpki | {all} of {all} | 0 |\n| OpenSSL | {} of {all} | {} |\n\n\
         OpenSSL's answers are `openssl.txt` ({}), as tests/interop/pkits.rs gets them.\n\n\
         All of them:\n\n| vector | should be | kpki | OpenSSL |\n|---|---|---|---|\n{table}",
        all - theirs[0],
        theirs[1],
        openssl.how,
    );
    let path = file(suite, "SCORE.md");
    if recording() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == text, "run: KPKI_RECORD=1 cargo test --test kpki pkits");
}

#[test]
fn nists_vectors_are_answered_right() {
    assert_eq!(read("pkits").len(), 70);
    score("pkits");
}

#[test]
fn every_rule_has_a_valid_and_an_invalid_twin() {
    score("paths");
}

/// Without their lists the valid ones are not valid either, and no list of another vector makes an invalid one valid.
#[test]
fn unknown_is_never_good() {
    for suite in ["pkits", "paths"] {
        let vectors = read(suite);
        let all: Vec<&Vec<u8>> = vectors.iter().flat_map(|vector| &vector.lists).collect();
        for vector in &vectors {
            assert!(vector.with(&[]).is_err(), "accepted without lists: {}", vector.name);
            let lists: Vec<&Vec<u8>> = vector.lists.iter().skip(1).collect();
            assert!(vector.with(&lists).is_err(), "accepted without the first list: {}", vector.name);
            // In the other suite one authority has many lists, and a vector is invalid because one of them is missing.
            if suite == "pkits" && !vector.valid && vector.number() != "4.4.1" {
                assert!(vector.with(&all).is_err(), "accepted with every list: {}", vector.name);
            }
        }
    }
}

/// PKITS 4.8.1: the path of 4.1.1, asked for its policies.
#[test]
fn policies_are_asked_for() {
    let path = read("pkits").into_iter().find(|vector| vector.number() == "4.1.1").unwrap();
    for (acceptable, explicit, valid) in [
        (&["anyPolicy"][..], true, true),
        (&["NIST-test-policy-1"], true, true),
        (&["NIST-test-policy-2"], true, false),
        (&["NIST-test-policy-1", "NIST-test-policy-2"], true, true),
        (&["NIST-test-policy-2"], false, true),
    ] {
        let acceptable = acceptable.iter().map(|name| policy(name)).collect();
        let vector = Vector { acceptable, explicit, ..path.clone() };
        assert_eq!(vector.run().is_ok(), valid, "{explicit} {:?}", vector.acceptable);
    }
}
