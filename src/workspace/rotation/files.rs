//! Which files of a tree hold what of an authority: its certificates, its key, and every copy of both.

use crate::catalog::paths::{SIGNER_FILE, TRUST_FILE};
use crate::catalog::{self, CaId};
use crate::error::Error;
use crate::plan::item::{Item, What, public_mode};
use crate::tree::rotation::Rotating;
use crate::tree::{EntryId, Place, Survey, file};
use crate::workspace::{Session, signer_file};

/// One file with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub id: EntryId,
    pub place: Place,
    /// Of a new file.
    pub mode: u32,
    pub is_key: bool,
    /// Of a key: the file with its certificate or public key.
    pub public: Option<Place>,
}

/// The tree's own files first, the key before the certificate.
pub fn of(session: &Session<'_>, rotating: Rotating) -> Result<Vec<Held>, Error> {
    let tree = &session.tree;
    let (Some(profile), Some(layout)) = (session.profile(), &session.layout) else {
        let entry = catalog::find(rotating.name());
        let (public, private) = entry.map(|entry| tree.directories.files("", entry.files)).unzip();
        let id = EntryId::new(None, rotating.name());
        let mode = if rotating == Rotating::ServiceAccount { 0o600 } else { 0o644 };
        return Ok(public.map(|public| pair(&id, private.flatten(), public, mode)).unwrap_or_default());
    };
    let items = signer_file::items(profile, layout, tree)?;
    Ok(items.iter().filter(|item| is_of(&items, item, rotating)).flat_map(|item| of_item(&items, item)).collect())
}

fn is_of(items: &[Item], item: &Item, rotating: Rotating) -> bool {
    match &item.what {
        What::Authority(authority) => rotating == Rotating::Authority(*authority),
        What::ServiceAccount(_) => rotating == Rotating::ServiceAccount,
        What::Copy { of } => items.get(*of).is_some_and(|shared| is_of(items, shared, rotating)),
        What::Leaf(_) | What::Extra(_) | What::Kubeconfig(..) | What::SignerFile { .. } => false,
    }
}

fn of_item(items: &[Item], item: &Item) -> Vec<Held> {
    let mode = match &item.what {
        What::Copy { of } => items.get(*of).map_or(0o600, |shared| public_mode(&shared.what)),
        what => public_mode(what),
    };
    pair(&item.id, item.private.clone(), item.public.clone(), mode)
}

/// `mode`: of the public file.
fn pair(id: &EntryId, private: Option<Place>, public: Place, mode: u32) -> Vec<Held> {
    let key =
        private.map(|place| Held { id: id.clone(), place, mode: 0o600, is_key: true, public: Some(public.clone()) });
    let own = Held { id: id.clone(), place: public.clone(), mode, is_key: false, public: None };
    key.into_iter().chain([own]).collect()
}

/// Those that exist: a node without a tree has nothing to replace.
pub fn present(all: Vec<Held>, survey: &Survey) -> Vec<Held> {
    all.into_iter().filter(|one| file(survey, Some(&one.place)).is_some()).collect()
}

/// The tree's own certificate file of an authority, or sa.pub.
pub fn own_public(session: &Session<'_>, rotating: Rotating) -> Option<Place> {
    match rotating {
        Rotating::Authority(authority) => Some(session.tree.directories.authority(authority).0),
        Rotating::ServiceAccount => Some(session.tree.directories.files("", catalog::find("sa")?.files).0),
    }
}

/// Who reads kubeconfigs trusts this authority.
pub const IN_KUBECONFIGS: CaId = CaId::Cluster;

/// ca-trust.crt of every node with kube-controller-manager's kubeconfig, beside its ca-signer.crt.
pub fn trust_files(session: &Session<'_>, survey: &Survey) -> Vec<Place> {
    let beside = |place: Place| {
        let directory = place.path.strip_suffix(SIGNER_FILE).unwrap_or_default();
        Place { root: place.root, path: format!("{directory}{TRUST_FILE}") }
    };
    session.signer_files(survey).into_iter().map(|(_, place)| beside(place)).collect()
}
