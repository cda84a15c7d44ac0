//! Files that carry several objects: PKCS#12, Java's keystores, PKCS#7, OpenSSH's public keys.

use super::describe::{field, object, text};
use super::findings::Findings;
use super::{describe, keys};
use crate::encoding::found::{Found, found as known};
use crate::encoding::pkcs7::{self, SignedData};
use crate::encoding::shown::named;
use crate::encoding::ssh;
use crate::encrypted::Store;
use crate::encrypted::pkcs12::{Content, Opened};
use crate::report::inspect::{Field, Object, Said};
use crate::workspace::passwords::{Asking, locked};

/// Whether the file was one of them.
pub fn read(bytes: &[u8], found: &mut Findings<'_>) -> bool {
    match (Store::of(bytes), known(bytes)) {
        (Some(store), _) => open(store, bytes, found),
        (None, Some(Found::Pkcs7)) => pkcs7(found, bytes, None),
        (None, Some(Found::SshPublicKey)) => match ssh::public_keys(bytes) {
            Ok(keys) => keys.iter().for_each(|spki| found.add(describe::public_key(spki), None)),
            Err(why) => found.problem(why),
        },
        _ => return false,
    }
    true
}

fn open(store: Store, bytes: &[u8], found: &mut Findings<'_>) {
    let asking = match store {
        Store::Pkcs12 => Asking::Input(&found.name),
        // Its certificates are seen without.
        Store::Jks | Store::Jceks => Asking::Optional,
    };
    let password = match found.passwords.ask(asking) {
        Ok(password) => password,
        Err(error) => return found.problem(error.what),
    };
    let opened = match store.open(bytes, password.as_ref().map(|password| password.as_str())) {
        Ok(opened) => opened,
        Err(why) => {
            let error = locked("", &why, password.is_some());
            let what = error.what.trim_start_matches(": ").trim_start();
            let hint = if password.is_some() {
                String::new()
            } else {
                error.hints.iter().map(|hint| format!("; {hint}")).collect()
            };
            return found.problem(format!("{}: {what}{hint}", store.name()));
        }
    };
    found.add::<String>(Ok(of_store(store, &opened)), None);
    for bag in &opened.bags {
        let owner = bag.friendly_name.as_deref().map(named);
        let owner = owner.as_deref();
        match &bag.content {
            Content::Certificate(der) | Content::Crl(der) => {
                if !found.der(der, owner) {
                    found.add::<&str>(Err("expected a whole certificate or CRL"), owner);
                }
            }
            Content::Key(der) => {
                if !found.der(der, owner) {
                    found.add::<&str>(Err("expected a whole private key"), owner);
                }
            }
            Content::Locked => found.add::<String>(Ok(keys::shown(store.name(), None, None, true)), owner),
        }
    }
}

/// `owner`: the object that contains it.
pub fn pkcs7(found: &mut Findings<'_>, bytes: &[u8], owner: Option<&str>) {
    let signed = match pkcs7::read(bytes) {
        Ok(signed) => signed,
        Err(why) => return found.add::<pkcs7::Pkcs7Error>(Err(why), owner),
    };
    found.add::<String>(Ok(of_pkcs7(&signed)), owner);
    for der in signed.certificates.iter().chain(&signed.crls) {
        if !found.der(der, owner) {
            found.add::<&str>(Err("expected a whole certificate or CRL in PKCS#7"), owner);
        }
    }
}

fn count(label: &'static str, key: &'static str, count: usize) -> Field {
    field(label, key, Said::Number(u64::try_from(count).unwrap_or(u64::MAX)))
}

/// PKCS#12 or a Java KeyStore without what is in it, which are objects of their own.
fn of_store(store: Store, opened: &Opened) -> Object {
    let of = |wanted: fn(&Content) -> bool| opened.bags.iter().filter(|bag| wanted(&bag.content)).count();
    let fields = vec![
        count("certificates", "certificates", of(|content| matches!(content, Content::Certificate(_)))),
        count("CRLs", "crls", of(|content| matches!(content, Content::Crl(_)))),
        count("private keys", "privateKeys", of(|content| matches!(content, Content::Key(_) | Content::Locked))),
        field("integrity checked", "integrityChecked", Said::Flag(opened.checked)),
    ];
    object(store.name(), fields)
}

/// PKCS#7 without what is in it, which are objects of their own.
fn of_pkcs7(found: &SignedData) -> Object {
    let mut fields = vec![
        count("certificates", "certificates", found.certificates.len()),
        count("CRLs", "crls", found.crls.len()),
        count("signatures", "signatures", found.signers),
    ];
    if found.signers > 0 {
        fields.push(field("signatures verified", "signaturesVerified", Said::Flag(false)));
    }
    fields.extend(found.content.as_ref().map(|id| text("signed content", "signedContent", pkcs7::content_name(id))));
    if found.others > 0 {
        fields.push(count("other objects", "otherObjects", found.others));
    }
    object("PKCS#7", fields)
}
