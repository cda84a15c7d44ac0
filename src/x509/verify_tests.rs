use super::*;
use crate::encoding::certificate::signed;
use crate::encoding::{algorithm as identifier, tlv};
use rcgen::{KeyPair, PublicKeyData as _, RsaKeySize, SigningKey as _};

const RSA: [&str; 3] = ["1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13"];
const ECDSA: [&str; 2] = ["1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3"];

/// Each key with what it signs: every algorithm verifies its own signatures and no others, and one changed bit is noticed.
#[test]
fn each_algorithm_verifies_its_own_signatures_only() {
    let rsa = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let private = rustls_pki_types::PrivateKeyDer::Pkcs8(rsa.serialize_der().into());
    let with = |algorithm| KeyPair::from_der_and_sign_algo(&private, algorithm).unwrap();
    let keys = [
        (rsa, RSA[0]),
        (with(&rcgen::PKCS_RSA_SHA384), RSA[1]),
        (with(&rcgen::PKCS_RSA_SHA512), RSA[2]),
        (KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap(), ECDSA[0]),
        (KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(), ECDSA[1]),
    ];
    let message = tlv::sequence(&[[tlv::NULL, 0]]);
    for (pair, own) in &keys {
        let (spki, signature) = (pair.subject_public_key_info(), pair.sign(&message).unwrap());
        let kind = public_key::read(&spki).unwrap().kind;
        let verify = |message: &[u8], signature: &[u8], stated: &str| {
            let parts = SignedParts { signed: message, algorithm: &[], signature };
            verify_with(&parts, &Oid::new(stated), &kind, &spki)
        };
        for stated in RSA.into_iter().chain(ECDSA) {
            let fits = RSA.contains(&stated) == RSA.contains(own);
            assert_eq!(verify(&message, &signature, stated), fits.then_some(stated == *own), "{own} {stated}");
        }
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert_eq!(verify(&message, &changed, own), Some(false), "{own} {at}");
        }
        assert_eq!(verify(&[0x30, 0], &signature, own), Some(false), "{own}");
        assert_eq!(verify(&message, &signature, "1.2.840.113549.1.1.5"), None, "SHA-1 with {own}");
    }
}

#[test]
fn only_strong_keys_have_an_algorithm() {
    let rsa = |bits| KeyKind::Other(OtherKey::Rsa { bits });
    for (kind, known) in [
        (KeyKind::Known(Algorithm::Rsa4096), true),
        (rsa(1024), false),
        (rsa(2047), false),
        (rsa(2049), true),
        (rsa(8192), true),
        (rsa(8193), false),
        (KeyKind::Known(Algorithm::EcdsaP256), false),
        (KeyKind::Other(OtherKey::Algorithm(Oid::new("1.3.101.112"))), false),
    ] {
        assert_eq!(algorithm(&kind, RSA[0]).is_some(), known, "{kind}");
    }
}

fn fixture(name: &str) -> Certificate {
    let path = format!("{}/fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/{name}", env!("CARGO_MANIFEST_DIR"));
    let pem = std::io::read_to_string(std::fs::File::open(path).unwrap()).unwrap();
    crate::x509::parse_pem_bundle(pem.as_bytes()).unwrap().remove(0)
}

#[test]
fn a_certificate_names_its_issuer_by_name_and_key() {
    let (leaf, issuer, other) = (fixture("apiserver.crt"), fixture("ca.crt"), fixture("etcd/ca.crt"));
    assert_eq!(leaf.signed_by(&issuer), Ok(()));
    assert!(matches!(leaf.signed_by(&other), Err(VerifyError::Name { .. })));
    let renamed = Certificate { subject_der: issuer.subject_der.clone(), ..other.clone() };
    assert!(matches!(leaf.signed_by(&renamed), Err(VerifyError::KeyIdentifier { .. })));
    let claims = Certificate { subject_key_id: None, ..renamed };
    assert_eq!(leaf.signed_by(&claims), Err(VerifyError::Signature));
    let weak = Certificate { key: KeyKind::Other(OtherKey::Rsa { bits: 1024 }), ..issuer.clone() };
    assert!(matches!(leaf.signed_by(&weak), Err(VerifyError::Unsupported { .. })));
    let broken = Certificate {
        der: signed(&[0x30, 0], crate::encoding::certificate::SignatureAlgorithm::EcdsaWithSha256, &[1]),
        ..leaf
    };
    assert_eq!(broken.signed_by(&issuer), Err(VerifyError::Signature));
    assert_eq!(
        Certificate { der: identifier::write(&[1], &[]), ..broken }.signed_by(&issuer),
        Err(VerifyError::Signature)
    );
}
