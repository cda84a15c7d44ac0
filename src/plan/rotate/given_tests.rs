use super::*;
use crate::blueprint::{Algorithm, BACK_DATE, Blueprint, ExtendedKeyUsage, Name, Role, San, Subtree};
use crate::ca::{self, PrivateKey};
use time::Duration;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn authority(name: &str) -> Blueprint {
    Blueprint {
        subject: Name::of(name, &[]),
        not_before: NOW - BACK_DATE,
        not_after: NOW + Duration::days(3650),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN),
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: Vec::new(),
    }
}

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

fn made(blueprint: &Blueprint) -> Certificate {
    ca::self_sign(blueprint, &key()).unwrap().certificate
}

fn issuer(name: &str) -> Issuer {
    let key = key();
    Issuer::new(vec![ca::self_sign(&authority(name), &key).unwrap().certificate], key).unwrap()
}

fn below(blueprint: &Blueprint, issuer: &Issuer) -> Certificate {
    ca::issue(blueprint, &key().spki_der(), issuer).unwrap().certificate
}

fn leaf(issuer: &Issuer) -> (String, Certificate) {
    let wanted = Blueprint {
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth],
        sans: vec![San::Dns("a.example.com".into())],
        ..authority("x")
    };
    ("apiserver".to_owned(), below(&wanted, issuer))
}

#[test]
fn what_fits_is_taken_and_everything_else_is_named() {
    let old = issuer("kubernetes");
    let leaves = vec![leaf(&old)];
    let root = issuer("root");
    let middle = below(&authority("kubernetes@2"), &root);
    let next = made(&authority("kubernetes@2"));
    let with = |change: fn(&mut Blueprint)| {
        let mut blueprint = authority("kubernetes@2");
        change(&mut blueprint);
        vec![made(&blueprint)]
    };
    let top = root.certificate().clone();
    let without_id = Certificate { subject_key_id: None, ..next.clone() };
    let short = Certificate { path_len: Some(0), ..top.clone() };
    let (_, server) = leaves[0].clone();
    type Expected = fn(&[Objection]) -> bool;
    let cases: Vec<(&str, Vec<Certificate>, Expected)> = vec![
        ("its own root", vec![next.clone()], |all| all.is_empty()),
        ("below a root", vec![middle.clone(), top.clone()], |all| all.is_empty()),
        ("of the same name", vec![made(&authority("kubernetes"))], |all| all.is_empty()),
        ("without its root", vec![middle.clone()], |all| matches!(all, [Objection::NoRoot(_)])),
        ("with something else", vec![next.clone(), top.clone()], |all| matches!(all, [Objection::Stray(_)])),
        ("below one without room", vec![middle, short], |all| matches!(all, [Objection::PathLength { found: 0, .. }])),
        ("the old key", vec![old.certificate().clone()], |all| matches!(all, [Objection::SameKey, ..])),
        ("a leaf", vec![server], |all| all.iter().any(|one| matches!(one, Objection::Unusable(_)))),
        ("no key identifier", vec![without_id], |all| matches!(all, [Objection::NoKeyId])),
        ("no CRLs", with(|one| one.key_usage = KeyUsage::KEY_CERT_SIGN), |all| matches!(all, [Objection::KeyUsage])),
        ("not yet", with(|one| one.not_before = NOW + Duration::hours(1)), |all| {
            matches!(all, [Objection::NotYetValid(_)])
        }),
        ("too short", with(|one| one.not_after = NOW + Duration::hours(2)), |all| {
            matches!(all, [Objection::Ends { .. }])
        }),
        (
            "other names",
            with(|one| one.permitted = vec![Subtree::Dns("example.org".into())]),
            |all| matches!(all, [Objection::Forbidden(id, _)] if id == "apiserver"),
        ),
    ];
    for (name, file, expected) in cases {
        let found = judge(&file, &[old.certificate().clone()], &leaves, Waits::of(None), NOW);
        assert!(expected(&found), "{name}: {found:?}");
    }
}

#[test]
fn one_name_needs_key_identifiers() {
    let old = issuer("kubernetes");
    let (id, leaf) = leaf(&old);
    let bare = Certificate { authority_key_id: None, ..leaf.clone() };
    let without_id = Certificate { subject_key_id: None, ..old.certificate().clone() };
    let next = made(&authority("kubernetes"));
    for (old, leaf, expected) in [
        (old.certificate().clone(), leaf.clone(), None),
        (old.certificate().clone(), bare, Some(NotReady::LeavesWithoutKeyId(vec![id.clone()]))),
        (without_id, leaf, Some(NotReady::NoKeyId)),
    ] {
        let leaves = [(id.clone(), leaf)];
        let found = judge(std::slice::from_ref(&next), std::slice::from_ref(&old), &leaves, Waits::of(None), NOW);
        let expected: Vec<Objection> = expected.into_iter().map(Objection::SameName).collect();
        assert_eq!(found, expected);
        assert_eq!(keeps_subject(&old, &leaves).is_ok(), expected.is_empty());
    }
}
