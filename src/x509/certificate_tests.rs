use super::*;
use crate::x509::parse_pem_bundle;
use proptest::prelude::*;
use time::macros::datetime;

const KUBEADM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm");

fn fixture(path: &str) -> Certificate {
    let pem = std::fs::File::open(format!("{KUBEADM}/{path}")).map(std::io::read_to_string).unwrap().unwrap();
    parse_pem_bundle(pem.as_bytes()).unwrap().remove(0)
}

/// Every file with this extension below the fixtures.
fn files(extension: &str) -> Vec<(String, Vec<u8>)> {
    let files = walkdir::WalkDir::new(KUBEADM).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.path().extension().is_some_and(|found| found == extension));
    let read = |path: &std::path::Path| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::fs::File::open(path).unwrap(), &mut bytes).unwrap();
        bytes
    };
    files.map(|entry| (entry.path().display().to_string(), read(entry.path()))).collect()
}

#[test]
fn every_certificate_kubeadm_made_is_read() {
    let certificates = files("crt");
    assert!(certificates.len() >= 80, "{}", certificates.len());
    for (path, pem) in certificates {
        let found = parse_pem_bundle(&pem).unwrap_or_else(|error| panic!("{path}: {error}"));
        for certificate in found {
            assert_eq!(certificate.version, 3, "{path}");
            assert!(matches!(certificate.key, KeyKind::Known(_)), "{path}");
            assert_eq!(name::write(&certificate.subject).unwrap(), certificate.subject_der, "{path}");
            assert_eq!(name::write(&certificate.issuer).unwrap(), certificate.issuer_der, "{path}");
            assert!(certificate.unknown_critical.is_empty(), "{path}");
            assert_eq!(certificate.to_pem().as_bytes(), pem, "{path}");
            if certificate.is_self_issued() {
                certificate.signed_by(&certificate).unwrap_or_else(|error| panic!("{path}: {error}"));
            }
        }
    }
}

#[test]
fn an_apiserver_certificate_as_facts() {
    let certificate = fixture("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/apiserver.crt");
    let authority = fixture("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/ca.crt");
    assert_eq!(certificate.subject, Name::of("kube-apiserver", &[]));
    assert_eq!(certificate.key_usage, Some(KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT)));
    assert_eq!(certificate.extended_key_usages, [ExtendedKeyUsage::ServerAuth]);
    assert!(certificate.sans.contains(&San::Dns("kubernetes.default.svc".into())));
    assert!(certificate.basic_constraints && !certificate.is_ca && certificate.subject_key_id.is_none());
    assert_eq!(certificate.authority_key_id, authority.subject_key_id);
    assert_eq!(certificate.signature_name(), "ecdsa-with-SHA256");
    assert_eq!(certificate.signed_by(&authority), Ok(()));
    let oids: Vec<_> = certificate.extensions.iter().map(|(oid, critical)| (oid.0.as_ref(), *critical)).collect();
    assert_eq!(
        oids,
        [("2.5.29.15", true), ("2.5.29.37", false), ("2.5.29.19", true), ("2.5.29.35", false), ("2.5.29.17", false)]
    );
    assert!(authority.is_ca && authority.may_sign_certificates() && authority.path_len.is_none());
}

#[test]
fn key_identifiers_are_those_kubeadm_writes() {
    for tree in ["v1.36-default-rsa2048", "v1.36-external-etcd-rsa3072", "v1.36-ha-ecdsa-cp1", "v1.36-dualstack-p384"] {
        let authority = fixture(&format!("{tree}/etc-kubernetes/pki/ca.crt"));
        let ours = crate::x509::key_identifier(&authority.spki_der).unwrap();
        assert_eq!(authority.subject_key_id.as_deref(), Some(&ours[..]), "{tree}");
    }
}

#[test]
fn an_old_authority_with_serial_zero_is_read() {
    let authority = fixture("v1.20-rsa2048/etc-kubernetes/pki/ca.crt");
    assert_eq!((authority.serial.as_slice(), authority.serial_hex().as_str()), (&[0][..], "00"));
    assert!(authority.may_sign_certificates());
    let etcd_client = fixture("v1.20-rsa2048/etc-kubernetes/pki/apiserver-etcd-client.crt");
    assert_eq!(etcd_client.subject.values(&Oid::ORGANIZATION), ["system:masters"]);
}

#[test]
fn bytes_after_inside_or_instead_are_refused() {
    let der = fixture("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/apiserver.crt").der;
    let mut longer = der.clone();
    longer.push(0);
    let (expected, found) = (longer.len() - 1, longer.len());
    assert_eq!(Certificate::parse(&longer), Err(ParseError::Trailing { expected, found }));
    assert_eq!(Certificate::parse(&[]), Err(ParseError::Malformed));
    assert_eq!(Certificate::parse(&vec![0x30; LIMIT + 1]), Err(ParseError::TooLarge { found: LIMIT + 1 }));

    let parts = signed_parts(&der).unwrap();
    let fields = tlv::children(parts.signed, tlv::SEQUENCE).unwrap();
    let rebuild = |signed: &[u8]| tlv::sequence(&[signed, parts.algorithm, &tlv::bit_string(parts.signature)]);
    let raw: Vec<&[u8]> = fields.iter().map(|field| field.raw).collect();
    assert_eq!(rebuild(&tlv::sequence(&raw)), der);

    // A field after the extensions, which a lenient parser never looks at.
    let extra = [raw.as_slice(), &[&[5, 0]]].concat();
    assert!(Certificate::parse(&rebuild(&tlv::sequence(&extra))).is_err());
    // Another algorithm inside than beside.
    let mut other = raw.clone();
    let ed25519 = tlv::sequence(&[&[6, 3, 0x2b, 0x65, 0x70][..]]);
    other[2] = &ed25519;
    assert_eq!(Certificate::parse(&rebuild(&tlv::sequence(&other))), Err(ParseError::SignatureAlgorithm));
    // The same extension twice.
    let extensions = tlv::children(fields[7].content, tlv::SEQUENCE).unwrap();
    let mut twice: Vec<&[u8]> = extensions.iter().map(|extension| extension.raw).collect();
    twice.push(twice[0]);
    let twice = tlv::write(0xa3, &tlv::sequence(&twice));
    let mut other = raw;
    other[7] = &twice;
    let error = Certificate::parse(&rebuild(&tlv::sequence(&other)));
    assert_eq!(error, Err(ParseError::DuplicateExtension(Oid::new("2.5.29.15"))));
}

#[test]
fn a_tampered_certificate_does_not_verify() {
    let certificate = fixture("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.crt");
    let authority = fixture("v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
    assert_eq!(certificate.signed_by(&authority), Ok(()));
    let mut verified = 0;
    for index in 0..certificate.der.len() {
        let mut der = certificate.der.clone();
        der[index] ^= 1;
        if let Ok(tampered) = Certificate::parse(&der) {
            verified += usize::from(tampered.signed_by(&authority).is_ok());
        }
    }
    assert_eq!(verified, 0);
}

#[test]
fn a_bundle_says_which_certificate_is_broken() {
    use crate::encoding::pem;
    use crate::x509::BundleError;
    let der = fixture("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/ca.crt").der;
    let good = pem::write("CERTIFICATE", &der);
    let key = pem::write("EC PRIVATE KEY", &[1, 2, 3]);
    let broken = pem::write("CERTIFICATE", &der[..100]);
    assert_eq!(parse_pem_bundle(format!("{}{}{}", *key, *good, *good).as_bytes()).unwrap().len(), 2);
    assert_eq!(
        parse_pem_bundle(format!("{}{}", *good, *broken).as_bytes()),
        Err(BundleError::Certificate { position: 2, error: ParseError::Truncated { expected: der.len(), found: 100 } })
    );
    assert_eq!(
        parse_pem_bundle(key.as_bytes()),
        Err(BundleError::NoCertificate { found: vec![pem::Label::of(b"EC PRIVATE KEY")], other: None })
    );
}

#[test]
fn validity_has_both_ends() {
    let mut certificate = fixture("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/ca.crt");
    certificate.not_before = datetime!(2026-01-01 0:00 UTC);
    certificate.not_after = datetime!(2027-01-01 0:00 UTC);
    for (at, valid) in [
        (datetime!(2025-12-31 23:59:59 UTC), false),
        (datetime!(2026-01-01 0:00 UTC), true),
        (datetime!(2027-01-01 0:00 UTC), true),
        (datetime!(2027-01-01 0:00:01 UTC), false),
    ] {
        assert_eq!(certificate.is_valid_at(at), valid, "{at}");
    }
}

#[test]
fn every_prefix_is_refused() {
    for path in ["v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/apiserver.crt", "v1.20-rsa2048/etc-kubernetes/pki/ca.crt"] {
        let der = fixture(path).der;
        for end in 0..der.len() {
            assert!(Certificate::parse(&der[..end]).is_err(), "{path} {end}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Certificate::parse(&bytes);
        let _ = Certificate::parse(&tlv::write(tlv::SEQUENCE, &bytes));
        let _ = parse_pem_bundle(&bytes);
    }

    #[test]
    fn any_mutation_is_read_or_refused(flips in prop::collection::vec((0usize..2000, any::<u8>()), 1..4)) {
        let mut der = fixture("v1.36-dualstack-p384/etc-kubernetes/pki/apiserver.crt").der;
        for (index, byte) in flips {
            let index = index % der.len();
            der[index] = byte;
        }
        if let Ok(certificate) = Certificate::parse(&der) {
            // What is read is written back to the same bytes.
            prop_assert_eq!(name::write(&certificate.subject).unwrap(), certificate.subject_der.clone());
            let _ = certificate.signed_by(&certificate);
            let _ = format!("{certificate:?} {} {}", certificate.fingerprint_hex(), certificate.signature_name());
        }
    }
}

/// Never in a parser's words: which part, and where.
#[test]
fn a_broken_certificate_is_told_by_its_part() {
    let der = fixture("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/apiserver.crt").der;
    let parts = signed_parts(&der).unwrap();
    let fields = tlv::children(parts.signed, tlv::SEQUENCE).unwrap();
    let with = |index: usize, raw: &[u8]| {
        let mut all: Vec<&[u8]> = fields.iter().map(|field| field.raw).collect();
        all[index] = raw;
        tlv::sequence(&[tlv::sequence(&all).as_slice(), parts.algorithm, &tlv::bit_string(parts.signature)])
    };
    for (index, raw, part) in [
        (1, &[0x30, 0][..], "serial number"),
        (2, &[5, 0], "signature algorithm"),
        (3, &[5, 0], "issuer name"),
        (4, &[0x30, 0], "validity"),
        (4, &[0x30, 6, 0x17, 1, b'x', 0x17, 1, b'y'], "validity"),
        (5, &[4, 0], "subject name"),
        (6, &[5, 0], "public key"),
    ] {
        let broken = with(index, raw);
        let at = broken.windows(raw.len()).position(|window| window == raw).unwrap();
        let said = Certificate::parse(&broken).unwrap_err().to_string();
        let wanted = format!("expected a certificate with a well-formed {part}");
        assert!(said == format!("{wanted} (at byte {at})") || said == wanted, "{index}: {said}");
    }
    for (bytes, said) in [
        (der[..500].to_vec(), format!("expected a certificate of {} bytes, found 500: its end is missing", der.len())),
        (vec![0x30, 3, 2, 1], "expected a certificate of 5 bytes, found 4: its end is missing".to_owned()),
        (vec![0x30, 3, 2, 1, 7], "expected the DER of one certificate, found something else or more".to_owned()),
        (
            include_bytes!("../../fixtures/convert/modern.p12").to_vec(),
            "expected the DER of one certificate, found a PKCS#12 file (kpki convert --to pem opens it with --password-file)".to_owned(),
        ),
    ] {
        assert_eq!(Certificate::parse(&bytes).unwrap_err().to_string(), said);
    }
}
