//! From bytes to what they should be.

use zeroize::Zeroizing;

use crate::encoding::crl::LABEL;
use crate::encoding::key_public::Half;
use crate::encoding::pem::{self, Block};
use crate::encoding::public_key::KeyKind;
use crate::encoding::raw_key::{self, RawKey};
use crate::encoding::tlv::SEQUENCE;
use crate::verify::{Content, Key, Part, Secret};
use crate::x509::parse_pem_bundle;

/// A list of five million entries, in bytes.
pub const LARGEST_CRL: u64 = 512 << 20;

/// Why a file is not what it should be: what was expected and found.
#[derive(Debug)]
pub struct Broken(pub String);

impl Broken {
    pub fn by(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl From<Broken> for Content {
    fn from(Broken(why): Broken) -> Self {
        Self::Broken(why)
    }
}

pub fn of(part: Part, bytes: &[u8]) -> Content {
    match part {
        Part::Certificate | Part::Authority | Part::SignerFile | Part::RotatedPair => certificates(bytes),
        Part::Key => key(bytes).map_or_else(Content::from, Content::Key),
        Part::PublicKeys => public_keys(bytes),
        Part::Crl => crls(bytes),
        Part::CrlDer if bytes.first() == Some(&SEQUENCE) => Content::Crls(vec![bytes.to_vec()]),
        Part::CrlDer => {
            Content::Broken("expected a CRL in DER, as etcd reads it from 3.6 on, found PEM or text".to_owned())
        }
        Part::Manifest | Part::KubeletConfig | Part::Kubeconfig => Content::Text(Zeroizing::new(bytes.to_vec())),
    }
}

/// PEM as Kubernetes reads it, which knows the label CERTIFICATE only.
fn certificates(bytes: &[u8]) -> Content {
    match parse_pem_bundle(bytes) {
        Ok(certificates) => Content::Certificates { certificates, key: key(bytes).ok() },
        Err(why) => Content::Broken(why.to_string()),
    }
}

/// The first private key of a PEM text, which is the one that is used.
pub fn key(bytes: &[u8]) -> Result<Key, Broken> {
    let blocks = pem::read(bytes).map_err(Broken::by)?;
    let labels: Vec<_> = blocks.iter().map(|block| block.label).collect();
    let Some(block) = blocks.iter().find(|block| block.label.is_private_key()) else {
        return Err(Broken(format!("expected a PEM private key, found {}", pem::listed(&labels, "no PEM block"))));
    };
    let secret = || Secret(Zeroizing::new(bytes.to_vec()));
    if block.encrypted || block.label.is("ENCRYPTED PRIVATE KEY") {
        return Ok(Key { public: None, kind: None, is_encrypted: true, pem: secret() });
    }
    let kind = kind(block).ok_or_else(|| Broken(format!("expected a {}, found broken DER", block.label)))?;
    Ok(Key { public: Half::stated(block), kind: Some(kind), is_encrypted: false, pem: secret() })
}

fn kind(block: &Block) -> Option<KeyKind> {
    RawKey::detect(&block.contents)?.kind().ok()
}

/// sa.pub: any number of public keys, in either of two labels; of a certificate its key (client-go util/keyutil).
fn public_keys(bytes: &[u8]) -> Content {
    let blocks = match pem::read(bytes) {
        Ok(blocks) => blocks,
        Err(why) => return Content::Broken(why.to_string()),
    };
    let keys = raw_key::public_keys(&blocks);
    if keys.is_empty() {
        let labels: Vec<_> = blocks.iter().map(|block| block.label).collect();
        let found = pem::listed(&labels, "no PEM block");
        return Content::Broken(format!("expected a PEM public key, found {found}"));
    }
    Content::PublicKeys(keys)
}

fn crls(bytes: &[u8]) -> Content {
    match pem::read(bytes) {
        Err(why) => Content::Broken(why.to_string()),
        Ok(blocks) => {
            let found: Vec<Vec<u8>> =
                blocks.iter().filter(|block| block.label.is(LABEL)).map(|block| block.contents.to_vec()).collect();
            if found.is_empty() {
                let labels: Vec<_> = blocks.iter().map(|block| block.label).collect();
                let found = pem::listed(&labels, "no PEM block");
                return Content::Broken(format!("expected a PEM CRL, found {found}"));
            }
            Content::Crls(found)
        }
    }
}
