//! Why no certificate or CRL could be read from a place where one was expected.

use crate::encoding::contents::Contents;
use crate::encoding::pem::PemError;
use crate::encoding::pem_stream::Broken;
use crate::encoding::pkcs7::Pkcs7Error;
use crate::encoding::yaml::{Flaw, Mark};
use crate::encrypted::EncryptionError;
use crate::files::{self, What, shell_word};
use crate::kubeconfig::KubeconfigError;
use crate::x509::ParseError;
use crate::x509::crl::CrlError;
use crate::x509::crl_problem::Problem;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("{}", unread(.0))]
    File(#[from] files::Kind),
    /// A file was named that does not exist.
    #[error("expected a file, found none")]
    NoFile,
    /// A symlink, and what it says.
    #[error("expected a file, found a symlink to {}, which does not exist", shell_word(.0))]
    Dangling(String),
    /// In bytes.
    #[error("expected at most {limit} bytes, found a file of {size}")]
    TooLarge { limit: u64, size: u64 },
    /// A directory; `None`: it contains itself.
    #[error("cannot list it: {}", .0.as_ref().map_or_else(|| "it contains itself".to_owned(), ToString::to_string))]
    Listing(Option<files::Kind>),
    /// Readable, but it holds something else. `field`: of a kubeconfig or Secret.
    #[error("expected {expected}{}, found {found}", .field.map(|field| format!(" in {field}")).unwrap_or_default())]
    Unexpected { expected: &'static str, field: Option<&'static str>, found: Contents },
    #[error("{0}")]
    Pem(#[from] PemError),
    /// The body of a PEM block that was read piece by piece.
    #[error("{0}")]
    PemBody(#[from] Broken),
    #[error("{0}")]
    Pkcs7(#[from] Pkcs7Error),
    /// A file behind a password, by its format.
    #[error("the {0} is encrypted, and no password is given (--password-file)")]
    NoPassword(&'static str),
    #[error("{what}: {why}")]
    Locked { what: &'static str, why: EncryptionError },
    #[error("{0}")]
    Certificate(#[from] ParseError),
    #[error("{0}")]
    Crl(#[from] CrlError),
    /// A CRL beside its authority that its readers refuse.
    #[error("{0}")]
    CrlRefused(#[from] Problem),
    /// A value in a manifest.
    #[error("expected base64, found something else")]
    ValueNotBase64,
    #[error("{}:{}: {flaw}", .at.line, .at.column)]
    Yaml { at: Mark, flaw: Flaw },
    #[error("{0}")]
    Kubeconfig(#[from] KubeconfigError),
    /// A kubeconfig whose user has neither certificate data nor a certificate file.
    #[error("expected a client certificate, found neither data nor a file")]
    NoClientCertificate,
    /// A CRL in DER beside the same in PEM.
    #[error("expected the CRL of ca.crl in DER, found another")]
    OtherCrl,
    /// In a file that is called a certificate, or as the authority of a kubeconfig.
    #[error("expected certificates only, found a private key beside them, for everybody who may read the file")]
    PrivateKey,
    /// sa.pub.
    #[error("expected the public half of sa.key, found another key")]
    OtherHalf,
    /// sa.pub of a node.
    #[error("expected the pair of the cluster directory's pki/sa.pub, found another")]
    OtherCopy,
    /// Nobody gives the components of Kubernetes a password.
    #[error("expected a private key without a password, found an encrypted one")]
    EncryptedKey,
    #[error("expected a well-formed private key, found broken DER")]
    BrokenKey,
    /// What a verb reports of the whole place; its error types are above this room.
    #[error("{0}")]
    Reported(String),
}

fn unread(kind: &files::Kind) -> String {
    match kind {
        files::Kind::NotAFile(What::Directory) => "expected a file, found a directory".to_owned(),
        files::Kind::NotAFile(what) => format!("expected a regular file, found {what}"),
        kind => format!("cannot read it: {kind}"),
    }
}
