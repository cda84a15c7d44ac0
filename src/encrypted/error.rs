//! Why encrypted content cannot be read or written.

use crate::blueprint::Oid;
use crate::encoding::ssh::SshError;

/// Holds nothing out of the content or the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// The password is wrong, or the content was changed: the two cannot be distinguished.
    #[error("the password does not open it")]
    WrongPassword,
    /// This part is not as its RFC describes it.
    #[error("expected a well-formed {0}")]
    Malformed(&'static str),
    /// It ends before its own lengths say.
    #[error("expected a whole {0}, found one whose end is missing")]
    Truncated(&'static str),
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
    /// Of an OpenSSH key.
    #[error(
        "expected OpenSSH's aes256-ctr or another AES, found another cipher (ssh-keygen -p -Z aes256-ctr -f FILE changes it)"
    )]
    OtherSshCipher,
    /// Of an old PEM block.
    #[error(
        "expected DES-EDE3-CBC or AES in the DEK-Info header, found {0} (openssl pkey -in FILE -aes256 -out KEY changes it)"
    )]
    OtherPemCipher(&'static str),
    /// A Java object, which only Java reads.
    #[error(
        "expected certificates and private keys, found a secret key as entry {entry}, which only Java reads (keytool -importkeystore takes the others out)"
    )]
    SecretKey { entry: u32 },
    #[error("{0}")]
    Ssh(#[from] SshError),
    /// The crypto library refused; nothing was made.
    #[error("the crypto library refused to encrypt")]
    Library,
}
