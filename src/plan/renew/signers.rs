//! The authorities of a tree, as a renewal meets them.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{Refusal, authority_places};
use crate::ca::{Issuer, PrivateKey};
use crate::catalog::CaId;
use crate::plan::decision::{FileState, Survey};
use crate::plan::layout::{Directories, Place};
use crate::x509::{Certificate, parse_pem_bundle};

#[derive(Debug)]
pub enum Signer {
    Here(Box<Issuer>),
    /// Without its key.
    External(Vec<Certificate>),
    Missing,
    /// It is there, but cannot sign.
    Unusable(String),
}

pub type Signers = BTreeMap<CaId, Signer>;

impl Signer {
    /// The certificate that signs.
    pub fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Here(issuer) => Some(issuer.certificate()),
            Self::External(bundle) => bundle.first(),
            Self::Missing | Self::Unusable(_) => None,
        }
    }

    /// Every certificate of its file: what the tree trusts.
    pub fn bundle(&self) -> Vec<&Certificate> {
        match self {
            Self::Here(issuer) => std::iter::once(issuer.certificate()).chain(issuer.chain()).collect(),
            Self::External(bundle) => bundle.iter().collect(),
            Self::Missing | Self::Unusable(_) => Vec::new(),
        }
    }

    /// Why it cannot sign now.
    pub fn refusal(&self, authority: CaId, now: OffsetDateTime) -> Option<Refusal> {
        match self {
            Self::Unusable(why) => Some(Refusal::AuthorityUnusable { authority, why: why.clone() }),
            Self::Here(issuer) => {
                let Certificate { not_before, not_after, .. } = *issuer.certificate();
                if not_after < now {
                    return Some(Refusal::AuthorityExpired { authority, not_after });
                }
                (now < not_before).then_some(Refusal::AuthorityNotYetValid { authority, not_before })
            }
            Self::External(_) | Self::Missing => None,
        }
    }
}

/// Reads all three.
pub fn signers(survey: &Survey, directories: &Directories) -> Signers {
    let read = |authority| {
        let (public, private) = authority_places(authority, directories);
        (authority, signer(file(survey, Some(&public)), file(survey, private.as_ref())))
    };
    CaId::ALL.into_iter().map(read).collect()
}

pub(super) fn file<'a>(survey: &'a Survey, place: Option<&Place>) -> Option<&'a [u8]> {
    match place.and_then(|place| survey.get(place)) {
        Some(FileState::File { bytes, .. }) => Some(bytes.as_slice()),
        Some(FileState::Missing) | None => None,
    }
}

fn signer(certificate: Option<&[u8]>, key: Option<&[u8]>) -> Signer {
    let Some(certificate) = certificate else { return Signer::Missing };
    let bundle = match parse_pem_bundle(certificate) {
        Ok(bundle) if bundle.is_empty() => return Signer::Unusable("no certificate in it".to_owned()),
        Ok(bundle) => bundle,
        Err(why) => return Signer::Unusable(why.to_string()),
    };
    let Some(key) = key else { return Signer::External(bundle) };
    match PrivateKey::from_pem(key).and_then(|key| Issuer::new(bundle, key)) {
        Ok(issuer) => Signer::Here(Box::new(issuer)),
        Err(why) => Signer::Unusable(why.to_string()),
    }
}
