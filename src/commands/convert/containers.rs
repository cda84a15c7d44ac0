//! Files that carry several objects: PKCS#12 and Java's keystores behind a password, PKCS#7, OpenSSH's public keys.

use zeroize::Zeroizing;

use super::loaded::{LoadError, Loaded, Result, broken};
use super::object::{Object, Thing};
use crate::encoding::found::{Found, found};
use crate::encoding::pem::Block;
use crate::encoding::pkcs7::Pkcs7Error;
use crate::encoding::shown::named;
use crate::encoding::{pkcs7, ssh};
use crate::encrypted::pkcs12::Content;
use crate::encrypted::{Store, old_pem, openssh};
use crate::error::Error;
use crate::workspace::passwords::{Asking, Passwords, locked};

/// A larger file is none of them.
const LARGEST: usize = 16 << 20;

/// Whether the file was one of them.
pub fn read(name: &str, bytes: &[u8], passwords: &mut dyn Passwords, loaded: &mut Loaded) -> Result<bool> {
    match (Store::of(bytes), found(bytes)) {
        (Some(store), _) => open(store, name, bytes, passwords, loaded)?,
        (None, Some(Found::Pkcs7)) => of_pkcs7(name, bytes, loaded)?,
        (None, Some(Found::SshPublicKey)) => {
            let keys = ssh::public_keys(bytes).map_err(|why| broken(format!("{name}: {why}")))?;
            loaded.objects.extend(keys.into_iter().map(|spki| Object { thing: Thing::PublicKey(spki), name: None }));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn open(store: Store, name: &str, bytes: &[u8], passwords: &mut dyn Passwords, loaded: &mut Loaded) -> Result<()> {
    if bytes.len() > LARGEST {
        let what = store.name();
        return Err(broken(format!("{name}: expected a {what} of at most {LARGEST} bytes, found {}", bytes.len())));
    }
    let password = passwords.ask(Asking::Input(name)).map_err(LoadError::Broken)?;
    let given = password.is_some();
    let opened = store.open(bytes, password.as_ref().map(|password| password.as_str()));
    let opened = opened.map_err(|why| LoadError::Broken(locked(name, &why, given)))?;
    if !opened.checked && store == Store::Pkcs12 {
        loaded.notes.push(format!("{name} has no MAC: changes to it cannot be detected"));
    } else if !opened.checked {
        loaded.notes.push(format!("{name}: no password is given: changes to it cannot be detected"));
    }
    for bag in opened.bags {
        let (der, what) = match &bag.content {
            Content::Certificate(der) => (der.as_slice(), "certificate"),
            Content::Crl(der) => (der.as_slice(), "CRL"),
            Content::Key(der) => (der.as_slice(), "private key"),
            Content::Locked => {
                return Err(other_password(name, bag.friendly_name.as_deref().unwrap_or_default(), given));
            }
        };
        let thing = Thing::of_der(der).ok_or_else(|| broken(format!("{name}: expected a whole {what} in its bag")))?;
        loaded.objects.push(Object { thing, name: bag.friendly_name });
    }
    Ok(())
}

/// Each key of a Java KeyStore can have a password of its own.
fn other_password(name: &str, alias: &str, given: bool) -> LoadError {
    let alias = named(alias);
    let error = Error::new(match given {
        true => format!("{name}: the password opens it, but not its key {alias}, which has another one"),
        false => format!("{name}: its key {alias} is encrypted, and no password is given"),
    });
    LoadError::Broken(match given {
        true => error.hint("give the key the password of the store: keytool -keypasswd -alias ALIAS -keystore FILE"),
        false => {
            error.hint("give it with --password-file FILE or --password-env VARIABLE, or run on a terminal to be asked")
        }
    })
}

/// The certificates and CRLs of SignedData; what else it has is told.
pub fn of_pkcs7(name: &str, bytes: &[u8], loaded: &mut Loaded) -> Result<()> {
    let signed = pkcs7::read(bytes).map_err(|why| match why {
        // An encrypted message in a directory is nothing to stop at.
        Pkcs7Error::OtherContent(_) => LoadError::Nothing(Error::new(format!("{name}: {why}"))),
        why => broken(format!("{name}: {why}")),
    })?;
    if let Some(content) = &signed.content {
        loaded.notes.push(format!("{name}: left out what is signed in it: {}", pkcs7::content_name(content)));
    }
    if signed.signers > 0 {
        loaded.notes.push(format!("{name}: its signatures were not verified"));
    }
    if signed.others > 0 {
        loaded.notes.push(format!("{name}: left out {} objects that are neither X.509 nor CRLs", signed.others));
    }
    for (ders, what) in [(&signed.certificates, "certificate"), (&signed.crls, "CRL")] {
        for der in ders {
            let whole = || broken(format!("{name}: expected a whole {what} in PKCS#7"));
            loaded.objects.push(Object { thing: Thing::of_der(der).ok_or_else(whole)?, name: None });
        }
    }
    if loaded.objects.is_empty() {
        return Err(broken(format!("{name}: expected certificates or CRLs in PKCS#7, found none")));
    }
    Ok(())
}

/// The content of a PEM block as DER: OpenSSL's old encryption and OpenSSH's frame taken off. `at`: file and block.
pub fn unwrapped(
    at: &str,
    name: &str,
    block: &Block,
    passwords: &mut dyn Passwords,
    notes: &mut Vec<String>,
) -> Result<Zeroizing<Vec<u8>>> {
    let ssh = block.label.is(ssh::LABEL);
    if !block.encrypted && !ssh {
        return Ok(Zeroizing::new(block.certificate().unwrap_or(&block.contents).to_vec()));
    }
    let plain = ssh && ssh::Envelope::read(&block.contents).is_ok_and(|envelope| !envelope.is_encrypted());
    let password = if plain { None } else { passwords.ask(Asking::Input(name)).map_err(LoadError::Broken)? };
    let given = password.as_ref().map(|password| password.as_str());
    let opened = match ssh {
        true => openssh::open(&block.contents, given),
        false => old_pem::open(block.dek.as_ref(), &block.contents, given),
    };
    if block.dek.as_ref().is_some_and(old_pem::is_weak) {
        notes.push(format!("{at} is encrypted with DES, which anybody can break: its key is to be taken for known"));
    }
    let at = format!("{at} ({})", block.label);
    opened.map_err(|why| LoadError::Broken(locked(&at, &why, given.is_some())))
}
