//! What a file holds, whatever it is: PEM with anything around it, DER, a container, a kubeconfig.

use zeroize::Zeroizing;

use super::containers;
pub use super::loaded::{LoadError, Loaded};
use super::loaded::{Result, broken};
use super::object::{Object, Thing};
use crate::encoding::found::{Found, found};
use crate::encoding::pem::Block;
use crate::encoding::pem_blocks::{Raw, blocks};
use crate::encoding::shown::named;
use crate::encoding::ssh;
use crate::encrypted::pkcs8;
use crate::error::Error;
use crate::kubeconfig::{self, Credentials, KubeconfigError};
use crate::plan::item::Access;
use crate::workspace::passwords::{Asking, Passwords, locked};

const KNOWN: &str = "a certificate, key, CRL, signing request, kubeconfig, PKCS#7, PKCS#12 or Java KeyStore";

/// `name`: for messages.
pub fn load(name: &str, bytes: &[u8], passwords: &mut dyn Passwords) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    if containers::read(name, bytes, passwords, &mut loaded)? {
        return Ok(loaded);
    }
    if bytes.first() == Some(&0x30) && !is_text(bytes) {
        let expected = format!("{name}: expected one whole certificate, key, CRL or signing request in DER");
        let unknown = || match found(bytes) {
            // Another kind of file is skipped in a directory, a broken one is not.
            Some(other) if !other.is_convertible() => {
                LoadError::Nothing(Error::new(format!("{expected}, found {other}")))
            }
            _ => broken(expected),
        };
        loaded.objects.push(Object { thing: Thing::of_der(bytes).ok_or_else(unknown)?, name: None });
    } else if !kubeconfig(name, bytes, passwords, &mut loaded)? {
        for block in blocks(bytes) {
            let raw = block.map_err(|why| broken(format!("{name}: {why}")))?;
            self::block(name, &raw, passwords, &mut loaded)?;
        }
    }
    if loaded.objects.is_empty() {
        let found = match found(bytes) {
            Some(other) => other.to_string(),
            None if bytes.is_empty() => "an empty file".to_owned(),
            None => "nothing of the kind".to_owned(),
        };
        return Err(LoadError::Nothing(Error::new(format!("{name}: expected {KNOWN}, found {found}"))));
    }
    Ok(loaded)
}

/// A text may begin with `0`, as DER does; DER always has a byte that no text has.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_whitespace() || !byte.is_ascii_control())
}

/// Labels of other programs for the types of RFC 7468.
const ALIASES: &[(&str, &str)] = &[
    ("X509 CERTIFICATE", "CERTIFICATE"),
    ("TRUSTED CERTIFICATE", "CERTIFICATE"),
    ("NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST"),
    ("DSA PRIVATE KEY", "PRIVATE KEY"),
];

fn block(name: &str, raw: &Raw<'_>, passwords: &mut dyn Passwords, loaded: &mut Loaded) -> Result<()> {
    let (label, text) = (raw.label(), raw.label().known().unwrap_or_default());
    // The curve before OpenSSL's EC keys.
    if text == "EC PARAMETERS" {
        return Ok(());
    }
    let at = format!("{name}: PEM block {}", raw.position);
    let block: Block = raw.decode_any().map_err(|why| broken(format!("{name}: {why}")))?;
    // Some authorities write it under the label of a certificate.
    if label.is_pkcs7() || found(&block.contents) == Some(Found::Pkcs7) {
        return containers::of_pkcs7(&at, &block.contents, loaded);
    }
    let der = containers::unwrapped(&at, name, &block, passwords, &mut loaded.notes)?;
    let Some(thing) = Thing::of_der(&der) else {
        let ours = ["CERTIFICATE", "X509 CRL", "CERTIFICATE REQUEST", "PUBLIC KEY"];
        let is_ours = label.is_private_key() || ours.iter().any(|known| text.ends_with(known));
        return Err(match (is_ours, found(&der)) {
            (true, Some(other)) => {
                broken(format!("{at} ({label}): expected DER of the type of its label, found {other}"))
            }
            (true, None) => broken(format!("{at} ({label}): expected complete DER of the type of its label")),
            (false, Some(other)) => LoadError::Nothing(Error::new(format!("{at}: expected {KNOWN}, found {other}"))),
            (false, None) => LoadError::Nothing(Error::new(format!("{at}: expected {KNOWN}, found {label}"))),
        });
    };
    let meant = ALIASES.iter().find(|(alias, _)| *alias == text).map_or(text, |(_, meant)| *meant);
    if meant != thing.label() && !label.is(ssh::LABEL) {
        loaded.notes.push(format!("{at} is labelled {label} but contains {}; its content is used", thing.described()));
    }
    loaded.objects.push(Object { thing, name: None });
    Ok(())
}

/// Decrypts an encrypted key; other objects are unchanged.
pub fn unlocked(name: &str, thing: &Thing, passwords: &mut dyn Passwords) -> std::result::Result<Thing, Error> {
    let Thing::LockedKey(der) = thing else { return Ok(thing.clone()) };
    let password = passwords.ask(Asking::Input(name))?;
    let password = password.as_ref().map(|password| password.as_str());
    let key: Zeroizing<Vec<u8>> = pkcs8::open(der, password).map_err(|why| locked(name, &why, password.is_some()))?;
    match Thing::of_der(&key) {
        Some(key @ Thing::Key(_)) => Ok(key),
        _ => Err(Error::new(format!("{name}: expected a PKCS#8 key behind the password, found something else"))),
    }
}

/// Whether the text was a kubeconfig.
fn kubeconfig(name: &str, bytes: &[u8], passwords: &mut dyn Passwords, loaded: &mut Loaded) -> Result<bool> {
    // A PEM file is not YAML, and a long one would be refused for its length.
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Ok(false);
    }
    let read = match kubeconfig::read(bytes) {
        Ok(read) => read,
        Err(KubeconfigError::NotAKubeconfig | KubeconfigError::NotYaml { .. } | KubeconfigError::Other(_)) => {
            return Ok(false);
        }
        Err(why @ KubeconfigError::NoCredentials) => {
            return Err(LoadError::Nothing(Error::new(format!("{name}: {why}"))));
        }
        Err(why) => return Err(broken(format!("{name}: {why}"))),
    };
    let (certificate, key) = match &read.credentials {
        Credentials::Embedded { certificate, key } => (certificate, key),
        Credentials::Files { certificate, key } => {
            let what = format!("{name} embeds no credentials: it refers to {} and {}", named(certificate), named(key));
            return Err(LoadError::Nothing(Error::new(what).hint("convert those files instead")));
        }
    };
    for (part, bytes) in [("ca", read.authority.as_slice()), ("client", certificate), ("client", key)] {
        if bytes.is_empty() {
            continue;
        }
        let inner = load(&format!("{name} ({part})"), bytes, passwords)?;
        loaded.notes.extend(inner.notes);
        loaded.objects.extend(inner.objects.into_iter().map(|object| Object { name: Some(part.to_owned()), ..object }));
    }
    loaded.kubeconfig = Some(Access::from(read));
    Ok(true)
}
