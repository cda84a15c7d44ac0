use super::*;
use crate::blueprint::{Algorithm, Blueprint, Name, Role};
use crate::ca::{Issuer, PrivateKey, issue, self_sign};
use time::Duration;
use time::macros::datetime;

const AT: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

fn blueprint(name: &str, role: Role) -> Blueprint {
    Blueprint {
        subject: Name::of(name, &[]),
        not_before: AT,
        not_after: AT + Duration::days(30),
        role,
        key_usage: match role {
            Role::EndEntity => KeyUsage::DIGITAL_SIGNATURE,
            Role::Authority { .. } => KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
        },
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    }
}

fn authority(path_len: Option<u8>) -> Role {
    Role::Authority { path_len }
}

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

fn root(path_len: Option<u8>) -> Issuer {
    let key = key();
    Issuer::new(vec![self_sign(&blueprint("root", authority(path_len)), &key).unwrap().certificate], key).unwrap()
}

fn below(issuer: &Issuer, name: &str) -> Issuer {
    let key = key();
    let signed = issue(&blueprint(name, authority(None)), &key.spki_der(), issuer).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

fn leaf(issuer: &Issuer) -> Certificate {
    issue(&blueprint("leaf", Role::EndEntity), &key().spki_der(), issuer).unwrap().certificate
}

fn input<'a>(anchors: &'a [Certificate], intermediates: &'a [Certificate]) -> ValidationInput<'a> {
    ValidationInput { anchors, intermediates, lists: None, strictness: Strictness::Strict, at: AT }
}

#[test]
fn paths_are_found_and_held_against_everything() {
    let root = root(None);
    let middle = below(&root, "middle");
    let leaf = leaf(&middle);
    let anchors = [root.certificate().clone()];
    let pool = [below(&root, "beside").certificate().clone(), middle.certificate().clone()];
    let input = input(&anchors, &pool);
    let path = validate(&leaf, input).unwrap();
    assert_eq!(path, [root.certificate(), middle.certificate(), &leaf]);
    assert_eq!(validate(&leaf, ValidationInput { intermediates: &[], ..input }), Err(PathError::NoPath));
    assert_eq!(validate(&leaf, ValidationInput { anchors: &pool[..1], ..input }), Err(PathError::NoPath));
    let late = ValidationInput { at: AT + Duration::days(31), ..input };
    assert_eq!(validate(&leaf, late), Err(PathError::Expired { place: 0 }), "an anchor's dates count");
    let early = ValidationInput { at: AT - Duration::DAY, ..input };
    assert_eq!(validate(&leaf, early), Err(PathError::NotYetValid { place: 0 }));
    // The name of the anchor, another key.
    let impostor = [self_sign(&blueprint("root", authority(None)), &key()).unwrap().certificate];
    let wrong = validate(&leaf, ValidationInput { anchors: &impostor, ..input });
    assert_eq!(wrong, Err(PathError::Signature { place: 1, why: VerifyError::Signature }));
    // Beside the impostor the right one is found.
    let both = [impostor[0].clone(), anchors[0].clone()];
    assert!(validate(&leaf, ValidationInput { anchors: &both, ..input }).is_ok());
    for (change, error) in [
        (Certificate { is_ca: false, ..pool[1].clone() }, PathError::NoAuthority { place: 1 }),
        (
            Certificate { extensions: vec![(Oid::new("2.5.29.30"), false)], ..pool[1].clone() },
            PathError::Constraint { place: 1, oid: Oid::new("2.5.29.30") },
        ),
        (
            Certificate { unknown_critical: vec![Oid::new("1.2.3")], ..pool[1].clone() },
            PathError::UnknownCritical { place: 1, oid: Oid::new("1.2.3") },
        ),
    ] {
        assert_eq!(validate(&leaf, ValidationInput { intermediates: &[change], ..input }), Err(error));
    }
}

#[test]
fn an_anchors_path_length_counts() {
    let root = root(Some(0));
    let anchors = [Certificate { path_len: Some(0), ..root.certificate().clone() }];
    let free = Issuer::new(
        vec![Certificate { path_len: None, ..anchors[0].clone() }],
        PrivateKey::from_pem(root.key().to_pem().as_bytes()).unwrap(),
    )
    .unwrap();
    let middle = below(&free, "middle");
    let pool = [middle.certificate().clone()];
    let leaf = leaf(&middle);
    assert_eq!(validate(&leaf, input(&anchors, &pool)), Err(PathError::PathLength { place: 1 }));
}

#[test]
fn no_list_no_answer() {
    let root = root(None);
    let leaf = leaf(&root);
    let anchors = [root.certificate().clone()];
    let none: [(&[u8], CrlLookup<'_>); 0] = [];
    let asked = ValidationInput { lists: Some(&none), ..input(&anchors, &[]) };
    assert!(matches!(validate(&leaf, asked), Err(PathError::Revocation { place: 1, .. })));
}

/// Authorities that all have one name sign each other: a reader gives up in time.
#[test]
fn circles_end() {
    let root = root(None);
    let mut pool = Vec::new();
    let mut last = below(&root, "same");
    for _ in 0..14 {
        last = below(&last, "same");
        pool.push(last.certificate().clone());
    }
    let leaf = leaf(&last);
    let anchors = [below(&root, "elsewhere").certificate().clone()];
    assert_eq!(validate(&leaf, input(&anchors, &pool)), Err(PathError::NoPath));
}
