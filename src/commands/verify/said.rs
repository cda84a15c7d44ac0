//! What is to be said of one tree, and what is there where that was asked for.

use super::request::Request;
use crate::verify::inventory::{Inventory, inventory};
use crate::verify::served::Live;
use crate::verify::{self, Cluster, Verification};

pub type Said = (Verification, Option<Inventory>);

pub fn judge(cluster: &Cluster<'_>, request: &Request, live: Option<Live>) -> Said {
    let said = verify::judge(cluster, request.policy, &request.selection, request.edges, live);
    (said, request.with_inventory.then(|| inventory(cluster)))
}

/// Of what cannot be looked at there is nothing.
pub fn nothing(said: Verification, request: &Request) -> Said {
    (said, request.with_inventory.then(Inventory::default))
}
