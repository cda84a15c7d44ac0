//! `kpki verify --live` against servers on this machine: what each state says, counts and advises.

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};

use super::harness::{NOW, Place, Run, single};
use super::servers::{self, Tls, closed_port, on_loopback};

/// Every port that a control-plane node has.
const ALL: [&str; 6] = ["apiserver", "etcd-server", "etcd-peer", "kubelet-serving", "controller-manager", "scheduler"];

/// One node's tree, and what is asked where: nothing by its own addresses.
struct Node {
    place: Place,
    at: Vec<(&'static str, SocketAddr)>,
}

impl Node {
    fn new(extra: &str) -> Self {
        let place = Place::new();
        place.write("p.yaml", single(extra));
        place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
        let nobody = closed_port();
        Self { place, at: ALL.map(|name| (name, nobody)).to_vec() }
    }

    /// The pair of an entry as it is now.
    fn pair(&self, stem: &str) -> Tls {
        Tls::of(&self.place.path("k8s").join(stem))
    }

    fn serves(&mut self, name: &'static str, tls: Tls) {
        self.is_at(name, on_loopback(tls.answer()));
    }

    fn is_at(&mut self, name: &'static str, at: SocketAddr) {
        self.at.retain(|(known, _)| *known != name);
        self.at.push((name, at));
    }

    fn verify(&self, at: &str, words: &[&str]) -> Run {
        let endpoints: Vec<String> = self.at.iter().map(|(name, at)| format!("--endpoint={name}={at}")).collect();
        let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
        self.place.kpki(&[&["verify", "k8s", "--live", "--at", at], &endpoints[..], words].concat())
    }

    /// The rows, by their endpoint, and the exit status.
    fn rows(&self, at: &str) -> (i32, Value) {
        let run = self.verify(at, &["-o", "json", "--only", "served"]);
        assert!(!run.wrote);
        (run.status, run.json()["clusters"][0].clone())
    }
}

fn row<'v>(cluster: &'v Value, name: &str) -> &'v Value {
    let rows = cluster["served"]["endpoints"].as_array().unwrap();
    rows.iter().find(|row| row["endpoint"] == name).unwrap_or_else(|| panic!("{name}: {cluster}"))
}

fn rules(cluster: &Value) -> Vec<&str> {
    cluster["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect()
}

/// Everything runs, and serves what is on disk or was made in memory.
fn running() -> Node {
    let mut node = Node::new("");
    let (cluster, etcd) = (node.place.path("k8s/pki/ca.crt"), node.place.path("k8s/pki/etcd/ca.crt"));
    let memory = Node::new("");
    node.serves("apiserver", node.pair("pki/apiserver").requires(&cluster));
    node.serves("etcd-server", node.pair("pki/etcd/server").requires(&etcd));
    node.serves("etcd-peer", node.pair("pki/etcd/peer").requires(&etcd));
    node.serves("kubelet-serving", node.pair("kubelet/kubelet").requires(&cluster));
    node.serves("controller-manager", memory.pair("pki/ca"));
    node.serves("scheduler", memory.pair("pki/ca"));
    node
}

#[test]
fn what_is_on_disk_is_served() {
    let node = running();
    let (status, cluster) = node.rows(NOW);
    assert_eq!((status, rules(&cluster)), (0, vec![]), "{cluster}");
    for (name, state, clients) in [
        ("apiserver", "same", json!(["kubernetes"])),
        ("etcd-server", "same", json!(["etcd-ca"])),
        ("etcd-peer", "same", json!(["etcd-ca"])),
        ("kubelet-serving", "same", json!(["kubernetes"])),
        ("controller-manager", "nothing on disk", Value::Null),
        ("scheduler", "nothing on disk", Value::Null),
    ] {
        let row = row(&cluster, name);
        assert_eq!((&row["state"], &row["clientAuthorities"]), (&json!(state), &clients), "{row}");
    }
    let said = node.verify(NOW, &["--only", "served"]).ok().stdout;
    assert!(said.contains("served: everything new is being served (6 endpoints: 4 same, 2 nothing on disk)"), "{said}");
    assert!(said.contains("- controller-manager, scheduler: self-signed, as components make it in memory"), "{said}");
}

#[test]
fn what_was_renewed_is_still_served() {
    let node = running();
    let later = "2026-12-20T22:00:00Z";
    node.place.kpki(&["renew", "apiserver", "etcd-server", "--dir", "k8s", "--at", later]).ok();
    let (status, cluster) = node.rows(later);
    assert_eq!((status, rules(&cluster)), (3, vec!["served/older", "served/older"]), "{cluster}");
    let (apiserver, etcd) = (row(&cluster, "apiserver"), row(&cluster, "etcd-server"));
    assert_eq!((&apiserver["state"], &etcd["state"]), (&json!("older"), &json!("older")));
    assert_eq!(row(&cluster, "etcd-peer")["state"], "same");
    assert_ne!(apiserver["served"]["serial"], apiserver["onDisk"]["serial"]);
    assert_eq!(apiserver["steps"], json!(["crictl stop $(crictl ps -q --name '^kube-apiserver$')"]));
    let why = apiserver["why"].as_str().unwrap();
    assert!(why.contains("kube-apiserver takes it up by itself, within a minute"), "{why}");
    let said = node.verify(later, &["--only", "served"]).status(3).stdout;
    assert!(said.contains("served: still the old one at apiserver, etcd-server (6 endpoints:"), "{said}");
}

#[test]
fn what_is_served_is_not_what_is_on_disk() {
    let mut node = running();
    let stranger = Node::new("");
    node.serves("apiserver", stranger.pair("pki/apiserver"));
    node.serves("etcd-server", node.pair("pki/etcd/peer"));
    node.serves("kubelet-serving", stranger.pair("pki/ca"));
    let (status, cluster) = node.rows(NOW);
    assert_eq!((status, rules(&cluster)), (4, vec!["served/other"; 3]), "{cluster}");
    for (name, why) in [
        (
            "apiserver",
            "signed by another ca than the one on disk: another cluster's, or the one before it was replaced",
        ),
        ("etcd-server", "it is the certificate of etcd-peer"),
        ("kubelet-serving", "self-signed, as components make it in memory"),
    ] {
        let row = row(&cluster, name);
        assert_eq!((&row["state"], &row["why"]), (&json!("other"), &json!(why)), "{row}");
    }
    // Files were put back, and the component has the newer ones.
    let mut node = running();
    let old = ["crt", "key"].map(|end| node.place.read(&format!("k8s/pki/apiserver.{end}")));
    let later = "2026-12-20T22:00:00Z";
    node.place.kpki(&["renew", "apiserver", "--dir", "k8s", "--at", later]).ok();
    node.serves("apiserver", node.pair("pki/apiserver"));
    for (end, text) in ["crt", "key"].into_iter().zip(old) {
        node.place.write(&format!("k8s/pki/apiserver.{end}"), text);
    }
    let (status, cluster) = node.rows(later);
    let why = row(&cluster, "apiserver")["why"].as_str().unwrap();
    assert!(status == 4 && why.starts_with("it is newer than the one on disk"), "{cluster}");
}

#[test]
fn what_is_served_has_expired_or_will() {
    let node = running();
    // Those that were made in memory live for ten years.
    for (at, status, rule, count, validity) in [
        ("2027-11-01T00:00:00Z", 3, "served/ending", 4, "ending"),
        ("2028-01-01T00:00:00Z", 4, "served/expired", 4, "expired"),
        ("2026-11-01T00:00:00Z", 4, "served/expired", 6, "not yet valid"),
    ] {
        let (found, cluster) = node.rows(at);
        assert_eq!((found, rules(&cluster)), (status, vec![rule; count]), "{at}: {cluster}");
        let row = row(&cluster, "apiserver");
        assert_eq!((&row["state"], &row["served"]["validity"]), (&json!("same"), &json!(validity)), "{row}");
    }
    // One cause, one finding: the file has expired, and so has what is served of it.
    let run = node.verify("2028-01-01T00:00:00Z", &["-o", "json", "--only", "served,date"]);
    let cluster = run.json()["clusters"][0].clone();
    assert!(!rules(&cluster).contains(&"served/expired"), "{cluster}");
    let findings = cluster["findings"].as_array().unwrap();
    let below = |one: &&Value| one["follows"].as_array().unwrap().iter().any(|one| one["rule"] == "served/expired");
    assert_eq!(findings.iter().filter(below).count(), 4, "{cluster}");
}

#[test]
fn what_does_not_answer_is_counted() {
    let mut node = running();
    node.is_at("apiserver", closed_port());
    node.is_at("etcd-server", on_loopback(servers::garbage));
    node.is_at("etcd-peer", on_loopback(servers::endless));
    node.is_at("kubelet-serving", on_loopback(servers::silent));
    let run = node.verify(NOW, &["-o", "json", "--only", "served", "--live-timeout", "1s"]).status(3);
    let cluster = run.json()["clusters"][0].clone();
    for (name, why) in [
        ("apiserver", "nothing listens there (connection refused)"),
        ("etcd-server", "expected TLS, found something else"),
        ("etcd-peer", "expected a certificate within 65536 bytes, found more"),
        ("kubelet-serving", "no answer in time"),
    ] {
        let row = row(&cluster, name);
        assert_eq!((&row["state"], &row["why"]), (&json!("unreachable"), &json!(why)), "{row}");
    }
    assert_eq!(cluster["notLookedAt"].as_array().unwrap().len(), 4, "{cluster}");
    assert_eq!(rules(&cluster), [""; 0]);
}

#[test]
fn a_cluster_directory_knows_whose_certificate_a_load_balancer_showed() {
    let place = Place::new();
    let nodes = "- name: cp2\n  addresses: [10.0.0.12]\n- name: w1\n  roles: [worker]\n";
    place.write("p.yaml", single(&format!("{nodes}controlPlaneEndpoint: lb.example.com:6443\n")));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let pair = |node: &str, stem: &str| Tls::of(&place.path(&format!("c/nodes/{node}/{stem}")));
    let nobody = closed_port();
    let (one, two) =
        (on_loopback(pair("cp1", "pki/apiserver").answer()), on_loopback(pair("cp2", "pki/apiserver").answer()));
    let mut words: Vec<String> =
        ["verify", "c", "--live", "--at", NOW, "-o", "json", "--only", "served"].map(str::to_owned).to_vec();
    let mut give = |name: String, at: SocketAddr| words.push(format!("--endpoint={name}={at}"));
    for name in ["etcd-server", "etcd-peer", "kubelet-serving"] {
        for node in ["cp1", "cp2"] {
            give(format!("{node}/{name}"), nobody);
        }
    }
    give("w1/kubelet-serving".to_owned(), nobody);
    // cp1's address leads to cp2.
    give("cp1/apiserver".to_owned(), two);
    give("cp2/apiserver".to_owned(), two);
    give("apiserver".to_owned(), one);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let cluster = place.kpki(&words).status(4).json()["clusters"][0].clone();
    for (name, state) in [("cp1/apiserver", "other"), ("cp2/apiserver", "same"), ("apiserver", "same")] {
        assert_eq!(row(&cluster, name)["state"], state, "{cluster}");
    }
    assert_eq!(row(&cluster, "cp1/apiserver")["why"], "it is the certificate of cp2/apiserver");
    let on_disk = row(&cluster, "apiserver")["onDisk"]["path"].as_str().unwrap().to_owned();
    assert!(on_disk.ends_with("nodes/cp1/pki/apiserver.crt"), "{on_disk}");
    let elsewhere = json!(["cp1/controller-manager", "cp1/scheduler", "cp2/controller-manager", "cp2/scheduler"]);
    assert_eq!(cluster["served"]["elsewhere"], elsewhere);
}

/// By what the profiles say: loopback is a node's address here.
#[test]
fn a_fleet_is_asked_at_its_nodes() {
    let place = Place::new();
    let mut at = Vec::new();
    for name in ["one", "two"] {
        // The port has to be known before there is a certificate to serve.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let profile = single(&format!("  bindPort: {port}\nclusterName: {name}\n")).replace("10.0.0.11", "127.0.0.1");
        place.write(&format!("clusters/{name}.yaml"), profile);
        let (profile, dir) = (format!("clusters/{name}.yaml"), format!("clusters/{name}"));
        place.init(&["--profile", &profile, "--dir", &dir]).ok();
        servers::at(listener, Tls::of(&place.path(&format!("{dir}/pki/apiserver"))).answer());
        at.push(format!("127.0.0.1:{port}"));
    }
    let run =
        place.kpki(&["verify", "--profiles", "clusters", "--live", "--at", NOW, "-o", "json", "--only", "served"]);
    let said = run.json();
    for (cluster, at) in said["clusters"].as_array().unwrap().iter().zip(&at) {
        let row = row(cluster, "apiserver");
        assert_eq!((&row["state"], &row["address"]), (&json!("same"), &json!(at)), "{row}");
    }
    assert_eq!(said["clusters"].as_array().unwrap().len(), 2);
}

#[test]
fn a_tree_without_a_profile_is_asked_at_loopback_only() {
    let node = Node::new("");
    let bare = Place::new();
    super::harness::copy_tree(&node.place.path("k8s"), &bare.path("k8s"));
    std::fs::remove_dir_all(bare.path("k8s/.kpki")).unwrap();
    let nobody = closed_port();
    let given: Vec<String> = ALL.iter().map(|name| format!("--endpoint={name}={nobody}")).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let run =
        bare.kpki(&[&["verify", "k8s", "--live", "--at", NOW, "-o", "json", "--only", "served"], &given[..]].concat());
    let cluster = run.status(3).json()["clusters"][0].clone();
    let skipped: Vec<&str> =
        cluster["notLookedAt"].as_array().unwrap().iter().filter_map(|one| one["why"].as_str()).collect();
    let named =
        "names it, which is neither a node of the profile nor its controlPlaneEndpoint: --live-all asks there, too";
    assert_eq!(skipped.iter().filter(|why| why.contains(named)).count(), 1, "{cluster}");
}

#[test]
fn an_extra_certificate_is_asked_where_it_is_given() {
    let extra = "extraCertificates:\n- name: web\n  authority: ca\n  usages: [server]\n  certSANs: [web.example.com]\n";
    let mut node = Node::new(extra);
    node.serves("web", node.pair("pki/web"));
    let (_, cluster) = node.rows(NOW);
    assert_eq!(row(&cluster, "web")["state"], "same");
    assert_eq!(row(&cluster, "web")["component"], Value::Null);
}

#[test]
fn wrong_endpoints_are_refused_before_anything_is_asked() {
    let node = Node::new("");
    super::harness::copy_tree(&node.place.path("k8s"), &node.place.path("other"));
    for (words, said) in [
        (&["--live", "--endpoint", "ca=127.0.0.1:1"][..], "give one of apiserver, etcd-server"),
        (&["--live", "--endpoint", "cp9/apiserver=127.0.0.1:1"], "nothing of this name is served"),
        (&["--live", "--endpoint", "apiserver=::1:6443"], "IPv6 in brackets"),
        (&["--live", "--endpoint", "apiserver"], "expected NAME=HOST:PORT"),
        (&["--endpoint", "apiserver=127.0.0.1:1"], "--live"),
        (&["--live-all"], "--live"),
        (&["--live", "--live-timeout", "0"], "a duration from 1s to 60s"),
        (&["--live", "--live-timeout", "2m"], "a duration from 1s to 60s"),
        (&["--live", "other", "--endpoint", "apiserver=127.0.0.1:1"], "--endpoint is for one tree"),
    ] {
        let run = node.place.kpki(&[&["verify", "k8s", "--at", NOW], words].concat()).fails(2);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn link_local_is_not_asked_whoever_names_it() {
    let mut node = Node::new("");
    node.is_at("apiserver", "169.254.169.254:443".parse().unwrap());
    node.is_at("etcd-server", "[fe80::1]:2379".parse().unwrap());
    let (status, cluster) = node.rows(NOW);
    assert_eq!(status, 3);
    assert_eq!(row(&cluster, "apiserver")["why"], "169.254.169.254 is link-local: nothing is asked there");
    assert_eq!(row(&cluster, "etcd-server")["why"], "fe80::1 is link-local: nothing is asked there");
}

/// Only what a person says opens a connection: without the flag nobody is asked.
#[test]
fn nothing_is_asked_without_the_flag() {
    let node = running();
    let run = node.place.kpki(&["verify", "k8s", "--at", NOW, "-o", "json"]);
    assert_eq!(run.json()["clusters"][0]["served"], Value::Null);
}
