//! What `live` takes from peers of every kind, in bounded time and space.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use kpki::encoding::name;
use kpki::live::{Failure, Limits, Peer, Served, Version, look_at_all};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::harness::{Place, single};
use super::servers::{self, Tls, certificates, closed_port, on_loopback, serve};

/// Long enough for a handshake on the busiest machine.
const PATIENT: Limits = Limits { time: Duration::from_secs(60), bytes: Limits::BYTES };
/// For peers that never answer.
const SHORT: Limits = Limits { time: Duration::from_millis(300), bytes: Limits::BYTES };

const ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
const ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];

fn look(peer: &Peer, limits: Limits) -> Result<Served, Failure> {
    look_at_all(std::slice::from_ref(peer), limits, || true, |_| ()).unwrap().remove(0)
}

fn ask(at: SocketAddr, limits: Limits) -> Result<Served, Failure> {
    look(&Peer::at(at.ip(), at.port()), limits)
}

/// A tree's pki directory.
fn pki(place: &Place, algorithm: &str) -> PathBuf {
    place.write("p.yaml", single(&format!("encryptionAlgorithm: {algorithm}\n")));
    place.kpki(&["init", "--profile", "p.yaml", "--dir", "k8s"]).ok();
    place.path("k8s/pki")
}

#[test]
fn the_chain_the_version_and_the_clients_it_asks_for_are_seen() {
    for algorithm in ["ECDSA-P256", "RSA-2048"] {
        let place = Place::new();
        let pki = pki(&place, algorithm);
        let pair = pki.join("etcd/server");
        let mut chain = certificates(&pair.with_extension("crt"));
        chain.extend(certificates(&pki.join("etcd/ca.crt")));
        for (versions, version) in [(ONLY_12, Version::Tls12), (ONLY_13, Version::Tls13)] {
            let served = |tls: Tls| ask(on_loopback(tls.answer()), PATIENT).unwrap();
            let plain = served(Tls { versions, chain: chain.clone(), ..Tls::of(&pair) });
            assert_eq!(plain.chain, chain.iter().map(|der| der.to_vec()).collect::<Vec<_>>());
            assert_eq!((plain.version, plain.client_authorities), (Some(version), None));
            // It ends the handshake when no certificate comes, as etcd does; what it served was seen before.
            let asking = served(Tls { versions, ..Tls::of(&pair) }.requires(&pki.join("etcd/ca.crt")));
            let names: Vec<_> = asking.client_authorities.unwrap();
            let names: Vec<_> = names.iter().map(|der| name::read(der).unwrap().common_name().unwrap()).collect();
            assert_eq!((asking.chain.len(), names), (1, vec!["etcd-ca".to_owned()]), "{version:?}");
        }
    }
}

#[test]
fn a_certificate_without_its_key_is_not_believed() {
    let place = Place::new();
    let pki = pki(&place, "ECDSA-P256");
    for versions in [ONLY_12, ONLY_13] {
        let other = servers::key(&pki.join("etcd/peer.key"));
        let tls = Tls { versions, key: other, ..Tls::of(&pki.join("etcd/server")) };
        assert_eq!(ask(on_loopback(tls.answer()), PATIENT), Err(Failure::NotProven));
    }
}

#[test]
fn peers_that_are_no_components_end_in_bounded_time_and_space() {
    for (peer, limits, wanted) in [
        (closed_port(), PATIENT, Failure::Refused),
        (on_loopback(drop), PATIENT, Failure::Closed),
        (on_loopback(servers::garbage), PATIENT, Failure::NotTls),
        (on_loopback(servers::endless), PATIENT, Failure::TooMuch(Limits::BYTES)),
        (on_loopback(servers::endless), Limits { bytes: 9999, ..PATIENT }, Failure::TooMuch(9999)),
        (on_loopback(servers::silent), SHORT, Failure::TooSlow),
        (on_loopback(servers::dripping), SHORT, Failure::TooSlow),
    ] {
        assert_eq!(ask(peer, limits), Err(wanted));
    }
}

#[test]
fn link_local_is_never_asked() {
    for peer in ["169.254.169.254:80", "[fe80::1]:443", "[64:ff9b::a9fe:a9fe]:443", "[::a9fe:a9fe]:443"] {
        let refused = look(&Peer::parse(peer).unwrap(), PATIENT);
        assert!(matches!(refused, Err(Failure::LinkLocal(_))), "{peer}: {refused:?}");
    }
}

#[test]
fn names_lead_to_their_addresses() {
    let place = Place::new();
    let pair = pki(&place, "ECDSA-P256").join("apiserver");
    let at = on_loopback(Tls::of(&pair).answer());
    let served = look(&Peer::parse(&format!("localhost:{}", at.port())).unwrap(), PATIENT).unwrap();
    assert_eq!(served.at, at);
}

#[test]
fn version_6_is_asked_where_the_machine_has_it() {
    let place = Place::new();
    let pair = pki(&place, "ECDSA-P256").join("apiserver");
    let Some(at) = serve("::1", Tls::of(&pair).answer()) else { return };
    assert_eq!(ask(at, PATIENT).map(|served| served.at), Ok(at));
}

#[test]
fn many_are_asked_in_order_until_there_is_a_stop() {
    let place = Place::new();
    let pair = pki(&place, "ECDSA-P256").join("apiserver");
    let at = on_loopback(Tls::of(&pair).answer());
    let peers: Vec<Peer> =
        (0..40).map(|n| if n % 4 == 0 { closed_port() } else { at }).map(|at| Peer::at(at.ip(), at.port())).collect();
    let mut seen = 0;
    let answers = look_at_all(&peers, PATIENT, || true, |done| seen = done).unwrap();
    let served: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(served, (0..40).map(|n| n % 4 != 0).collect::<Vec<_>>());
    assert!((1..=40).contains(&seen));
    assert_eq!(look_at_all(&peers, PATIENT, || false, |_| ()).unwrap().len(), 0);
}
