use super::*;
use crate::blueprint::{Algorithm, ExtendedKeyUsage, KeyUsage, Name, Role, San, Subtree};
use crate::ca::PrivateKey;
use time::macros::datetime;

fn blueprint() -> Blueprint {
    Blueprint {
        subject: Name::of("kube-apiserver", &["a", "b_c"]),
        not_before: datetime!(2026-11-20 12:00 UTC),
        not_after: datetime!(2027-11-20 12:00 UTC),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT),
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
        sans: vec![San::Dns("kubernetes".into()), San::Ip("10.96.0.1".parse().unwrap())],
        permitted: Vec::new(),
    }
}

#[test]
fn a_request_asks_for_what_its_blueprint_says() {
    let authority = Blueprint {
        role: Role::Authority { path_len: Some(0) },
        key_usage: KeyUsage::KEY_CERT_SIGN,
        extended_key_usages: vec![],
        permitted: vec![Subtree::Dns(".example.com".into())],
        ..blueprint()
    };
    let bare = Blueprint { sans: vec![], extended_key_usages: vec![], key_usage: KeyUsage::default(), ..blueprint() };
    for algorithm in [Algorithm::Rsa2048, Algorithm::EcdsaP256, Algorithm::EcdsaP384] {
        let key = PrivateKey::generate(algorithm).unwrap();
        for wanted in [blueprint(), authority.clone(), bare.clone()] {
            let made = request(&wanted, &key).unwrap();
            assert_eq!(Request::read_file(made.pem.as_bytes()), Ok(vec![made.request.clone()]));
            assert!(asks_for(&made.request, &wanted) && key.made(&made.request));
            let other = Blueprint { sans: vec![San::Dns("other".into())], ..wanted.clone() };
            assert!(!asks_for(&made.request, &other));
            let other =
                Blueprint { sans: wanted.sans.clone(), permitted: vec![Subtree::Dns("other".into())], ..wanted };
            assert!(!asks_for(&made.request, &other));
            assert!(!PrivateKey::generate(Algorithm::EcdsaP256).unwrap().made(&made.request));
        }
    }
}
