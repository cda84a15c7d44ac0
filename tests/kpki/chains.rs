//! A certificate behind an intermediate, before every verb that judges chains: one file, one answer. The table of all ways a
//! chain can break is in `src/plan/judges_tests.rs`.

use kpki::blueprint::{Algorithm, Blueprint, KeyUsage, Name, Role};
use kpki::ca::{Issuer, PrivateKey, issue, sign_crl};
use kpki::revocation::{CrlIssue, Number, RevocationList};
use kpki::x509::{Certificate, parse_pem_bundle};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::harness::{NOW, Place, single};

const AT: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);
const ENDED: OffsetDateTime = datetime!(2021-01-01 0:00 UTC);
const EXPIRED: &str = "intermediate `CN=middle`: expired at 2021-01-01T00:00:00Z";

/// A tree whose API server's certificate is signed by an intermediate; it lies in chain.pem too, with a CRL of the
/// intermediate beside it.
fn made(expired: bool) -> Place {
    let place = Place::new();
    place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    let bundle = |name: &str| parse_pem_bundle(place.read(name).as_bytes()).unwrap();
    let key = |name: &str| PrivateKey::from_pem(place.read(name).as_bytes()).unwrap();
    let root = Issuer::new(bundle("t/pki/ca.crt"), key("t/pki/ca.key")).unwrap();
    let wanted = Blueprint {
        subject: Name::of("middle", &[]),
        not_before: datetime!(2020-01-01 0:00 UTC),
        not_after: root.certificate().not_after,
        role: Role::Authority { path_len: Some(0) },
        key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    };
    let middle_key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let spki = middle_key.spki_der();
    let certificate = |not_after| issue(&Blueprint { not_after, ..wanted.clone() }, &spki, &root).unwrap().certificate;
    let middle = Issuer::new(vec![certificate(wanted.not_after)], middle_key).unwrap();
    let old = bundle("t/pki/apiserver.crt").remove(0);
    let leaf = Blueprint {
        subject: old.subject.clone(),
        not_before: old.not_before,
        not_after: old.not_after,
        role: Role::EndEntity,
        key_usage: old.key_usage.unwrap(),
        extended_key_usages: old.extended_key_usages.clone(),
        sans: old.sans.clone(),
        permitted: vec![],
    };
    let leaf = issue(&leaf, &key("t/pki/apiserver.key").spki_der(), &middle).unwrap().certificate;
    let above = if expired { certificate(ENDED) } else { middle.certificate().clone() };
    let chain: String = [&leaf, &above].map(Certificate::to_pem).concat();
    place.write("t/pki/apiserver.crt", &chain);
    place.write("chain.pem", chain);
    let edition = CrlIssue { number: Number::from(1), this_update: AT, next_update: AT + Duration::days(10) };
    let crl = sign_crl(&RevocationList { edition, revoked: vec![] }, &middle).unwrap();
    place.write("middle.crl", crl.to_pem());
    place
}

const INIT: &[&str] = &["init", "--dir", "t", "--at", NOW];
const RENEW: &[&str] = &["renew", "all", "--due", "--dir", "t", "--at", NOW];
const VERIFY: &[&str] = &["export", "--verify", "cp1", "--dir", "t"];
const CHECK: &[&str] = &["check-expiration", "t", "--at", NOW];
const IMPORT: &[&str] = &["import", "chain.pem", "--dir", "t", "--at", NOW];
const CRL_FILE: &[&str] = &["crl", "check", "chain.pem", "--ca", "t/pki/ca.crt", "--crl", "middle.crl", "--at", NOW];
const CRL_TREE: &[&str] = &["crl", "check", "apiserver", "--dir", "t", "--crl", "middle.crl", "--at", NOW];

#[test]
fn an_expired_intermediate_is_expired_for_every_verb() {
    let place = made(true);
    for (words, status) in [(INIT, 1), (VERIFY, 4), (IMPORT, 1), (CRL_FILE, 1), (CRL_TREE, 1)] {
        let run = place.kpki(words).status(status);
        assert!(format!("{}{}", run.stdout, run.stderr).contains(EXPIRED), "{words:?}: {run:?}");
    }
    let run = place.kpki(CRL_FILE);
    assert!(run.stdout.starts_with("unknown: 2 unknown of 2 certificates\n"), "{}", run.stdout);
    assert!(place.kpki(CHECK).status(4).stdout.contains("expired"));
    let run = place.kpki(RENEW).ok();
    assert!(run.stdout.contains(EXPIRED), "{}", run.stdout);
    assert_eq!(place.read("t/pki/apiserver.crt").matches("BEGIN CERTIFICATE").count(), 1, "the intermediate is gone");
    for words in [INIT, VERIFY, CHECK] {
        place.kpki(words).ok();
    }
}

#[test]
fn a_valid_intermediate_is_valid_for_every_verb() {
    let place = made(false);
    for words in [VERIFY, CHECK, CRL_TREE, IMPORT] {
        place.kpki(words).ok();
    }
    // Of the intermediate itself nothing is known: its authority has no CRL.
    let run = place.kpki(CRL_FILE).status(1);
    assert!(run.stdout.starts_with("unknown: 1 unknown, 1 good of 2 certificates\n"), "{}", run.stdout);
    let before = place.read("t/pki/apiserver.crt");
    assert!(place.kpki(INIT).ok().stdout.starts_with("nothing to do"));
    place.kpki(RENEW).ok();
    assert_eq!(place.read("t/pki/apiserver.crt"), before);
}
