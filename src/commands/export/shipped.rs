//! What was packed for a node, recorded in the cluster directory.

use std::time::Duration;

use super::request::Request;
use super::run::Exported;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::inventory;
use crate::workspace::shipping::nodes::{self, Kind, Shipped};
use crate::workspace::shipping::{collect, digest::Sha256};
use crate::workspace::tree_dir::Shape;
use crate::workspace::{Transaction, TreeDir, profiles};

/// An export does not wait long for its note.
const PATIENCE: Duration = Duration::from_secs(5);

/// Records what was packed, in a cluster directory. What cannot be recorded is a warning: the archive is made.
pub fn record(request: &Request, exported: &Exported) -> Option<String> {
    if !inventory::is_cluster(&request.dir) {
        return None;
    }
    let why = recorded(request, exported).err()?;
    Some(format!(
        "what was packed for {} is not recorded, kpki nodes shows what was packed before: {why}",
        request.node
    ))
}

fn recorded(request: &Request, exported: &Exported) -> Result<(), Error> {
    let Some((_, profile)) = profiles::recorded(&request.dir)? else { return Ok(()) };
    let tree = TreeDir::new(&request.dir, Some(&profile), Shape::Cluster)?;
    let locked = tree.lock(PATIENCE)?;
    let (entries, lists) = collect::of_cluster(&request.dir, &profile, &request.node)?;
    let shipped = Shipped {
        kind: Kind::NodeShipment,
        node: request.node.clone(),
        time: rfc3339(request.recorded_at),
        issue: exported.issue.clone(),
        entries,
        lists,
    };
    // Another run may have changed the tree since: then the next state is not what was packed.
    let packed = |print: &Sha256| exported.prints.contains(print);
    if !shipped.entries.iter().flat_map(|one| &one.certificates).all(packed) {
        return Err(Error::new("the files were changed meanwhile"));
    }
    let changes = vec![nodes::shipped_change(&shipped)?];
    locked.commit("export", request.recorded_at, Transaction { changes, ..Transaction::default() })?;
    Ok(())
}
