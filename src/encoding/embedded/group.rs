//! What comes out of a text.

use super::token::Token;

/// How often something may be wrapped: a kubeconfig in a Secret in an annotation is wrapped four times.
pub const DEEPEST: usize = 8;
/// How much is unpacked of what is compressed, in bytes: a release that Helm keeps in a Secret.
pub const INFLATED: u64 = 16 << 20;

/// What stands together in one place: a bundle is one group, two fields of a kubeconfig are two.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// The keys that lead to it inside the text, outermost first: `certificate-authority-data`. Not checked for what may be shown.
    pub within: Vec<String>,
    pub pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// DER, not parsed.
    Certificate(Vec<u8>),
    /// A SubjectPublicKeyInfo.
    PublicKey(Vec<u8>),
    Token(Token),
    Unread(Unread),
}

/// Why something that may hold a certificate was not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("expected a PEM certificate, found one that is damaged or cut off")]
    BrokenPem,
    #[error("expected certificates in PKCS#7, found something else")]
    BrokenPkcs7,
    #[error("a keystore behind a password")]
    Locked,
    #[error("compressed data that is damaged")]
    BrokenGzip,
    #[error("compressed data of more than {} MB", INFLATED >> 20)]
    Large,
    #[error("wrapped more than {DEEPEST} times")]
    Deep,
}
