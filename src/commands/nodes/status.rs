//! The nodes of the recorded profile, each as it stands. Changes nothing.

use std::path::Path;

use super::known::Known;
use super::request::Request;
use crate::error::Error;
use crate::files::shell_path;
use crate::inventory;
use crate::profile::Profile;
use crate::report::nodes::{Confirmed, NodeRow, Nodes, Shipped, Standing};
use crate::tree::layout::holds_ca_keys;
use crate::workspace::shipping::given::{self, Given};
use crate::workspace::shipping::{collect, nodes};
use crate::workspace::tree_dir::Shape;
use crate::workspace::{TreeDir, journal, profiles, survey};

pub fn status(request: &Request) -> Result<Nodes, Error> {
    let main = &request.dir;
    let profile = profile_of(main)?;
    let given = given::read(&request.receipts)?;
    if let Some(other) = given.iter().find(|given| profile.node(&given.receipt.node).is_none()) {
        return Err(Error::new(format!("{}: the profile has no node {}", other.name, other.receipt.node)));
    }
    let tree = TreeDir::new(main, Some(&profile), Shape::Cluster)?;
    let revision = journal::revision(&tree.roots)?;
    let directory = main.display().to_string();
    let mut rows = Vec::new();
    for node in &profile.nodes {
        let (entries, lists) = collect::of_cluster(main, &profile, &node.name)?;
        let of_it = |given: &&Given| given.receipt.node == node.name;
        let new = given.iter().find(of_it);
        let receipt = match new {
            Some(given) => Some(given.receipt.clone()),
            None => nodes::receipt(&tree.roots, &node.name)?,
        };
        let shipped = nodes::shipped(&tree.roots, &node.name)?;
        let unrecorded = new.map(|given| given.name.clone());
        let holds_ca_keys = holds_ca_keys(&profile, node);
        let directory = &directory;
        let known = Known { directory, node, entries, lists, revision, holds_ca_keys, shipped, receipt, unrecorded };
        rows.push(known.row());
    }
    rows.extend(removed(main, &profile)?);
    Ok(Nodes {
        outcome: rows
            .iter()
            .map(|row| row.standing)
            .max()
            .filter(|worst| *worst != Standing::Removed)
            .unwrap_or(Standing::Done),
        directory,
        cluster: profile.cluster_name,
        nodes: rows,
        warnings: tree.left_by_interrupted()?,
    })
}

/// The profile of a cluster directory; anything else is refused.
pub fn profile_of(main: &Path) -> Result<Profile, Error> {
    let recorded = profiles::recorded(main)?.filter(|_| inventory::is_cluster(main));
    recorded.map(|(_, profile)| profile).ok_or_else(|| {
        Error::new(format!("{} is no cluster directory with a recorded profile", main.display()))
            .because("expected pki/, nodes/ and .kpki/profile.yaml, as kpki init makes them for several nodes")
            .hint(format!("see what is there: kpki check-expiration --dir {}", shell_path(main)))
    })
}

/// Directories of nodes that the profile does not have.
fn removed(main: &Path, profile: &Profile) -> Result<Vec<NodeRow>, Error> {
    let mut names = survey::names(main, "nodes")?;
    names.retain(|name| profile.node(name).is_none());
    let row = |node: String| NodeRow {
        node,
        roles: Vec::new(),
        standing: Standing::Removed,
        shipped: Shipped::Never,
        shipped_at: None,
        confirmed: Confirmed::None,
        confirmed_at: None,
        differing: Vec::new(),
        components: Vec::new(),
        lists: Vec::new(),
        findings: Vec::new(),
        next: Vec::new(),
    };
    Ok(names.into_iter().map(row).collect())
}
