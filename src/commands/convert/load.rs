//! What a file holds, whatever it is: PEM with anything around it, DER, PKCS#12, a kubeconfig.

use zeroize::Zeroizing;

use super::object::{Object, Thing};
use super::request::{Asking, Passwords};
use crate::encoding::pem::Block;
use crate::encoding::pem_blocks::{Raw, blocks};
use crate::encoding::shown::named;
use crate::encrypted::pkcs12::{self, Content};
use crate::encrypted::{EncryptionError, pkcs8};
use crate::error::Error;
use crate::kubeconfig::{self, Credentials, KubeconfigError};
use crate::plan::item::Access;

/// A larger file is not PKCS#12.
const LARGEST_PKCS12: usize = 16 << 20;

/// The contents of a file, and notes.
#[derive(Debug, Default)]
pub struct Loaded {
    pub objects: Vec<Object>,
    pub notes: Vec<String>,
    /// It was a kubeconfig, with its server, cluster and user.
    pub kubeconfig: Option<Access>,
    /// It was a manifest: each object has the name of the value it was in.
    pub is_manifest: bool,
}

#[derive(Debug)]
pub enum LoadError {
    /// No known content: skipped in a directory.
    Nothing(Error),
    /// Known content, but broken or encrypted.
    Broken(Error),
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Nothing(error) | LoadError::Broken(error) => error,
        }
    }
}

type Result<T> = std::result::Result<T, LoadError>;
fn broken(what: impl Into<String>) -> LoadError {
    LoadError::Broken(Error::new(what))
}

const KNOWN: &str = "a certificate, key, CRL, signing request, kubeconfig or PKCS#12 file";

/// `name`: for messages.
pub fn load(name: &str, bytes: &[u8], passwords: &mut dyn Passwords) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    if pkcs12::looks_like(bytes) {
        open(name, bytes, passwords, &mut loaded)?;
    } else if bytes.first() == Some(&0x30) && !is_text(bytes) {
        let thing = Thing::of_der(bytes);
        let unknown = || broken(format!("{name}: expected one whole certificate, key, CRL or signing request in DER"));
        loaded.objects.push(Object { thing: thing.ok_or_else(unknown)?, name: None });
    } else if !kubeconfig(name, bytes, passwords, &mut loaded)? {
        for block in blocks(bytes) {
            let raw = block.map_err(|why| broken(format!("{name}: {why}")))?;
            self::block(name, &raw, &mut loaded)?;
        }
    }
    if loaded.objects.is_empty() {
        let found = if bytes.is_empty() { "an empty file" } else { "nothing of the kind" };
        return Err(LoadError::Nothing(Error::new(format!("{name}: expected {KNOWN}, found {found}"))));
    }
    Ok(loaded)
}

/// A text may begin with `0`, as DER does; DER always has a byte that no text has.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_whitespace() || !byte.is_ascii_control())
}

/// Labels of other programs for the types of RFC 7468.
const ALIASES: &[(&str, &str)] =
    &[("X509 CERTIFICATE", "CERTIFICATE"), ("NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST")];

fn block(name: &str, raw: &Raw<'_>, loaded: &mut Loaded) -> Result<()> {
    let (label, text) = (raw.label(), raw.label().known().unwrap_or_default());
    // The curve before OpenSSL's EC keys.
    if text == "EC PARAMETERS" {
        return Ok(());
    }
    let at = format!("{name}: PEM block {}", raw.position);
    let block: Block = raw.decode().map_err(|why| broken(format!("{name}: {why}")))?;
    if block.encrypted {
        let what = format!("{at} ({label}) is encrypted in OpenSSL's old way, which kpki does not open");
        let hint = format!("make PKCS#8 of it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in {name} -out new.key");
        return Err(LoadError::Broken(Error::new(what).hint(hint)));
    }
    let Some(thing) = Thing::of_der(block.certificate().unwrap_or(&block.contents)) else {
        let ours = ["CERTIFICATE", "X509 CRL", "CERTIFICATE REQUEST", "PUBLIC KEY"];
        let is_key = label.is_private_key() && !text.starts_with("OPENSSH");
        return Err(match is_key || ours.iter().any(|known| text.ends_with(known)) {
            true => broken(format!("{at} ({label}): expected complete DER of the type of its label")),
            false => LoadError::Nothing(Error::new(format!("{at}: expected {KNOWN}, found {label}"))),
        });
    };
    let meant = ALIASES.iter().find(|(alias, _)| *alias == text).map_or(text, |(_, meant)| *meant);
    if meant != thing.label() {
        loaded.notes.push(format!("{at} is labelled {label} but contains {}; its content is used", thing.described()));
    }
    loaded.objects.push(Object { thing, name: None });
    Ok(())
}

fn open(name: &str, bytes: &[u8], passwords: &mut dyn Passwords, loaded: &mut Loaded) -> Result<()> {
    if bytes.len() > LARGEST_PKCS12 {
        return Err(broken(format!(
            "{name}: expected a PKCS#12 file of at most {LARGEST_PKCS12} bytes, found {}",
            bytes.len()
        )));
    }
    let password = passwords.ask(Asking::Input(name)).map_err(LoadError::Broken)?;
    let password = password.as_ref().map(|password| password.as_str());
    let opened = pkcs12::open(bytes, password).map_err(|why| locked(name, &why, password.is_some()))?;
    if !opened.checked {
        loaded.notes.push(format!("{name} has no MAC: changes to it cannot be detected"));
    }
    for bag in opened.bags {
        let (der, what) = match &bag.content {
            Content::Certificate(der) => (der.as_slice(), "certificate"),
            Content::Crl(der) => (der.as_slice(), "CRL"),
            Content::Key(der) => (der.as_slice(), "private key"),
        };
        let thing = Thing::of_der(der).ok_or_else(|| broken(format!("{name}: expected a whole {what} in its bag")))?;
        loaded.objects.push(Object { thing, name: bag.friendly_name });
    }
    Ok(())
}

fn locked(name: &str, why: &EncryptionError, given: bool) -> LoadError {
    LoadError::Broken(match why {
        EncryptionError::WrongPassword if given => Error::new(format!("{name}: the password does not open it"))
            .hint("give the right one with --password-file or --password-env; if it is right, the file was changed"),
        EncryptionError::WrongPassword => Error::new(format!("{name} is encrypted, and no password is given"))
            .hint("give it with --password-file FILE or --password-env VARIABLE, or run on a terminal to be asked"),
        EncryptionError::TooMuchWork { .. } | EncryptionError::TooMuchMemory { .. } => {
            Error::new(format!("{name}: {why}"))
                .hint("check the origin of the file: no known program writes such parameters")
        }
        _ => Error::new(format!("{name}: {why}")),
    })
}

/// Decrypts an encrypted key; other objects are unchanged.
pub fn unlocked(name: &str, thing: &Thing, passwords: &mut dyn Passwords) -> std::result::Result<Thing, Error> {
    let Thing::LockedKey(der) = thing else { return Ok(thing.clone()) };
    let password = passwords.ask(Asking::Input(name))?;
    let password = password.as_ref().map(|password| password.as_str());
    let key: Zeroizing<Vec<u8>> =
        pkcs8::open(der, password).map_err(|why| Error::from(locked(name, &why, password.is_some())))?;
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
        Err(KubeconfigError::NotAKubeconfig | KubeconfigError::NotYaml { .. }) => return Ok(false),
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
