//! A change of phase as files: the authorities' own and every copy, what each kubeconfig trusts, ca-signer.crt, and the leaves
//! that the new signer makes; all in memory. The tree is taken as it will be, and the engine of `renew` works on that.

use zeroize::Zeroizing;

use super::files::{self, Held, IN_KUBECONFIGS};
use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::catalog::paths::SIGNER_ENTRY;
use crate::encoding::{pem, public_key, raw_key};
use crate::error::Error;
use crate::files::{FileState, RelPath};
use crate::kubeconfig;
use crate::plan::renew::{Credential, Decision, Repair, Rewritten};
use crate::plan::rotate::Trusted;
use crate::plan::signer_file;
use crate::store::{FileChange, RootId};
use crate::tree::rotation::Rotating;
use crate::tree::{EntryId, Place, Survey, file};
use crate::workspace::{Session, Snapshot, authority_files};
use crate::x509::{Certificate, parse_authority};

/// What is to be in an authority's files.
#[derive(Debug)]
pub enum Content {
    Authority(CaId, Trusted<Certificate>),
    /// SubjectPublicKeyInfo in DER.
    ServiceAccount(Trusted<Vec<u8>>),
}

/// What one authority's files become.
#[derive(Debug)]
pub struct Target {
    pub content: Content,
    /// The signer's key in PEM, where it changes.
    pub key: Option<Zeroizing<Vec<u8>>>,
}

impl Target {
    pub const fn rotating(&self) -> Rotating {
        match &self.content {
            Content::Authority(authority, _) => Rotating::Authority(*authority),
            Content::ServiceAccount(_) => Rotating::ServiceAccount,
        }
    }

    /// The key that stays is not the signer's any more, whose key is elsewhere: it goes.
    fn outgrows(&self, held: &Held, survey: &Survey) -> bool {
        let Content::Authority(_, trusted) = &self.content else { return false };
        let signer = trusted.first.first().filter(|_| held.is_key);
        let key = file(survey, Some(&held.place)).and_then(|pem| PrivateKey::from_pem(pem).ok());
        signer.zip(key).is_some_and(|(signer, key)| !key.matches(signer))
    }

    /// The new bytes of one of its files; `None`: they stay.
    fn bytes(&self, held: &Held, survey: &Survey) -> Option<Zeroizing<Vec<u8>>> {
        if held.is_key {
            return self.key.clone();
        }
        let present = file(survey, Some(&held.place)).unwrap_or_default();
        let text: String = match &self.content {
            Content::Authority(_, trusted) => {
                let present = parse_authority(present).unwrap_or_default();
                trusted.file(&present).iter().map(Certificate::to_pem).collect()
            }
            Content::ServiceAccount(trusted) => {
                let present = pem::read(present).map(|blocks| raw_key::public_keys(&blocks)).unwrap_or_default();
                trusted.file(&present).iter().map(|spki| public_key::to_pem(spki)).collect()
            }
        };
        Some(Zeroizing::new(text.into_bytes()))
    }
}

/// The authorities' own files as they will be.
#[derive(Debug, Default)]
pub struct Authorities {
    pub changes: Vec<FileChange>,
    /// Keys of those that sign no more, where the key of who signs is elsewhere.
    pub removals: Vec<(RootId, RelPath)>,
    /// Whose files change.
    pub ids: Vec<EntryId>,
    /// Every file of the tree, with these replaced.
    pub survey: Survey,
}

/// The places that have to be looked at beside the session's own.
pub fn places(session: &Session<'_>) -> Result<Vec<Place>, Error> {
    let mut all = Vec::new();
    for rotating in Rotating::ALL {
        all.extend(files::of(session, rotating)?.into_iter().map(|held| held.place));
    }
    all.extend(authority_files::further(session)?.into_iter().map(|(_, place, _)| place));
    Ok(all)
}

/// The session's own places and these.
pub fn all_places(session: &Session<'_>) -> Result<Vec<Place>, Error> {
    let mut all = session.places();
    all.extend(places(session)?);
    Ok(all)
}

/// The files of these authorities, and the tree with them.
///
/// `missing`: files that are made although they are not there.
pub fn authorities(
    session: &Session<'_>,
    snapshot: &Snapshot,
    targets: &[Target],
    missing: &[Place],
) -> Result<Authorities, Error> {
    let mut all = Authorities { survey: snapshot.survey.clone(), ..Authorities::default() };
    for target in targets {
        let is_meant =
            |held: &Held| file(&snapshot.survey, Some(&held.place)).is_some() || missing.contains(&held.place);
        for held in files::of(session, target.rotating())?.into_iter().filter(is_meant) {
            let Some(bytes) = target.bytes(&held, &snapshot.survey) else {
                if target.outgrows(&held, &snapshot.survey) {
                    all.survey.insert(held.place.clone(), FileState::Missing);
                    all.removals.push((held.place.root_id(), RelPath::parse(held.place.path.as_str())?));
                }
                continue;
            };
            if file(&snapshot.survey, Some(&held.place)) == Some(bytes.as_slice()) {
                continue;
            }
            match all.survey.get_mut(&held.place) {
                Some(FileState::File { bytes: old, .. }) => old.clone_from(&bytes),
                _ => {
                    let state = FileState::File { bytes: bytes.clone(), mode: held.mode, uid: 0, gid: 0 };
                    all.survey.insert(held.place.clone(), state);
                }
            }
            all.changes.push(held.place.change(held.mode, bytes)?);
            if !all.ids.contains(&held.id) {
                all.ids.push(held.id);
            }
        }
    }
    Ok(all)
}

/// Kubeconfigs that trust anything but exactly what ca.crt holds, and ca-signer.crt, where those are not written anyway. `snapshot`:
/// the tree as it will be.
pub fn followers(
    session: &Session<'_>,
    snapshot: &Snapshot,
    credentials: &[Credential],
    decisions: &[Decision],
    further: &[(EntryId, Place)],
) -> Vec<Repair> {
    let bundle = snapshot.bundle(IN_KUBECONFIGS);
    let decided = || credentials.iter().zip(decisions);
    let is_made = |id: &EntryId| decided().any(|(of, one)| of.id == *id && matches!(one, Decision::Renew(_)));
    let mut all: Vec<Repair> = Vec::new();
    let own = session.credentials.iter().filter(|one| !(one.is_kubeconfig() && is_made(&one.id)));
    let own = own.filter_map(|one| Some((&one.id, one.conf()?)));
    // What is no entry of the tree counts only where it trusts one of these.
    let further = further.iter().filter(|(_, place)| trusts_some(snapshot, place));
    for (id, place) in own.chain(further.map(|(id, place)| (id, place))) {
        if file(&snapshot.survey, Some(place)).is_some_and(|bytes| trusts_other(bytes, bundle)) {
            let what = Rewritten::Kubeconfig { authority: true, server: None };
            all.push(Repair { id: id.clone(), place: place.clone(), what });
        }
    }
    let Some(signer) = bundle.first() else { return all };
    for (node, place) in session.signer_files(&snapshot.survey) {
        let found = file(&snapshot.survey, Some(&place));
        let is_due = found.map_or(bundle.len() > 1, |found| !signer_file::is_the_signer(found, signer));
        if is_due {
            let what = Rewritten::SignerFile { is_new: found.is_none() };
            all.push(Repair { id: EntryId { node, name: SIGNER_ENTRY.to_owned() }, place, what });
        }
    }
    all
}

/// Its CA data has a certificate of the signer's file, as it was or will be.
fn trusts_some(snapshot: &Snapshot, place: &Place) -> bool {
    let read = file(&snapshot.survey, Some(place)).and_then(|bytes| kubeconfig::read(bytes).ok());
    let found = read.map(|read| parse_authority(&read.authority).unwrap_or_default()).unwrap_or_default();
    found.iter().any(|one| snapshot.bundle(IN_KUBECONFIGS).iter().any(|own| own.der == one.der))
}

/// Its CA data is anything but these certificates in this order. Without data it trusts a file, or the system's authorities.
pub fn trusts_other(kubeconfig: &[u8], bundle: &[Certificate]) -> bool {
    let Ok(read) = kubeconfig::read(kubeconfig) else { return false };
    let found = parse_authority(&read.authority).unwrap_or_default();
    let same = found.len() == bundle.len() && found.iter().zip(bundle).all(|(one, own)| one.der == own.der);
    !read.authority.is_empty() && !same && kubeconfig::editable(kubeconfig).is_ok()
}
