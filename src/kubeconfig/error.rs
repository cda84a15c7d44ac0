//! Why a kubeconfig cannot be used.

use std::fmt;

/// Why a file is not a kubeconfig one can work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeconfigError {
    NotYaml {
        line: usize,
        column: usize,
    },
    /// YAML that kubectl reads and this program does not.
    Unusual {
        what: &'static str,
        line: usize,
        column: usize,
    },
    /// No mapping, or none of this kind.
    NotAKubeconfig,
    Missing(&'static str),
    /// `current-context`, the context's cluster or its user names something that is not in the file.
    Unresolved {
        what: &'static str,
        name: String,
    },
    NotBase64(&'static str),
    NoCredentials,
    /// There is nothing to replace: the credentials are in files of their own.
    NotEmbedded {
        certificate: String,
    },
    /// The edited file, read back, has not exactly the values that were wanted.
    EditedWrongly,
}

impl fmt::Display for KubeconfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYaml { line, column } => write!(f, "expected YAML, found something else at {line}:{column}"),
            Self::Unusual { what, line, column } => {
                write!(f, "expected plain values, each key once, found {what} at {line}:{column}")
            }
            Self::NotAKubeconfig => f.write_str("expected a kubeconfig (kind: Config), found another document"),
            Self::Missing(field) => write!(f, "expected {field}, found none"),
            Self::Unresolved { what, name } => write!(f, "expected the {what} {name:?}, found none of that name"),
            Self::NotBase64(field) => write!(f, "expected base64 in {field}"),
            Self::NoCredentials => f.write_str("expected a client certificate and key, found neither data nor files"),
            Self::NotEmbedded { certificate } => {
                write!(f, "expected embedded credentials, found the file {certificate:?}")
            }
            Self::EditedWrongly => f.write_str("expected to change the credentials only, found that more would change"),
        }
    }
}

impl std::error::Error for KubeconfigError {}
