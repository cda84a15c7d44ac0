//! Which certificate the key belongs to, and the chain above it: what a server, a Secret or a keystore is made of.

use crate::encoding::raw_key::RawKey;
use crate::error::Error;
use crate::x509::ordered::end;
use crate::x509::{Certificate, Ordered};

use super::object::{Object, Thing};

/// Certificates in their order.
#[derive(Debug)]
pub struct Identity {
    pub key: Option<RawKey>,
    pub leaf: Certificate,
    /// Above the leaf, nearest first, without a root.
    pub intermediates: Vec<Certificate>,
    /// The self-signed end of the chain; `None` too where the leaf is it.
    pub root: Option<Certificate>,
    /// Not on the way up.
    pub others: Vec<Certificate>,
}

impl Identity {
    /// Keys have been unlocked. Things that are neither key nor certificate are refused: they would be lost.
    pub fn of(objects: &[Object]) -> Result<Self, Error> {
        let mut keys: Vec<&RawKey> = Vec::new();
        let mut certificates: Vec<Certificate> = Vec::new();
        for object in objects {
            match &object.thing {
                Thing::Certificate(der) => {
                    let read = Certificate::parse(der).map_err(|why| Error::new(format!("a certificate: {why}")))?;
                    if !certificates.contains(&read) {
                        certificates.push(read);
                    }
                }
                Thing::Key(key) if !keys.contains(&key) => keys.push(key),
                Thing::Key(_) => {}
                other => {
                    return Err(Error::new(format!("expected certificates and a key, found a {} too", other.kind()))
                        .hint("leave that file out"));
                }
            }
        }
        if keys.len() > 1 {
            return Err(Error::new(format!("expected one private key, found {}", keys.len()))
                .hint("give the key of one certificate"));
        }
        let key = keys.first().map(|key| (*key).clone());
        let at = leaf(&certificates, key.as_ref())?;
        let leaf = certificates.remove(at);
        let Ordered { leaf, intermediates, root, others } = Ordered::above(leaf, certificates);
        Ok(Self { key, leaf, intermediates, root, others })
    }

    /// The leaf and what is above it, without a root: what a server sends.
    pub fn chain(&self) -> impl Iterator<Item = &Certificate> {
        [&self.leaf].into_iter().chain(&self.intermediates)
    }

    /// Every certificate, in order.
    pub fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.chain().chain(&self.root).chain(&self.others)
    }

    /// Refuses certificates that have no place in a chain.
    pub fn alone(&self) -> Result<(), Error> {
        match self.others.first() {
            None => Ok(()),
            Some(other) => Err(Error::new(format!(
                "expected a chain above {}, found {}, which signed none of it",
                self.leaf.subject, other.subject
            ))
            .hint("leave that certificate out")),
        }
    }

    pub fn key(&self) -> Result<&RawKey, Error> {
        self.key.as_ref().ok_or_else(|| {
            Error::new(format!("expected the private key of {}, found none", self.leaf.subject))
                .hint("give the file with its key too")
        })
    }
}

/// The key's certificate, or the one that signed no other.
fn leaf(certificates: &[Certificate], key: Option<&RawKey>) -> Result<usize, Error> {
    if certificates.is_empty() {
        return Err(Error::new("expected a certificate, found none").hint("give the file with the certificate too"));
    }
    let Some(key) = key else {
        return end(certificates).ok_or_else(|| Error::new("expected a chain of certificates, found a circle"));
    };
    let public = Thing::Key(key.clone()).public().ok_or_else(|| {
        Error::new("the public key of the private key is unknown")
            .hint("give a key of RSA or of the curves P-256 and P-384")
    })?;
    certificates.iter().position(|certificate| certificate.spki_der == public).ok_or_else(|| {
        Error::new("the private key belongs to none of the certificates").hint("give the certificate of this key")
    })
}
