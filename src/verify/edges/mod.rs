//! Every TLS connection of a cluster, tried in memory with the files at hand: who dials whom by which names, as data
//! (`table`), which files that means in a cluster (`pairs`), and whether the two accept each other (`shaken`). `pairs` looks at
//! values only, so that it can be asked about trees of which some have changed and others not yet.

mod attach;
mod clients;
pub mod edge;
mod extra;
mod held;
mod names;
mod pair;
mod pairs;
mod servers;
mod shaken;
pub mod table;

pub use attach::{attach, skipped};

use edge::Edge;

use crate::verify::cluster::Cluster;

/// All edges of a cluster, in the table's order.
pub fn edges(cluster: &Cluster<'_>) -> Vec<Edge> {
    shaken::shaken(&pairs::pairs(cluster), cluster.at)
}
