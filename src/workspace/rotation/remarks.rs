//! What other verbs say of a rotation in progress.

use std::collections::BTreeSet;

use crate::catalog::CaId;
use crate::tree::Origin;
use crate::tree::phases::Phases;
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

/// Objects with the keys of authorities that are being replaced.
pub fn old_keys(phases: &Phases) -> Option<String> {
    (!phases.is_empty()).then(|| {
        format!(
            "a rotation is in progress ({}): a node that joins with these files has what is going to be replaced; make them again \
             after each step",
            phases.words()
        )
    })
}

/// A certificate for others, signed by an authority that is going to be retired: it is to be made once more.
pub fn until_retired(record: &Record, signer: CaId, origin: &Origin) -> Option<String> {
    (record.phase(Rotating::Authority(signer)) == Some(Phase::Prepared)).then(|| {
        format!(
            "{} is being replaced: this one is accepted until the old one is retired, which waits for it; after kpki rotate switch \
             make another one; see when: {}",
            signer.name(),
            origin.command("rotate status", &[""; 0], &[])
        )
    })
}
