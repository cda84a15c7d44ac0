//! A signing request (PKCS#10, RFC 2986 section 4.1), written from a blueprint.

use crate::blueprint::Blueprint;
use crate::encoding::error::EncodeError;
use crate::encoding::tlv::{self, CONTEXT_CONSTRUCTED};
use crate::encoding::{extension, name, pem};

/// Content octets of extensionRequest (RFC 2985 section 5.4.2), 1.2.840.113549.1.9.14.
pub const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];

/// RFC 7468 section 7.
pub const LABEL: &str = "CERTIFICATE REQUEST";

/// CertificationRequestInfo, version 1: subject, key, and the extensions that are asked for. The blueprint's dates are the
/// signer's to decide and do not appear.
pub fn to_be_signed(blueprint: &Blueprint, public_key: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let extensions = tlv::sequence(&extension::requested(blueprint)?);
    let attribute =
        tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, EXTENSION_REQUEST), tlv::write(tlv::SET, &extensions)]);
    Ok(tlv::sequence(&[
        tlv::integer(&[0]).as_slice(),
        &name::write(&blueprint.subject)?,
        public_key,
        &tlv::write(CONTEXT_CONSTRUCTED, &attribute),
    ]))
}

pub fn to_pem(der: &[u8]) -> String {
    pem::write_public(LABEL, der)
}
