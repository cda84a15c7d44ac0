//! Every private key below a directory: the files of the tree, and what kpki itself keeps of them.

use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::encoding::pem;
use crate::error::Error;
use crate::files::{self, Dir, Facts, FileState, RelPath, What};
use crate::keys;
use crate::revocation::is_crl_file;
use crate::store::{FileChange, RootId, Roots};
use crate::tree::entry_path::entry_of_path;
use crate::workspace::rotation::record::DIRECTORY as ROTATION;
use crate::workspace::survey;
use zeroize::Zeroizing;

/// A larger file is no key.
const LARGEST: u64 = 1 << 20;
const MARK: &[u8] = b"PRIVATE KEY";
const KPKI: &str = ".kpki";
const GENERATIONS: &str = "generations";
/// Below `.kpki/`, of a run that is at work or was interrupted: the lock and the recovery are for these.
const AT_WORK: [&str; 3] = ["lock", "commit", "staging"];

/// A file with a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// `Main` or `State`.
    pub root: RootId,
    pub path: RelPath,
    pub mode: u32,
    pub is_encrypted: bool,
    pub bytes: Secret,
}

/// Of a key file; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// All of them, in the order of their paths. No symlink is followed.
///
/// # Errors
/// A directory or a file cannot be read: what is in it is not known.
pub fn all(roots: &Roots) -> Result<Vec<KeyFile>, Error> {
    let mut found = Vec::new();
    let Some(main) = survey::root(roots, RootId::Main)? else { return Ok(found) };
    below(RootId::Main, &main, None, &mut found)?;
    if let Some(own) = survey::root(roots, RootId::State)? {
        below(RootId::State, &own, None, &mut found)?;
    }
    found.sort_by(|a, b| (a.root, a.path.as_str()).cmp(&(b.root, b.path.as_str())));
    Ok(found)
}

fn below(root: RootId, dir: &Dir, path: Option<&RelPath>, found: &mut Vec<KeyFile>) -> Result<(), Error> {
    for entry in dir.list()? {
        let Some(name) = entry.name.to_str().and_then(|name| RelPath::parse(name).ok()) else { continue };
        let skipped: &[&str] = if root == RootId::State { &AT_WORK } else { &[KPKI] };
        if path.is_none() && skipped.contains(&name.as_str()) {
            continue;
        }
        let full = path.map_or_else(|| name.clone(), |path| path.join(&name));
        match dir.facts(name.as_str())? {
            Some(Facts { what: What::Directory, .. }) => {
                if let Some(child) = dir.child(name.as_str())? {
                    below(root, &child, Some(&full), found)?;
                }
            }
            Some(Facts { what: What::File, size, .. }) if size <= LARGEST && !is_crl_file(full.as_str()) => {
                found.extend(file(root, dir, &name, full)?);
            }
            _ => {}
        }
    }
    Ok(())
}

fn file(root: RootId, dir: &Dir, name: &RelPath, path: RelPath) -> Result<Option<KeyFile>, Error> {
    let FileState::File { bytes, mode, .. } = files::read(dir, name, LARGEST)? else { return Ok(None) };
    let is_key = bytes.windows(MARK.len()).any(|window| window == MARK) && pem::holds_private_key(&bytes);
    Ok(is_key.then(|| KeyFile {
        root,
        path,
        mode: mode & 0o777,
        is_encrypted: keys::is_encrypted(&bytes),
        bytes: Secret(bytes),
    }))
}

impl KeyFile {
    /// The key of an authority by its place: its file, a generation's copy of it, the next or the previous one of a rotation, or
    /// one that waits for its certificate.
    pub fn is_at_place_of(&self, authority: CaId) -> bool {
        let path = self.path.as_str();
        let place = match (self.root, path.split_once('/')) {
            (RootId::State, Some((GENERATIONS, _))) => path.splitn(4, '/').nth(3).unwrap_or_default(),
            (RootId::State, Some((ROTATION, name))) => return is_rotating(name, authority),
            (RootId::State, Some((_, rest))) => rest,
            _ => path,
        };
        let stem = place.strip_suffix(".key").unwrap_or_default();
        entry_of_path(&format!("{stem}.crt")).is_some_and(|id| id.name == authority.name())
    }

    /// Kept in a generation, or because it could not be delivered.
    pub fn is_kept(&self) -> bool {
        self.root == RootId::State && ["generations", "undelivered"].iter().any(|name| self.path.is_within(name))
    }

    /// One key and nothing else that would be lost with it.
    pub fn is_alone(&self) -> bool {
        pem::private_keys(&self.bytes.0) == 1 && !pem::contains(&self.bytes.0, "CERTIFICATE")
    }

    /// The key, where it is plain and of a kind that signs.
    pub fn plain(&self) -> Option<PrivateKey> {
        PrivateKey::from_pem(&self.bytes.0).ok()
    }

    /// The same file with other bytes.
    pub fn change(&self, bytes: Zeroizing<Vec<u8>>) -> FileChange {
        FileChange { root: self.root, path: self.path.clone(), mode: self.mode & 0o600 | 0o400, bytes, replace: true }
    }

    /// Below DIR, for messages.
    pub fn shown(&self) -> String {
        if self.root == RootId::State { format!("{KPKI}/{}", self.path) } else { self.path.to_string() }
    }
}

/// `ca.next.key`
fn is_rotating(name: &str, authority: CaId) -> bool {
    let rest = name.strip_prefix(authority.name());
    matches!(rest, Some(".next.key" | ".previous.key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authoritys_key_is_known_by_its_place() {
        for (root, path, whose) in [
            (RootId::Main, "pki/ca.key", Some(CaId::Cluster)),
            (RootId::Main, "nodes/cp1/pki/etcd/ca.key", Some(CaId::Etcd)),
            (RootId::Main, "pki/sa.key", None),
            (RootId::Main, "pki/apiserver.key", None),
            (RootId::State, "generations/20261120T220102Z-init/main/pki/ca.key", Some(CaId::Cluster)),
            (RootId::State, "generations/20261120T220102Z-init/main/pki/etcd/ca.key", Some(CaId::Etcd)),
            (
                RootId::State,
                "generations/20261120T220102Z-init/certificates/front-proxy-ca.key",
                Some(CaId::FrontProxy),
            ),
            (RootId::State, "generations/20261120T220102Z-init/main/pki/apiserver.key", None),
            (RootId::State, "requests/pki/front-proxy-ca.key", Some(CaId::FrontProxy)),
            (RootId::State, "rotation/ca.next.key", Some(CaId::Cluster)),
            (RootId::State, "rotation/etcd-ca.previous.key", Some(CaId::Etcd)),
            (RootId::State, "rotation/sa.next.key", None),
        ] {
            let bytes = Secret(Zeroizing::new(Vec::new()));
            let one = KeyFile { root, path: RelPath::parse(path).unwrap(), mode: 0o600, is_encrypted: false, bytes };
            let found: Vec<CaId> = CaId::ALL.into_iter().filter(|id| one.is_at_place_of(*id)).collect();
            assert_eq!(found, whose.into_iter().collect::<Vec<_>>(), "{path}");
        }
    }
}
