use super::*;
use crate::blueprint::{Algorithm, Attribute, ExtendedKeyUsage, KeyUsage, Name, Oid, San};
use crate::ca::{PrivateKey, generate_keys};
use crate::encoding::certificate::signed_parts;
use crate::encoding::tlv;
use crate::x509::{Mismatch, VerifyError};
use time::OffsetDateTime;
use time::macros::datetime;

const NOT_BEFORE: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

fn authority(common_name: &str) -> Blueprint {
    Blueprint {
        subject: Name::of(common_name, &[]),
        not_before: NOT_BEFORE,
        not_after: datetime!(2056-11-20 12:00 UTC),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT).and(KeyUsage::KEY_CERT_SIGN),
        extended_key_usages: vec![],
        sans: vec![San::Dns(common_name.into())],
        permitted: Vec::new(),
    }
}

fn leaf(common_name: &str, organizations: &[&str]) -> Blueprint {
    Blueprint {
        subject: Name::of(common_name, organizations),
        not_before: NOT_BEFORE,
        not_after: datetime!(2027-11-20 12:00 UTC),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT),
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
        sans: vec![
            San::Dns("kubernetes.default.svc".into()),
            San::Dns("*.example.com".into()),
            San::Ip("10.96.0.1".parse().unwrap()),
            San::Ip("fd00::1".parse().unwrap()),
        ],
        permitted: vec![],
    }
}

fn issuer(blueprint: &Blueprint, algorithm: Algorithm) -> Issuer {
    let key = PrivateKey::generate(algorithm).unwrap();
    let signed = self_sign(blueprint, &key).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

fn p256() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

#[test]
fn every_algorithm_signs_every_other_and_ring_agrees() {
    let keys = generate_keys(&Algorithm::ALL, 2, &mut |_, _| ()).unwrap();
    for algorithm in Algorithm::ALL {
        let issuer = issuer(&authority("kubernetes"), algorithm);
        for key in &keys {
            let signed = issue(&leaf("kube-apiserver", &["a", "b_c"]), &key.spki_der(), &issuer).unwrap();
            assert!(key.matches(&signed.certificate));
            assert_eq!(signed.certificate.signed_by(issuer.certificate()), Ok(()), "{algorithm}");
            let mut tampered = signed.certificate.der.clone();
            *tampered.last_mut().unwrap() ^= 1;
            let tampered = Certificate::parse(&tampered).unwrap();
            assert_eq!(tampered.signed_by(issuer.certificate()), Err(VerifyError::Signature), "{algorithm}");
        }
    }
}

#[test]
fn extensions_stand_in_kubeadms_order() {
    let issuer = issuer(&authority("kubernetes"), Algorithm::EcdsaP256);
    let order = |certificate: &Certificate| {
        certificate.extensions.iter().map(|(oid, critical)| (oid.to_string(), *critical)).collect::<Vec<_>>()
    };
    let wanted =
        |list: &[(&str, bool)]| list.iter().map(|(oid, critical)| (format!("2.5.29.{oid}"), *critical)).collect();
    let expected: Vec<_> = wanted(&[("15", true), ("19", true), ("14", false), ("17", false)]);
    assert_eq!(order(issuer.certificate()), expected);
    let signed = issue(&leaf("x", &[]), &p256().spki_der(), &issuer).unwrap();
    let expected: Vec<_> =
        wanted(&[("15", true), ("37", false), ("19", true), ("14", false), ("35", false), ("17", false)]);
    assert_eq!(order(&signed.certificate), expected);
    assert_eq!(signed.certificate.authority_key_id, issuer.certificate().subject_key_id);
    assert_eq!(signed.certificate.subject_key_id.as_ref().unwrap().len(), 20);
    assert_eq!(signed.certificate.serial.len(), 16);
    // The only name there is: critical (RFC 5280 section 4.2.1.6).
    let nameless = Blueprint { subject: Name::default(), ..leaf("x", &[]) };
    let signed = issue(&nameless, &p256().spki_der(), &issuer).unwrap();
    assert_eq!(signed.certificate.extensions.last(), Some(&(Oid::new("2.5.29.17"), true)));
}

#[test]
fn a_foreign_issuers_name_is_repeated_byte_for_byte() {
    let attribute = |oid: &str, tag, value: &[u8]| vec![Attribute { oid: Oid::new(oid), tag, value: value.to_vec() }];
    let subject = Name(vec![
        attribute("0.9.2342.19200300.100.1.25", 0x16, b"com"),
        attribute("0.9.2342.19200300.100.1.25", 0x16, b"example"),
        attribute("2.5.4.11", 0x13, b"one"),
        attribute("2.5.4.11", 0x0c, "zw\u{f6}lf".as_bytes()),
        attribute("2.5.4.3", 0x14, &[0x43, 0xc4]),
    ]);
    let blueprint = Blueprint { subject: subject.clone(), sans: vec![], ..authority("x") };
    let issuer = issuer(&blueprint, Algorithm::EcdsaP384);
    assert_eq!(issuer.certificate().subject, subject);
    let signed = issue(&leaf("x", &["one", "two"]), &p256().spki_der(), &issuer).unwrap();
    assert_eq!(signed.certificate.issuer_der, issuer.certificate().subject_der);
    assert_eq!(signed.certificate.subject.to_string(), "O=one+O=two, CN=x");
}

#[test]
fn every_field_of_a_blueprint_survives() {
    let issuer = issuer(&authority("kubernetes"), Algorithm::EcdsaP256);
    let base = leaf("x", &[]);
    for blueprint in [
        Blueprint { sans: vec![], extended_key_usages: vec![], ..base.clone() },
        Blueprint { key_usage: KeyUsage::default(), ..base.clone() },
        Blueprint { key_usage: KeyUsage(0x1ff), ..base.clone() },
        Blueprint { not_after: datetime!(2049-12-31 23:59:59 UTC), ..base.clone() },
        Blueprint { not_after: datetime!(2050-01-01 0:00 UTC), ..base.clone() },
        Blueprint { not_before: datetime!(2026-11-20 13:00:00.5 +1), ..base.clone() },
        Blueprint { role: Role::Authority { path_len: Some(3) }, ..base.clone() },
        Blueprint { extended_key_usages: vec![ExtendedKeyUsage::Other(Oid::new("1.2.3.4"))], ..base.clone() },
        Blueprint {
            sans: vec![
                San::Email("a@example.com".into()),
                San::Uri("spiffe://x/y".into()),
                San::Other(vec![0x88, 1, 0x2a]),
                San::Dns("x".into()),
            ],
            ..base.clone()
        },
        Blueprint { sans: (0..1000).map(|i| San::Dns(format!("n{i}.example.com"))).collect(), ..base.clone() },
    ] {
        let signed = issue(&blueprint, &p256().spki_der(), &issuer).unwrap();
        assert_eq!(compare(&signed.certificate, &blueprint), [], "{blueprint:?}");
    }
}

#[test]
fn peers_take_what_is_issued_for_them() {
    let issuer = issuer(&authority("kubernetes"), Algorithm::EcdsaP256);
    let key = p256().spki_der();
    let now = datetime!(2026-12-01 0:00 UTC);
    let base = leaf("x", &[]);
    let usages = [
        vec![],
        vec![ExtendedKeyUsage::ServerAuth],
        vec![ExtendedKeyUsage::ClientAuth],
        vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
    ];
    for extended_key_usages in usages {
        let blueprint = Blueprint { extended_key_usages, ..base.clone() };
        let signed = issue_for_peers(&blueprint, &key, &issuer, now).unwrap();
        assert_eq!(signed.certificate.signed_by(issuer.certificate()), Ok(()), "{blueprint:?}");
    }
    let late = base.not_after + time::Duration::seconds(1);
    assert!(matches!(
        issue_for_peers(&base, &key, &issuer, late),
        Err(CaError::Peer(crate::x509::ChainError::Expired { .. }))
    ));
    let undialable = Blueprint { sans: vec![San::Dns("a..b".into())], ..base };
    assert!(matches!(issue_for_peers(&undialable, &key, &issuer, now), Err(CaError::Peer(_))));
    issue_for_peers_by(&undialable, &key, &issuer, now, &[]).unwrap();
}

#[test]
fn differences_are_told_apart() {
    let issuer = issuer(&authority("kubernetes"), Algorithm::EcdsaP256);
    let base = leaf("x", &[]);
    let certificate = issue(&base, &p256().spki_der(), &issuer).unwrap().certificate;
    let dns = |name: &str| San::Dns(name.into());
    let mut sans = base.sans.clone();
    let dropped = sans.remove(0);
    sans.push(dns("new"));
    let mut reversed = base.sans.clone();
    reversed.reverse();
    let role = Role::Authority { path_len: None };
    let none = KeyUsage::default();
    let late = datetime!(2028-01-01 0:00 UTC);
    for (blueprint, expected) in [
        (Blueprint { sans, ..base.clone() }, vec![Mismatch::MissingSan(dns("new")), Mismatch::SurplusSan(dropped)]),
        (Blueprint { sans: reversed, ..base.clone() }, vec![Mismatch::Order(compare::ListField::Sans)]),
        (
            Blueprint { subject: Name::of("y", &[]), ..base.clone() },
            vec![Mismatch::Subject { wanted: Name::of("y", &[]), found: Name::of("x", &[]) }],
        ),
        (Blueprint { role, ..base.clone() }, vec![Mismatch::Role { wanted: role, found: Some(Role::EndEntity) }]),
        (
            Blueprint { key_usage: none, ..base.clone() },
            vec![Mismatch::KeyUsage { wanted: none, found: Some(base.key_usage) }],
        ),
        (
            Blueprint { not_after: late, ..base.clone() },
            vec![Mismatch::NotAfter { wanted: late, found: base.not_after }],
        ),
        (
            Blueprint { extended_key_usages: vec![ExtendedKeyUsage::ServerAuth], ..base.clone() },
            vec![Mismatch::SurplusExtendedKeyUsage(ExtendedKeyUsage::ClientAuth)],
        ),
    ] {
        assert_eq!(compare(&certificate, &blueprint), expected);
    }
}

#[test]
fn what_must_not_be_signed_is_refused() {
    let limited = Blueprint { role: Role::Authority { path_len: Some(0) }, ..authority("kubernetes") };
    let issuer = issuer(&limited, Algorithm::EcdsaP256);
    let spki = p256().spki_der();
    let base = leaf("x", &[]);
    let after = datetime!(2056-11-20 12:00:01 UTC);
    let ed25519 = tlv::sequence(&[&tlv::sequence(&[&[6, 3, 0x2b, 0x65, 0x70][..]])[..], &tlv::bit_string(&[1; 32])]);
    let refused = |blueprint: Blueprint, spki: &[u8]| issue(&blueprint, spki, &issuer).unwrap_err().to_string();
    for (found, expected) in [
        (
            refused(Blueprint { not_after: after, ..base.clone() }, &spki),
            "expected a certificate that ends no later than its issuer at 2056-11-20T12:00:00Z, found 2056-11-20T12:00:01Z",
        ),
        (
            refused(Blueprint { not_after: datetime!(2026-11-20 11:00 UTC), ..base.clone() }, &spki),
            "expected an end of validity after its start at 2026-11-20T12:00:00Z, found 2026-11-20T11:00:00Z",
        ),
        (
            refused(authority("sub"), &spki),
            "expected an issuer that allows this authority below it, found the path length 0",
        ),
        (
            refused(base.clone(), &ed25519),
            "expected a key of RSA-2048, RSA-3072, RSA-4096, ECDSA-P256 or ECDSA-P384, found Ed25519",
        ),
        (refused(base.clone(), &spki[1..]), "expected a well-formed public key"),
        (
            refused(Blueprint { sans: vec![San::Dns("b\u{fc}cher".into())], ..base.clone() }, &spki),
            "expected an ASCII subject alternative name, found `b\u{fc}cher`",
        ),
    ] {
        assert_eq!(found, expected);
    }
    let nameless = Blueprint { subject: Name::default(), ..authority("x") };
    assert_eq!(self_sign(&nameless, &p256()), Err(CaError::NamelessAuthority));
}

#[test]
fn an_issuer_is_an_authority_with_its_own_key() {
    let issue_with = issuer(&authority("kubernetes"), Algorithm::EcdsaP256);
    let other = issuer(&authority("other"), Algorithm::EcdsaP256);
    let certificate = |issuer: &Issuer| issuer.certificate().clone();
    let key = || PrivateKey::from_pem(issue_with.key().to_pem().as_bytes()).unwrap();
    let refused = |bundle: Vec<Certificate>, key| Issuer::new(bundle, key).unwrap_err();
    assert_eq!(refused(vec![], key()), CaError::EmptyBundle);
    assert_eq!(refused(vec![certificate(&other)], key()), CaError::KeyMismatch { position: None });
    let bundle = vec![certificate(&other), certificate(&issue_with)];
    assert_eq!(refused(bundle, key()), CaError::KeyMismatch { position: Some(2) });
    let leaf_key = p256();
    let signed = issue(&leaf("x", &[]), &leaf_key.spki_der(), &issue_with).unwrap();
    assert_eq!(refused(vec![signed.certificate], leaf_key), CaError::NotAnAuthority);
    let bundle = Issuer::new(vec![certificate(&issue_with), certificate(&other)], key()).unwrap();
    assert_eq!(bundle.chain().len(), 1);
    assert_eq!(crate::x509::parse_pem_bundle(bundle.bundle_pem().as_bytes()).unwrap().len(), 2);
}

#[test]
fn every_authority_kubeadm_made_can_sign() {
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm");
    let read = |path: &std::path::Path| std::io::read_to_string(std::fs::File::open(path).unwrap()).unwrap();
    let mut authorities = 0;
    for entry in walkdir::WalkDir::new(base).into_iter().map(Result::unwrap) {
        let (path, key) = (entry.path(), entry.path().with_extension("key"));
        if !(path.ends_with("ca.crt") || path.ends_with("front-proxy-ca.crt")) || !key.exists() {
            continue;
        }
        authorities += 1;
        let bundle = crate::x509::parse_pem_bundle(read(path).as_bytes()).unwrap();
        let issuer = Issuer::new(bundle, PrivateKey::from_pem(read(&key).as_bytes()).unwrap()).unwrap();
        let not_after = issuer.certificate().not_after;
        let blueprint = Blueprint { not_before: issuer.certificate().not_before, not_after, ..leaf("x", &["y"]) };
        issue(&blueprint, &p256().spki_der(), &issuer).unwrap();
    }
    assert!(authorities >= 18, "{authorities}");
}

#[test]
fn a_path_over_an_intermediate_obeys_its_limits() {
    use crate::x509::{ChainError, Usage, verify_for};
    let root_key = PrivateKey::generate(Algorithm::EcdsaP384).unwrap();
    let signed_root = |path_len| {
        let blueprint = Blueprint { role: Role::Authority { path_len }, sans: vec![], ..authority("root") };
        self_sign(&blueprint, &root_key).unwrap().certificate
    };
    let key = || PrivateKey::from_pem(root_key.to_pem().as_bytes()).unwrap();
    let root = Issuer::new(vec![signed_root(None)], key()).unwrap();
    let middle_key = p256();
    let middle = issue(&authority("middle"), &middle_key.spki_der(), &root).unwrap().certificate;
    let middle_issuer = Issuer::new(vec![middle.clone(), root.certificate().clone()], middle_key).unwrap();
    let leaf = issue(&leaf("x", &[]), &p256().spki_der(), &middle_issuer).unwrap().certificate;

    let check = |middle: &[Certificate], root: &Certificate| verify_for(&leaf, middle, root, Usage::Client, NOT_BEFORE);
    let both = std::slice::from_ref(&middle);
    assert_eq!(check(both, root.certificate()), Ok(()));
    assert_eq!(check(&[], root.certificate()), Err(ChainError::UnknownIssuer));
    assert_eq!(check(both, &signed_root(Some(1))), Ok(()));
    assert_eq!(check(both, &signed_root(Some(0))), Err(ChainError::PathLength { allowed: 0, found: 1 }));
    // An intermediate without keyCertSign, which webpki would take.
    let powerless = Blueprint { key_usage: KeyUsage::DIGITAL_SIGNATURE, ..authority("middle") };
    let powerless = issue(&powerless, &middle.spki_der, &root).unwrap().certificate;
    assert_eq!(check(&[powerless], root.certificate()), Err(ChainError::UnknownIssuer));
    assert_eq!(leaf.signed_by(&middle), Ok(()));
    assert!(matches!(leaf.signed_by(root.certificate()), Err(VerifyError::Name { .. })));
}

/// An independent writer: what rcgen can say at all, it says in the same bytes.
#[test]
fn rcgen_writes_the_same_fields() {
    use rcgen::string::PrintableString;
    let issuer = issuer(&authority("kubernetes"), Algorithm::EcdsaP256);
    let key = p256();
    let blueprint = Blueprint { not_after: datetime!(2051-02-03 04:05:06 UTC), ..leaf("x", &["system:masters"]) };
    let ours = issue(&blueprint, &key.spki_der(), &issuer).unwrap().certificate;

    let mut params = rcgen::CertificateParams::default();
    params.serial_number = Some(ours.serial.clone().into());
    (params.not_before, params.not_after) = (blueprint.not_before, blueprint.not_after);
    params.distinguished_name = rcgen::DistinguishedName::new();
    let printable = |text| rcgen::DnValue::PrintableString(PrintableString::try_from(text).unwrap());
    params.distinguished_name.push(rcgen::DnType::OrganizationName, printable("system:masters"));
    params.distinguished_name.push(rcgen::DnType::CommonName, printable("x"));
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature, rcgen::KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages =
        vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(ours.subject_key_id.clone().unwrap());
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = blueprint.sans.iter().map(rcgen_san).collect();

    let mut above = rcgen::CertificateParams::default();
    above.distinguished_name = rcgen::DistinguishedName::new();
    above.distinguished_name.push(rcgen::DnType::CommonName, printable("kubernetes"));
    above.key_identifier_method =
        rcgen::KeyIdMethod::PreSpecified(issuer.certificate().subject_key_id.clone().unwrap());
    let der = issuer.key().to_pem();
    let material = crate::encoding::key::KeyMaterial::from_pem(der.as_bytes()).unwrap().der().to_vec();
    let private = rustls_pki_types::PrivateKeyDer::Sec1(material.into());
    let signer = rcgen::KeyPair::from_der_and_sign_algo(&private, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let private = crate::encoding::key::KeyMaterial::from_pem(key.to_pem().as_bytes()).unwrap().der().to_vec();
    let private = rustls_pki_types::PrivateKeyDer::Sec1(private.into());
    let subject = rcgen::KeyPair::from_der_and_sign_algo(&private, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let theirs = params.signed_by(&subject, &rcgen::Issuer::new(above, signer)).unwrap();

    let fields = |der: &[u8]| -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let fields = tlv::children(signed_parts(der).unwrap().signed, tlv::SEQUENCE).unwrap();
        let (extensions, fields) = fields.split_last().unwrap();
        let extensions = tlv::children(extensions.content, tlv::SEQUENCE).unwrap();
        let raw = |elements: &[tlv::Element<'_>]| elements.iter().map(|element| element.raw.to_vec()).collect();
        let mut extensions: Vec<Vec<u8>> = raw(&extensions);
        extensions.sort();
        (raw(fields), extensions)
    };
    let (our_fields, our_extensions) = fields(&ours.der);
    let (their_fields, their_extensions) = fields(theirs.der());
    assert_eq!(our_fields, their_fields);
    // Sorted: rcgen orders extensions its own way.
    assert_eq!(our_extensions, their_extensions);
}

fn rcgen_san(san: &San) -> rcgen::SanType {
    match san {
        San::Dns(name) => rcgen::SanType::DnsName(name.as_str().try_into().unwrap()),
        San::Ip(address) => rcgen::SanType::IpAddress(*address),
        _ => panic!("not in this test"),
    }
}
