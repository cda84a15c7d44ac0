use super::*;
use crate::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, KeyUsage, Name, Role};
use crate::ca::{PrivateKey, generate_keys, issue, self_sign};
use crate::encoding::tlv;
use crate::x509::{Usage, verify_for};
use time::macros::datetime;

const BEFORE: OffsetDateTime = datetime!(2016-11-20 12:00 UTC);
const NOW: OffsetDateTime = datetime!(2026-11-20 11:55 UTC);
const AFTER: OffsetDateTime = datetime!(2036-11-20 12:00 UTC);

fn blueprint(role: Role, not_after: OffsetDateTime) -> Blueprint {
    let is_leaf = role == Role::EndEntity;
    let signs = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN);
    Blueprint {
        subject: Name::of(if is_leaf { "leaf" } else { "kubernetes" }, &[]),
        not_before: BEFORE,
        not_after,
        role,
        key_usage: if is_leaf { KeyUsage::DIGITAL_SIGNATURE } else { signs },
        extended_key_usages: if is_leaf { vec![ExtendedKeyUsage::ClientAuth] } else { Vec::new() },
        sans: Vec::new(),
        permitted: Vec::new(),
    }
}

fn authority(key: PrivateKey) -> Issuer {
    let own = blueprint(Role::Authority { path_len: Some(0) }, datetime!(2026-11-22 12:00 UTC));
    let signed = self_sign(&own, &key).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

fn again_of(issuer: &Issuer) -> PrivateKey {
    PrivateKey::from_pem(issuer.key().to_pem().as_bytes()).unwrap()
}

/// The same authority with another signed part.
fn signed_anew(issuer: &Issuer, to_be_signed: &[u8]) -> Issuer {
    let key = again_of(issuer);
    let algorithm = SignatureAlgorithm::of(key.algorithm());
    let der = certificate::signed(to_be_signed, algorithm, &key.sign(to_be_signed).unwrap());
    Issuer::new(vec![Certificate::parse(&der).unwrap()], key).unwrap()
}

fn signed_part(certificate: &Certificate) -> Vec<u8> {
    signed_parts(&certificate.der).unwrap().signed.to_vec()
}

/// With further extensions, behind those that it has.
fn with_extensions(issuer: &Issuer, more: &[Vec<u8>]) -> Issuer {
    let old = signed_part(issuer.certificate());
    let fields = tlv::children(&old, tlv::SEQUENCE).unwrap();
    let (list, rest) = fields.split_last().unwrap();
    let extensions = tlv::children(list.content, tlv::SEQUENCE).unwrap();
    let all: Vec<Vec<u8>> = extensions.iter().map(|one| one.raw.to_vec()).chain(more.iter().cloned()).collect();
    let list = tlv::write(tlv::CONTEXT_CONSTRUCTED | 3, &tlv::sequence(&all));
    let parts: Vec<Vec<u8>> = rest.iter().map(|one| one.raw.to_vec()).chain([list]).collect();
    signed_anew(issuer, &tlv::sequence(&parts))
}

fn extension(arcs: &[u8], value: &[u8]) -> Vec<u8> {
    tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, arcs), tlv::write(tlv::OCTET_STRING, value)])
}

#[test]
fn old_and_new_verify_each_others_leaves_whatever_the_algorithm() {
    for key in generate_keys(&Algorithm::ALL, 2, &mut |_, _| ()).unwrap() {
        let algorithm = key.algorithm();
        let old = authority(key);
        let new = renew(&old, NOW, AFTER).unwrap().certificate;
        assert_ne!(new.serial, old.certificate().serial, "{algorithm}");
        assert_eq!((new.not_before, new.not_after), (NOW, AFTER));
        assert_eq!(new.kept_in_renewal(), old.certificate().kept_in_renewal());
        assert_eq!(new.subject_key_id, old.certificate().subject_key_id);
        assert!(new.is_same_authority(old.certificate()));
        let renewed = Issuer::new(vec![new], again_of(&old)).unwrap();
        let client = PrivateKey::generate(Algorithm::EcdsaP256).unwrap().spki_der();
        let end = datetime!(2026-11-22 11:00 UTC);
        for signer in [&old, &renewed] {
            let leaf = issue(&blueprint(Role::EndEntity, end), &client, signer).unwrap().certificate;
            for verifier in [&old, &renewed] {
                let at = datetime!(2026-11-21 0:00 UTC);
                verify_for(&leaf, &[], verifier.certificate(), Usage::Client, at).unwrap();
                leaf.signed_by(verifier.certificate()).unwrap();
            }
        }
    }
}

#[test]
fn what_kpki_does_not_write_is_kept_byte_for_byte() {
    let plain = authority(PrivateKey::generate(Algorithm::EcdsaP256).unwrap());
    // Of nobody, with whatever inside; policies; Netscape's comment.
    let odd = [
        extension(&[0x2b, 6, 1, 4, 1, 0x82, 0xda, 0x4b, 1], b"\xff\x00 no DER"),
        extension(&[0x55, 0x1d, 32], &tlv::sequence(&[tlv::sequence(&[[6u8, 3, 0x2a, 3, 4]])])),
        extension(&[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 13], &[0x16, 2, b'h', b'i']),
    ];
    let old = with_extensions(&plain, &odd);
    let new = renew(&old, NOW, AFTER).unwrap().certificate;
    assert_eq!(new.extensions, old.certificate().extensions);
    assert!(odd.iter().all(|one| new.der.windows(one.len()).any(|window| window == one)));
    assert_eq!(new.kept_in_renewal(), old.certificate().kept_in_renewal());
    // A subject key identifier that is no SHA-1 of the key: Go writes such ones since 1.25.
    let own = plain.certificate().subject_key_id.clone().unwrap();
    let mut part = signed_part(plain.certificate());
    let at = part.windows(own.len()).position(|window| window == own).unwrap();
    part[at..at + own.len()].fill(0x5a);
    let new = renew(&signed_anew(&plain, &part), NOW, AFTER).unwrap().certificate;
    assert_eq!(new.subject_key_id, Some(vec![0x5a; own.len()]));
}

#[test]
fn dates_change_their_form_in_2050_and_lose_fractions() {
    let old = authority(PrivateKey::generate(Algorithm::EcdsaP256).unwrap());
    for (not_after, text) in [
        (datetime!(2049-12-31 23:59:59.9 UTC), &b"\x17\x0d491231235959Z"[..]),
        (datetime!(2050-01-01 0:00 UTC), b"\x18\x0f20500101000000Z"),
        (datetime!(9999-12-31 23:59:59 UTC), b"\x18\x0f99991231235959Z"),
    ] {
        let new = renew(&old, NOW, not_after).unwrap().certificate;
        assert!(new.der.windows(text.len()).any(|window| window == text), "{not_after}");
        // And from such a form to another.
        let again = Issuer::new(vec![new], again_of(&old)).unwrap();
        assert_eq!(renew(&again, NOW, AFTER).unwrap().certificate.not_after, AFTER);
    }
    assert!(matches!(renew(&old, AFTER, NOW), Err(CaError::EmptyValidity { .. })));
}

#[test]
fn a_serial_number_in_an_authority_key_identifier_is_seen() {
    let plain = authority(PrivateKey::generate(Algorithm::EcdsaP256).unwrap());
    let id = |fields: &[u8]| extension(&[0x55, 0x1d, 35], &tlv::write(tlv::SEQUENCE, fields));
    for (fields, named) in [
        (&[0x80u8, 1, 7][..], false),
        (&[0x80, 1, 7, 0x82, 1, 5], true),
        (&[0xa1, 2, 0xa4, 0, 0x82, 1, 5], true),
        (&[], false),
    ] {
        let old = signed_part(plain.certificate());
        let one = with_extensions(&plain, &[id(fields)]);
        assert_eq!(one.certificate().names_serial_of_issuer(), named, "{fields:?}");
        assert_ne!(old, signed_part(one.certificate()));
    }
    assert!(!plain.certificate().names_serial_of_issuer());
}
