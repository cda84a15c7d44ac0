use super::*;
use crate::encoding::key::KeyError;
use crate::encoding::pem;
use crate::encoding::public_key::OtherKey;
use crate::x509::parse_pem_bundle;
use proptest::prelude::*;

const KUBEADM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm");

fn read(path: &std::path::Path) -> String {
    std::io::read_to_string(std::fs::File::open(path).unwrap()).unwrap()
}

#[test]
fn every_key_kubeadm_made_is_read_and_written_back_byte_for_byte() {
    let mut keys = 0;
    for entry in walkdir::WalkDir::new(KUBEADM).into_iter().map(Result::unwrap) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "key") {
            continue;
        }
        keys += 1;
        let text = read(path);
        let key = PrivateKey::from_pem(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(key.to_pem().as_str(), text, "{}", path.display());
        if path.file_name().is_some_and(|name| name == "sa.key") {
            assert_eq!(key.public_pem(), read(&path.with_extension("pub")), "{}", path.display());
        }
        let certificate = path.with_extension("crt");
        if certificate.exists() {
            let certificate = parse_pem_bundle(read(&certificate).as_bytes()).unwrap().remove(0);
            assert!(key.matches(&certificate), "{}", path.display());
        }
    }
    assert!(keys >= 100, "{keys}");
}

#[test]
fn a_made_key_has_its_kind_and_reads_back() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let text = key.to_pem();
        let label = if algorithm.is_rsa() { "RSA PRIVATE KEY" } else { "EC PRIVATE KEY" };
        assert!(text.starts_with(&format!("-----BEGIN {label}-----\n")), "{algorithm}");
        let again = PrivateKey::from_pem(text.as_bytes()).unwrap();
        assert_eq!((again.algorithm(), again.spki_der()), (algorithm, key.spki_der()));
        assert_eq!(*again.to_pem(), *text);
        assert_eq!(public_key::read(&key.spki_der()).unwrap().kind, public_key::KeyKind::Known(algorithm));
        assert_eq!(format!("{key:?}"), format!("PrivateKey({algorithm}, redacted)"));
    }
}

#[test]
fn a_pkcs8_container_gives_the_same_key() {
    for algorithm in [Algorithm::Rsa2048, Algorithm::EcdsaP256, Algorithm::EcdsaP384] {
        let pair = match algorithm {
            Algorithm::Rsa2048 => KeyPair::generate_rsa_for(library(algorithm), RsaKeySize::_2048),
            _ => KeyPair::generate_for(library(algorithm)),
        }
        .unwrap();
        let text = pem::write("PRIVATE KEY", pair.serialized_der());
        let key = PrivateKey::from_pem(text.as_bytes()).unwrap();
        assert_eq!((key.algorithm(), key.spki_der()), (algorithm, pair.subject_public_key_info()));
        assert_eq!(PrivateKey::from_pem(key.to_pem().as_bytes()).unwrap().spki_der(), key.spki_der());
    }
}

#[test]
fn keys_of_other_kinds_are_refused_by_name() {
    for (found, library) in [("Ed25519", &rcgen::PKCS_ED25519), ("ECDSA-P521", &rcgen::PKCS_ECDSA_P521_SHA512)] {
        let pair = KeyPair::generate_for(library).unwrap();
        let text = pem::write("PRIVATE KEY", pair.serialized_der());
        let error = PrivateKey::from_pem(text.as_bytes()).unwrap_err();
        assert!(error.to_string().ends_with(&format!("found {found}")), "{error}");
    }
}

#[test]
fn numbers_that_do_not_fit_together_are_refused() {
    // The point of another key in the container.
    let (one, other) = (PrivateKey::generate(Algorithm::EcdsaP256), PrivateKey::generate(Algorithm::EcdsaP256));
    let (one, other) = (one.unwrap().to_pem(), other.unwrap());
    let mixed = KeyMaterial::from_pem(one.as_bytes()).unwrap().with_point(other.pair.der_bytes());
    let error = PrivateKey::from_pem(mixed.to_pem().as_bytes()).unwrap_err();
    assert_eq!(error, CaError::InvalidKey(Algorithm::EcdsaP256));

    // A flipped bit in the middle of every number of an RSA key.
    let der = KeyMaterial::from_pem(PrivateKey::generate(Algorithm::Rsa2048).unwrap().to_pem().as_bytes()).unwrap();
    let der = der.der();
    for position in [100, 400, 600, 750, 900, 1000, 1150] {
        let mut broken = der.to_vec();
        broken[position] ^= 0x10;
        let text = pem::write("RSA PRIVATE KEY", &broken);
        assert!(PrivateKey::from_pem(text.as_bytes()).is_err(), "{position}");
    }
}

#[test]
fn odd_rsa_sizes_are_refused_by_size() {
    // RSAPrivateKey with a modulus of 2560 bits: refused before any number is looked at.
    use crate::encoding::tlv;
    let modulus = tlv::integer(&[0xff; 320]);
    let one = tlv::integer(&[1]);
    let der = tlv::sequence(&[&tlv::integer(&[]), &modulus, &one, &one, &one, &one, &one, &one, &one]);
    let error = PrivateKey::from_pem(pem::write("RSA PRIVATE KEY", &der).as_bytes()).unwrap_err();
    assert_eq!(error, CaError::Key(KeyError::Unsupported(OtherKey::Rsa { bits: 2560 })));
}

#[test]
fn keys_are_made_in_order_on_any_number_of_threads() {
    use Algorithm::{EcdsaP256, EcdsaP384, Rsa2048};
    let wanted = [EcdsaP384, EcdsaP256, Rsa2048, EcdsaP256, EcdsaP384, EcdsaP256];
    for threads in [0, 1, 2, 8] {
        let keys = generate_keys(&wanted, threads, &mut |_, _| ()).unwrap();
        assert_eq!(keys.iter().map(PrivateKey::algorithm).collect::<Vec<_>>(), wanted);
    }
}

proptest! {
    #[test]
    fn any_mutation_of_a_key_is_read_or_refused(position in 0usize..2000, byte in any::<u8>(), tree in 0usize..2) {
        let tree = ["v1.36-ha-ecdsa-cp1", "v1.36-default-rsa2048"][tree];
        let path = format!("{KUBEADM}/{tree}/etc-kubernetes/pki/ca.key");
        let text = read(std::path::Path::new(&path));
        let blocks = pem::read(text.as_bytes()).unwrap();
        let mut der = blocks[0].contents.to_vec();
        let position = position % der.len();
        prop_assert!(PrivateKey::from_pem(pem::write(blocks[0].label.known().unwrap(), &der[..position]).as_bytes()).is_err());
        der[position] = byte;
        let _ = PrivateKey::from_pem(pem::write(blocks[0].label.known().unwrap(), &der).as_bytes());
        let mut bytes = text.into_bytes();
        bytes[position] = byte;
        let _ = PrivateKey::from_pem(&bytes);
    }
}
