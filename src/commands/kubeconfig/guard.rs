//! The target of a user's kubeconfig: never a file of a tree.

use std::path::Path;

use super::request::Request;
use crate::catalog::{ENTRIES, Files};
use crate::error::Error;
use crate::files::{self, Dir, FileError, Kind, Op, What};
use crate::store::{self, RootId};
use crate::workspace::{TreeDir, profiles, state, survey};

/// A file of the tree is never replaced, any other only with `--force`.
pub fn check(request: &Request) -> Result<(), Error> {
    let Request { out: Some(path), dir, force, .. } = request else { return Ok(()) };
    if is_of_tree(path, dir)? {
        return Err(Error::new(format!("{} belongs to the tree {}", path.display(), dir.display()))
            .because("a user's kubeconfig in its place would lock out the component that uses it")
            .hint("give another file with --out"));
    }
    if !*force && files::what(None, path).is_some_and(|what| what != What::Directory) {
        return Err(Error::new(FileError::new(Op::Write, path, Kind::Exists).to_string())
            .hint("give another file with --out, or replace it with --force"));
    }
    Ok(store::check_file(path, true)?)
}

/// Whether a file is a kubeconfig of the catalogue in a tree, or in one of the tree's own directories. Directories are
/// compared by device and inode, not by path.
fn is_of_tree(path: &Path, dir: &Path) -> Result<bool, Error> {
    let Some(tree) = survey::open(dir)? else { return Ok(false) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(mut here) = survey::open(parent)? else { return Ok(false) };
    let is = |a: &Dir, b: &Dir| -> Result<bool, FileError> {
        let (a, b) = (a.own_facts()?, b.own_facts()?);
        Ok((a.inode, a.device) == (b.inode, b.device))
    };
    let of_catalogue = ENTRIES.iter().any(|entry| match entry.files {
        Files::Kubeconfig(name) => path.file_name().is_some_and(|file| file == name),
        _ => false,
    });
    if is(&here, &tree)? {
        return Ok(of_catalogue || path.file_name().is_some_and(|file| file == state::MANIFEST));
    }
    let TreeDir { roots, directories, .. } = TreeDir::recorded(dir, profiles::recorded(dir)?.as_ref(), None)?;
    let below = directories.pki.as_deref().into_iter().chain(["pki", "nodes", "kubelet", ".kpki"]);
    let outside = RootId::OUTSIDE.into_iter().filter_map(|root| roots.outside(root).map(Path::to_path_buf));
    let own: Vec<Dir> = below
        .map(|name| dir.join(name))
        .chain(outside)
        .filter_map(|path| survey::open(&path).transpose())
        .collect::<Result<_, FileError>>()?;
    loop {
        for one in &own {
            if is(&here, one)? {
                return Ok(true);
            }
        }
        match here.child("..")? {
            Some(above) if !is(&above, &here)? => here = above,
            _ => return Ok(false),
        }
    }
}
