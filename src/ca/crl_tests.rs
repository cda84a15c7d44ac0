use super::*;
use crate::blueprint::{Algorithm, Blueprint, KeyUsage, Name, Role};
use crate::ca::{PrivateKey, self_sign};
use crate::encoding::extension::extension;
use crate::revocation::Number;
use crate::x509::VerifyError;
use proptest::prelude::*;
use time::macros::datetime;

fn issuer(algorithm: Algorithm) -> Issuer {
    let key = PrivateKey::generate(algorithm).unwrap();
    let blueprint = Blueprint {
        subject: Name::of("kubernetes", &[]),
        not_before: datetime!(2026-11-20 12:00 UTC),
        not_after: datetime!(2036-11-20 12:00 UTC),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
        extended_key_usages: vec![],
        sans: vec![],
        permitted: Vec::new(),
    };
    Issuer::new(vec![self_sign(&blueprint, &key).unwrap().certificate], key).unwrap()
}

fn edition(number: u64) -> CrlIssue {
    CrlIssue {
        number: Number::from(number),
        this_update: datetime!(2026-11-20 12:00:00.5 UTC),
        next_update: datetime!(2026-12-20 12:00 UTC),
    }
}

fn revoked(serial: u8, reason: Option<Reason>) -> Revoked {
    let at = datetime!(2026-11-19 12:00 UTC);
    Revoked { serial: vec![serial; 16], at, reason, invalid_since: None, other: vec![] }
}

fn list(number: u64, revoked: Vec<Revoked>) -> RevocationList {
    RevocationList { edition: edition(number), revoked }
}

fn read(signed: &SignedCrl) -> Vec<Revoked> {
    entries(signed.crl.entries_in(&signed.der)).map(|entry| entry.unwrap().1.revoked().unwrap()).collect()
}

#[test]
fn every_algorithm_signs_and_ring_agrees() {
    for algorithm in Algorithm::ALL {
        let issuer = issuer(algorithm);
        for count in [0u8, 1, 100] {
            let all: Vec<Revoked> = (0..count).map(|serial| revoked(serial, None)).collect();
            let signed = sign_crl(&list(1, all.clone()), &issuer).unwrap();
            assert_eq!(read(&signed), all);
            assert_eq!(signed.crl.authority_key_id, issuer.certificate().subject_key_id);
            assert_eq!(signed.crl.signed_by(&signed.der, issuer.certificate()), Ok(()));
            let mut tampered = signed.der.clone();
            *tampered.last_mut().unwrap() ^= 1;
            let crl = Crl::parse(&tampered).unwrap();
            assert_eq!(crl.signed_by(&tampered, issuer.certificate()), Err(VerifyError::Signature), "{algorithm}");
        }
    }
}

#[test]
fn every_field_survives() {
    let issuer = issuer(Algorithm::EcdsaP256);
    let mut all: Vec<Revoked> = Reason::all()
        .filter(|reason| *reason != Reason::RemoveFromCrl)
        .map(|reason| revoked(reason.code(), Some(reason)))
        .collect();
    all.push(Revoked { at: datetime!(2050-01-01 0:00 UTC), ..revoked(20, None) });
    all.push(Revoked { invalid_since: Some(datetime!(2026-11-01 0:00 UTC)), ..revoked(21, None) });
    all.push(Revoked { other: extension(&[0x55, 0x1d, 23], false, &[6, 1, 0]), ..revoked(22, None) });
    all.push(Revoked { serial: vec![0x80], ..revoked(0, None) });
    let far = CrlIssue {
        number: Number::of_content(&[0x7f; 20]).unwrap(),
        next_update: datetime!(2055-01-01 0:00 UTC),
        ..edition(0)
    };
    let signed = sign_crl(&RevocationList { edition: far.clone(), revoked: all.clone() }, &issuer).unwrap();
    assert_eq!(signed.crl.edition(), Some(far.number));
    assert_eq!(signed.crl.next_update, Some(far.next_update));
    assert_eq!(signed.crl.this_update, datetime!(2026-11-20 12:00 UTC));
    // unspecified is written as no reason at all.
    all[0].reason = None;
    assert_eq!(read(&signed), all);
    let blocks = crate::encoding::pem::read(signed.to_pem().as_bytes()).unwrap();
    assert_eq!((blocks[0].label.known().unwrap(), blocks[0].contents.as_slice()), ("X509 CRL", signed.der.as_slice()));
}

#[test]
fn a_list_is_continued() {
    let issuer = issuer(Algorithm::EcdsaP256);
    let hold = Some(Reason::CertificateHold);
    let first = sign_crl(&list(7, vec![revoked(1, None), revoked(2, hold), revoked(3, None)]), &issuer).unwrap();
    let serials = |signed: &SignedCrl| read(signed).iter().map(|one| one.serial[0]).collect::<Vec<_>>();
    for (additions, removals, wanted) in [
        (vec![], vec![], vec![1, 2, 3]),
        (vec![revoked(4, None)], vec![], vec![1, 2, 3, 4]),
        (vec![], vec![vec![2; 16]], vec![1, 3]),
        (vec![revoked(9, None)], vec![vec![1; 16], vec![3; 16], vec![8; 16]], vec![2, 9]),
        (vec![revoked(2, Some(Reason::KeyCompromise))], vec![], vec![1, 3, 2]),
        (vec![], vec![vec![1; 16], vec![2; 16], vec![3; 16]], vec![]),
    ] {
        let changes = Changes { additions: &additions, removals: &removals };
        let second = resign_crl(&first.der, changes, &edition(8), &issuer).unwrap();
        assert_eq!(serials(&second), wanted);
        assert_eq!(second.crl.edition(), Some(Number::from(8)));
        assert_eq!(second.crl.entries, wanted.len() as u64);
    }
    let empty = sign_crl(&list(1, vec![]), &issuer).unwrap();
    let one = [revoked(1, None)];
    let changes = Changes { additions: &one, removals: &[] };
    assert_eq!(serials(&resign_crl(&empty.der, changes, &edition(2), &issuer).unwrap()), [1]);
}

#[test]
fn what_cannot_be_continued_is_refused() {
    let ours = issuer(Algorithm::EcdsaP256);
    let before = sign_crl(&list(7, vec![revoked(1, None)]), &ours).unwrap();
    let again = |der: &[u8], number| resign_crl(der, Changes::default(), &edition(number), &ours).map(|_| ());
    assert_eq!(again(&before.der, 8), Ok(()));
    assert_eq!(again(&before.der, 7), Err(CaError::Crl(CrlFault::NotNewer)));
    let theirs = sign_crl(&list(1, vec![]), &issuer(Algorithm::EcdsaP256)).unwrap();
    assert!(matches!(again(&theirs.der, 8), Err(CaError::OldCrlSignature(VerifyError::KeyIdentifier { .. }))));
    // An entry that somebody edited in the file.
    let mut edited = before.der.clone();
    let at = edited.windows(16).position(|octets| octets == [1; 16]).unwrap();
    edited[at] = 2;
    assert_eq!(again(&edited, 8), Err(CaError::OldCrlSignature(VerifyError::Signature)));
    for length in 0..before.der.len() {
        assert!(matches!(again(&before.der[..length], 8), Err(CaError::OldCrl(_))), "{length}");
    }
    let critical = Revoked { other: extension(&[0x55, 0x1d, 23], true, &[6, 1, 0]), ..revoked(1, None) };
    let odd = sign_crl(&list(1, vec![critical]), &ours).unwrap();
    assert_eq!(again(&odd.der, 8), Err(CaError::Crl(CrlFault::Entry)));
    for (revoked, fault) in [
        (vec![revoked(1, None), revoked(1, None)], CrlFault::Twice),
        (vec![revoked(1, Some(Reason::RemoveFromCrl))], CrlFault::RemoveFromCrl),
    ] {
        assert_eq!(sign_crl(&list(1, revoked), &ours).map(|_| ()), Err(CaError::Crl(fault)));
    }
    let never = CrlIssue { next_update: edition(1).this_update, ..edition(1) };
    let never = RevocationList { edition: never, revoked: vec![] };
    assert_eq!(sign_crl(&never, &ours).map(|_| ()), Err(CaError::Crl(CrlFault::EmptyValidity)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever is taken off and put on, what comes out is the old list without the one and with the other.
    #[test]
    fn splicing_is_set_arithmetic(
        old in prop::collection::btree_set(0u8..40, 0..30),
        off in prop::collection::btree_set(0u8..40, 0..20),
        on in prop::collection::btree_set(0u8..40, 0..20),
    ) {
        let issuer = issuer(Algorithm::EcdsaP256);
        let revoke = |set: &std::collections::BTreeSet<u8>| set.iter().map(|n| revoked(*n, None)).collect::<Vec<_>>();
        let before = sign_crl(&list(1, revoke(&old)), &issuer).unwrap();
        let removals: Vec<Vec<u8>> = off.iter().map(|n| vec![*n; 16]).collect();
        let additions = revoke(&on);
        let changes = Changes { additions: &additions, removals: &removals };
        let after = resign_crl(&before.der, changes, &edition(2), &issuer).unwrap();
        let mut found: Vec<u8> = read(&after).iter().map(|one| one.serial[0]).collect();
        found.sort_unstable();
        let wanted: Vec<u8> = (0..40).filter(|n| on.contains(n) || (old.contains(n) && !off.contains(n))).collect();
        prop_assert_eq!(found, wanted);
    }
}
