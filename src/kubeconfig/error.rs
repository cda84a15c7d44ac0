//! Why a kubeconfig cannot be used.

use crate::encoding::contents::Contents;
use crate::encoding::found::Found;
use crate::encoding::pem::PemError;
use crate::encoding::shown::named;
use crate::encoding::yaml::Flaw;

/// Why a file is not a kubeconfig one can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    #[error("expected YAML, found something else at {line}:{column}")]
    NotYaml { line: usize, column: usize },
    /// Another kind of file that is known.
    #[error("expected YAML, found {0}")]
    Other(Found),
    /// What kubectl refuses as well, or a text that was made to hurt.
    #[error("{line}:{column}: {flaw}")]
    Refused { line: usize, column: usize, flaw: Flaw },
    /// YAML that kubectl reads and this program does not edit.
    #[error("expected plain values, each key once, found {what} at {line}:{column}")]
    Unusual { what: &'static str, line: usize, column: usize },
    /// No mapping, or none of this kind.
    #[error("expected a kubeconfig (kind: Config), found another document")]
    NotAKubeconfig,
    #[error("expected {0}, found none")]
    Missing(&'static str),
    /// `current-context`, the context's cluster or its user names something that is not in the file.
    #[error("expected the {what} {}, found none of that name", named(.name))]
    Unresolved { what: &'static str, name: String },
    #[error("expected base64 in {0}")]
    NotBase64(&'static str),
    #[error("expected base64 in {0}, found what kubectl config view writes in its place without --raw")]
    Redacted(&'static str),
    #[error("expected PEM of {wanted} in {field}, found {found}")]
    NotPem { field: &'static str, wanted: &'static str, found: Contents },
    #[error("expected a private key without a password in {0}, found an encrypted one, which kubectl does not open")]
    EncryptedKey(&'static str),
    #[error("expected a whole private key in {0}, found a block that is none")]
    BrokenKey(&'static str),
    #[error("{field}: {why}")]
    BrokenPem { field: &'static str, why: PemError },
    #[error("expected a client certificate and key, found neither data nor files")]
    NoCredentials,
    /// There is nothing to replace: the credentials are in files of their own.
    #[error("expected embedded credentials, found the file {}", named(.certificate))]
    NotEmbedded { certificate: String },
    /// The edited file, read back, has not exactly the values that were wanted.
    #[error("expected to change the credentials only, found that more would change")]
    EditedWrongly,
}
