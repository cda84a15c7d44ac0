//! One item made: key and certificate as files.

use super::keys::OutsideKey;
use crate::ca::{self, CaError, Issuer, PrivateKey, Signed};
use crate::catalog::CaId;
use crate::files::BadPath;
use crate::plan::decision::Making;
use crate::plan::item::{Access, Item, What, public_mode};
use crate::store::FileChange;
use crate::tree::{Issuers, Place};
use crate::x509::Certificate;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A file to publish.
#[derive(Debug)]
pub struct File {
    pub place: Place,
    pub mode: u32,
    pub bytes: Zeroizing<Vec<u8>>,
    pub replace: bool,
}

impl File {
    pub fn change(self) -> Result<FileChange, BadPath> {
        Ok(FileChange { replace: self.replace, ..self.place.change(self.mode, self.bytes)? })
    }
}

/// The files of one item.
#[derive(Debug, Default)]
pub struct Made {
    pub certificate: Option<Certificate>,
    /// Key before certificate, directly after each other.
    pub files: Vec<File>,
    /// The key, if it belongs outside the tree.
    pub outside: Option<OutsideKey>,
}

/// The issuers, each with the PEM text of its bundle for kubeconfigs.
pub struct Signing {
    pub issuers: Issuers,
    pub bundles: BTreeMap<CaId, String>,
}

impl Signing {
    pub fn of(issuers: Issuers) -> Self {
        let bundle = |id| Some((id, issuers.get(id)?.bundle_pem()));
        Self { bundles: CaId::ALL.into_iter().filter_map(bundle).collect(), issuers }
    }

    pub fn add(&mut self, authority: CaId, issuer: Issuer) {
        self.bundles.insert(authority, issuer.bundle_pem());
        self.issuers.add(authority, issuer);
    }

    pub fn of_item(&self, item: &Item) -> Option<(&Issuer, &str)> {
        let authority = item.signer()?;
        Some((self.issuers.get(authority)?, self.bundles.get(&authority)?))
    }
}

pub struct Job<'a> {
    pub index: usize,
    pub item: &'a Item,
    pub making: &'a Making,
    pub replace: bool,
    pub key: PrivateKey,
}

impl Job<'_> {
    pub fn run(&self, signing: &Signing, now: OffsetDateTime) -> Result<Made, CaError> {
        match self.making {
            Making::Certificate(_, blueprint) => {
                let (issuer, bundle) = signing.of_item(self.item).ok_or(CaError::EmptyBundle)?;
                let signed = ca::issue_for_peers(blueprint, &self.key.spki_der(), issuer, now)?;
                Ok(match &self.item.what {
                    What::Kubeconfig(_, access) => self.kubeconfig(access, &signed, bundle),
                    _ => pair(self.item, &signed, self.key.to_pem(), self.replace),
                })
            }
            Making::KeyPair(_) => {
                let public = Zeroizing::new(self.key.public_pem().into_bytes());
                let mut files = private(self.item, self.key.to_pem(), self.replace);
                files.push(file(&self.item.public, public_mode(&self.item.what), public, self.replace));
                Ok(Made { files, ..Made::default() })
            }
            _ => Ok(Made::default()),
        }
    }

    pub fn kubeconfig(&self, access: &Access, signed: &Signed, bundle: &str) -> Made {
        let text = access.kubeconfig(bundle, &signed.pem, &self.key.to_pem());
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        let files = vec![file(&self.item.public, public_mode(&self.item.what), bytes, self.replace)];
        Made { certificate: Some(signed.certificate.clone()), files, ..Made::default() }
    }
}

pub fn file(place: &Place, mode: u32, bytes: Zeroizing<Vec<u8>>, replace: bool) -> File {
    File { place: place.clone(), mode, bytes, replace }
}

pub fn private(item: &Item, key: Zeroizing<String>, replace: bool) -> Vec<File> {
    let bytes = Zeroizing::new(key.as_bytes().to_vec());
    private_bytes(item, &bytes, replace)
}

fn private_bytes(item: &Item, bytes: &Zeroizing<Vec<u8>>, replace: bool) -> Vec<File> {
    item.private.iter().map(|place| file(place, 0o600, bytes.clone(), replace)).collect()
}

pub fn pair(item: &Item, signed: &Signed, key: Zeroizing<String>, replace: bool) -> Made {
    let bytes = Zeroizing::new(key.as_bytes().to_vec());
    with_key(item, signed, &bytes, replace)
}

/// The same with the key as its file holds it; an item without such a file leaves it out.
pub fn with_key(item: &Item, signed: &Signed, key: &Zeroizing<Vec<u8>>, replace: bool) -> Made {
    let mut files = private_bytes(item, key, replace);
    files.push(public(item, signed, replace));
    Made { certificate: Some(signed.certificate.clone()), files, ..Made::default() }
}

pub fn public(item: &Item, signed: &Signed, replace: bool) -> File {
    let bytes = Zeroizing::new(signed.pem.as_bytes().to_vec());
    file(&item.public, public_mode(&item.what), bytes, replace)
}
