//! Files that are written again from ca.crt, without a signature.

use zeroize::Zeroizing;

use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::kubeconfig;
use crate::plan::renew::{Repair, Rewritten};
use crate::store::FileChange;
use crate::tree::file;
use crate::workspace::Snapshot;
use crate::x509::Certificate;

/// The new files.
pub fn rewritten(repairs: &[Repair], snapshot: &Snapshot) -> Result<Vec<FileChange>, Error> {
    repairs.iter().map(|repair| change(repair, snapshot)).collect()
}

fn change(repair: &Repair, snapshot: &Snapshot) -> Result<FileChange, Error> {
    let place = &repair.place;
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
