//! Decisions over trees in memory: what is due to the second, every reason, everything left, every refusal.

mod ask;
mod credentials;
mod due;
mod elsewhere;
mod identity;
mod moved;
mod outcomes;
mod repairs;
mod revoked;

use std::collections::BTreeSet;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::*;
use crate::blueprint::{ExtendedKeyUsage, KeyUsage, Role};
use crate::ca::{Issuer, issue, self_sign};
use crate::clock::Span;
use crate::files::FileState;
use crate::kubeconfig;
use crate::plan::blueprints::BACK_DATE;
use crate::profile::{Overrides, Source, load};
use crate::tree::authorities::authorities;
use crate::tree::layout::{Directories, Layout, Root};
use crate::tree::{Authorities, PlainKeys, Survey};
use crate::x509::{KeyKind, parse_pem_bundle};

const MADE: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
const NOW: OffsetDateTime = datetime!(2026-06-01 00:00 UTC);
const YEAR: Duration = Duration::days(365);

const HEAD: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: cp1, addresses: [10.0.0.11]}]\n";

/// A kubeconfig that names a file.
const NAMING: &str = "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: https://10.0.0.11:6443\n  name: k\n\
    contexts:\n- context:\n    cluster: k\n    user: u\n  name: u@k\ncurrent-context: u@k\nusers:\n- name: u\n  user:\n    \
    client-certificate: /f.pem\n    client-key: /f.pem\n";

fn directories() -> Directories {
    Directories::usual()
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
        permitted: Vec::new(),
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
        permitted: Vec::new(),
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
    due: Option<Threshold>,
    named: bool,
    prune: bool,
    reuse: bool,
    kubelets: Option<Kubelets>,
    former: Vec<String>,
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
            kubelets: None,
            former: Vec::new(),
        };
        for stem in ["ca", "front-proxy-ca", "etcd/ca"] {
            world.put(&format!("pki/{stem}.crt"), world.issuer.bundle_pem());
            world.put(&format!("pki/{stem}.key"), world.issuer.key().to_pem().as_str());
        }
        world
    }

    /// Renew only what is due, a third before the end.
    fn due(mut self) -> Self {
        self.due = Some(Threshold::PercentLeft(33));
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
        let found = FileState::File { bytes: Zeroizing::new(text.as_ref().to_vec()), mode: 0o600, uid: 0, gid: 0 };
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
        self.decide_one(credentials.iter().find(|one| one.id.name == name).unwrap_or_else(|| panic!("{name}")))
    }

    fn decide_one(&self, credential: &Credential) -> Result<Decision, Refusal> {
        self.decide_with(credential, &authorities(&self.survey, &directories(), &PlainKeys))
    }

    fn decide_with(&self, credential: &Credential, authorities: &Authorities) -> Result<Decision, Refusal> {
        let credentials = self.credentials();
        let rules = Rules {
            profile: self.profile.as_ref(),
            now: self.now,
            due: self.due,
            named: self.named,
            prune_sans: self.prune,
            reuse_key: self.reuse,
            kubelets: self.kubelets,
            former_servers: &self.former,
        };
        decide(credential, &credentials, authorities, &self.survey, &rules)
    }

    #[track_caller]
    fn renewal(&self, name: &str) -> Renewal {
        match self.decide(name) {
            Ok(Decision::Renew(renewal)) => *renewal,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[track_caller]
    fn left(&self, name: &str) -> Skipped {
        match self.decide(name) {
            Ok(Decision::Skipped(left, _)) => left,
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
fn due_to_the_second() {
    let end = MADE + YEAR;
    // A share of what the new one will have left: the back-date is over when it is made.
    let lifetime = YEAR.whole_seconds();
    let share = Duration::seconds(lifetime * 33 / 100);
    let month = Threshold::Left(Span::seconds(30 * 86_400));
    let cases = [
        (Threshold::PercentLeft(33), share),
        (month, Duration::days(30)),
        (Threshold::PercentLeft(1), Duration::seconds(lifetime / 100)),
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
    assert_eq!(renewal.reasons, [Reason::Requested]);
    assert_eq!((renewal.blueprint.not_before, renewal.blueprint.not_after), (NOW - BACK_DATE, NOW + YEAR));
    assert_eq!(renewal.shortened, None);
    // To the authority's last second nothing is cut.
    assert_eq!(World::until(NOW + YEAR).apiserver().renewal("apiserver").shortened, None);
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
    assert_eq!(world.left("apiserver"), Skipped::AuthorityEnds(CaId::Cluster, end));
    // Named, or with another reason, it is made anyway.
    world.due = None;
    let renewal = world.renewal("apiserver");
    assert_eq!((renewal.blueprint.not_after, renewal.shortened.is_some()), (end, true));
    world.due = Some(Threshold::PercentLeft(33));
    world.remove("pki/apiserver.key");
    assert_eq!(world.renewal("apiserver").reasons.len(), 2);
}

#[test]
fn without_a_profile_the_catalogue_makes_the_clients_it_knows() {
    let mut world = World::new().apiserver();
    world.pair("pki/etcd/server", &server("cp1", &["cp1"]));
    let mut made = BTreeSet::new();
    for credential in world.credentials() {
        if let Ok(Decision::Renew(renewal)) = world.decide(&credential.id.name)
            && renewal.reasons == [Reason::Missing]
        {
            assert!(renewal.blueprint.sans.is_empty() && renewal.algorithm == Algorithm::EcdsaP256);
            assert_eq!(renewal.blueprint.not_after, NOW + YEAR);
            made.insert(credential.id.name);
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
    let stated = "certificates: {apiserver: {algorithm: ECDSA-P384, validity: 30d}}";
    let cases = [
        ("clusterName: demo", Algorithm::EcdsaP256, YEAR),
        ("encryptionAlgorithm: RSA-2048", Algorithm::Rsa2048, YEAR),
        ("certificateValidityPeriod: 90d", Algorithm::EcdsaP256, Duration::days(90)),
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
    let Some(FileState::File { bytes, .. }) = world.survey.get(&place) else { panic!() };
    let leaf = String::from_utf8(bytes.to_vec()).unwrap();
    let old = world.issuer.bundle_pem();
    world.put("pki/apiserver.crt", format!("{leaf}{old}"));
    assert_eq!(world.renewal("apiserver").chain, parse_pem_bundle(old.as_bytes()).unwrap());
    // Another authority of the same name signs now.
    world.put("pki/ca.crt", format!("{}{old}", newer.bundle_pem()));
    world.put("pki/ca.key", newer.key().to_pem().as_str());
    assert_eq!(world.renewal("apiserver").chain, Vec::new());
}
