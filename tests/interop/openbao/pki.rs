//! Certificates of the PKI secrets engine.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Bao, feed};
use crate::support::say;

const SUBJECT: &str = "/O=kubeadm:cluster-admins/O=second/CN=kubernetes-admin";
const DAY: u64 = 86_400;

/// A request by openssl, with these extensions.
fn request(bao: &Bao, extensions: &[&str]) -> Vec<u8> {
    let (key, csr) = (bao.path("leaf.key"), bao.path("leaf.csr"));
    let mut words: Vec<&str> =
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -batch".split(' ').collect();
    words.extend(["-subj", SUBJECT, "-keyout", key.to_str().unwrap(), "-out", csr.to_str().unwrap()]);
    words.extend(extensions.iter().flat_map(|extension| ["-addext", extension]));
    say("openssl", words);
    std::fs::read(csr).unwrap()
}

fn wanted(seconds: u64) -> String {
    json!({"version": 1, "commonName": "kubernetes-admin", "lifetimeSeconds": seconds,
        "keyUsages": ["digital signature"], "extendedKeyUsages": ["client auth"]})
    .to_string()
}

fn text(certificate: &Path) -> String {
    say("openssl", ["x509", "-noout", "-text", "-in", certificate.to_str().unwrap()])
}

fn ends_within(certificate: &Path, seconds: u64) -> bool {
    let words = ["x509", "-noout", "-checkend", &seconds.to_string(), "-in", certificate.to_str().unwrap()];
    !crate::support::run(crate::support::program("openssl").args(words)).ok()
}

/// The chain in a file.
fn kept(bao: &Bao, chain: &[u8]) -> PathBuf {
    bao.file("chain.pem", chain)
}

#[track_caller]
fn verified(root: &Path, chain: &Path) {
    let words = ["verify", "-x509_strict", "-CAfile", root.to_str().unwrap(), "-untrusted", chain.to_str().unwrap()];
    say("openssl", words.into_iter().chain([chain.to_str().unwrap()]));
}

#[test]
fn a_request_is_signed_as_it_is() {
    let bao = Bao::start();
    let root = bao.authority("", "pki", "kubernetes");
    let csr = request(
        &bao,
        &[
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            "extendedKeyUsage=clientAuth",
            "subjectAltName=DNS:cp1.example.com,IP:10.0.0.11",
        ],
    );
    // What the request says outweighs what is asked for beside it, and it is no second opinion that is kept.
    for request in [wanted(400 * DAY), wanted(400 * DAY).replace("client auth", "server auth")] {
        let chain = feed(bao.vault("issue").env("KPKI_REQUEST", request), &csr).ok();
        let leaf = kept(&bao, &chain);
        verified(&root, &leaf);
        let text = text(&leaf);
        assert!(text.contains("Subject: O = kubeadm:cluster-admins, O = second, CN = kubernetes-admin"), "{text}");
        for line in
            ["CA:FALSE\n", "Key Usage: critical", "Digital Signature\n", "DNS:cp1.example.com, IP Address:10.0.0.11\n"]
        {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(text.contains("TLS Web Client Authentication\n") && !text.contains("Server Auth"), "{text}");
        assert!(ends_within(&leaf, 401 * DAY) && !ends_within(&leaf, 399 * DAY), "{text}");
    }
    // A request that says nothing of usages gets those that are asked for.
    let bare = request(&bao, &[]);
    let chain = feed(bao.vault("issue").env("KPKI_REQUEST", wanted(DAY)), &bare).ok();
    let text = text(&kept(&bao, &chain));
    assert!(text.contains("Digital Signature\n") && text.contains("TLS Web Client Authentication\n"), "{text}");
    assert!(!text.contains("Key Agreement") && !text.contains("Server Auth"), "{text}");
}

#[test]
fn the_chain_ends_below_the_root() {
    let bao = Bao::start();
    let root = bao.authority("", "pki", "root");
    bao.put("sys/mounts/team%2Fint", json!({"type": "pki", "config": {"max_lease_ttl": "43800h"}}));
    let made =
        bao.put("team/int/intermediate/generate/internal", json!({"common_name": "kubernetes", "key_type": "ec"}));
    let body = json!({"csr": made["data"]["csr"], "format": "pem", "ttl": "40000h", "use_csr_values": true});
    let signed = bao.put("pki/root/sign-intermediate", body);
    let pem =
        format!("{}\n{}", signed["data"]["certificate"].as_str().unwrap(), std::fs::read_to_string(&root).unwrap());
    bao.put("team/int/intermediate/set-signed", json!({ "certificate": pem }));
    let chain = feed(bao.vault("issue --mount team/int").env("KPKI_REQUEST", wanted(DAY)), &request(&bao, &[])).ok();
    let chain = String::from_utf8(chain).unwrap();
    assert_eq!(chain.matches("-----BEGIN CERTIFICATE-----\n").count(), 2, "{chain}");
    let path = kept(&bao, chain.as_bytes());
    verified(&root, &path);
    let subject = say("openssl", ["x509", "-noout", "-subject", "-issuer", "-in", path.to_str().unwrap()]);
    assert!(subject.contains("CN = kubernetes-admin\nissuer=CN = kubernetes\n"), "{subject}");
    // Another issuer of the mount, by its name.
    let second = bao
        .put("pki/root/generate/internal", json!({"common_name": "second", "key_type": "ec", "issuer_name": "second"}));
    assert!(second["data"]["certificate"].is_string(), "{second}");
    let chain = feed(bao.vault("issue --issuer second").env("KPKI_REQUEST", wanted(DAY)), &request(&bao, &[])).ok();
    let issuer = say("openssl", ["x509", "-noout", "-issuer", "-in", kept(&bao, &chain).to_str().unwrap()]);
    assert!(issuer.contains("CN = second"), "{issuer}");
}

#[test]
fn what_a_role_makes_of_a_request() {
    let bao = Bao::start();
    bao.authority("", "pki", "kubernetes");
    let csr = request(&bao, &["keyUsage=critical,digitalSignature", "extendedKeyUsage=clientAuth"]);
    bao.put("pki/roles/node", json!({"allow_any_name": true, "enforce_hostnames": false, "key_type": "any"}));
    bao.put("pki/roles/short", json!({"allow_any_name": true, "key_type": "any", "max_ttl": "1h"}));
    // This is what kpki's checks are for.
    let chain = feed(bao.vault("issue --role node").env("KPKI_REQUEST", wanted(DAY)), &csr).ok();
    let decided = text(&kept(&bao, &chain));
    assert!(decided.contains("Subject: CN = kubernetes-admin\n"), "{decided}");
    assert!(decided.contains("TLS Web Server Authentication") && !decided.contains("Alternative Name"), "{decided}");
    // A lifetime that is cut is said.
    let said = feed(bao.vault("issue --verbatim-role short").env("KPKI_REQUEST", wanted(30 * DAY)), &csr);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.starts_with("warning: ") && said.err.to_lowercase().contains("ttl"), "{said:?}");
    let leaf = kept(&bao, &said.out);
    assert!(ends_within(&leaf, 2 * 3600) && text(&leaf).contains("O = second"), "{said:?}");
}

#[test]
fn what_cannot_be_had() {
    let bao = Bao::start();
    bao.authority("", "pki", "kubernetes");
    let csr = request(&bao, &[]);
    for (words, seconds, token, says) in [
        ("issue --role none", DAY, None, "unknown role: none"),
        ("issue --issuer none", DAY, None, "HTTP status"),
        ("issue --mount other", DAY, None, "no handler for route"),
        ("issue", 20 * 365 * DAY, None, "beyond the expiration of the CA certificate"),
        ("issue", DAY, Some("s.wrong"), "permission denied"),
    ] {
        let mut command = bao.vault(words);
        command.env("KPKI_REQUEST", wanted(seconds)).envs(token.map(|token| ("BAO_TOKEN", token)));
        feed(&mut command, &csr).refused(1, says);
    }
    // What is no request is nothing for the server to find out.
    let other = std::fs::read(bao.path("leaf.key")).unwrap();
    feed(&mut bao.vault("issue"), &other).refused(2, "one certificate request in PEM");
    bao.put("sys/seal", Value::Null);
    feed(&mut bao.vault("issue"), &csr).refused(75, "sealed");
    feed(&mut bao.vault("public-key --key ca"), b"").refused(75, "sealed");
}
