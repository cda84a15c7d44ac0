//! At the second.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::audit::advice::REPAIR_ORDER;
use crate::audit::judge::{judge, windows};
use crate::catalog::CaId;
use crate::catalog::releases::KnownRelease;
use crate::clock::{Span, SpanError};
use crate::inventory::{Attributes, CertificateFacts, CrlFacts, Item, Kind, Reading, Tree, Unreadable};
use crate::profile::{Threshold, ThresholdError};
use crate::revocation::{Reason, Revoked};
use crate::tree::{Origin, ProfileAt};

const START: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

pub fn certificate(name: &str, kind: Kind, authority: Option<CaId>, days: i64) -> Item {
    Item {
        name: name.to_owned(),
        path: format!("k8s/pki/{name}.crt"),
        kind,
        position: 0,
        authority,
        optional: false,
        externally_managed: false,
        has_issuer: false,
        reading: Reading::Certificate(Box::new(facts(days))),
    }
}

fn facts(days: i64) -> CertificateFacts {
    CertificateFacts {
        subject: "CN=x".to_owned(),
        issuer: "CN=y".to_owned(),
        subject_attributes: Attributes::default(),
        issuer_attributes: Attributes::default(),
        sans: Vec::new(),
        usages: Vec::new(),
        is_ca: false,
        serial: "01".to_owned(),
        serial_decimal: "1".to_owned(),
        algorithm: "ECDSA-P256".to_owned(),
        fingerprint: [0; 32],
        not_before: START,
        not_after: START + Duration::days(days),
        issuer_not_after: None,
        wrong_issuer: false,
        shared_with: None,
        differs_from_ca: false,
        kubelet_embeds_another: false,
        other_key: false,
        revoked: None,
    }
}

fn crl(next: Option<i64>) -> Item {
    let facts = CrlFacts {
        issuer: "CN=y".to_owned(),
        issuer_attributes: Attributes::default(),
        number: None,
        this_update: START,
        next_update: next.map(|days| START + Duration::days(days)),
        entries: 0,
    };
    Item { reading: Reading::Crl(Box::new(facts)), ..certificate("a.crl", Kind::Crl, None, 1) }
}

fn state_at(item: &Item, policy: &Policy, at: OffsetDateTime) -> State {
    judge(item.clone(), policy, at).state
}

/// One second before a boundary, at it, one second after it.
fn around(item: &Item, policy: &Policy, boundary: OffsetDateTime) -> [State; 3] {
    [-1, 0, 1].map(|seconds| state_at(item, policy, boundary + Duration::seconds(seconds)))
}

#[test]
fn a_serial_number_that_is_not_positive_is_remarked() {
    for (serial, is_remarked) in [("0", true), ("-5", true), ("1", false)] {
        let mut one = certificate("apiserver", Kind::Certificate, Some(CaId::Cluster), 365);
        if let Reading::Certificate(facts) = &mut one.reading {
            facts.serial_decimal = serial.to_owned();
        }
        let notes = judge(one, &Policy::default(), START).notes;
        assert_eq!(notes.contains(&Note::Serial), is_remarked, "{serial}");
    }
}

#[test]
fn every_boundary_is_exact() {
    use State::{Critical, Expired, NotYetValid, Ok, Warning};
    let policy = Policy::default();
    let left = |days: i64, life: i64| START + Duration::days(life - days);

    let leaf = certificate("apiserver", Kind::Certificate, Some(CaId::Cluster), 365);
    assert_eq!(around(&leaf, &policy, START), [NotYetValid, Ok, Ok]);
    assert_eq!(around(&leaf, &policy, left(30, 365)), [Ok, Warning, Warning]);
    assert_eq!(around(&leaf, &policy, left(7, 365)), [Warning, Critical, Critical]);
    assert_eq!(around(&leaf, &policy, left(0, 365)), [Critical, Critical, Expired]);

    let ca = certificate("ca", Kind::Authority, None, 3650);
    assert_eq!(around(&ca, &policy, left(365, 3650)), [Ok, Warning, Warning]);
    assert_eq!(around(&ca, &policy, left(180, 3650)), [Warning, Critical, Critical]);
    assert_eq!(around(&ca, &policy, left(0, 3650)), [Critical, Critical, Expired]);

    // Shares of the lifetime that is left: 20% of 100 days are 20 days.
    let share = |percent| Limit::capped(Threshold::PercentLeft(percent));
    let shares = Policy { warning: share(20), critical: share(5), ..policy };
    let leaf = certificate("apiserver", Kind::Certificate, None, 100);
    assert_eq!(around(&leaf, &shares, left(20, 100)), [Ok, Warning, Warning]);
    assert_eq!(around(&leaf, &shares, left(5, 100)), [Warning, Critical, Critical]);

    // Zero thresholds: nothing before the end; its last second is no time to be calm.
    let zero = Limit::capped(Threshold::Left(Span::seconds(0)));
    let none = Policy { warning: zero, critical: zero, ..policy };
    assert_eq!(around(&leaf, &none, left(0, 100)), [Ok, Critical, Expired]);

    // Critical wins where the windows are the wrong way around.
    let typed = |limit: Limit| Limit::typed(limit.threshold);
    let swapped = Policy { warning: typed(policy.critical), critical: typed(policy.warning), ..policy };
    assert_eq!(around(&leaf, &swapped, left(30, 100)), [Ok, Critical, Critical]);
}

#[test]
fn a_listed_certificate_is_held_or_revoked_from_its_day_on_whatever_its_dates_say() {
    let policy = Policy::default();
    let day = START + Duration::days(100);
    let listed = |reason, at| {
        let mut item = certificate("etcd-peer", Kind::Certificate, Some(CaId::Etcd), 365);
        if let Reading::Certificate(facts) = &mut item.reading {
            let revoked = Revoked { serial: vec![5], at, reason, invalid_since: None, other: vec![] };
            facts.revoked = Some(Box::new(revoked));
        }
        item
    };
    let hold = Some(Reason::CertificateHold);
    assert_eq!(around(&listed(None, day), &policy, day), [State::Ok, State::Revoked, State::Revoked]);
    assert_eq!(around(&listed(hold, day), &policy, day), [State::Ok, State::Held, State::Held]);
    let end = START + Duration::days(365);
    assert_eq!(around(&listed(hold, day), &policy, end), [State::Held; 3]);
    assert!(State::Expired < State::Held && State::Held < State::Revoked);
}

#[test]
fn a_crl_is_judged_by_its_share_of_life_where_that_is_less() {
    use State::{Critical, Expired, Ok, Warning};
    let policy = Policy::default();
    let left = |hours: i64| START + Duration::days(30) - Duration::hours(hours);
    // 30 days: 20% are 6 days, 5% are 36 hours.
    assert_eq!(around(&crl(Some(30)), &policy, left(6 * 24)), [Ok, Warning, Warning]);
    assert_eq!(around(&crl(Some(30)), &policy, left(36)), [Warning, Critical, Critical]);
    assert_eq!(around(&crl(Some(30)), &policy, left(0)), [Critical, Critical, Expired]);
    // Of a year 20% are 73 days: the certificates' own threshold is less.
    let year = crl(Some(365));
    assert_eq!(around(&year, &policy, START + Duration::days(335)), [Ok, Warning, Warning]);
    // Without nextUpdate it never goes stale.
    assert_eq!(state_at(&crl(None), &policy, START + Duration::days(9999)), Ok);
    assert_eq!(state_at(&crl(None), &policy, START - Duration::days(1)), State::NotYetValid);
}

#[test]
fn what_is_not_there_is_neither_fine_nor_expired() {
    let policy = Policy::default();
    let missing = Item { reading: Reading::Missing, ..certificate("apiserver", Kind::Certificate, None, 1) };
    let judged = judge(missing.clone(), &policy, START);
    assert_eq!((judged.state, judged.residual, judged.expires), (State::Missing, None, None));
    assert_eq!(state_at(&Item { optional: true, ..missing.clone() }, &policy, START), State::Absent);
    let unreadable =
        Item { reading: Reading::Unreadable(Unreadable::Reported("no PEM".to_owned())), optional: true, ..missing };
    assert_eq!(state_at(&unreadable, &policy, START), State::Unreadable);
}

#[test]
fn the_residual_time_is_what_is_left_and_negative_after_the_end() {
    let day = 86_400;
    for (days, left) in [(0, 365 * day), (100, 265 * day), (365, 0), (366, -day)] {
        let judged =
            judge(certificate("a", Kind::Certificate, None, 365), &Policy::default(), START + Duration::days(days));
        assert_eq!((judged.residual, judged.expires), (Some(left), Some(START + Duration::days(365))), "day {days}");
    }
}

/// From which residual on a table says warning and critical, in seconds.
#[test]
fn the_windows_of_an_item_follow_its_kind_and_its_lifetime() {
    let day = 86_400;
    let share = |percent| Limit::capped(Threshold::PercentLeft(percent));
    let shares = Policy {
        warning: share(20),
        critical: share(5),
        ca_warning: share(30),
        ca_critical: share(10),
        renewal: None,
        max_age: None,
        kubernetes: KnownRelease::default(),
    };
    let mut secret = certificate("ca-pair", Kind::Secret, None, 100);
    assert_eq!(windows(&secret, &shares), Some((20 * day, 5 * day)));
    if let Reading::Certificate(facts) = &mut secret.reading {
        facts.is_ca = true;
    }
    for (item, expected) in [
        (certificate("a", Kind::Certificate, None, 100), Some((20 * day, 5 * day))),
        (certificate("ca", Kind::Authority, None, 100), Some((30 * day, 10 * day))),
        (certificate("ca", Kind::KubeconfigAuthority, None, 100), Some((30 * day, 10 * day))),
        (secret, Some((30 * day, 10 * day))),
        (crl(Some(30)), Some((6 * day, day + day / 2))),
        (crl(None), None),
        (Item { reading: Reading::Missing, ..certificate("a", Kind::Certificate, None, 1) }, None),
    ] {
        assert_eq!(windows(&item, &shares), expected, "{} {:?}", item.name, item.kind);
    }
}

#[test]
fn thresholds_are_lengths_or_shares() {
    for (text, threshold) in [
        ("30d", Ok(Threshold::Left(Span::days(30)))),
        ("720h", Ok(Threshold::Left(Span::days(30)))),
        ("0", Ok(Threshold::Left(Span::days(0)))),
        ("20%", Ok(Threshold::PercentLeft(20))),
        ("0%", Ok(Threshold::PercentLeft(0))),
        ("100%", Ok(Threshold::PercentLeft(100))),
        ("101%", Err(ThresholdError::Percent)),
        ("%", Err(ThresholdError::Percent)),
        ("-5%", Err(ThresholdError::Percent)),
        ("5.5%", Err(ThresholdError::Percent)),
        ("30", Err(ThresholdError::Span(SpanError::NoUnit))),
        ("", Err(ThresholdError::Span(SpanError::Empty))),
    ] {
        assert_eq!(Threshold::parse(text), threshold, "{text}");
    }
    for text in ["30d", "20%", "1h30m0s"] {
        assert_eq!(Threshold::parse(text).unwrap().to_string(), text);
    }
}

fn tree(items: Vec<Item>) -> Tree {
    Tree { root: "k8s".to_owned(), cluster: None, node: None, items, notes: Vec::new() }
}

fn judged(items: Vec<Item>, days: i64) -> JudgedTree {
    let origin = Origin::new("k8s", ProfileAt::Recorded);
    judge_tree(tree(items), Policy::default(), origin, START + Duration::days(days))
}

#[test]
fn a_leaf_that_outlives_its_ca_is_pointed_out_and_changes_no_state() {
    let until = START + Duration::days(100);
    let mut leaf = certificate("apiserver", Kind::Certificate, Some(CaId::Cluster), 365);
    if let Reading::Certificate(facts) = &mut leaf.reading {
        facts.issuer_not_after = Some(until);
    }
    let outlives = judge(leaf, &Policy::default(), START);
    assert_eq!((outlives.state, outlives.notes), (State::Ok, vec![Note::OutlivesAuthority { until }]));
}

/// Due at 60 days, which is remarked, and a warning when a tenth more has passed.
#[test]
fn what_is_older_than_renewal_max_age_is_remarked_and_a_warning_later() {
    let most = crate::profile::MaxAge(Span::days(60));
    let policy = Policy { max_age: Some(most), ..Policy::default() };
    let leaf = || certificate("apiserver", Kind::Certificate, Some(CaId::Cluster), 365);
    let short = certificate("apiserver", Kind::Certificate, Some(CaId::Cluster), 80);
    let ca = certificate("ca", Kind::Authority, None, 3650);
    let foreign = certificate("web", Kind::Certificate, None, 365);
    let conf = certificate("admin.conf", Kind::Kubeconfig, Some(CaId::Cluster), 365);
    let since = START + Duration::days(60);
    let day = 86_400;
    for (item, seconds, state, note) in [
        (leaf(), 60 * day - 1, State::Ok, None),
        (leaf(), 60 * day, State::Ok, Some(false)),
        (leaf(), 66 * day - 1, State::Ok, Some(false)),
        (leaf(), 66 * day, State::Warning, Some(true)),
        (conf, 66 * day, State::Warning, Some(true)),
        // Near its end it is a warning anyway, and what is worse says more.
        (short.clone(), 70 * day, State::Warning, Some(false)),
        (short.clone(), 79 * day, State::Critical, None),
        (short, 81 * day, State::Expired, None),
        (ca, 66 * day, State::Ok, None),
        (foreign, 66 * day, State::Ok, None),
    ] {
        let name = item.name.clone();
        let origin = Origin::new("k8s", ProfileAt::Recorded);
        let mut all = judge_tree(tree(vec![item]), policy, origin, START + Duration::seconds(seconds)).items;
        let found = all.remove(0);
        let notes: Vec<Note> = note.map(|is_alone| Note::TooOld { since, is_alone }).into_iter().collect();
        assert_eq!((found.state, found.notes), (state, notes), "{name} {seconds}");
    }
}

#[test]
fn a_ca_that_ends_before_the_next_generation_is_pointed_out() {
    // Renewed when 33% of 500 days are left, that is on day 335, for another 500 days: until day 835.
    let leaf = || certificate("apiserver", Kind::Certificate, Some(CaId::Cluster), 500);
    let ca = |days| certificate("ca", Kind::Authority, None, days);
    let notes = |days: i64, at: i64| judged(vec![ca(days), leaf()], at).items.remove(0).notes;
    assert_eq!(notes(835, 0), []);
    assert!(matches!(notes(834, 0).as_slice(), [Note::CutsRenewalsShort { .. }]));
    // Past due, the renewal would be now.
    assert_eq!(notes(900, 400), []);
    assert!(matches!(notes(899, 400).as_slice(), [Note::CutsRenewalsShort { .. }]));
    // Another authority's leaves say nothing about this one.
    let other = certificate("etcd-peer", Kind::Certificate, Some(CaId::Etcd), 365);
    assert_eq!(judged(vec![ca(400), other], 0).items.remove(0).notes, []);
}

#[test]
fn optional_files_that_are_not_there_are_left_out_but_for_kubeadms_line() {
    let missing =
        |name| Item { reading: Reading::Missing, optional: true, ..certificate(name, Kind::Kubeconfig, None, 1) };
    let tree = judged(vec![missing("super-admin.conf"), missing("kubelet-serving"), missing("kubelet.conf")], 0);
    let names: Vec<_> = tree.items.iter().map(|judged| (judged.item.name.as_str(), judged.state)).collect();
    assert_eq!(names, [("super-admin.conf", State::Absent)]);
    let verdict = verdict(&[tree]);
    assert_eq!((verdict.state, verdict.counts.total()), (State::Ok, 0), "it is neither well nor counted");
}

#[test]
fn the_verdict_is_the_worst_state_with_counts() {
    let items = vec![
        certificate("a", Kind::Certificate, None, 365),
        certificate("b", Kind::Certificate, None, 80),
        certificate("c", Kind::Certificate, None, 65),
        certificate("d", Kind::Certificate, None, 58),
    ];
    let verdict = verdict(&[judged(items, 60)]);
    assert_eq!((verdict.state, verdict.counts.total()), (State::Expired, 4));
    let counts = [State::Ok, State::Warning, State::Critical, State::Expired].map(|state| verdict.counts.get(state));
    assert_eq!(counts, [1, 1, 1, 1]);
    assert!(State::ALL.is_sorted());
    assert_eq!(super::verdict(&[]).state, State::Ok);
    for state in State::ALL {
        assert_eq!(State::parse(state.name()), Some(state));
    }
}

#[test]
fn each_kind_of_finding_is_said_once_with_its_count() {
    let expired = |name| certificate(name, Kind::Certificate, Some(CaId::Cluster), 1);
    let mut external = expired("apiserver");
    external.externally_managed = true;
    let trees = [
        judged(vec![expired("apiserver"), expired("etcd-server"), expired("kubelet.conf")], 2),
        JudgedTree {
            root: "other".to_owned(),
            ..judged(vec![expired("apiserver"), external, certificate("ca", Kind::Authority, None, 1)], 2)
        },
    ];
    let advice = advice(&trees);
    let said: Vec<_> = advice.iter().map(|advice| (advice.problem, advice.count, advice.trees)).collect();
    // kubelet.conf's item is in another file: the kubelet's own.
    assert_eq!(
        said,
        [
            (Problem::AuthorityExpired, 1, 1),
            (Problem::External, 1, 1),
            (Problem::Expired, 3, 2),
            (Problem::KubeletClientExpired, 1, 1),
        ]
    );
    let expired = advice.iter().find(|advice| advice.problem == Problem::Expired).unwrap();
    assert_eq!(expired.names, ["apiserver", "etcd-server"]);
    let order: Vec<_> = expired.order.iter().map(|(group, names)| (*group, names.join(" "))).collect();
    assert_eq!(order, [("etcd", "etcd-server".to_owned()), ("API server", "apiserver".to_owned())]);
    // Both are taken up by themselves; what a CA signed comes with a new one of it.
    assert_eq!(expired.restart, [""; 0]);
    let authority = advice.iter().find(|advice| advice.problem == Problem::AuthorityExpired).unwrap();
    assert_eq!(authority.restart, ["kube-controller-manager", "kube-scheduler", "kubelet"]);
}

#[test]
fn the_order_of_repair_and_the_components_are_the_catalogues() {
    use std::collections::BTreeSet;
    let certificates = crate::catalog::ENTRIES.iter().filter(|entry| entry.name != "sa");
    let catalogue: BTreeSet<&str> = certificates.map(|entry| entry.name).collect();
    let ordered: Vec<&str> = REPAIR_ORDER.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    assert_eq!(ordered.iter().copied().collect::<BTreeSet<_>>(), catalogue);
    assert_eq!(ordered.len(), catalogue.len());
}

#[test]
fn extreme_dates_do_not_overflow() {
    let mut item = certificate("a", Kind::Certificate, Some(CaId::Cluster), 1);
    if let Reading::Certificate(facts) = &mut item.reading {
        facts.not_before = datetime!(0001-01-01 0:00 UTC);
        facts.not_after = datetime!(9999-12-31 23:59:59 UTC);
    }
    let tree = judge_tree(
        tree(vec![item]),
        Policy::default(),
        Origin::new("", ProfileAt::NoTree),
        datetime!(9999-12-31 23:59:59 UTC),
    );
    assert_eq!(tree.items[0].state, State::Critical);
}
