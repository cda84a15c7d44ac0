//! Extension elements (RFC 5280 section 4.1): taken apart, and those of certificates kpki writes (section 4.2.1).

use std::net::IpAddr;

use crate::blueprint::{Blueprint, KeyUsage, Role, San, Subtree};
use crate::encoding::error::EncodeError;
use crate::encoding::oid;
use crate::encoding::tlv::{self, CONTEXT, Element, Fields, NotDer};

/// Content octets of the object identifiers, id-ce 2.5.29.n.
pub const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 14];
pub const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
pub const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
pub const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
pub const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
pub const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 32];
pub const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
pub const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];
pub const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
pub const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
pub const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 54];

/// All of a certificate's extensions in the order Go writes them, so kubeadm: keyUsage, extKeyUsage, basicConstraints,
/// subjectKeyIdentifier, authorityKeyIdentifier, subjectAltName, nameConstraints.
pub fn all(
    blueprint: &Blueprint,
    subject_key_id: &[u8],
    authority_key_id: Option<&[u8]>,
) -> Result<Vec<Vec<u8>>, EncodeError> {
    let subject = extension(SUBJECT_KEY_IDENTIFIER, false, &tlv::write(tlv::OCTET_STRING, subject_key_id));
    let identifiers = std::iter::once(subject).chain(authority_key_id.map(authority_key_identifier));
    with_identifiers(blueprint, identifiers)
}

/// What a signing request asks for: the same without the identifiers, which are the signer's to state.
pub fn requested(blueprint: &Blueprint) -> Result<Vec<Vec<u8>>, EncodeError> {
    with_identifiers(blueprint, std::iter::empty())
}

/// keyIdentifier [0] alone: RFC 5280 section 4.2.1.1. A CRL has the same (section 5.2.1).
pub fn authority_key_identifier(id: &[u8]) -> Vec<u8> {
    extension(AUTHORITY_KEY_IDENTIFIER, false, &tlv::sequence(&[tlv::write(CONTEXT, id)]))
}

fn with_identifiers(
    blueprint: &Blueprint,
    identifiers: impl Iterator<Item = Vec<u8>>,
) -> Result<Vec<Vec<u8>>, EncodeError> {
    let mut extensions = usages(blueprint)?;
    extensions.extend(identifiers);
    extensions.extend(names(blueprint)?);
    extensions.extend(constraints(blueprint));
    Ok(extensions)
}

fn usages(blueprint: &Blueprint) -> Result<Vec<Vec<u8>>, EncodeError> {
    let mut extensions = Vec::with_capacity(7);
    if blueprint.key_usage != KeyUsage::default() {
        extensions.push(extension(KEY_USAGE, true, &key_usage(blueprint.key_usage)));
    }
    if !blueprint.extended_key_usages.is_empty() {
        let purposes = blueprint.extended_key_usages.iter().map(|usage| oid::write(&usage.oid()));
        let purposes = purposes.collect::<Result<Vec<_>, _>>()?;
        extensions.push(extension(EXTENDED_KEY_USAGE, false, &tlv::sequence(&purposes)));
    }
    extensions.push(extension(BASIC_CONSTRAINTS, true, &basic_constraints(blueprint.role)));
    Ok(extensions)
}

fn names(blueprint: &Blueprint) -> Result<Option<Vec<u8>>, EncodeError> {
    if blueprint.sans.is_empty() {
        return Ok(None);
    }
    let names = blueprint.sans.iter().map(general_name).collect::<Result<Vec<_>, _>>()?;
    // Section 4.2.1.6: critical where it is the only name there is.
    let critical = blueprint.subject.0.is_empty();
    Ok(Some(extension(SUBJECT_ALT_NAME, critical, &tlv::sequence(&names))))
}

fn constraints(blueprint: &Blueprint) -> Option<Vec<u8>> {
    name_constraints(&blueprint.permitted).map(|value| extension(NAME_CONSTRAINTS, true, &value))
}

/// The value of nameConstraints: permittedSubtrees [0], minimum and maximum left out (RFC 5280 section 4.2.1.10). `None`:
/// nothing is constrained, and there is no extension.
pub fn name_constraints(permitted: &[Subtree]) -> Option<Vec<u8>> {
    if permitted.is_empty() {
        return None;
    }
    let subtrees: Vec<Vec<u8>> = permitted
        .iter()
        .map(|subtree| match subtree {
            Subtree::Dns(name) => tlv::sequence(&[tlv::write(CONTEXT | 2, name.as_bytes())]),
            Subtree::Ip { network, prefix } => tlv::sequence(&[tlv::write(CONTEXT | 7, &block(*network, *prefix))]),
        })
        .collect();
    Some(tlv::sequence(&[tlv::write(tlv::CONTEXT_CONSTRUCTED, &tlv::concat(&subtrees))]))
}

/// An address and its mask, as a constraint has them.
fn block(network: IpAddr, prefix: u8) -> Vec<u8> {
    let octets = match network {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mask = (0..octets.len()).map(|index| {
        let bits = usize::from(prefix).saturating_sub(index * 8).min(8);
        u8::try_from(0xff00_u16 >> bits & 0xff).unwrap_or(0)
    });
    octets.iter().copied().chain(mask).collect()
}

/// Extension (RFC 5280 section 4.1) taken apart: the content octets of its identifier, its flag, what is in the OCTET STRING.
#[derive(Debug, Clone, Copy)]
pub struct Extension<'a> {
    pub id: &'a [u8],
    pub critical: bool,
    pub value: &'a [u8],
}

impl<'a> Extension<'a> {
    pub fn read(element: Element<'a>) -> Result<Self, NotDer> {
        let mut fields = Fields::of(element.of(tlv::SEQUENCE)?);
        let id = fields.take(tlv::OBJECT_IDENTIFIER)?;
        let critical = fields.optional(tlv::BOOLEAN)?.is_some_and(|flag| flag.content != [0]);
        let value = fields.take(tlv::OCTET_STRING)?;
        fields.end().map(|()| Self { id, critical, value })
    }
}

/// One Extension element.
pub fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let id = tlv::write(tlv::OBJECT_IDENTIFIER, id);
    let value = tlv::write(tlv::OCTET_STRING, value);
    // DEFAULT FALSE is left out in DER (X.690 section 11.5).
    if critical { tlv::sequence(&[id, vec![tlv::BOOLEAN, 1, 0xff], value]) } else { tlv::sequence(&[id, value]) }
}

/// A named bit list: bit 0 is the most significant, trailing zero bits are removed (X.690 section 11.2.2).
fn key_usage(usage: KeyUsage) -> Vec<u8> {
    let [high, low] = usage.0.reverse_bits().to_be_bytes();
    let octets: &[u8] = match (high, low) {
        (0, 0) => &[],
        (high, 0) => &[high],
        (high, low) => &[high, low],
    };
    let unused = octets.last().map_or(0, |last| last.trailing_zeros());
    let mut content = vec![u8::try_from(unused).unwrap_or(0)];
    content.extend_from_slice(octets);
    tlv::write(tlv::BIT_STRING, &content)
}

/// An end entity is the empty SEQUENCE: cA DEFAULT FALSE.
fn basic_constraints(role: Role) -> Vec<u8> {
    match role {
        Role::EndEntity => tlv::write(tlv::SEQUENCE, &[]),
        Role::Authority { path_len: None } => tlv::write(tlv::SEQUENCE, &[tlv::BOOLEAN, 1, 0xff]),
        Role::Authority { path_len: Some(length) } => {
            tlv::sequence(&[vec![tlv::BOOLEAN, 1, 0xff], tlv::integer(&[length])])
        }
    }
}

fn general_name(san: &San) -> Result<Vec<u8>, EncodeError> {
    let ia5 = |tag: u8, text: &str| {
        if text.is_ascii() {
            Ok(tlv::write(CONTEXT | tag, text.as_bytes()))
        } else {
            Err(EncodeError::NotAscii(san.clone()))
        }
    };
    match san {
        San::Email(text) => ia5(1, text),
        San::Dns(text) => ia5(2, text),
        San::Uri(text) => ia5(6, text),
        San::Ip(IpAddr::V4(address)) => Ok(tlv::write(CONTEXT | 7, &address.octets())),
        San::Ip(IpAddr::V6(address)) => Ok(tlv::write(CONTEXT | 7, &address.octets())),
        San::Other(der) => match tlv::single(der) {
            Ok(element) if element.tag & 0xc0 == CONTEXT => Ok(der.clone()),
            _ => Err(EncodeError::OtherName { bytes: der.len() }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_drops_trailing_zero_bits() {
        for (usage, der) in [
            (KeyUsage::DIGITAL_SIGNATURE, &[3, 2, 7, 0x80][..]),
            (KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT), &[3, 2, 5, 0xa0]),
            (KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN), &[3, 2, 1, 0x06]),
            (KeyUsage::ENCIPHER_ONLY, &[3, 2, 0, 0x01]),
            (KeyUsage::DECIPHER_ONLY, &[3, 3, 7, 0x00, 0x80]),
            (KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::DECIPHER_ONLY), &[3, 3, 7, 0x80, 0x80]),
            (KeyUsage(0), &[3, 1, 0]),
        ] {
            assert_eq!(key_usage(usage), der, "{usage:?}");
        }
    }

    #[test]
    fn basic_constraints_state_only_what_differs_from_the_default() {
        for (role, der) in [
            (Role::EndEntity, &[0x30, 0][..]),
            (Role::Authority { path_len: None }, &[0x30, 3, 1, 1, 0xff]),
            (Role::Authority { path_len: Some(0) }, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]),
            (Role::Authority { path_len: Some(200) }, &[0x30, 7, 1, 1, 0xff, 2, 2, 0, 200]),
        ] {
            assert_eq!(basic_constraints(role), der, "{role:?}");
        }
    }

    #[test]
    fn constraints_have_addresses_with_masks() {
        let ip = |network: &str, prefix| Subtree::Ip { network: network.parse().unwrap(), prefix };
        for (subtree, der) in [
            (Subtree::Dns("a.b".into()), &[0x30, 9, 0xa0, 7, 0x30, 5, 0x82, 3, b'a', b'.', b'b'][..]),
            (ip("10.0.0.0", 8), &[0x30, 14, 0xa0, 12, 0x30, 10, 0x87, 8, 10, 0, 0, 0, 255, 0, 0, 0]),
            (ip("10.32.0.0", 12), &[0x30, 14, 0xa0, 12, 0x30, 10, 0x87, 8, 10, 32, 0, 0, 255, 240, 0, 0]),
            (ip("0.0.0.0", 0), &[0x30, 14, 0xa0, 12, 0x30, 10, 0x87, 8, 0, 0, 0, 0, 0, 0, 0, 0]),
            (ip("10.0.0.1", 32), &[0x30, 14, 0xa0, 12, 0x30, 10, 0x87, 8, 10, 0, 0, 1, 255, 255, 255, 255]),
        ] {
            assert_eq!(name_constraints(&[subtree]).as_deref(), Some(der));
        }
        assert_eq!(name_constraints(&[]), None);
    }

    #[test]
    fn general_names_have_their_tags() {
        for (san, der) in [
            (San::Dns("a.b".into()), &[0x82, 3, b'a', b'.', b'b'][..]),
            (San::Email("a@b".into()), &[0x81, 3, b'a', b'@', b'b']),
            (San::Uri("u:x".into()), &[0x86, 3, b'u', b':', b'x']),
            (San::Ip("10.0.0.1".parse().unwrap()), &[0x87, 4, 10, 0, 0, 1]),
            (San::Ip("::1".parse().unwrap()), &[0x87, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            (San::Other(vec![0x88, 1, 0x2a]), &[0x88, 1, 0x2a]),
        ] {
            assert_eq!(general_name(&san).unwrap(), der, "{san}");
        }
        for der in [vec![], vec![0x88, 2, 0x2a], vec![0x30, 0], vec![0x88, 0, 0x88, 0]] {
            assert_eq!(general_name(&San::Other(der.clone())), Err(EncodeError::OtherName { bytes: der.len() }));
        }
        let foreign = San::Dns("bücher".into());
        assert_eq!(general_name(&foreign), Err(EncodeError::NotAscii(foreign.clone())));
    }
}
