//! What a file is, by how it begins, in the words of the field: every form that people hand in, read here or not. A message says
//! what it found and which command takes it, and never what a parser stumbled over.

use std::fmt;

use crate::encoding::key_container::{Pkcs8, Sec1, rsa_numbers};
use crate::encoding::pkcs7;
use crate::encoding::sniff::{Der, sniff};
use crate::encoding::tlv::{self, Element};
use crate::encoding::{ber, public_key};
use crate::files::utf16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Certificate,
    Crl,
    Request,
    PublicKey,
    PrivateKey,
    EncryptedKey,
    Pkcs12,
    Pkcs7,
    Jks,
    Jceks,
    DsaKey,
    SshPublicKey,
    Ssh2PublicKey,
    OcspRequest,
    OcspResponse,
    TimestampRequest,
    TimestampResponse,
    Curve,
    ExplicitCurve,
    DhParameters,
    DsaParameters,
    Pvk,
    Putty,
    Bks,
    NssDatabase,
    Zip,
    Gzip,
    WindowsStore,
    Utf16,
    Utf16Le,
    Utf16Be,
    Backup,
}

/// What it is, and what takes it.
const WORDS: &[(Found, &str, &str)] = &[
    (Found::Certificate, "a certificate in DER", "kpki convert --to pem makes PEM of it"),
    (Found::Crl, "a CRL", "kpki crl show shows it"),
    (Found::Request, "a signing request", "kpki sign takes it"),
    (Found::PublicKey, "a public key", "kpki inspect shows it"),
    (Found::PrivateKey, "a private key", "kpki inspect shows its kind"),
    (Found::EncryptedKey, "an encrypted private key", "kpki convert opens it with --password-file"),
    (Found::Pkcs12, "a PKCS#12 file", "kpki convert --to pem opens it with --password-file"),
    (Found::Pkcs7, "PKCS#7", "kpki convert --to pem takes certificates and CRLs out of it"),
    (Found::Jks, "a Java KeyStore (JKS)", "kpki convert --to pem opens it with --password-file"),
    (Found::Jceks, "a Java KeyStore (JCEKS)", "kpki convert --to pem opens it with --password-file"),
    (Found::DsaKey, "a DSA private key", "kpki inspect shows it"),
    (Found::SshPublicKey, "an OpenSSH public key", "kpki convert --to spki takes it"),
    (Found::Ssh2PublicKey, "an SSH2 public key (RFC 4716)", "ssh-keygen -i -f FILE makes an OpenSSH key of it"),
    (Found::OcspRequest, "an OCSP request", "openssl ocsp -reqin FILE -text shows it"),
    (Found::OcspResponse, "an OCSP response", "openssl ocsp -respin FILE -text shows it"),
    (Found::TimestampRequest, "a timestamp request", "openssl ts -query -in FILE -text shows it"),
    (Found::TimestampResponse, "a timestamp response", "openssl ts -reply -in FILE -text shows it"),
    (Found::Curve, "the name of an elliptic curve and no key", "openssl ecparam -inform DER -in FILE -text shows it"),
    (
        Found::ExplicitCurve,
        "the parameters of an elliptic curve and no key",
        "openssl ecparam -inform DER -in FILE -text shows them",
    ),
    (
        Found::DhParameters,
        "Diffie-Hellman parameters and no key",
        "openssl dhparam -inform DER -in FILE -text shows them",
    ),
    (Found::DsaParameters, "DSA parameters and no key", "openssl dsaparam -inform DER -in FILE -text shows them"),
    (Found::Pvk, "a Microsoft PVK private key", "openssl rsa -inform PVK -in FILE -out KEY makes PEM of it"),
    (Found::Putty, "a PuTTY private key", "puttygen FILE -O private-openssh-new -o KEY makes an OpenSSH key of it"),
    (
        Found::Bks,
        "a Bouncy Castle keystore",
        "keytool -importkeystore makes PKCS#12 of it, with Bouncy Castle as -providerpath",
    ),
    (
        Found::NssDatabase,
        "an SQLite database, as NSS keeps certificates in",
        "certutil -L -d sql:DIRECTORY lists them, pk12util -o takes them out",
    ),
    (Found::Zip, "a ZIP archive", "unzip it first"),
    (Found::Gzip, "a gzip file", "gunzip it first"),
    (Found::WindowsStore, "a Windows certificate store (SST)", "certutil -split -dump FILE takes the certificates out"),
    (Found::Backup, "an encrypted backup of a tree", "kpki backup verify opens it with --password-file"),
    (Found::Utf16, "text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE makes UTF-8 of it"),
    (Found::Utf16Le, "text in UTF-16", "iconv -f UTF-16LE -t UTF-8 FILE makes UTF-8 of it"),
    (Found::Utf16Be, "text in UTF-16", "iconv -f UTF-16BE -t UTF-8 FILE makes UTF-8 of it"),
];

impl Found {
    /// `kpki convert` makes something of it, if it is whole.
    pub const fn is_convertible(self) -> bool {
        matches!(
            self,
            Self::Certificate
                | Self::Crl
                | Self::Request
                | Self::PublicKey
                | Self::PrivateKey
                | Self::EncryptedKey
                | Self::DsaKey
                | Self::Pkcs7
                | Self::Pkcs12
                | Self::Jks
                | Self::Jceks
                | Self::SshPublicKey
        )
    }

    /// `a PKCS#12 file`.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    fn words(self) -> (&'static str, &'static str) {
        WORDS.iter().find(|(found, ..)| *found == self).map_or(("something else", ""), |(_, name, taker)| (name, taker))
    }
}

/// `a PKCS#12 file (kpki convert --to pem opens it with --password-file)`.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, taker) = self.words();
        write!(f, "{name} ({taker})")
    }
}

/// The first bytes of files that are no DER.
const MAGIC: &[(&[u8], Found)] = &[
    (&[0xfe, 0xed, 0xfe, 0xed], Found::Jks),
    (&[0xce, 0xce, 0xce, 0xce], Found::Jceks),
    (&[0x1e, 0xf1, 0xb5, 0xb0], Found::Pvk),
    (b"PuTTY-User-Key-File-", Found::Putty),
    (b"SQLite format 3\0", Found::NssDatabase),
    (b"PK\x03\x04", Found::Zip),
    (&[0x1f, 0x8b], Found::Gzip),
    (b"\0\0\0\0CERT", Found::WindowsStore),
    (&[0, 0, 0, 1, 0, 0, 0, 20], Found::Bks),
    (&[0, 0, 0, 2, 0, 0, 0, 20], Found::Bks),
    (b"---- BEGIN SSH2 PUBLIC KEY", Found::Ssh2PublicKey),
    (b"ssh-rsa ", Found::SshPublicKey),
    (b"ssh-dss ", Found::SshPublicKey),
    (b"ssh-ed25519 ", Found::SshPublicKey),
    (b"ecdsa-sha2-nistp", Found::SshPublicKey),
    (b"sk-ssh-ed25519@openssh.com ", Found::SshPublicKey),
    (b"sk-ecdsa-sha2-nistp256@openssh.com ", Found::SshPublicKey),
];

/// From the beginning of a file, which may be cut anywhere; `None`: nothing that is known, or too short to tell. PEM is not
/// looked into: its labels say what it holds.
pub fn found(head: &[u8]) -> Option<Found> {
    if let Some((_, found)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(*found);
    }
    if let Some(encoding) = utf16(head) {
        return Some(match encoding {
            "UTF-16LE" => Found::Utf16Le,
            "UTF-16BE" => Found::Utf16Be,
            _ => Found::Utf16,
        });
    }
    match sniff(head) {
        Some(Der::Certificate) => return Some(Found::Certificate),
        Some(Der::Crl) => return Some(Found::Crl),
        Some(Der::Request) => return Some(Found::Request),
        None => {}
    }
    if is_pkcs12(head) {
        return Some(Found::Pkcs12);
    }
    if pkcs7::looks_like(head) {
        return Some(Found::Pkcs7);
    }
    whole(head)
}

/// Whether bytes begin as a PFX does: version 3, then PKCS#7 content. DER or BER, perhaps cut.
pub fn is_pkcs12(head: &[u8]) -> bool {
    fn inside(bytes: &[u8]) -> Option<&[u8]> {
        ber::header(bytes).filter(|(tag, ..)| *tag == tlv::SEQUENCE).map(|(.., rest)| rest)
    }
    let content = inside(head).and_then(|rest| rest.strip_prefix(&[tlv::INTEGER, 1, 3])).and_then(inside);
    // pkcs-7, whatever content type of it.
    content.is_some_and(|rest| rest.starts_with(&[tlv::OBJECT_IDENTIFIER, 9]) && rest.get(2..10) == Some(pkcs7::PKCS7))
}

/// RFC 8018 appendix A.4: no algorithm of a key.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const ID_PKIX_OCSP_BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// What is told by its elements, so only from a whole file.
fn whole(der: &[u8]) -> Option<Found> {
    let outer = tlv::single(der).ok()?;
    if outer.tag == tlv::OBJECT_IDENTIFIER {
        return Some(Found::Curve);
    }
    let parts = tlv::elements(outer.of(tlv::SEQUENCE).ok()?).ok()?;
    if public_key::read(der).is_ok() {
        return Some(Found::PublicKey);
    }
    if let [version, algorithm, content] = parts.as_slice()
        && (version.tag, version.content, content.tag) == (tlv::INTEGER, &[1][..], tlv::OCTET_STRING)
        && first_of(*algorithm) == Some((tlv::OBJECT_IDENTIFIER, PBES2))
    {
        return Some(Found::Backup);
    }
    if Pkcs8::read(der).is_ok() || rsa_numbers(der).is_ok() || Sec1::read(der).is_ok() {
        return Some(Found::PrivateKey);
    }
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    match (tags.as_slice(), parts.as_slice()) {
        ([tlv::SEQUENCE, tlv::OCTET_STRING], _) => Some(Found::EncryptedKey),
        ([tlv::ENUMERATED, ..], _) => Some(Found::OcspResponse),
        (_, [version, ..]) if tags == [tlv::INTEGER; 6] && version.content == [0] => Some(Found::DsaKey),
        ([tlv::INTEGER, tlv::INTEGER, tlv::INTEGER], _) => Some(Found::DsaParameters),
        // The generator of Diffie-Hellman is even, the exponent of an RSA key is not.
        ([tlv::INTEGER, tlv::INTEGER], [_, second]) => match second.content.last() {
            Some(last) if last & 1 == 0 => Some(Found::DhParameters),
            _ => Some(Found::PublicKey),
        },
        ([tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE, tlv::OCTET_STRING, ..], [_, field, ..])
            if first_of(*field) == Some((tlv::OBJECT_IDENTIFIER, public_key::PRIME_FIELD)) =>
        {
            Some(Found::ExplicitCurve)
        }
        ([tlv::INTEGER, tlv::SEQUENCE, ..], [version, ..]) if version.content == [1] => Some(Found::TimestampRequest),
        ([tlv::SEQUENCE], [first]) | ([tlv::SEQUENCE, tlv::SEQUENCE], [first, _]) => match first_of(*first)? {
            (tlv::INTEGER, _) => Some(Found::TimestampResponse),
            (tlv::OBJECT_IDENTIFIER, ID_PKIX_OCSP_BASIC) => Some(Found::OcspResponse),
            (tlv::SEQUENCE | 0xa0..=0xa2, _) => Some(Found::OcspRequest),
            _ => None,
        },
        _ => None,
    }
}

/// Tag and content of the first element inside.
fn first_of(element: Element<'_>) -> Option<(u8, &[u8])> {
    tlv::first(element.content).ok().map(|(first, _)| (first.tag, first.content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::pem;
    use proptest::prelude::*;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn everything_has_its_words_once() {
        for (found, name, taker) in WORDS {
            assert_eq!(WORDS.iter().filter(|(other, ..)| other == found).count(), 1, "{found:?}");
            assert_eq!(found.to_string(), format!("{name} ({taker})"));
        }
        for (magic, what) in MAGIC {
            assert_eq!(found(magic), Some(*what));
            assert_ne!(what.words().0, "something else");
        }
    }

    #[test]
    fn files_are_named_by_their_content() {
        for (name, wanted) in [
            ("convert/leaf.crt", Found::Certificate),
            ("convert/root.crl", Found::Crl),
            ("convert/leaf.csr", Found::Request),
            ("convert/leaf.pub", Found::PublicKey),
            ("convert/rsa.pkcs1.pub", Found::PublicKey),
            ("convert/leaf.key", Found::PrivateKey),
            ("convert/rsa.key", Found::PrivateKey),
            ("convert/ed25519.key", Found::PrivateKey),
            ("convert/leaf.scrypt.key", Found::EncryptedKey),
            ("forms/dsa.key", Found::DsaKey),
            ("forms/dsa.params.pem", Found::DsaParameters),
            ("forms/dh.params.pem", Found::DhParameters),
            ("forms/p256.params.pem", Found::Curve),
            ("forms/p256.explicit-params.pem", Found::ExplicitCurve),
            ("forms/chain.p7b", Found::Pkcs7),
        ] {
            let der = pem::read(&fixture(name)).unwrap()[0].contents.to_vec();
            assert_eq!(found(&der), Some(wanted), "{name}");
        }
        for (name, wanted) in [
            ("convert/modern.p12", Found::Pkcs12),
            ("forms/store.jks", Found::Jks),
            ("forms/store.jceks", Found::Jceks),
            ("forms/ocsp.request.der", Found::OcspRequest),
            ("forms/ocsp.response.der", Found::OcspResponse),
            ("forms/ts.request.der", Found::TimestampRequest),
            ("forms/ts.response.der", Found::TimestampResponse),
            ("forms/rsa.pvk", Found::Pvk),
        ] {
            assert_eq!(found(&fixture(name)), Some(wanted), "{name}");
        }
        assert_eq!(found(b"k\0i\0n\0d\0:\0"), Some(Found::Utf16Le));
        assert_eq!(found(b"\0k\0i\0n\0d\0:"), Some(Found::Utf16Be));
        assert_eq!(found(b"\xff\xfek\0"), Some(Found::Utf16));
        assert_eq!(found(b"hello"), None);
        assert_eq!(found(&[]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_named_or_not(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = found(&bytes);
            let _ = found(&tlv::write(tlv::SEQUENCE, &bytes));
        }
    }
}
