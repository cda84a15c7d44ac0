use super::*;
use crate::blueprint::{Algorithm, Blueprint, Role};
use crate::encoding::certificate::{SignatureAlgorithm, signed};
use crate::encoding::extension;
use time::macros::datetime;

fn blueprint() -> Blueprint {
    Blueprint {
        subject: Name::of("kube-apiserver", &["a", "b_c"]),
        not_before: datetime!(2026-11-20 12:00 UTC),
        not_after: datetime!(2027-11-20 12:00 UTC),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth],
        sans: vec![San::Dns("kubernetes".into()), San::Ip("10.96.0.1".parse().unwrap())],
        permitted: Vec::new(),
    }
}

/// A request with these attributes (the content of `[0]`; `None`: no `[0]`), signed by a fresh key.
fn with_attributes(attributes: Option<&[u8]>) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parts = vec![tlv::integer(&[0]), name::write(&Name::of("x", &[])).unwrap(), spki(&key)];
    parts.extend(attributes.map(|content| tlv::write(tlv::CONTEXT_CONSTRUCTED, content)));
    let info = tlv::sequence(&parts);
    let signature = rcgen::SigningKey::sign(&key, &info).unwrap();
    signed(&info, SignatureAlgorithm::of(Algorithm::EcdsaP256), &signature)
}

fn spki(key: &rcgen::KeyPair) -> Vec<u8> {
    rcgen::PublicKeyData::subject_public_key_info(key)
}

fn attribute(id: &[u8], value: &[u8]) -> Vec<u8> {
    tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, id), tlv::write(tlv::SET, value)])
}

fn names() -> Vec<u8> {
    tlv::sequence(&extension::requested(&blueprint()).unwrap())
}

#[test]
fn attributes_are_read_however_they_are_written() {
    let password = attribute(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 7], &[0x0c, 1, b'x']);
    let microsoft = attribute(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 14], &names());
    let usual = attribute(request::EXTENSION_REQUEST, &names());
    for (attributes, sans) in [
        (None, 0),
        (Some(vec![]), 0),
        (Some(password.clone()), 0),
        (Some([password.clone(), usual.clone()].concat()), 2),
        (Some([usual.clone(), password].concat()), 2),
        (Some(microsoft.clone()), 2),
    ] {
        let read = Request::parse(&with_attributes(attributes.as_deref())).unwrap();
        assert_eq!((read.sans.len(), read.signature_valid), (sans, Some(true)), "{attributes:?}");
    }
    for (attributes, error) in [
        ([usual.clone(), microsoft].concat(), RequestError::TwoLists),
        ([usual.clone(), usual.clone()].concat(), RequestError::TwoLists),
        (attribute(request::EXTENSION_REQUEST, &[names(), names()].concat()), RequestError::Malformed(NotDer)),
        (tlv::sequence(&[&usual]), RequestError::Malformed(NotDer)),
    ] {
        assert_eq!(Request::parse(&with_attributes(Some(&attributes))), Err(error));
    }
}

#[test]
fn files_hold_requests_in_pem_under_either_label_or_one_in_der() {
    let der = with_attributes(None);
    let old = pem::write("NEW CERTIFICATE REQUEST", &der);
    let both = format!("text\n{}{}", request::to_pem(&der), old.as_str());
    for (bytes, count) in [(der.clone(), 1), (old.as_bytes().to_vec(), 1), (both.into_bytes(), 2)] {
        assert_eq!(Request::read_file(&bytes).unwrap().len(), count);
    }
    assert_eq!(Request::read_file(b"hello"), Err(RequestError::None { found: vec![] }));
    let key = pem::write("PUBLIC KEY", &der);
    assert_eq!(
        Request::read_file(key.as_bytes()),
        Err(RequestError::None { found: vec![pem::Label::of(b"PUBLIC KEY")] })
    );
    for end in 0..der.len() {
        assert!(Request::read_file(&der[..end]).is_err(), "{end}");
    }
}

#[test]
fn one_changed_bit_breaks_the_signature_or_the_request() {
    let der = with_attributes(Some(&attribute(request::EXTENSION_REQUEST, &names())));
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        let valid = Request::parse(&changed).map(|request| request.signature_valid);
        assert_ne!(valid, Ok(Some(true)), "octet {at}");
    }
}
