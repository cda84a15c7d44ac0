//! Private keys of every kind: which kind, and whose public half. Nothing of the private half.

use super::describe::{field, object, public, text};
use super::findings::{Findings, what};
use crate::ca::{PrivateKey, ed25519_public};
use crate::encoding::pem::Block;
use crate::encoding::public_key::KeyKind;
use crate::encoding::raw_key::RawKey;
use crate::encoding::ssh::{self, Envelope};
use crate::encrypted::{EncryptionError, old_pem, openssh, pkcs8};
use crate::error::Error;
use crate::report::inspect::{Field, KEY_KIND, Object, Said};
use crate::workspace::passwords::Asking;
use crate::x509::key_kind;
use zeroize::Zeroizing;

/// One that is not encrypted, in any container; `false`: it is none. `label`: of its PEM block.
pub fn plain(found: &mut Findings<'_>, der: &[u8], label: Option<&'static str>, owner: Option<&str>) -> bool {
    let Some(key) = RawKey::detect(der) else { return false };
    found.add(described(&key, label, false), owner);
    true
}

fn described(key: &RawKey, label: Option<&'static str>, encrypted: bool) -> Result<Object, String> {
    let kind =
        key.kind().map_err(|_| format!("expected a well-formed {}, found broken DER", key.container().label()))?;
    let spki = match &kind {
        // What the signing library makes of it: numbers that are no key are told.
        KeyKind::Known(_) => {
            Some(PrivateKey::from_pem(key.to_pem().as_bytes()).map_err(|why| why.to_string())?.spki_der())
        }
        KeyKind::Other(_) => key.public().or_else(|| ed25519_public(key.der())),
    };
    let label = label.unwrap_or_else(|| key.container().label());
    Ok(shown(label, Some(&kind), spki.as_deref(), encrypted))
}

/// Encrypted PKCS#8.
pub fn encrypted(found: &mut Findings<'_>, der: &[u8], owner: Option<&str>) {
    const LABEL: &str = "ENCRYPTED PRIVATE KEY";
    if !pkcs8::is_encrypted(der) {
        return found.add::<String>(Err(format!("{LABEL}: expected a well-formed key, found {}", what(der))), owner);
    }
    let closed = shown(LABEL, None, None, true);
    opened(
        found,
        LABEL,
        owner,
        closed,
        |password| pkcs8::open(der, Some(password)),
        |key, _| described(key, Some(LABEL), true),
    );
}

/// OpenSSL's old encryption.
pub fn old_pem(found: &mut Findings<'_>, block: &Block, owner: Option<&str>) {
    let label = block.label.known().unwrap_or("PRIVATE KEY");
    let closed = shown(label, None, None, true);
    let open = |password: &str| old_pem::open(block.dek.as_ref(), &block.contents, Some(password));
    opened(found, label, owner, closed, open, |key, _| described(key, Some(label), true));
}

/// OpenSSH's, whose public half is in the clear.
pub fn openssh(found: &mut Findings<'_>, content: &[u8], owner: Option<&str>) {
    let read = Envelope::read(content).and_then(|envelope| Ok((envelope, envelope.spki()?)));
    let (envelope, spki) = match read {
        Ok(read) => read,
        Err(why) => return found.add::<ssh::SshError>(Err(why), owner),
    };
    let closed = shown(ssh::LABEL, key_kind(&spki).ok().as_ref(), Some(&spki), true);
    if envelope.is_encrypted() {
        let open = |password: &str| openssh::open(content, Some(password));
        return opened(found, ssh::LABEL, owner, closed, open, |_, closed| Ok(closed));
    }
    let open = shown(ssh::LABEL, key_kind(&spki).ok().as_ref(), Some(&spki), false);
    found.add(openssh::open(content, None).map(|_| open), owner);
}

/// With a password what it opens, else what is seen without.
fn opened(
    found: &mut Findings<'_>,
    label: &'static str,
    owner: Option<&str>,
    closed: Object,
    open: impl FnOnce(&str) -> Result<Zeroizing<Vec<u8>>, EncryptionError>,
    describe: impl FnOnce(&RawKey, Object) -> Result<Object, String>,
) {
    let password = match found.passwords.ask(Asking::Optional) {
        Ok(Some(password)) => password,
        Ok(None) => return found.add::<String>(Ok(closed), owner),
        Err(Error { what, .. }) => return found.problem(what),
    };
    let key = open(&password).map_err(|why| format!("{label}: {why}")).and_then(|der| {
        let key = RawKey::detect(&der).ok_or_else(|| format!("{label}: expected a key behind the password"))?;
        describe(&key, closed)
    });
    found.add(key, owner);
}

/// Kind and public key, as far as they are known.
pub fn shown(label: &'static str, kind: Option<&KeyKind>, spki: Option<&[u8]>, encrypted: bool) -> Object {
    let mut fields: Vec<Field> = match (kind, spki) {
        (Some(kind), Some(spki)) => public(kind, spki).collect(),
        (Some(kind), None) => vec![text("key", KEY_KIND, kind)],
        (None, _) => Vec::new(),
    };
    fields.push(text("container", "container", label));
    fields.push(field("encrypted", "encrypted", Said::Flag(encrypted)));
    object("private key", fields)
}
