//! What a renewal says beside its rows: the nodes that are to have what is new, and a pair that it does not repair.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::catalog::paths::SUPER_ADMIN_CONF;
use crate::catalog::{self, CaId};
use crate::encoding::key_public::Half;
use crate::files::RelPath;
use crate::report::renew::RenewalEntry;
use crate::tree::Place;
use crate::workspace::{crl_issue, survey};
use std::collections::BTreeSet;

/// The nodes with something new, a list or an entry, where an export packs it: in a cluster directory that records its profile.
pub fn ship(renewing: &Renewing<'_>, evaluation: &Evaluation, entries: &[RenewalEntry]) -> Vec<String> {
    let session = &renewing.session;
    if !session.is_exported() {
        return Vec::new();
    }
    // What is not complete cannot be packed; the master kubeconfig need not be there.
    let is_missing = |one: &&RenewalEntry| one.is_missing() && one.id.name != SUPER_ADMIN_CONF;
    let unfinished: BTreeSet<&String> =
        entries.iter().filter(is_missing).filter_map(|one| one.id.node.as_ref()).collect();
    let made = entries.iter().filter(|one| one.is_made()).filter_map(|one| one.id.node.clone());
    let lists: Vec<CaId> = evaluation.due_crls().iter().map(|crl| crl.authority).collect();
    let nodes: BTreeSet<String> = made.chain(crl_issue::nodes(session, &evaluation.snapshot, &lists)).collect();
    nodes.into_iter().filter(|node| !unfinished.contains(node)).collect()
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
