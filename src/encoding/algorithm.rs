//! AlgorithmIdentifier (RFC 5280 section 4.1.1.2): an object identifier, and parameters where it has some.

use crate::encoding::oid;
use crate::encoding::tlv::{self, Element, NotDer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlgorithmIdentifier<'a> {
    /// The content octets of the object identifier, which is one.
    pub id: &'a [u8],
    pub parameters: Option<Element<'a>>,
    /// The whole element.
    pub raw: &'a [u8],
}

impl<'a> AlgorithmIdentifier<'a> {
    pub fn read(raw: &'a [u8]) -> Result<Self, NotDer> {
        let mut fields = tlv::Fields::inside(raw, tlv::SEQUENCE)?;
        let id = fields.take(tlv::OBJECT_IDENTIFIER)?;
        let parameters = fields.any()?;
        fields.end()?;
        Ok(Self { id, parameters, raw })
    }

    pub fn oid(&self) -> Result<crate::blueprint::Oid, NotDer> {
        oid::read(self.id).ok_or(NotDer)
    }
}

/// `parameters` as whole elements, or nothing.
pub fn write(id: &[u8], parameters: &[u8]) -> Vec<u8> {
    tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, id).as_slice(), parameters])
}
