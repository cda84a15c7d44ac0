//! A signing request as facts (PKCS#10, RFC 2986).

use crate::blueprint::{ExtendedKeyUsage, KeyUsage, Name, Oid, San};
use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::certificate::signed_parts;
use crate::encoding::found::{Found, found};
use crate::encoding::pem::{self, PemError};
use crate::encoding::public_key::KeyKind;
use crate::encoding::tlv::{self, Fields, NotDer};
use crate::encoding::{name, request};
use crate::x509::extension::Extensions;
use crate::x509::key::key_kind;
use crate::x509::parse_error::{LIMIT, ParseError};
use crate::x509::verify::verify_with;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// As it stands.
    pub der: Vec<u8>,
    pub subject: Name,
    pub key: KeyKind,
    pub spki_der: Vec<u8>,
    pub signature_algorithm: Oid,
    pub key_usage: Option<KeyUsage>,
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    pub sans: Vec<San>,
    pub is_ca: bool,
    /// The extensions asked for, in order, with their critical flag.
    pub extensions: Vec<(Oid, bool)>,
    pub path_len: Option<u32>,
    /// The value of nameConstraints, as it stands.
    pub name_constraints: Option<Vec<u8>>,
    /// It was signed by the key it holds; `None`: this program cannot verify such a signature.
    pub signature_valid: Option<bool>,
}

/// Why bytes are not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Something else that is known.
    #[error("expected a signing request, found {0}")]
    Other(Found),
    /// Not the DER of one request, or something follows.
    #[error("expected the DER of one signing request, found something else or more")]
    Malformed(#[from] NotDer),
    /// Not a Name.
    #[error("expected a signing request with a well-formed subject name")]
    Subject,
    /// Not a SubjectPublicKeyInfo.
    #[error("expected a signing request with a well-formed public key")]
    PublicKey,
    /// Two attributes each hold a list of extensions: which one counts?
    #[error("expected one list of requested extensions, found two")]
    TwoLists,
    /// A file holds no request; the labels of the PEM blocks in it.
    #[error("expected a signing request, found {}", pem::listed(.found, "none"))]
    None { found: Vec<pem::Label> },
    /// A block is broken.
    #[error("{0}")]
    Pem(#[from] PemError),
    /// The requested extensions cannot be read.
    #[error("signing request: {0}")]
    Extensions(#[from] ParseError),
}

/// 1.3.6.1.4.1.311.2.1.14: the same attribute, as old Windows writes it.
const MICROSOFT_EXTENSION_REQUEST: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 14];
/// RFC 7468 section 7, and the label that keytool and old programs write.
const LABELS: [&str; 2] = [request::LABEL, "NEW CERTIFICATE REQUEST"];

impl Request {
    /// The requests in a file: PEM blocks with text around them, or one in DER. At least one.
    pub fn read_file(bytes: &[u8]) -> Result<Vec<Self>, RequestError> {
        if bytes.first() == Some(&tlv::SEQUENCE) {
            return Self::parse(bytes).map(|one| vec![one]).map_err(|why| match found(bytes) {
                Some(other) if other != Found::Request => RequestError::Other(other),
                _ => why,
            });
        }
        let blocks = pem::read(bytes)?;
        let wanted = blocks.iter().filter(|block| block.label.known().is_some_and(|label| LABELS.contains(&label)));
        let requests = wanted.map(|block| Self::parse(&block.contents)).collect::<Result<Vec<_>, _>>()?;
        if requests.is_empty() {
            return Err(match found(bytes).filter(|_| blocks.is_empty()) {
                Some(other) => RequestError::Other(other),
                None => RequestError::None { found: blocks.into_iter().map(|block| block.label).collect() },
            });
        }
        Ok(requests)
    }

    pub fn to_pem(&self) -> String {
        pem::write_public(request::LABEL, &self.der)
    }

    pub fn parse(der: &[u8]) -> Result<Self, RequestError> {
        if der.len() > LIMIT {
            return Err(RequestError::Malformed(NotDer));
        }
        let outer = signed_parts(der)?;
        let mut info = Fields::inside(outer.signed, tlv::SEQUENCE)?;
        if info.take(tlv::INTEGER) != Ok(&[0]) {
            return Err(RequestError::Malformed(NotDer));
        }
        let (subject, spki) = (info.element()?, info.element()?);
        let attributes = info.any()?.map(|attributes| attributes.of(tlv::CONTEXT_CONSTRUCTED));
        info.end()?;
        let extensions = requested(attributes.transpose()?.unwrap_or_default())?;
        let signature_algorithm = AlgorithmIdentifier::read(outer.algorithm).and_then(|algorithm| algorithm.oid())?;
        let key = key_kind(spki.raw).map_err(|NotDer| RequestError::PublicKey)?;
        Ok(Self {
            der: der.to_vec(),
            subject: name::read(subject.raw).map_err(|NotDer| RequestError::Subject)?,
            signature_valid: verify_with(&outer, &signature_algorithm, &key, spki.raw),
            key,
            spki_der: spki.raw.to_vec(),
            signature_algorithm,
            key_usage: extensions.key_usage,
            extended_key_usages: extensions.extended_key_usages,
            sans: extensions.sans,
            is_ca: extensions.is_ca,
            path_len: extensions.path_len,
            name_constraints: extensions.name_constraints,
            extensions: extensions.order,
        })
    }
}

/// The extensions among the attributes; other attributes (a challenge password) are passed over.
fn requested(attributes: &[u8]) -> Result<Extensions, RequestError> {
    let mut read = None;
    for attribute in tlv::each(attributes) {
        let mut fields = Fields::of(attribute.and_then(|attribute| attribute.of(tlv::SEQUENCE))?);
        let (id, values) = (fields.element()?, fields.element()?);
        fields.end()?;
        if ![request::EXTENSION_REQUEST, MICROSOFT_EXTENSION_REQUEST].contains(&id.content) {
            continue;
        }
        let list = values.of(tlv::SET).and_then(tlv::single)?;
        if read.replace(Extensions::read(list.raw)?).is_some() {
            return Err(RequestError::TwoLists);
        }
    }
    Ok(read.unwrap_or_default())
}

#[cfg(test)]
#[path = "csr_tests.rs"]
mod tests;
