use super::*;
use crate::encoding::certificate::signed_parts;

use crate::x509::Crl;
use crate::x509::path::{self, Dates, Links, PathError, ValidationInput, Violation, validate};
use crate::x509::policies::PolicyInput;
use crate::x509::verify::{Algorithms, VerifyError, is_signature_of, verify_with};
use std::io::Read as _;
use time::OffsetDateTime;
use time::macros::datetime;

const AT: OffsetDateTime = datetime!(2026-11-28 12:00 UTC);

fn file(path: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = Vec::new();
    std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn certificate(path: &str) -> Certificate {
    Certificate::parse(&file(path)).unwrap()
}

fn own(name: &str) -> Certificate {
    certificate(&format!("dsa/{name}.crt"))
}

fn nist(name: &str) -> Certificate {
    certificate(&format!("pkits/certs/{name}.crt"))
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// r and s as a signature.
fn signature(r: &BigUint, s: &BigUint) -> Vec<u8> {
    tlv::sequence(&[r, s].map(|one| tlv::integer(&one.to_bytes_be())))
}

fn numbers(signature: &[u8]) -> [BigUint; 2] {
    let [r, s] = tlv::children(signature, tlv::SEQUENCE).unwrap().try_into().unwrap();
    [r, s].map(|one| number(one).unwrap())
}

fn spki(key: &Key) -> Vec<u8> {
    let integer = |number: &BigUint| tlv::integer(&number.to_bytes_be());
    let parameters = tlv::sequence(&[&key.p, &key.q, &key.g].map(integer));
    tlv::sequence(&[algorithm::write(DSA, &parameters), tlv::bit_string(&integer(&key.y))])
}

/// Every size with hashes longer and shorter than q; one bit more or less in the message, in r or in s is noticed.
#[test]
fn each_size_verifies_its_own_signatures_only() {
    let all = ["1024-160-sha1", "2048-224-sha256", "2048-256-sha384", "3072-256-sha512", "3072-256-sha1"].map(own);
    for one in &all {
        let parts = signed_parts(&one.der).unwrap();
        let (oid, key) = (&one.signature_algorithm, &one.spki_der);
        let with = |signed: &[u8], signature: &[u8]| verify(&SignedParts { signed, signature, ..parts }, oid, key);
        assert_eq!(with(parts.signed, parts.signature), Some(true), "{}", one.subject);
        for at in [0, parts.signed.len() / 2, parts.signed.len() - 1] {
            assert_eq!(with(&flipped(parts.signed, at), parts.signature), Some(false), "{} {at}", one.subject);
        }
        for at in 0..parts.signature.len() {
            assert_eq!(with(parts.signed, &flipped(parts.signature, at)), Some(false), "{} {at}", one.subject);
        }
        for other in all.iter().filter(|other| other.der != one.der) {
            assert_eq!(verify(&parts, oid, &other.spki_der), Some(false), "{} {}", one.subject, other.subject);
            let same_hash = other.signature_algorithm == *oid;
            assert_eq!(verify(&parts, &other.signature_algorithm, key), Some(same_hash), "{}", one.subject);
        }
    }
}

/// FIPS 186-4 section 4.7: r and s are above 0 and below q; and the frame around them is DER and nothing else.
#[test]
fn signatures_are_two_numbers_in_their_range() {
    let one = own("2048-256-sha384");
    let parts = signed_parts(&one.der).unwrap();
    let key = Key::read(&one.spki_der).unwrap();
    let [r, s] = numbers(parts.signature);
    let with = |signature: &[u8]| verify(&SignedParts { signature, ..parts }, &one.signature_algorithm, &one.spki_der);
    let zero = BigUint::ZERO;
    assert_eq!(with(&signature(&r, &s)), Some(true));
    for (r, s) in [(&zero, &s), (&r, &zero), (&zero, &zero), (&key.q, &s), (&r, &key.q)] {
        assert_eq!(with(&signature(r, s)), Some(false), "{r} {s}");
    }
    // Equal modulo q.
    assert_eq!(with(&signature(&(&r + &key.q), &s)), Some(false));
    assert_eq!(with(&signature(&r, &(&s + &key.q))), Some(false));
    // The other half of the pair that ECDSA would take.
    assert_eq!(with(&signature(&r, &(&key.q - &s))), Some(false));
    let integer = |number: &BigUint| tlv::integer(&number.to_bytes_be());
    let negative = |number: &BigUint| tlv::write(tlv::INTEGER, &[&[0xff], number.to_bytes_be().as_slice()].concat());
    for (what, broken) in [
        ("nothing", vec![]),
        ("one", tlv::sequence(&[integer(&r)])),
        ("three", tlv::sequence(&[integer(&r), integer(&s), integer(&s)])),
        ("negative", tlv::sequence(&[integer(&r), negative(&s)])),
        ("padded", tlv::sequence(&[tlv::write(tlv::INTEGER, &[0, 0, 1]), integer(&s)])),
        ("another type", tlv::sequence(&[tlv::write(tlv::OCTET_STRING, &r.to_bytes_be()), integer(&s)])),
        ("trailing", [signature(&r, &s), vec![0]].concat()),
        ("raw", [r.to_bytes_be(), s.to_bytes_be()].concat()),
    ] {
        assert_eq!(with(&broken), Some(false), "{what}");
    }
}

/// Nothing is computed with parameters of another size or out of range, so that no number makes it slow or stop.
#[test]
fn keys_are_of_a_known_size_and_in_range() {
    let one = own("2048-256-sha384");
    let parts = signed_parts(&one.der).unwrap();
    let whole = || Key::read(&one.spki_der).unwrap();
    let with = |key: &Key| verify(&parts, &one.signature_algorithm, &spki(key));
    let (zero, small) = (BigUint::ZERO, BigUint::from(1u8));
    assert_eq!(with(&whole()), Some(true));
    for (what, key) in [
        ("q of 255 bits", Key { q: whole().q >> 1, ..whole() }),
        ("q of 257 bits", Key { q: whole().q << 1, ..whole() }),
        ("q of 224 bits less one", Key { q: whole().q >> 33, ..whole() }),
        ("q is 0", Key { q: zero.clone(), ..whole() }),
        ("q is 1", Key { q: small.clone(), ..whole() }),
        ("q is p", Key { q: whole().p, ..whole() }),
        ("p of 2047 bits", Key { p: whole().p >> 1, ..whole() }),
        ("p of 3073 bits", Key { p: whole().p << 1025, ..whole() }),
        ("p of 1 Mbit", Key { p: whole().p << 1_000_000, ..whole() }),
        ("p is 0", Key { p: zero.clone(), ..whole() }),
        ("g is 0", Key { g: zero.clone(), ..whole() }),
        ("g is 1", Key { g: small.clone(), ..whole() }),
        ("g is p", Key { g: whole().p, ..whole() }),
        ("y is 0", Key { y: zero.clone(), ..whole() }),
        ("y is 1", Key { y: small.clone(), ..whole() }),
        ("y is p", Key { y: whole().p, ..whole() }),
    ] {
        assert_eq!(with(&key), None, "{what}");
    }
    // Of the right size, but no primes.
    for (what, key) in [
        ("q is even", Key { q: whole().q - &small, ..whole() }),
        ("p is even", Key { p: whole().p - &small, ..whole() }),
        ("another key", Key { y: whole().y - &small, ..whole() }),
    ] {
        assert_eq!(with(&key), Some(false), "{what}");
    }
    for name in ["1024-224-sha256", "2048-256-sha224"] {
        let one = own(name);
        assert_eq!(verify(&signed_parts(&one.der).unwrap(), &one.signature_algorithm, &one.spki_der), None, "{name}");
    }
    let root = nist("TrustAnchorRootCertificate");
    assert_eq!(verify(&signed_parts(&root.der).unwrap(), &root.signature_algorithm, &root.spki_der), None);
    assert_eq!(verify(&parts, &one.signature_algorithm, &root.spki_der), None, "DSA by a key of RSA");
}

fn input<'a>(links: Links, anchor: &'a Certificate, intermediates: &'a [Certificate]) -> ValidationInput<'a> {
    let anchors = std::slice::from_ref(anchor);
    let policies = PolicyInput::default();
    ValidationInput { anchors, intermediates, at: AT, links, dates: Dates::All, policies, revocation: None }
}

/// NIST's key without parameters has those of the key above it, and of no other.
#[test]
fn parameters_are_inherited_along_the_path() {
    let (root, above) = (nist("TrustAnchorRootCertificate"), nist("DSACACert"));
    let heir = nist("DSAParametersInheritedCACert");
    let leaf = nist("ValidDSAParameterInheritanceTest5EE");
    assert_eq!((is_heir(&heir), is_heir(&above), is_heir(&root)), (true, false, false));
    let kinds = |path: &[&Certificate]| inherited(path).iter().map(|one| one.key.to_string()).collect::<Vec<_>>();
    // The leaf's own key is an heir, too, of what its issuer has inherited.
    assert_eq!(kinds(&[&root, &above, &heir, &leaf]), ["RSA-2048", "DSA-1024", "DSA-1024", "DSA-1024"]);
    assert_eq!(kinds(&[&root, &heir, &above]), ["RSA-2048", "DSA", "DSA-1024"]);
    assert_eq!(kinds(&[&heir, &leaf]), ["DSA", "DSA"]);
    let all = inherited(&[&above, &heir, &leaf]);
    let whole = &all[1];
    assert_eq!((&whole.der, &whole.subject), (&heir.der, &heir.subject));
    // NULL is no parameters (RFC 5280 section 6.1.4 (e)).
    let (_, bits) = parts(&heir.spki_der).unwrap();
    let spki_der = tlv::sequence(&[algorithm::write(DSA, &[tlv::NULL, 0]).as_slice(), bits.raw]);
    let null = Certificate { key: key_kind(&spki_der).unwrap(), spki_der, ..heir.clone() };
    assert_eq!(inherited(&[&above, &null])[1].spki_der, whole.spki_der);

    let intermediates = [heir.clone(), above.clone()];
    assert!(validate(&leaf, input(Links::Rfc5280, &root, &intermediates)).is_ok());
    // Its parameters stand in the path only.
    let error = validate(&leaf, input(Links::Rfc5280, &heir, &[])).unwrap_err();
    assert!(error.to_string().ends_with("found algorithm 1.2.840.10040.4.3 with a key of DSA"), "{error}");
    // Those of another key verify nothing.
    let strange = Certificate { spki_der: own("1024-160-sha1").spki_der, ..above };
    assert!(validate(&leaf, input(Links::Rfc5280, &strange, &[heir])).is_err());
}

/// PKITS 4.1.6 is no DER to begin with (its BIT STRING has unused bits); the signature inside is none either.
#[test]
fn nists_broken_signature_does_not_verify() {
    let der = file("pkits/certs/InvalidDSASignatureTest6EE.crt");
    assert!(signed_parts(&der).is_err());
    let parts = tlv::children(&der, tlv::SEQUENCE).unwrap();
    let [signed, algorithm, bits] = parts.as_slice() else { panic!() };
    let (found, _) = tlv::first(&bits.content[1..]).unwrap();
    let [r, s] = [0, 1].map(|at| tlv::children(found.raw, tlv::SEQUENCE).unwrap()[at]);
    assert!(tlv::unsigned(s).is_ok() && tlv::unsigned(r).is_ok());
    let parts = SignedParts { signed: signed.raw, algorithm: algorithm.raw, signature: found.raw };
    let issuer = nist("DSACACert");
    assert_eq!(verify(&parts, &Oid::new("1.2.840.10040.4.3"), &issuer.spki_der), Some(false));
}

/// What judges for Kubernetes says what it said before.
#[test]
fn kubernetes_refuses_what_rfc_5280_accepts() {
    let (root, issuer, leaf) =
        (nist("TrustAnchorRootCertificate"), nist("DSACACert"), nist("ValidDSASignaturesTest4EE"));
    let list = file("pkits/crls/DSACACRL.crl");
    let crl = Crl::parse(&list).unwrap();
    let signature = Oid::new("1.2.840.10040.4.3");
    let refused = VerifyError::Unsupported { key: issuer.key.clone(), signature: signature.clone() };
    let words =
        "expected a signature this program can verify, found algorithm 1.2.840.10040.4.3 with a key of DSA-1024";
    assert_eq!(refused.to_string(), words);

    assert_eq!(leaf.issued_with(&issuer, Algorithms::Rfc5280), Ok(()));
    assert_eq!(leaf.issued_with(&issuer, Algorithms::Kubernetes), Err(refused.clone()));
    assert_eq!(leaf.issued_by(&issuer), Err(refused.clone()));
    assert_eq!(leaf.signed_by(&issuer), Err(refused.clone()));
    assert_eq!(crl.signed_with(&list, &issuer, Algorithms::Rfc5280), Ok(()));
    assert_eq!(crl.signed_by(&list, &issuer), Err(refused.clone()));
    assert_eq!(is_signature_of(&leaf.der, &signature, &issuer.spki_der), None);
    assert_eq!(verify_with(&signed_parts(&leaf.der).unwrap(), &signature, &issuer.key, &issuer.spki_der), None);

    let intermediates = [issuer];
    assert!(validate(&leaf, input(Links::Rfc5280, &root, &intermediates)).is_ok());
    let exact = validate(&leaf, input(Links::Exact, &root, &intermediates)).unwrap_err();
    let anchors = [root];
    assert_eq!(path::judge(&leaf, &intermediates, &anchors, AT).unwrap_err(), exact);
    let PathError::Invalid { violation, .. } = exact else { panic!("{exact}") };
    assert_eq!(violation, Violation::Signature(refused));
}
