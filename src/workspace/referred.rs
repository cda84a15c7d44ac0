//! Kubeconfigs that name files instead of embedding their credential: files of this tree are a certificate with its key like any
//! other, and are renewed there; files elsewhere are looked at, so that one that has ended is not passed over.

use std::path::{Path, PathBuf};

use super::survey;
use super::tree_dir::TreeDir;
use crate::ca::PrivateKey;
use crate::catalog::paths::{KUBELET_CONF, ROTATED_CLIENT};
use crate::error::Error;
use crate::files::{self, FileState, RelPath};
use crate::kubeconfig::{self, Credentials};
use crate::plan::renew::{Credential, Elsewhere, Used};
use crate::tree::file;
use crate::tree::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, Place, Root};
use crate::x509::{KeyKind, parse_pem_bundle};

/// A larger file is not a certificate.
const LARGEST: u64 = 4 << 20;

/// Follows the paths in every kubeconfig, as the node whose tree it is would.
pub fn follow(credentials: &mut [Credential], tree: &TreeDir) -> Result<(), Error> {
    let kubeconfigs = credentials.iter().filter(|one| one.is_kubeconfig()).map(|one| &one.public);
    let found = survey::survey(&tree.roots, kubeconfigs)?;
    for one in credentials.iter_mut().filter(|one| one.is_kubeconfig()) {
        let Some(bytes) = file(&found, Some(&one.public)) else { continue };
        if !kubeconfig::may_name_files(bytes) {
            one.elsewhere = rotated(one, tree)?;
            continue;
        }
        let Ok(read) = kubeconfig::read(bytes) else { continue };
        let base = one.public.path.strip_suffix(&one.id.name).unwrap_or_default();
        let Credentials::Files { certificate, key } = read.credentials else {
            one.elsewhere = rotated(one, tree)?;
            continue;
        };
        match (below(tree, base, &certificate), below(tree, base, &key)) {
            (Some(public), Some(private)) if public != private => {
                let conf = std::mem::replace(&mut one.public, public);
                (one.private, one.named_by) = (Some(private), Some(conf));
            }
            _ => one.elsewhere = look(tree, base, &certificate, certificate == key)?,
        }
    }
    Ok(())
}

/// What the kubelet has rotated beside a kubelet.conf that embeds its credential.
fn rotated(one: &Credential, tree: &TreeDir) -> Result<Option<Elsewhere>, Error> {
    if one.id.name == KUBELET_CONF { beside(&one.public, tree) } else { Ok(None) }
}

/// What the kubelet has rotated beside this kubelet.conf.
pub fn beside(conf: &Place, tree: &TreeDir) -> Result<Option<Elsewhere>, Error> {
    let Some(base) = conf.path.strip_suffix(KUBELET_CONF) else { return Ok(None) };
    look(tree, base, &format!("{DEFAULT_KUBELET_DIR}/{ROTATED_CLIENT}"), true)
}

/// A path below the tree; the node's own `/etc/kubernetes` is what the tree is.
fn below(tree: &TreeDir, base: &str, path: &str) -> Option<Place> {
    if let Some(place) = tree.elsewhere(base, path) {
        return Some(place);
    }
    let path = path.strip_prefix(DEFAULT_DIR).map_or(path, |rest| rest.trim_start_matches('/'));
    RelPath::parse(path).ok().map(|path| Place { root: Root::Main, path: format!("{base}{path}") })
}

/// `with_key`: the file holds the key as well. `None`: this is not the node, and the file is not here.
fn look(tree: &TreeDir, base: &str, path: &str, with_key: bool) -> Result<Option<Elsewhere>, Error> {
    let main = &tree.roots.main;
    let in_kubelet = path.strip_prefix(DEFAULT_KUBELET_DIR).map(|rest| rest.trim_start_matches('/'));
    let certificate = tree.elsewhere(base, path);
    let (path, is_certain): (PathBuf, bool) = match (in_kubelet, &tree.roots.kubelet, &tree.directories.kubelet) {
        _ if let Some(place) = certificate => (place.full(&tree.roots), true),
        (Some(name), Some(kubelet), _) => (kubelet.join(name), true),
        (Some(name), None, Some(below)) => (main.join(format!("{base}{below}/{name}")), false),
        _ => (main.join(base).join(path), main == Path::new(DEFAULT_DIR) || !path.starts_with('/')),
    };
    Ok(match files::read_input(&path, LARGEST) {
        Ok(FileState::File { bytes, .. }) => {
            Some(used(&bytes, with_key).map_or(Elsewhere::Unreadable, |used| Elsewhere::Certificate(Box::new(used))))
        }
        Ok(FileState::Missing) => is_certain.then_some(Elsewhere::Missing),
        // A machine in trouble says nothing about the file.
        Err(error) if error.kind.is_the_machines() => return Err(error.into()),
        Err(_) => Some(Elsewhere::Unreadable),
    })
}

fn used(bytes: &[u8], with_key: bool) -> Option<Used> {
    let mut bundle = parse_pem_bundle(bytes).ok()?.into_iter();
    let leaf = bundle.next()?;
    let is_own = || PrivateKey::from_pem(bytes).is_ok_and(|key| key.matches(&leaf));
    let key = (with_key && matches!(leaf.key, KeyKind::Known(_))).then(is_own);
    Some(Used { leaf, chain: bundle.collect(), key })
}
