//! The rows of files that are written again without a signature.

use super::evaluate::Evaluation;
use crate::error;
use crate::plan::renew::Rewritten;
use crate::report::renew::{Action, RenewalEntry};
use crate::workspace::TreeDir;

/// In the credential's row, or in one of its own.
pub(in crate::commands::renew) fn describe(rows: &mut Vec<RenewalEntry>, evaluation: &Evaluation, tree: &TreeDir) {
    for repair in &evaluation.repairs {
        let why = error::rewritten(&repair.what);
        match rows.iter_mut().find(|row| row.id == repair.id) {
            // What could not be renewed, or was, is said as well.
            Some(row) if matches!(row.action, Action::Skipped | Action::Renew | Action::Create) => {
                row.reasons.push(why)
            }
            Some(row) => (row.action, row.reasons) = (Action::Renew, vec![why]),
            None => rows.push(RenewalEntry {
                id: repair.id.clone(),
                action: match repair.what {
                    Rewritten::SignerFile { is_new: true } => Action::Create,
                    _ => Action::Renew,
                },
                reasons: vec![why],
                paths: tree.display_paths([&repair.place]),
                ..RenewalEntry::default()
            }),
        }
    }
}
