//! What a renewal says beside its rows: the nodes that are to have what is new, and a pair that it does not repair.

use super::renewing::Renewing;
use crate::catalog;
use crate::encoding::key_public::Half;
use crate::files::{self, RelPath};
use crate::report::renew::RenewalEntry;
use crate::tree::{Layout, Place};
use crate::workspace::{Session, state, survey};

/// The nodes with something new, where an export packs it: in a cluster directory that records its profile.
pub fn ship(renewing: &Renewing<'_>, entries: &[RenewalEntry]) -> Vec<String> {
    let Session { layout, target, .. } = &renewing.session;
    if *layout != Some(Layout::Cluster) || files::what(None, &state::path(&target.root)).is_none() {
        return Vec::new();
    }
    let mut nodes: Vec<String> =
        entries.iter().filter(|one| one.is_made()).filter_map(|one| one.id.node.clone()).collect();
    nodes.sort();
    nodes.dedup();
    nodes
}

/// It has no certificate, so that nothing here repairs it; a file that cannot be read is for others to report.
pub fn service_account(renewing: &Renewing<'_>) -> Option<String> {
    let tree = &renewing.session.tree;
    let (public, private) = tree.directories.files("", catalog::find("sa")?.files);
    let path = |place: &Place| RelPath::parse(place.path.as_str()).ok();
    let read = |place: &Place| survey::read(&tree.roots, place.root_id(), &path(place)?).ok()?;
    let other = Half::of(&read(&private?)?)?.is_in(&read(&public)?) == Some(false);
    other.then(|| format!("{} is not the public half of sa.key; see kpki check-expiration", tree.display_path(&public)))
}
