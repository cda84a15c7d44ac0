//! Keys that a rotation makes and keeps: of an authority whose key is a file of the tree they are protected as that file is; of
//! another one they are where the profile says in `next`.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::fault::{KeyFault, Why};
use super::keyring::KeyRing;
use super::material;
use super::owners::Owner;
use super::seal::seal;
use super::source::{KeyAt, Source};
use crate::ca::{PrivateKey, SignerFault};
use crate::catalog::CaId;
use crate::tree::authorities::{KeySources as _, Sources};
use crate::tree::rotation::Record;
use crate::x509::Certificate;

impl KeyRing {
    /// Which source made which authority, as it is recorded.
    pub fn learn(&self, record: &Record) {
        self.owners.learn(record);
    }

    /// Which source has the key of this certificate.
    pub fn owner(&self, authority: CaId, certificate: &Certificate) -> Owner {
        self.owners.of(authority, certificate)
    }

    /// Where the key of this certificate is by the profile; `None`: in the tree, or not here.
    pub fn place(&self, authority: CaId, certificate: &Certificate) -> Option<&str> {
        match self.owner(authority, certificate) {
            Owner::Own => self.owners.own(authority),
            Owner::Next => self.owners.next(authority),
            Owner::Unknown => None,
        }
    }

    /// Which of the profile's sources has the key of this certificate, by the keys themselves; for where nothing is recorded. A key
    /// is opened, of a signer its publicKey is read.
    ///
    /// # Errors
    /// A key does not open, or a signer without a publicKey may be the one.
    pub fn source_of(&self, authority: CaId, certificate: &Certificate) -> Result<Option<&str>, KeyFault> {
        let both = [(self.owners.next(authority), &self.successors), (self.owners.own(authority), &self.shared)];
        let mut unknown = None;
        for (place, shared) in both {
            let Some(place) = place else { continue };
            match shared.public_key_of(authority) {
                Ok(spki_der) if spki_der == certificate.spki_der => return Ok(Some(place)),
                // It is to be made.
                Ok(_) | Err(KeyFault { why: Why::Missing, .. }) => {}
                Err(fault) => unknown = Some(fault),
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    /// Where the key of the authority itself is by the profile, if it is no file of the tree.
    pub fn own_place(&self, authority: CaId) -> Option<&str> {
        self.owners.own(authority)
    }

    /// Where the key of the authority after this one is to be by the profile.
    pub fn next_place(&self, authority: CaId) -> Option<&str> {
        self.owners.next(authority)
    }

    /// The keys that the profile names for the authorities to come, in place of those of today.
    pub fn to_come(&self) -> Self {
        Self { shared: Arc::clone(&self.successors), ..self.clone() }
    }

    /// A key elsewhere that was made in this run, which signs before its file is there.
    pub fn keep_open(&self, authority: CaId, key: Arc<PrivateKey>) {
        self.shared.keep_open(authority, key);
    }

    /// A new key of an authority as it is kept below `.kpki` and in the tree: where the tree's own file is encrypted, with the same
    /// passphrase. `present`: that file.
    pub fn kept(
        &self,
        authority: CaId,
        present: Option<&[u8]>,
        key: &PrivateKey,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        let shared = &self.shared;
        let fault = |why| shared.fault(authority, why);
        let plain = || Zeroizing::new(key.to_pem().as_bytes().to_vec());
        let stated = match shared.sources.get(&authority) {
            Some(Source::Key { from: KeyAt::Tree, passphrase }) => passphrase.as_ref(),
            _ => None,
        };
        match present {
            Some(present) if material::is_encrypted(present) => {
                let passphrase = shared.passphrase(authority, stated)?.ok_or_else(|| fault(Why::NoPassphrase))?;
                // A second passphrase in one tree would be known to nobody.
                material::open(present, Some(&passphrase)).map_err(fault)?;
                seal(key, &passphrase).map_err(fault)
            }
            // Its file is lost, and the profile says how it was kept.
            None if stated.is_some() => {
                let passphrase = shared.passphrase(authority, stated)?.ok_or_else(|| fault(Why::NoPassphrase))?;
                seal(key, &passphrase).map_err(fault)
            }
            _ => Ok(plain()),
        }
    }

    /// A key of an authority that is kept in the tree or below `.kpki`.
    pub fn open_kept(&self, authority: CaId, pem: &[u8]) -> Result<PrivateKey, KeyFault> {
        let shared = &self.shared;
        let fault = |why| shared.fault(authority, why);
        if !material::is_encrypted(pem) {
            return material::open(pem, None).map_err(fault);
        }
        let stated = match shared.sources.get(&authority) {
            Some(Source::Key { passphrase, .. }) => passphrase.as_ref(),
            _ => None,
        };
        let passphrase = shared.passphrase(authority, stated)?.ok_or_else(|| fault(Why::NoPassphrase))?;
        material::open(pem, Some(&passphrase)).map_err(fault)
    }

    /// Opens the key of this certificate, wherever it is. `pem`: as it is kept, if it is.
    ///
    /// # Errors
    /// It cannot sign.
    pub fn ready(&self, authority: CaId, certificate: &Certificate, pem: Option<&[u8]>) -> Result<(), SignerFault> {
        match self.of(authority, certificate, pem) {
            Sources::Signer(signer) => signer.ready(),
            Sources::Tree | Sources::Issuer => Ok(()),
            Sources::Missing => {
                let at = self.owners.recorded(authority, certificate).unwrap_or_default();
                Err(KeyFault { authority, at, why: Why::Unnamed }.into())
            }
        }
    }
}
