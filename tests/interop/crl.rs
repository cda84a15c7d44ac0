//! The revocation engine's lists before OpenSSL and pkilint: empty, one entry, every reason, thousands, past 2050, and the
//! next edition of each.

use std::path::{Path, PathBuf};

use kpki::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, KeyUsage, Name, Role};
use kpki::ca::{self, Changes, Issuer, PrivateKey, SignedCrl};
use kpki::revocation::{CrlIssue, Number, Reason, RevocationList, Revoked};
use kpki::x509::Certificate;
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::{program, run, say, scratch, write};

/// OpenSSL is told the time.
const AT: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

fn issuer(algorithm: Algorithm) -> Issuer {
    let blueprint = Blueprint {
        subject: Name::of("kubernetes", &[]),
        not_before: AT - Duration::DAY,
        not_after: datetime!(2061-01-01 0:00 UTC),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    };
    let key = PrivateKey::generate(algorithm).unwrap();
    Issuer::new(vec![ca::self_sign(&blueprint, &key).unwrap().certificate], key).unwrap()
}

fn leaf(issuer: &Issuer, name: &str) -> Certificate {
    let blueprint = Blueprint {
        subject: Name::of(name, &[]),
        not_before: AT - Duration::DAY,
        not_after: AT + Duration::days(365),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ClientAuth],
        sans: vec![],
        permitted: vec![],
    };
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    ca::issue(&blueprint, &key.spki_der(), issuer).unwrap().certificate
}

fn revoked(serial: Vec<u8>, reason: Option<Reason>) -> Revoked {
    Revoked { serial, at: AT - Duration::HOUR, reason, invalid_since: None, other: vec![] }
}

fn edition(number: u64, next_update: OffsetDateTime) -> CrlIssue {
    CrlIssue { number: Number::from(number), this_update: AT, next_update }
}

fn list(next_update: OffsetDateTime, revoked: Vec<Revoked>, by: &Issuer) -> SignedCrl {
    ca::sign_crl(&RevocationList { edition: edition(1, next_update), revoked }, by).unwrap()
}

fn lint(list: &Path) -> Vec<Value> {
    let mut command = program("lint_crl");
    command.args(["lint", "-t", "CRL", "-p", "PKIX", "-s", "WARNING", "-f", "JSON"]).arg(list);
    let ran = run(&mut command);
    let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {} {}", ran.out, ran.err));
    said["results"].as_array().unwrap_or_else(|| panic!("{said}")).clone()
}

#[test]
fn openssl_and_pkilint_find_nothing_wrong() {
    let dir = scratch();
    for algorithm in [Algorithm::Rsa2048, Algorithm::EcdsaP256, Algorithm::EcdsaP384] {
        let by = issuer(algorithm);
        let ca = write(dir.path().join("ca.crt"), by.certificate().to_pem());
        let soon = AT + Duration::days(30);
        let numbered = |n: u32| revoked([&[0x31; 12][..], &n.to_be_bytes()].concat(), None);
        let reasons: Vec<Revoked> = Reason::all()
            .filter(|reason| *reason != Reason::RemoveFromCrl)
            .map(|reason| revoked(vec![0x41 + reason.code(); 16], Some(reason)))
            .collect();
        let since = Revoked { invalid_since: Some(AT - Duration::days(9)), ..numbered(1) };
        for (what, list) in [
            ("empty", list(soon, vec![], &by)),
            ("one entry", list(soon, vec![since], &by)),
            ("every reason", list(soon, reasons, &by)),
            ("thousands", list(soon, (0..5000).map(numbered).collect(), &by)),
            ("past 2050", list(datetime!(2055-01-01 0:00 UTC), vec![numbered(1)], &by)),
        ] {
            let addition = [numbered(9999)];
            let removals = [numbered(1).serial];
            let changes = Changes { additions: &addition, removals: &removals };
            let next = ca::resign_crl(&list.der, changes, &edition(2, soon), &by).unwrap();
            for (edition, list) in [("first", &list), ("next", &next)] {
                let file = write(dir.path().join("ca.crl"), list.to_pem());
                let words = ["crl", "-noout", "-verify", "-CAfile"].map(PathBuf::from);
                let ran = run(program("openssl").args(words).arg(&ca).arg("-in").arg(&file));
                assert!(ran.ok() && ran.err.contains("verify OK"), "{algorithm} {what} {edition}: {}", ran.err);
                assert_eq!(lint(&file), Vec::<Value>::new(), "{algorithm} {what} {edition}");
            }
        }
    }
}

#[test]
fn openssl_sees_what_is_revoked_and_what_is_not() {
    let dir = scratch();
    let by = issuer(Algorithm::EcdsaP256);
    let ca = write(dir.path().join("ca.crt"), by.certificate().to_pem());
    let [good, bad] = ["good", "bad"].map(|name| leaf(&by, name));
    let list = list(AT + Duration::days(30), vec![revoked(bad.serial.clone(), Some(Reason::CertificateHold))], &by);
    let file = write(dir.path().join("ca.crl"), list.to_pem());
    let released = Changes { additions: &[], removals: std::slice::from_ref(&bad.serial) };
    let next = ca::resign_crl(&list.der, released, &edition(2, AT + Duration::days(30)), &by).unwrap();
    let next = write(dir.path().join("next.crl"), next.to_pem());
    for (certificate, list, accepted) in [(&good, &file, true), (&bad, &file, false), (&bad, &next, true)] {
        let leaf = write(dir.path().join("leaf.crt"), certificate.to_pem());
        let at = AT.unix_timestamp().to_string();
        let mut command = program("openssl");
        command.args(["verify", "-crl_check", "-attime", &at, "-CAfile"]).arg(&ca).arg("-CRLfile").arg(list).arg(&leaf);
        let ran = run(&mut command);
        assert_eq!(ran.ok(), accepted, "{}{}", ran.out, ran.err);
    }
    let text = say("openssl", ["crl", "-noout", "-text", "-in", file.to_str().unwrap()]);
    assert!(text.contains("Certificate Hold") && text.contains("X509v3 Authority Key Identifier"), "{text}");
}
