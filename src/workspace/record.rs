//! What a tree records of the profile by which it is made.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::files::RelPath;
use crate::plan::item::Item;
use crate::profile::Profile;
use crate::store::{FileChange, RootId};
use crate::tree::Layout;
use crate::workspace::TreeDir;
use crate::workspace::state::{self, State};

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
        let manifest = state::manifest(profile, &tree.pki(), items)?;
        files.push(file(RootId::Main, state::MANIFEST, 0o644, manifest.into_bytes())?);
    }
    Ok(files)
}
