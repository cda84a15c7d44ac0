//! Turns typed errors into messages: what could not be done, why, the next step, and the exit
//! status. The errors of the other modules carry facts; their text is here.

mod exit;
mod export;
mod failure;
mod import;
mod keys;
mod nouns;
mod plan;
mod renew;
mod renew_authority;
mod revoke;
mod sign;
mod unpack;

pub use exit::Exit;
#[cfg(any(test, feature = "internals"))]
pub use exit::STATUSES;
pub use export::{finding, kubelet_rotates, stale_list, unfit};
pub use failure::Error;
pub use keys::{closed, left_by};
pub use import::{not_imported, not_taken};
pub use nouns::opened;
pub use plan::{Context, difference, notices, outside, refusal, requested};
pub use renew::{another_node, ended, left, not_renewable, not_replaced, reason, refused, rewritten};
pub use renew_authority::{authorities_not_renewed, one_of_several};
pub use revoke::{
    ambiguous, bad_list, list_not_signed, no_number_left, no_signer, not_of_this_tree, not_revocable, refused_entries,
    serial_unknown, unknown_name,
};
pub use sign::{declined, denied_attribute, meaning};
pub use unpack::{
    Ways, archive_beside_another_node, archive_of_another_cluster, archive_of_another_node, bad_archive, node_there,
    older, older_archive, other_cluster, step_left_out, steps_left_out, unrelated,
};
