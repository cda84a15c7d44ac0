//! The extensions kpki understands, out of a parsed certificate (RFC 5280 section 4.2.1). basicConstraints, keyUsage and
//! the identifiers are x509-parser's reading; extKeyUsage and subjectAltName are read here element by element, because the
//! parser keeps neither the order of purposes nor the bytes of names it does not know.

use std::net::IpAddr;

use x509_parser::extensions::{AuthorityKeyIdentifier, BasicConstraints, KeyIdentifier, KeyUsage as ParsedKeyUsage};
use x509_parser::prelude::{FromDer, X509Error};

use crate::blueprint::{ExtendedKeyUsage, KeyUsage, Oid, San};
use crate::encoding::extension::{self as id, Extension};
use crate::encoding::oid;
use crate::encoding::tlv::{self, Element, NotDer};
use crate::x509::parse_error::ParseError;

#[derive(Debug, Default)]
pub struct Extensions {
    pub basic_constraints: bool,
    pub is_ca: bool,
    pub path_len: Option<u32>,
    pub key_usage: Option<KeyUsage>,
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    pub sans: Vec<San>,
    pub subject_key_id: Option<Vec<u8>>,
    pub authority_key_id: Option<Vec<u8>>,
    /// The value of nameConstraints, as it stands.
    pub name_constraints: Option<Vec<u8>>,
    pub order: Vec<(Oid, bool)>,
    pub unknown_critical: Vec<Oid>,
}

impl Extensions {
    /// From the DER of a list of extensions.
    pub fn read(der: &[u8]) -> Result<Self, ParseError> {
        let mut facts = Self::default();
        for element in tlv::children(der, tlv::SEQUENCE).map_err(|NotDer| ParseError::Extensions)? {
            let Extension { id, critical, value } =
                Extension::read(element).map_err(|NotDer| ParseError::Extensions)?;
            let oid = oid::read(id).ok_or(ParseError::Extensions)?;
            if facts.order.iter().any(|(seen, _)| *seen == oid) {
                return Err(ParseError::DuplicateExtension(oid));
            }
            if facts.take(id, value).map_err(|NotDer| ParseError::Extension(oid.clone()))?.is_none() && critical {
                facts.unknown_critical.push(oid.clone());
            }
            facts.order.push((oid, critical));
        }
        Ok(facts)
    }

    /// `None`: not an extension known here.
    fn take(&mut self, id: &[u8], value: &[u8]) -> Result<Option<()>, NotDer> {
        match id {
            id::BASIC_CONSTRAINTS => {
                let constraints: BasicConstraints = whole(value)?;
                self.basic_constraints = true;
                self.is_ca = constraints.ca;
                self.path_len = constraints.path_len_constraint;
            }
            id::KEY_USAGE => self.key_usage = Some(KeyUsage(whole::<ParsedKeyUsage>(value)?.flags)),
            id::EXTENDED_KEY_USAGE => {
                let purposes = tlv::children(value, tlv::SEQUENCE)?;
                self.extended_key_usages = purposes.into_iter().map(purpose).collect::<Result<_, _>>()?;
            }
            id::SUBJECT_ALT_NAME => {
                self.sans = tlv::children(value, tlv::SEQUENCE)?.into_iter().map(general_name).collect();
            }
            // rustls-webpki evaluates them, in an authority that is trusted as in one on the way.
            id::NAME_CONSTRAINTS => {
                tlv::children(value, tlv::SEQUENCE)?;
                self.name_constraints = Some(value.to_vec());
            }
            id::SUBJECT_KEY_IDENTIFIER => {
                self.subject_key_id = Some(whole::<KeyIdentifier<'_>>(value)?.0.to_vec());
            }
            id::AUTHORITY_KEY_IDENTIFIER => {
                let authority: AuthorityKeyIdentifier<'_> = whole(value)?;
                self.authority_key_id = authority.key_identifier.map(|id| id.0.to_vec());
            }
            // Read with the path or the CRLs they are judged with: `policies`, `distribution`.
            id::CRL_DISTRIBUTION_POINTS
            | id::CERTIFICATE_POLICIES
            | id::POLICY_MAPPINGS
            | id::POLICY_CONSTRAINTS
            | id::INHIBIT_ANY_POLICY => {}
            _ => return Ok(None),
        }
        Ok(Some(()))
    }
}

/// The parser's reading of a value, of which nothing may be left over.
fn whole<'a, T: FromDer<'a, X509Error>>(value: &'a [u8]) -> Result<T, NotDer> {
    match T::from_der(value) {
        Ok(([], read)) => Ok(read),
        _ => Err(NotDer),
    }
}

fn purpose(element: Element<'_>) -> Result<ExtendedKeyUsage, NotDer> {
    if element.tag != tlv::OBJECT_IDENTIFIER {
        return Err(NotDer);
    }
    oid::read(element.content).map(ExtendedKeyUsage::from_oid).ok_or(NotDer)
}

/// What cannot be written back from its meaning (a DNS name outside ASCII, an address of 5 octets) is kept as it stands.
fn general_name(element: Element<'_>) -> San {
    let other = || San::Other(element.raw.to_vec());
    let ascii = || std::str::from_utf8(element.content).ok().filter(|text| text.is_ascii()).map(str::to_owned);
    match element.tag {
        0x81 => ascii().map_or_else(other, San::Email),
        0x82 => ascii().map_or_else(other, San::Dns),
        0x86 => ascii().map_or_else(other, San::Uri),
        0x87 => address(element.content).map_or_else(other, San::Ip),
        _ => other(),
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}
