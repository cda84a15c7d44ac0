//! Everything that decides the bytes of a certificate except its key, its serial number (drawn by [`crate::ca`], the only room
//! with randomness) and its signature.
//!
//! No field is an `Option` that means "the library decides". The two key identifiers are not stated because they follow
//! from the keys: subjectKeyIdentifier is the leftmost 160 bits of the SHA-256 of the subjectPublicKey (RFC 7093 section 2
//! method 1, what kubeadm 1.35+ does), authorityKeyIdentifier repeats the issuer's, and is absent when the issuer has none
//! or signs itself.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use time::{Duration, OffsetDateTime};

/// kubeadm back-dates by this much, so that a node whose clock is a little late accepts the certificate.
pub const BACK_DATE: Duration = Duration::minutes(5);

/// What a certificate is to say, RFC 5280 section 4.1.2 and 4.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blueprint {
    /// The subject's distinguished name (section 4.1.2.6).
    pub subject: Name,
    /// First and last second of validity, UTC, whole seconds (section 4.1.2.5).
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// basicConstraints, critical (section 4.2.1.9).
    pub role: Role,
    /// keyUsage, critical (section 4.2.1.3).
    pub key_usage: KeyUsage,
    /// extKeyUsage, not critical, in this order; empty: no extension (section 4.2.1.12).
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// subjectAltName, not critical, in this order; empty: no extension (section 4.2.1.6).
    pub sans: Vec<San>,
    /// nameConstraints, critical: what an authority may sign for; empty: no extension (section 4.2.1.10).
    pub permitted: Vec<Subtree>,
}

/// A part of the name space that nameConstraints permit. Kinds of names of which none is listed are not constrained.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subtree {
    /// This name and everything below it; with a dot before it only what is below it, which RFC 5280 leaves open for DNS names
    /// and Go, OpenSSL and webpki read alike.
    Dns(String),
    /// The addresses whose first `prefix` bits are these.
    Ip { network: IpAddr, prefix: u8 },
}

impl Subtree {
    /// Whether this name is in it; `None`: it is of another kind, which this does not constrain.
    pub fn covers(&self, san: &San) -> Option<bool> {
        match (self, san) {
            (Self::Dns(tree), San::Dns(name)) => Some(match name.strip_suffix(tree.as_str()) {
                Some("") => !tree.starts_with('.'),
                Some(before) => tree.starts_with('.') || before.ends_with('.'),
                None => false,
            }),
            (Self::Ip { network, prefix }, San::Ip(address)) => {
                let (network, bits) = number(network);
                let (address, of) = number(address);
                let host_bits = bits.saturating_sub((*prefix).into());
                Some(bits == of && (network ^ address).checked_shr(host_bits).unwrap_or(0) == 0)
            }
            _ => None,
        }
    }

    /// Whether an authority with these may sign for this name (RFC 5280 section 4.2.1.10).
    pub fn permit(permitted: &[Self], san: &San) -> bool {
        let judged: Vec<bool> = permitted.iter().filter_map(|subtree| subtree.covers(san)).collect();
        judged.is_empty() || judged.contains(&true)
    }
}

/// An address as a number of so many bits.
fn number(address: &IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (address.to_bits().into(), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip { network, prefix } => write!(f, "{network}/{prefix}"),
        }
    }
}

/// basicConstraints: an authority may sign certificates, an end entity may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Authority {
        /// How many intermediates may follow; `None`: the field is absent, without limit (as kubeadm writes it).
        path_len: Option<u8>,
    },
    EndEntity,
}

/// The kinds of key kpki makes, by kubeadm's names (`encryptionAlgorithm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    EcdsaP256,
    EcdsaP384,
}

impl Algorithm {
    pub const ALL: [Self; 5] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::EcdsaP256, Self::EcdsaP384];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA-2048",
            Self::Rsa3072 => "RSA-3072",
            Self::Rsa4096 => "RSA-4096",
            Self::EcdsaP256 => "ECDSA-P256",
            Self::EcdsaP384 => "ECDSA-P384",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == text)
    }

    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An object identifier in dotted decimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(pub Cow<'static, str>);

impl Oid {
    pub const COMMON_NAME: Self = Self(Cow::Borrowed("2.5.4.3"));
    pub const COUNTRY: Self = Self(Cow::Borrowed("2.5.4.6"));
    pub const LOCALITY: Self = Self(Cow::Borrowed("2.5.4.7"));
    pub const STATE: Self = Self(Cow::Borrowed("2.5.4.8"));
    pub const ORGANIZATION: Self = Self(Cow::Borrowed("2.5.4.10"));
    pub const ORGANIZATIONAL_UNIT: Self = Self(Cow::Borrowed("2.5.4.11"));

    pub fn new(dotted: impl Into<String>) -> Self {
        Self(Cow::Owned(dotted.into()))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Short names of the attribute types people meet (RFC 4514 section 3, RFC 4519).
pub const ATTRIBUTE_NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

pub const TAG_UTF8_STRING: u8 = 0x0c;
pub const TAG_PRINTABLE_STRING: u8 = 0x13;

/// One attribute of a name with its value as in the DER: tag and content bytes, so that a foreign name is
/// reproduced byte for byte (issuer and subject are compared bytewise by most verifiers).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    pub oid: Oid,
    pub tag: u8,
    pub value: Vec<u8>,
}

impl Attribute {
    /// PrintableString when the characters allow it, else UTF8String (RFC 5280 section 4.1.2.4; Go's choice, so kubeadm's).
    pub fn new(oid: Oid, text: &str) -> Self {
        let tag = if text.bytes().all(is_printable) { TAG_PRINTABLE_STRING } else { TAG_UTF8_STRING };
        Self { oid, tag, value: text.as_bytes().to_vec() }
    }
}

/// X.680 table 10, PrintableString.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}

/// A distinguished name: relative distinguished names in order, each a set of attributes (RFC 5280 section 4.1.2.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub Vec<Vec<Attribute>>);

impl Name {
    /// kubeadm's shape: all values of O in one multi-valued RDN, then CN.
    pub fn of(common_name: &str, organizations: &[&str]) -> Self {
        Self::default().with(&Oid::ORGANIZATION, organizations).with(&Oid::COMMON_NAME, &[common_name])
    }

    /// Appends one RDN with these values, sorted as a DER SET wants them; no value: no RDN.
    #[must_use]
    pub fn with(mut self, oid: &Oid, values: &[&str]) -> Self {
        if !values.is_empty() {
            let mut rdn: Vec<Attribute> = values.iter().map(|text| Attribute::new(oid.clone(), text)).collect();
            // X.690 section 11.6: ascending by encoding; within one type that is length (the first octet that differs is the
            // one of the SEQUENCE around type and value), then tag, then bytes.
            rdn.sort_by(|a, b| (a.value.len(), a.tag, &a.value).cmp(&(b.value.len(), b.tag, &b.value)));
            self.0.push(rdn);
        }
        self
    }
}

/// A subject alternative name (RFC 5280 section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum San {
    Dns(String),
    Ip(IpAddr),
    Email(String),
    Uri(String),
    /// Any other GeneralName, as its DER.
    Other(Vec<u8>),
}

/// The bits of keyUsage; bit 0 is digitalSignature (RFC 5280 section 4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct KeyUsage(pub u16);

impl KeyUsage {
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    pub const CONTENT_COMMITMENT: Self = Self(1 << 1);
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    pub const CRL_SIGN: Self = Self(1 << 6);
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    const NAMES: [(Self, &'static str); 9] = [
        (Self::DIGITAL_SIGNATURE, "digitalSignature"),
        (Self::CONTENT_COMMITMENT, "contentCommitment"),
        (Self::KEY_ENCIPHERMENT, "keyEncipherment"),
        (Self::DATA_ENCIPHERMENT, "dataEncipherment"),
        (Self::KEY_AGREEMENT, "keyAgreement"),
        (Self::KEY_CERT_SIGN, "keyCertSign"),
        (Self::CRL_SIGN, "cRLSign"),
        (Self::ENCIPHER_ONLY, "encipherOnly"),
        (Self::DECIPHER_ONLY, "decipherOnly"),
    ];

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn names(self) -> Vec<&'static str> {
        Self::NAMES.iter().filter(|(bit, _)| self.contains(*bit)).map(|(_, name)| *name).collect()
    }
}

/// An extended key usage (RFC 5280 section 4.2.1.12).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExtendedKeyUsage {
    ServerAuth,
    ClientAuth,
    Other(Oid),
}

impl ExtendedKeyUsage {
    pub fn oid(&self) -> Oid {
        match self {
            Self::ServerAuth => Oid(Cow::Borrowed("1.3.6.1.5.5.7.3.1")),
            Self::ClientAuth => Oid(Cow::Borrowed("1.3.6.1.5.5.7.3.2")),
            Self::Other(oid) => oid.clone(),
        }
    }

    pub fn from_oid(oid: Oid) -> Self {
        [Self::ServerAuth, Self::ClientAuth].into_iter().find(|known| known.oid() == oid).unwrap_or(Self::Other(oid))
    }

    pub fn name(&self) -> &str {
        match self {
            Self::ServerAuth => "serverAuth",
            Self::ClientAuth => "clientAuth",
            Self::Other(oid) => &oid.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtrees_permit_what_lies_in_them() {
        let tree = |text: &str| crate::profile::permitted_name(text).unwrap();
        let san = |text: &str| crate::profile::san(text).unwrap();
        for (trees, inside, outside) in [
            (
                &["example.com"][..],
                &["example.com", "a.b.example.com", "*.example.com", "10.0.0.1"][..],
                &["xexample.com", "com", "*.com"][..],
            ),
            (&[".example.com"], &["a.example.com", "*.example.com"], &["example.com", "xexample.com"]),
            (&["10.0.0.0/8"], &["10.255.0.1", "cp1"], &["11.0.0.1", "::1"]),
            (&["10.96.0.0/12", "::1"], &["10.111.255.255", "::1"], &["10.112.0.0", "::2", "10.95.0.0"]),
            (&["0.0.0.0/0"], &["255.1.2.3"], &["fd00::1"]),
            (&["::/0"], &["fd00::1"], &["1.2.3.4"]),
            (&["cp1", "localhost", "10.0.0.1"], &["cp1", "localhost", "10.0.0.1"], &["cp2", "10.0.0.2"]),
            (&[], &["cp1", "10.0.0.1"], &[]),
        ] {
            let permitted: Vec<Subtree> = trees.iter().map(|text| tree(text)).collect();
            inside.iter().for_each(|name| assert!(Subtree::permit(&permitted, &san(name)), "{trees:?} {name}"));
            outside.iter().for_each(|name| assert!(!Subtree::permit(&permitted, &san(name)), "{trees:?} {name}"));
        }
    }

    #[test]
    fn a_name_has_kubeadms_shape() {
        let name = Name::of("system:node:cp1", &["system:nodes"]);
        assert_eq!(name.to_string(), "O=system:nodes, CN=system:node:cp1");
        assert_eq!(name.0[1][0].tag, TAG_PRINTABLE_STRING);
        assert_eq!(Name::of("a_b", &[]).0[0][0].tag, TAG_UTF8_STRING);
        assert_eq!(Name::of("x", &["bb", "a"]).to_string(), "O=a+O=bb, CN=x");
        assert_eq!(Name::of("x", &["a_b", "bb"]).to_string(), "O=bb+O=a_b, CN=x", "a shorter value before another tag");
    }

    #[test]
    fn algorithms_parse_by_kubeadms_names_only() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::parse("ecdsa-p256"), None);
    }

    #[test]
    fn key_usage_names_follow_the_bits() {
        let usage = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::CRL_SIGN);
        assert_eq!(usage.names(), ["digitalSignature", "cRLSign"]);
        assert!(usage.contains(KeyUsage::CRL_SIGN) && !usage.contains(KeyUsage::KEY_CERT_SIGN));
    }
}
