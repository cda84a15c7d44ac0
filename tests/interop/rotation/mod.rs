//! A cluster goes on serving while its authorities are replaced: a real etcd of three members, stand-ins for what is in no package,
//! and clients of every kind that connect anew for each request, all the time. No handshake may fail and nobody may be turned
//! away; that failures are seen shows in a rotation without restarts.

mod by_hand;
mod components;
mod control_plane;
mod probe;
mod real;
mod story;
mod token;
mod verified;
mod wire;

use crate::support::{say, scratch};
use by_hand::ByHand;
use components::Files;
use control_plane::{ControlPlane, NODES, Taken, etcd_client, kubeconfig};
use probe::{Probe, Who};
use story::Story;
use verified::Kept;
use wire::{Credential, roots};

const PROFILE: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: rotated
controlPlaneEndpoint: api.example.com:6443
nodes:
- {name: cp1, addresses: [127.0.0.11]}
- {name: cp2, addresses: [127.0.0.12]}
- {name: cp3, addresses: [127.0.0.13]}
- {name: w1, roles: [worker], addresses: [127.0.0.14]}
";

/// What the old authorities gave out: an administrator's certificate, a token, and an etcd client's certificate.
struct Old([Credential; 3]);

impl Old {
    fn of(cluster: &ControlPlane, files: &Files, token: &str) -> Self {
        let token = Credential { roots: roots(&cluster.root_ca()), pair: None, token: Some(token.to_owned()) };
        Self([kubeconfig(files, "admin.conf"), token, etcd_client(files)])
    }

    /// Servers turn them away, not they the servers.
    fn with_new_authorities(&self, files: &Files) -> Self {
        let bundles = ["pki/ca.crt", "pki/ca.crt", "pki/etcd/ca.crt"];
        let mut credentials = self.0.clone();
        credentials.iter_mut().zip(bundles).for_each(|(one, bundle)| one.roots = roots(&files.read(bundle)));
        Self(credentials)
    }

    #[track_caller]
    fn is_taken(&self, cluster: &ControlPlane, wanted: [bool; 3]) {
        let wanted = wanted.map(|taken| if taken { Taken::ByAll } else { Taken::ByNone });
        let [admin, token, etcd] = &self.0;
        let found = [cluster.api_servers_take(admin), cluster.api_servers_take(token), cluster.members_take(etcd)];
        assert_eq!(found, wanted);
    }
}

fn running(by_hand: &ByHand, place: &std::path::Path) -> ControlPlane {
    ControlPlane::start(NODES.iter().map(|(node, _)| by_hand.node(node)).collect(), place.to_path_buf())
}

/// The order of section 6: what a phase's files need to be in force.
fn restarted_after_prepare(cluster: &mut ControlPlane, probe: &Probe) {
    cluster.roll_etcd(probe);
    cluster.roll_api_servers(probe);
    cluster.restart_controller_manager();
    cluster.kubelets_restart(probe);
    cluster.pods_restart(probe);
}

fn restarted_after_switch(cluster: &mut ControlPlane, probe: &Probe) {
    cluster.roll_api_servers(probe);
    cluster.restart_controller_manager();
    cluster.kubelets_restart(probe);
    cluster.pods_restart(probe);
}

fn without_the_old(probe: &Probe) {
    for who in [Who::Straggler, Who::OldToken, Who::StaleEtcdClient] {
        probe.gone(who);
    }
}

#[test]
fn by_hand_and_in_order_nobody_is_turned_away() {
    let place = scratch();
    let by_hand = ByHand::new(place.path(), PROFILE, PROFILE);
    let mut cluster = running(&by_hand, place.path());
    let before = cluster.token(0);
    let old = Old::of(&cluster, &by_hand.node("cp1"), &before);
    let probe = cluster.clients();
    probe.expect_none("before");

    by_hand.prepare();
    by_hand.ship();
    probe.expect_none("prepare: files");
    restarted_after_prepare(&mut cluster, &probe);
    cluster.stragglers(&probe, &before);
    probe.expect_none("prepare: restarts");

    by_hand.switch();
    by_hand.ship();
    probe.expect_none("switch: files");
    restarted_after_switch(&mut cluster, &probe);
    probe.expect_none("switch: restarts");
    assert_ne!(token::kid_of(&cluster.token(0)), token::kid_of(&before));

    without_the_old(&probe);
    by_hand.retire();
    by_hand.ship();
    probe.expect_none("retire: files");
    old.with_new_authorities(&by_hand.node("cp1")).is_taken(&cluster, [false, true, true]);
    restarted_after_prepare(&mut cluster, &probe);
    probe.expect_none("retire: restarts");
    probe.expect_pace();
    assert_eq!(cluster.refused(), Vec::<String>::new());
    old.with_new_authorities(&by_hand.node("cp1")).is_taken(&cluster, [false, false, false]);
    // API servers only add to what extension API servers trust.
    assert_eq!(cluster.request_header(), 2);
    cluster.delete_request_header();
    probe.expect_none("retire: extension-apiserver-authentication is deleted");
    assert_eq!(cluster.request_header(), 1);
}

/// Nothing is waited for: every client has been told of the new authorities when a step is made.
const AT_ONCE: [&str; 2] = ["--confirm-all", "--not-before-override"];

/// All four authorities of a cluster directory, shipped and confirmed by receipts, with nodes that join on the way.
#[test]
fn a_cluster_directory_is_rotated_while_its_cluster_serves() {
    let mut story = Story::begin(PROFILE);
    let cp1 = story.cp1();
    let token = story.cluster.token(0);
    let old = Old::of(&story.cluster, &cp1, &token);
    let none = Kept::of(&story.site, &cp1, "none");

    story.step(&["prepare", "all", "--signer-file-in-use", "--at", "-1h"]);
    assert_eq!(story.signed_in_the_cluster().0, "CN = kubernetes");
    story.restart_for_bundles();
    story.confirm();
    story.verify();
    let prepared = Kept::of(&story.site, &cp1, "prepared");
    story.stragglers(&token);
    story.kubectl("admin.conf");
    // Renewals and a new node are the old authority's (gardener#8303).
    story.site.safe(&["renew", "all"]).expect_ok("renew");
    story.ship();
    let with_one = format!("{PROFILE}- {{name: w2, roles: [worker], addresses: [127.0.0.15]}}\n");
    story.joins(&with_one, "w2");
    let renewed = Kept::of(&story.site, &cp1, "renewed");
    let (issuer, kubelet) = story.signed_in_the_cluster();
    assert_eq!(issuer, "CN = kubernetes");

    story.confirm();
    story.step(&["switch", "--not-before-override"]);
    assert_eq!(story.signed_in_the_cluster().0, "CN = kubernetes@2");
    assert_eq!(story.cluster.api_servers_take(&kubelet), Taken::ByAll);
    story.restart_for_leaves();
    story.confirm();
    story.verify();
    let switched = Kept::of(&story.site, &cp1, "switched");
    assert_ne!(token::kid_of(&story.cluster.token(0)), token::kid_of(&token));
    story.kubectl("admin.conf");
    let said = story.site.safe(&["renew", "all", "--due"]).expect_ok("renew").out;
    assert!(said.starts_with("nothing was renewed"), "{said}");
    story.ship();
    story.joins(&format!("{with_one}- {{name: w3, roles: [worker], addresses: [127.0.0.16]}}\n"), "w3");

    story.without_stragglers();
    story.confirm();
    story.step(&["retire", "--not-before-override"]);
    old.with_new_authorities(&cp1).is_taken(&story.cluster, [false, true, true]);
    story.restart_for_bundles();
    story.confirm();
    story.verify();
    story.kubectl("admin.conf");
    let retired = Kept::of(&story.site, &cp1, "retired");
    assert_eq!(story.signed_in_the_cluster().0, "CN = kubernetes@2");
    story.probe.expect_pace();
    old.with_new_authorities(&cp1).is_taken(&story.cluster, [false, false, false]);
    assert_eq!(story.cluster.request_header(), 2, "API servers only add to it");
    story.cluster.delete_request_header();
    story.probe.expect_none("extension-apiserver-authentication is deleted");
    assert_eq!(story.cluster.request_header(), 1);

    for of_old in [&none, &prepared, &renewed] {
        of_old.are_accepted(&[(&none, true), (&prepared, true), (&switched, true), (&retired, false)]);
    }
    for of_new in [&switched, &retired] {
        of_new.are_accepted(&[(&none, false), (&prepared, true), (&switched, true), (&retired, true)]);
    }
}

/// front-proxy-ca by itself, for which nothing is restarted; then the others, from RSA to ECDSA.
#[test]
fn front_proxy_ca_alone_and_then_the_others_with_another_algorithm() {
    let mut story = Story::begin(&format!("{PROFILE}encryptionAlgorithm: RSA-2048\n"));
    let cp1 = story.cp1();
    story.step(&["prepare", "front-proxy-ca", "--at", "-4h"]);
    story.step(&[&["switch", "--at", "-3h"], &AT_ONCE[..]].concat());
    story.step(&[&["retire", "--at", "-2h"], &AT_ONCE[..]].concat());
    story.cluster.delete_request_header();
    story.expect_none("front-proxy-ca is replaced");
    assert_eq!(story.cluster.request_header(), 1);

    let others = ["prepare", "ca", "etcd-ca", "sa", "--algorithm", "ECDSA-P256", "--signer-file-in-use", "--at", "-1h"];
    story.step(&others);
    story.restart_for_bundles();
    story.stragglers(&story.cluster.token(0));
    let prepared = Kept::of(&story.site, &cp1, "prepared");
    story.step(&[&["switch"], &AT_ONCE[..]].concat());
    story.restart_for_leaves();
    let switched = Kept::of(&story.site, &cp1, "switched");
    story.without_stragglers();
    story.step(&[&["retire"], &AT_ONCE[..]].concat());
    story.restart_for_bundles();
    story.verify();
    let retired = Kept::of(&story.site, &cp1, "retired");
    for (bundle, accepted) in [("pki/ca.crt", true), ("pki/etcd/ca.crt", true), ("pki/front-proxy-ca.crt", false)] {
        let text = say("openssl", ["x509", "-noout", "-text", "-in", cp1.path(bundle).to_str().unwrap()]);
        assert_eq!(text.contains("prime256v1"), accepted, "{bundle}: {text}");
    }
    for bundle in ["pki/ca.crt", "pki/etcd/ca.crt"] {
        prepared.of_one(bundle).are_accepted(&[(&prepared, true), (&switched, true), (&retired, false)]);
        switched.of_one(bundle).are_accepted(&[(&prepared, true), (&switched, true), (&retired, true)]);
    }
}

/// A step back from each phase, under one name for both authorities; users keep what they were given on the way.
#[test]
fn a_step_back_from_each_phase_turns_nobody_away() {
    let mut story = Story::begin(PROFILE);
    let cp1 = story.cp1();
    let none = Kept::of(&story.site, &cp1, "none");
    let prepare = ["prepare", "all", "--keep-subject", "--signer-file-in-use", "--at", "-1h"];
    story.step(&prepare);
    story.restart_for_bundles();
    story.step(&["back"]);
    story.restart_for_bundles();
    none.are_accepted(&[(&Kept::of(&story.site, &cp1, "back in none"), true)]);
    story.verify();

    story.step(&prepare);
    story.restart_for_bundles();
    let prepared = Kept::of(&story.site, &cp1, "prepared");
    story.stragglers(&story.cluster.token(0));
    story.step(&[&["switch"], &AT_ONCE[..]].concat());
    story.restart_for_leaves();
    let switched = Kept::of(&story.site, &cp1, "switched");
    // Who was given certificates and a token of the new authorities goes on with them.
    story.stragglers(&story.cluster.token(0));
    story.step(&["back"]);
    story.restart_for_leaves();
    let back = Kept::of(&story.site, &cp1, "back in prepared");
    assert!(
        back.has_certificates_of(&prepared) && !back.has_certificates_of(&switched),
        "the certificates of before the switch"
    );
    story.verify();

    story.step(&[&["switch"], &AT_ONCE[..]].concat());
    story.restart_for_leaves();
    switched.are_accepted(&[(&Kept::of(&story.site, &cp1, "switched again"), true), (&none, false)]);
    story.verify();
}

/// Files everywhere are not trust everywhere: the clients see it.
#[test]
fn a_switch_without_restarts_fails() {
    let place = scratch();
    let by_hand = ByHand::new(place.path(), PROFILE, PROFILE);
    let cluster = running(&by_hand, place.path());
    let probe = cluster.clients();
    probe.expect_none("before");
    by_hand.prepare();
    by_hand.ship();
    probe.expect_none("prepare: files");
    by_hand.switch();
    by_hand.ship();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let (counts, samples) = probe.take();
    eprintln!("{counts:#?}");
    let refused = |who: Who| counts.get(&who).is_some_and(|counts| counts.tls > 0);
    // etcd and the API servers hold the old authority of etcd alone, and the pods the old cluster CA.
    for who in [Who::EtcdClient, Who::Operator, Who::Pod] {
        assert!(refused(who), "{who:?} was not refused: {:#?}", samples.iter().take(20).collect::<Vec<_>>());
    }
}
