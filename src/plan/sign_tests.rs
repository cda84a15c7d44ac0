use super::*;
use crate::blueprint::Algorithm;
use crate::ca::{self, PrivateKey};
use crate::plan::renew::Names;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn dates() -> Dates {
    let signer = Bounds { not_before: NOW - Duration::days(1), not_after: NOW + Duration::days(3650) };
    Dates { now: NOW, validity: None, signer }
}

fn dns(name: &str) -> San {
    San::Dns(name.into())
}

fn blueprint(subject: Name, sans: Vec<San>) -> Blueprint {
    Blueprint {
        subject,
        not_before: NOW,
        not_after: NOW,
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth],
        sans,
        permitted: Vec::new(),
    }
}

fn request(blueprint: &Blueprint) -> Request {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    ca::request(blueprint, &key).unwrap().request
}

fn entry() -> Terms {
    Terms::Entry(Box::new(CsrTemplate {
        algorithm: Algorithm::Rsa2048,
        blueprint: blueprint(Name::of("kube-apiserver", &[]), vec![dns("kubernetes"), dns("cp1")]),
        names: Names::default(),
        lifetime: Duration::days(90),
        old: None,
        access: None,
    }))
}

#[test]
fn an_entry_is_what_it_is_whatever_is_asked() {
    let asked = Blueprint {
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN),
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
        ..blueprint(Name::of("kube-apiserver", &["system:masters"]), vec![dns("cp1"), dns("evil.example.com")])
    };
    let grant = grant(&request(&asked), &entry(), None, dates()).unwrap();
    assert_eq!(grant.blueprint.subject, Name::of("kube-apiserver", &[]));
    assert_eq!(grant.blueprint.sans, [dns("kubernetes"), dns("cp1")]);
    assert_eq!(grant.blueprint.role, Role::EndEntity);
    assert_eq!(grant.blueprint.extended_key_usages, [ExtendedKeyUsage::ServerAuth]);
    assert_eq!(grant.blueprint.not_after, NOW + Duration::days(90));
    assert_eq!(grant.added, [dns("kubernetes")]);
    assert_eq!(
        grant.refused,
        [
            DeniedAttribute::Authority,
            DeniedAttribute::Subject(asked.subject),
            DeniedAttribute::Name(dns("evil.example.com")),
            DeniedAttribute::Usage(ExtendedKeyUsage::ClientAuth),
            DeniedAttribute::KeyUsage("keyCertSign"),
        ]
    );
}

#[test]
fn only_what_was_stated_is_granted() {
    let asked = request(&blueprint(Name::of("web", &["team"]), vec![dns("a.example.com"), dns("b.example.com")]));
    let stated =
        Stated { usages: vec![ExtendedKeyUsage::ServerAuth], sans: vec![dns("a.example.com")], ..Stated::default() };
    let given = grant(&asked, &Terms::Stated(stated.clone()), None, dates()).unwrap();
    assert_eq!(
        (given.blueprint.sans, given.refused),
        (vec![dns("a.example.com")], vec![DeniedAttribute::Name(dns("b.example.com"))])
    );
    let all = Stated { request_names: true, ..stated.clone() };
    let given = grant(&asked, &Terms::Stated(all), None, dates()).unwrap();
    assert_eq!((given.blueprint.sans.len(), given.refused), (2, vec![]));
    let subject = Some(Name::of("other", &[]));
    let given = grant(&asked, &Terms::Stated(Stated { subject, ..stated.clone() }), None, dates()).unwrap();
    assert!(given.refused.contains(&DeniedAttribute::Subject(Name::of("web", &["team"]))));
    let long = Dates { validity: Some(Duration::days(9999)), ..dates() };
    let given = grant(&asked, &Terms::Stated(stated.clone()), None, long).unwrap();
    assert_eq!((given.blueprint.not_after, given.shortened.is_some()), (long.signer.not_after, true));
    let authority = CaConstraints { path_len: Some(0), permitted: vec![Subtree::Dns("example.com".into())] };
    let given = grant(&asked, &Terms::Stated(stated), Some(&authority), dates()).unwrap();
    assert_eq!(given.blueprint.role, Role::Authority { path_len: Some(0) });
    assert!(
        given.blueprint.key_usage.contains(KeyUsage::KEY_CERT_SIGN) && given.blueprint.extended_key_usages.is_empty()
    );
    assert_eq!(given.blueprint.permitted, authority.permitted);
}

/// What the flags leave open is the profile's to say, which the entry's blueprint does.
#[test]
fn an_authority_gets_the_limits_of_its_entry() {
    let limits = |path_len, permitted: &[&str]| {
        (Role::Authority { path_len }, permitted.iter().map(|name| Subtree::Dns((*name).into())).collect::<Vec<_>>())
    };
    let nobody = DeniedAttribute::Extension(Oid::new("2.5.29.30"));
    for (profile, path_len, flags, given, refused) in [
        (limits(None, &[]), None, &[][..], limits(Some(0), &[]), vec![]),
        (limits(Some(2), &["a", ".b"]), None, &[], limits(Some(2), &["a", ".b"]), vec![]),
        (limits(Some(2), &["a", ".b"]), Some(1), &["c"], limits(Some(1), &["c"]), vec![nobody]),
    ] {
        let (role, permitted) = profile;
        let wanted = Blueprint { role, permitted, ..blueprint(Name::of("kubernetes", &[]), vec![]) };
        let wanted = Blueprint { extended_key_usages: vec![], key_usage: KeyUsage::KEY_CERT_SIGN, ..wanted };
        let Terms::Entry(ask) = entry() else { panic!() };
        let terms = Terms::Entry(Box::new(CsrTemplate { blueprint: wanted.clone(), ..*ask }));
        let authority = CaConstraints { path_len, permitted: limits(None, flags).1 };
        let got = grant(&request(&wanted), &terms, Some(&authority), dates()).unwrap();
        assert_eq!((got.blueprint.role, got.blueprint.permitted), given);
        assert_eq!(got.refused, refused);
    }
}

#[test]
fn some_requests_are_not_signed_at_all() {
    let plain = blueprint(Name::of("web", &[]), vec![dns("a.example.com")]);
    let stated = Terms::Stated(Stated { request_names: true, ..Stated::default() });
    let broken = Request { signature_valid: Some(false), ..request(&plain) };
    let unknown = Request { signature_valid: None, ..request(&plain) };
    let weak = KeyKind::Other(crate::x509::OtherKey::Rsa { bits: 1024 });
    let many = Blueprint { sans: (0..1000).map(|i| dns(&format!("n{i}"))).collect(), ..plain.clone() };
    for (request, terms, declined) in [
        (broken.clone(), &stated, Declined::Signature),
        (broken, &entry(), Declined::Signature),
        (unknown.clone(), &stated, Declined::UnknownSignature(unknown.signature_algorithm)),
        (Request { key: weak.clone(), signature_valid: None, ..request(&plain) }, &stated, Declined::Key(weak)),
        (request(&many), &stated, Declined::TooManyNames(1000)),
        (request(&Blueprint { sans: vec![dns("a\0b")], ..plain.clone() }), &stated, Declined::BadName("a\0b".into())),
        (request(&blueprint(Name::of("a\0b", &[]), vec![])), &stated, Declined::BadName("a\0b".into())),
        (
            request(&blueprint(Name::of("x", &["system:masters"]), vec![])),
            &stated,
            Declined::Privileged("system:masters".into()),
        ),
        (
            request(&blueprint(Name::of("x", &["kubeadm:cluster-admins"]), vec![])),
            &stated,
            Declined::Privileged("kubeadm:cluster-admins".into()),
        ),
        (
            request(&blueprint(Name::of("kubeadm:x", &["team"]), vec![])),
            &stated,
            Declined::Privileged("kubeadm:x".into()),
        ),
        (
            request(&blueprint(Name::of("system:node:cp1", &[]), vec![])),
            &stated,
            Declined::Privileged("system:node:cp1".into()),
        ),
        (request(&blueprint(Name::default(), vec![])), &Terms::Stated(Stated::default()), Declined::NoSubject),
    ] {
        assert_eq!(grant(&request, terms, None, dates()), Err(vec![declined]));
    }
    // An entry takes nothing from a request but its key.
    assert!(grant(&request(&many), &entry(), None, dates()).is_ok());
}

#[test]
fn subjects_as_people_write_them() {
    assert_eq!(subject("O=b,O=a,CN=x"), Ok(Name::of("x", &["a", "b"])));
    assert_eq!(subject("cn=a\\,b").unwrap().to_string(), "CN=a,b");
    let name = Name::default().with(&Oid::COMMON_NAME, &["a\\"]).with(&Oid::ORGANIZATION, &["b"]);
    assert_eq!(subject("CN=a\\\\,O=b"), Ok(name));
    for wrong in ["", "CN", "X=1", "CN=", "CN=a\0b", "CN=a,,"] {
        assert!(subject(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_limits_themselves_are_granted() {
    let usages = vec![ExtendedKeyUsage::ServerAuth];
    let stated = Terms::Stated(Stated { request_names: true, usages, ..Stated::default() });
    let names = |count| request(&blueprint(Name::of("web", &[]), (0..count).map(|i| dns(&format!("n{i}"))).collect()));
    let given = grant(&names(MOST_NAMES), &stated, None, dates()).unwrap();
    assert_eq!((given.blueprint.sans.len(), given.refused, given.added), (MOST_NAMES, vec![], vec![]));
    let declined = vec![Declined::TooManyNames(MOST_NAMES + 1)];
    assert_eq!(grant(&names(MOST_NAMES + 1), &stated, None, dates()), Err(declined));
    // A year where nobody states another; the back-date where the signer is old enough.
    assert_eq!(given.blueprint.not_before, NOW - BACK_DATE);
    assert_eq!((given.blueprint.not_after, given.shortened), (NOW + Duration::days(365), None));
    let end = NOW + Duration::DAY;
    for (validity, shortened) in [(Duration::DAY, None), (Duration::DAY * 2, Some(end + Duration::DAY))] {
        let signer = Bounds { not_before: NOW, not_after: end };
        let given = grant(&names(1), &stated, None, Dates { now: NOW, validity: Some(validity), signer }).unwrap();
        let found = (given.blueprint.not_before, given.blueprint.not_after, given.shortened);
        assert_eq!(found, (NOW, end, shortened));
    }
}

#[test]
fn without_a_subject_there_must_be_names() {
    let nobody = request(&blueprint(Name::default(), vec![dns("a.example.com")]));
    for (sans, request_names, is_granted) in
        [(vec![], false, false), (vec![dns("b.example.com")], false, true), (vec![], true, true)]
    {
        let terms = Terms::Stated(Stated { sans, request_names, ..Stated::default() });
        assert_eq!(grant(&nobody, &terms, None, dates()).is_ok(), is_granted);
    }
}

#[test]
fn only_rsa_enciphers_keys_and_only_what_is_dialled_is_granted() {
    let mail = San::Email("a@example.com".into());
    let asked = request(&blueprint(Name::of("web", &[]), vec![dns("a.example.com"), mail.clone()]));
    let terms = Terms::Stated(Stated { request_names: true, ..Stated::default() });
    for (algorithm, key_usage) in [
        (Algorithm::EcdsaP256, KeyUsage::DIGITAL_SIGNATURE),
        (Algorithm::Rsa2048, KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT)),
    ] {
        let given = grant(&Request { key: KeyKind::Known(algorithm), ..asked.clone() }, &terms, None, dates()).unwrap();
        assert_eq!((given.blueprint.key_usage, given.blueprint.sans), (key_usage, vec![dns("a.example.com")]));
        assert!(given.refused.contains(&DeniedAttribute::Name(mail.clone())));
    }
}
