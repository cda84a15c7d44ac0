use super::*;
use proptest::prelude::*;

/// RFC 5915 with every optional field, from nothing but lengths and tags: the numbers are no real key.
fn sec1(scalar: &[u8], curve: Option<&[u8]>, point: Option<&[u8]>) -> Vec<u8> {
    let curve = curve.map(|curve| tlv::write(0xa0, &tlv::write(tlv::OBJECT_IDENTIFIER, curve))).unwrap_or_default();
    let point = point.map(|point| tlv::write(0xa1, &tlv::bit_string(point))).unwrap_or_default();
    tlv::sequence(&[tlv::integer(&[1]), tlv::write(tlv::OCTET_STRING, scalar), curve, point])
}

fn pkcs8(version: u8, algorithm: &[u8], parameters: &[u8], key: &[u8], rest: &[u8]) -> Vec<u8> {
    let algorithm = tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, algorithm).as_slice(), parameters]);
    tlv::sequence(&[tlv::integer(&[version]).as_slice(), &algorithm, &tlv::write(tlv::OCTET_STRING, key), rest])
}

fn p256() -> Vec<u8> {
    tlv::write(tlv::OBJECT_IDENTIFIER, public_key::SECP256R1)
}

#[test]
fn sec1_is_written_as_go_writes_it() {
    let full = sec1(&[7; 32], Some(public_key::SECP256R1), Some(&[4; 65]));
    assert_eq!(full[..7], [0x30, 0x77, 2, 1, 1, 4, 32]);
    let key = KeyMaterial::from_der(Container::Sec1, &full).unwrap();
    assert_eq!((key.algorithm(), key.der()), (Algorithm::EcdsaP256, full.as_slice()));
    let full = sec1(&[7; 48], Some(public_key::SECP384R1), Some(&[4; 97]));
    let key = KeyMaterial::from_der(Container::Sec1, &full).unwrap();
    assert_eq!((key.algorithm(), key.der()), (Algorithm::EcdsaP384, full.as_slice()));
}

#[test]
fn every_container_of_one_key_gives_the_same_material() {
    let wanted = sec1(&[7; 32], Some(public_key::SECP256R1), Some(&[4; 65]));
    let bare = sec1(&[7; 32], None, None);
    let attributes = tlv::write(0xa0, &[]);
    let public = tlv::write(0x81, &[&[0][..], &[4; 65]].concat());
    for (container, der) in [
        (Container::Sec1, wanted.clone()),
        (Container::Sec1, sec1(&[7; 32], Some(public_key::SECP256R1), None)),
        (Container::Pkcs8, pkcs8(0, public_key::EC_PUBLIC_KEY, &p256(), &wanted, &[])),
        (Container::Pkcs8, pkcs8(0, public_key::EC_PUBLIC_KEY, &p256(), &bare, &[])),
        (Container::Pkcs8, pkcs8(0, public_key::EC_PUBLIC_KEY, &p256(), &bare, &attributes)),
        (Container::Pkcs8, pkcs8(1, public_key::EC_PUBLIC_KEY, &p256(), &bare, &public)),
        (
            Container::Pkcs8,
            pkcs8(1, public_key::EC_PUBLIC_KEY, &p256(), &bare, &[attributes.clone(), public.clone()].concat()),
        ),
    ] {
        let key = KeyMaterial::from_der(container, &der).unwrap().with_point(&[4; 65]);
        assert_eq!(key.der(), wanted);
    }
}

#[test]
fn a_number_of_another_length_is_brought_to_full_length() {
    for scalar in [&[1, 2][..], &[&[0][..], &[0; 31], &[1, 2]].concat()] {
        let key = KeyMaterial::from_der(Container::Sec1, &sec1(scalar, Some(public_key::SECP256R1), None)).unwrap();
        assert_eq!(key.der()[5..7], [4, 32]);
        assert_eq!(key.der()[37..39], [1, 2]);
    }
    let long = sec1(&[1; 33], Some(public_key::SECP256R1), None);
    assert_eq!(KeyMaterial::from_der(Container::Sec1, &long).unwrap_err(), KeyError::Malformed(Container::Sec1));
}

#[test]
fn what_is_refused_is_named() {
    let ed25519 = pkcs8(0, &[0x2b, 0x65, 0x70], &[], &[4, 1, 1], &[]);
    let dsa = pkcs8(0, &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], &[0x30, 0], &[2, 1, 1], &[]);
    let p521 = sec1(&[1; 66], Some(&[0x2b, 0x81, 4, 0, 35]), None);
    let k256 = pkcs8(0, public_key::EC_PUBLIC_KEY, &[6, 5, 0x2b, 0x81, 4, 0, 10], &sec1(&[1; 32], None, None), &[]);
    let no_curve = sec1(&[1; 32], None, None);
    let two_curves =
        pkcs8(0, public_key::EC_PUBLIC_KEY, &p256(), &sec1(&[1; 32], Some(public_key::SECP384R1), None), &[]);
    let expected = "expected a private key of RSA-2048, RSA-3072, RSA-4096, ECDSA-P256 or ECDSA-P384, found";
    let containers = "expected RSA PRIVATE KEY, EC PRIVATE KEY or PRIVATE KEY, found";
    let inspect = "(kpki inspect shows its kind, convert --to pkcs8 rewrites it)";
    for (label, der, message) in [
        ("PRIVATE KEY", &ed25519[..], format!("{expected} Ed25519")),
        ("PRIVATE KEY", &dsa, format!("{expected} DSA")),
        ("DSA PRIVATE KEY", &[0x30, 18, 2, 1, 0, 2, 1, 127, 2, 1, 5, 2, 1, 3, 2, 1, 4, 2, 1, 2], format!("{expected} DSA-7")),
        ("DSA PRIVATE KEY", &[0x30, 0], format!("{containers} DSA PRIVATE KEY {inspect}")),
        ("EC PRIVATE KEY", &p521, format!("{expected} ECDSA-P521")),
        ("PRIVATE KEY", &k256, format!("{expected} ECDSA-secp256k1")),
        ("EC PRIVATE KEY", &no_curve, "expected a well-formed EC PRIVATE KEY, found broken DER".into()),
        ("PRIVATE KEY", &two_curves, "expected a well-formed PRIVATE KEY, found broken DER".into()),
        ("RSA PRIVATE KEY", &p521, "expected a well-formed RSA PRIVATE KEY, found broken DER".into()),
        (
            "ENCRYPTED PRIVATE KEY",
            &[0x30, 0],
            "expected an unencrypted private key, found an encrypted one (kpki convert --to pkcs8 opens it with --password-file)"
                .into(),
        ),
        ("OPENSSH PRIVATE KEY", b"openssh", format!("{containers} OPENSSH PRIVATE KEY {inspect}")),
        ("CERTIFICATE", &[0x30, 0], "expected a PEM private key, found CERTIFICATE".into()),
    ] {
        let error = KeyMaterial::from_pem(pem::write(label, der).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message, "{label}");
    }
    assert_eq!(KeyMaterial::from_pem(b"").unwrap_err().to_string(), "expected a PEM private key, found no PEM block");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    assert_eq!(KeyMaterial::from_pem(old.as_bytes()).unwrap_err(), KeyError::Encrypted);
}

#[test]
fn what_stands_before_the_key_is_passed_over() {
    let key = sec1(&[7; 32], Some(public_key::SECP256R1), Some(&[4; 65]));
    let text = format!(
        "{}{}{}",
        *pem::write("EC PARAMETERS", &p256()),
        *pem::write("CERTIFICATE", &[0x30, 0]),
        *pem::write("EC PRIVATE KEY", &key)
    );
    let key = KeyMaterial::from_pem(text.as_bytes()).unwrap();
    assert_eq!(key.algorithm(), Algorithm::EcdsaP256);
    assert_eq!(format!("{key:?}"), "KeyMaterial(ECDSA-P256, redacted)");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(der in prop::collection::vec(any::<u8>(), 0..200)) {
        for container in [Container::Pkcs1, Container::Sec1, Container::Pkcs8] {
            let _ = KeyMaterial::from_der(container, &der);
            let _ = KeyMaterial::from_der(container, &tlv::write(tlv::SEQUENCE, &der));
        }
    }

    #[test]
    fn any_mutation_is_read_or_refused(index in 0usize..140, byte in any::<u8>()) {
        let key = sec1(&[7; 32], Some(public_key::SECP256R1), Some(&[4; 65]));
        let mut der = pkcs8(0, public_key::EC_PUBLIC_KEY, &p256(), &key, &[]);
        let index = index % der.len();
        prop_assert!(KeyMaterial::from_der(Container::Pkcs8, &der[..index]).is_err());
        der[index] = byte;
        let _ = KeyMaterial::from_der(Container::Pkcs8, &der);
    }
}
