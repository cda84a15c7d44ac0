use super::*;
use crate::blueprint::{Algorithm, Blueprint, Name, Role, San, Subtree};
use crate::ca::{Issuer, PrivateKey, issue, self_sign, sign_crl};
use crate::encoding::{name, tlv};
use crate::revocation::{CrlIssue, Number, RevocationList};
use crate::x509::Wanted;
use crate::x509::name_constraints::ForbiddenName;
use crate::x509::policies::PolicyError;
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

fn root_of(wanted: &Blueprint) -> Issuer {
    let key = key();
    Issuer::new(vec![self_sign(wanted, &key).unwrap().certificate], key).unwrap()
}

fn root(path_len: Option<u8>) -> Issuer {
    root_of(&blueprint("root", authority(path_len)))
}

fn below(issuer: &Issuer, name: &str) -> Issuer {
    let key = key();
    let signed = issue(&blueprint(name, authority(None)), &key.spki_der(), issuer).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

fn leaf(issuer: &Issuer) -> Certificate {
    issue(&blueprint("leaf", Role::EndEntity), &key().spki_der(), issuer).unwrap().certificate
}

/// The key of an issuer under a certificate that says something else.
fn as_if(issuer: &Issuer, certificate: Certificate) -> Issuer {
    Issuer::new(vec![certificate], PrivateKey::from_pem(issuer.key().to_pem().as_bytes()).unwrap()).unwrap()
}

fn input<'a>(anchors: &'a [Certificate], intermediates: &'a [Certificate]) -> ValidationInput<'a> {
    let (links, dates) = (Links::Rfc5280, Dates::All);
    let policies = PolicyInput::default();
    ValidationInput { anchors, intermediates, at: AT, links, dates, policies, revocation: None }
}

/// Where the path breaks, and how.
fn broken(answer: Result<Path<'_>, PathError>) -> (Part, usize, Violation) {
    match answer {
        Err(PathError::Invalid { part, depth, violation, .. }) => (part, depth, violation),
        other => panic!("{other:?}"),
    }
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
    assert_eq!((path.certificates, path.anchor), (vec![root.certificate(), middle.certificate(), &leaf], 0));
    let no_path = PathError::NoPath { issuer: Name::of("middle", &[]) };
    assert_eq!(validate(&leaf, ValidationInput { intermediates: &[], ..input }), Err(no_path.clone()));
    assert_eq!(validate(&leaf, ValidationInput { anchors: &pool[..1], ..input }), Err(no_path));
    let after = AT + Duration::days(30);
    // Both ends of a validity belong to it.
    assert!(validate(&leaf, ValidationInput { at: after, ..input }).is_ok());
    let late = ValidationInput { at: after + Duration::SECOND, ..input };
    let expired = Violation::Expired { not_after: after };
    assert_eq!(broken(validate(&leaf, late)), (Part::Anchor, 0, expired.clone()), "an anchor's dates count");
    let late = ValidationInput { dates: Dates::Intermediates, ..late };
    assert_eq!(broken(validate(&leaf, late)), (Part::Intermediate, 1, expired));
    let early = ValidationInput { at: AT - Duration::DAY, ..input };
    assert_eq!(broken(validate(&leaf, early)), (Part::Anchor, 0, Violation::NotYetValid { not_before: AT }));
    // The name of the anchor, another key.
    let impostor = [root_of(&blueprint("root", authority(None))).certificate().clone()];
    let wrong = broken(validate(&leaf, ValidationInput { anchors: &impostor, ..input }));
    assert_eq!(wrong, (Part::Intermediate, 1, Violation::Signature(VerifyError::Signature)));
    // Beside the impostor the right one is found.
    let both = [impostor[0].clone(), anchors[0].clone()];
    assert_eq!(validate(&leaf, ValidationInput { anchors: &both, ..input }).unwrap().anchor, 1);
    let middle = &pool[1];
    for (change, violation) in [
        (Certificate { is_ca: false, ..middle.clone() }, Violation::NotAuthority),
        (Certificate { key_usage: Some(KeyUsage::CRL_SIGN), ..middle.clone() }, Violation::NoKeyCertSign),
        (
            Certificate { extensions: vec![(Oid::new("2.5.29.36"), false)], ..middle.clone() },
            Violation::Policy(PolicyError::Malformed(Oid::new("2.5.29.36"))),
        ),
        (
            Certificate { unknown_critical: vec![Oid::new("1.2.3")], ..middle.clone() },
            Violation::UnknownCritical(Oid::new("1.2.3")),
        ),
        (
            Certificate { name_constraints: Some(vec![0x30, 1]), ..middle.clone() },
            Violation::Unevaluated(Oid::new("2.5.29.30")),
        ),
    ] {
        let pool = [change];
        let answer = validate(&leaf, ValidationInput { intermediates: &pool, ..input });
        assert_eq!(broken(answer), (Part::Intermediate, 1, violation));
    }
    let critical = Certificate { unknown_critical: vec![Oid::new("1.2.3")], ..leaf.clone() };
    assert_eq!(broken(validate(&critical, input)), (Part::Leaf, 2, Violation::UnknownCritical(Oid::new("1.2.3"))));
    let no_authority = [Certificate { is_ca: false, ..anchors[0].clone() }];
    let answer = validate(&leaf, ValidationInput { anchors: &no_authority, ..input });
    assert_eq!(broken(answer), (Part::Anchor, 0, Violation::NotAuthority));
}

/// A file that pretends to hang below an expired intermediate was not signed by it: only then an expiry is what is wrong.
#[test]
fn signatures_come_before_dates() {
    let root = root(None);
    let middle = below(&root, "middle");
    let foreign = below(&root_of(&blueprint("root", authority(None))), "middle");
    let anchors = [root.certificate().clone()];
    let pool = [middle.certificate().clone()];
    let late = ValidationInput { at: AT + Duration::days(31), ..input(&anchors, &pool) };
    let forged = leaf(&foreign);
    assert_eq!(broken(validate(&forged, late)), (Part::Leaf, 2, Violation::Signature(VerifyError::Signature)));
    // Of two broken paths the one that breaks later is reported.
    let pool = [foreign.certificate().clone(), middle.certificate().clone()];
    let late = ValidationInput { intermediates: &pool, dates: Dates::Intermediates, ..late };
    let genuine = leaf(&middle);
    let answer = validate(&genuine, late);
    assert!(answer.clone().is_err_and(|why| why.is_about_dates()));
    assert!(matches!(broken(answer), (Part::Intermediate, 1, Violation::Expired { .. })));
    assert!(validate(&forged, late).is_err_and(|why| !why.is_about_dates()));
    assert!(matches!(broken(validate(&forged, late)), (_, _, Violation::Signature(_))));
}

#[test]
fn the_dates_of_both_ends_are_judged_elsewhere() {
    let root = root(None);
    let anchors = [Certificate { not_after: AT - Duration::DAY, ..root.certificate().clone() }];
    let ended = Certificate { not_after: AT - Duration::DAY, ..leaf(&root) };
    assert!(judge(&ended, &[], &anchors, AT).is_ok());
    let early = Violation::NotYetValid { not_before: AT };
    let middle = below(&root, "middle");
    let pool = [middle.certificate().clone()];
    let leaf = leaf(&middle);
    let answer = judge(&leaf, &pool, &anchors, AT - Duration::SECOND);
    assert!(answer.clone().is_err_and(|why| why.is_about_dates()));
    assert_eq!(broken(answer), (Part::Intermediate, 1, early));
}

/// The first of several that are wrong alike.
#[test]
fn the_first_anchor_of_the_name_is_named() {
    let anchors = [root(None), root(None)].map(|issuer| issuer.certificate().clone());
    let answer = broken(judge(&leaf(&root(None)), &[], &anchors, AT));
    let (Part::Leaf, 1, Violation::Signature(VerifyError::KeyIdentifier { wanted, .. })) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(Some(wanted), anchors[0].subject_key_id);
}

#[test]
fn a_path_may_be_so_long_and_no_longer() {
    let root = root(None);
    let anchors = [root.certificate().clone()];
    let (mut last, mut pool) = (root, Vec::new());
    for number in 1..=DEPTH + 1 {
        last = below(&last, &format!("middle {number}"));
        pool.push(last.certificate().clone());
        assert_eq!(validate(&leaf(&last), input(&anchors, &pool)).is_ok(), number <= DEPTH, "{number}");
    }
}

#[test]
fn the_first_anchor_that_a_path_leads_to_is_taken() {
    let (new, old) = (root(None), root(None));
    let middle = below(&new, "root");
    let leaf = leaf(&old);
    let cross = Certificate {
        ..issue(&blueprint("root", authority(None)), &old.certificate().spki_der, &new).unwrap().certificate
    };
    let anchors = [new.certificate().clone(), old.certificate().clone()];
    assert_eq!(judge(&leaf, &[], &anchors, AT).map(|path| path.anchor), Ok(1));
    assert_eq!(judge(&leaf, &[cross, middle.certificate().clone()], &anchors, AT).map(|path| path.anchor), Ok(0));
}

#[test]
fn links_are_exact_where_go_wants_them_so() {
    let root = root(None);
    let leaf = leaf(&root);
    let anchors = [root.certificate().clone()];
    let loud = root_of(&blueprint("ROOT", authority(None)));
    let loud =
        [Certificate { spki_der: anchors[0].spki_der.clone(), subject_key_id: None, ..loud.certificate().clone() }];
    assert!(validate(&leaf, input(&loud, &[])).is_ok());
    assert!(matches!(
        broken(judge(&leaf, &[], &loud, AT)),
        (Part::Leaf, 1, Violation::Signature(VerifyError::Name { .. }))
    ));
    let other_id = [Certificate { subject_key_id: Some(vec![1]), ..anchors[0].clone() }];
    assert!(validate(&leaf, input(&other_id, &[])).is_ok());
    let answer = judge(&leaf, &[], &other_id, AT);
    let error = answer.clone().unwrap_err();
    assert!(matches!(broken(answer), (Part::Leaf, 1, Violation::Signature(VerifyError::KeyIdentifier { .. }))));
    assert!(std::error::Error::source(&error).is_some_and(|why| why.is::<Violation>()));
    assert_eq!(error.to_string(), format!("certificate `CN=leaf`: {}", std::error::Error::source(&error).unwrap()));
    let nobody = PathError::NoPath { issuer: Name::of("root", &[]) };
    assert!(std::error::Error::source(&nobody).is_none());
    assert_eq!(nobody.to_string(), "expected an issuer that leads to a trusted authority, found `CN=root`");
}

#[test]
fn an_anchors_path_length_counts() {
    let root = root(Some(0));
    let free = as_if(&root, Certificate { path_len: None, ..root.certificate().clone() });
    let middle = below(&free, "middle");
    let pool = [middle.certificate().clone()];
    let leaf = leaf(&middle);
    for (allowed, answer) in [
        (
            0,
            Err(PathError::Invalid {
                part: Part::Intermediate,
                depth: 1,
                subject: Name::of("middle", &[]),
                violation: Violation::PathLength,
            }),
        ),
        (1, Ok(0)),
    ] {
        let anchors = [Certificate { path_len: Some(allowed), ..root.certificate().clone() }];
        assert_eq!(validate(&leaf, input(&anchors, &pool)).map(|path| path.anchor), answer);
    }
}

/// Self-issued intermediates do not count (RFC 5280 section 6.1.4 (l)), and what an intermediate allows counts below it.
#[test]
fn path_lengths_count_downwards() {
    let root = root(None);
    let first = below(&root, "first");
    let again = below(&first, "first");
    let second = below(&again, "second");
    let limit = |issuer: &Issuer, path_len| Certificate { path_len, ..issuer.certificate().clone() };
    let anchors = [root.certificate().clone()];
    let leaf = leaf(&second);
    for (allowed, valid) in
        [((None, None), true), ((Some(1), None), true), ((Some(0), None), false), ((Some(5), Some(0)), false)]
    {
        let pool = [limit(&first, allowed.0), limit(&again, allowed.1), second.certificate().clone()];
        let answer = validate(&leaf, input(&anchors, &pool));
        match valid {
            true => assert_eq!(answer.unwrap().certificates.len(), 5),
            false => assert_eq!(broken(answer), (Part::Intermediate, 3, Violation::PathLength), "{allowed:?}"),
        }
    }
}

#[test]
fn name_constraints_of_every_authority_count() {
    let permitted = vec![Subtree::Dns("example.com".into())];
    let root = root_of(&Blueprint { permitted, ..blueprint("root", authority(None)) });
    let middle = below(&root, "middle");
    let named = |issuer: &Issuer, name: &str| {
        let wanted = Blueprint { sans: vec![San::Dns(name.into())], ..blueprint("leaf", Role::EndEntity) };
        issue(&wanted, &key().spki_der(), issuer).unwrap().certificate
    };
    let anchors = [root.certificate().clone()];
    let san = |name: &str| Violation::Forbidden(ForbiddenName::San(San::Dns(name.into())));
    let pool = [middle.certificate().clone()];
    assert!(validate(&named(&root, "a.example.com"), input(&anchors, &[])).is_ok());
    assert!(validate(&named(&middle, "a.example.com"), input(&anchors, &pool)).is_ok());
    let wrong = named(&root, "example.org");
    assert_eq!(broken(validate(&wrong, input(&anchors, &[]))), (Part::Leaf, 1, san("example.org")));
    let wrong = named(&middle, "example.org");
    assert_eq!(broken(validate(&wrong, input(&anchors, &pool))), (Part::Leaf, 2, san("example.org")));
    // A name of an intermediate counts, but for a self-issued one; those of a leaf always do.
    let stray = vec![San::Dns("example.org".into())];
    let good = named(&middle, "a.example.com");
    let named_middle = [Certificate { sans: stray.clone(), ..pool[0].clone() }];
    assert_eq!(broken(validate(&good, input(&anchors, &named_middle))), (Part::Intermediate, 1, san("example.org")));
    let again = below(&root, "root");
    let self_issued = [Certificate { sans: stray.clone(), ..again.certificate().clone() }];
    assert!(validate(&named(&again, "a.example.com"), input(&anchors, &self_issued)).is_ok());
    assert_eq!(broken(validate(&self_issued[0], input(&anchors, &[]))), (Part::Leaf, 1, san("example.org")));
    // A subject is a name as well, if there is one.
    let organization = name::write(&Name::default().with(&Oid::ORGANIZATION, &["Example"])).unwrap();
    let subtree = tlv::sequence(&[tlv::write(0xa4, &organization)]);
    let name_constraints = Some(tlv::sequence(&[tlv::write(0xa0, &subtree)]));
    let narrow = [Certificate { name_constraints, ..anchors[0].clone() }];
    let plain = leaf(&root);
    let subject = Violation::Forbidden(ForbiddenName::Subject);
    assert_eq!(broken(validate(&plain, input(&narrow, &[]))), (Part::Leaf, 1, subject));
    // A mailbox in a subject counts as well, whatever else is named.
    let subtree = tlv::sequence(&[tlv::write(0x81, b"example.com")]);
    let of_mail =
        [Certificate { name_constraints: Some(tlv::sequence(&[tlv::write(0xa0, &subtree)])), ..anchors[0].clone() }];
    let mailbox = |text: &str| Name::default().with(&Oid::new("1.2.840.113549.1.9.1"), &[text]);
    for (subject, sans, is_allowed) in [
        (mailbox("a@example.com"), vec![], true),
        (mailbox("a@example.org"), vec![], false),
        (mailbox("a@example.org"), vec![San::Email("a@example.com".into())], false),
        (mailbox("a@example.com"), vec![San::Email("b@example.com".into())], true),
    ] {
        let one = Certificate { subject, sans, ..plain.clone() };
        assert_eq!(validate(&one, input(&of_mail, &[])).is_ok(), is_allowed, "{}", one.subject);
    }
    let nameless = Certificate { subject: Name::default(), subject_der: tlv::sequence::<Vec<u8>>(&[]), ..plain };
    assert!(validate(&nameless, input(&narrow, &[])).is_ok());
    // Those of the certificate itself say nothing about it.
    let own = Certificate { name_constraints: root.certificate().name_constraints.clone(), sans: stray, ..leaf(&root) };
    let free = [Certificate { name_constraints: None, ..anchors[0].clone() }];
    assert!(validate(&own, input(&free, &[])).is_ok());
}

#[test]
fn without_a_crl_there_is_no_answer() {
    let root = root(None);
    let leaf = leaf(&root);
    let anchors = [root.certificate().clone()];
    let revocation = Some(Revocation { crls: &[], strictness: Strictness::Strict });
    let asked = ValidationInput { revocation, ..input(&anchors, &[]) };
    assert!(matches!(broken(validate(&leaf, asked)), (Part::Leaf, 1, Violation::Revocation(_))));
}

/// 6.3.3 (f): another key of the issuer's name signs CRLs only where it leads to the anchor of the certificate.
#[test]
fn a_crl_is_signed_below_the_same_anchor() {
    let (root, namesake) = (root(None), root(None));
    let leaf = leaf(&root);
    let anchors = [root.certificate().clone(), namesake.certificate().clone()];
    let wanted = Wanted::new([leaf.serial.as_slice()]);
    for (signer, is_good) in [(&root, true), (&namesake, false)] {
        let edition = CrlIssue { number: Number::from(1), this_update: AT, next_update: AT + Duration::DAY };
        let der = sign_crl(&RevocationList { edition, revoked: vec![] }, signer).unwrap().der;
        let crls = [(der.as_slice(), CrlLookup::read(&der, &wanted).unwrap())];
        let revocation = Some(Revocation { crls: &crls, strictness: Strictness::Strict });
        for anchors in [anchors.clone(), [anchors[1].clone(), anchors[0].clone()]] {
            let answer = validate(&leaf, ValidationInput { revocation, ..input(&anchors, &[]) });
            assert_eq!(answer.is_ok(), is_good, "{answer:?}");
        }
    }
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
    assert_eq!(validate(&leaf, input(&anchors, &pool)), Err(PathError::NoPath { issuer: Name::of("same", &[]) }));
}

#[test]
fn what_stands_above_an_anchor_in_its_file_restricts_what_is_below() {
    let plain = root(None);
    let restated = |blueprint: Blueprint| self_sign(&blueprint, plain.key()).unwrap().certificate;
    let permitted = vec![Subtree::Dns("corp.example".to_owned())];
    let limited = restated(Blueprint { permitted, ..blueprint("root", authority(None)) });
    let shallow = restated(blueprint("root", authority(Some(0))));
    let middle = below(&plain, "middle");
    for (root, is_wrong) in [(&limited, true), (&shallow, true), (plain.certificate(), false)] {
        let named = Blueprint { sans: vec![San::Dns("cp1".to_owned())], ..blueprint("leaf", Role::EndEntity) };
        let leaf = issue(&named, &key().spki_der(), &middle).unwrap().certificate;
        let file = [middle.certificate().clone(), root.clone()];
        let found = judge(&leaf, &[], &file, AT);
        assert_eq!(found.as_ref().err().is_some_and(PathError::is_about_rights), is_wrong, "{found:?}");
        // Signing by the whole file is refused alike.
        let whole =
            Issuer::new(file.to_vec(), PrivateKey::from_pem(middle.key().to_pem().as_bytes()).unwrap()).unwrap();
        assert_eq!(issue(&named, &key().spki_der(), &whole).is_err(), is_wrong);
        // Alone, beside another authority of the root's name, and after its end it is what it was.
        let other = self::root(Some(0));
        let beside = [middle.certificate().clone(), other.certificate().clone()];
        for anchors in [&file[..1], &beside] {
            assert_eq!(judge(&leaf, &[], anchors, AT).map(|path| path.anchor), Ok(0));
        }
        if !is_wrong {
            assert!(judge(&leaf, &[], &file, AT + Duration::days(31)).is_ok());
        }
    }
}
