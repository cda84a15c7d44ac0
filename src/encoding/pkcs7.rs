//! PKCS#7 (RFC 2315), CMS (RFC 5652): the certificates and CRLs of SignedData. Without signers it only carries them, which is
//! what AD CS and other authorities answer with. Signatures in it are counted and never verified.

use zeroize::Zeroizing;

use crate::blueprint::Oid;
use crate::encoding::tlv::{self, Element, Fields, NotDer};
use crate::encoding::{ber, oid};

/// The label of its PEM block, as OpenSSL and Windows write it; CMS is read, too.
pub const LABEL: &str = "PKCS7";
/// pkcs-7, with the content type behind it (RFC 2315 section 14).
pub const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
/// An honest answer of an authority has some certificates, a bundle of roots some hundreds.
const MOST: usize = 10_000;

/// What SignedData carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedData {
    /// As DER, in their order.
    pub certificates: Vec<Vec<u8>>,
    pub crls: Vec<Vec<u8>>,
    /// Attribute certificates, OCSP responses and others beside them.
    pub others: usize,
    /// The type of what is signed; `None`: nothing is inside.
    pub content: Option<Oid>,
    pub signers: usize,
}

/// Why bytes are not that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs7Error {
    #[error("expected PKCS#7 with certificates (SignedData), found {}", content_name(.0))]
    OtherContent(Oid),
    /// The part that is not as its RFC describes it.
    #[error("expected PKCS#7 with a well-formed {0}")]
    Malformed(&'static str),
    /// It ends before its own length says.
    #[error("expected PKCS#7 of {expected} bytes, found {found}: its end is missing")]
    Truncated { expected: usize, found: usize },
    #[error("expected at most {MOST} certificates and CRLs in PKCS#7, found more")]
    TooMany,
}

/// RFC 5652, RFC 3161, Microsoft.
const CONTENTS: &[(&str, &str)] = &[
    ("1.2.840.113549.1.7.1", "plain data"),
    ("1.2.840.113549.1.7.2", "signed data"),
    ("1.2.840.113549.1.7.3", "an encrypted message"),
    ("1.2.840.113549.1.7.4", "a signed and encrypted message"),
    ("1.2.840.113549.1.7.5", "data with a digest"),
    ("1.2.840.113549.1.7.6", "encrypted data"),
    ("1.2.840.113549.1.9.16.1.2", "authenticated data"),
    ("1.2.840.113549.1.9.16.1.4", "a timestamp"),
    ("1.2.840.113549.1.9.16.1.9", "compressed data"),
    ("1.2.840.113549.1.9.16.1.23", "an authenticated encrypted message"),
    ("1.3.6.1.4.1.311.2.1.4", "the signature of a program (Authenticode)"),
    ("1.3.6.1.4.1.311.10.1", "a certificate trust list"),
    ("1.3.6.1.5.5.7.12.3", "a certificate management response (CMC)"),
];

/// A content type in words.
pub fn content_name(id: &Oid) -> String {
    match CONTENTS.iter().find(|(known, _)| *known == id.0) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("content of the type {id}"),
    }
}

/// Whether bytes begin as ContentInfo with one of these types does; DER or BER, perhaps cut.
pub fn looks_like(head: &[u8]) -> bool {
    let inside = ber::header(head).filter(|(tag, ..)| *tag == tlv::SEQUENCE).map(|(.., rest)| rest);
    inside.is_some_and(|rest| rest.starts_with(&[tlv::OBJECT_IDENTIFIER, 9]) && rest.get(2..10) == Some(PKCS7))
}

fn broken(part: &'static str) -> impl Fn(NotDer) -> Pkcs7Error {
    move |NotDer| Pkcs7Error::Malformed(part)
}

/// The certificates and CRLs in it. BER is taken (RFC 5652 section 1.2: what Windows writes), but not changed inside DER.
pub fn read(bytes: &[u8]) -> Result<SignedData, Pkcs7Error> {
    if tlv::single(bytes).is_ok() && content_info(bytes).is_ok() {
        return signed_data(bytes);
    }
    if let Some(expected) = ber::expected(bytes).filter(|expected| *expected > bytes.len()) {
        return Err(Pkcs7Error::Truncated { expected, found: bytes.len() });
    }
    let der: Zeroizing<Vec<u8>> = ber::to_der(bytes).map_err(broken("frame"))?;
    signed_data(&der)
}

/// The type and what is in `[0]`.
fn content_info(der: &[u8]) -> Result<(&[u8], Option<&[u8]>), NotDer> {
    let mut fields = Fields::inside(der, tlv::SEQUENCE)?;
    let id = fields.take(tlv::OBJECT_IDENTIFIER)?;
    let content = fields.optional(tlv::CONTEXT_CONSTRUCTED)?.map(|content| content.content);
    fields.end()?;
    Ok((id, content))
}

fn signed_data(der: &[u8]) -> Result<SignedData, Pkcs7Error> {
    let (id, content) = content_info(der).map_err(broken("frame"))?;
    if id != SIGNED_DATA {
        let id = oid::read(id).ok_or(Pkcs7Error::Malformed("content type"))?;
        return Err(Pkcs7Error::OtherContent(id));
    }
    let part = broken("SignedData");
    let mut fields = Fields::inside(content.unwrap_or_default(), tlv::SEQUENCE).map_err(&part)?;
    let _version = fields.take(tlv::INTEGER).map_err(&part)?;
    let _digests = fields.take(tlv::SET).map_err(&part)?;
    let (id, inside) = fields.element().and_then(|inner| content_info(inner.raw)).map_err(broken("signed content"))?;
    let content = match inside {
        Some(_) => Some(oid::read(id).ok_or(Pkcs7Error::Malformed("content type"))?),
        None => None,
    };
    let mut found = SignedData { certificates: Vec::new(), crls: Vec::new(), others: 0, content, signers: 0 };
    let certificates = fields.optional(tlv::CONTEXT_CONSTRUCTED).map_err(broken("list of certificates"))?;
    found.others += sorted(certificates, &mut found.certificates, "list of certificates")?;
    let crls = fields.optional(tlv::CONTEXT_CONSTRUCTED | 1).map_err(broken("list of CRLs"))?;
    found.others += sorted(crls, &mut found.crls, "list of CRLs")?;
    let signers = fields.take(tlv::SET).and_then(tlv::elements).map_err(broken("list of signers"))?;
    fields.end().map_err(part)?;
    found.signers = signers.len();
    Ok(found)
}

/// X.509's are SEQUENCEs; the others of CMS have tags of their own (RFC 5652 sections 10.2.1 and 10.2.2) and are counted.
fn sorted(list: Option<Element<'_>>, into: &mut Vec<Vec<u8>>, part: &'static str) -> Result<usize, Pkcs7Error> {
    let elements = tlv::elements(list.map(|list| list.content).unwrap_or_default()).map_err(broken(part))?;
    if elements.len() > MOST {
        return Err(Pkcs7Error::TooMany);
    }
    let all = elements.len();
    into.extend(elements.into_iter().filter(|one| one.tag == tlv::SEQUENCE).map(|one| one.raw.to_vec()));
    Ok(all - into.len())
}

/// SignedData without content and signers. In the given order: readers that show the first one first want it kept, and
/// SignedData need not be DER.
pub fn write<T: AsRef<[u8]>>(certificates: &[T], crls: &[T]) -> Vec<u8> {
    let list = |tag, parts: &[T]| match parts {
        [] => Vec::new(),
        parts => tlv::write(tag, &tlv::concat(parts)),
    };
    let id = |id: &[u8]| tlv::write(tlv::OBJECT_IDENTIFIER, id);
    let signed = tlv::sequence(&[
        tlv::integer(&[1]),
        tlv::write(tlv::SET, &[]),
        tlv::sequence(&[id(DATA)]),
        list(tlv::CONTEXT_CONSTRUCTED, certificates),
        list(tlv::CONTEXT_CONSTRUCTED | 1, crls),
        tlv::write(tlv::SET, &[]),
    ]);
    tlv::sequence(&[id(SIGNED_DATA), tlv::write(tlv::CONTEXT_CONSTRUCTED, &signed)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: &[u8] = &[0x30, 3, 2, 1, 1];
    const B: &[u8] = &[0x30, 3, 2, 1, 2];

    #[test]
    fn what_is_written_is_read_in_its_order() {
        for (certificates, crls) in [(vec![B, A], vec![]), (vec![A], vec![B, A]), (vec![], vec![A]), (vec![], vec![])] {
            let der = write(&certificates, &crls);
            assert!(looks_like(&der) && looks_like(&der[..13]));
            let found = read(&der).unwrap();
            assert_eq!((found.certificates, found.crls), (owned(&certificates), owned(&crls)));
            assert_eq!((found.others, found.content, found.signers), (0, None, 0));
            for length in 0..der.len() {
                assert!(read(&der[..length]).is_err(), "{length}");
            }
        }
    }

    fn owned(parts: &[&[u8]]) -> Vec<Vec<u8>> {
        parts.iter().map(|part| part.to_vec()).collect()
    }

    /// Indefinite lengths outside, as Windows and old Java write them.
    #[test]
    fn ber_is_read() {
        let open = |tag: u8, parts: &[&[u8]]| [&[tag, 0x80], parts.concat().as_slice(), &[0, 0]].concat();
        let id = |id: &[u8]| tlv::write(tlv::OBJECT_IDENTIFIER, id);
        let content = open(0x30, &[&id(DATA)]);
        let signed = open(0x30, &[&[2, 1, 1], &[0x31, 0], &content, &open(0xa0, &[A, B]), &[0x31, 0]]);
        let ber = open(0x30, &[&id(SIGNED_DATA), &open(0xa0, &[&signed])]);
        assert!(looks_like(&ber));
        assert_eq!(read(&ber).unwrap().certificates, owned(&[A, B]));
    }

    #[test]
    fn what_is_not_only_certificates_is_told() {
        let id = |id: &[u8]| tlv::write(tlv::OBJECT_IDENTIFIER, id);
        let with = |content: &[u8], list: &[u8], signers: &[u8]| {
            let inner = tlv::sequence(&[id(DATA), content.to_vec()]);
            let signed = tlv::sequence(&[&[2, 1, 1][..], &[0x31, 0], &inner, list, &tlv::write(tlv::SET, signers)]);
            tlv::sequence(&[id(SIGNED_DATA), tlv::write(0xa0, &signed)])
        };
        let found =
            read(&with(&tlv::write(0xa0, &[4, 1, 7]), &tlv::write(0xa0, &[A, &[0xa2, 0]].concat()), A)).unwrap();
        assert_eq!(found.content.as_ref().map(content_name).as_deref(), Some("plain data"));
        assert_eq!((found.others, found.signers, found.certificates.len()), (1, 1, 1));
        let encrypted = tlv::sequence(&[id(&[PKCS7, &[3]].concat()), tlv::write(0xa0, A)]);
        assert_eq!(
            read(&encrypted).unwrap_err().to_string(),
            "expected PKCS#7 with certificates (SignedData), found an encrypted message"
        );
        let unknown = tlv::sequence(&[id(&[PKCS7, &[99]].concat())]);
        assert!(read(&unknown).unwrap_err().to_string().ends_with("content of the type 1.2.840.113549.1.7.99"));
        assert_eq!(read(A), Err(Pkcs7Error::Malformed("frame")));
        assert_eq!(read(&A[..3]), Err(Pkcs7Error::Truncated { expected: 5, found: 3 }));
    }

    proptest! {
        #[test]
        fn any_change_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut der = write(&[A, B], &[A]);
            let _ = read(&der[..cut.index(der.len())]);
            let at = at.index(der.len());
            der[at] = byte;
            if let Ok(found) = read(&der) {
                prop_assert!(found.certificates.iter().chain(&found.crls).all(|one| tlv::single(one).is_ok()));
            }
        }
    }
}
