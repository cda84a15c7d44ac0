//! Service account tokens as kube-apiserver makes and takes them (RFC 7519): signed with sa.key, looked up in sa.pub by `kid`.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo};

/// The public keys of a PEM text, as SubjectPublicKeyInfo each.
pub fn publics(pem: &[u8]) -> Vec<Vec<u8>> {
    ::pem::parse_many(pem).unwrap().into_iter().map(::pem::Pem::into_contents).collect()
}

/// The name of a public key in tokens: base64url(SHA-256(SubjectPublicKeyInfo)).
pub fn kid(spki: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, spki))
}

fn point(spki: &[u8]) -> Vec<u8> {
    let (_, spki) = SubjectPublicKeyInfo::from_der(spki).unwrap();
    spki.subject_public_key.data.to_vec()
}

enum Signer {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    fn new(key: &[u8]) -> Self {
        let pem = ::pem::parse(key).unwrap();
        let der = pem.contents();
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Self::P256(pair);
        }
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, der) {
            return Self::P384(pair);
        }
        Self::Rsa(
            RsaKeyPair::from_der(der).or_else(|_| RsaKeyPair::from_pkcs8(der)).expect("a key of P-256, P-384 or RSA"),
        )
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::P256(pair) | Self::P384(pair) => pair.public_key().as_ref(),
            Self::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::P256(pair) | Self::P384(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Rsa(_) => "RS256",
        }
    }
}

/// A token of the service account `default`, signed with `key` (PEM); `publics` are those of sa.pub.
pub fn sign(key: &[u8], publics: &[Vec<u8>]) -> String {
    let signer = Signer::new(key);
    // kube-apiserver computes it from the key itself: the key's public half is one of sa.pub, or nobody takes the token.
    let own = publics.iter().find(|spki| point(spki) == signer.public());
    let header = json!({ "alg": signer.algorithm(), "kid": own.map_or_else(String::new, |spki| kid(spki)) });
    let claims = json!({ "iss": "https://kubernetes.default.svc.cluster.local", "sub": "system:serviceaccount:default:default" });
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// The `kid` in a token's header.
pub fn kid_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Whether one of these public keys has signed it.
pub fn takes(token: &str, publics: &[Vec<u8>]) -> bool {
    let Some((message, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    publics.iter().filter(|spki| kid(spki) == kid_of(token)).any(|spki| {
        let point = point(spki);
        let message = message.as_bytes();
        match point.len() {
            65 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &signature).is_ok(),
            97 => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, &signature).is_ok(),
            _ => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, point).verify(message, &signature).is_ok(),
        }
    })
}
