use super::*;
use crate::blueprint::Algorithm;
use crate::ca::{self, PrivateKey};
use crate::plan::names_policy::Field;
use crate::plan::renew::Names;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn dates() -> Dates {
    let signer = Bounds { not_before: NOW - Duration::days(1), not_after: NOW + Duration::days(3650) };
    Dates { now: NOW, validity: None, signer }
}

/// The cluster's authority, without a tree.
fn grant(
    request: &Request,
    terms: &Terms,
    authority: Option<&CaConstraints>,
    dates: Dates,
) -> Result<Grant, Vec<Declined>> {
    let policy = Policy { authority: CaId::Cluster, servers: ServerNames::new(None, []) };
    super::grant(request, terms, authority, dates, &policy)
}

fn means(value: &str, field: Field, subject: &str) -> Declined {
    let meaning = names_policy::meaning(CaId::Cluster, field, value).unwrap();
    Declined::Means(meaning, Grants::Subject(Some(subject.to_owned())))
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
        (
            request(&blueprint(Name::of("a\0b", &[]), vec![])),
            &stated,
            Declined::BadValue(subject::flaws(&Name::of("a\0b", &[])).remove(0)),
        ),
        (Request { spki_der: rsa_with_exponent(3), ..request(&plain) }, &stated, Declined::Exponent("3".into())),
        (Request { spki_der: rsa_with_exponent(3), ..request(&plain) }, &entry(), Declined::Exponent("3".into())),
        (
            request(&blueprint(Name::of("x", &["system:masters"]), vec![])),
            &stated,
            means("system:masters", Field::Organization, "O=system:masters,CN=x"),
        ),
        (
            request(&blueprint(Name::of("x", &["kubeadm:cluster-admins"]), vec![])),
            &stated,
            means("kubeadm:cluster-admins", Field::Organization, "O=kubeadm:cluster-admins,CN=x"),
        ),
        (
            request(&blueprint(Name::of("kubeadm:x", &["team"]), vec![])),
            &stated,
            means("kubeadm:x", Field::CommonName, "O=team,CN=kubeadm:x"),
        ),
        (
            request(&blueprint(Name::of("system:node:cp1", &[]), vec![])),
            &stated,
            means("system:node:cp1", Field::CommonName, "CN=system:node:cp1"),
        ),
        (request(&blueprint(Name::default(), vec![])), &Terms::Stated(Stated::default()), Declined::NoSubject),
    ] {
        assert_eq!(grant(&request, terms, None, dates()), Err(vec![declined]));
    }
    // An entry takes nothing from a request but its key.
    assert!(grant(&request(&many), &entry(), None, dates()).is_ok());
}

/// SubjectPublicKeyInfo with a modulus of 2048 bits.
fn rsa_with_exponent(exponent: u8) -> Vec<u8> {
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [
            &[tag][..],
            &if length[0] == 0 && length[1] < 0x80 { vec![length[1]] } else { vec![0x82, length[0], length[1]] },
            content,
        ]
        .concat()
    };
    let modulus = element(2, &[&[0, 0x80][..], &[1; 255]].concat());
    let key = element(0x30, &[modulus, element(2, &[exponent])].concat());
    let algorithm = element(0x30, &[element(6, crate::encoding::public_key::RSA_ENCRYPTION), vec![5, 0]].concat());
    element(0x30, &[algorithm, element(3, &[&[0][..], &key].concat())].concat())
}

#[test]
fn names_that_mean_something_have_to_be_stated() {
    let server = vec![ExtendedKeyUsage::ServerAuth];
    let asked =
        request(&blueprint(Name::of("web", &[]), vec![dns("kubernetes"), dns("web.example.com"), dns("localhost")]));
    let all = Stated { request_names: true, usages: server.clone(), ..Stated::default() };
    let declined = grant(&asked, &Terms::Stated(all.clone()), None, dates()).unwrap_err();
    let grants =
        |one: &Declined| matches!(one, Declined::Means(_, Grants::Names(names)) if names == "kubernetes,localhost");
    assert!(declined.len() == 2 && declined.iter().all(grants), "{declined:?}");
    let sans = vec![dns("kubernetes"), dns("localhost")];
    let given = grant(&asked, &Terms::Stated(Stated { sans, ..all.clone() }), None, dates()).unwrap();
    assert_eq!((given.blueprint.sans.len(), given.meanings.len()), (3, 2));
    // Nobody dials a client.
    let client = Stated { usages: vec![ExtendedKeyUsage::ClientAuth], ..all };
    assert!(grant(&asked, &Terms::Stated(client), None, dates()).unwrap().meanings.is_empty());
    let subject = Some(Name::of("x", &["system:masters"]));
    let stated = Stated { subject, usages: server, ..Stated::default() };
    let given = grant(&asked, &Terms::Stated(stated), None, dates()).unwrap();
    assert_eq!(given.meanings[0].value, "system:masters");
    // Below etcd's authority it is not the name that matters.
    let policy = Policy { authority: CaId::Etcd, servers: ServerNames::new(None, []) };
    let client = Stated { usages: vec![ExtendedKeyUsage::ClientAuth], ..Stated::default() };
    let at_etcd = |stated: &Stated| super::grant(&asked, &Terms::Stated(stated.clone()), None, dates(), &policy);
    assert!(matches!(at_etcd(&client).unwrap_err()[0], Declined::Means(..)));
    let named = Stated { subject: Some(Name::of("backup", &[])), ..client };
    assert_eq!(at_etcd(&named).unwrap().meanings.len(), 1);
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
