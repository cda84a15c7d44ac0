//! Where an authority's key is, if it is no plain file of the tree, and who signs in its place.

use crate::clock::Span;

/// How an authority signs, where its key is no plain file of the tree. Each of them needs `caKeys: none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signing {
    /// authorities.NAME.key
    Key(KeyOptions),
    /// authorities.NAME.signer
    Signer(SignerOptions),
    /// authorities.NAME.issuer
    Issuer(IssuerOptions),
}

/// A key that comes into memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOptions {
    pub from: KeyFrom,
    /// Of an encrypted key; `None`: asked on the terminal.
    pub passphrase: Option<PassphraseFrom>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFrom {
    /// The tree's own file, which is encrypted.
    Tree,
    /// An absolute path.
    File(String),
    /// A program, which writes the key in PEM to standard output.
    Command {
        /// The program and its arguments; never empty.
        words: Vec<String>,
        timeout: Span,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassphraseFrom {
    /// The first line of a file: an absolute path.
    File(String),
    /// An environment variable.
    Variable(String),
}

/// A program that signs with a key which never leaves its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerOptions {
    /// A program and its arguments; never empty.
    pub command: Vec<String>,
    pub input: SignerInput,
    /// Needed where `init` makes the authority; else its certificate has it.
    pub public_key: Option<PublicKeyFrom>,
    /// Signatures at the same time.
    pub parallel: u8,
    /// For one signature.
    pub timeout: Span,
}

impl SignerOptions {
    /// For messages.
    pub fn shown(&self) -> String {
        format!("the signer {}", self.command.first().map_or("", String::as_str))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerInput {
    /// Raw, by the algorithm's hash.
    Digest,
    Message,
}

impl SignerInput {
    pub const ALL: [Self; 2] = [Self::Digest, Self::Message];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Message => "message",
        }
    }
}

/// A public key in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKeyFrom {
    /// An absolute path.
    File(String),
    Command(Vec<String>),
}

/// A program that has certificates issued for requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerOptions {
    /// A program and its arguments; never empty.
    pub command: Vec<String>,
    /// Requests at the same time.
    pub parallel: u8,
    /// For one certificate.
    pub timeout: Span,
}

impl Signing {
    /// The key is no file of the tree.
    pub const fn is_elsewhere(&self) -> bool {
        !matches!(self, Self::Key(KeyOptions { from: KeyFrom::Tree, .. }))
    }

    /// In a profile.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Signer(_) => "signer",
            Self::Issuer(_) => "issuer",
        }
    }

    /// Where the key is, for the record of a rotation and for messages; `None`: in the tree, or not here.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Key(KeyOptions { from: KeyFrom::File(path), .. }) => Some(format!("key.file {path}")),
            Self::Key(KeyOptions { from: KeyFrom::Command { words, .. }, .. }) => {
                Some(format!("key.command {}", words.join(" ")))
            }
            Self::Signer(signer) => Some(format!("signer {}", signer.command.join(" "))),
            Self::Key(KeyOptions { from: KeyFrom::Tree, .. }) | Self::Issuer(_) => None,
        }
    }

    /// The environment variable that holds a passphrase.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Key(KeyOptions { passphrase: Some(PassphraseFrom::Variable(name)), .. }) => Some(name),
            _ => None,
        }
    }
}
