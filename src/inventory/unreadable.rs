//! Why no certificate or CRL could be read from a place where one was expected.

use std::error::Error;
use std::fmt;

use crate::encoding::pem::PemError;
use crate::encoding::pem_stream::Broken;
use crate::encoding::yaml::{Flaw, Mark};
use crate::files::{self, What};
use crate::kubeconfig::KubeconfigError;
use crate::x509::ParseError;
use crate::x509::crl::CrlError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    File(files::Kind),
    /// A file was named that does not exist.
    NoFile,
    /// In bytes.
    TooLarge {
        limit: u64,
        size: u64,
    },
    /// A directory; `None`: it contains itself.
    Listing(Option<files::Kind>),
    /// Readable, but it holds something else. `field`: of a kubeconfig or Secret.
    Unexpected {
        expected: &'static str,
        field: Option<&'static str>,
        found: Contents,
    },
    Pem(PemError),
    /// The body of a PEM block that was read piece by piece.
    PemBody(Broken),
    Certificate(ParseError),
    Crl(CrlError),
    /// The value of this field of a kubeconfig or Secret.
    NotBase64(&'static str),
    Yaml {
        at: Mark,
        flaw: Flaw,
    },
    Kubeconfig(KubeconfigError),
    /// A kubeconfig whose user has neither certificate data nor a certificate file.
    NoClientCertificate,
    /// What a verb reports of the whole place; its error types are above this room.
    Reported(String),
}

/// What was found in place of a certificate or CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    Nothing,
    EmptyFile,
    Unknown,
    /// PEM blocks with these labels.
    Blocks(Vec<String>),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(files::Kind::NotAFile(What::Directory)) => f.write_str("expected a file, found a directory"),
            Self::File(files::Kind::NotAFile(what)) => write!(f, "expected a regular file, found {what}"),
            Self::File(kind) => write!(f, "cannot read it: {kind}"),
            Self::NoFile => f.write_str("expected a file, found none"),
            Self::TooLarge { limit, size } => write!(f, "expected at most {limit} bytes, found a file of {size}"),
            Self::Listing(None) => f.write_str("cannot list it: it contains itself"),
            Self::Listing(Some(kind)) => write!(f, "cannot list it: {kind}"),
            Self::Unexpected { expected, field: None, found } => write!(f, "expected {expected}, found {found}"),
            Self::Unexpected { expected, field: Some(field), found } => {
                write!(f, "expected {expected} in {field}, found {found}")
            }
            Self::Pem(why) => why.fmt(f),
            Self::PemBody(why) => why.fmt(f),
            Self::Certificate(why) => why.fmt(f),
            Self::Crl(why) => why.fmt(f),
            Self::NotBase64(field) => write!(f, "expected base64 in {field}"),
            Self::Yaml { at, flaw } => write!(f, "{}:{}: {flaw}", at.line, at.column),
            Self::Kubeconfig(why) => why.fmt(f),
            Self::NoClientCertificate => f.write_str("expected a client certificate, found neither data nor a file"),
            Self::Reported(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::EmptyFile => f.write_str("an empty file"),
            Self::Unknown => f.write_str("nothing of the kind"),
            Self::Blocks(labels) => f.write_str(&labels.join(", ")),
        }
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Pem(why) => Some(why),
            Self::PemBody(why) => Some(why),
            Self::Certificate(why) => Some(why),
            Self::Crl(why) => Some(why),
            Self::Kubeconfig(why) => Some(why),
            _ => None,
        }
    }
}
