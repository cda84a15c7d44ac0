//! What is due, what only seems so, and that a second run finds nothing to do.

use super::*;
use crate::plan::blueprints::BACK_DATE;

fn hours(count: u64) -> Threshold {
    Threshold::Left(Span::seconds(count * 3600))
}

fn living(lifetime: Duration) -> Blueprint {
    Blueprint { not_before: NOW - BACK_DATE, not_after: NOW + lifetime, ..server("kube-apiserver", &[]) }
}

/// Replaces the existing files by those of a renewal.
fn renewed(world: &mut World) {
    let renewal = world.renewal("apiserver");
    world.pair("pki/apiserver", &renewal.blueprint);
}

#[test]
fn the_window_is_held_against_what_the_new_one_would_have_left() {
    let lifetime = Duration::hours(8);
    for (window, refused) in [
        (hours(8), true),
        (Threshold::Left(Span::seconds(8 * 3600 - 1)), false),
        (Threshold::PercentLeft(99), false),
        (Threshold::PercentLeft(1), false),
    ] {
        let mut world = World::new();
        world.pair("pki/apiserver", &living(lifetime));
        world.due = Some(window);
        world.now = NOW + lifetime;
        if refused {
            let wide = Refusal::WindowTooWide { item: "apiserver".to_owned(), window, lifetime };
            assert_eq!(world.decide("apiserver").unwrap_err(), wide);
            continue;
        }
        renewed(&mut world);
        world.keeps("apiserver");
    }
    // What is missing is made with its window as well.
    let mut world = World::new().profile("certificateValidityPeriod: 8h");
    world.due = Some(hours(8));
    assert!(matches!(world.decide("apiserver"), Err(Refusal::WindowTooWide { .. })));
    world.due = Some(Threshold::Left(Span::seconds(8 * 3600 - 1)));
    assert_eq!(world.renewal("apiserver").reasons, [Reason::Missing]);
}

/// Whatever comes first, and a second run finds nothing to do.
#[test]
fn what_is_older_than_the_profile_allows_is_due() {
    let most = Duration::days(60);
    let aged = |lines: &str, age: Duration| {
        let wanted = World::new().profile(lines).renewal("apiserver").blueprint;
        Blueprint { not_before: NOW - age, not_after: NOW + Duration::days(365) - age, ..wanted }
    };
    for (age, lines, is_due, is_old) in [
        (most - Duration::SECOND, "renewal: {maxAge: 60d}", true, false),
        (most, "renewal: {maxAge: 60d}", true, true),
        (most, "renewal: {maxAge: 60d}", false, false),
        (most, "renewal: {maxAge: 61d}", true, false),
        (most, "", true, false),
    ] {
        let mut world = World::new().profile(lines);
        world.due = is_due.then_some(Threshold::PercentLeft(33));
        world.pair("pki/apiserver", &aged(lines, age));
        if is_old {
            let reasons = [Reason::Age { age, most: MaxAge(Span::days(60)) }];
            assert_eq!(world.renewal("apiserver").reasons, reasons);
            renewed(&mut world);
            world.keeps("apiserver");
        } else if is_due {
            world.keeps("apiserver");
        }
    }
    let mut world = World::new().profile("renewal: {before: 300d, maxAge: 60d}");
    world.due = Some(Threshold::Left(Span::days(300)));
    world.pair("pki/apiserver", &aged("", most));
    let most = MaxAge(Span::days(60));
    let reasons = [Reason::Age { age: Duration::days(60), most }];
    assert_eq!(world.renewal("apiserver").reasons, reasons);
    world.due = Some(Threshold::Left(Span::days(310)));
    assert_eq!(world.renewal("apiserver").reasons.len(), 2);
}

#[test]
fn another_lifetime_in_the_profile_neither_hurries_nor_repeats() {
    let days = Duration::days;
    let cases = [
        // (lives, left, profile, due)
        (days(3650), days(912), "certificateValidityPeriod: 365d", false),
        (days(3650), days(121), "certificateValidityPeriod: 365d", false),
        (days(3650), days(120), "certificateValidityPeriod: 365d", true),
        (days(365), days(300), "certificateValidityPeriod: 3650d", false),
        (days(365), days(120), "certificateValidityPeriod: 3650d", true),
    ];
    for (lives, left, lines, due) in cases {
        let names = World::new().profile(lines).renewal("apiserver").blueprint.sans;
        let mut world = World::until(NOW + days(36_500)).profile(lines).due();
        world.pair("pki/apiserver", &Blueprint { sans: names, ..living(lives) });
        world.now = NOW + lives - left;
        if due {
            assert_eq!(world.renewal("apiserver").reasons, [Reason::Window { left }], "{lives} {left}");
            renewed(&mut world);
        }
        world.keeps("apiserver");
    }
}

#[test]
fn one_second_is_not_repeated() {
    // kubeadm's of one second, dated back.
    let mut world = World::new().due();
    world.pair("pki/apiserver", &living(Duration::SECOND));
    let renewal = world.renewal("apiserver");
    assert_eq!(renewal.reasons, [Reason::Window { left: Duration::SECOND }]);
    assert_eq!((renewal.guessed, renewal.too_short), (Some(YEAR + BACK_DATE), Some(BACK_DATE + Duration::SECOND)));
    world.now = NOW + Duration::seconds(2);
    assert_eq!(world.renewal("apiserver").reasons, [Reason::Expired(NOW + Duration::SECOND)]);
    renewed(&mut world);
    world.keeps("apiserver");
}

#[test]
fn what_begins_tomorrow_is_due() {
    let mut world = World::new().due().apiserver();
    let begin = MADE - BACK_DATE;
    world.now = begin;
    world.keeps("apiserver");
    world.now = begin - Duration::SECOND;
    assert_eq!(world.renewal("apiserver").reasons, [Reason::NotYetValid(begin)]);
}

#[test]
fn a_lifetime_that_cannot_be_read_is_said_to_be_a_guess() {
    let start = MADE - YEAR;
    let patched = Blueprint {
        not_before: start,
        not_after: start + YEAR * 9 + Duration::hours(7),
        ..server("kube-apiserver", &[])
    };
    let mut world = World::new();
    world.pair("pki/apiserver", &patched);
    let renewal = world.renewal("apiserver");
    assert_eq!((renewal.blueprint.not_after, renewal.guessed), (NOW + YEAR, Some(YEAR + BACK_DATE)));
    // The profile says it.
    let world = World { profile: World::new().profile("certificateValidityPeriod: 3650d").profile, ..world };
    assert_eq!(world.renewal("apiserver").guessed, None);
    assert_eq!(World::new().apiserver().renewal("apiserver").guessed, None);
}

#[test]
fn a_missing_usage_is_added_and_another_name_is_kept_and_told() {
    let client = vec![ExtendedKeyUsage::ClientAuth];
    let copied = Blueprint { extended_key_usages: client.clone(), ..server("front-proxy-client", &[]) };
    let mut world = World::new().due();
    world.pair("pki/apiserver", &copied);
    let renewal = world.renewal("apiserver");
    assert_eq!(renewal.reasons, [Reason::MissingUsages(vec![ExtendedKeyUsage::ServerAuth])]);
    let both = [ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::ServerAuth];
    assert_eq!(renewal.blueprint.extended_key_usages, both);
    assert_eq!(renewal.blueprint.subject, Name::of("front-proxy-client", &[]));
    assert_eq!(renewal.other_name, Some(("front-proxy-client".to_owned(), "kube-apiserver".to_owned())));
    renewed(&mut world);
    world.keeps("apiserver");
    // Good for everything, or for more than is asked: nothing is missing.
    let any = ExtendedKeyUsage::Other(Oid::new("2.5.29.37.0"));
    for usages in [Vec::new(), both.to_vec(), vec![any]] {
        let mut world = World::new().due();
        world.pair("pki/apiserver", &Blueprint { extended_key_usages: usages, ..server("kube-apiserver", &[]) });
        world.keeps("apiserver");
    }
    // Another O is an older release's.
    let mut world = World::new().profile("");
    let old = Blueprint { subject: Name::of("kube-apiserver", &["system:masters"]), ..copied };
    world.pair("pki/apiserver", &old);
    assert_eq!(world.renewal("apiserver").other_name, None);
}

#[test]
fn what_cannot_be_renewed_here_is_a_gap_when_it_is_due() {
    let stranger = authority("corporate", MADE, MADE + YEAR * 10);
    let mut world = World::new().due().apiserver();
    world.put("pki/ca.crt", stranger.bundle_pem());
    world.put("pki/ca.key", stranger.key().to_pem().as_str());
    world.keeps("apiserver");
    world.now = MADE + Duration::days(300);
    assert_eq!(world.left("apiserver"), Skipped::NotOurs(Name::of("kubernetes", &[])));
    world.now = NOW;
    world.remove("pki/apiserver.key");
    assert_eq!(world.left("apiserver"), Skipped::NotOurs(Name::of("kubernetes", &[])));
}

/// What names this tree's authority, or is for a client, and was signed by another one cannot work: it is made again.
#[test]
fn what_another_authority_signed_is_due_where_only_this_one_is_trusted() {
    for (name, client, due) in [
        ("kubernetes", false, true),
        ("kubernetes", true, true),
        ("corporate", false, false),
        ("corporate", true, true),
    ] {
        let entry = if client { "apiserver-kubelet-client" } else { "apiserver" };
        let usages = if client { ExtendedKeyUsage::ClientAuth } else { ExtendedKeyUsage::ServerAuth };
        let mut world = World::new().due();
        world.pair(&format!("pki/{entry}"), &Blueprint { extended_key_usages: vec![usages], ..server(entry, &[]) });
        world.keeps(entry);
        let stranger = authority(name, MADE, MADE + YEAR * 10);
        world.put("pki/ca.crt", stranger.bundle_pem());
        world.put("pki/ca.key", stranger.key().to_pem().as_str());
        if due {
            assert_eq!(
                world.renewal(entry).reasons,
                [Reason::WrongIssuer(Name::of("kubernetes", &[]))],
                "{name} {entry}"
            );
            world.remove("pki/ca.key");
            assert_eq!(world.left(entry), Skipped::External(Outside::Key(CaId::Cluster)), "{name} {entry}");
        } else {
            world.keeps(entry);
        }
    }
}

/// A kubelet puts the authority it made for itself behind its certificate.
#[test]
fn the_kubelets_own_certificate_is_its_own_with_a_profile_as_well() {
    let names = "cp1@1767225600";
    let own = authority("cp1-ca@1767225600", MADE - YEAR, MADE + YEAR);
    let other = authority("corporate", MADE - YEAR, MADE + YEAR);
    for (signer, kubelets) in [(&own, true), (&other, false)] {
        let mut world = World::new().profile("kubelet: {serving: true}");
        let key = key();
        let signed = issue(&server(names, &["cp1"]), &key.spki_der(), signer).unwrap();
        world.put("kubelet/kubelet.crt", format!("{}{}", signed.pem, signer.bundle_pem()));
        world.put("kubelet/kubelet.key", key.to_pem().as_str());
        assert_eq!(world.left("kubelet-serving") == Skipped::KubeletsOwn, kubelets);
    }
}

#[test]
fn one_bad_authority_concerns_its_own() {
    let mut world = World::new().due().apiserver();
    world.now = MADE + YEAR + Duration::DAY;
    world.pair("pki/front-proxy-client", &server("front-proxy-client", &[]));
    let old = authority("front-proxy-ca", MADE - YEAR, MADE + Duration::DAY);
    let usages = vec![ExtendedKeyUsage::ClientAuth];
    let client = Blueprint { extended_key_usages: usages, not_after: MADE, ..server("front-proxy-client", &[]) };
    let signed = issue(&client, &key().spki_der(), &old).unwrap();
    world.put("pki/front-proxy-client.crt", &signed.pem);
    world.put("pki/front-proxy-ca.crt", old.bundle_pem());
    world.put("pki/front-proxy-ca.key", old.key().to_pem().as_str());
    let expired = Refusal::AuthorityExpired { authority: CaId::FrontProxy, not_after: MADE + Duration::DAY };
    let settled = |names: &[&str], named| {
        let credentials: Vec<Credential> =
            world.credentials().into_iter().filter(|one| names.contains(&one.id.name.as_str())).collect();
        let outcomes = credentials.iter().map(|one| world.decide(&one.id.name)).collect();
        collect_refusals(&credentials, outcomes, &world.survey, named)
    };
    let both = ["apiserver", "front-proxy-client"];
    let decisions = settled(&both, false).unwrap();
    let [Decision::Renew(_), Decision::Skipped(left, Some(_))] = decisions.as_slice() else { panic!("{decisions:?}") };
    assert_eq!((left, left.is_gap()), (&Skipped::Refused(expired.clone()), true));
    // Named, or nothing else there: refused.
    assert_eq!(settled(&both, true).unwrap_err(), std::slice::from_ref(&expired));
    assert_eq!(settled(&["front-proxy-client", "admin.conf"], false).unwrap_err(), [expired]);
}

#[test]
fn another_authority_concerns_that_node_s_entries_of_it() {
    let world = World::new().apiserver();
    let refusal = Refusal::OtherAuthority { node: "cp1".to_owned(), authority: CaId::Cluster };
    for (node, authority, refused) in [
        (Some("cp1"), CaId::Cluster, true),
        (Some("cp1"), CaId::Etcd, false),
        (Some("cp2"), CaId::Cluster, false),
        (None, CaId::Cluster, false),
    ] {
        let credential = world.credentials().into_iter().find(|one| one.id.name == "apiserver").unwrap();
        let credential = Credential { id: EntryId::new(node, "apiserver"), authority: Some(authority), ..credential };
        let others = std::slice::from_ref(&refusal);
        let decision = world.decide("apiserver").unwrap();
        assert_eq!(refuse_foreign_ca(&credential, decision, others).is_err(), refused, "{node:?} {authority:?}");
        assert!(refuse_foreign_ca(&credential, Decision::Absent, others).is_ok());
    }
}
