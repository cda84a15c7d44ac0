//! Signatures of the transit secrets engine, and secrets of KV.

use std::path::Path;

use serde_json::{Value, json};

use super::{Bao, feed};
use crate::support::{program, run, say};

/// Not a whole number of any block.
const MESSAGE: &[u8] = b"what an authority signs";

fn key(bao: &Bao, name: &str, kind: &str) {
    bao.put(&format!("transit/keys/{name}"), json!({ "type": kind }));
}

/// By openssl, under a public key in PEM.
fn verifies(bao: &Bao, hash: &str, public: &Path, signature: &[u8]) -> bool {
    let (message, signature) = (bao.file("message", MESSAGE), bao.file("signature", signature));
    let mut command = program("openssl");
    command
        .arg("dgst")
        .arg(format!("-{hash}"))
        .arg("-verify")
        .arg(public)
        .arg("-signature")
        .arg(signature)
        .arg(message);
    run(&mut command).ok()
}

fn digest(bao: &Bao, hash: &str) -> Vec<u8> {
    let (message, digest) = (bao.file("message", MESSAGE), bao.path("digest"));
    say(
        "openssl",
        ["dgst", &format!("-{hash}"), "-binary", "-out", digest.to_str().unwrap(), message.to_str().unwrap()],
    );
    std::fs::read(digest).unwrap()
}

#[test]
fn every_algorithm_by_digest_and_by_message() {
    let bao = Bao::start();
    bao.put("sys/mounts/transit", json!({"type": "transit"}));
    for (kind, algorithm, hash) in [
        ("ecdsa-p256", "ecdsa-sha256", "sha256"),
        ("ecdsa-p384", "ecdsa-sha384", "sha384"),
        ("rsa-2048", "rsa-pkcs1-sha256", "sha256"),
        ("rsa-4096", "rsa-pkcs1-sha256", "sha256"),
    ] {
        key(&bao, kind, kind);
        let public = bao.file("public.pem", feed(&mut bao.vault(&format!("public-key --key {kind}")), b"").ok());
        for (input, bytes) in [("digest", digest(&bao, hash)), ("message", MESSAGE.to_vec())] {
            // As kpki says it.
            let mut command = bao.vault(&format!("sign --key {kind}"));
            command.env("KPKI_SIGN_ALGORITHM", algorithm).env("KPKI_SIGN_INPUT", input);
            let signature = feed(&mut command, &bytes).ok();
            assert!(verifies(&bao, hash, &public, &signature), "{kind} {input}");
            // A test that could not fail would be none.
            assert!(!verifies(&bao, hash, &public, &signature[..signature.len() - 1]), "{kind} {input}");
        }
    }
}

#[test]
fn the_version_of_a_key_that_is_named() {
    let bao = Bao::start();
    bao.put("sys/mounts/hsm", json!({"type": "transit"}));
    bao.put("hsm/keys/ca", json!({"type": "ecdsa-p256"}));
    bao.put("hsm/keys/ca/rotate", json!({}));
    let public = |words: &str| feed(&mut bao.vault(&format!("public-key --mount hsm --key ca{words}")), b"").ok();
    let (first, second) = (public(" --key-version 1"), public(" --key-version 2"));
    assert_ne!(first, second);
    assert_eq!(public(""), second);
    let (first, second) = (bao.file("first.pem", first), bao.file("second.pem", second));
    let sign = |words: &str| {
        let words = format!("sign --mount hsm --key ca --algorithm ecdsa-sha256 --input message{words}");
        feed(&mut bao.vault(&words), MESSAGE).ok()
    };
    for (words, by_first) in [(" --key-version 1", true), (" --key-version 2", false), ("", false)] {
        let signature = sign(words);
        assert_eq!(verifies(&bao, "sha256", &first, &signature), by_first, "{words}");
        assert_eq!(verifies(&bao, "sha256", &second, &signature), !by_first, "{words}");
    }
}

#[test]
fn what_cannot_be_had() {
    let bao = Bao::start();
    bao.put("sys/mounts/transit", json!({"type": "transit"}));
    key(&bao, "ca", "ecdsa-p256");
    key(&bao, "symmetric", "aes256-gcm96");
    let sign = "sign --algorithm ecdsa-sha256 --input message --key";
    for (words, code, says) in [
        (format!("{sign} none"), 1, "signing key not found"),
        (format!("{sign} ca --mount other"), 1, "no handler for route"),
        (format!("{sign} ca --key-version 7"), 1, "version"),
        (format!("{sign} symmetric"), 1, "HTTP status 4"),
        (format!("{sign} ../keys/ca"), 2, "--key"),
        ("public-key --key none".to_owned(), 1, "HTTP status 404"),
        ("public-key --key symmetric".to_owned(), 1, "no public half"),
        ("public-key --key ca --key-version 7".to_owned(), 1, "no version 7"),
    ] {
        feed(&mut bao.vault(&words), MESSAGE).refused(code, says);
    }
}

#[test]
fn a_secret_is_printed_as_it_is() {
    let bao = Bao::start();
    let key = say("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    bao.put("sys/mounts/first", json!({"type": "kv"}));
    bao.put("secret/data/kpki", json!({"data": {"ca.key": key, "number": 5}}));
    bao.put("first/kpki", json!({ "ca.key": key }));
    for path in ["secret/data/kpki", "first/kpki"] {
        let found = feed(&mut bao.vault(&format!("secret --path {path} --field ca.key")), b"").ok();
        assert_eq!(String::from_utf8(found).unwrap(), key, "{path}");
    }
    for (words, says) in [
        ("secret --path secret/data/kpki --field other", "no text in its field other"),
        ("secret --path secret/data/kpki --field number", "no text in its field number"),
        ("secret --path secret/kpki --field ca.key", "HTTP status 404"),
        ("secret --path secret/data/none --field ca.key", "HTTP status 404"),
    ] {
        feed(&mut bao.vault(words), b"").refused(1, says);
    }
    let (status, answer) = bao.ask("DELETE", "", "secret/data/kpki", &Value::Null);
    assert_eq!(status, 204, "{answer}");
    feed(&mut bao.vault("secret --path secret/data/kpki --field ca.key"), b"").refused(1, "HTTP status 404");
}
