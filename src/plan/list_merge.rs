//! What several places that sign one authority's CRL have revoked, held and released, as one state. Pure: what the list here
//! says and what was done anywhere in, the entry of the next issue out.

use time::OffsetDateTime;

use crate::revocation::Revoked;

/// Something that was done to one serial number's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub at: OffsetDateTime,
    /// `None`: the hold was released.
    pub entry: Option<Revoked>,
}

/// A revocation is permanent wherever it was made, and of two the earlier one counts; of holds and releases the last one
/// does. The same events may be given any number of times. `listed`: the entry here.
pub fn merged(listed: Option<&Revoked>, events: &[Event]) -> Option<Revoked> {
    let mut ordered: Vec<&Event> = events.iter().collect();
    // A release in the same second as a hold comes behind it: only what is held is released.
    ordered.sort_by_key(|event| (event.at, event.entry.is_none()));
    let mut current = listed.cloned();
    let mut released: Option<OffsetDateTime> = None;
    for event in ordered {
        match (&event.entry, &current) {
            (None, Some(held)) if held.is_hold() && event.at >= held.at => {
                (current, released) = (None, Some(event.at));
            }
            (None, _) => released = released.max(Some(event.at)),
            (Some(new), Some(known)) if new.is_hold() || !known.is_hold() && known.at <= new.at => {}
            (Some(new), None) if new.is_hold() && released.is_some_and(|released| released >= event.at) => {}
            (Some(new), _) => current = Some(new.clone()),
        }
    }
    current
}

/// How the next issue differs for this serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    None,
    Add(Revoked),
    Remove,
}

pub fn difference(listed: Option<&Revoked>, merged: Option<Revoked>) -> Difference {
    match (listed, merged) {
        (None, None) => Difference::None,
        (Some(_), None) => Difference::Remove,
        // Of the same reason: the date here stands.
        (Some(listed), Some(merged)) if listed.reason == merged.reason => Difference::None,
        // A revocation is never changed.
        (Some(listed), Some(_)) if !listed.is_hold() => Difference::None,
        (_, Some(merged)) => Difference::Add(merged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Reason;

    fn entry(second: i64, reason: Option<Reason>) -> Revoked {
        let at = OffsetDateTime::from_unix_timestamp(second).unwrap();
        Revoked { serial: vec![7], at, reason, invalid_since: None, other: Vec::new() }
    }

    #[test]
    fn revocations_stay_and_the_last_of_hold_and_release_counts() {
        let hold = |second| entry(second, Some(Reason::CertificateHold));
        let gone = |second| entry(second, Some(Reason::KeyCompromise));
        let at = |second| OffsetDateTime::from_unix_timestamp(second).unwrap();
        let done = |one: Revoked| Event { at: one.at, entry: Some(one) };
        let released = |second| Event { at: at(second), entry: None };
        for (listed, events, expected) in [
            (None, vec![], None),
            (None, vec![done(gone(5))], Some(gone(5))),
            (Some(hold(3)), vec![done(gone(5))], Some(gone(5))),
            (Some(gone(3)), vec![done(gone(5))], Some(gone(3))),
            (Some(gone(3)), vec![done(hold(5)), released(6)], Some(gone(3))),
            (None, vec![done(hold(5))], Some(hold(5))),
            (None, vec![released(6), done(hold(5))], None),
            (None, vec![released(5), done(hold(5))], None),
            // Held again after it was released here.
            (None, vec![done(hold(7)), released(6), done(hold(5))], Some(hold(7))),
            (Some(hold(3)), vec![released(6)], None),
            (Some(hold(7)), vec![released(6)], Some(hold(7))),
            (None, vec![released(6)], None),
        ] {
            let result = merged(listed.as_ref(), &events);
            assert_eq!(result, expected, "{listed:?} {events:?}");
            let twice = [events.clone(), events.clone()].concat();
            assert_eq!(merged(result.as_ref(), &twice), expected, "again: {listed:?} {events:?}");
        }
    }

    #[test]
    fn only_what_differs_is_written() {
        let (hold, gone) = (entry(3, Some(Reason::CertificateHold)), entry(5, None));
        for (listed, merged, expected) in [
            (None, None, Difference::None),
            (None, Some(&gone), Difference::Add(gone.clone())),
            (Some(&hold), None, Difference::Remove),
            (Some(&hold), Some(&gone), Difference::Add(gone.clone())),
            (Some(&gone), Some(&gone), Difference::None),
            (Some(&gone), Some(&entry(3, Some(Reason::KeyCompromise))), Difference::None),
            (Some(&hold), Some(&entry(9, Some(Reason::CertificateHold))), Difference::None),
        ] {
            assert_eq!(difference(listed, merged.cloned()), expected, "{listed:?} {merged:?}");
        }
    }
}
