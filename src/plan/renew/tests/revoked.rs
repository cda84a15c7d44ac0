//! What a CRL entry changes in the rules and in the reasons.

use super::*;
use crate::plan::renew::{rules_for, with_revocation_reason};
use crate::revocation::{self, Revoked};

fn entry(reason: Option<revocation::Reason>) -> Revoked {
    Revoked { serial: vec![1], at: MADE, reason, invalid_since: None, other: Vec::new() }
}

fn rules(due: bool, reuse_key: bool) -> Rules<'static> {
    let due = due.then_some(Threshold::PercentLeft(33));
    Rules {
        profile: None,
        now: NOW,
        due,
        named: false,
        prune_sans: false,
        reuse_key,
        kubelets: None,
        former_servers: &[],
    }
}

#[test]
fn a_revoked_one_is_due_and_loses_its_key_and_a_held_one_does_not() {
    let (revoked, held) = (entry(None), entry(Some(revocation::Reason::CertificateHold)));
    for (listed, due, reuse, wanted) in [
        (None, true, true, (true, true)),
        (None, false, false, (false, false)),
        (Some(&held), true, true, (true, true)),
        (Some(&held), true, false, (true, false)),
        (Some(&revoked), true, true, (false, false)),
        (Some(&revoked), false, false, (false, false)),
    ] {
        let found = rules_for(&rules(due, reuse), listed);
        assert_eq!((found.due.is_some(), found.reuse_key), wanted, "{listed:?} {due} {reuse}");
    }
}

#[test]
fn a_revocation_is_the_first_reason_and_with_due_replaces_the_request() {
    let (revoked, held) = (entry(None), entry(Some(revocation::Reason::CertificateHold)));
    let gone = Reason::Revoked(MADE);
    for (listed, due, wanted) in [
        (None, true, vec![Reason::Requested, Reason::KeyMissing]),
        (Some(&revoked), false, vec![gone.clone(), Reason::Requested, Reason::KeyMissing]),
        (Some(&revoked), true, vec![gone, Reason::KeyMissing]),
    ] {
        let mut renewal = World::new().apiserver().renewal("apiserver");
        renewal.reasons = vec![Reason::Requested, Reason::KeyMissing];
        let decision = with_revocation_reason(Decision::Renew(Box::new(renewal)), listed, &rules(due, false));
        let Decision::Renew(renewal) = decision else { panic!("{decision:?}") };
        assert_eq!(renewal.reasons, wanted, "{listed:?} {due}");
    }
    // What is held waits for a decision, also when it is named.
    let renewal = World::new().apiserver().renewal("apiserver");
    let (old, renew) = (renewal.old.clone(), Decision::Renew(Box::new(renewal)));
    let kept = with_revocation_reason(renew, Some(&held), &rules(false, false));
    assert!(matches!(&kept, Decision::Keep(found) if Some(found) == old.as_ref()), "{kept:?}");
    let absent = with_revocation_reason(Decision::Absent, Some(&revoked), &rules(true, false));
    assert!(matches!(absent, Decision::Absent));
}
