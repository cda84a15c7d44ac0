//! Which file of which node goes where in the cluster directory.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::belongs::is_signed;
use super::lists::{Lists, beside};
use super::member::Member;
use super::shared::Shared;
use crate::catalog::paths::{KUBELET_CONF, KUBELET_SERVING, ROTATED_CLIENT};
use crate::catalog::{CaId, find};
use crate::files::FileState;
use crate::plan::init::mode;
use crate::plan::item::{Item, What};
use crate::tree::leaf::{bundle, leaf};
use crate::tree::{Directories, EntryId, Layout, Place, Root, Survey};
use crate::x509::Certificate;

/// A file of the new directory, byte for byte as it was.
#[derive(Clone)]
pub struct Taken {
    pub place: Place,
    pub mode: u32,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The content may be a key.
impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Taken({}, {} bytes, mode {:04o})", self.place.path, self.bytes.len(), self.mode)
    }
}

#[derive(Debug, Default)]
pub struct Assembled {
    pub files: Vec<Taken>,
    /// What was taken of each member, by its place there.
    pub used: BTreeSet<(usize, Place)>,
    /// Every certificate that was issued, under its entry: of what the kubelet rotates, the certificate without its file.
    pub certificates: Vec<(EntryId, Certificate)>,
    /// The entries that have a file.
    pub entries: Vec<String>,
}

/// Where the new directory takes its files from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    pub members: &'a [Member],
    pub shared: &'a Shared,
    pub lists: &'a Lists,
}

impl Sources<'_> {
    /// Fills the items of the new directory with the nodes' files.
    pub fn assemble(&self, items: &[Item], layout: &Layout, directories: &Directories) -> Assembled {
        let mut all = Assembled::default();
        for item in items {
            let (public, private) = match &item.what {
                What::Authority(authority) => self.authority(*authority),
                What::ServiceAccount(_) => {
                    let member = self.shared.accounts.filter(|_| item.home.is_none()).or_else(|| self.member(item));
                    (member, member)
                }
                _ => {
                    let member = self.member(item).filter(|member| self.is_taken(*member, item));
                    (member, member)
                }
            };
            let base = item.home.as_deref().map(|home| Directories::base(layout, home)).unwrap_or_default();
            let own = |place: &Place| own_place(place, &base, directories);
            let before = all.files.len();
            if let Some(key) = &item.private {
                self.take(&mut all, private, own(key), key, 0o600);
            }
            self.take(&mut all, public, own(&item.public), &item.public, mode(items, item));
            if all.files.len() > before {
                all.entries.push(item.id.to_string());
            }
            let written = all.files.get(before..).into_iter().flatten().find(|file| file.place == item.public);
            let issued = written.filter(|_| !matches!(item.what, What::Copy { .. } | What::SignerFile { .. }));
            if let Some(certificate) =
                issued.and_then(|file| bundle(&file.bytes)).and_then(|all| all.into_iter().next())
            {
                all.certificates.push((item.id.clone(), certificate));
            }
            if item.id.name == KUBELET_CONF {
                all.certificates.extend(
                    self.member(item).and_then(|member| self.rotated(member)).map(|found| (item.id.clone(), found)),
                );
            }
        }
        for (authority, list) in &self.lists.0 {
            let (certificate, _) = directories.authority(*authority);
            let place = Place { path: beside(&certificate.path), ..certificate };
            self.take(&mut all, Some(list.member), list.place.clone(), &place, 0o644);
            // The same list on the other nodes is no other.
            for (index, member) in self.members.iter().enumerate() {
                let (certificate, _) = member.authority(*authority);
                let place = Place { path: beside(&certificate.path), ..certificate };
                if member.bytes(&place).is_some_and(|bytes| Some(bytes) == self.bytes(list.member, &list.place)) {
                    all.used.insert((index, place));
                }
            }
        }
        all
    }

    fn member(&self, item: &Item) -> Option<usize> {
        let home = item.home.as_ref()?;
        self.members.iter().position(|member| member.name == *home)
    }

    fn bytes(&self, member: usize, place: &Place) -> Option<&[u8]> {
        self.members.get(member)?.bytes(place)
    }

    /// Whose certificate, and whose key.
    fn authority(&self, authority: CaId) -> (Option<usize>, Option<usize>) {
        let found = self.shared.authorities.get(&authority);
        (found.map(|found| found.member), found.and_then(|found| found.key))
    }

    /// A serving certificate that the kubelet has signed itself stays where it is.
    fn is_taken(&self, member: usize, item: &Item) -> bool {
        let serving = find(KUBELET_SERVING).filter(|entry| item.id.name == entry.name);
        serving.is_none_or(|entry| self.members.get(member).is_some_and(|member| is_signed(member, entry, self.shared)))
    }

    fn take(&self, all: &mut Assembled, member: Option<usize>, own: Place, to: &Place, mode: u32) {
        let Some(member) = member else { return };
        let Some(FileState::File { bytes, .. }) = self.members.get(member).and_then(|one| one.files.files.get(&own))
        else {
            return;
        };
        all.files.push(Taken { place: to.clone(), mode, bytes: bytes.clone() });
        all.used.insert((member, own));
    }

    /// The certificate that the kubelet uses in place of what its kubeconfig embeds.
    fn rotated(&self, member: usize) -> Option<Certificate> {
        leaf(self.bytes(member, &Place { root: Root::Kubelet, path: ROTATED_CLIENT.to_owned() })?)
    }
}

impl Assembled {
    /// The new directory as it will be read.
    pub fn survey(&self, places: impl Iterator<Item = Place>) -> Survey {
        let mut survey: Survey = places.map(|place| (place, FileState::Missing)).collect();
        let state = |file: &Taken| FileState::File { bytes: file.bytes.clone(), mode: file.mode, uid: 0, gid: 0 };
        survey.extend(self.files.iter().map(|file| (file.place.clone(), state(file))));
        survey
    }
}

/// The place on the node of a place in the new directory; both have their certificates in the same directory.
fn own_place(place: &Place, base: &str, directories: &Directories) -> Place {
    let below = place.path.strip_prefix(base).unwrap_or(&place.path);
    let kubelet = directories.kubelet.as_deref().and_then(|dir| below.strip_prefix(dir)?.strip_prefix('/'));
    match kubelet {
        Some(name) => Place { root: Root::Kubelet, path: name.to_owned() },
        None => Place { root: place.root, path: below.to_owned() },
    }
}
