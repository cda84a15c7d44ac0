//! What keytool wrote is read.

use proptest::prelude::*;

use super::super::EncryptionError;
use super::super::pkcs12::{Content, Opened};
use super::open;
use crate::encoding::pem;
use crate::encoding::raw_key::RawKey;

#[allow(clippy::disallowed_methods)] // fixtures
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Alias and kind of everything.
fn kinds(opened: &Opened) -> Vec<(&str, &str)> {
    let kind = |content: &Content| match content {
        Content::Certificate(_) => "certificate",
        Content::Crl(_) => "CRL",
        Content::Key(_) => "key",
        Content::Locked => "locked",
    };
    opened.bags.iter().map(|bag| (bag.friendly_name.as_deref().unwrap_or_default(), kind(&bag.content))).collect()
}

#[test]
fn both_kinds_of_store_are_read() {
    let leaf = pem::read(&fixture("convert/leaf.crt")).unwrap()[0].contents.to_vec();
    let key = fixture("convert/leaf.pkcs8.der");
    for name in ["store.jks", "store.jceks"] {
        let store = fixture(&format!("forms/{name}"));
        let opened = open(&store, Some("secret")).unwrap();
        let mut found = kinds(&opened);
        found.sort_unstable();
        let wanted = [
            ("other", "certificate"),
            ("other", "locked"),
            ("root", "certificate"),
            ("web", "certificate"),
            ("web", "certificate"),
            ("web", "certificate"),
            ("web", "key"),
        ];
        assert_eq!(found, wanted, "{name}");
        assert!(opened.checked);
        assert!(opened.bags.iter().any(|bag| bag.content == Content::Certificate(leaf.clone())));
        let read = opened.bags.iter().find_map(|bag| match &bag.content {
            Content::Key(der) => Some(der.clone()),
            _ => None,
        });
        assert_eq!(RawKey::detect(&read.unwrap()).unwrap().public(), RawKey::detect(&key).unwrap().public(), "{name}");
        // Without a password all certificates are there, and no key.
        let opened = open(&store, None).unwrap();
        assert!(!opened.checked);
        assert_eq!(kinds(&opened).iter().filter(|(_, kind)| *kind == "locked").count(), 2);
        assert_eq!(open(&store, Some("Secret")), Err(EncryptionError::WrongPassword));
        for length in 0..store.len() {
            assert!(
                open(&store[..length], Some("secret")).is_err() && open(&store[..length], None).is_err(),
                "{length}"
            );
        }
    }
    let trusted = open(&fixture("forms/trusted.jks"), Some("secret")).unwrap();
    assert_eq!(kinds(&trusted), [("röot", "certificate")]);
    let why = open(&fixture("forms/secret.jceks"), Some("secret")).unwrap_err();
    assert!(
        why.to_string().starts_with("expected certificates and private keys, found a secret key as entry "),
        "{why}"
    );
}

#[test]
fn a_change_is_seen_with_the_password() {
    let store = fixture("forms/trusted.jks");
    for at in 0..store.len() {
        let mut changed = store.clone();
        changed[at] ^= 1;
        assert_eq!(open(&changed, Some("secret")), Err(EncryptionError::WrongPassword), "{at}");
    }
}

proptest! {
    #[test]
    fn any_change_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut store = fixture("forms/web.jks");
        let at = at.index(store.len());
        store[at] = byte;
        let _ = (open(&store, None), open(&store, Some("secret")));
    }
}
