//! Service account tokens: the API server signs them with sa.key, and every API server looks for their key in sa.pub.

use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::identity::{Unusable, signing_key};
use crate::encoding::public_key;

/// RS256, ES256, ES384 and ES512 (serviceaccount/jwt.go); no more are known there.
const SCHEMES: [SignatureScheme; 4] = [
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
];

/// What is signed is no token and of no use to anybody.
const MESSAGE: &[u8] = b"kpki verify: whether this key signs for that one";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Unusable(Unusable),
    #[error("expected a key that signs tokens (RSA or ECDSA), found another kind")]
    Kind,
    #[error("expected the public key of the key that signs tokens, found {0}")]
    Unknown(&'static str),
}

/// Whether tokens signed with `key` (PEM) are taken by who knows these public keys (SubjectPublicKeyInfo each).
///
/// # Errors
/// Why not, or why that cannot be said.
pub fn signs_for(key: &[u8], publics: &[Vec<u8>]) -> Result<(), TokenError> {
    let key = signing_key(key).map_err(TokenError::Unusable)?;
    let signer = key.choose_scheme(&SCHEMES).ok_or(TokenError::Kind)?;
    let signature = signer.sign(MESSAGE).map_err(|_| TokenError::Kind)?;
    let provider = aws_lc_rs::default_provider();
    let takes = |public: &Vec<u8>| verifies(&provider, signer.scheme(), public, &signature);
    match publics {
        [] => Err(TokenError::Unknown("none")),
        _ if publics.iter().any(takes) => Ok(()),
        _ => Err(TokenError::Unknown("others")),
    }
}

fn verifies(provider: &CryptoProvider, scheme: SignatureScheme, public: &[u8], signature: &[u8]) -> bool {
    let Ok(public) = public_key::read(public) else { return false };
    let known = provider.signature_verification_algorithms.mapping.iter().find(|(known, _)| *known == scheme);
    // Of ECDSA one algorithm per curve; a key on another curve is no point on it.
    known.is_some_and(|(_, algorithms)| {
        algorithms.iter().any(|one| one.verify_signature(public.bits, MESSAGE, signature).is_ok())
    })
}
