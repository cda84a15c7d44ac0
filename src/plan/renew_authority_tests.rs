use super::*;
use crate::ca::CaError;
use crate::encoding::certificate::signed_parts;
use crate::encoding::tlv;
use crate::x509::parse_pem_bundle;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

#[allow(clippy::disallowed_methods)] // fixtures
fn read(path: &str) -> Certificate {
    let path =
        format!("{}/fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/{path}", env!("CARGO_MANIFEST_DIR"));
    parse_pem_bundle(&std::fs::read(path).unwrap()).unwrap().remove(0)
}

/// The cluster's CA with these dates.
fn ca(not_before: OffsetDateTime, not_after: OffsetDateTime) -> Certificate {
    Certificate { not_before, not_after, ..read("ca.crt") }
}

fn decided(one: Certificate, now: OffsetDateTime, validity: Option<u64>) -> Result<Decision, Refusal> {
    let validity = validity.map(|days| Span::seconds(days * 86400));
    decide(Some(&Authority::Local(vec![one])), None, &Asked { now, validity, signed: &[] })
}

#[test]
fn the_new_dates_are_as_long_as_the_old_or_as_asked() {
    let (from, to) = (datetime!(2016-11-24 0:00 UTC), datetime!(2026-11-22 0:00 UTC));
    let second = Duration::SECOND;
    for (not_before, not_after, now, validity, expected) in [
        (from, to, NOW, None, Ok((NOW - BACK_DATE, NOW - BACK_DATE + (to - from)))),
        (from, to, NOW, Some(3650), Ok((NOW - BACK_DATE, NOW + Duration::days(3650)))),
        // Expired: that is what it is for.
        (from, to, to + Duration::days(9), Some(1), Ok((to + Duration::days(9) - BACK_DATE, to + Duration::days(10)))),
        // Made a moment ago: the new one begins later all the same.
        (NOW - second, to, NOW, Some(9), Ok((NOW, NOW + Duration::days(9)))),
        (NOW, to, NOW, Some(9), Ok((NOW, NOW + Duration::days(9)))),
        (from, to, NOW, Some(1), Err(Refusal::NotLater { old: to, new: NOW + Duration::days(1) })),
        (from, to, datetime!(2026-11-21 0:00:00.7 UTC), Some(1), Err(Refusal::NotLater { old: to, new: to })),
        (NOW + second, to, NOW, None, Err(Refusal::NotYetValid(NOW + second))),
    ] {
        let expected = expected
            .map(|(not_before, not_after)| Decision::Renew(Renewal { not_before, not_after, renew_next: Vec::new() }));
        assert_eq!(decided(ca(not_before, not_after), now, validity), expected, "{not_before} {now} {validity:?}");
    }
}

#[test]
fn what_cannot_be_renewed_is_refused() {
    let asked = Asked { now: NOW, validity: None, signed: &[] };
    let unusable = Unusable::Ca(CaError::EmptyBundle);
    for (authority, expected) in [
        (None, Refusal::Missing),
        (Some(Authority::Missing), Refusal::Missing),
        (Some(Authority::External(vec![read("ca.crt")])), Refusal::External),
        (Some(Authority::Unusable(unusable.clone())), Refusal::Unusable(unusable)),
    ] {
        assert_eq!(decide(authority.as_ref(), Some(&read("ca.crt")), &asked), Err(expected));
    }
    let weak = OtherKey::Rsa { bits: 1024 };
    let held = Certificate { key: KeyKind::Other(weak.clone()), ..read("ca.crt") };
    let unusable = Some(Authority::Unusable(Unusable::Ca(CaError::EmptyBundle)));
    assert_eq!(decide(unusable.as_ref(), Some(&held), &asked), Err(Refusal::Algorithm(weak)));
}

#[test]
fn what_another_authority_signed_is_requested_there() {
    // By its name, and by a signature that is not its own.
    let below = read("apiserver.crt");
    let ca = read("ca.crt");
    let mut der = ca.der.clone();
    *der.last_mut().unwrap() ^= 1;
    for one in [below, Certificate { der, ..ca }] {
        assert_eq!(decided(one, NOW, None), Ok(Decision::Request));
    }
}

/// The API server's certificate with these fields in its authority key identifier; its signature is nobody's.
fn identified(fields: &[u8]) -> Certificate {
    let leaf = read("apiserver.crt");
    let parts = signed_parts(&leaf.der).unwrap();
    let signed = tlv::children(parts.signed, tlv::SEQUENCE).unwrap();
    let (list, rest) = signed.split_last().unwrap();
    let of_issuer = |one: &[u8]| one.windows(5).any(|window| window == [6, 3, 0x55, 0x1d, 35]);
    let list = tlv::children(list.content, tlv::SEQUENCE).unwrap();
    let value = tlv::write(tlv::OCTET_STRING, &tlv::write(tlv::SEQUENCE, fields));
    let id = tlv::sequence(&[&[6u8, 3, 0x55, 0x1d, 35][..], &value]);
    let list: Vec<Vec<u8>> =
        list.iter().map(|one| if of_issuer(one.raw) { id.clone() } else { one.raw.to_vec() }).collect();
    let list = tlv::write(tlv::CONTEXT_CONSTRUCTED | 3, &tlv::sequence(&list));
    let all: Vec<Vec<u8>> = rest.iter().map(|one| one.raw.to_vec()).chain([list]).collect();
    let algorithm = parts.algorithm.to_vec();
    let whole = [tlv::sequence(&all), algorithm, tlv::write(tlv::BIT_STRING, &[0, 1])];
    Certificate::parse(&tlv::sequence(&whole)).unwrap()
}

#[test]
fn who_names_the_old_serial_number_is_renewed_first_or_next() {
    let (from, to) = (datetime!(2016-11-24 0:00 UTC), datetime!(2026-11-22 0:00 UTC));
    let key = [&[0x80, 20][..], &[7; 20]].concat();
    let (plain, named) = (identified(&key), identified(&[&key[..], &[0x82, 1, 5]].concat()));
    let foreign = Certificate { issuer_der: vec![0x30, 0], issuer: read("etcd/ca.crt").subject, ..named.clone() };
    let signed = [("a", plain), ("b", named), ("c", foreign)].map(|(name, one)| (name.to_owned(), one));
    let bundle = Authority::Local(vec![ca(from, to)]);
    let asked = |now| Asked { now, validity: None, signed: &signed };
    assert_eq!(decide(Some(&bundle), None, &asked(NOW)), Err(Refusal::NamedBySerial(vec!["b".to_owned()])));
    // It has ended: they cannot be renewed before it.
    match decide(Some(&bundle), None, &asked(to + Duration::DAY)) {
        Ok(Decision::Renew(renewal)) => assert_eq!(renewal.renew_next, ["b"]),
        other => panic!("{other:?}"),
    }
}
