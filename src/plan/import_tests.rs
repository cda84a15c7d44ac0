use super::*;
use crate::blueprint::{Algorithm, KeyUsage, Name, Role};
use crate::ca::{self, PrivateKey};
use time::Duration;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn blueprint(name: &str, role: Role) -> Blueprint {
    let usage = match role {
        Role::EndEntity => KeyUsage::DIGITAL_SIGNATURE,
        Role::Authority { .. } => KeyUsage::KEY_CERT_SIGN.and(KeyUsage::DIGITAL_SIGNATURE),
    };
    Blueprint {
        subject: Name::of(name, &[]),
        not_before: NOW - Duration::hours(1),
        not_after: NOW + Duration::days(365),
        role,
        key_usage: usage,
        extended_key_usages: if role == Role::EndEntity { vec![ExtendedKeyUsage::ServerAuth] } else { vec![] },
        sans: vec![San::Dns("a.example.com".into())],
        permitted: Vec::new(),
    }
}

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

fn authority(name: &str) -> Issuer {
    let key = key();
    let signed = ca::self_sign(&blueprint(name, Role::Authority { path_len: None }), &key).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

fn below(name: &str, above: &Issuer) -> Issuer {
    let key = key();
    let wanted = blueprint(name, Role::Authority { path_len: Some(0) });
    let signed = ca::issue(&wanted, &key.spki_der(), above).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

fn leaf(wanted: &Blueprint, issuer: &Issuer) -> Certificate {
    ca::issue(wanted, &key().spki_der(), issuer).unwrap().certificate
}

#[test]
fn what_is_asked_for_is_what_is_accepted() {
    let root = authority("kubernetes");
    let middle = below("middle", &root);
    let wanted = blueprint("x", Role::EndEntity);
    let more = Blueprint { sans: [wanted.sans.clone(), vec![San::Dns("b".into())]].concat(), ..wanted.clone() };
    let other_name = Blueprint { subject: Name::of("x", &["system:masters"]), ..wanted.clone() };
    let late = Blueprint { not_before: NOW + Duration::hours(1), ..wanted.clone() };
    let ended = Blueprint { not_after: NOW - Duration::minutes(1), ..wanted.clone() };
    let client = Blueprint { extended_key_usages: vec![ExtendedKeyUsage::ClientAuth], ..wanted.clone() };
    let both = vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth];
    let both = Blueprint { extended_key_usages: both, ..wanted.clone() };
    let bare = Blueprint { sans: vec![], ..wanted.clone() };
    let middles = [middle.certificate().clone()];
    type Expects = fn(&Verdict) -> bool;
    let cases: [(&str, Certificate, &[Certificate], Expects); 11] = [
        ("as asked", leaf(&wanted, &root), &[], |v| *v == Verdict::default()),
        ("through an intermediate", leaf(&wanted, &middle), &middles, |v| *v == Verdict::default()),
        ("without it", leaf(&wanted, &middle), &[], |v| {
            matches!(
                v.objections.as_slice(),
                [Objection::Path(Anchors::Authority(CaId::Cluster), PathError::NoPath { .. })]
            )
        }),
        ("by another", leaf(&wanted, &authority("kubernetes")), &[], |v| {
            matches!(v.objections.as_slice(), [Objection::Path(..)])
        }),
        ("more names", leaf(&more, &root), &[], |v| v.objections.is_empty() && v.surplus == ["b"]),
        ("more usages", leaf(&both, &root), &[], |v| v.objections.is_empty() && v.surplus == ["clientAuth"]),
        ("a group", leaf(&other_name, &root), &[], |v| {
            matches!(v.objections.as_slice(), [Objection::Certificate(Mismatch::Subject { .. })])
        }),
        ("not yet", leaf(&late, &root), &[], |v| matches!(v.objections.as_slice(), [Objection::NotYetValid(_)])),
        ("ended", leaf(&ended, &root), &[], |v| matches!(v.objections.as_slice(), [Objection::Expired(_)])),
        ("another usage", leaf(&client, &root), &[], |v| {
            matches!(v.objections.as_slice(), [Objection::Certificate(Mismatch::MissingExtendedKeyUsage(_))])
        }),
        (
            "fewer names",
            leaf(&bare, &root),
            &[],
            |v| matches!(v.objections.as_slice(), [Objection::MissingNames(names)] if names.len() == 1),
        ),
    ];
    let trusted = [root.certificate().clone()];
    let anchors = Anchors::Authority(CaId::Cluster);
    let expected = Expected { blueprint: &wanted, dispensable: &[], anchors, trusted: &trusted, issued: &[], now: NOW };
    for (what, leaf, rest, expects) in cases {
        let verdict = judge(&leaf, rest, &expected);
        assert!(expects(&verdict), "{what}: {verdict:?}");
    }
    let lenient = Expected { dispensable: &wanted.sans, ..expected };
    let verdict = judge(&leaf(&bare, &root), &[], &lenient);
    assert!(verdict.objections.is_empty() && verdict.lost == wanted.sans, "{verdict:?}");
    let nobody = Expected { trusted: &[], ..lenient };
    let objections = judge(&leaf(&wanted, &root), &[], &nobody).objections;
    assert_eq!(objections, [Objection::AuthorityMissing(CaId::Cluster)]);
    let kept = kept_chain(&[middle.certificate().clone(), root.certificate().clone()], &[root.certificate().clone()]);
    assert_eq!(kept, middles);
}

/// To the second.
#[test]
fn what_begins_within_the_skew_of_clocks_is_judged_as_of_its_beginning() {
    let root = authority("kubernetes");
    let trusted = [root.certificate().clone()];
    let (skew, second) = (Duration::minutes(5), Duration::SECOND);
    for (begins, as_of, is_early) in [
        (NOW - second, NOW, false),
        (NOW, NOW, false),
        (NOW + second, NOW + second, false),
        (NOW + skew, NOW + skew, false),
        (NOW + skew + second, NOW, true),
        (NOW + Duration::days(1), NOW, true),
    ] {
        let wanted = Blueprint { not_before: begins, ..blueprint("x", Role::EndEntity) };
        let leaf = leaf(&wanted, &root);
        let now = instant(&leaf, NOW);
        assert_eq!(now, as_of, "{begins}");
        let anchors = Anchors::Authority(CaId::Cluster);
        let expected = Expected { blueprint: &wanted, dispensable: &[], anchors, trusted: &trusted, issued: &[], now };
        let objections = judge(&leaf, &[], &expected).objections;
        assert_eq!(objections, Vec::from_iter(is_early.then_some(Objection::NotYetValid(begins))), "{begins}");
    }
}

#[test]
fn an_external_authority_decides_the_subject_and_any_of_the_roots_will_do() {
    let (other, root) = (authority("other"), authority("root"));
    let middle = below("middle", &root);
    let wanted = blueprint("x", Role::EndEntity);
    let renamed = Blueprint { subject: Name::of("", &[]), ..wanted.clone() };
    let (roots, middles) = ([other.certificate().clone(), root.certificate().clone()], [middle.certificate().clone()]);
    let anchors = Anchors::Roots("roots.pem".to_owned());
    let expected = Expected { blueprint: &wanted, dispensable: &[], anchors, trusted: &roots, issued: &[], now: NOW };
    let other_subject = Some(renamed.subject.clone());
    let verdict = judge(&leaf(&renamed, &middle), &middles, &expected);
    assert_eq!(verdict, Verdict { other_subject, ..Verdict::default() });
    for trusted in [&roots[..1], &[]] {
        let expected = Expected { trusted, anchors: expected.anchors.clone(), ..expected };
        let objections = judge(&leaf(&wanted, &middle), &middles, &expected).objections;
        assert!(matches!(objections.as_slice(), [Objection::Path(Anchors::Roots(_), _)]), "{objections:?}");
    }
    let bare = Blueprint { sans: vec![], ..wanted.clone() };
    let objections = judge(&leaf(&bare, &middle), &middles, &expected).objections;
    assert!(matches!(objections.as_slice(), [Objection::MissingNames(_)]), "{objections:?}");
}

#[test]
fn an_authority_comes_before_what_it_signs() {
    let root = authority("root");
    let middle = below("kubernetes", &root);
    let other = authority("kubernetes");
    let wanted = blueprint("kubernetes", Role::Authority { path_len: None });
    let leaves = |issuer: &Issuer| vec![("apiserver".to_owned(), leaf(&blueprint("x", Role::EndEntity), issuer))];
    let bundle = [middle.certificate().clone(), root.certificate().clone()];
    assert_eq!(judge_authority(&bundle, Some(&wanted), &leaves(&middle), NOW), []);
    let another = Objection::SignedByAnother(vec!["apiserver".to_owned()]);
    assert_eq!(judge_authority(&bundle, Some(&wanted), &leaves(&other), NOW), [another]);
    let objections = judge_authority(&[root.certificate().clone()], Some(&wanted), &[], NOW);
    assert!(matches!(objections.as_slice(), [Objection::Certificate(Mismatch::Subject { .. })]), "{objections:?}");
    let objections = judge_authority(&[bundle[0].clone(), other.certificate().clone()], None, &[], NOW);
    assert!(matches!(objections.as_slice(), [Objection::BrokenChain(_)]), "{objections:?}");
    let objections = judge_authority(&[leaf(&blueprint("x", Role::EndEntity), &root)], None, &[], NOW);
    assert_eq!(objections, [Objection::Unusable(CaError::NotAnAuthority)]);
    assert!(matches!(
        judge_authority(&bundle, None, &[], NOW + Duration::days(400)).as_slice(),
        [Objection::Expired(_)]
    ));
}

#[test]
fn a_certificate_that_no_crl_could_name_or_that_may_sign_is_refused() {
    let root = authority("kubernetes");
    let wanted = blueprint("x", Role::EndEntity);
    let signing = Blueprint { key_usage: wanted.key_usage.and(KeyUsage::KEY_CERT_SIGN), ..wanted.clone() };
    let good = leaf(&wanted, &root);
    let of_root = Certificate { serial: root.certificate().serial.clone(), ..good.clone() };
    let issued = vec![("etcd-peer".to_owned(), Certificate { der: vec![1], ..good.clone() })];
    let numbered = |serial: &[u8]| Certificate { serial: serial.to_vec(), ..good.clone() };
    let (zero, negative) = (numbered(&[0]), numbered(&[0xfb]));
    let named = |issuer: &str| Certificate { issuer: Name::of(issuer, &[]), issuer_der: vec![1], ..good.clone() };
    let (of_another, of_the_same) = (named("other"), named(" KUBERNETES"));
    for (leaf, issued, objection) in [
        (good.clone(), &[][..], None),
        (good.clone(), &[("same".to_owned(), good.clone())], None),
        (leaf(&signing, &root), &[], Some(Objection::MaySign)),
        (of_root, &[], Some(Objection::SerialTaken("ca".to_owned()))),
        (good, &issued, Some(Objection::SerialTaken("etcd-peer".to_owned()))),
        (of_another, &issued, None),
        (of_the_same, &issued, Some(Objection::SerialTaken("etcd-peer".to_owned()))),
        (zero, &[], Some(Objection::Serial)),
        (negative, &[], Some(Objection::Serial)),
    ] {
        let (anchors, trusted) = (Anchors::Authority(CaId::Cluster), std::slice::from_ref(root.certificate()));
        let expected = Expected { blueprint: &wanted, dispensable: &[], anchors, trusted, issued, now: NOW };
        let found = judge(&leaf, &[], &expected).objections;
        let own = |one: &&Objection| matches!(one, Objection::MaySign | Objection::Serial | Objection::SerialTaken(_));
        assert_eq!(found.iter().find(own), objection.as_ref());
    }
}
