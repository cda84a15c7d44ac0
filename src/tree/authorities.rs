//! The authorities of a tree. Its public part is an [`Authority`]; the signer is an [`Issuer`], and issuers are
//! available only under the tree's lock, so that nothing is signed with a key that recovery is about to replace.

use std::collections::BTreeMap;

use crate::ca::{CaError, Issuer, PrivateKey};
use crate::catalog::CaId;
use crate::store::TreeLock;
use crate::tree::layout::Directories;
use crate::tree::survey::{Survey, file};
use crate::x509::{BundleError, Certificate, parse_authority};

/// One authority as the tree holds it.
#[derive(Debug)]
pub enum Authority {
    /// With its key. The certificates of its file: the issuer's first, then its chain.
    Local(Vec<Certificate>),
    /// External: without its key.
    External(Vec<Certificate>),
    Missing,
    /// Its files exist, but it cannot sign.
    Unusable(Unusable),
}

/// Why an authority cannot sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Ca(#[from] CaError),
}

pub type Authorities = BTreeMap<CaId, Authority>;

impl Authority {
    /// The certificate that signs.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.bundle().first()
    }

    /// Every certificate of its file: what the tree trusts.
    pub fn bundle(&self) -> &[Certificate] {
        match self {
            Self::Local(bundle) | Self::External(bundle) => bundle,
            Self::Missing | Self::Unusable(_) => &[],
        }
    }

    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }
}

/// Who can sign in this run.
#[derive(Debug, Default)]
pub struct Issuers {
    signers: BTreeMap<CaId, Issuer>,
    /// Authorities that are being retired: they sign nothing but their CRLs.
    former: BTreeMap<CaId, Issuer>,
}

impl Issuers {
    pub fn get(&self, authority: CaId) -> Option<&Issuer> {
        self.signers.get(&authority)
    }

    /// The one with this certificate, which may be the former one.
    pub fn of(&self, authority: CaId, certificate: &Certificate) -> Option<&Issuer> {
        let both = [self.signers.get(&authority), self.former.get(&authority)];
        both.into_iter().flatten().find(|issuer| issuer.certificate().der == certificate.der)
    }

    /// An authority that was made in this run.
    pub fn add(&mut self, authority: CaId, issuer: Issuer) {
        self.signers.insert(authority, issuer);
    }

    /// The authorities whose keys are in a tree, read under its lock.
    pub fn of_locked(survey: &Survey, directories: &Directories, _lock: &TreeLock) -> Self {
        let read = |authority| Some((authority, issuer(survey, directories, authority)?.ok()?));
        Self { signers: CaId::ALL.into_iter().filter_map(read).collect(), former: BTreeMap::new() }
    }

    /// Adds an authority that signs no more, by its kept key. `trusted`: the certificates of its file. A key that is of none of
    /// them signs nothing.
    pub fn add_former(&mut self, authority: CaId, trusted: &[Certificate], pem: &[u8], _lock: &TreeLock) {
        let issuer = || {
            let key = PrivateKey::from_pem(pem).ok()?;
            let certificate = trusted.iter().find(|one| key.matches(one))?;
            Issuer::new(vec![certificate.clone()], key).ok()
        };
        self.former.extend(issuer().map(|issuer| (authority, issuer)));
    }
}

/// All three, as they are.
pub fn authorities(survey: &Survey, directories: &Directories) -> Authorities {
    let read = |id: CaId| {
        let authority = match issuer(survey, directories, id) {
            Some(Ok(issuer)) => {
                Authority::Local(std::iter::once(issuer.certificate()).chain(issuer.chain()).cloned().collect())
            }
            Some(Err(why)) => Authority::Unusable(why),
            None => external(file(survey, Some(&directories.authority(id).0))),
        };
        (id, authority)
    };
    CaId::ALL.into_iter().map(read).collect()
}

fn external(certificate: Option<&[u8]>) -> Authority {
    match certificate.map(certificates) {
        None => Authority::Missing,
        Some(Ok(bundle)) => Authority::External(bundle),
        Some(Err(why)) => Authority::Unusable(why),
    }
}

fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, Unusable> {
    Ok(parse_authority(bytes)?)
}

/// `None`: its certificate or its key is not in the tree.
fn issuer(survey: &Survey, directories: &Directories, authority: CaId) -> Option<Result<Issuer, Unusable>> {
    let (public, private) = directories.authority(authority);
    let (certificate, key) = (file(survey, Some(&public))?, file(survey, private.as_ref())?);
    let issuer = || Ok(Issuer::new(certificates(certificate)?, PrivateKey::from_pem(key)?)?);
    Some(issuer())
}
