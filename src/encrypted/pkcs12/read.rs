//! A PFX opened: the code over it is checked first, then every lock inside is opened with the same password.

use zeroize::Zeroizing;

use super::super::EncryptionError;
use super::super::budget::Budget;
use super::super::derive::{self, Hash, Purpose};
use super::super::params::{self, ids, number};
use super::super::password::first_that_fits;
use super::super::pkcs8;
use super::super::scheme::{Derivation, Scheme, pair};
use super::bags;
use super::content::{Bag, Content, Opened};
use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::ber;
use crate::encoding::tlv::{self, Element, Fields, NotDer};

/// Bags in bags.
const DEEPEST: usize = 4;
/// A truststore of every public authority has some hundreds.
const MOST_BAGS: usize = 10_000;

type Result<T> = std::result::Result<T, EncryptionError>;

fn broken(part: &'static str) -> impl Fn(NotDer) -> EncryptionError {
    move |NotDer| EncryptionError::Malformed(part)
}

const PFX: &str = "PKCS#12 file";
const CONTENTS: &str = "PKCS#12 content";
const BAG: &str = "PKCS#12 bag";

/// Everything in the file. Without a password, the empty and the absent one are tried.
pub fn open(pfx: &[u8], password: Option<&str>) -> Result<Opened> {
    // Both tries draw on one budget.
    let mut budget = Budget::full();
    if ber::expected(pfx).is_some_and(|expected| expected > pfx.len()) {
        return Err(EncryptionError::Truncated(PFX));
    }
    let der = ber::to_der(pfx).map_err(broken(PFX))?;
    let file = File::read(&der)?;
    first_that_fits(password, |password| file.open(password, &mut budget))
}

/// The outermost layer.
struct File<'a> {
    /// AuthenticatedSafe, BER or DER.
    safe: &'a [u8],
    mac: Option<Mac<'a>>,
}

impl<'a> File<'a> {
    fn read(der: &'a [u8]) -> Result<Self> {
        let mut fields = Fields::inside(der, tlv::SEQUENCE).map_err(broken(PFX))?;
        if fields.take(tlv::INTEGER) != Ok(&[3]) {
            return Err(EncryptionError::Malformed("PKCS#12 file of version 3"));
        }
        let (safe, mac) = (fields.element().map_err(broken(PFX))?, fields.any().map_err(broken(PFX))?);
        fields.end().map_err(broken(PFX))?;
        let (id, content) = content_info(safe).map_err(broken(CONTENTS))?;
        if id != bags::DATA {
            return Err(params::unsupported("PKCS#12 integrity mode", id));
        }
        Ok(Self { safe: octets(content)?, mac: mac.map(Mac::read).transpose()? })
    }

    fn open(&self, password: Option<&str>, budget: &mut Budget) -> Result<Opened> {
        if let Some(mac) = &self.mac {
            mac.check(self.safe, password, budget)?;
        }
        let mut opening = Opening { password, budget, bags: Vec::new() };
        let safe = ber::to_der(self.safe).map_err(broken(CONTENTS))?;
        for info in tlv::children(&safe, tlv::SEQUENCE).map_err(broken(CONTENTS))? {
            opening.content(info)?;
        }
        Ok(Opened { bags: opening.bags, checked: self.mac.is_some() })
    }
}

/// ContentInfo: the type, and the value in its `[0]`. Bags of certificates and CRLs have the same shape.
fn content_info(info: Element<'_>) -> std::result::Result<(&[u8], Element<'_>), NotDer> {
    let (id, content) = pair(info)?;
    Ok((id.of(tlv::OBJECT_IDENTIFIER)?, tlv::single(content.of(tlv::CONTEXT_CONSTRUCTED)?)?))
}

fn octets(element: Element<'_>) -> Result<&[u8]> {
    element.of(tlv::OCTET_STRING).map_err(broken(CONTENTS))
}

/// MacData (RFC 7292 section 4), with PBMAC1 in it (RFC 9579).
struct Mac<'a> {
    kind: MacKind,
    code: &'a [u8],
}

type MacFields<'a> = (AlgorithmIdentifier<'a>, &'a [u8], &'a [u8], u64);

enum MacKind {
    Pkcs12 { hash: Hash, salt: Vec<u8>, iterations: u64 },
    Pbmac1 { derivation: Derivation, hash: Hash, key_length: usize },
}

impl<'a> Mac<'a> {
    fn read(element: Element<'a>) -> Result<Self> {
        let (algorithm, code, salt, iterations) = Self::fields(element).map_err(broken("PKCS#12 integrity code"))?;
        let kind = if algorithm.id == ids::PBMAC1 {
            pbmac1(algorithm)?
        } else {
            MacKind::Pkcs12 { hash: params::digest(algorithm.id)?, salt: salt.to_vec(), iterations }
        };
        Ok(Self { kind, code })
    }

    /// The digest's algorithm and octets, the salt, and the iterations, DEFAULT 1.
    fn fields(element: Element<'a>) -> std::result::Result<MacFields<'a>, NotDer> {
        let mut fields = Fields::of(element.of(tlv::SEQUENCE)?);
        let (algorithm, code) = pair(fields.element()?)?;
        let salt = fields.take(tlv::OCTET_STRING)?;
        let iterations = fields.any()?.map_or(Ok(1), number)?;
        fields.end()?;
        Ok((AlgorithmIdentifier::read(algorithm.raw)?, code.of(tlv::OCTET_STRING)?, salt, iterations))
    }

    fn check(&self, message: &[u8], password: Option<&str>, budget: &mut Budget) -> Result<()> {
        let (hash, key) = match &self.kind {
            MacKind::Pkcs12 { hash, salt, iterations } => {
                let iterations = budget.spend(*iterations)?;
                (*hash, derive::pkcs12(*hash, Purpose::Mac, password, salt, iterations, hash.length()))
            }
            MacKind::Pbmac1 { derivation, hash, key_length } => {
                (*hash, derivation.derive(password, *key_length, budget)?)
            }
        };
        if hash.is_mac(&key, message, self.code) { Ok(()) } else { Err(EncryptionError::WrongPassword) }
    }
}

/// PBMAC1-params (RFC 8018 appendix A.5); RFC 9579 section 5 wants the key length stated.
fn pbmac1(algorithm: AlgorithmIdentifier<'_>) -> Result<MacKind> {
    let part = "PBMAC1 parameters";
    let (derivation, scheme) = algorithm.parameters.ok_or(NotDer).and_then(pair).map_err(broken(part))?;
    let derivation = Derivation::read(derivation.raw)?;
    let hash = params::prf(AlgorithmIdentifier::read(scheme.raw).map_err(broken(part))?.id)?;
    let (Derivation::Pbkdf2 { key_length, .. } | Derivation::Scrypt { key_length, .. }) = &derivation;
    let length = key_length.and_then(|length| usize::try_from(length).ok()).filter(|length| (16..=64).contains(length));
    Ok(MacKind::Pbmac1 { hash, key_length: length.ok_or(EncryptionError::Malformed(part))?, derivation })
}

/// What is being taken out, and with what.
struct Opening<'p, 'b> {
    password: Option<&'p str>,
    budget: &'b mut Budget,
    bags: Vec<Bag>,
}

impl Opening<'_, '_> {
    /// One ContentInfo of the AuthenticatedSafe.
    fn content(&mut self, info: Element<'_>) -> Result<()> {
        let (id, content) = content_info(info).map_err(broken(CONTENTS))?;
        let plain = match id {
            bags::DATA => Zeroizing::new(octets(content)?.to_vec()),
            bags::ENCRYPTED_DATA => self.encrypted(content)?,
            _ => return Err(params::unsupported("PKCS#12 content", id)),
        };
        // A wrong key can leave valid padding behind; what it leaves is no SafeContents.
        let wrong =
            if id == bags::DATA { EncryptionError::Malformed(CONTENTS) } else { EncryptionError::WrongPassword };
        let der = ber::to_der(&plain).map_err(|NotDer| wrong)?;
        self.safe_contents(&der, 0)
    }

    /// EncryptedData (RFC 2315 section 13).
    fn encrypted(&mut self, data: Element<'_>) -> Result<Zeroizing<Vec<u8>>> {
        let part = "encrypted PKCS#12 content";
        let (algorithm, sealed) = encrypted_content_info(data).map_err(broken(part))?;
        let joined;
        let sealed = match sealed.tag {
            tlv::CONTEXT => sealed.content,
            // `[0] IMPLICIT OCTET STRING` in pieces: BER.
            tlv::CONTEXT_CONSTRUCTED => {
                let pieces = tlv::elements(sealed.content).map_err(broken(part))?;
                joined = tlv::concat(&pieces.into_iter().map(octets).collect::<Result<Vec<_>>>()?);
                &joined
            }
            _ => return Err(EncryptionError::Malformed(part)),
        };
        Scheme::read(algorithm.raw)?.decrypt(self.password, sealed, self.budget)
    }

    fn safe_contents(&mut self, der: &[u8], depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(EncryptionError::TooDeep { most: DEEPEST });
        }
        for bag in tlv::children(der, tlv::SEQUENCE).map_err(broken(BAG))? {
            self.bag(bag, depth)?;
        }
        Ok(())
    }

    /// SafeBag (section 4.2).
    fn bag(&mut self, bag: Element<'_>, depth: usize) -> Result<()> {
        if self.bags.len() >= MOST_BAGS {
            return Err(EncryptionError::TooMany { most: MOST_BAGS });
        }
        let (id, value, attributes) = safe_bag(bag).map_err(broken(BAG))?;
        let content = match id {
            bags::KEY => Content::Key(Zeroizing::new(value.raw.to_vec())),
            bags::SHROUDED_KEY => Content::Key(pkcs8::open_with(value.raw, self.password, self.budget)?),
            bags::CERTIFICATE => Content::Certificate(typed(value, bags::X509_CERTIFICATE)?),
            bags::CRL => Content::Crl(typed(value, bags::X509_CRL)?),
            bags::SAFE_CONTENTS => return self.safe_contents(value.raw, depth.saturating_add(1)),
            other => return Err(params::unsupported("PKCS#12 bag", other)),
        };
        let mut read = Bag { content, friendly_name: None, local_key_id: None };
        for attribute in attributes {
            read.attribute(attribute).map_err(broken(BAG))?;
        }
        self.bags.push(read);
        Ok(())
    }
}

/// The algorithm and the ciphertext of EncryptedData (RFC 2315 section 13).
fn encrypted_content_info(data: Element<'_>) -> std::result::Result<(Element<'_>, Element<'_>), NotDer> {
    let mut fields = Fields::of(data.of(tlv::SEQUENCE)?);
    let _version = fields.element()?;
    let mut info = Fields::of(fields.take(tlv::SEQUENCE)?);
    let _type = info.element()?;
    let parts = (info.element()?, info.element()?);
    info.end()?;
    fields.all().map(|_unprotected_attributes| parts)
}

/// The type, the value in `[0]`, and the attributes of a SafeBag.
fn safe_bag(bag: Element<'_>) -> std::result::Result<(&[u8], Element<'_>, Vec<Element<'_>>), NotDer> {
    let mut fields = Fields::of(bag.of(tlv::SEQUENCE)?);
    let id = fields.take(tlv::OBJECT_IDENTIFIER)?;
    let value = tlv::single(fields.take(tlv::CONTEXT_CONSTRUCTED)?)?;
    let attributes = match fields.any()? {
        Some(attributes) => tlv::elements(attributes.of(tlv::SET)?)?,
        None => Vec::new(),
    };
    fields.end().map(|()| (id, value, attributes))
}

/// CertBag and CRLBag: a type, and in `[0]` an OCTET STRING.
fn typed(value: Element<'_>, wanted: &'static [u8]) -> Result<Vec<u8>> {
    let (id, inner) = content_info(value).map_err(broken(BAG))?;
    if id != wanted {
        return Err(params::unsupported("PKCS#12 certificate type", id));
    }
    octets(inner).map(<[u8]>::to_vec)
}

impl Bag {
    /// The two that mean something to us; others are passed over.
    fn attribute(&mut self, attribute: Element<'_>) -> std::result::Result<(), NotDer> {
        let (id, values) = pair(attribute)?;
        match (id.content, tlv::elements(values.content)?.first()) {
            (bags::FRIENDLY_NAME, Some(name)) if name.tag == tlv::BMP_STRING => {
                let units = name.content.chunks_exact(2).map(|pair| match pair {
                    [high, low] => u16::from_be_bytes([*high, *low]),
                    _ => 0,
                });
                self.friendly_name = Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect());
            }
            (bags::LOCAL_KEY_ID, Some(id)) if id.tag == tlv::OCTET_STRING => {
                self.local_key_id = Some(id.content.to_vec());
            }
            _ => {}
        }
        Ok(())
    }
}
