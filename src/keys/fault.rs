//! Why a key that is not in the tree did not sign.

use crate::blueprint::Algorithm;
use crate::ca::CaError;
use crate::catalog::CaId;
use crate::encrypted::EncryptionError;
use crate::files::{FileError, TrustError, shell_path};
use crate::programs::Ended;

/// Nothing out of a key, a passphrase or a program's answer is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key of {}: {at}: {why}", .authority.name())]
pub struct KeyFault {
    pub authority: CaId,
    /// The file or the command.
    pub at: String,
    #[source]
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("it is encrypted, and there is no passphrase")]
    NoPassphrase,
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    #[error("the environment variable {0} of its passphrase is not set")]
    NoVariable(String),
    #[error("the environment variable {0} of its passphrase is not UTF-8")]
    Variable(String),
    #[error("the file {0} of its passphrase is missing")]
    NoPassphraseFile(String),
    #[error("the passphrase in {0} is not UTF-8")]
    PassphraseFile(String),
    #[error("the terminal cannot be asked: {0}")]
    Terminal(String),
    #[error("it is missing")]
    Missing,
    /// Of a key that is to be made.
    #[error("it is to be made, and its directory {0} is missing")]
    NoDirectory(String),
    #[error("{0}")]
    File(#[source] FileError),
    #[error("{0}")]
    Trust(#[source] TrustError),
    #[error("{0}: expected a file that others cannot read, found mode {1:04o}")]
    Readable(String, u32),
    #[error("{0}")]
    Encrypted(#[source] EncryptionError),
    #[error("{0}")]
    Key(#[source] Box<CaError>),
    /// How a program ended.
    #[error("{}", ended(.0))]
    Ended(Ended),
    /// The same, of a program whose standard error is shown and that wrote nothing to it.
    #[error("{}", ended(.0))]
    Silent(Ended),
    /// The same, with what it said.
    #[error("{ended}: {said}", ended = ended(.0), said = .1)]
    Said(Ended, String),
    #[error("it answered with more than {0} octets")]
    TooLong(usize),
    #[error("it ended without an answer")]
    Nothing,
    #[error("its answer is no signature of this key: nothing was signed")]
    WrongSignature,
    #[error("expected one public key in PEM (PUBLIC KEY), found none or several")]
    PublicKey,
    #[error("expected a key that kpki signs with ({kinds}), found {found}", kinds = kinds(), found = .0)]
    OtherKind(String),
    #[error("expected a key of kind {expected}, as the profile states, found {found}")]
    OtherAlgorithm { expected: Algorithm, found: Algorithm },
    #[error("the passphrase for a new key is empty")]
    EmptyPassphrase,
    #[error("the encrypted key does not open again; nothing was written")]
    Unsealed,
    #[error("expected the key of the authority's certificate, found another one")]
    OtherKey,
    #[error("a rotation is recorded with this key, and the profile does not name it any more")]
    Unnamed,
    /// Where `init` makes the authority.
    #[error("publicKey is missing: the certificate of a new authority needs it")]
    NoPublicKey,
}

fn kinds() -> String {
    Algorithm::ALL.map(|algorithm| algorithm.to_string()).join(", ")
}

pub(super) fn ended(ended: &Ended) -> String {
    match ended {
        Ended::Success => "it ended without an answer".to_owned(),
        Ended::Status(status) => format!("it ended with exit status {status}"),
        Ended::Signal(signal) => format!("it was ended by signal {signal}"),
        Ended::TimedOut => "it did not answer in time, and was ended".to_owned(),
        Ended::Stopped(stopped) => stopped.to_string(),
        Ended::NotStarted(why) => format!("it cannot be run: {why}"),
    }
}

impl Why {
    /// A program that does not work now may work tomorrow, and what others sign does not wait for it. One that signs with another
    /// key is wrong, and nothing goes on with it; neither does a run that was stopped.
    pub const fn is_temporary(&self) -> bool {
        !matches!(self, Self::WrongSignature | Self::Ended(Ended::Stopped(_)) | Self::Said(Ended::Stopped(_), _))
    }

    /// The next thing to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Trust(TrustError::Untrusted(why)) => Some(why.hints().into_iter().collect::<Vec<_>>().join("; ")),
            Self::NoDirectory(dir) => {
                Some(format!("make it, for its owner alone: mkdir -p -m 0700 {}", shell_path(dir)))
            }
            Self::Readable(path, _) => Some(format!("take the permission away from others: chmod go-rwx {path}")),
            other => other.next().map(str::to_owned),
        }
    }

    const fn next(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoPassphraseFile(_) | Self::NoVariable(_) => {
                "check passphraseFile or passphraseEnv in the profile, or give --key-passphrase-file FILE or \
                 --key-passphrase-env VARIABLE"
            }
            Self::NoPassphrase => {
                "give it with --key-passphrase-file FILE or --key-passphrase-env VARIABLE, name it in the profile \
                 (passphraseFile, passphraseEnv), or run on a terminal to be asked"
            }
            Self::WrongPassphrase => "give the right one; if it is right, the file was changed",
            Self::Missing => "check the path in the profile, or that of --authority-key",
            Self::Ended(Ended::NotStarted(_)) | Self::Said(Ended::NotStarted(_), _) => {
                "give the absolute path of an executable file, or a name that PATH finds"
            }
            Self::Ended(Ended::TimedOut) | Self::Said(Ended::TimedOut, _) => {
                "see why it does not answer; it may have longer: timeout beside command in the profile"
            }
            Self::Silent(_) => "run the command by hand: it wrote nothing to standard error that says why",
            Self::Ended(_) => "run the command by hand to see what it says: what a key's command writes is never shown",
            Self::Said(..) => "mend what the program complains of, and run this again",
            Self::Nothing | Self::TooLong(_) => {
                "run the command by hand: it has to write the answer to standard output, and nothing else"
            }
            Self::WrongSignature => {
                "check that the program signs with the key of this authority's certificate and the algorithm of KPKI_SIGN_ALGORITHM"
            }
            Self::Unnamed => {
                "name it in the profile again: as authorities.NAME.key or signer, or below authorities.NAME.next"
            }
            Self::PublicKey => "give the public half of the signer's key in PEM, as openssl pkey -pubout writes it",
            Self::OtherKind(_) => "have a key of one of these kinds made",
            Self::Key(_) => "give a private key in PEM: PKCS#1, SEC1 or PKCS#8, encrypted or not",
            Self::OtherKey => "give the key that belongs to the authority's certificate",
            Self::OtherAlgorithm { .. } => {
                "state the algorithm of the key that is there, in authorities.NAME.algorithm, or have another key made"
            }
            Self::NoPublicKey => {
                "state publicKey beside command in the profile: a file with the key's public half in PEM, or a command as a list"
            }
            Self::EmptyPassphrase => "put a passphrase in the first line of the file, or into the variable",
            _ => return None,
        })
    }
}
