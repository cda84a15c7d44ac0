//! What a tree records of the profile by which it is made.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::files::RelPath;
use crate::plan::init as plan;
use crate::plan::item::Item;
use crate::profile::Profile;
use crate::store::{FileChange, RootId};
use crate::tree::Layout;
use crate::workspace::state::{self, State};
use crate::workspace::{TreeDir, survey};

/// kpki's own files in a tree: the profile as used, the options, and a cluster directory's manifest.
pub fn own_files(
    state: &State,
    profile: &Profile,
    layout: &Layout,
    tree: &TreeDir,
    items: &[Item],
) -> Result<Vec<FileChange>, Error> {
    let file = |root: RootId, path: &str, mode: u32, bytes: Vec<u8>| -> Result<FileChange, Error> {
        Ok(FileChange { root, path: RelPath::parse(path)?, mode, bytes: Zeroizing::new(bytes), replace: true })
    };
    let mut files = vec![
        file(RootId::State, state::PROFILE, 0o600, state.profile.clone())?,
        file(RootId::State, state::STATE, 0o600, state.document()?.into_bytes())?,
    ];
    if *layout == Layout::Cluster {
        files.push(manifest(profile, tree, items)?);
    }
    Ok(files)
}

fn manifest(profile: &Profile, tree: &TreeDir, items: &[Item]) -> Result<FileChange, Error> {
    let bytes = Zeroizing::new(state::manifest(profile, &tree.pki(), items)?.into_bytes());
    let path = RelPath::parse(state::MANIFEST)?;
    Ok(FileChange { root: RootId::Main, path, mode: 0o644, bytes, replace: true })
}

/// The manifest of a cluster directory that is going to have ca-signer.crt; `None`: it is as it lies there, or there is none.
pub fn with_signer_files(profile: &Profile, layout: &Layout, tree: &TreeDir) -> Result<Option<FileChange>, Error> {
    let mut items = plan::items(profile, layout, &tree.directories);
    plan::add_signer_files(&mut items, profile, layout, &tree.directories);
    let change = manifest(profile, tree, &items)?;
    let there = survey::read(&tree.roots, change.root, &change.path)?;
    Ok(there.filter(|there| *there != change.bytes).map(|_| change))
}
