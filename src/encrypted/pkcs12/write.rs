//! A PFX made: certificates locked together, the key in a bag of its own, a code over all. The order OpenSSL writes, which
//! every reader has met.

use zeroize::Zeroizing;

use super::super::derive::{self, Hash, Purpose};
use super::super::params::ids;
use super::super::scheme::Scheme;
use super::super::{EncryptionError, pkcs8};
use super::bags;
use super::content::{Bag, Content, Strength};
use crate::encoding::{algorithm, tlv};

/// For each of the three derivations of a file. .NET 9 refuses more than 300,000 for one and 1,000,000 for all, Java more than
/// 5,000,000; OpenSSL's own figure is 2,048.
pub const ITERATIONS: u32 = 100_000;

/// Random octets: every file needs its own.
#[derive(Debug, Clone, Copy)]
pub struct Random {
    pub certificates: ([u8; 16], [u8; 16]),
    pub key: ([u8; 16], [u8; 16]),
    pub mac: [u8; 16],
}

/// What ties a certificate's bags together: the SHA-1 of the certificate, as OpenSSL writes it.
pub fn local_key_id(certificate: &[u8]) -> Vec<u8> {
    Hash::Sha1.of(certificate)
}

/// A whole file.
pub fn seal(content: &[Bag], password: &str, strength: Strength, random: &Random) -> Result<Vec<u8>, EncryptionError> {
    let password = Some(password);
    let scheme = |(salt, iv): &([u8; 16], [u8; 16])| match (strength, salt.first_chunk::<8>()) {
        (Strength::Legacy, Some(salt)) => Scheme::legacy(salt, ITERATIONS),
        _ => Scheme::modern(salt, iv, ITERATIONS),
    };
    let trusted = !content.iter().any(|bag| matches!(bag.content, Content::Key(_)));
    let (mut public, mut keys) = (Vec::new(), Vec::new());
    for bag in content {
        match &bag.content {
            Content::Certificate(der) => {
                public.push(safe_bag(bags::CERTIFICATE, &typed(bags::X509_CERTIFICATE, der), bag, trusted));
            }
            Content::Crl(der) => public.push(safe_bag(bags::CRL, &typed(bags::X509_CRL, der), bag, false)),
            Content::Key(der) => {
                let sealed = pkcs8::seal_with(&scheme(&random.key), der, password)?;
                keys.push(safe_bag(bags::SHROUDED_KEY, &sealed, bag, false));
            }
            Content::Locked => return Err(EncryptionError::Malformed("private key")),
        }
    }
    let mut infos = Vec::new();
    if !public.is_empty() {
        let scheme = scheme(&random.certificates);
        let sealed = scheme.encrypt(password, &tlv::sequence(&public))?;
        let info = tlv::sequence(&[
            tlv::write(tlv::OBJECT_IDENTIFIER, bags::DATA),
            scheme.to_der()?,
            tlv::write(tlv::CONTEXT, &sealed),
        ]);
        infos.push(content_info(bags::ENCRYPTED_DATA, &tlv::sequence(&[tlv::integer(&[]), info])));
    }
    if !keys.is_empty() {
        infos.push(content_info(bags::DATA, &tlv::write(tlv::OCTET_STRING, &tlv::sequence(&keys))));
    }
    let safe = tlv::sequence(&infos);
    let parts = [
        tlv::integer(&[3]),
        content_info(bags::DATA, &tlv::write(tlv::OCTET_STRING, &safe)),
        mac(&safe, password, strength, &random.mac),
    ];
    Ok(tlv::sequence(&parts))
}

fn content_info(id: &[u8], content: &[u8]) -> Vec<u8> {
    tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, id), tlv::write(tlv::CONTEXT_CONSTRUCTED, content)])
}

fn typed(id: &[u8], der: &[u8]) -> Vec<u8> {
    content_info(id, &tlv::write(tlv::OCTET_STRING, der))
}

fn safe_bag(id: &[u8], value: &[u8], bag: &Bag, trusted: bool) -> Vec<u8> {
    let attribute =
        |id: &[u8], value: &[u8]| tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, id), tlv::write(tlv::SET, value)]);
    let mut attributes = Vec::new();
    if let Some(id) = &bag.local_key_id {
        attributes.push(attribute(bags::LOCAL_KEY_ID, &tlv::write(tlv::OCTET_STRING, id)));
    }
    if let Some(name) = &bag.friendly_name {
        let octets: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        attributes.push(attribute(bags::FRIENDLY_NAME, &tlv::write(tlv::BMP_STRING, &octets)));
    }
    if trusted {
        attributes.push(attribute(bags::TRUSTED_KEY_USAGE, &tlv::write(tlv::OBJECT_IDENTIFIER, bags::ANY_USAGE)));
    }
    // DER sorts a SET OF by its octets (X.690 section 11.6).
    attributes.sort();
    let mut parts = vec![tlv::write(tlv::OBJECT_IDENTIFIER, id), tlv::write(tlv::CONTEXT_CONSTRUCTED, value)];
    if !attributes.is_empty() {
        parts.push(tlv::write(tlv::SET, &tlv::concat(&attributes)));
    }
    tlv::sequence(&parts)
}

/// MacData.
fn mac(safe: &[u8], password: Option<&str>, strength: Strength, salt: &[u8; 16]) -> Vec<u8> {
    let (hash, id, salt) = match (strength, salt.first_chunk::<8>()) {
        (Strength::Legacy, Some(salt)) => (Hash::Sha1, ids::SHA1, salt.as_slice()),
        _ => (Hash::Sha256, ids::SHA256, salt.as_slice()),
    };
    let key: Zeroizing<Vec<u8>> = derive::pkcs12(hash, Purpose::Mac, password, salt, ITERATIONS, hash.length());
    let code = hash.mac(&key, safe);
    let digest = tlv::sequence(&[algorithm::write(id, &[tlv::NULL, 0]), tlv::write(tlv::OCTET_STRING, &code)]);
    tlv::sequence(&[digest, tlv::write(tlv::OCTET_STRING, salt), tlv::integer(&ITERATIONS.to_be_bytes())])
}
