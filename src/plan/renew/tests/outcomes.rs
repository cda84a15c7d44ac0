//! Every reason, everything left, every refusal.

use super::*;

/// Each reason alone, in a run that only does what is due.
#[test]
fn every_reason() {
    let lines = "apiServer: {certSANs: [old.example.com]}";
    let only = |world: &World, name: &str| {
        let mut reasons = world.renewal(name).reasons;
        assert_eq!(reasons.len(), 1, "{name}: {reasons:?}");
        reasons.remove(0)
    };
    let fresh = || World::new().due().apiserver();
    fresh().keeps("apiserver");

    let mut world = fresh();
    world.due = None;
    assert_eq!(only(&world, "apiserver"), Reason::Requested);

    let mut world = fresh();
    world.remove("pki/apiserver.key");
    assert_eq!(only(&world, "apiserver"), Reason::KeyMissing);
    world.put("pki/apiserver.key", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
    assert!(matches!(only(&world, "apiserver"), Reason::KeyUnreadable(_)));
    world.put("pki/apiserver.key", key().to_pem().as_str());
    assert_eq!(only(&world, "apiserver"), Reason::KeyMismatch);

    let world = fresh().profile(lines);
    let Reason::MissingNames(names) = only(&world, "apiserver") else { panic!() };
    assert!(names.contains(&San::Dns("cp1".to_owned())) && !names.contains(&San::Dns("kubernetes".to_owned())));

    let full = || {
        let names = fresh().profile(lines).renewal("apiserver").blueprint.sans;
        let mut world = World::new().due().profile("");
        world.pair("pki/apiserver", &Blueprint { sans: names, ..server("kube-apiserver", &[]) });
        world
    };
    full().keeps("apiserver");
    let mut world = full();
    world.prune = true;
    assert_eq!(only(&world, "apiserver"), Reason::SurplusNames(dns(&["old.example.com"])));

    // Missing, and unreadable, where the profile says what it is.
    let mut world = World::new().due().profile("");
    assert_eq!(only(&world, "apiserver"), Reason::Missing);
    world.put("pki/apiserver.crt", "nothing");
    assert!(matches!(only(&world, "apiserver"), Reason::Unreadable(_)));

    // Two authorities are trusted, the second signed it.
    let mut world = fresh();
    let newer = authority("kubernetes", MADE, MADE + YEAR * 10);
    let bundle = format!("{}{}", newer.bundle_pem(), world.issuer.bundle_pem());
    world.put("pki/ca.crt", &bundle);
    world.put("pki/ca.key", newer.key().to_pem().as_str());
    assert_eq!(only(&world, "apiserver"), Reason::EarlierAuthority(Name::of("kubernetes", &[])));

    // A kubeconfig with the first of two authorities only.
    let mut world = World::new().due();
    world.kubeconfig("admin.conf", &world.issuer.bundle_pem());
    world.keeps("admin.conf");
    world.put("pki/ca.crt", format!("{}{}", world.issuer.bundle_pem(), newer.bundle_pem()));
    // With --due the data alone is written again; by name both are new.
    world.keeps("admin.conf");
    world.due = None;
    assert_eq!(only(&world, "admin.conf"), Reason::AuthorityData);
    assert!(matches!(world.renewal("admin.conf").kubeconfig, Some(Kubeconfig::Edit { authority: true, server: None })));
}

#[test]
fn everything_that_is_left() {
    let name = Name::of("kubernetes", &[]);
    let mut world = World::new().apiserver();
    world.kubeconfig("admin.conf", &world.issuer.bundle_pem());
    world.remove("pki/ca.key");
    assert_eq!(world.left("apiserver"), Skipped::External(Outside::Key(CaId::Cluster)));
    assert_eq!(world.left("admin.conf"), Skipped::External(Outside::Key(CaId::Cluster)));
    world.due = Some(Threshold::PercentLeft(33));
    world.keeps("apiserver");
    world.remove("pki/ca.crt");
    assert_eq!(world.left("apiserver"), Skipped::AuthorityMissing(CaId::Cluster));

    let mut world = World::new().apiserver();
    let stranger = authority("corporate", MADE, MADE + YEAR * 10);
    world.put("pki/ca.crt", stranger.bundle_pem());
    world.put("pki/ca.key", stranger.key().to_pem().as_str());
    assert_eq!(world.left("apiserver"), Skipped::NotOurs(name));

    // The kubelet signs its own, where the profile does not.
    let mut world = World::new();
    world.pair("kubelet/kubelet", &server("cp1@1", &["cp1"]));
    assert_eq!(world.renewal("kubelet-serving").reasons, [Reason::Requested]);
    world.put("pki/ca.crt", stranger.bundle_pem());
    world.put("pki/ca.key", stranger.key().to_pem().as_str());
    assert_eq!(world.left("kubelet-serving"), Skipped::KubeletsOwn);

    let rotating = "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: https://10.0.0.11:6443\n  name: k\n\
        contexts:\n- context:\n    cluster: k\n    user: u\n  name: u@k\ncurrent-context: u@k\nusers:\n- name: u\n  user:\n    \
        client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem\n    \
        client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n";
    let file = "/var/lib/kubelet/pki/kubelet-client-current.pem".to_owned();
    let mut world = World::new();
    world.put("kubelet.conf", rotating);
    world.put("admin.conf", rotating);
    assert_eq!(world.left("kubelet.conf"), Skipped::KubeletRotates(file.clone()));
    assert_eq!(world.left("admin.conf"), Skipped::CredentialFiles(file));
    world.put("admin.conf", "{");
    assert!(matches!(world.left("admin.conf"), Skipped::Unreadable(_)));
    world.put("pki/apiserver.crt", "nothing");
    assert!(matches!(world.left("apiserver"), Skipped::Unreadable(_)));

    let mut world = World::new();
    world.named = true;
    assert_eq!(world.left("apiserver"), Skipped::Unknown);
    world.named = false;
    world.put("pki/apiserver.key", key().to_pem().as_str());
    assert_eq!(world.left("apiserver"), Skipped::Unknown);

    let mut world = World::new().profile("");
    assert_eq!(world.left("super-admin.conf"), Skipped::NotReplenished);
    world.named = true;
    assert_eq!(world.renewal("super-admin.conf").reasons, [Reason::Missing]);

    let mut world = World::new();
    world.put("pki/apiserver.crt", world.issuer.bundle_pem());
    world.put("pki/apiserver.key", world.issuer.key().to_pem().as_str());
    assert_eq!(world.left("apiserver"), Skipped::IsAuthority);
}

/// A credential that a kubeconfig names elsewhere: nothing due is passed over, and a kubelet that rotates is left alone.
#[test]
fn what_is_named_elsewhere_is_judged_there() {
    let path = || "/f.pem".to_owned();
    let world = World::new().apiserver();
    let apiserver = world.credentials().into_iter().find(|one| one.id.name == "apiserver").unwrap();
    let leaf = parse_pem_bundle(crate::tree::file(&world.survey, Some(&apiserver.public)).unwrap()).unwrap().remove(0);
    let (end, third) = (leaf.not_after, (leaf.not_after - leaf.not_before) / 4);
    let there = || Some(Elsewhere::Certificate(Box::new(Used { leaf: leaf.clone(), chain: Vec::new(), key: None })));
    let other = |key, issuer: &World| {
        let leaf = issue(&server("u", &[]), &super::key().spki_der(), &issuer.issuer).unwrap().certificate;
        Some(Elsewhere::Certificate(Box::new(Used { leaf, chain: Vec::new(), key })))
    };
    let early = MADE - BACK_DATE - Duration::SECOND;
    let wrong = || Some(Unwell::WrongIssuer(world.issuer.certificate().subject.clone()));
    for (elsewhere, now, kubelets, others) in [
        (None, end + Duration::DAY, None, None),
        (Some(Elsewhere::Missing), MADE, Some(Unwell::Missing), Some(Unwell::Missing)),
        (Some(Elsewhere::Unreadable), MADE, Some(Unwell::Unreadable), Some(Unwell::Unreadable)),
        (there(), MADE, None, None),
        (there(), end - third, None, Some(Unwell::Due(third))),
        (there(), end, None, Some(Unwell::Due(Duration::ZERO))),
        (there(), leaf.not_before, None, None),
        (there(), early, Some(Unwell::NotYetValid(leaf.not_before)), Some(Unwell::NotYetValid(leaf.not_before))),
        (other(None, &World::new()), MADE, wrong(), wrong()),
        (other(Some(false), &world), MADE, Some(Unwell::Key), Some(Unwell::Key)),
        (other(Some(true), &world), MADE, None, None),
        (there(), end + Duration::SECOND, Some(Unwell::Expired(end)), Some(Unwell::Expired(end))),
    ] {
        for (name, unwell) in [("kubelet.conf", kubelets), ("admin.conf", others)] {
            let mut tree = World::new().due();
            tree.put("pki/ca.crt", world.issuer.bundle_pem());
            tree.put("pki/ca.key", world.issuer.key().to_pem().as_str());
            let mut world = tree;
            world.put(name, NAMING);
            world.now = now;
            let credentials = world.credentials();
            let own = credentials.iter().find(|one| one.id.name == name).unwrap();
            let own = Credential { elsewhere: elsewhere.clone(), ..own.clone() };
            let Ok(Decision::Skipped(left, None)) = world.decide_one(&own) else { panic!("{name} {now}") };
            let expected = match (unwell, name) {
                (Some(why), _) => Skipped::NotWellElsewhere(path(), why),
                (None, "kubelet.conf") => Skipped::KubeletRotates(path()),
                (None, _) => Skipped::CredentialFiles(path()),
            };
            assert_eq!(
                (left.is_gap(), &left),
                (matches!(expected, Skipped::NotWellElsewhere(..)), &expected),
                "{name} {now}"
            );
        }
    }
}

/// An external authority: its kubeconfigs with old CA data wait until something else is wrong with them.
#[test]
fn old_authority_data_of_an_external_authority_is_no_reason() {
    let mut world = World::new().due();
    world.kubeconfig("admin.conf", &authority("kubernetes", MADE, MADE + YEAR).bundle_pem());
    world.remove("pki/ca.key");
    world.keeps("admin.conf");
    world.now = MADE + YEAR;
    assert_eq!(world.left("admin.conf"), Skipped::External(Outside::Key(CaId::Cluster)));
    world.now = NOW;
    world.due = None;
    // The CA data is replaced without a signature.
    world.keeps("admin.conf");
    let repairs = |world: &World, foreign: &[Refusal]| {
        let credentials = world.credentials();
        let decisions: Vec<Decision> = credentials.iter().map(|one| world.decide_one(one).unwrap()).collect();
        let authorities = authorities(&world.survey, &directories(), &PlainKeys);
        kubeconfigs(&credentials, &decisions, &authorities, &world.survey, foreign, &[])
    };
    let found = repairs(&world, &[]);
    let [Repair { id, what: Rewritten::Kubeconfig { authority: true, server: None }, place }] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((id.to_string().as_str(), place.path.as_str()), ("admin.conf", "admin.conf"));
    // One that trusts more waits for its owner; without ca.crt nothing is known.
    let more = format!("{}{}", authority("kubernetes", MADE, MADE + YEAR).bundle_pem(), world.issuer.bundle_pem());
    world.kubeconfig("admin.conf", &more);
    assert_eq!(repairs(&world, &[]), []);
    world.kubeconfig("admin.conf", &authority("kubernetes", MADE, MADE + YEAR).bundle_pem());
    world.remove("pki/ca.crt");
    assert_eq!(repairs(&world, &[]), []);
}

#[test]
fn the_file_of_the_signer_is_written_where_it_is_wanted_and_is_another() {
    let mut world = World::new();
    let place = || directories().signer_file("");
    let repairs = |world: &World, is_asked, foreign: &[Refusal]| {
        let authorities = authorities(&world.survey, &directories(), &PlainKeys);
        let node = vec![(Some("cp1".to_owned()), place())];
        let all = signer_files(node, is_asked, &authorities, &world.survey, foreign);
        all.into_iter().map(|one| one.what).collect::<Vec<_>>()
    };
    let (own, new) = (world.issuer.bundle_pem(), Rewritten::SignerFile { is_new: true });
    let other = Rewritten::SignerFile { is_new: false };
    let stranger = authority("kubernetes", MADE, MADE + YEAR).bundle_pem();
    let foreign = Refusal::OtherAuthority { node: "cp1".to_owned(), authority: CaId::Cluster };
    // One certificate in ca.crt: none is wanted, unless the profile asks.
    assert_eq!((repairs(&world, false, &[]), repairs(&world, true, &[])), (vec![], vec![new.clone()]));
    world.put("pki/ca.crt", format!("{own}{stranger}"));
    assert_eq!(repairs(&world, false, &[]), [new]);
    for (text, expected) in [
        (own.clone(), vec![]),
        (format!("{own}{stranger}"), vec![other.clone()]),
        (stranger.clone(), vec![other.clone()]),
        ("nothing".to_owned(), vec![other.clone()]),
        (format!("{own}{}", key().to_pem().as_str()), vec![other.clone()]),
    ] {
        world.put("pki/ca-signer.crt", &text);
        assert_eq!(repairs(&world, false, &[]), expected, "{text}");
    }
    assert_eq!(repairs(&world, false, &[foreign]), []);
}

#[test]
fn what_is_missing_needs_an_authority_only_with_a_profile() {
    for (ca, profile, wanted) in [
        (None, false, "absent"),
        (None, true, "authority missing"),
        (Some("nothing"), false, "absent"),
        (Some("nothing"), true, "refused"),
    ] {
        let mut world = if profile { World::new().profile("") } else { World::new() };
        world.remove("pki/ca.crt");
        ca.into_iter().for_each(|text| world.put("pki/ca.crt", text));
        let found = match world.decide("apiserver") {
            Ok(Decision::Absent) => "absent",
            Ok(Decision::Skipped(Skipped::AuthorityMissing(CaId::Cluster), None)) => "authority missing",
            Err(Refusal::AuthorityUnusable { .. }) => "refused",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, wanted, "{ca:?} {profile}");
    }
    let mut world = World::new();
    world.remove("pki/ca.crt");
    world.put("pki/apiserver.crt", "nothing");
    assert!(matches!(world.left("apiserver"), Skipped::Unreadable(_)));
}

/// Within those of its authority, and what is cut is told.
#[test]
fn what_is_missing_is_made_with_the_dates_of_the_profile() {
    let days = Duration::days;
    for (lines, lifetime, authority, cut) in [
        ("", YEAR, days(3650), None),
        ("certificateValidityPeriod: 90d", days(90), days(3650), None),
        ("certificateValidityPeriod: 90d", days(90), days(90), None),
        ("certificateValidityPeriod: 90d", days(89), days(89), Some(NOW + days(90))),
    ] {
        let renewal = World::until(NOW + authority).profile(lines).renewal("apiserver");
        let dates = (renewal.blueprint.not_before, renewal.blueprint.not_after);
        assert_eq!((dates, renewal.shortened), ((NOW - BACK_DATE, NOW + lifetime), cut), "{lines} {authority}");
    }
}

/// Without a profile the etcd server shows that its health check client belongs here, the API server all other clients.
#[test]
fn each_client_has_its_server_beside_it() {
    for (stem, client, other) in [
        ("pki/apiserver", "front-proxy-client", "etcd-healthcheck-client"),
        ("pki/etcd/server", "etcd-healthcheck-client", "front-proxy-client"),
    ] {
        let mut world = World::new();
        world.pair(stem, &server("cp1", &["cp1"]));
        assert_eq!(world.renewal(client).reasons, [Reason::Missing]);
        assert!(matches!(world.decide(other), Ok(Decision::Absent)), "{stem}");
    }
}

#[test]
fn the_kubelets_certificate_is_listed_once_for_each_node_of_the_layout() {
    let on = |name: &str| Layout::Node { name: name.to_owned() };
    for (lines, layout, node, wanted) in [
        ("", on("cp1"), None, 1),
        ("", on("cp2"), None, 0),
        ("", Layout::Cluster, Some("cp1"), 1),
        ("kubelet: {serving: true}", on("cp1"), None, 1),
        ("kubelet: {serving: true}", Layout::Cluster, Some("cp1"), 1),
    ] {
        let profile = World::new().profile(lines).profile.unwrap();
        let id = EntryId::new(node, "kubelet-serving");
        let all = of_profile(&profile, &layout, &directories());
        assert_eq!(all.iter().filter(|one| one.id == id).count(), wanted, "{lines} {layout:?}");
    }
}

#[test]
fn only_what_was_to_be_renewed_and_was_not_is_a_gap() {
    let other = || Skipped::Unreadable(Unreadable::NotEmbedded(String::new()));
    let gaps = [
        (Skipped::External(Outside::Key(CaId::Etcd)), true),
        (Skipped::External(Outside::Authority), true),
        (Skipped::ExternalInWindow(CaId::Etcd), true),
        (Skipped::AuthorityMissing(CaId::Etcd), true),
        (Skipped::NotOurs(Name::default()), true),
        (other(), true),
        (Skipped::Unknown, true),
        (Skipped::IsAuthority, true),
        (Skipped::AuthorityEnds(CaId::Etcd, NOW), true),
        (Skipped::CredentialFiles(String::new()), false),
        (Skipped::KubeletsOwn, false),
        (Skipped::KubeletRotates(String::new()), false),
        (Skipped::KubeletUsesItsOwn, false),
        (Skipped::NotReplenished, false),
    ];
    for (left, gap) in gaps {
        assert_eq!(left.is_gap(), gap, "{left:?}");
    }
}

#[test]
fn every_refusal() {
    let authority_of = CaId::Cluster;
    let end = MADE + YEAR * 2;
    let mut world = World::until(end).apiserver();
    world.now = end + Duration::SECOND;
    let expired = Refusal::AuthorityExpired { authority: authority_of, not_after: end };
    assert_eq!(world.decide("apiserver").unwrap_err(), expired);
    world.now = end;
    assert_eq!(world.renewal("apiserver").blueprint.not_after, end);
    let start = MADE - YEAR;
    world.now = start - Duration::SECOND;
    let early = Refusal::AuthorityNotYetValid { authority: authority_of, not_before: start };
    assert_eq!(world.decide("apiserver").unwrap_err(), early);
    world.now = start;
    assert_eq!(world.renewal("apiserver").blueprint.not_before, start);

    // The key of another: also when nothing is due.
    let mut world = World::new().due().apiserver();
    world.put("pki/ca.key", key().to_pem().as_str());
    assert!(matches!(world.decide("apiserver"), Err(Refusal::AuthorityUnusable { .. })));
    // And a missing client is no reason to fail without a profile.
    assert!(matches!(world.decide("admin.conf"), Ok(Decision::Absent)));

    // Renewed on every run: whatever is made is due again.
    for window in [Threshold::Left(Span::seconds(366 * 86_400)), Threshold::Left(Span::seconds(u64::MAX))] {
        let mut world = World::new().apiserver();
        world.due = Some(window);
        assert!(matches!(world.decide("apiserver"), Err(Refusal::WindowTooWide { .. })), "{window:?}");
        // Without --due this is not checked.
        world.due = None;
        assert_eq!(world.renewal("apiserver").reasons, [Reason::Requested]);
    }
}

#[test]
fn a_node_that_trusts_another_authority_is_refused() {
    let world = World::new();
    let (ours, other) = (world.issuer.bundle_pem(), authority("kubernetes", MADE, MADE + YEAR * 10).bundle_pem());
    let place = Place { root: Root::Main, path: "nodes/cp1/pki/ca.crt".to_owned() };
    let copies = [("cp1".to_owned(), CaId::Cluster, place.clone())];
    for (copy, refused) in [(Some(&ours), false), (Some(&other), true), (None, false)] {
        let mut survey = world.survey.clone();
        if let Some(copy) = copy {
            let bytes = Zeroizing::new(copy.clone().into_bytes());
            survey.insert(place.clone(), FileState::File { bytes, mode: 0o644, uid: 0, gid: 0 });
        }
        let found = other_authorities(&copies, &authorities(&survey, &directories(), &PlainKeys), &survey);
        assert_eq!(!found.is_empty(), refused);
    }
}

#[test]
fn what_a_kubeconfig_trusts_is_all_that_is_wrong_with_one_of_an_authority_elsewhere() {
    let mut world = World::new().due();
    world.kubeconfig("admin.conf", &authority("other", MADE - YEAR, MADE + YEAR * 10).bundle_pem());
    world.remove("pki/ca.key");
    let found = world.decide("admin.conf");
    assert!(matches!(found, Ok(Decision::Keep(_))), "{found:?}");
}

#[test]
fn what_is_made_for_the_first_time_has_all_its_names_added() {
    let mut world = World::new().profile("");
    world.named = true;
    let renewal = world.renewal("apiserver");
    assert!(!renewal.names.added.is_empty());
    assert_eq!(renewal.names.added, renewal.blueprint.sans);
}

#[test]
fn a_stated_validity_makes_no_old_one_too_short() {
    let mut world = World::new().profile("certificateValidityPeriod: 8760h");
    let short = Blueprint { not_after: MADE + Duration::SECOND, ..server("kube-apiserver", &["kubernetes"]) };
    world.pair("pki/apiserver", &short);
    let renewal = world.renewal("apiserver");
    assert_eq!((renewal.guessed, renewal.too_short), (None, None));
}
