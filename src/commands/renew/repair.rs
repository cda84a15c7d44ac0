//! Files that are written again from ca.crt, without a signature.

use zeroize::Zeroizing;

use super::evaluate::Evaluation;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::kubeconfig;
use crate::plan::renew::{Repair, Rewritten};
use crate::report::renew::{Action, RenewalEntry};
use crate::store::FileChange;
use crate::tree::file;
use crate::workspace::TreeDir;
use crate::x509::Certificate;

/// The new files.
pub(in crate::commands::renew) fn changes(evaluation: &Evaluation) -> Result<Vec<FileChange>, Error> {
    evaluation.repairs.iter().map(|repair| change(repair, evaluation)).collect()
}

fn change(repair: &Repair, evaluation: &Evaluation) -> Result<FileChange, Error> {
    let (place, snapshot) = (&repair.place, &evaluation.snapshot);
    let bundle = snapshot.bundle(CaId::Cluster);
    Ok(match &repair.what {
        Rewritten::Kubeconfig { authority, server } => {
            let pem = authority.then(|| bundle.iter().map(Certificate::to_pem).collect::<String>());
            let old = file(&snapshot.survey, Some(place)).unwrap_or_default();
            let new = kubeconfig::replace_cluster(old, pem.as_deref(), server.as_deref())
                .map_err(|why| error::not_replaced(place, why))?;
            place.change(0o600, new)?
        }
        Rewritten::SignerFile { .. } => {
            let signer = bundle.first().map(Certificate::to_pem).unwrap_or_default();
            place.change(0o644, Zeroizing::new(signer.into_bytes()))?
        }
    })
}

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
