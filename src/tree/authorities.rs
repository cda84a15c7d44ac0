//! The authorities of a tree. Its public part is an [`Authority`]; the signer is an [`Issuer`], and issuers are
//! available only under the tree's lock, so that nothing is signed with a key that recovery is about to replace.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use crate::ca::{CaError, Issuer, PrivateKey, Signer, SignerFault};
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
    /// Its key exists and cannot be opened in this run, such as an encrypted one without its passphrase.
    Closed(Vec<Certificate>, SignerFault),
    /// Its files exist, but it cannot sign.
    Unusable(Unusable),
}

/// Authorities' keys that are no plain files of the tree.
pub trait KeySources {
    /// How an authority signs. `certificate`: the one that signs; `file`: the tree's own key file.
    fn of(&self, authority: CaId, certificate: &Certificate, file: Option<&[u8]>) -> Sources;
}

/// Where the key of an authority is.
#[derive(Debug)]
pub enum Sources {
    /// The tree's plain file, if there is one.
    Tree,
    /// Nowhere that is known.
    Missing,
    /// With somebody who issues what it is to sign, whatever is in the tree.
    Issuer,
    /// Elsewhere, or encrypted. It need not be open yet.
    Signer(Box<dyn Signer>),
}

/// Every key is a plain file of the tree.
#[derive(Debug, Clone, Copy)]
pub struct PlainKeys;

impl KeySources for PlainKeys {
    fn of(&self, _: CaId, _: &Certificate, _: Option<&[u8]>) -> Sources {
        Sources::Tree
    }
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
            Self::Local(bundle) | Self::External(bundle) | Self::Closed(bundle, _) => bundle,
            Self::Missing | Self::Unusable(_) => &[],
        }
    }

    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }
}

/// An authority that signed before the one that signs now.
#[derive(Debug, Clone)]
pub struct Former {
    pub certificate: Certificate,
    /// Its key as it is kept; `None`: it is where the profile names it.
    pub pem: Option<Zeroizing<Vec<u8>>>,
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

    /// So many threads keep all of them busy: those of this machine, or one for each signature that signers elsewhere make at once.
    pub fn threads(&self, threads: usize) -> usize {
        let signers = self.signers.values().map(Issuer::signer).filter(|signer| signer.private_key().is_none());
        signers.map(|signer| signer.parallel()).sum::<usize>().max(threads)
    }

    /// An authority that was made in this run.
    pub fn add(&mut self, authority: CaId, issuer: Issuer) {
        self.signers.insert(authority, issuer);
    }

    /// The authorities that sign for a tree, read under its lock.
    pub fn of_locked(survey: &Survey, directories: &Directories, keys: &dyn KeySources, _lock: &TreeLock) -> Self {
        let read = |authority| Some((authority, issuer(survey, directories, keys, authority)?.ok()?));
        Self { signers: CaId::ALL.into_iter().filter_map(read).collect(), former: BTreeMap::new() }
    }

    /// Opens the keys of these authorities. Those that cannot be opened sign nothing.
    pub fn open(&mut self, needed: &BTreeSet<CaId>) -> BTreeMap<CaId, SignerFault> {
        let opened = self.signers.iter().filter(|(authority, _)| needed.contains(authority));
        let closed: BTreeMap<CaId, SignerFault> =
            opened.filter_map(|(authority, issuer)| Some((*authority, issuer.signer().ready().err()?))).collect();
        self.signers.retain(|authority, _| !closed.contains_key(authority));
        closed
    }

    /// Adds an authority that signs no more: its certificate, and its kept key, unless that is elsewhere. A key that is not its own
    /// signs nothing.
    pub fn add_former(&mut self, keys: &dyn KeySources, authority: CaId, former: &Former, _lock: &TreeLock) {
        let issuer = || {
            let Former { certificate, pem } = former;
            let pem = pem.as_deref().map(Vec::as_slice);
            let signer: Box<dyn Signer> = match keys.of(authority, certificate, pem) {
                Sources::Signer(signer) => signer,
                Sources::Missing | Sources::Issuer => return None,
                Sources::Tree => Box::new(PrivateKey::from_pem(pem?).ok()?),
            };
            Issuer::by(vec![certificate.clone()], signer).ok()
        };
        self.former.extend(issuer().map(|issuer| (authority, issuer)));
    }
}

/// All three, as they are.
pub fn authorities(survey: &Survey, directories: &Directories, keys: &dyn KeySources) -> Authorities {
    let read = |id: CaId| {
        let authority = match issuer(survey, directories, keys, id) {
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

/// `None`: its certificate or its key is not there.
fn issuer(
    survey: &Survey,
    directories: &Directories,
    keys: &dyn KeySources,
    authority: CaId,
) -> Option<Result<Issuer, Unusable>> {
    let (public, private) = directories.authority(authority);
    let certificate = file(survey, Some(&public))?;
    let key = file(survey, private.as_ref());
    let bundle = match certificates(certificate) {
        Ok(bundle) => bundle,
        Err(why) => return Some(Err(why)),
    };
    let signer = match bundle.first().map(|first| keys.of(authority, first, key)) {
        Some(Sources::Signer(signer)) => signer,
        Some(Sources::Missing | Sources::Issuer) => return None,
        Some(Sources::Tree) | None => match PrivateKey::from_pem(key?) {
            Ok(key) => Box::new(key),
            Err(why) => return Some(Err(why.into())),
        },
    };
    Some(Issuer::by(bundle, signer).map_err(Unusable::from))
}
