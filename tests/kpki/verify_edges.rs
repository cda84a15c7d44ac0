//! `kpki verify` and the connections of a cluster: all that is well, and each half broken in turn, where the matrix has to show
//! exactly that half and nothing else.

use std::collections::BTreeSet;

use kpki::blueprint::ExtendedKeyUsage::{ClientAuth, ServerAuth};
use kpki::blueprint::{Algorithm, Blueprint, Role};
use kpki::ca::{Issuer, PrivateKey, issue, self_sign};
use kpki::x509::{Certificate, parse_pem_bundle};
use serde_json::Value;
use time::macros::datetime;

use super::harness::{NOW, Place, copy_tree, repository, single};

const CLUSTER: &str = "apiVersion: kpki/v1
kind: ClusterProfile
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: api.example.com
nodes:
- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}
- {name: cp2, roles: [control-plane], addresses: [10.0.0.12]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
";

const VERIFY: &[&str] = &["verify", "c", "--at", NOW, "-o", "json"];

fn cluster() -> Place {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place
}

fn edges(document: &Value) -> Vec<&Value> {
    let clusters = document["clusters"].as_array().unwrap().iter();
    clusters.flat_map(|cluster| cluster["edges"].as_array().unwrap()).collect()
}

/// `NUMBER CLIENT -> SERVER by SIDE` of every half that is refused.
fn refused(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for edge in edges(document) {
        for (side, half) in [("client", "byClient"), ("server", "byServer")] {
            if edge[half]["result"] == "refused" {
                let text = |field: &str| edge[field].as_str().unwrap().to_owned();
                found.insert(format!("{} {} -> {} by {side}", edge["number"], text("client"), text("server")));
            }
        }
    }
    found
}

fn states(document: &Value) -> BTreeSet<&str> {
    edges(document).into_iter().map(|edge| edge["state"].as_str().unwrap()).collect()
}

/// Findings of edges that nothing explains, and how many are explained.
fn findings(document: &Value) -> (Vec<&str>, usize) {
    let all = document["clusters"][0]["findings"].as_array().unwrap();
    let is_edge = |one: &&Value| one["rule"] == "edge/refused";
    let alone = all.iter().filter(is_edge).map(|one| one["found"].as_str().unwrap()).collect();
    let below = all.iter().flat_map(|one| one["follows"].as_array().unwrap()).filter(is_edge).count();
    (alone, below)
}

fn bundle(place: &Place, name: &str) -> Vec<Certificate> {
    parse_pem_bundle(place.read(name).as_bytes()).unwrap()
}

fn key(place: &Place, name: &str) -> PrivateKey {
    PrivateKey::from_pem(place.read(name).as_bytes()).unwrap()
}

/// What a certificate says.
fn blueprint(of: &Certificate) -> Blueprint {
    Blueprint {
        subject: of.subject.clone(),
        not_before: of.not_before,
        not_after: of.not_after,
        role: if of.is_ca { Role::Authority { path_len: None } } else { Role::EndEntity },
        key_usage: of.key_usage.unwrap(),
        extended_key_usages: of.extended_key_usages.clone(),
        sans: of.sans.clone(),
        permitted: vec![],
    }
}

/// The same leaf for the same key with something changed.
fn reissue(place: &Place, stem: &str, issuer: &Issuer, change: impl FnOnce(&mut Blueprint)) {
    let mut wanted = blueprint(&bundle(place, &format!("{stem}.crt"))[0]);
    change(&mut wanted);
    let spki = key(place, &format!("{stem}.key")).spki_der();
    place.write(&format!("{stem}.crt"), issue(&wanted, &spki, issuer).unwrap().certificate.to_pem());
}

fn issuer(place: &Place, stem: &str) -> Issuer {
    Issuer::new(bundle(place, &format!("{stem}.crt")), key(place, &format!("{stem}.key"))).unwrap()
}

/// Another authority of the same name.
fn impostor(place: &Place, stem: &str) -> Issuer {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let wanted = blueprint(&bundle(place, &format!("{stem}.crt"))[0]);
    Issuer::new(vec![self_sign(&wanted, &key).unwrap().certificate], key).unwrap()
}

fn without(name: &'static str) -> impl FnOnce(&mut Blueprint) {
    move |wanted| {
        let before = wanted.sans.len();
        wanted.sans.retain(|san| san.to_string() != name);
        assert_eq!(wanted.sans.len() + 1, before, "{name}");
    }
}

/// One line of a kubeconfig.
fn edit(place: &Place, name: &str, field: &str, value: &str) {
    let line = |line: &str| match line.split_once(field) {
        Some((before, _)) => format!("{before}{field}{value}\n"),
        None => format!("{line}\n"),
    };
    place.write(name, place.read(name).lines().map(line).collect::<String>());
}

#[test]
fn a_cluster_is_shaken_node_by_node() {
    let place = cluster();
    let document = place.kpki(VERIFY).status(0).json();
    assert_eq!(refused(&document), BTreeSet::new());
    assert_eq!(states(&document), BTreeSet::from(["half", "not on disk", "ok"]));
    let met: BTreeSet<String> = edges(&document)
        .into_iter()
        .map(|edge| {
            let names: Vec<&str> =
                edge["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            let text = |field: &str| edge[field].as_str().unwrap();
            let (client, server, names) = (text("client"), text("server"), names.join(" "));
            format!("{} {client} -> {server} [{names}] {}", edge["number"], text("state"))
        })
        .collect();
    for expected in [
        "1 cp1/admin.conf -> cp2/apiserver [api.example.com] ok",
        "1 cp1/super-admin.conf -> cp1/apiserver [api.example.com] ok",
        "2 cp2/scheduler.conf -> cp2/apiserver [10.0.0.12] ok",
        "3 w1/kubelet.conf -> cp1/apiserver [api.example.com] ok",
        "3 w1/kubelet.conf -> cp2/apiserver [api.example.com] ok",
        "4 cp1/apiserver-kubelet-client -> w1/kubelet-serving [w1 10.0.0.21] ok",
        "5 cp1/pods -> cp2/apiserver [kubernetes.default.svc 10.96.0.1] ok",
        "6 cp1/apiserver-etcd-client -> cp1/etcd-server [127.0.0.1] ok",
        "6 cp1/apiserver-etcd-client -> cp2/etcd-server [10.0.0.12] ok",
        "7 cp1/etcd-peer -> cp2/etcd-peer [10.0.0.12] ok",
        "7 cp2/etcd-peer -> cp1/etcd-peer [10.0.0.11] ok",
        "8 cp2/etcd-healthcheck-client -> cp2/etcd-server [127.0.0.1] ok",
        "9 cp1/front-proxy-client -> extension-apiserver [] half",
        "10 cp1/admin.conf -> kube-controller-manager [] half",
        "12 kube-apiserver -> webhook [] not on disk",
        "13 cp1/joining node -> cp2/apiserver [api.example.com] half",
    ] {
        assert!(met.contains(expected), "{expected}: {met:#?}");
    }
    let of = |edge: &str| met.iter().filter(|one| one.starts_with(edge)).count();
    assert_eq!((of("2 "), of("4 "), of("7 ")), (4, 6, 2), "each to its own, to all, to all others: {met:#?}");
    let without = place.kpki(&[VERIFY, &["--no-edges"]].concat()).status(0).json();
    assert_eq!(edges(&without).len(), 0);
    let other = place.kpki(&[VERIFY, &["--only", "date"]].concat()).status(0).json();
    assert_eq!(edges(&other).len(), 0);
}

#[test]
fn people_read_a_matrix() {
    let place = cluster();
    place.write(
        "c/nodes/cp2/pki/etcd/peer.key",
        PrivateKey::generate(Algorithm::EcdsaP256).unwrap().to_pem().as_bytes(),
    );
    let run = place.kpki(&["verify", "c", "--at", NOW]).status(4);
    let matrix = run.stdout.split_once("Connections: ").unwrap().1;
    let expected = "\
30 ok, 10 half, 1 not on disk, 2 refused
CLIENT                    APISERVER  KUBELET  ETCD  ETCD-PEER  OTHERS
admin.conf                ok 4                                 half 4
super-admin.conf          ok 2
controller-manager.conf   ok 2
scheduler.conf            ok 2
kubelet.conf              ok 4
apiserver-kubelet-client             ok 6
pods                      ok 4
apiserver-etcd-client                         ok 4
etcd-peer                                           refused 2
etcd-healthcheck-client                       ok 2
front-proxy-client                                             half 2
kube-apiserver                                                 -
joining node              half 4
";
    assert!(matrix.starts_with(expected), "{matrix}");
    assert!(
        matrix.contains("  refused: cp1/etcd-peer -> cp2/etcd-peer: the client refuses, expected a handshake signed")
    );
    assert!(
        matrix.contains("  refused: cp2/etcd-peer -> cp1/etcd-peer: the server refuses, expected a handshake signed")
    );
    assert!(matrix.lines().take(15).all(|line| line.len() <= 80));
    let wide = place.kpki(&["verify", "c", "--at", NOW, "-o", "wide"]).status(4).stdout;
    assert!(wide.contains("a bootstrap token is an object in the cluster"), "{wide}");
    assert!(!run.stdout.contains("bootstrap token"), "by default no more than what is wrong");
}

type Damage = fn(&Place);

/// What is broken, how, and which halves show it.
const TWINS: &[(&str, Damage, &[&str])] = &[
    (
        "a server's certificate that has expired",
        |place| {
            reissue(place, "c/nodes/cp2/pki/etcd/server", &issuer(place, "c/pki/etcd/ca"), |wanted| {
                wanted.not_before = datetime!(2025-01-01 0:00 UTC);
                wanted.not_after = datetime!(2026-01-01 0:00 UTC);
            });
        },
        &[
            "6 cp1/apiserver-etcd-client -> cp2/etcd-server by client",
            "6 cp2/apiserver-etcd-client -> cp2/etcd-server by client",
            "8 cp2/etcd-healthcheck-client -> cp2/etcd-server by client",
        ],
    ),
    (
        "a client's certificate of another authority",
        |place| reissue(place, "c/nodes/cp1/pki/etcd/healthcheck-client", &impostor(place, "c/pki/etcd/ca"), |_| ()),
        &["8 cp1/etcd-healthcheck-client -> cp1/etcd-server by server"],
    ),
    (
        "a client's certificate for servers only",
        |place| {
            let authority = issuer(place, "c/pki/front-proxy-ca");
            let usage = |wanted: &mut Blueprint| wanted.extended_key_usages = vec![ServerAuth];
            reissue(place, "c/nodes/cp1/pki/front-proxy-client", &authority, usage);
        },
        &["9 cp1/front-proxy-client -> extension-apiserver by server"],
    ),
    (
        "a server's certificate for clients only",
        |place| {
            let usage = |wanted: &mut Blueprint| wanted.extended_key_usages = vec![ClientAuth];
            reissue(place, "c/nodes/w1/kubelet/kubelet", &issuer(place, "c/pki/ca"), usage);
        },
        &[
            "4 cp1/apiserver-kubelet-client -> w1/kubelet-serving by client",
            "4 cp2/apiserver-kubelet-client -> w1/kubelet-serving by client",
        ],
    ),
    (
        "an address that is not in the certificate",
        |place| reissue(place, "c/nodes/w1/kubelet/kubelet", &issuer(place, "c/pki/ca"), without("10.0.0.21")),
        &[
            "4 cp1/apiserver-kubelet-client -> w1/kubelet-serving by client",
            "4 cp2/apiserver-kubelet-client -> w1/kubelet-serving by client",
        ],
    ),
    (
        "a service name that is not in the certificate",
        |place| {
            reissue(place, "c/nodes/cp1/pki/apiserver", &issuer(place, "c/pki/ca"), without("kubernetes.default.svc"))
        },
        &["5 cp1/pods -> cp1/apiserver by client", "5 cp2/pods -> cp1/apiserver by client"],
    ),
    (
        "the load balancer is not in one certificate",
        |place| reissue(place, "c/nodes/cp2/pki/apiserver", &issuer(place, "c/pki/ca"), without("api.example.com")),
        &[
            "1 cp1/admin.conf -> cp2/apiserver by client",
            "1 cp1/super-admin.conf -> cp2/apiserver by client",
            "1 cp2/admin.conf -> cp2/apiserver by client",
            "13 cp1/joining node -> cp2/apiserver by client",
            "13 cp2/joining node -> cp2/apiserver by client",
            "3 w1/kubelet.conf -> cp2/apiserver by client",
        ],
    ),
    (
        "another key beside both halves' certificate",
        |place| {
            let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
            place.write("c/nodes/cp2/pki/etcd/peer.key", key.to_pem().as_bytes());
        },
        &["7 cp1/etcd-peer -> cp2/etcd-peer by client", "7 cp2/etcd-peer -> cp1/etcd-peer by server"],
    ),
    (
        "a server's bundle of clients is another",
        |place| {
            let other = impostor(place, "c/pki/ca");
            place.write("c/nodes/w1/pki/ca.crt", other.certificate().to_pem());
        },
        &[
            "4 cp1/apiserver-kubelet-client -> w1/kubelet-serving by server",
            "4 cp2/apiserver-kubelet-client -> w1/kubelet-serving by server",
        ],
    ),
    (
        "a client's bundle of servers is another",
        |place| {
            let other = impostor(place, "c/pki/ca").certificate().to_pem();
            let data = kpki::encoding::base64::encode(other.as_bytes());
            edit(place, "c/nodes/w1/kubelet.conf", "certificate-authority-data: ", &data);
        },
        &["3 w1/kubelet.conf -> cp1/apiserver by client", "3 w1/kubelet.conf -> cp2/apiserver by client"],
    ),
    (
        "a kubeconfig dials an address that nobody has",
        |place| edit(place, "c/nodes/cp1/scheduler.conf", "server: ", "https://10.9.9.9:6443"),
        &["2 cp1/scheduler.conf -> cp1/apiserver by client", "2 cp1/scheduler.conf -> cp2/apiserver by client"],
    ),
    (
        "a node that does not know the key of tokens",
        |place| {
            let key = PrivateKey::generate(Algorithm::Rsa2048).unwrap();
            place.write("c/nodes/cp2/pki/sa.pub", key.public_pem());
        },
        &["5 cp1/pods -> cp2/apiserver by server", "5 cp2/pods -> cp2/apiserver by server"],
    ),
];

#[test]
fn each_half_that_is_broken_shows_exactly_itself() {
    let whole = cluster();
    for (what, damage, expected) in TWINS {
        let place = Place::new();
        copy_tree(&whole.path("c"), &place.path("c"));
        damage(&place);
        let run = place.kpki(VERIFY).status(4);
        assert!(!run.wrote, "{what}");
        let document = run.json();
        let expected: BTreeSet<String> = expected.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(refused(&document), expected, "{what}: {}", run.stdout);
        let (alone, below) = findings(&document);
        assert_eq!(alone, Vec::<&str>::new(), "{what}: one cause, one finding: {}", run.stdout);
        assert!(below > 0, "{what}");
    }
}

#[test]
fn kubeadms_trees_accept_each_other() {
    let mut seen = 0;
    for entry in std::fs::read_dir(repository("fixtures/kubeadm")).unwrap() {
        let folder = entry.unwrap().path();
        let tree = folder.join("etc-kubernetes");
        if !tree.is_dir() || folder.ends_with("v1.36-expired") {
            continue;
        }
        let run = Place::new().kpki(&["verify", tree.to_str().unwrap(), "--at", NOW, "-o", "json"]);
        let document = run.json();
        assert_eq!(refused(&document), BTreeSet::new(), "{}", tree.display());
        seen += edges(&document).iter().filter(|edge| edge["state"] == "ok").count();
    }
    assert!(seen >= 40, "{seen}");
    // There every certificate has expired, each is said once, and whom it cuts off below it.
    let tree = repository("fixtures/kubeadm/v1.36-expired/etc-kubernetes");
    let document = Place::new().kpki(&["verify", tree.to_str().unwrap(), "--at", NOW, "-o", "json"]).status(4).json();
    assert_eq!(states(&document), BTreeSet::from(["not on disk", "refused"]));
    assert_eq!(findings(&document), (vec![], 12));
}

#[test]
fn what_of_an_edge_is_not_here_is_said_and_not_guessed() {
    let place = cluster();
    // A worker by itself: whom it dials has the other half.
    copy_tree(&place.path("c/nodes/w1"), &place.path("w1"));
    let document = place.kpki(&["verify", "w1", "--at", NOW, "-o", "json"]).status(0).json();
    assert_eq!(states(&document), BTreeSet::from(["half", "not on disk"]));
    let half = |number: u64| edges(&document).into_iter().find(|edge| edge["number"] == number).unwrap();
    let result = |edge: &Value, side: &str| edge[side]["result"].as_str().unwrap().to_owned();
    assert_eq!(result(half(3), "byServer"), "accepted");
    assert_eq!(result(half(3), "byClient"), "not-on-disk");
    assert_eq!(result(half(4), "byClient"), "accepted");
    assert_eq!(result(half(4), "byServer"), "not-on-disk");
    // Without a key that can be used nothing is proved, and a certificate that is refused is refused all the same.
    let key = place.read("c/nodes/cp1/pki/etcd/server.key");
    let encrypted = key.replace("EC PRIVATE", "ENCRYPTED PRIVATE");
    place.write("c/nodes/cp1/pki/etcd/server.key", encrypted);
    let document = place.kpki(VERIFY).status(4).json();
    let of_server = |one: &&Value| one["server"] == "cp1/etcd-server";
    for edge in edges(&document).into_iter().filter(of_server) {
        assert_eq!(edge["state"], "not looked at", "{edge}");
        assert_eq!(result(edge, "byServer"), "accepted");
    }
    assert_eq!(refused(&document), BTreeSet::new());
    let late = ["verify", "c", "--at", "2040-01-01T00:00:00Z", "-o", "json"];
    let document = place.kpki(&late).status(4).json();
    assert!(edges(&document).into_iter().filter(of_server).all(|edge| edge["state"] == "refused"));
}

#[test]
fn a_manifest_says_whom_a_component_verifies_and_what_it_serves() {
    let manifest = |program: &str, flag: &str| format!("spec:\n  containers:\n  - command: [{program}, {flag}]\n");
    let verifies = "--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt";
    for (component, flag, row, expected) in [
        ("kube-apiserver", "--v=1", 4, "half"),
        ("kube-apiserver", verifies, 4, "ok"),
        ("kube-apiserver", "--kubelet-certificate-authority=/etc/other.crt", 4, "not looked at"),
        ("kube-controller-manager", "--v=1", 10, "half"),
        ("kube-controller-manager", "--tls-cert-file=/etc/cm.crt", 10, "not looked at"),
    ] {
        let place = Place::new();
        place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
        place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
        place.write(&format!("t/manifests/{component}.yaml"), manifest(component, flag));
        let document = place.kpki(&["verify", "t", "--at", NOW, "-o", "json"]).json();
        let edge = edges(&document).into_iter().find(|edge| edge["number"] == row).unwrap();
        assert_eq!(edge["state"], expected, "{component} {flag}: {edge}");
    }
}

#[test]
fn other_certificates_of_the_profile_are_edges_too() {
    let extra = "extraCertificates:\n- {name: check, usages: [client]}\n- {name: lb, usages: [server], certSANs: [lb.example.com]}\n\
                 - {name: backup, authority: etcd-ca, usages: [client]}\n";
    let place = Place::new();
    place.write("p.yaml", single(&format!("encryptionAlgorithm: ECDSA-P256\n{extra}")));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    let document =
        place.kpki(&["verify", "--profile", "p.yaml", "--dir", "t", "--at", NOW, "-o", "json"]).status(0).json();
    let of = |number: u64| edges(&document).into_iter().filter(move |edge| edge["number"] == number);
    let found: BTreeSet<String> =
        of(11).map(|edge| format!("{} {} {}", edge["client"], edge["server"], edge["state"])).collect();
    let expected =
        ["\"backup\" \"etcd-server\" \"ok\"", "\"check\" \"apiserver\" \"ok\"", "\"clients of lb\" \"lb\" \"half\""];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn hostile_files_are_judged_or_named() {
    let whole = cluster();
    let names: Vec<String> = whole.files().into_keys().filter(|name| name.contains("nodes/cp1/")).collect();
    let other = whole.read("c/nodes/cp2/pki/apiserver.crt");
    for name in names.iter().filter(|name| [".crt", ".key", ".pub", ".conf"].iter().any(|end| name.ends_with(end))) {
        let before = whole.read(name);
        let half = before.split_at(before.len() / 2).0;
        for hostile in ["hello", half, other.as_str()] {
            whole.write(name, hostile);
            let run = whole.kpki(VERIFY);
            assert!([0, 3, 4].contains(&run.status), "{name}: {run:?}");
            run.json();
        }
        whole.write(name, &before);
    }
    assert_eq!(refused(&whole.kpki(VERIFY).json()), BTreeSet::new());
}
