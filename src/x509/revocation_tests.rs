use super::*;
use crate::blueprint::{Algorithm, Blueprint, Name, Oid, Role};
use crate::ca::{Issuer, PrivateKey, issue, self_sign, sign_crl};
use crate::encoding::certificate::SignatureAlgorithm;
use crate::encoding::extension::extension;
use crate::encoding::{certificate, crl as written, tlv};
use crate::revocation::{CrlIssue, RevocationList};
use crate::x509::crl::CrlError;
use crate::x509::crl_lookup::Wanted;
use proptest::prelude::*;
use std::slice::from_ref;
use std::sync::LazyLock;
use time::macros::datetime;

const AT: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);
const YEAR: time::Duration = time::Duration::days(365);

struct World {
    ca: Issuer,
    /// Same name, without cRLSign.
    mute: Issuer,
    /// Same name, another key.
    other: Issuer,
    leaf: Certificate,
    /// Signs CRLs that this program would not write.
    key: PrivateKey,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let blueprint = |usage| Blueprint {
        subject: Name::of("kubernetes", &[]),
        not_before: AT,
        not_after: AT + YEAR,
        role: Role::Authority { path_len: None },
        key_usage: usage,
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    };
    let key = || PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let both = KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN);
    let authority = |usage: KeyUsage, key: PrivateKey| {
        Issuer::new(vec![self_sign(&blueprint(usage), &key).unwrap().certificate], key).unwrap()
    };
    let first = key();
    let again = || PrivateKey::from_pem(first.to_pem().as_bytes()).unwrap();
    let ca = authority(both, again());
    let leaf = Blueprint { subject: Name::of("leaf", &[]), role: Role::EndEntity, ..blueprint(KeyUsage(1)) };
    let leaf = issue(&leaf, &key().spki_der(), &ca).unwrap().certificate;
    World { mute: authority(KeyUsage::KEY_CERT_SIGN, again()), other: authority(both, key()), leaf, key: again(), ca }
});

fn entry(reason: Option<Reason>) -> Revoked {
    Revoked {
        serial: WORLD.leaf.serial.clone(),
        at: AT - time::Duration::DAY,
        reason,
        invalid_since: None,
        other: vec![],
    }
}

fn list(number: u64, days: i64, revoked: &[Revoked], by: &Issuer) -> crate::ca::SignedCrl {
    let this_update = AT + time::Duration::days(days);
    let edition =
        CrlIssue { number: Number::from(number), this_update, next_update: this_update + time::Duration::WEEK };
    sign_crl(&RevocationList { edition, revoked: revoked.to_vec() }, by).unwrap()
}

/// A list of our authority with these extensions and whole entries, whatever sense they make.
fn odd(extensions: &[Vec<u8>], entries: &[Vec<u8>], next_update: bool) -> Vec<u8> {
    let world = &*WORLD;
    let time = |at| certificate::time(at).unwrap();
    let wrapped = match extensions {
        [] => Vec::new(),
        list => tlv::write(tlv::CONTEXT_CONSTRUCTED, &tlv::sequence(list)),
    };
    let listed = if entries.is_empty() { Vec::new() } else { tlv::sequence(entries) };
    let signed = tlv::sequence(&[
        tlv::integer(&[1]),
        SignatureAlgorithm::EcdsaWithSha256.to_der(),
        world.ca.certificate().subject_der.clone(),
        time(AT),
        if next_update { time(AT + time::Duration::WEEK) } else { Vec::new() },
        listed,
        wrapped,
    ]);
    let signature = world.key.sign(&signed).unwrap();
    written::signed(signed, SignatureAlgorithm::EcdsaWithSha256, &signature)
}

fn number(content: &[u8]) -> Vec<u8> {
    extension(written::CRL_NUMBER, false, &tlv::write(tlv::INTEGER, content))
}

fn ask_with(ders: &[&[u8]], issuer: &Issuer, delegates: &[&Certificate], strictness: Strictness) -> Answer {
    let wanted = Wanted::new([WORLD.leaf.serial.as_slice()]);
    let lists: Vec<_> = ders.iter().map(|der| CrlLookup::read(der, &wanted).unwrap()).collect();
    let authority =
        CrlIssuer { issuer: issuer.certificate(), delegates, strictness, algorithms: Algorithms::Kubernetes };
    let vetted: Vec<_> = lists.iter().zip(ders).map(|(list, der)| vet(list, der, authority, AT)).collect();
    let answer = status(&WORLD.leaf, issuer.certificate(), &vetted);
    // In any order the same.
    let reversed: Vec<_> = vetted.iter().rev().cloned().collect();
    assert_eq!(status(&WORLD.leaf, issuer.certificate(), &reversed).status, answer.status);
    answer
}

fn ask(ders: &[&[u8]]) -> Answer {
    ask_with(ders, &WORLD.ca, &[], Strictness::Strict)
}

fn word(answer: &Answer) -> &'static str {
    match answer.status {
        Status::Good => "good",
        Status::Revoked(_) => "revoked",
        Status::Held(_) => "held",
        Status::Unknown => "unknown",
    }
}

#[test]
fn one_list() {
    let ca = &WORLD.ca;
    let hold = [entry(Some(Reason::CertificateHold))];
    for (days, revoked, wanted) in [
        (0, &[][..], "good"),
        (-7, &[], "good"),
        (-8, &[], "unknown"),
        (1, &[], "unknown"),
        (0, &[entry(None)], "revoked"),
        (0, &[entry(Some(Reason::KeyCompromise))], "revoked"),
        (0, &hold, "held"),
        (-8, &hold, "held"),
        (-8, &[entry(None)], "revoked"),
        (1, &[entry(None)], "revoked"),
    ] {
        let answer = ask(&[&list(1, days, revoked, ca).der]);
        assert_eq!(word(&answer), wanted, "{days} {revoked:?} {answer:?}");
        assert_eq!(answer.problems.is_empty(), (-7..=0).contains(&days));
    }
    assert_eq!(word(&ask(&[])), "unknown");
}

#[test]
fn the_newest_decides_in_any_order() {
    let ca = &WORLD.ca;
    let make = |(number, days, what): (u64, i64, &str)| {
        let revoked: &[Revoked] = match what {
            "-" => &[],
            "hold" => &[entry(Some(Reason::CertificateHold))],
            _ => &[entry(None)],
        };
        list(number, days, revoked, ca).der
    };
    for (lists, wanted) in [
        (&[(1, -1, "-"), (2, 0, "revoked")][..], "revoked"),
        (&[(1, -1, "revoked"), (2, 0, "-")], "good"),
        (&[(1, -1, "hold"), (2, 0, "-")], "good"),
        (&[(1, -1, "-"), (2, 0, "hold")], "held"),
        // The number goes before the date; among equals the date decides, and then the worst.
        (&[(2, -2, "hold"), (1, 0, "-")], "held"),
        (&[(2, -2, "-"), (1, 0, "hold")], "good"),
        (&[(2, -2, "-"), (2, 0, "hold")], "held"),
        (&[(2, 0, "-"), (2, 0, "hold"), (2, 0, "revoked")], "revoked"),
        // A newer list that went stale still names; a stale one's silence is none.
        (&[(3, -8, "revoked"), (2, 0, "-")], "revoked"),
        (&[(3, -8, "-"), (2, 0, "-")], "good"),
        (&[(3, -8, "-"), (2, -9, "hold")], "unknown"),
        // So does one of the future, and a later number takes its place whatever the dates.
        (&[(3, 1, "revoked"), (2, 0, "-")], "revoked"),
        (&[(3, 1, "-"), (2, 0, "-")], "good"),
        (&[(3, 1, "-"), (2, 0, "hold")], "held"),
        (&[(3, 1, "-"), (4, 0, "revoked")], "revoked"),
        (&[(3, 1, "hold"), (4, 0, "-")], "good"),
        (&[(3, 1, "-")], "unknown"),
    ] {
        let ders: Vec<Vec<u8>> = lists.iter().map(|list| make(*list)).collect();
        let answer = ask(&ders.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(word(&answer), wanted, "{lists:?} {answer:?}");
    }
}

#[test]
fn who_signed() {
    let world = &*WORLD;
    let [ours, theirs] = [&world.ca, &world.other].map(|by| list(1, 0, &[], by).der);
    let strict = Strictness::Strict;
    let answer = ask(&[&theirs]);
    assert!(matches!(answer.problems.as_slice(), [(0, Problem::NotSigned(VerifyError::KeyIdentifier { .. }))]));
    assert_eq!(word(&answer), "unknown");
    let mut broken = ours.clone();
    *broken.last_mut().unwrap() ^= 1;
    assert_eq!(ask(&[&broken]).problems, [(0, Problem::NotSigned(VerifyError::Signature))]);
    // A newer CRL without a valid signature is ignored.
    assert_eq!(word(&ask(&[&list(9, 0, &[entry(None)], &world.other).der, &ours])), "good");
    // kubeadm's authorities.
    let answer = ask_with(&[&ours], &world.mute, &[], strict);
    assert_eq!((word(&answer), answer.problems.as_slice()), ("unknown", &[(0, Problem::MayNotSign)][..]));
    let answer = ask_with(&[&ours], &world.mute, &[], Strictness::Lenient);
    assert_eq!((word(&answer), answer.problems.as_slice()), ("good", &[(0, Problem::MayNotSign)][..]));
    // Another key of the same name, found valid by the caller.
    assert_eq!(word(&ask_with(&[&theirs], &world.ca, &[world.other.certificate()], strict)), "good");
    let plain = Certificate { key_usage: None, ..world.other.certificate().clone() };
    assert_eq!(word(&ask_with(&[&theirs], &world.ca, &[&plain], strict)), "unknown");
}

#[test]
fn an_authority_without_key_usage_may_sign_lists() {
    for (usage, wanted) in [
        (None, true),
        (Some(KeyUsage::CRL_SIGN), true),
        (Some(KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN)), true),
        (Some(KeyUsage::KEY_CERT_SIGN), false),
        (Some(KeyUsage::default()), false),
    ] {
        let certificate = Certificate { key_usage: usage, ..WORLD.ca.certificate().clone() };
        assert_eq!(may_sign_lists(&certificate), wanted, "{usage:?}");
    }
}

#[test]
fn a_list_of_another_time_is_usable_and_one_of_another_key_is_not() {
    let wanted = Wanted::new([WORLD.leaf.serial.as_slice()]);
    let issuer = WORLD.ca.certificate();
    let authority =
        CrlIssuer { issuer, delegates: &[], strictness: Strictness::Strict, algorithms: Algorithms::Kubernetes };
    for (days, by, usable) in
        [(0, &WORLD.ca, true), (-8, &WORLD.ca, true), (1, &WORLD.ca, true), (0, &WORLD.other, false)]
    {
        let der = list(1, days, &[], by).der;
        let lookup = CrlLookup::read(&der, &wanted).unwrap();
        assert_eq!(vet(&lookup, &der, authority, AT).is_usable(), usable, "{days}");
    }
}

#[test]
fn lists_that_do_not_speak_of_everything() {
    let scope = |field: &[u8]| extension(written::ISSUING_DISTRIBUTION_POINT, true, &tlv::write(tlv::SEQUENCE, field));
    let delta = extension(written::DELTA_CRL_INDICATOR, true, &tlv::integer(&[1]));
    let names = |revoked: &Revoked| written::entry(revoked).unwrap();
    let unknown = extension(&[0x55, 0x1d, 99], true, &[5, 0]);
    let stranger = Revoked { serial: vec![1], other: unknown.clone(), ..entry(None) };
    let about = |issuer: &[u8]| Revoked { other: extension(written::CERTIFICATE_ISSUER, true, issuer), ..entry(None) };
    let theirs = about(&tlv::sequence(&[tlv::write(0xa4, &WORLD.ca.certificate().subject_der)]));
    let removed = entry(Some(Reason::RemoveFromCrl));
    let one = || number(&[1]);
    for (extensions, entries, wanted, problem) in [
        (vec![one()], vec![], "good", None),
        (vec![one(), delta.clone()], vec![], "unknown", Some(Problem::Delta)),
        (vec![one(), delta.clone()], vec![names(&entry(None))], "revoked", Some(Problem::Delta)),
        (vec![one(), delta], vec![names(&removed)], "unknown", Some(Problem::Delta)),
        (vec![one()], vec![names(&removed)], "unknown", Some(Problem::RemoveFromCrl)),
        (vec![one(), scope(&[0x81, 1, 0xff])], vec![], "good", None),
        (vec![one(), scope(&[0x82, 1, 0xff])], vec![names(&entry(None))], "unknown", Some(Problem::OtherKind)),
        (vec![one(), scope(&[0x85, 1, 0xff])], vec![], "unknown", Some(Problem::OtherKind)),
        (vec![one(), scope(&[0x83, 2, 6, 0x40])], vec![], "unknown", Some(Problem::Partial)),
        (vec![one(), scope(&[0x83, 2, 6, 0x40])], vec![names(&entry(None))], "revoked", Some(Problem::Partial)),
        (vec![one(), scope(&[0xa0, 2, 0xa0, 0])], vec![], "unknown", Some(Problem::Partial)),
        (vec![one(), scope(&[0x84, 1, 0xff])], vec![names(&entry(None))], "revoked", None),
        (vec![one()], vec![names(&theirs)], "unknown", Some(Problem::Indirect)),
        (vec![one()], vec![names(&about(&[0x30, 0]))], "unknown", Some(Problem::UnknownCriticalInEntry)),
        (vec![one(), unknown], vec![], "unknown", Some(Problem::UnknownCritical(Oid::new("2.5.29.99")))),
        (vec![one()], vec![names(&stranger)], "unknown", Some(Problem::UnknownCriticalInEntry)),
        // Hostile numbers, and none.
        (vec![number(&[0x80])], vec![], "unknown", Some(Problem::Number)),
        (vec![number(&[1; 21])], vec![names(&entry(None))], "revoked", Some(Problem::Number)),
        (vec![], vec![], "unknown", Some(Problem::NoNumber)),
        (vec![], vec![names(&entry(None))], "revoked", Some(Problem::NoNumber)),
    ] {
        let answer = ask(&[&odd(&extensions, &entries, true)]);
        assert_eq!(word(&answer), wanted, "{extensions:x?} {entries:x?} {answer:?}");
        assert_eq!(answer.problems.first().map(|(_, problem)| problem), problem.as_ref());
    }
    let plain = odd(&[], &[], true);
    assert_eq!(word(&ask_with(&[&plain], &WORLD.ca, &[], Strictness::Lenient)), "good");
    let endless = odd(&[one()], &[], false);
    assert_eq!(
        ask(&[&endless]),
        Answer { status: Status::Unknown, list: None, problems: vec![(0, Problem::NoNextUpdate)] }
    );
}

#[test]
fn serials_twice_and_in_any_order() {
    let names = |revoked: &Revoked| written::entry(revoked).unwrap();
    let hold = names(&entry(Some(Reason::CertificateHold)));
    let padded = names(&Revoked { serial: [&[0], WORLD.leaf.serial.as_slice()].concat(), ..entry(None) });
    let strangers = [9u8, 1, 5].map(|n| names(&Revoked { serial: vec![n; 16], ..entry(None) }));
    let removed = names(&entry(Some(Reason::RemoveFromCrl)));
    for (entries, wanted) in [
        (vec![hold.clone(), padded.clone()], "revoked"),
        (vec![padded.clone(), hold.clone()], "revoked"),
        (vec![removed.clone(), hold.clone()], "held"),
        (vec![hold.clone(), hold.clone()], "held"),
    ] {
        let answer = ask(&[&odd(&[number(&[1])], &entries, true)]);
        assert_eq!((word(&answer), &answer.problems), (wanted, &vec![(0, Problem::Twice)]));
    }
    let unsorted: Vec<Vec<u8>> = strangers.iter().cloned().chain([padded]).collect();
    assert_eq!(word(&ask(&[&odd(&[number(&[1])], &unsorted, true)])), "revoked");
    assert_eq!(word(&ask(&[&odd(&[number(&[1])], &strangers, true)])), "good");
}

#[test]
fn a_serial_that_was_not_looked_up_is_not_good() {
    let der = list(1, 0, &[], &WORLD.ca).der;
    let wanted = Wanted::new([&[1u8, 2][..]]);
    let listed = CrlLookup::read(&der, &wanted).unwrap();
    let issuer = WORLD.ca.certificate();
    let authority =
        CrlIssuer { issuer, delegates: &[], strictness: Strictness::Strict, algorithms: Algorithms::Kubernetes };
    let answer = status(&WORLD.leaf, issuer, &[vet(&listed, &der, authority, AT)]);
    assert_eq!(answer, Answer { status: Status::Unknown, list: None, problems: vec![(0, Problem::NotAsked)] });
}

#[test]
fn a_list_cut_anywhere_is_none() {
    let der = list(1, 0, &[entry(None)], &WORLD.ca).der;
    let wanted = Wanted::new([WORLD.leaf.serial.as_slice()]);
    for length in 0..der.len() {
        assert_eq!(CrlLookup::read(&der[..length], &wanted).err(), Some(CrlError::Truncated), "{length}");
    }
}

/// A general name, and distributionPoint [0] of a point or of a CRL.
fn uri(text: &str) -> Vec<u8> {
    tlv::write(0xa0, &tlv::write(0xa0, &tlv::write(0x86, text.as_bytes())))
}

/// The leaf with distribution points, each by its fields.
fn with_points(points: &[Vec<u8>]) -> Certificate {
    let points: Vec<Vec<u8>> = points.iter().map(|fields| tlv::write(tlv::SEQUENCE, fields)).collect();
    let parts = certificate::signed_parts(&WORLD.leaf.der).unwrap();
    let mut fields: Vec<Vec<u8>> =
        tlv::children(parts.signed, tlv::SEQUENCE).unwrap().iter().map(|field| field.raw.to_vec()).collect();
    let old = fields.pop().unwrap();
    let list = tlv::single(&old).unwrap().content;
    let mut extensions: Vec<Vec<u8>> =
        tlv::children(list, tlv::SEQUENCE).unwrap().iter().map(|one| one.raw.to_vec()).collect();
    extensions.push(extension(&[0x55, 0x1d, 31], false, &tlv::sequence(&points)));
    fields.push(tlv::write(0xa3, &tlv::sequence(&extensions)));
    let signed = tlv::sequence(&fields);
    let signature = WORLD.key.sign(&signed).unwrap();
    Certificate::parse(&certificate::signed(&signed, SignatureAlgorithm::EcdsaWithSha256, &signature)).unwrap()
}

fn ask_of(leaf: &Certificate, ders: &[Vec<u8>], delegates: &[&Certificate]) -> Answer {
    let wanted = Wanted::new([leaf.serial.as_slice()]);
    let lists: Vec<_> = ders.iter().map(|der| CrlLookup::read(der, &wanted).unwrap()).collect();
    let issuer = WORLD.ca.certificate();
    let authority = CrlIssuer { issuer, delegates, strictness: Strictness::Strict, algorithms: Algorithms::Kubernetes };
    let vetted: Vec<_> = lists.iter().zip(ders).map(|(list, der)| vet(list, der, authority, AT)).collect();
    let answer = status(leaf, issuer, &vetted);
    let reversed: Vec<_> = vetted.iter().rev().cloned().collect();
    assert_eq!(status(leaf, issuer, &reversed).status, answer.status);
    answer
}

#[test]
fn lists_for_a_distribution_point_or_some_reasons() {
    let scope = |fields: &[Vec<u8>]| {
        let value = tlv::write(tlv::SEQUENCE, &tlv::concat(fields));
        extension(written::ISSUING_DISTRIBUTION_POINT, true, &value)
    };
    let names = written::entry(&entry(None)).unwrap();
    let partial = |fields: &[Vec<u8>], is_named: bool| {
        let entries = if is_named { vec![names.clone()] } else { vec![] };
        odd(&[number(&[1]), scope(fields)], &entries, true)
    };
    // keyCompromise and cACompromise; all the others; all.
    let (some, others, all) = (vec![0x83, 2, 5, 0x60], vec![0x83, 3, 7, 0x1f, 0x80], vec![0x83, 3, 7, 0x7f, 0x80]);
    let relative = tlv::write(0xa0, &tlv::write(0xa1, tlv::single(&organization()).unwrap().content));
    let absolute = {
        let name = Name(
            [WORLD.ca.certificate().subject.0.clone(), Name::default().with(&Oid::ORGANIZATION, &["x"]).0].concat(),
        );
        let name = crate::encoding::name::write(&name).unwrap();
        tlv::write(0xa0, &tlv::write(0xa0, &tlv::write(0xa4, &name)))
    };
    let plain = vec![uri("http://a")];
    for (points, lists, wanted) in [
        (plain.clone(), vec![partial(&[uri("http://a")], false)], "good"),
        (plain.clone(), vec![partial(&[uri("http://a")], true)], "revoked"),
        (plain.clone(), vec![partial(&[uri("http://b")], false)], "unknown"),
        (vec![], vec![partial(&[uri("http://a")], false)], "unknown"),
        (vec![uri("http://b"), uri("http://a")], vec![partial(&[uri("http://a")], false)], "good"),
        (plain.clone(), vec![partial(&[], false)], "good"),
        // The whole of the reasons is needed.
        (plain.clone(), vec![partial(from_ref(&some), false)], "unknown"),
        (plain.clone(), vec![partial(from_ref(&some), false), partial(from_ref(&others), false)], "good"),
        (plain.clone(), vec![partial(from_ref(&some), false), partial(from_ref(&others), true)], "revoked"),
        (plain.clone(), vec![partial(&[all], false)], "good"),
        (vec![[uri("http://a"), vec![0x81, 2, 5, 0x60]].concat()], vec![partial(&[uri("http://a")], false)], "unknown"),
        (
            vec![[uri("http://a"), vec![0x81, 2, 5, 0x60]].concat()],
            vec![partial(&[uri("http://a")], false), partial(&[others], false)],
            "good",
        ),
        // Names relative to the issuer.
        (vec![relative.clone()], vec![partial(from_ref(&absolute), false)], "good"),
        (vec![absolute], vec![partial(from_ref(&relative), false)], "good"),
        (vec![relative.clone()], vec![partial(&[relative], false)], "good"),
        // Points that cannot be read are none.
        (vec![vec![0x05, 0]], vec![partial(&[uri("http://a")], false)], "unknown"),
    ] {
        let leaf = with_points(&points);
        assert_eq!(word(&ask_of(&leaf, &lists, &[])), wanted, "{points:02x?} {lists:02x?}");
    }
}

/// An RDN with the organization x.
fn organization() -> Vec<u8> {
    let name = crate::encoding::name::write(&Name::default().with(&Oid::ORGANIZATION, &["x"])).unwrap();
    tlv::children(&name, tlv::SEQUENCE).unwrap()[0].raw.to_vec()
}

#[test]
fn lists_of_another_issuer() {
    let lister = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let blueprint = Blueprint {
        subject: Name::of("lister", &[]),
        not_before: AT,
        not_after: AT + YEAR,
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::CRL_SIGN,
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    };
    let certificate = self_sign(&blueprint, &lister).unwrap().certificate;
    let directory = |name: &[u8]| tlv::write(0xa4, name);
    let ours = WORLD.ca.certificate().subject_der.clone();
    let about = |issuer: &[u8], serial: &[u8]| {
        let other = extension(written::CERTIFICATE_ISSUER, true, &tlv::sequence(&[directory(issuer)]));
        written::entry(&Revoked { serial: serial.to_vec(), other, ..entry(None) }).unwrap()
    };
    let next = |serial: &[u8]| written::entry(&Revoked { serial: serial.to_vec(), ..entry(None) }).unwrap();
    let list = |is_indirect: bool, entries: &[Vec<u8>]| {
        let flag = if is_indirect { vec![0x84, 1, 0xff] } else { vec![] };
        let scope = extension(written::ISSUING_DISTRIBUTION_POINT, true, &tlv::write(tlv::SEQUENCE, &flag));
        let time = |at| certificate::time(at).unwrap();
        let signed = tlv::sequence(&[
            tlv::integer(&[1]),
            SignatureAlgorithm::EcdsaWithSha256.to_der(),
            certificate.subject_der.clone(),
            time(AT),
            time(AT + time::Duration::WEEK),
            if entries.is_empty() { Vec::new() } else { tlv::sequence(entries) },
            tlv::write(tlv::CONTEXT_CONSTRUCTED, &tlv::sequence(&[number(&[1]), scope])),
        ]);
        let signature = lister.sign(&signed).unwrap();
        written::signed(signed, SignatureAlgorithm::EcdsaWithSha256, &signature)
    };
    let serial = WORLD.leaf.serial.clone();
    let named = vec![tlv::write(0xa2, &directory(&certificate.subject_der))];
    let stranger = crate::encoding::name::write(&Name::of("stranger", &[])).unwrap();
    for (points, is_indirect, entries, wanted) in [
        (named.clone(), true, vec![], "good"),
        (named.clone(), false, vec![], "unknown"),
        (vec![], true, vec![], "unknown"),
        (named.clone(), true, vec![about(&ours, &serial)], "revoked"),
        // certificateIssuer holds for the entries behind it, too.
        (named.clone(), true, vec![about(&ours, &[9]), next(&serial)], "revoked"),
        (named.clone(), true, vec![about(&ours, &[9]), about(&stranger, &serial)], "good"),
        (named.clone(), true, vec![next(&serial)], "good"),
        (named, true, vec![next(&serial), about(&stranger, &serial), about(&ours, &serial)], "revoked"),
    ] {
        let leaf = with_points(&points);
        let der = list(is_indirect, &entries);
        let answer = ask_of(&leaf, from_ref(&der), &[&certificate]);
        assert_eq!(word(&answer), wanted, "{points:02x?} {is_indirect} {entries:02x?} {answer:?}");
        // Without a signer that was found valid it says nothing.
        assert_eq!(word(&ask_of(&leaf, &[der], &[])), "unknown");
    }
}

#[test]
fn deltas_of_a_full_list() {
    let hold = || entry(Some(Reason::CertificateHold));
    let (removed, gone) = (entry(Some(Reason::RemoveFromCrl)), entry(Some(Reason::KeyCompromise)));
    let delta = |own: u8, base: u8, revoked: &[Revoked]| {
        let indicator = extension(written::DELTA_CRL_INDICATOR, true, &tlv::integer(&[base]));
        let entries: Vec<Vec<u8>> = revoked.iter().map(|one| written::entry(one).unwrap()).collect();
        odd(&[number(&[own]), indicator], &entries, true)
    };
    let full = |number: u64, revoked: &[Revoked]| list(number, 0, revoked, &WORLD.ca).der;
    let stale = |number: u64, revoked: &[Revoked]| list(number, -20, revoked, &WORLD.ca).der;
    for (lists, wanted) in [
        (vec![full(5, &[]), delta(6, 5, &[])], "good"),
        (vec![full(5, &[]), delta(6, 5, from_ref(&gone))], "revoked"),
        (vec![full(5, &[hold()]), delta(6, 5, &[])], "held"),
        (vec![full(5, &[hold()]), delta(6, 5, from_ref(&removed))], "good"),
        (vec![full(5, &[hold()]), delta(6, 4, from_ref(&removed))], "good"),
        (vec![full(5, &[hold()]), delta(6, 5, &[gone])], "revoked"),
        // What cannot be undone is not.
        (vec![full(5, &[entry(None)]), delta(6, 5, from_ref(&removed))], "revoked"),
        // A delta of a later list, or one as old as the full one.
        (vec![full(5, &[hold()]), delta(7, 6, from_ref(&removed))], "held"),
        (vec![full(5, &[hold()]), delta(5, 4, from_ref(&removed))], "held"),
        // The newest that speaks of it.
        (vec![full(5, &[]), delta(6, 5, &[hold()]), delta(7, 5, from_ref(&removed))], "good"),
        (vec![full(5, &[hold()]), delta(6, 5, from_ref(&removed)), delta(7, 5, &[hold()])], "held"),
        (vec![delta(6, 5, &[])], "unknown"),
        (vec![delta(6, 5, from_ref(&removed))], "unknown"),
        // What has changed since a list that is stale by now.
        (vec![stale(5, &[]), delta(6, 5, &[])], "good"),
        (vec![stale(5, &[]), delta(6, 4, &[])], "good"),
        (vec![stale(5, &[]), delta(7, 6, &[])], "unknown"),
        (vec![stale(5, &[]), delta(5, 5, &[])], "unknown"),
        (vec![stale(5, &[]), delta(6, 5, &[entry(None)])], "revoked"),
        (vec![stale(5, &[hold()]), delta(6, 5, &[])], "held"),
        (vec![stale(5, &[hold()]), delta(6, 5, &[removed])], "good"),
        // A newer full list decides, stale as it is.
        (vec![stale(5, &[]), delta(6, 5, &[]), stale(8, &[])], "unknown"),
    ] {
        let answer = ask(&lists.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(word(&answer), wanted, "{lists:02x?} {answer:?}");
    }
}

proptest! {
    /// Whatever octet is changed in a list that revokes, nothing says good.
    #[test]
    fn no_mutation_means_good(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut der = list(1, 0, &[entry(None)], &WORLD.ca).der;
        let at = at.index(der.len());
        der[at] = octet;
        let wanted = Wanted::new([WORLD.leaf.serial.as_slice()]);
        if let Ok(listed) = CrlLookup::read(&der, &wanted) {
            let issuer = WORLD.ca.certificate();
            let authority = CrlIssuer { issuer, delegates: &[], strictness: Strictness::Lenient, algorithms: Algorithms::Kubernetes };
            let answer = status(&WORLD.leaf, issuer, &[vet(&listed, &der, authority, AT)]);
            prop_assert!(answer.status != Status::Good, "{at} {octet}");
        }
    }
}
