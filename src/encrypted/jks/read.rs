//! The frame (Java's JavaKeyStore.JKS and JceKeyStore, big-endian): a magic number, a version, entries, and a digest.

use super::super::EncryptionError;
use super::super::budget::Budget;
use super::super::derive::Hash;
use super::super::pkcs12::{Bag, Content, Opened};
use super::lock::{self, wide};

const JKS: u32 = 0xfeed_feed;
const JCEKS: u32 = 0xcece_cece;
/// What stands between password and content under the digest, since Java 1.2.
const WHITENER: &[u8] = b"Mighty Aphrodite";
/// Of SHA-1, in octets.
const DIGEST: usize = 20;
/// A truststore of every public authority has some hundreds.
const MOST: u32 = 10_000;

type Result<T> = std::result::Result<T, EncryptionError>;

/// What is left of the content.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(EncryptionError::Truncated("Java KeyStore"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32> {
        Ok(self.take(4)?.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
    }

    /// A length of four octets, and as many.
    fn octets(&mut self) -> Result<&'a [u8]> {
        let length = usize::try_from(self.number()?).map_err(|_| EncryptionError::Malformed("Java KeyStore"))?;
        self.take(length)
    }

    /// A length of two octets, and Java's UTF-8.
    fn text(&mut self) -> Result<String> {
        let length = self.take(2)?.iter().fold(0, |number, octet| number << 8 | usize::from(*octet));
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// Version 1 knows one type of certificate and does not name it.
    fn certificate(&mut self, version: u32) -> Result<Vec<u8>> {
        if version > 1 && self.text()? != "X.509" {
            return Err(EncryptionError::Malformed("X.509 certificate in a Java KeyStore"));
        }
        self.octets().map(<[u8]>::to_vec)
    }
}

/// Everything in the file. Without a password, the keys stay locked and changes to the file are not seen; a key whose own
/// password is another stays locked, too.
pub fn open(bytes: &[u8], password: Option<&str>) -> Result<Opened> {
    let (content, digest) = bytes
        .len()
        .checked_sub(DIGEST)
        .and_then(|length| bytes.split_at_checked(length))
        .ok_or(EncryptionError::Truncated("Java KeyStore"))?;
    if let Some(password) = password {
        let covered = zeroize::Zeroizing::new([&wide(password), WHITENER, content].concat());
        if Hash::Sha1.of(&covered) != digest {
            return Err(EncryptionError::WrongPassword);
        }
    }
    let mut rest = Rest(content);
    let (magic, version, count) = (rest.number()?, rest.number()?, rest.number()?);
    if !matches!(magic, JKS | JCEKS) || !matches!(version, 1 | 2) {
        return Err(EncryptionError::Malformed("Java KeyStore of version 1 or 2"));
    }
    if count > MOST {
        return Err(EncryptionError::TooMany { most: usize::try_from(MOST).unwrap_or(usize::MAX) });
    }
    let mut budget = Budget::full();
    let mut bags = Vec::new();
    for entry in 1..=count {
        let tag = rest.number()?;
        let alias = Some(rest.text()?);
        let bag = |content, id| Bag { content, friendly_name: alias.clone(), local_key_id: id };
        let _made_at = rest.take(8)?;
        match tag {
            1 => {
                let sealed = rest.octets()?;
                // Ties the key to its certificates.
                let id = Some(entry.to_be_bytes().to_vec());
                let chain = rest.number()?;
                for _ in 0..chain {
                    bags.push(bag(Content::Certificate(rest.certificate(version)?), id.clone()));
                }
                let key = match password.map(|password| lock::open(sealed, password, &mut budget)) {
                    Some(Ok(key)) => Content::Key(key),
                    None | Some(Err(EncryptionError::WrongPassword)) => Content::Locked,
                    Some(Err(why)) => return Err(why),
                };
                bags.push(bag(key, id));
            }
            2 => bags.push(bag(Content::Certificate(rest.certificate(version)?), None)),
            // A Java object without a length: nothing behind it can be found.
            3 if magic == JCEKS => return Err(EncryptionError::SecretKey { entry }),
            _ => return Err(EncryptionError::Malformed("entry of a Java KeyStore")),
        }
    }
    match rest.0 {
        [] => Ok(Opened { bags, checked: password.is_some() }),
        _ => Err(EncryptionError::Malformed("Java KeyStore (more stands behind its entries)")),
    }
}
