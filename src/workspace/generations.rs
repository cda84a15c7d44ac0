//! Restoring a tree as it was before the command of a generation.

use time::OffsetDateTime;

use crate::error::Error;
use crate::files::RelPath;
use crate::revocation::{Revoked, is_crl_file};
use crate::store::{self, FileChange, PriorFile, RootId, Roots, StoreError};
use crate::tree::leaf;
use crate::workspace::transaction::Transaction;
use crate::workspace::tree_dir::{Locked, TreeDir};
use crate::workspace::{crls, journal, survey};
use crate::x509::Certificate;

/// Every file as it was, except CRLs. An older CRL would undo revocations and, with its lower number, be refused by
/// every reader that has seen the newer one.
pub fn before(roots: &Roots, name: &str) -> Result<Vec<PriorFile>, Error> {
    Ok(store::before_of(roots, name, is_restored)?)
}

/// The leaf certificates that the generations keep, with their paths in the tree. Keys and CRLs are not read.
pub fn kept_certificates(roots: &Roots) -> Result<Vec<(RelPath, Certificate)>, Error> {
    let mut found = Vec::new();
    for generation in store::generations(roots)? {
        let may_hold = |path: &RelPath| [".crt", ".pem", ".conf"].iter().any(|end| path.as_str().ends_with(end));
        for (root, path) in generation.kept.iter().filter(|(_, path)| may_hold(path)) {
            let kept = RelPath::parse(format!("generations/{}/{}/{path}", generation.name, root.name()))?;
            let bytes = survey::read(roots, RootId::State, &kept)?;
            found.extend(bytes.and_then(|bytes| leaf::leaf(&bytes)).map(|one| (path.clone(), one)));
        }
    }
    Ok(found)
}

fn is_restored(path: &RelPath) -> bool {
    !is_crl_file(path.as_str())
}

/// The CRLs of a generation or made since; they are not restored.
pub fn crls_left(roots: &Roots, name: &str) -> Result<Vec<String>, Error> {
    let newer = store::generations(roots)?;
    let at = newer.iter().position(|one| one.name == name).map_or(0, |at| at.saturating_add(1));
    let paths = newer.iter().take(at).flat_map(|one| one.kept.iter().chain(&one.created));
    let lists = paths.filter(|(_, path)| !is_restored(path));
    let mut left: Vec<String> = lists.map(|(root, path)| roots.shown(*root, path)).collect();
    left.sort();
    left.dedup();
    Ok(left)
}

/// Those that are different now.
pub fn changed(roots: &Roots, prior: Vec<PriorFile>) -> Result<Vec<PriorFile>, Error> {
    let homeless = |one: &&PriorFile| one.root.is_outside() && roots.outside(one.root).is_none();
    if let Some(one) = prior.iter().find(homeless) {
        return Err(StoreError::NoRoot(one.root).into());
    }
    let mut changed = Vec::new();
    for one in prior {
        let now = survey::read(roots, one.root, &one.path)?;
        if now.as_deref() != one.content.as_ref().map(|(_, bytes)| &**bytes) {
            changed.push(one);
        }
    }
    Ok(changed)
}

/// Files, as messages show them, with the CRL entries of their certificates, and the CRLs that cannot be used.
pub type RevokedFiles = (Vec<(String, Revoked)>, Vec<String>);

/// The files whose certificate is revoked or held by the CRLs in the tree, which a restore leaves as they are.
pub fn revoked(tree: &TreeDir, prior: &[PriorFile]) -> Result<RevokedFiles, Error> {
    let snapshot = tree.peek(std::iter::empty())?;
    let certificate = |one: &PriorFile| one.content.as_ref().and_then(|(_, bytes)| leaf::leaf(bytes));
    let found = crls::of_certificates(tree, &snapshot, prior.len(), || prior.iter().map(certificate).collect())?;
    let entries = prior.iter().zip(found.revoked);
    Ok((
        entries.filter_map(|(one, entry)| Some((tree.roots.shown(one.root, &one.path), entry?))).collect(),
        found.unusable,
    ))
}

/// Restores in one transaction, which keeps the replaced files as a generation, and in which another file can change.
/// Returns the restored files and that generation.
pub fn put_back(
    tree: &TreeDir,
    locked: &Locked<'_>,
    name: &str,
    now: OffsetDateTime,
    further: Option<FileChange>,
) -> Result<(Vec<PriorFile>, Option<String>), Error> {
    let mut prior = changed(&tree.roots, before(&tree.roots, name)?)?;
    if prior.is_empty() {
        return Ok((prior, None));
    }
    // A key and its certificate next to each other.
    prior.sort_by(|a, b| (a.root, a.path.as_str()).cmp(&(b.root, b.path.as_str())));
    let mut transaction = Transaction {
        entries: Some(prior.iter().map(|one| tree.roots.shown(one.root, &one.path)).collect()),
        ..Transaction::default()
    };
    for one in &prior {
        let Some((mode, bytes)) = &one.content else {
            transaction.removals.push((one.root, one.path.clone()));
            continue;
        };
        let certificate = leaf::leaf(bytes);
        let shown = tree.roots.shown(one.root, &one.path);
        transaction.journal.extend(certificate.map(|one_of| journal::line("restore", &shown, &one_of, now)));
        let (root, path, bytes) = (one.root, one.path.clone(), bytes.clone());
        transaction.changes.push(FileChange { root, path, mode: *mode, bytes, replace: true });
    }
    transaction.changes.extend(further);
    let generation = locked.commit("restore", now, transaction)?;
    Ok((prior, generation))
}
