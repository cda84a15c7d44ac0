//! What a text is that should be PEM, for a message about it.

use std::fmt;

use super::base64;
use super::found::{Found, found};
use super::pem::{Label, listed};
use super::pem_blocks::{PemError, blocks};
use super::tlv;

/// What was found in place of a certificate, CRL or key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    Nothing,
    EmptyFile,
    Unknown,
    /// PEM blocks with these labels.
    Blocks(Vec<Label>),
    /// No block, but a line that looks like the begin of one.
    NotABoundary(PemError),
    /// Something else that is known.
    Other(Found),
    /// The bytes that belong between the lines of a PEM block.
    Der,
    DerKey,
    /// PEM or DER that is encoded once more.
    Base64,
}

impl Contents {
    pub fn of(bytes: &[u8]) -> Self {
        let labels: Vec<_> = blocks(bytes).take(3).flatten().map(|raw| raw.label()).collect();
        let outside = blocks(bytes).next().and_then(Result::err).filter(PemError::is_outside);
        match outside {
            _ if !labels.is_empty() => Self::Blocks(labels),
            Some(why) => Self::NotABoundary(why),
            _ if bytes.is_empty() => Self::EmptyFile,
            _ if is_der(bytes) => match found(bytes) {
                None | Some(Found::Certificate) => Self::Der,
                Some(Found::PrivateKey) => Self::DerKey,
                Some(other) => Self::Other(other),
            },
            _ if base64::decode(bytes).is_ok_and(|inner| blocks(&inner).next().is_some() || is_der(&inner)) => {
                Self::Base64
            }
            _ => found(bytes).map_or(Self::Unknown, Self::Other),
        }
    }
}

pub fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&tlv::SEQUENCE) && tlv::single(bytes).is_ok()
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::EmptyFile => f.write_str("an empty file"),
            Self::Unknown => f.write_str("nothing of the kind"),
            Self::Blocks(labels) => f.write_str(&listed(labels, "none")),
            Self::NotABoundary(why) => write!(f, "no block ({why})"),
            Self::Other(found) => found.fmt(f),
            Self::Der => f.write_str("DER, which belongs into PEM (kpki convert --to pem)"),
            Self::DerKey => f.write_str("a private key in DER (kpki convert --to pkcs8 makes PEM of it)"),
            Self::Base64 => f.write_str("base64 of it: it is encoded twice"),
        }
    }
}
