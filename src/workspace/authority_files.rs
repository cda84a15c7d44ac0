//! The files of a tree that hold an authority's certificate: its own, the copies of the nodes of a cluster directory, ca-signer.crt, and
//! what kubeconfigs trust.

use zeroize::Zeroizing;

use crate::catalog::CaId;
use crate::catalog::paths::SIGNER_ENTRY;
use crate::encoding::pem;
use crate::error::{self, Error};
use crate::files::RelPath;
use crate::kubeconfig;
use crate::store::{FileChange, RootId};
use crate::tree::layout::Root;
use crate::tree::{EntryId, Layout, Place, file};
use crate::workspace::{Session, Snapshot, survey};
use crate::x509::{Certificate, parse_authority};

/// One file that holds it.
#[derive(Debug)]
pub struct Holder {
    /// Of a further kubeconfig its file name.
    pub id: EntryId,
    pub place: Place,
    pub what: What,
    bytes: Zeroizing<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The authority's own file, or a node's copy of it.
    Bundle,
    /// ca-signer.crt.
    Signer,
    /// `certificate-authority-data`; nothing else in it counts.
    Kubeconfig,
}

/// Every holder, and what was not looked at or holds another.
#[derive(Debug, Default)]
pub struct Holders {
    pub all: Vec<Holder>,
    /// Kubeconfigs of the tree that cannot be read, with why.
    pub unreadable: Vec<(EntryId, Place, String)>,
    /// Kubeconfigs that trust something else.
    pub others: Vec<EntryId>,
}

/// The files that hold this certificate of an authority.
///
/// # Errors
/// A directory cannot be read; a kubeconfig holds it where it cannot be replaced.
pub fn holders(
    session: &Session<'_>,
    snapshot: &Snapshot,
    authority: CaId,
    certificate: &Certificate,
) -> Result<Holders, Error> {
    let mut found = Holders::default();
    let (own, _) = session.tree.directories.authority(authority);
    let copies = session.copies().into_iter().filter(|(_, of, place)| *of == authority && *place != own);
    let copies = copies.map(|(node, _, place)| (EntryId::new(Some(&node), authority.name()), place));
    let bundles = std::iter::once((EntryId::new(None, authority.name()), own.clone())).chain(copies);
    found.bundles(snapshot, bundles, What::Bundle, certificate);
    if authority == CaId::Cluster {
        let signers = session.signer_files(&snapshot.survey);
        let signers = signers.into_iter().map(|(node, place)| (EntryId { node, name: SIGNER_ENTRY.to_owned() }, place));
        found.bundles(snapshot, signers, What::Signer, certificate);
        for one in &session.credentials {
            let Some(place) = one.conf() else { continue };
            if let Some(bytes) = file(&snapshot.survey, Some(place)) {
                found.kubeconfig(one.id.clone(), place, bytes, certificate)?;
            }
        }
        for (id, place, bytes) in further(session)? {
            // What is no entry of the tree counts only where it trusts this authority.
            if kubeconfig::read(&bytes).is_ok_and(|read| trusts(&read.authority, certificate)) {
                found.kubeconfig(id, &place, &bytes, certificate)?;
            }
        }
    }
    Ok(found)
}

impl Holders {
    fn bundles(
        &mut self,
        snapshot: &Snapshot,
        all: impl Iterator<Item = (EntryId, Place)>,
        what: What,
        certificate: &Certificate,
    ) {
        for (id, place) in all {
            if let Some(bytes) = file(&snapshot.survey, Some(&place)).filter(|bytes| trusts(bytes, certificate)) {
                let bytes = Zeroizing::new(bytes.to_vec());
                self.all.push(Holder { id, place, what, bytes });
            }
        }
    }

    fn kubeconfig(&mut self, id: EntryId, place: &Place, bytes: &[u8], own: &Certificate) -> Result<(), Error> {
        match kubeconfig::read(bytes) {
            Err(why) => self.unreadable.push((id, place.clone(), why.to_string())),
            Ok(read) if trusts(&read.authority, own) => {
                kubeconfig::editable(bytes).map_err(|why| error::not_replaced(place, why))?;
                let bytes = Zeroizing::new(bytes.to_vec());
                self.all.push(Holder { id, place: place.clone(), what: What::Kubeconfig, bytes });
            }
            // Without data it trusts a file, or the system's authorities.
            Ok(read) if !read.authority.is_empty() => self.others.push(id),
            Ok(_) => {}
        }
        Ok(())
    }
}

fn trusts(data: &[u8], certificate: &Certificate) -> bool {
    parse_authority(data).unwrap_or_default().iter().any(|one| one.der == certificate.der)
}

/// A kubeconfig with its bytes.
pub type Further = (EntryId, Place, Zeroizing<Vec<u8>>);

/// Kubeconfigs beside those of the catalogue: the bootstrap's, a user's.
pub fn further(session: &Session<'_>) -> Result<Vec<Further>, Error> {
    let mut nodes: Vec<Option<&str>> = session.credentials.iter().map(|one| one.id.node.as_deref()).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let known = |path: &str| session.credentials.iter().filter_map(|one| one.conf()).any(|place| place.path == path);
    let mut found = Vec::new();
    for node in nodes {
        let base = node.map(|node| crate::tree::Directories::base(&Layout::Cluster, node)).unwrap_or_default();
        let dir = session.tree.roots.main.join(&base);
        let Some(dir) = survey::open(&dir)? else { continue };
        let mut names: Vec<String> =
            dir.list()?.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
        names.sort();
        for name in names.into_iter().filter(|name| name.ends_with(".conf")) {
            let path = format!("{base}{name}");
            if known(&path) {
                continue;
            }
            // What is no file, or too large to be one, is no kubeconfig.
            let Ok(relative) = RelPath::parse(path.as_str()) else { continue };
            if let Ok(Some(bytes)) = survey::read(&session.tree.roots, RootId::Main, &relative) {
                found.push((EntryId::new(node, &name), Place { root: Root::Main, path }, bytes));
            }
        }
    }
    Ok(found)
}

impl Holder {
    /// The kubeconfig with other authorities to trust, and every other byte as it was.
    pub fn trusting(&self, bundle: &str) -> Result<FileChange, Error> {
        let new = kubeconfig::replace_cluster(&self.bytes, Some(bundle), None);
        Ok(self.place.change(0o600, new.map_err(|why| error::not_replaced(&self.place, why))?)?)
    }

    /// The file with `new` in the place of `old`: every other byte as it was.
    pub fn replaced(&self, old: &Certificate, new: &Certificate) -> Result<FileChange, Error> {
        let broken = |why: &dyn std::fmt::Display| {
            Error::new(format!("cannot replace the certificate in {}", self.place.path))
                .because(why)
                .hint("check the file")
        };
        let swap = |text: &[u8]| match pem::replaced(text, &old.der, &new.der) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(broken(&"it was changed during the run")),
            Err(why) => Err(broken(&why)),
        };
        let (mode, bytes) = match self.what {
            What::Bundle | What::Signer => (0o644, Zeroizing::new(swap(&self.bytes)?)),
            What::Kubeconfig => {
                let not_replaced = |why| error::not_replaced(&self.place, why);
                let read = kubeconfig::read(&self.bytes).map_err(not_replaced)?;
                let data = swap(&read.authority)?;
                return self.trusting(&String::from_utf8(data).map_err(|why| broken(&why.utf8_error()))?);
            }
        };
        Ok(self.place.change(mode, bytes)?)
    }
}
