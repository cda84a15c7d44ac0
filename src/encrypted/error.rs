//! Why encrypted content cannot be read or written.

use std::fmt;

use crate::blueprint::Oid;

/// Holds nothing out of the content or the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncryptionError {
    /// The password is wrong, or the content was changed: the two cannot be distinguished.
    WrongPassword,
    /// This part is not as its RFC describes it.
    Malformed(&'static str),
    /// An algorithm this program does not know, in the role that is named.
    Unsupported { role: &'static str, oid: Oid },
    /// More iterations of the key derivation, altogether, than any honest file asks for.
    TooMuchWork { asked: u64, most: u64 },
    /// scrypt that would take more memory, in bytes.
    TooMuchMemory { asked: u64, most: u64 },
    /// Containers in containers.
    TooDeep { most: usize },
    /// More bags than any honest file has.
    TooMany { most: usize },
    /// The crypto library refused; nothing was made.
    Library,
}

impl fmt::Display for EncryptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPassword => f.write_str("the password does not open it"),
            Self::Malformed(part) => write!(f, "expected a well-formed {part}"),
            Self::Unsupported { role, oid } => write!(f, "expected a {role} kpki knows, found {oid}"),
            Self::TooMuchWork { asked, most } => {
                write!(f, "expected at most {most} iterations of its key derivation, found {asked}")
            }
            Self::TooMuchMemory { asked, most } => {
                write!(f, "expected a key derivation in at most {most} bytes of memory, found one of {asked}")
            }
            Self::TooDeep { most } => write!(f, "expected bags nested at most {most} deep, found more"),
            Self::TooMany { most } => write!(f, "expected at most {most} bags, found more"),
            Self::Library => f.write_str("the crypto library refused to encrypt"),
        }
    }
}

impl std::error::Error for EncryptionError {}
