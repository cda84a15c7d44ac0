//! Whether a PKI is right: the rules as data, what they are judged on as values, and what they find. Pure: who looks is
//! `workspace::load`, who shakes hands `handshake`.

mod causes;
mod cluster;
mod edges;
mod finding;
mod findings;
pub mod inventory;
mod judge;
pub mod layouts;
mod policy;
mod repair;
mod rule;
mod rules;
mod selection;
pub mod served;
pub mod strength;
mod table;

pub use cluster::{Cluster, Content, File, Journal, JournalContent, Key, Kubeconfig, Metadata, Part, Secret, Tree};
pub use edges::edge::{Edge, Half, State as EdgeState};
pub use edges::table::ROWS;
#[cfg(any(test, feature = "internals"))]
pub use finding::Ignored;
pub use finding::{Finding, NotLookedAt, Place, Verification};
pub use judge::{interrupted, judge, outside, unreadable, without_profile, without_rotations};
pub use policy::Policy;
pub use rule::{Rule, Severity};
pub use selection::{Choice, Selection};
pub use table::all;
#[cfg(any(test, feature = "internals"))]
pub use table::rule;
