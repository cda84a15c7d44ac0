//! Whether an old authority can be rotated at all.

use time::OffsetDateTime;

use super::waits::Waits;
use crate::x509::Certificate;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReady {
    /// Nothing verifies any more: phases help nobody.
    Ended(OffsetDateTime),
    /// It ends before both waits can be over.
    EndsTooSoon { end: OffsetDateTime, needed: OffsetDateTime, waits: Waits },
    /// The new one is to have its name, and it has no subjectKeyIdentifier to tell the two apart.
    NoKeyId,
    /// The same, and these leaves do not say whose they are (no keyIdentifier in authorityKeyIdentifier).
    LeavesWithoutKeyId(Vec<String>),
}

/// Whether it is valid until both waits can be over.
///
/// # Errors
/// It is not.
pub fn lasts(old: &Certificate, waits: Waits, now: OffsetDateTime) -> Result<(), NotReady> {
    if old.not_after < now {
        return Err(NotReady::Ended(old.not_after));
    }
    let needed = now.saturating_add(waits.whole());
    if old.not_after <= needed {
        return Err(NotReady::EndsTooSoon { end: old.not_after, needed, waits });
    }
    Ok(())
}

/// Whether two authorities can have one name: verifiers tell them apart by key identifiers alone. `leaves`: of the old one, as many
/// as are in sight.
///
/// # Errors
/// They cannot.
pub fn keeps_subject(old: &Certificate, leaves: &[(String, Certificate)]) -> Result<(), NotReady> {
    if old.subject_key_id.is_none() {
        return Err(NotReady::NoKeyId);
    }
    let without: Vec<String> =
        leaves.iter().filter(|(_, leaf)| leaf.authority_key_id.is_none()).map(|(id, _)| id.clone()).collect();
    if without.is_empty() { Ok(()) } else { Err(NotReady::LeavesWithoutKeyId(without)) }
}
