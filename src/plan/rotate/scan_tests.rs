use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, KeyUsage, Name, Role};
use crate::ca::{Issuer, PrivateKey, issue, self_sign};

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

fn authority(name: &str, days: i64) -> Blueprint {
    Blueprint {
        subject: Name::of(name, &[]),
        not_before: NOW - Duration::days(10),
        not_after: NOW + Duration::days(days),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN),
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    }
}

fn leaf(name: &str) -> Blueprint {
    Blueprint {
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ClientAuth],
        ..authority(name, 100)
    }
}

/// An authority and its key.
struct Made {
    certificate: Certificate,
    issuer: Issuer,
}

fn made(name: &str) -> Made {
    let key = key();
    let certificate = self_sign(&authority(name, 3650), &key).unwrap().certificate;
    Made { certificate: certificate.clone(), issuer: Issuer::new(vec![certificate], key).unwrap() }
}

fn group(certificates: &[&Certificate]) -> Group {
    let pieces = certificates.iter().map(|one| Piece::Certificate(one.der.clone())).collect();
    Group { within: Vec::new(), pieces }
}

fn sought(old: &Made, new: Option<&Made>, question: Question) -> Sought {
    let one = |made: &Made| made.certificate.clone();
    let authority =
        Authority { name: "ca".to_owned(), question, old: vec![one(old)], new: new.map(one).into_iter().collect() };
    Sought { authorities: vec![authority], token_keys: Vec::new() }
}

/// What is found in a bundle, and whether it counts when prepared, switched, retired.
#[test]
fn a_bundle_is_judged_by_whom_it_trusts() {
    // With one name, the keys tell them apart.
    for name in ["kubernetes@2", "kubernetes"] {
        let (old, new, other) = (made("kubernetes"), made(name), made("other"));
        let by = |made: &Made, name: &str| issue(&leaf(name), &key().spki_der(), &made.issuer).unwrap().certificate;
        let (of_old, of_new) = (by(&old, "a"), by(&new, "b"));
        let cross = issue(&authority(name, 3650), &new.certificate.spki_der, &old.issuer).unwrap().certificate;
        let (o, n, x) = (&old.certificate, &new.certificate, &other.certificate);
        for (certificates, expected) in [
            (vec![o], vec![(What::OldOnly, [true, true, true])]),
            (vec![x, o], vec![(What::OldOnly, [true, true, true])]),
            (vec![o, n], vec![(What::OldAndNew, [false, false, true])]),
            (vec![n, o], vec![(What::OldAndNew, [false, false, true])]),
            (vec![n], vec![(What::NewOnly, [false, false, false])]),
            (vec![x], vec![]),
            (vec![&of_old], vec![(What::Signed, [false, true, true])]),
            (vec![&of_new], vec![]),
            // A chain trusts nobody.
            (vec![&of_old, o], vec![(What::Signed, [false, true, true])]),
            // The new key, whoever signed for it.
            (vec![&of_new, &cross], vec![(What::NewOnly, [false, false, false])]),
            (vec![], vec![]),
        ] {
            for (index, question) in
                [Question::TrustsNew, Question::SignedByOld, Question::AnyOld].into_iter().enumerate()
            {
                let judged = judge(&sought(&old, Some(&new), question), &group(&certificates));
                let found: Vec<_> = judged.matches.iter().map(|one| (one.what, one.counts)).collect();
                let wanted: Vec<_> = expected.iter().map(|(what, counts)| (*what, counts[index])).collect();
                assert_eq!(found, wanted, "{certificates:?} {question:?}");
                assert_eq!(judged.unread, Vec::<String>::new());
            }
        }
    }
}

#[test]
fn the_end_of_a_bundle_is_that_of_the_old_authority_in_it() {
    let old = made("kubernetes");
    let key = key();
    // Renewed with its key, and both are in the file.
    let first = self_sign(&authority("kubernetes", 30), &key).unwrap().certificate;
    let second = self_sign(&authority("kubernetes", 400), &key).unwrap().certificate;
    let renewed = Made { certificate: first.clone(), issuer: Issuer::new(vec![first.clone()], key).unwrap() };
    let judged = judge(&sought(&renewed, None, Question::AnyOld), &group(&[&second, &first, &old.certificate]));
    assert_eq!(judged.matches.len(), 1);
    assert_eq!(judged.matches[0].ends, Some(second.not_after));
    assert_eq!(judged.matches[0].subject.as_deref(), Some("CN=kubernetes"));
}

#[test]
fn tokens_are_known_by_their_key() {
    let (old, new) = (key().spki_der(), key().spki_der());
    let keys = TokenKeys { question: Question::SignedByOld, old: vec![old.clone()], new: vec![new.clone()] };
    let sought = Sought { authorities: Vec::new(), token_keys: vec![keys] };
    let of = |piece: Piece| judge(&sought, &Group { within: Vec::new(), pieces: vec![piece] });
    let token = |kid: Option<String>, ends| Piece::Token(Token { kid, ends, is_service_account: true });
    let found = of(token(Some(key_id_of_tokens(&old)), Some(1_800_000_000)));
    assert_eq!(found.matches.len(), 1);
    assert_eq!((found.matches[0].what, found.matches[0].counts), (What::Token, true));
    assert_eq!(found.matches[0].ends, OffsetDateTime::from_unix_timestamp(1_800_000_000).ok());
    assert_eq!(of(token(Some(key_id_of_tokens(&old)), None)).matches[0].ends, None);
    assert_eq!(of(token(Some(key_id_of_tokens(&new)), None)), Judged::default());
    let nameless = of(token(None, None));
    assert!(nameless.matches.is_empty() && nameless.unread.len() == 1, "{nameless:?}");
    assert_eq!(of(Piece::PublicKey(old)).matches[0].what, What::OldOnly);
    assert_eq!(of(Piece::PublicKey(new)).matches[0].what, What::NewOnly);
}

#[test]
fn what_is_no_certificate_is_said() {
    let judged =
        judge(&Sought::default(), &Group { within: Vec::new(), pieces: vec![Piece::Certificate(vec![0x30, 0])] });
    assert!(judged.matches.is_empty() && judged.unread.len() == 1);
}
