//! Decisions over trees in memory: what is due to the second, every reason, everything left, every refusal.

use std::collections::BTreeSet;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::*;
use crate::blueprint::{ExtendedKeyUsage, KeyUsage, Role};
use crate::ca::{Issuer, issue, self_sign};
use crate::clock::Span;
use crate::kubeconfig;
use crate::plan::blueprints::BACK_DATE;
use crate::plan::decision::{Found, Survey};
use crate::plan::layout::{Directories, Layout, Root};
use crate::profile::{Overrides, Source, load};
use crate::x509::{KeyKind, parse_pem_bundle};

const MADE: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
const NOW: OffsetDateTime = datetime!(2026-06-01 00:00 UTC);
const YEAR: Duration = Duration::days(365);

const HEAD: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: cp1, addresses: [10.0.0.11]}]\n";

fn directories() -> Directories {
    Directories { pki: "pki".to_owned(), kubelet: Some("kubelet".to_owned()) }
}

fn authority(name: &str, from: OffsetDateTime, to: OffsetDateTime) -> Issuer {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let blueprint = Blueprint {
        subject: Name::of(name, &[]),
        not_before: from,
        not_after: to,
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN),
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: vec![],
    };
    Issuer::new(vec![self_sign(&blueprint, &key).unwrap().certificate], key).unwrap()
}

fn server(name: &str, sans: &[&str]) -> Blueprint {
    Blueprint {
        subject: Name::of(name, &[]),
        not_before: MADE - BACK_DATE,
        not_after: MADE + YEAR,
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ServerAuth],
        sans: sans.iter().map(|name| San::Dns((*name).to_owned())).collect(),
        permitted: vec![],
    }
}

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::EcdsaP256).unwrap()
}

/// A tree with one authority for all, without leaves.
struct World {
    issuer: Issuer,
    survey: Survey,
    profile: Option<Profile>,
    now: OffsetDateTime,
    due: Option<Window>,
    named: bool,
    prune: bool,
    reuse: bool,
}

impl World {
    fn new() -> Self {
        Self::until(MADE + YEAR * 10)
    }

    fn until(end: OffsetDateTime) -> Self {
        let issuer = authority("kubernetes", MADE - YEAR, end);
        let mut world = Self {
            issuer,
            survey: Survey::new(),
            profile: None,
            now: NOW,
            due: None,
            named: false,
            prune: false,
            reuse: false,
        };
        for stem in ["ca", "front-proxy-ca", "etcd/ca"] {
            world.put(&format!("pki/{stem}.crt"), world.issuer.bundle_pem());
            world.put(&format!("pki/{stem}.key"), world.issuer.key().to_pem().as_str());
        }
        world
    }

    /// Only what is due, a third before the end.
    fn due(mut self) -> Self {
        self.due = Some(Window::PercentLeft(33));
        self
    }

    fn profile(mut self, lines: &str) -> Self {
        let text = format!("{HEAD}{lines}\n");
        let loaded = load(Source { name: "p.yaml", bytes: text.as_bytes() }, &Overrides::default());
        self.profile = Some(loaded.unwrap_or_else(|problems| panic!("{problems}")).profile);
        self
    }

    fn put(&mut self, path: &str, text: impl AsRef<[u8]>) {
        let place = Place { root: Root::Main, path: path.to_owned() };
        let found = Found::File { bytes: Zeroizing::new(text.as_ref().to_vec()), mode: 0o600 };
        self.survey.insert(place, found);
    }

    fn remove(&mut self, path: &str) {
        self.survey.retain(|place, _| place.path != path);
    }

    /// A pair made from this blueprint.
    fn pair(&mut self, stem: &str, blueprint: &Blueprint) -> PrivateKey {
        let key = key();
        let signed = issue(blueprint, &key.spki_der(), &self.issuer).unwrap();
        self.put(&format!("{stem}.crt"), &signed.pem);
        self.put(&format!("{stem}.key"), key.to_pem().as_str());
        key
    }

    fn apiserver(mut self) -> Self {
        self.pair("pki/apiserver", &server("kube-apiserver", &["kubernetes", "old.example.com"]));
        self
    }

    fn kubeconfig(&mut self, name: &str, authority: &str) {
        let key = key();
        let blueprint =
            Blueprint { extended_key_usages: vec![ExtendedKeyUsage::ClientAuth], ..server("kubernetes-admin", &[]) };
        let signed = issue(&blueprint, &key.spki_der(), &self.issuer).unwrap();
        let text = kubeconfig::render(&kubeconfig::Kubeconfig {
            cluster: "kubernetes",
            user: "kubernetes-admin",
            server: "https://10.0.0.11:6443",
            authority,
            certificate: &signed.pem,
            key: kubeconfig::ClientKey::Data(key.to_pem().as_str()),
            preferences: false,
        });
        self.put(name, text.as_bytes());
    }

    fn credentials(&self) -> Vec<Credential> {
        match &self.profile {
            None => of_catalogue(&[None], &directories()),
            Some(profile) => of_profile(profile, &Layout::Node { name: "cp1".to_owned() }, &directories()),
        }
    }

    fn decide(&self, name: &str) -> Result<Decision, Refusal> {
        let credentials = self.credentials();
        let credential = credentials.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("{name}"));
        let rules = Rules {
            profile: self.profile.as_ref(),
            now: self.now,
            due: self.due,
            named: self.named,
            prune_sans: self.prune,
            reuse_key: self.reuse,
        };
        decide(credential, &credentials, &signers(&self.survey, &directories()), &self.survey, &rules)
    }

    #[track_caller]
    fn renewal(&self, name: &str) -> Renewal {
        match self.decide(name) {
            Ok(Decision::Renew(renewal)) => *renewal,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[track_caller]
    fn left(&self, name: &str) -> Left {
        match self.decide(name) {
            Ok(Decision::Left(left, _)) => left,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[track_caller]
    fn keeps(&self, name: &str) {
        let decision = self.decide(name);
        assert!(matches!(decision, Ok(Decision::Keep(_))), "{name}: {decision:?}");
    }
}

fn dns(names: &[&str]) -> Vec<San> {
    names.iter().map(|name| San::Dns((*name).to_owned())).collect()
}

#[test]
fn a_lifetime_is_what_the_dates_say_or_nothing() {
    let start = MADE - YEAR;
    let issuer = authority("ca", start, start + YEAR * 10);
    let ca = issuer.certificate();
    let end = ca.not_after;
    let minutes = Duration::minutes;
    let cases = [
        // (first second, last second, lifetime)
        (MADE, MADE + YEAR, Some(YEAR)),
        (MADE, MADE + Duration::hours(1), Some(Duration::hours(1))),
        // kubeadm up to 1.30: begins with its CA, made in the same run.
        (start, start + YEAR, Some(YEAR)),
        (start, start + YEAR + minutes(9), Some(YEAR + minutes(9))),
        (start, start + YEAR + minutes(10), Some(YEAR + minutes(10))),
        // A whole number of days: chosen so.
        (start, start + YEAR * 3, Some(YEAR * 3)),
        (start, start + YEAR * 3 + minutes(10), Some(YEAR * 3 + minutes(10))),
        // Made years after its CA, and begins with it all the same.
        (start, start + YEAR * 3 + minutes(11), None),
        (start, start + YEAR * 3 + Duration::hours(7), None),
        // Cut to its CA's end.
        (end - Duration::days(90), end, None),
        (end - YEAR * 2, end, Some(YEAR * 2)),
        // The end before the beginning.
        (MADE, MADE - Duration::SECOND, None),
    ];
    let mut old = ca.clone();
    for (not_before, not_after, wanted) in cases {
        (old.not_before, old.not_after) = (not_before, not_after);
        assert_eq!(identity::lifetime(&old, ca), wanted, "{not_before} {not_after}");
    }
}

#[test]
fn names_are_kept_added_and_pruned() {
    // (old, wanted, prune) -> (all, added, removed, surplus)
    type Case = (&'static [&'static str], &'static [&'static str], bool, [&'static [&'static str]; 4]);
    let cases: &[Case] = &[
        (&["b", "a"], &["a", "b"], false, [&["b", "a"], &[], &[], &[]]),
        (&["b"], &["a", "b", "c"], false, [&["b", "a", "c"], &["a", "c"], &[], &[]]),
        (&["b", "x"], &["a", "b"], false, [&["b", "x", "a"], &["a"], &[], &["x"]]),
        (&["b", "x"], &["a", "b"], true, [&["b", "a"], &["a"], &["x"], &[]]),
        (&["LB.Example.com"], &["lb.example.com"], true, [&["LB.Example.com"], &[], &[], &[]]),
        (&["a", "a"], &["a"], true, [&["a", "a"], &[], &[], &[]]),
        (&[], &[], true, [&[], &[], &[], &[]]),
        (&["x"], &[], true, [&[], &[], &["x"], &[]]),
    ];
    for (old, wanted, prune, [all, added, removed, surplus]) in cases {
        let (found, names) = identity::names(&dns(old), &dns(wanted), *prune);
        let expected = Names { added: dns(added), removed: dns(removed), surplus: dns(surplus) };
        assert_eq!((found, names), (dns(all), expected), "{old:?} {wanted:?} {prune}");
    }
    // An address is not the name that reads like it.
    let ip = San::Ip("10.0.0.1".parse().unwrap());
    let (all, names) = identity::names(&dns(&["10.0.0.1"]), std::slice::from_ref(&ip), false);
    assert_eq!((all.len(), names.added), (2, vec![ip]));
}

#[test]
fn a_key_of_another_kind_may_do_what_its_kind_may() {
    let world = World::new().apiserver();
    let mut old = *world.renewal("apiserver").old.unwrap();
    let both = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT);
    let (rsa, ec) = (Algorithm::Rsa2048, Algorithm::EcdsaP384);
    let cases = [
        // kubeadm puts it on EC keys as well: as it was, as long as the kind stays.
        (ec, Some(both), ec, both),
        (ec, Some(both), rsa, both),
        (rsa, Some(both), ec, KeyUsage::DIGITAL_SIGNATURE),
        (rsa, Some(both), rsa, both),
        (ec, Some(KeyUsage::DIGITAL_SIGNATURE), rsa, both),
        (rsa, Some(KeyUsage::DIGITAL_SIGNATURE), rsa, KeyUsage::DIGITAL_SIGNATURE),
        (ec, None, ec, KeyUsage::DIGITAL_SIGNATURE),
    ];
    for (kind, found, new, wanted) in cases {
        (old.key, old.key_usage) = (KeyKind::Known(kind), found);
        assert_eq!(identity::blueprint(&old, new, Vec::new()).key_usage, wanted, "{kind} {found:?} {new}");
    }
}

#[test]
fn extensions_nobody_writes_are_named() {
    let mut old = *World::new().apiserver().renewal("apiserver").old.unwrap();
    assert_eq!(identity::dropped(&old), Vec::<Oid>::new());
    old.extensions.push((Oid::new("1.2.3.4"), false));
    assert_eq!(identity::dropped(&old), [Oid::new("1.2.3.4")]);
}

#[test]
fn due_to_the_second() {
    let end = MADE + YEAR;
    let lifetime = (YEAR + BACK_DATE).whole_seconds();
    let share = Duration::seconds(lifetime * 33 / 100);
    let month = Window::Before(Span::seconds(30 * 86_400));
    let cases = [
        (Window::PercentLeft(33), share),
        (month, Duration::days(30)),
        (Window::PercentLeft(1), Duration::seconds(lifetime / 100)),
    ];
    for (window, before) in cases {
        let mut world = World::new().apiserver();
        world.due = Some(window);
        world.now = end - before - Duration::SECOND;
        world.keeps("apiserver");
        world.now = end - before;
        assert_eq!(world.renewal("apiserver").reasons, [Reason::Window { left: before }], "{window:?}");
        world.now = end;
        assert_eq!(world.renewal("apiserver").reasons, [Reason::Window { left: Duration::ZERO }]);
        world.now = end + Duration::SECOND;
        assert_eq!(world.renewal("apiserver").reasons, [Reason::Expired(end)]);
    }
}

#[test]
fn the_new_dates_are_the_old_lifetime_from_five_minutes_ago() {
    let world = World::new().apiserver();
    let renewal = world.renewal("apiserver");
    assert_eq!(renewal.reasons, [Reason::Asked]);
    assert_eq!((renewal.blueprint.not_before, renewal.blueprint.not_after), (NOW - BACK_DATE, NOW + YEAR));
    assert_eq!(renewal.shortened, None);
    // Cut to the authority's end, and said so.
    let end = NOW + Duration::days(300);
    let renewal = World::until(end).apiserver().renewal("apiserver");
    assert_eq!((renewal.blueprint.not_after, renewal.shortened), (end, Some(NOW + YEAR)));
}

#[test]
fn what_cannot_end_later_is_left_alone() {
    let end = NOW + Duration::days(20);
    let cut = Blueprint { not_after: end, ..server("kube-apiserver", &[]) };
    let mut world = World::until(end).due();
    world.pair("pki/apiserver", &cut);
    assert_eq!(world.left("apiserver"), Left::AuthorityEnds(Authority::Cluster, end));
    // Asked for, or for another reason, it is made all the same.
    world.due = None;
    let renewal = world.renewal("apiserver");
    assert_eq!((renewal.blueprint.not_after, renewal.shortened.is_some()), (end, true));
    world.due = Some(Window::PercentLeft(33));
    world.remove("pki/apiserver.key");
    assert_eq!(world.renewal("apiserver").reasons.len(), 2);
}

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
    assert_eq!(only(&world, "apiserver"), Reason::Asked);

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
    assert_eq!(only(&world, "admin.conf"), Reason::AuthorityData);
    assert!(matches!(world.renewal("admin.conf").kubeconfig, Some(Kubeconfig::Edit { authority: true })));
}

#[test]
fn everything_that_is_left() {
    let name = Name::of("kubernetes", &[]);
    let mut world = World::new().apiserver();
    world.kubeconfig("admin.conf", &world.issuer.bundle_pem());
    world.remove("pki/ca.key");
    assert_eq!(world.left("apiserver"), Left::External(Authority::Cluster));
    assert_eq!(world.left("admin.conf"), Left::External(Authority::Cluster));
    world.due = Some(Window::PercentLeft(33));
    world.keeps("apiserver");
    world.remove("pki/ca.crt");
    assert_eq!(world.left("apiserver"), Left::AuthorityMissing(Authority::Cluster));

    let mut world = World::new().apiserver();
    let stranger = authority("kubernetes", MADE, MADE + YEAR * 10);
    world.put("pki/ca.crt", stranger.bundle_pem());
    world.put("pki/ca.key", stranger.key().to_pem().as_str());
    assert_eq!(world.left("apiserver"), Left::NotOurs(name));

    // The kubelet signs its own, where the profile does not.
    let mut world = World::new();
    world.pair("kubelet/kubelet", &server("cp1@1", &["cp1"]));
    assert_eq!(world.renewal("kubelet-serving").reasons, [Reason::Asked]);
    world.put("pki/ca.crt", stranger.bundle_pem());
    world.put("pki/ca.key", stranger.key().to_pem().as_str());
    assert_eq!(world.left("kubelet-serving"), Left::KubeletsOwn);

    let rotating = "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: https://10.0.0.11:6443\n  name: k\n\
        contexts:\n- context:\n    cluster: k\n    user: u\n  name: u@k\ncurrent-context: u@k\nusers:\n- name: u\n  user:\n    \
        client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem\n    \
        client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n";
    let file = "/var/lib/kubelet/pki/kubelet-client-current.pem".to_owned();
    let mut world = World::new();
    world.put("kubelet.conf", rotating);
    world.put("admin.conf", rotating);
    assert_eq!(world.left("kubelet.conf"), Left::KubeletRotates(file.clone()));
    assert_eq!(world.left("admin.conf"), Left::CredentialFiles(file));
    world.put("admin.conf", "{");
    assert!(matches!(world.left("admin.conf"), Left::Unreadable(_)));
    world.put("pki/apiserver.crt", "nothing");
    assert!(matches!(world.left("apiserver"), Left::Unreadable(_)));

    let mut world = World::new();
    world.named = true;
    assert_eq!(world.left("apiserver"), Left::Unknown);
    world.named = false;
    world.put("pki/apiserver.key", key().to_pem().as_str());
    assert_eq!(world.left("apiserver"), Left::Unknown);

    let mut world = World::new().profile("");
    assert_eq!(world.left("super-admin.conf"), Left::NotReplenished);
    world.named = true;
    assert_eq!(world.renewal("super-admin.conf").reasons, [Reason::Missing]);

    let mut world = World::new();
    world.put("pki/apiserver.crt", world.issuer.bundle_pem());
    world.put("pki/apiserver.key", world.issuer.key().to_pem().as_str());
    assert_eq!(world.left("apiserver"), Left::IsAuthority);
}

#[test]
fn only_what_was_to_be_renewed_and_was_not_is_a_gap() {
    let other = || Left::Unreadable(String::new());
    let gaps = [
        (Left::External(Authority::Etcd), true),
        (Left::AuthorityMissing(Authority::Etcd), true),
        (Left::NotOurs(Name::default()), true),
        (other(), true),
        (Left::Unknown, true),
        (Left::IsAuthority, true),
        (Left::AuthorityEnds(Authority::Etcd, NOW), true),
        (Left::CredentialFiles(String::new()), true),
        (Left::KubeletsOwn, false),
        (Left::KubeletRotates(String::new()), false),
        (Left::NotReplenished, false),
    ];
    for (left, gap) in gaps {
        assert_eq!(left.is_gap(), gap, "{left:?}");
    }
}

#[test]
fn every_refusal() {
    let authority_of = Authority::Cluster;
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
    for window in [Window::Before(Span::seconds(366 * 86_400)), Window::Before(Span::seconds(u64::MAX))] {
        let mut world = World::new().apiserver();
        world.due = Some(window);
        assert!(matches!(world.decide("apiserver"), Err(Refusal::WindowTooWide { .. })), "{window:?}");
        // Without --due nobody asks.
        world.due = None;
        assert_eq!(world.renewal("apiserver").reasons, [Reason::Asked]);
    }
}

#[test]
fn a_node_that_trusts_another_authority_is_refused() {
    let world = World::new();
    let (ours, other) = (world.issuer.bundle_pem(), authority("kubernetes", MADE, MADE + YEAR * 10).bundle_pem());
    let place = Place { root: Root::Main, path: "nodes/cp1/pki/ca.crt".to_owned() };
    let copies = [("cp1".to_owned(), Authority::Cluster, place.clone())];
    for (copy, refused) in [(Some(&ours), false), (Some(&other), true), (None, false)] {
        let mut survey = world.survey.clone();
        if let Some(copy) = copy {
            let bytes = Zeroizing::new(copy.clone().into_bytes());
            survey.insert(place.clone(), Found::File { bytes, mode: 0o644 });
        }
        let found = other_authorities(&copies, &signers(&survey, &directories()), &survey);
        assert_eq!(!found.is_empty(), refused);
    }
}

#[test]
fn without_a_profile_the_catalogue_makes_the_clients_it_knows() {
    let mut world = World::new().apiserver();
    world.pair("pki/etcd/server", &server("cp1", &["cp1"]));
    let mut made = BTreeSet::new();
    for credential in world.credentials() {
        if let Ok(Decision::Renew(renewal)) = world.decide(&credential.name)
            && renewal.reasons == [Reason::Missing]
        {
            assert!(renewal.blueprint.sans.is_empty() && renewal.algorithm == Algorithm::EcdsaP256);
            assert_eq!(renewal.blueprint.not_after, NOW + YEAR);
            made.insert(credential.name);
        }
    }
    let wanted = ["apiserver-etcd-client", "apiserver-kubelet-client", "etcd-healthcheck-client", "front-proxy-client"];
    assert_eq!(made, wanted.map(str::to_owned).into());
    // No API server here, so no clients of its.
    world.remove("pki/apiserver.crt");
    assert!(matches!(world.decide("front-proxy-client"), Ok(Decision::Absent)));
}

#[test]
fn a_kept_key_is_the_same_where_there_is_one() {
    let mut world = World::new();
    let key = world.pair("pki/apiserver", &server("kube-apiserver", &[]));
    world.reuse = true;
    let Key::Same(same) = world.renewal("apiserver").key else { panic!() };
    assert_eq!(same.spki_der(), key.spki_der());
    for broken in [None, Some(self::key().to_pem().to_string()), Some("nothing".to_owned())] {
        match broken {
            None => world.remove("pki/apiserver.key"),
            Some(text) => world.put("pki/apiserver.key", text),
        }
        assert!(matches!(world.renewal("apiserver").key, Key::New));
    }
}

#[test]
fn algorithm_and_lifetime_follow_the_profile_where_it_states_them() {
    // The profile's general choice is for new trees; what it says of this certificate holds.
    let stated = "certificates: {apiserver: {algorithm: ECDSA-P384, validity: 30d}}";
    let cases = [
        ("encryptionAlgorithm: RSA-2048", Algorithm::EcdsaP256, YEAR),
        (stated, Algorithm::EcdsaP384, Duration::days(30)),
    ];
    for (lines, algorithm, lifetime) in cases {
        let renewal = World::new().profile(lines).apiserver().renewal("apiserver");
        assert_eq!((renewal.algorithm, renewal.blueprint.not_after), (algorithm, NOW + lifetime), "{lines}");
    }
    let mut world = World::new().profile(stated).apiserver();
    world.reuse = true;
    assert_eq!(world.renewal("apiserver").algorithm, Algorithm::EcdsaP256);
}

#[test]
fn a_chain_stays_while_it_leads_on_from_the_signer() {
    let mut world = World::new().apiserver();
    let newer = authority("kubernetes", MADE, MADE + YEAR * 10);
    let place = Place { root: Root::Main, path: "pki/apiserver.crt".to_owned() };
    let Some(Found::File { bytes, .. }) = world.survey.get(&place) else { panic!() };
    let leaf = String::from_utf8(bytes.to_vec()).unwrap();
    let old = world.issuer.bundle_pem();
    world.put("pki/apiserver.crt", format!("{leaf}{old}"));
    assert_eq!(world.renewal("apiserver").chain, parse_pem_bundle(old.as_bytes()).unwrap());
    // Another authority of the same name signs now.
    world.put("pki/ca.crt", format!("{}{old}", newer.bundle_pem()));
    world.put("pki/ca.key", newer.key().to_pem().as_str());
    assert_eq!(world.renewal("apiserver").chain, Vec::new());
}
