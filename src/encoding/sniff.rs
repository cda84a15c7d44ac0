//! What a DER file is, by its first elements; its name may say something else. Lengths that are BER only do not matter yet: the
//! reader of what it is refuses them with a reason.

use crate::encoding::{ber, tlv};

/// Kinds of DER that are distinguished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Der {
    Certificate,
    Crl,
    Request,
}

/// From the beginning of a file, which may be cut anywhere; `None`: none of them, or too short to tell.
pub fn sniff(head: &[u8]) -> Option<Der> {
    let signed = inside(inside(head)?)?;
    let (first, rest) = element(signed)?;
    // A certificate states its version in [0]; old ones begin with the serial number, as a CRL or request with the version.
    let rest = match first {
        tlv::CONTEXT_CONSTRUCTED => return (signed.get(2) == Some(&tlv::INTEGER)).then_some(Der::Certificate),
        tlv::INTEGER => rest,
        tlv::SEQUENCE => signed,
        _ => return None,
    };
    let (algorithm, rest) = element(rest)?;
    let (issuer, rest) = element(rest)?;
    match (first, algorithm, issuer, rest.first()?) {
        (_, tlv::SEQUENCE, tlv::SEQUENCE, &(tlv::UTC_TIME | tlv::GENERALIZED_TIME)) => Some(Der::Crl),
        (tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE, &tlv::SEQUENCE) => Some(Der::Certificate),
        (tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE, &tlv::CONTEXT_CONSTRUCTED) => Some(Der::Request),
        _ => None,
    }
}

/// What stands behind the header of a SEQUENCE.
fn inside(bytes: &[u8]) -> Option<&[u8]> {
    match ber::header(bytes)? {
        (tlv::SEQUENCE, Some(_), rest) => Some(rest),
        _ => None,
    }
}

/// The tag of the first element, and what stands behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, content, rest) = ber::header(bytes)?;
    rest.get(content?..).map(|rest| (tag, rest))
}
