//! What `kpki plan` found: what would change in every cluster.

mod document;
mod groups;
mod markdown;
mod table;

pub use super::renew::Failure;
pub use document::{
    Action, Change, Cluster, FieldChange, Outcome, Plan, ProfileState, Refused, Remark, Rotating, Verb,
};
