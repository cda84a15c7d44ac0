//! The files of one authority's key as they will be, all in memory, each opened again before it is written.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::held::Held;
use super::phrases::{Phrases, fault};
use super::refusals::another_key;
use crate::ca::PrivateKey;
use crate::error::Error;
use crate::files::RelPath;
use crate::keys::{self, KeyFault, Why};
use crate::store::FileChange;
use crate::tree::Origin;
use crate::workspace::key_copies::KeyFile;

/// What is written of one key.
#[derive(Debug, Default)]
pub struct Made {
    pub changes: Vec<FileChange>,
    /// Copies that cannot be encrypted: below `.kpki`.
    pub erasures: Vec<RelPath>,
    /// What was rewritten, destroyed and left, below DIR.
    pub copies: Vec<String>,
    pub destroyed: Vec<String>,
    pub left: Vec<String>,
}

/// Encrypts every file of a key.
struct Sealing<'a> {
    held: &'a Held,
    phrases: &'a Phrases,
    /// By the key's SubjectPublicKeyInfo: one key is encrypted once.
    sealed: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
    /// By what is in the file: to open a key takes a while on purpose.
    opened: BTreeMap<Vec<u8>, Opened>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Opened {
    /// With the passphrase to come: it stays.
    AsItWillBe,
    /// With the present one, to the key of this SubjectPublicKeyInfo.
    Key(Vec<u8>),
    Not,
}

/// The own file and every copy. `changes`: the passphrase becomes another one.
pub fn sealed(held: &Held, phrases: &Phrases, origin: &Origin) -> Result<Made, Error> {
    let mut made = Made::default();
    let changes = phrases.present.as_ref().is_some_and(|present| *present != phrases.to_come);
    let mut sealing = Sealing { held, phrases, sealed: BTreeMap::new(), opened: BTreeMap::new() };
    match (&held.own, held.place.at()) {
        (Some(own), None) => sealing.own(own, changes, origin, &mut made)?,
        (Some(own), Some(_)) if !own.is_encrypted => sealing.left(own, &mut made)?,
        _ => {}
    }
    for copy in &held.copies {
        sealing.copy(copy, changes, &mut made)?;
    }
    for file in held.unknown.iter().filter(|_| changes) {
        sealing.unknown(file, &mut made)?;
    }
    Ok(made)
}

/// The key of the authority's certificate.
pub fn open(held: &Held, own: &KeyFile, present: Option<&str>, origin: &Origin) -> Result<PrivateKey, Error> {
    let key = keys::open(&own.bytes.0, present).map_err(|why| failed(held, own, why))?;
    let signs = held.bundle.first().is_some_and(|first| key.matches(first));
    if signs { Ok(key) } else { Err(another_key(held, origin)) }
}

fn failed(held: &Held, file: &KeyFile, why: Why) -> Error {
    fault(&KeyFault { authority: held.authority, at: file.shown(), why })
}

impl Sealing<'_> {
    fn own(&mut self, own: &KeyFile, changes: bool, origin: &Origin, made: &mut Made) -> Result<(), Error> {
        let key = open(self.held, own, self.phrases.present.as_deref().map(String::as_str), origin)?;
        if changes || !own.is_encrypted {
            made.changes.push(own.change(self.seal(&key)?));
        } else {
            self.sealed.insert(key.spki_der(), own.bytes.0.clone());
        }
        Ok(())
    }

    /// A plain one in the place of a key that is elsewhere. Nothing shows that the one elsewhere stays: it is encrypted like the
    /// copies, and not destroyed.
    fn left(&mut self, own: &KeyFile, made: &mut Made) -> Result<(), Error> {
        match own.plain().filter(|_| own.is_alone()) {
            Some(key) => made.changes.push(own.change(self.seal(&key)?)),
            None => made.left.push(format!("{} holds a key in plain with something else", own.shown())),
        }
        Ok(())
    }

    fn seal(&mut self, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        let spki = key.spki_der();
        if let Some(known) = self.sealed.get(&spki) {
            return Ok(known.clone());
        }
        let at = self.held.path.clone();
        let made = keys::seal(key, &self.phrases.to_come)
            .map_err(|why| fault(&KeyFault { authority: self.held.authority, at, why }))?;
        self.sealed.insert(spki, made.clone());
        Ok(made)
    }

    fn copy(&mut self, copy: &KeyFile, changes: bool, made: &mut Made) -> Result<(), Error> {
        if copy.is_encrypted {
            return self.again(copy, changes, made);
        }
        match copy.plain().filter(|_| copy.is_alone()) {
            Some(key) => {
                made.changes.push(copy.change(self.seal(&key)?));
                made.copies.push(copy.shown());
            }
            // Not a key alone, or of a kind that kpki does not sign with.
            None if copy.is_kept() => {
                made.erasures.push(copy.path.clone());
                made.destroyed.push(copy.shown());
            }
            None => made.left.push(format!("{} holds it in plain with something else", copy.shown())),
        }
        Ok(())
    }

    /// A copy that is encrypted already.
    fn again(&mut self, copy: &KeyFile, changes: bool, made: &mut Made) -> Result<(), Error> {
        match self.opened(copy)? {
            Opened::AsItWillBe => {}
            Opened::Key(spki) if changes => {
                let bytes = self.sealed.get(&spki).cloned().unwrap_or_default();
                made.changes.push(copy.change(bytes));
                made.copies.push(copy.shown());
            }
            Opened::Key(_) => {}
            Opened::Not => made.left.push(format!("{} is encrypted with another passphrase", copy.shown())),
        }
        Ok(())
    }

    /// An encrypted file that is a copy if it opens to this key.
    fn unknown(&mut self, file: &KeyFile, made: &mut Made) -> Result<(), Error> {
        let present = self.phrases.present.as_deref().map(String::as_str);
        let Some(key) = present.and_then(|present| keys::open(&file.bytes.0, Some(present)).ok()) else {
            return Ok(());
        };
        if self.held.bundle.iter().any(|one| key.matches(one)) {
            made.changes.push(file.change(self.seal(&key)?));
            made.copies.push(file.shown());
        }
        Ok(())
    }

    fn opened(&mut self, copy: &KeyFile) -> Result<Opened, Error> {
        if self.sealed.values().any(|sealed| **sealed == *copy.bytes.0) {
            return Ok(Opened::AsItWillBe);
        }
        if let Some(known) = self.opened.get(copy.bytes.0.as_slice()) {
            return Ok(known.clone());
        }
        let present = self.phrases.present.as_deref().filter(|present| **present != *self.phrases.to_come);
        let opened = match present.map(|present| keys::open(&copy.bytes.0, Some(present))) {
            Some(Ok(key)) => {
                self.seal(&key)?;
                Opened::Key(key.spki_der())
            }
            _ => match keys::open(&copy.bytes.0, Some(&self.phrases.to_come)) {
                Ok(_) => Opened::AsItWillBe,
                Err(_) => Opened::Not,
            },
        };
        self.opened.insert(copy.bytes.0.to_vec(), opened.clone());
        Ok(opened)
    }
}
