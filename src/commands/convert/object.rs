//! One object of a file, identified by its content.

use zeroize::Zeroizing;

use crate::encoding::certificate::signed_parts;
use crate::encoding::key::Container;
use crate::encoding::raw_key::{RawKey, is_rsa_public, rsa_public_to_spki};
use crate::encoding::{pem, public_key, tlv};
use crate::encrypted::pkcs8;
use crate::x509::{Certificate, Der, Request, sniff};

/// One object and its name in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub thing: Thing,
    /// PKCS#12's friendly name, or the part it plays in a kubeconfig: `ca`, `client`.
    pub name: Option<String>,
}

/// All as DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    Certificate(Vec<u8>),
    Crl(Vec<u8>),
    Request(Vec<u8>),
    /// SubjectPublicKeyInfo.
    PublicKey(Vec<u8>),
    /// PKCS#1's RSAPublicKey.
    RsaPublicKey(Vec<u8>),
    Key(RawKey),
    /// Encrypted PKCS#8, still locked.
    LockedKey(Vec<u8>),
}

impl Thing {
    /// By content. `None`: none of them, or not whole.
    pub fn of_der(der: &[u8]) -> Option<Self> {
        tlv::single(der).ok()?;
        let framed = || signed_parts(der).is_ok();
        match sniff(der) {
            Some(Der::Certificate) if framed() => return Some(Self::Certificate(der.to_vec())),
            Some(Der::Crl) if framed() => return Some(Self::Crl(der.to_vec())),
            Some(Der::Request) if framed() => return Some(Self::Request(der.to_vec())),
            _ => {}
        }
        if pkcs8::is_encrypted(der) {
            return Some(Self::LockedKey(der.to_vec()));
        }
        if let Some(key) = RawKey::detect(der) {
            return Some(Self::Key(key));
        }
        if public_key::read(der).is_ok() {
            return Some(Self::PublicKey(der.to_vec()));
        }
        is_rsa_public(der).then(|| Self::RsaPublicKey(der.to_vec()))
    }

    pub fn der(&self) -> &[u8] {
        match self {
            Self::Certificate(der)
            | Self::Crl(der)
            | Self::Request(der)
            | Self::PublicKey(der)
            | Self::RsaPublicKey(der)
            | Self::LockedKey(der) => der,
            Self::Key(key) => key.der(),
        }
    }

    /// Of its PEM block (RFC 7468).
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "CERTIFICATE",
            Self::Crl(_) => "X509 CRL",
            Self::Request(_) => "CERTIFICATE REQUEST",
            Self::PublicKey(_) => "PUBLIC KEY",
            Self::RsaPublicKey(_) => "RSA PUBLIC KEY",
            Self::Key(key) => key.container().label(),
            Self::LockedKey(_) => "ENCRYPTED PRIVATE KEY",
        }
    }

    /// In words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate",
            Self::Crl(_) => "CRL",
            Self::Request(_) => "signing request",
            Self::PublicKey(_) | Self::RsaPublicKey(_) => "public key",
            Self::Key(key) => match key.container() {
                Container::Pkcs1 => "PKCS#1 private key",
                Container::Sec1 => "SEC1 private key",
                Container::Pkcs8 => "PKCS#8 private key",
            },
            Self::LockedKey(_) => "encrypted private key",
        }
    }

    /// In words, with the label.
    pub fn described(&self) -> String {
        let article = if self.kind().starts_with(['e', 'S']) { "an" } else { "a" };
        format!("{article} {} ({})", self.kind(), self.label())
    }

    /// Of a file that holds only this.
    pub const fn extension(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "crt",
            Self::Crl(_) => "crl",
            Self::Request(_) => "csr",
            Self::PublicKey(_) | Self::RsaPublicKey(_) => "pub",
            Self::Key(_) | Self::LockedKey(_) => "key",
        }
    }

    /// Contains a private key, encrypted or not.
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::Key(_) | Self::LockedKey(_))
    }

    pub fn pem(&self) -> Zeroizing<String> {
        pem::write(self.label(), self.der())
    }

    /// The SubjectPublicKeyInfo; `None` for an encrypted key or an object without one.
    pub fn public(&self) -> Option<Vec<u8>> {
        match self {
            Self::Certificate(der) => Certificate::parse(der).ok().map(|found| found.spki_der),
            Self::Request(der) => Request::parse(der).ok().map(|found| found.spki_der),
            Self::PublicKey(der) => Some(der.clone()),
            Self::RsaPublicKey(der) => Some(rsa_public_to_spki(der)),
            Self::Key(key) => public_half(key),
            Self::Crl(_) | Self::LockedKey(_) => None,
        }
    }
}

/// As the signing library computes it; of kinds it does not know, as the container says.
fn public_half(key: &RawKey) -> Option<Vec<u8>> {
    let computed = crate::ca::PrivateKey::from_pem(key.to_pem().as_bytes());
    computed.map(|key| key.spki_der()).ok().or_else(|| key.public())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/convert/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn everything_is_known_by_its_content_and_no_part_of_it_is() {
        for (file, kind, label) in [
            ("leaf.crt", "certificate", "CERTIFICATE"),
            ("root.crl", "CRL", "X509 CRL"),
            ("leaf.csr", "signing request", "CERTIFICATE REQUEST"),
            ("leaf.pub", "public key", "PUBLIC KEY"),
            ("rsa.pkcs1.pub", "public key", "RSA PUBLIC KEY"),
            ("leaf.key", "SEC1 private key", "EC PRIVATE KEY"),
            ("rsa.key", "PKCS#1 private key", "RSA PRIVATE KEY"),
            ("ed25519.key", "PKCS#8 private key", "PRIVATE KEY"),
            ("leaf.scrypt.key", "encrypted private key", "ENCRYPTED PRIVATE KEY"),
        ] {
            let der = pem::read(&fixture(file)).unwrap()[0].contents.to_vec();
            let thing = Thing::of_der(&der).unwrap_or_else(|| panic!("{file}"));
            assert_eq!((thing.kind(), thing.label()), (kind, label), "{file}");
            assert_eq!(thing.pem().as_bytes(), fixture(file), "{file}");
            assert!((0..der.len()).all(|length| Thing::of_der(&der[..length]).is_none()), "{file}");
            assert_eq!(Thing::of_der(&[der.as_slice(), &[0]].concat()), None, "{file}");
        }
        assert_eq!(Thing::of_der(&fixture("modern.p12")), None);
    }

    #[test]
    fn one_public_half_whatever_it_comes_from() {
        let all = ["leaf.crt", "leaf.csr", "leaf.pub", "leaf.key"];
        let public = all.map(|file| Thing::of_der(&pem::read(&fixture(file)).unwrap()[0].contents).unwrap().public());
        assert!(public.iter().all(|found| found.is_some() && *found == public[0]));
    }
}
