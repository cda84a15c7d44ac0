//! A node's tree in which an authority of the whole cluster signs: what is revoked there, nobody else knows yet.

use std::path::Path;

use super::manifest;
use crate::files::{self, shell_path};
use crate::profile::{NodeRole, Profile};
use crate::workspace::Session;

/// What to say after a list was signed in this tree; `None`: it is the only place that signs.
pub fn list_of_one_node(session: &Session<'_>) -> Option<String> {
    let main = &session.target.root;
    if !session.copies().is_empty() || !is_one_of_several(main, session.profile()) {
        return None;
    }
    let command = format!("kpki export --verify --receipt -o json --dir {}", shell_path(main));
    Some(format!(
        "only the list of this node was changed: the other nodes and the host with the cluster directory get it by this node's \
         receipt, which kpki nodes merge takes there: {command}"
    ))
}

/// It was shipped, or its profile has other nodes that sign as well.
fn is_one_of_several(main: &Path, profile: Option<&Profile>) -> bool {
    let signers = profile.map(|profile| profile.nodes.iter().filter(|node| node.is(NodeRole::ControlPlane)).count());
    files::what(None, &main.join(manifest::NAME)).is_some() || signers.is_some_and(|signers| signers > 1)
}
