use time::macros::datetime;
use zeroize::Zeroizing;

use super::*;
use crate::catalog::releases::KnownRelease;
use crate::profile::{Overrides, Source as Text, load};
use crate::tree::rotation::Record;
use crate::tree::{Origin, ProfileAt};
use crate::verify::{Content, File, Kubeconfig, Part};

const TWO: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
controlPlaneEndpoint: lb.example.com:443
nodes:
- name: cp1
  addresses: [10.0.0.11]
  bindPort: 7443
- name: cp2
  addresses: [2001:db8::12]
- name: w1
  roles: [worker]
- name: lb1
  roles: [load-balancer]
  addresses: [10.0.0.50]
extraCertificates:
- name: web
  authority: ca
  usages: [server]
  certSANs: [web.example.com]
";

fn profile(text: &str) -> Profile {
    load(Text { name: "p.yaml", bytes: text.as_bytes() }, &Overrides::default()).unwrap().profile
}

fn cluster<'p>(profile: Option<&'p Profile>, trees: Vec<Tree>) -> Cluster<'p> {
    let origin = Origin::new("t", ProfileAt::Unknown);
    let (release, at) = (KnownRelease::default(), datetime!(2026-11-20 22:00 UTC));
    Cluster {
        root: "t".to_owned(),
        profile,
        origin,
        release,
        layout: None,
        trees,
        record: Record::default(),
        journal: None,
        at,
    }
}

fn tree(node: Option<&str>, files: Vec<File>) -> Tree {
    Tree {
        root: "t".to_owned(),
        node: node.map(str::to_owned),
        is_shared: false,
        in_cluster: false,
        certificates: None,
        owner: None,
        files,
    }
}

fn shared() -> Tree {
    Tree { is_shared: true, ..tree(None, Vec::new()) }
}

fn file(entry: &str, part: Part, content: Content) -> File {
    let path = format!("t/{entry}");
    let entry = entry.to_owned();
    File { entry, part, path, authority: None, required: false, metadata: None, content }
}

/// There, whatever is in it.
fn present(entry: &str) -> File {
    file(entry, Part::Certificate, Content::Broken(String::new()))
}

fn kubeconfig(entry: &str, server: &str) -> File {
    let content = Kubeconfig {
        server: server.to_owned(),
        server_name: None,
        is_insecure: false,
        authority: Vec::new(),
        certificates: Vec::new(),
        certificate_file: None,
        key: None,
        others: Vec::new(),
        not_here: Vec::new(),
    };
    file(entry, Part::Kubeconfig, Content::Kubeconfig(Box::new(content)))
}

fn manifest(component: &str, flags: &str) -> File {
    let text = format!("kind: Pod\nspec:\n  containers:\n  - command: [{component}, {flags}]\n");
    file(component, Part::Manifest, Content::Text(Zeroizing::new(text.into_bytes())))
}

fn given(texts: &[&str]) -> Vec<Given> {
    texts.iter().map(|text| Given::parse(text).unwrap()).collect()
}

/// `ID at ADDRESS`, what is asked and what is not.
fn said(found: &Endpoints) -> (Vec<String>, Vec<String>, Vec<String>) {
    let asked = found.asked.iter().map(|one| format!("{} {}", one.id, one.peer)).collect();
    let peer = |peer: &Option<Peer>| peer.as_ref().map_or("-".to_owned(), ToString::to_string);
    let skipped = found.skipped.iter().map(|one| format!("{} {}", one.id, peer(&one.peer))).collect();
    (asked, skipped, found.elsewhere.iter().map(ToString::to_string).collect())
}

/// A load balancer has no kubelet that could be asked.
#[test]
fn a_cluster_directory_is_asked_at_its_nodes_and_its_load_balancer() {
    let profile = profile(TWO);
    let trees = || {
        vec![
            shared(),
            tree(Some("cp1"), vec![]),
            tree(Some("cp2"), vec![]),
            tree(Some("w1"), vec![]),
            tree(Some("lb1"), vec![]),
        ]
    };
    let (asked, skipped, elsewhere) = said(&endpoints(&cluster(Some(&profile), trees()), &[], false).unwrap());
    assert_eq!(
        asked,
        [
            "cp1/apiserver 10.0.0.11:7443",
            "cp1/etcd-server 10.0.0.11:2379",
            "cp1/etcd-peer 10.0.0.11:2380",
            "cp1/kubelet-serving 10.0.0.11:10250",
            "cp2/apiserver [2001:db8::12]:6443",
            "cp2/etcd-server [2001:db8::12]:2379",
            "cp2/etcd-peer [2001:db8::12]:2380",
            "cp2/kubelet-serving [2001:db8::12]:10250",
            "apiserver lb.example.com:443",
        ]
    );
    // A worker without an address cannot be asked, and that is said.
    assert_eq!(skipped, ["w1/kubelet-serving -"]);
    assert_eq!(elsewhere, ["cp1/controller-manager", "cp1/scheduler", "cp2/controller-manager", "cp2/scheduler"]);

    let more = given(&["cp1/apiserver=10.9.9.9:6443", "w1/kubelet-serving=w1.example.com:10250", "web=10.9.9.8:443"]);
    let (asked, skipped, _) = said(&endpoints(&cluster(Some(&profile), trees()), &more, false).unwrap());
    assert!(!asked.contains(&"cp1/apiserver 10.0.0.11:7443".to_owned()), "{asked:?}");
    assert_eq!(asked[0], "cp1/apiserver 10.9.9.9:6443");
    assert_eq!(
        asked[8..],
        ["w1/kubelet-serving w1.example.com:10250", "apiserver lb.example.com:443", "web 10.9.9.8:443"]
    );
    assert_eq!(skipped, [""; 0]);
}

#[test]
fn one_nodes_tree_is_asked_at_its_own_addresses() {
    let profile = profile(TWO);
    let own = cluster(Some(&profile), vec![tree(Some("cp1"), vec![])]);
    let (asked, skipped, elsewhere) = said(&endpoints(&own, &[], false).unwrap());
    assert_eq!(
        asked,
        [
            "apiserver 10.0.0.11:7443",
            "apiserver lb.example.com:443",
            "etcd-server 10.0.0.11:2379",
            "etcd-peer 10.0.0.11:2380",
            "kubelet-serving 10.0.0.11:10250",
            "controller-manager 127.0.0.1:10257",
            "scheduler 127.0.0.1:10259",
        ]
    );
    assert_eq!((skipped, elsewhere), (vec![], vec![]));
    let six = cluster(Some(&profile), vec![tree(Some("cp2"), vec![])]);
    assert!(said(&endpoints(&six, &[], false).unwrap()).0.contains(&"scheduler [::1]:10259".to_owned()));
}

#[test]
fn without_a_profile_loopback_is_asked_and_what_files_name_is_listed() {
    let files = || {
        vec![
            present("apiserver"),
            present("etcd-server"),
            present("etcd-peer"),
            kubeconfig("kubelet.conf", "https://10.0.0.11:6443"),
            kubeconfig("scheduler.conf", "https://127.0.0.1:7443"),
            manifest("kube-apiserver", "--secure-port=7443, '--etcd-servers=https://127.0.0.1:2379'"),
            manifest(
                "etcd",
                "'--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.11:2379,https://0.0.0.0:2379'",
            ),
            manifest("kube-scheduler", "--secure-port, '20259'"),
        ]
    };
    let of = |all| said(&endpoints(&cluster(None, vec![tree(None, files())]), &[], all).unwrap());
    let (asked, skipped, _) = of(false);
    let own = [
        "apiserver 127.0.0.1:7443",
        "etcd-server 127.0.0.1:2379",
        "kubelet-serving 127.0.0.1:10250",
        "scheduler 127.0.0.1:20259",
    ];
    assert_eq!(asked, own);
    assert_eq!(skipped, ["etcd-peer -", "apiserver 10.0.0.11:6443", "etcd-server 10.0.0.11:2379"]);
    let (asked, skipped, _) = of(true);
    let further = ["apiserver 10.0.0.11:6443", "etcd-server 10.0.0.11:2379"];
    assert_eq!(asked, [own[0], further[0], own[1], further[1], own[2], own[3]]);
    assert_eq!(skipped, ["etcd-peer -"]);
}

#[test]
fn what_is_replaced_is_not_asked_because_a_file_names_it() {
    let profile = profile(TWO);
    let files = || vec![kubeconfig("admin.conf", "https://10.0.0.11:7443")];
    let own = cluster(Some(&profile), vec![tree(Some("cp1"), files())]);
    let all = ["apiserver", "etcd-server", "etcd-peer", "kubelet-serving", "controller-manager", "scheduler"];
    let all: Vec<String> = all.iter().map(|name| format!("{name}=127.0.0.1:9")).collect();
    let all = given(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let (asked, skipped, _) = said(&endpoints(&own, &all, true).unwrap());
    assert!(asked.iter().all(|one| one.ends_with(" 127.0.0.1:9")) && asked.len() == 6, "{asked:?}");
    assert_eq!(skipped, [""; 0]);
}

#[test]
fn a_name_nobody_has_is_refused_with_those_there_are() {
    let profile = profile(TWO);
    let one = || cluster(Some(&profile), vec![shared(), tree(Some("cp1"), vec![])]);
    for (text, known) in
        [("web2=10.0.0.1:1", "web"), ("cp9/apiserver=10.0.0.1:1", "cp1/apiserver"), ("ca=10.0.0.1:1", "apiserver")]
    {
        let refused = endpoints(&one(), &given(&[text]), false).unwrap_err();
        assert!(refused.known.iter().any(|name| name == known), "{text}: {refused:?}");
    }
}
