//! The content of a CRL (RFC 5280 section 5) as values, as [`crate::blueprint`] is for a certificate. Issuer name, key
//! identifier and signature follow from the issuer.

use std::fmt;

use time::OffsetDateTime;

/// Why a certificate is revoked (section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Written by leaving the extension out.
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    /// The only one that can be undone.
    CertificateHold,
    /// Only in a delta CRL: the entry of the base CRL no longer holds.
    RemoveFromCrl,
    PrivilegeWithdrawn,
    AaCompromise,
}

impl Reason {
    /// Code and name of each; 7 is not used.
    const TABLE: [(Self, u8, &'static str); 10] = [
        (Self::Unspecified, 0, "unspecified"),
        (Self::KeyCompromise, 1, "keyCompromise"),
        (Self::CaCompromise, 2, "cACompromise"),
        (Self::AffiliationChanged, 3, "affiliationChanged"),
        (Self::Superseded, 4, "superseded"),
        (Self::CessationOfOperation, 5, "cessationOfOperation"),
        (Self::CertificateHold, 6, "certificateHold"),
        (Self::RemoveFromCrl, 8, "removeFromCRL"),
        (Self::PrivilegeWithdrawn, 9, "privilegeWithdrawn"),
        (Self::AaCompromise, 10, "aACompromise"),
    ];

    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.iter().map(|(reason, ..)| *reason)
    }

    /// The value of the ENUMERATED.
    pub fn code(self) -> u8 {
        Self::TABLE.iter().find(|(reason, ..)| *reason == self).map_or(0, |(_, code, _)| *code)
    }

    pub fn of_code(code: u8) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known, _)| *known == code).map(|(reason, ..)| *reason)
    }

    /// As RFC 5280 spells it.
    pub fn name(self) -> &'static str {
        Self::TABLE.iter().find(|(reason, ..)| *reason == self).map_or("unspecified", |(.., name)| *name)
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(.., name)| *name == text).map(|(reason, ..)| *reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One certificate that is revoked or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The content octets of the INTEGER, as in the certificate.
    pub serial: Vec<u8>,
    /// revocationDate: whole seconds, UTC.
    pub at: OffsetDateTime,
    /// `None`: no reason is given, which is [`Reason::Unspecified`].
    pub reason: Option<Reason>,
    /// invalidityDate: since when the key may have been in other hands (section 5.3.2).
    pub invalid_since: Option<OffsetDateTime>,
    /// Further entry extensions, each a whole Extension element, one after the other, kept from a CRL of another program.
    pub other: Vec<u8>,
}

impl Revoked {
    pub fn is_hold(&self) -> bool {
        self.reason == Some(Reason::CertificateHold)
    }
}

/// What distinguishes one CRL of an issuer from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlIssue {
    pub number: Number,
    /// Whole seconds, UTC.
    pub this_update: OffsetDateTime,
    pub next_update: OffsetDateTime,
}

/// A whole CRL: everything that decides its bytes except its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    pub edition: CrlIssue,
    pub revoked: Vec<Revoked>,
}

/// cRLNumber (section 5.2.3): not negative, at most 20 octets, growing with every issue. Big-endian.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number([u8; Self::OCTETS]);

impl Number {
    const OCTETS: usize = 20;

    /// From the content octets of an INTEGER; `None`: negative, or longer than a reader has to accept.
    pub fn of_content(content: &[u8]) -> Option<Self> {
        let first = content.first()?;
        let mut number = [0; Self::OCTETS];
        let significant = without_zeros(content);
        number.get_mut(Self::OCTETS.checked_sub(significant.len())?..)?.copy_from_slice(significant);
        Self(number).valid().filter(|_| first & 0x80 == 0)
    }

    /// 20 octets include the sign.
    fn valid(self) -> Option<Self> {
        (self.0[0] & 0x80 == 0).then_some(self)
    }

    /// Big-endian, without leading zeros.
    pub fn magnitude(&self) -> &[u8] {
        without_zeros(&self.0)
    }

    /// The number of the next issue; `None`: it would be too long.
    pub fn next(&self) -> Option<Self> {
        let mut number = self.0;
        for octet in number.iter_mut().rev() {
            *octet = octet.wrapping_add(1);
            if *octet != 0 {
                break;
            }
        }
        Self(number).valid()
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        let mut number = [0; Self::OCTETS];
        number.iter_mut().rev().zip(value.to_le_bytes()).for_each(|(octet, value)| *octet = value);
        Self(number)
    }
}

fn without_zeros(octets: &[u8]) -> &[u8] {
    let significant = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len());
    octets.get(significant..).unwrap_or_default()
}

/// The content octets of a serial number without what adds nothing to its value: two readers may have kept one number with
/// and without a leading zero.
pub fn minimal_integer(mut content: &[u8]) -> &[u8] {
    while let [first @ (0 | 0xff), rest @ ..] = content {
        match rest {
            [next, ..] if (next & 0x80 != 0) == (*first == 0xff) => content = rest,
            _ => break,
        }
    }
    content
}

/// Whether the name of a file is that of a CRL.
pub fn is_crl_file(path: &str) -> bool {
    path.ends_with(".crl") || path.ends_with(".crl.der")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_names_and_codes_of_the_standard() {
        for reason in Reason::all() {
            assert_eq!(Reason::parse(reason.name()), Some(reason));
            assert_eq!(Reason::of_code(reason.code()), Some(reason));
        }
        assert_eq!(Reason::parse("cACompromise"), Some(Reason::CaCompromise));
        assert_eq!(Reason::parse("keycompromise"), None);
        assert_eq!((Reason::of_code(7), Reason::of_code(11)), (None, None));
        assert_eq!(Reason::RemoveFromCrl.code(), 8);
    }

    #[test]
    fn numbers_grow_by_one_and_compare_as_numbers() {
        for (content, next) in [
            (&[0][..], &[1][..]),
            (&[0x7f], &[0x80]),
            (&[0, 0xff], &[1, 0]),
            (&[1, 0xff, 0xff], &[2, 0, 0]),
            (&[0, 0, 5], &[6]),
        ] {
            let number = Number::of_content(content).unwrap();
            let following = number.next().unwrap();
            assert_eq!(following.magnitude(), next, "{content:?}");
            assert!(number < following);
        }
        assert_eq!(Number::from(0), Number::of_content(&[0]).unwrap());
        assert!(Number::from(256) > Number::from(255));
        assert_eq!(Number::from(u64::MAX).magnitude(), [0xff; 8]);
        for refused in [&[][..], &[0x80], &[0xff, 0], &[1; 21]] {
            assert_eq!(Number::of_content(refused), None, "{refused:?}");
        }
        let mut largest = [0xff; 20];
        largest[0] = 0x7f;
        assert_eq!(Number::of_content(&largest).unwrap().next(), None);
    }

    #[test]
    fn serials_are_compared_by_value() {
        for (content, plain) in [
            (&[][..], &[][..]),
            (&[0], &[0]),
            (&[0, 0], &[0]),
            (&[0, 1], &[1]),
            (&[0, 0x80], &[0, 0x80]),
            (&[0, 0, 0x80], &[0, 0x80]),
            (&[0xff], &[0xff]),
            (&[0xff, 0xff], &[0xff]),
            (&[0xff, 0x80], &[0x80]),
            (&[0xff, 0x7f], &[0xff, 0x7f]),
            (&[0x80], &[0x80]),
        ] {
            assert_eq!(minimal_integer(content), plain, "{content:?}");
        }
    }
}
