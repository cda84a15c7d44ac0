//! What other verbs say of a rotation in progress.

use std::collections::BTreeSet;

use crate::catalog::CaId;
use crate::tree::Origin;
use crate::tree::rotation::{Phase, Record, Rotating};

/// Certificates that these authorities sign now are made once more by the switch.
pub fn signed_before_the_switch(record: &Record, signers: &BTreeSet<CaId>, origin: &Origin) -> Option<String> {
    let is_prepared = |one: &&CaId| record.phase(Rotating::Authority(**one)) == Some(Phase::Prepared);
    let names: Vec<&str> = signers.iter().filter(is_prepared).map(|one| one.name()).collect();
    let be = if names.len() == 1 { "is" } else { "are" };
    (!names.is_empty()).then(|| {
        format!(
            "{} {be} being replaced and still signs: kpki rotate switch makes these certificates again, by the new one; see when: {}",
            names.join(", "),
            origin.command("rotate status", &[""; 0], &[])
        )
    })
}

/// The keys of authorities that are on their way out, or not in use yet.
pub fn old_keys(record: &Record) -> Option<String> {
    let names: Vec<&str> = record.rotations.iter().map(|one| one.authority.name()).collect();
    let last = record.rotations.first()?;
    Some(format!(
        "the rotation of {} is in progress ({}): what is made of these files now is to be made again after its next step",
        names.join(", "),
        last.phase
    ))
}
