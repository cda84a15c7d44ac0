//! issuingDistributionPoint (RFC 5280 section 5.2.5): of which certificates a CRL speaks at all.

use crate::encoding::tlv::{self, NotDer};

/// What a CRL confines itself to; all `false`: nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only certificates that name the same distribution point.
    pub distribution_point: bool,
    pub only_end_entities: bool,
    pub only_authorities: bool,
    pub only_attribute_certificates: bool,
    pub only_some_reasons: bool,
    /// Entries may be about certificates of other issuers.
    pub indirect: bool,
}

impl Scope {
    pub fn read(value: &[u8]) -> Result<Self, NotDer> {
        let mut scope = Self::default();
        for field in tlv::children(value, tlv::SEQUENCE)? {
            // BOOLEANs are DEFAULT FALSE; a FALSE that is written out is not DER, and harmless.
            let flag = || if field.content.len() == 1 { Ok(field.content != [0]) } else { Err(NotDer) };
            match field.tag {
                0xa0 => scope.distribution_point = true,
                0x81 => scope.only_end_entities = flag()?,
                0x82 => scope.only_authorities = flag()?,
                0x83 => scope.only_some_reasons = true,
                0x84 => scope.indirect = flag()?,
                0x85 => scope.only_attribute_certificates = flag()?,
                _ => return Err(NotDer),
            }
        }
        Ok(scope)
    }

    /// Whether it may speak of a certificate of this kind.
    pub const fn covers(self, authority: bool) -> bool {
        let other_kind = if authority { self.only_end_entities } else { self.only_authorities };
        !other_kind && !self.only_attribute_certificates
    }

    /// Whether it leaves something out for certificates it covers: what it does not name may be revoked all the same.
    pub const fn leaves_out(self) -> bool {
        self.distribution_point || self.only_some_reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_as_they_are_written() {
        let only = |field: &[u8]| Scope::read(&tlv::write(tlv::SEQUENCE, field)).unwrap();
        assert_eq!(only(&[]), Scope::default());
        assert!(only(&[0xa0, 2, 0xa0, 0]).leaves_out() && only(&[0x83, 2, 6, 0x40]).leaves_out());
        for (tag, end_entity, authority) in [(0x81, true, false), (0x82, false, true), (0x85, false, false)] {
            let scope = only(&[tag, 1, 0xff]);
            assert_eq!((scope.covers(false), scope.covers(true)), (end_entity, authority), "{tag:x}");
            assert_eq!(only(&[tag, 1, 0]), Scope::default());
        }
        assert!(only(&[0x84, 1, 0xff]).indirect);
        for bad in [&[0x81, 0][..], &[0x81, 2, 0xff, 0xff], &[0x86, 0], &[5]] {
            assert_eq!(Scope::read(&tlv::write(tlv::SEQUENCE, bad)), Err(NotDer), "{bad:?}");
        }
    }
}
