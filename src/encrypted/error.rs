//! Why encrypted content cannot be read or written.

use crate::blueprint::Oid;

/// Holds nothing out of the content or the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// The password is wrong, or the content was changed: the two cannot be distinguished.
    #[error("the password does not open it")]
    WrongPassword,
    /// This part is not as its RFC describes it.
    #[error("expected a well-formed {0}")]
    Malformed(&'static str),
    /// An algorithm this program does not know, in the role that is named.
    #[error("expected a {role} kpki knows, found {oid}")]
    Unsupported { role: &'static str, oid: Oid },
    /// More iterations of the key derivation, altogether, than any honest file asks for.
    #[error("expected at most {most} iterations of its key derivation, found {asked}")]
    TooMuchWork { asked: u64, most: u64 },
    /// scrypt that would take more memory, in bytes.
    #[error("expected a key derivation in at most {most} bytes of memory, found one of {asked}")]
    TooMuchMemory { asked: u64, most: u64 },
    /// Containers in containers.
    #[error("expected bags nested at most {most} deep, found more")]
    TooDeep { most: usize },
    /// More bags than any honest file has.
    #[error("expected at most {most} bags, found more")]
    TooMany { most: usize },
    /// The crypto library refused; nothing was made.
    #[error("the crypto library refused to encrypt")]
    Library,
}
