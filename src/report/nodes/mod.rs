//! `kpki nodes`: what is shipped, confirmed and running on each node, and what `kpki nodes merge` brought back.

mod merge;
mod status;

pub use merge::{Merge, Merged};
pub use status::{ComponentRow, Confirmed, ListRow, ListState, NodeRow, Nodes, Shipped, Standing};
