//! What OpenSSL and keytool wrote is read; what is written is read back; what is neither is refused in bounded time.

use proptest::prelude::*;

use super::*;
use crate::encoding::found::is_pkcs12;
use crate::encoding::{pem, tlv};
use crate::encrypted::EncryptionError;
use crate::encrypted::budget::MOST_ITERATIONS;
use crate::encrypted::pkcs12::content::Opened;

#[allow(clippy::disallowed_methods)] // fixtures
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/convert/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn certificate(name: &str) -> Vec<u8> {
    pem::read(&fixture(name)).unwrap()[0].contents.to_vec()
}

fn certificates(opened: &Opened) -> Vec<Vec<u8>> {
    let found = opened.bags.iter().filter_map(|bag| match &bag.content {
        Content::Certificate(der) => Some(der.clone()),
        _ => None,
    });
    found.collect()
}

fn keys(opened: &Opened) -> Vec<Vec<u8>> {
    let found = opened.bags.iter().filter_map(|bag| match &bag.content {
        Content::Key(der) => Some(der.to_vec()),
        _ => None,
    });
    found.collect()
}

#[test]
fn what_others_wrote_is_read() {
    let chain: Vec<_> = ["leaf.crt", "intermediate.crt", "root.crt"].map(certificate).to_vec();
    for (name, password, checked) in [
        ("modern.p12", Some("secret"), true),
        ("legacy.p12", Some("secret"), true),
        ("empty-password.p12", None, true),
        ("empty-password.p12", Some(""), true),
        ("umlaut.p12", Some("gehéim"), true),
        ("no-mac.p12", Some("secret"), false),
        ("plain.p12", Some("secret"), true),
        ("sha512-mac.p12", Some("secret"), true),
        ("keytool.p12", Some("secret2"), true),
    ] {
        let file = fixture(name);
        assert!(is_pkcs12(&file), "{name}");
        let opened = open(&file, password).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(opened.checked, checked, "{name}");
        assert_eq!(certificates(&opened), chain, "{name}");
        assert_eq!(keys(&opened), [fixture("leaf.pkcs8.der")], "{name}");
        let named: Vec<_> = opened.bags.iter().filter(|bag| bag.friendly_name.as_deref() == Some("web")).collect();
        assert_eq!(named.len(), 2, "{name}");
        assert!(named[0].local_key_id.is_some() && named[0].local_key_id == named[1].local_key_id, "{name}");
    }
    let trusted = open(&fixture("trusted.p12"), Some("secret")).unwrap();
    assert_eq!((certificates(&trusted), keys(&trusted).len()), (vec![certificate("root.crt")], 0));
}

#[test]
fn a_wrong_password_is_an_error_of_its_own() {
    for name in ["modern.p12", "legacy.p12", "keytool.p12", "no-mac.p12", "plain.p12"] {
        for password in [Some("other"), Some("secre"), Some("Secret"), None, Some("")] {
            assert_eq!(open(&fixture(name), password), Err(EncryptionError::WrongPassword), "{name} {password:?}");
        }
    }
}

fn random(fill: u8) -> Random {
    Random { certificates: ([fill; 16], [fill + 1; 16]), key: ([fill + 2; 16], [fill + 3; 16]), mac: [fill + 4; 16] }
}

fn content() -> Vec<Bag> {
    let bag = |content| Bag { content, friendly_name: Some("wéb 🌐".to_owned()), local_key_id: Some(vec![1, 2]) };
    vec![
        bag(Content::Certificate(certificate("leaf.crt"))),
        Bag { content: Content::Certificate(certificate("root.crt")), friendly_name: None, local_key_id: None },
        Bag { content: Content::Crl(certificate("root.crl")), friendly_name: None, local_key_id: None },
        bag(Content::Key(fixture("leaf.pkcs8.der").into())),
    ]
}

#[test]
fn what_is_written_is_read_back() {
    for strength in [Strength::Modern, Strength::Legacy] {
        for password in ["secret", "", "gehéim 🔑"] {
            let file = seal(&content(), password, strength, &random(7)).unwrap();
            assert!(is_pkcs12(&file));
            let opened = open(&file, Some(password)).unwrap();
            assert_eq!(opened, Opened { bags: content(), checked: true }, "{strength:?} {password}");
            assert_eq!(open(&file, Some("other")), Err(EncryptionError::WrongPassword));
        }
    }
}

#[test]
fn one_changed_octet_is_noticed() {
    let file = fixture("sha512-mac.p12");
    for at in (0..file.len()).step_by(7) {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        assert_ne!(open(&changed, Some("secret")), open(&file, Some("secret")), "{at}");
    }
}

#[test]
fn every_prefix_is_refused() {
    for name in ["modern.p12", "legacy.p12", "keytool.p12", "trusted.p12"] {
        let file = fixture(name);
        for length in 0..file.len() {
            let error = open(&file[..length], Some("secret")).unwrap_err();
            let (cut, broken) =
                (EncryptionError::Truncated("PKCS#12 file"), EncryptionError::Malformed("PKCS#12 file"));
            // Of less than a header nothing says how long it is.
            assert!(error == cut || (length < 4 && error == broken), "{name} {length} {error}");
        }
    }
}

/// Every length indefinite, every OCTET STRING in two pieces: as far from DER as the outer layer of BER goes.
fn to_ber(der: &[u8]) -> Vec<u8> {
    let mut ber = Vec::new();
    for element in tlv::elements(der).unwrap() {
        match element.tag {
            tag if tag & 0x20 != 0 => ber.extend([&[tag, 0x80][..], &to_ber(element.content), &[0, 0]].concat()),
            tlv::OCTET_STRING if element.content.len() > 1 => {
                let (one, two) = element.content.split_at(1);
                let pieces = [tlv::write(tlv::OCTET_STRING, one), tlv::write(tlv::OCTET_STRING, two)].concat();
                ber.extend([&[0x24, 0x80][..], &pieces, &[0, 0]].concat());
            }
            _ => ber.extend(element.raw),
        }
    }
    ber
}

#[test]
fn ber_is_read_as_der() {
    for name in ["modern.p12", "legacy.p12", "plain.p12"] {
        let der = fixture(name);
        let ber = to_ber(&der);
        assert_ne!(ber, der);
        assert!(is_pkcs12(&ber), "{name}");
        assert_eq!(open(&ber, Some("secret")), open(&der, Some("secret")), "{name}");
    }
}

#[test]
fn work_is_refused_before_it_is_done() {
    // The one place where the MAC's count stands: at the end, as INTEGER 2048.
    for count in [&[0x7f, 0xff, 0xff, 0xff][..], &[0x00, 0x80, 0, 0, 0], &[0x7f; 12]] {
        let file = fixture("modern.p12");
        let parts = tlv::children(&file, tlv::SEQUENCE).unwrap();
        let mac = tlv::elements(parts[2].content).unwrap();
        let mac = tlv::sequence(&[mac[0].raw, mac[1].raw, &tlv::write(tlv::INTEGER, count)]);
        let bomb = tlv::sequence(&[parts[0].raw, parts[1].raw, &mac]);
        match open(&bomb, Some("secret")) {
            Err(EncryptionError::TooMuchWork { asked, most }) => assert!(asked > most && most == MOST_ITERATIONS),
            other => panic!("{other:?}"),
        }
    }
}

/// A PFX without a MAC around this SafeContents.
fn unprotected(safe_contents: &[u8]) -> Vec<u8> {
    let info = |content: &[u8]| {
        tlv::sequence(&[
            tlv::write(tlv::OBJECT_IDENTIFIER, bags::DATA),
            tlv::write(tlv::CONTEXT_CONSTRUCTED, &tlv::write(tlv::OCTET_STRING, content)),
        ])
    };
    let safe = tlv::sequence(&[info(safe_contents)]);
    tlv::sequence(&[tlv::integer(&[3]), info(&safe)])
}

#[test]
fn bags_in_bags_end_somewhere() {
    let nested = |depth| {
        let mut contents = tlv::sequence::<Vec<u8>>(&[]);
        for _ in 0..depth {
            let bag = tlv::sequence(&[
                tlv::write(tlv::OBJECT_IDENTIFIER, bags::SAFE_CONTENTS),
                tlv::write(tlv::CONTEXT_CONSTRUCTED, &contents),
            ]);
            contents = tlv::sequence(&[bag]);
        }
        open(&unprotected(&contents), None)
    };
    assert!(nested(4).unwrap().bags.is_empty());
    assert_eq!(nested(5), Err(EncryptionError::TooDeep { most: 4 }));
    // Deeper than BER itself is followed.
    assert!(matches!(nested(500), Err(EncryptionError::Malformed(_))));
}

#[test]
fn many_locks_share_one_budget() {
    // Each bag asks for 6,000,000 iterations: the second is one too many.
    let scheme = crate::encrypted::scheme::Scheme::modern(&[1; 16], &[2; 16], 6_000_000);
    let key = tlv::sequence(&[scheme.to_der().unwrap(), tlv::write(tlv::OCTET_STRING, &[0; 16])]);
    let bag = tlv::sequence(&[
        tlv::write(tlv::OBJECT_IDENTIFIER, bags::SHROUDED_KEY),
        tlv::write(tlv::CONTEXT_CONSTRUCTED, &key),
    ]);
    let file = unprotected(&tlv::sequence(&vec![bag; 100]));
    assert!(open(&file, Some("x")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_mutation_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), name in 0usize..3) {
        let mut file = fixture(["plain.p12", "sha512-mac.p12", "trusted.p12"][name]);
        let at = at.index(file.len());
        file[at] = byte;
        let _ = open(&file, Some("secret"));
    }
}

/// RFC 9579: the key of the code by PBKDF2. OpenSSL writes it from 3.4 on.
#[test]
fn pbmac1_is_checked() {
    use crate::encoding::algorithm;
    use crate::encrypted::derive::{self, Hash};
    use crate::encrypted::params::ids;
    let file = fixture("plain.p12");
    let parts = tlv::children(&file, tlv::SEQUENCE).unwrap();
    let info = tlv::children(parts[1].raw, tlv::SEQUENCE).unwrap();
    let safe = tlv::single(info[1].content).unwrap().content;
    let with = |stated: Option<u8>, password: &[u8]| {
        let length = stated.map(|length| tlv::integer(&[length])).unwrap_or_default();
        let prf = algorithm::write(ids::HMAC_SHA256, &[tlv::NULL, 0]);
        let salt = tlv::write(tlv::OCTET_STRING, b"saltsalt");
        let derivation =
            algorithm::write(ids::PBKDF2, &tlv::sequence(&[salt, tlv::integer(&[0x10, 0]), length, prf.clone()]));
        let algorithm = algorithm::write(ids::PBMAC1, &tlv::sequence(&[derivation, prf]));
        let key = derive::pbkdf2(Hash::Sha256, password, b"saltsalt", 4096, 32).unwrap();
        let code = tlv::write(tlv::OCTET_STRING, &Hash::Sha256.mac(&key, safe));
        let mac = [tlv::sequence(&[algorithm, code]), tlv::write(tlv::OCTET_STRING, b"NOT USED"), tlv::integer(&[1])];
        tlv::sequence(&[parts[0].raw, parts[1].raw, &tlv::sequence(&mac)])
    };
    let opened = open(&with(Some(32), b"secret"), Some("secret")).unwrap();
    assert_eq!((opened.checked, opened.bags.len()), (true, 4));
    assert_eq!(open(&with(Some(32), b"other"), Some("secret")), Err(EncryptionError::WrongPassword));
    // RFC 9579 section 5: the length is stated, and it is a key's.
    for stated in [None, Some(0), Some(4)] {
        assert!(
            matches!(open(&with(stated, b"secret"), Some("secret")), Err(EncryptionError::Malformed(_))),
            "{stated:?}"
        );
    }
}
