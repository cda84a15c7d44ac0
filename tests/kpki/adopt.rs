//! `kpki adopt`: a cluster directory from the files of nodes that exist.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use super::harness::{NOW, Place, Run, copy_tree, repository, tree};

const HA: [(&str, &str); 2] = [("cp1", "v1.36-ha-ecdsa-cp1"), ("cp2", "v1.36-ha-ecdsa-cp2")];

/// A node's root, as it is on the node: `NAME/etc/kubernetes`.
fn node(place: &Place, name: &str, fixture: &str) {
    let from = repository(&format!("fixtures/kubeadm/{fixture}/etc-kubernetes"));
    copy_tree(&from, &place.path(&format!("{name}/etc/kubernetes")));
}

/// Two control-plane nodes that kubeadm made.
fn ha() -> Place {
    let place = Place::new();
    for (name, fixture) in HA {
        node(&place, name, fixture);
    }
    place
}

fn adopt(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["adopt", "--at", NOW], words].concat())
}

/// Path, content, and every instant the file system knows.
fn untouched(root: &Path) -> Vec<(String, Vec<u8>, i64, i64, i64, i64)> {
    let files = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(Result::unwrap);
    let one = |entry: walkdir::DirEntry| {
        let meta = entry.path().symlink_metadata().unwrap();
        let content = if meta.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
        (entry.path().display().to_string(), content, meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec())
    };
    files.map(one).collect()
}

/// Paths below a directory to their bytes.
fn bytes(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = tree(root).into_iter().filter(|(name, _)| !name.ends_with('/') && !name.ends_with('@'));
    all.map(|(name, (_, bytes))| (name, bytes)).collect()
}

fn tar(place: &Place, name: &str, dir: &str, below: &str, gzip: bool) {
    let mut builder = tar::Builder::new(Vec::new());
    builder.follow_symlinks(false);
    builder.append_dir_all(below, place.path(dir)).unwrap();
    let plain = builder.into_inner().unwrap();
    let mut packed = Vec::new();
    if gzip {
        use std::io::Read as _;
        flate2::read::GzEncoder::new(plain.as_slice(), flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
    }
    place.write(name, if gzip { packed } else { plain });
}

/// As Debian's kubeadm writes it, as far as it is read.
fn manifest(place: &Place, node: &str, flags: &[&str]) {
    let lines: String = flags.iter().map(|flag| format!("    - {flag}\n")).collect();
    place.write(
        &format!("{node}/etc/kubernetes/manifests/kube-apiserver.yaml"),
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-apiserver\nspec:\n  containers:\n  - command:\n    - kube-apiserver\n\
             {lines}    image: registry.k8s.io/kube-apiserver:v1.36.2\n    name: kube-apiserver\n"
        ),
    );
}

#[test]
fn two_nodes_that_kubeadm_made_become_one_directory_and_are_not_touched() {
    let place = ha();
    let before = HA.map(|(name, _)| untouched(&place.path(name)));
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    assert!(run.stdout.starts_with("adopted 2 nodes of cluster prod into c: 35 entries\n"), "{}", run.stdout);
    // The second API server was made without the first one's name, and kpki's are for all.
    let differs: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("differs: ")).collect();
    assert_eq!(differs, ["differs: cp2/apiserver (nodes/cp2/pki/apiserver.crt): missing names: cp1, 10.0.0.11"]);
    assert!(!run.stdout.contains("not taken: "), "{}", run.stdout);
    assert_eq!(before, HA.map(|(name, _)| untouched(&place.path(name))));

    for (name, _) in HA {
        let (node, taken) =
            (bytes(&place.path(&format!("{name}/etc/kubernetes"))), bytes(&place.path(&format!("c/nodes/{name}"))));
        assert_eq!(node.keys().collect::<Vec<_>>(), taken.keys().collect::<Vec<_>>(), "{name}");
        assert!(node == taken, "{name}");
    }
    let first = bytes(&place.path("cp1/etc/kubernetes/pki"));
    for name in ["ca.crt", "ca.key", "front-proxy-ca.key", "etcd/ca.crt", "etcd/ca.key", "sa.key", "sa.pub"] {
        assert!(bytes(&place.path("c/pki"))[name] == first[name], "{name}");
    }
    for (name, (mode, _)) in tree(&place.path("c")) {
        let is_secret = [".key", ".conf", ".pub"].iter().any(|end| name.ends_with(end));
        assert!(!is_secret || mode == 0o600, "{name}: {mode:o}");
    }
    let profile = place.read("c/.kpki/profile.yaml");
    for line in [
        "clusterName: prod\n",
        "controlPlaneEndpoint: api.k8s.example.com:6443\n",
        "  serviceSubnet: 10.96.0.0/12\n",
        "  dnsDomain: cluster.local\n",
        "  certSANs: [cp3, lb.k8s.example.com, 203.0.113.10, 10.0.0.13]\n",
        "encryptionAlgorithm: ECDSA-P256\n",
        "certificateValidityPeriod: 365d\n",
        "caCertificateValidityPeriod: 3650d\n",
        "caKeys: control-plane\n",
    ] {
        assert!(profile.contains(line), "{line}{profile}");
    }
    let journal = place.read("c/.kpki/journal.jsonl");
    // Three authorities, twelve of cp1 and eleven of cp2.
    assert_eq!(journal.lines().count(), 26, "{journal}");
    assert!(journal.lines().all(|line| line.contains("\"command\":\"adopt\"")), "{journal}");
}

#[test]
fn what_was_adopted_is_managed_as_if_it_had_been_made_here() {
    let place = ha();
    adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    let at = |words: &[&str]| place.kpki(&[words, &["--dir", "c", "--at", NOW]].concat());
    // Until the second API server has the first one's name.
    let verified = at(&["verify"]).status(4);
    assert!(verified.stdout.starts_with("error: 1 error, "), "{}", verified.stdout);
    at(&["check-expiration"]).status(0);
    let dry = at(&["renew", "all", "--dry-run"]).status(0);
    assert!(dry.stdout.starts_with("would renew 23 of 23 certificates"), "{}", dry.stdout);
    at(&["export", "cp1", "--out", "cp1.tar.gz"]).status(0);
    let refused = at(&["export", "cp2", "--out", "cp2.tar.gz"]).status(1);
    assert!(refused.stderr.contains("missing names: cp1, 10.0.0.11"), "{}", refused.stderr);
    // What the report advises.
    at(&["renew", "cp2/apiserver"]).status(0);
    at(&["export", "cp2", "--out", "cp2.tar.gz"]).status(0);
    at(&["init"]).status(0);
    at(&["verify"]).status(0);
    // A certificate that is known from the journal alone.
    let line: serde_json::Value = place
        .read("c/.kpki/journal.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|line| line["entry"] == "cp2/apiserver" && line["command"] == "adopt")
        .unwrap();
    at(&["revoke", "--authority", "ca", "--serial", line["serial"].as_str().unwrap()]).status(0);
    at(&["revoke", "cp1/etcd-peer"]).status(0);
    assert!(place.path("c/pki/etcd/ca.crl").exists());
    place.kpki(&["history", "--dir", "c"]).status(0);
}

#[test]
fn archives_give_what_directories_give() {
    let place = ha();
    adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    tar(&place, "whole.tar.gz", "cp1", ".", true);
    tar(&place, "part.tar", "cp2/etc/kubernetes", "kubernetes", false);
    let run = adopt(&place, &["whole.tar.gz", "part.tar", "--dir", "d"]).status(5);
    assert!(run.stdout.contains("whole.tar.gz"), "{}", run.stdout);
    let without = |name: &str| {
        let mut all = bytes(&place.path(name));
        all.retain(|name, _| !name.starts_with(".kpki/lock"));
        all
    };
    let (c, d) = (without("c"), without("d"));
    assert_eq!(c.keys().collect::<Vec<_>>(), d.keys().collect::<Vec<_>>());
    let other: Vec<&String> = c.keys().filter(|name| c[*name] != d[*name]).collect();
    assert_eq!(other, Vec::<&String>::new());
}

#[test]
fn every_tree_of_kubeadm_is_taken_as_it_is() {
    // Fixture, exit status, and what the report has.
    for (fixture, status, says) in [
        ("v1.20-rsa2048", 0, "kubernetesVersion: v1.28.0"),
        ("v1.36-default-rsa2048", 0, "cluster kubernetes"),
        ("v1.36-dualstack-p384", 0, "serviceSubnet: fd00:10:96::/112"),
        ("v1.36-expired", 5, "differs: apiserver (pki/apiserver.crt): expired at 2026-11-20T21:06:30Z"),
        ("v1.36-external-ca", 0, "concluded: ca: external: no node has its key"),
        ("v1.36-renewed", 0, "cluster prod"),
    ] {
        let place = Place::new();
        node(&place, "n", fixture);
        let run = adopt(&place, &["n", "--dir", "c"]).status(status);
        assert!(run.stdout.contains(says), "{fixture}: {}", run.stdout);
        let mut taken = bytes(&place.path("c"));
        taken.retain(|name, _| !name.starts_with(".kpki/"));
        assert!(taken == bytes(&place.path("n/etc/kubernetes")), "{fixture}");
        if status == 0 {
            // The profile says exactly what is there.
            let again = place.init(&["--dir", "c", "--dry-run"]).status(0);
            assert!(again.stdout.starts_with("would create 0, replace 0, keep "), "{fixture}: {}", again.stdout);
            // The authorities of 1.20 have the serial number 0.
            place.kpki(&["verify", "c", "--at", NOW]).status(if fixture.starts_with("v1.20") { 3 } else { 0 });
        }
    }
}

#[test]
fn a_third_master_and_a_worker_join() {
    let place = ha();
    // As `kubeadm join` does it: the shared files are there, the node makes its own.
    let shared = [
        "ca.crt",
        "ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "sa.key",
        "sa.pub",
    ];
    for name in shared {
        let key = fs::read(place.path(&format!("cp1/etc/kubernetes/pki/{name}"))).unwrap();
        place.write(&format!("cp3/etc/kubernetes/pki/{name}"), &key);
        place.write(&format!("safe/pki/{name}"), &key);
    }
    let profile = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: api.k8s.example.com:6443\n\
                   apiServer: {certSANs: [203.0.113.10, lb.k8s.example.com]}\nnodes:\n- {name: cp1, addresses: [10.0.0.11]}\n\
                   - {name: cp2, addresses: [10.0.0.12]}\n- {name: cp3, addresses: [10.0.0.13]}\n\
                   - {name: w1, roles: [worker], addresses: [10.0.0.21]}\n";
    place.write("p.yaml", profile);
    place.init(&["--profile", "p.yaml", "--dir", "cp3/etc/kubernetes", "--node", "cp3"]).status(0);
    place.init(&["--profile", "p.yaml", "--dir", "safe"]).status(0);
    copy_tree(&place.path("safe/nodes/w1"), &place.path("w1/etc/kubernetes"));
    fs::create_dir_all(place.path("w1/var/lib/kubelet")).unwrap();
    fs::rename(place.path("w1/etc/kubernetes/kubelet"), place.path("w1/var/lib/kubelet/pki")).unwrap();

    // A host without a kubelet's files, and no part of the cluster by them.
    place.write("lb/etc/kubernetes/pki/ca.crt", place.read("cp1/etc/kubernetes/pki/ca.crt"));

    let run = adopt(&place, &["w1", "lb1=lb", "cp3", "cp2", "cp1", "--dir", "c", "-o", "json"]).status(5);
    let report = run.json();
    let names: Vec<&str> =
        report["nodes"].as_array().unwrap().iter().map(|node| node["node"].as_str().unwrap()).collect();
    // kubeadm's first node has super-admin.conf.
    assert_eq!(names, ["cp1", "cp3", "cp2", "w1", "lb1"], "{report}");
    let differences: Vec<&str> =
        report["differences"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(differences.iter().any(|one| one.starts_with("cp2/apiserver ")), "{differences:?}");
    // The worker's kubelet has a pair of the cluster's ca, the others have none.
    assert!(differences.contains(&"cp1/kubelet-serving (nodes/cp1/kubelet/kubelet.crt): missing"), "{differences:?}");
    assert!(!differences.iter().any(|one| one.starts_with("w1/") || one.starts_with("lb1/")), "{differences:?}");
    assert!(place.path("c/nodes/w1/kubelet/kubelet.key").exists());
    assert!(place.read("c/.kpki/profile.yaml").contains("roles: [worker]\n    addresses: [10.0.0.21]\n"));
    assert!(place.read("c/.kpki/profile.yaml").contains("name: lb1\n    roles: [load-balancer]\n"));
}

/// A kubelet.conf that names the file the kubelet rotates, with the credential of that kubelet.conf in it.
fn rotate(place: &Place, node: &str) {
    let conf = format!("{node}/etc/kubernetes/kubelet.conf");
    let text = place.read(&conf);
    let data = |key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
        String::from_utf8(kpki::encoding::base64::decode(line.as_bytes()).unwrap().to_vec()).unwrap()
    };
    let pem = data("client-certificate-data: ") + &data("client-key-data: ");
    place.write(&format!("{node}/var/lib/kubelet/pki/kubelet-client-2026.pem"), pem);
    symlink(
        "/var/lib/kubelet/pki/kubelet-client-2026.pem",
        place.path(&format!("{node}/var/lib/kubelet/pki/kubelet-client-current.pem")),
    )
    .unwrap();
    let file = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    let lines = text.lines().map(|line| match line.trim() {
        line if line.starts_with("client-certificate-data: ") => format!("    client-certificate: {file}"),
        line if line.starts_with("client-key-data: ") => format!("    client-key: {file}"),
        _ => line.to_owned(),
    });
    let rewritten: String = lines.map(|line| line + "\n").collect();
    place.write(&conf, rewritten);
}

#[test]
fn what_the_kubelet_rotates_stays_on_its_node_and_is_known() {
    let place = ha();
    rotate(&place, "cp1");
    tar(&place, "cp1.tar.gz", "cp1", ".", true);
    for (input, dir) in [("cp1", "c"), ("cp1.tar.gz", "d")] {
        let run = adopt(&place, &[input, "cp2", "--dir", dir]).status(5);
        assert!(
            run.stdout.contains("kubelet-client-current.pem: the kubelet's own, which it rotates"),
            "{}",
            run.stdout
        );
        assert_eq!(place.read(&format!("{dir}/nodes/cp1/kubelet.conf")), place.read("cp1/etc/kubernetes/kubelet.conf"));
        assert!(!place.path(&format!("{dir}/nodes/cp1/kubelet")).exists());
        let journal = place.read(&format!("{dir}/.kpki/journal.jsonl"));
        assert!(
            journal.lines().any(|line| line.contains("\"cp1/kubelet.conf\"") && line.contains("system:node:cp1")),
            "{journal}"
        );
    }
    let at = |words: &[&str]| place.kpki(&[words, &["--dir", "c", "--at", NOW]].concat());
    at(&["renew", "cp2/apiserver"]).status(0);
    // The kubelet's own certificate is not looked at: it is on the node.
    let verified = at(&["verify"]).status(3);
    assert!(verified.stdout.contains("kubelet-client-current.pem"), "{}", verified.stdout);
    at(&["check-expiration"]).status(0);
    at(&["renew", "all", "--dry-run"]).status(0);
    let run = at(&["export", "cp1", "--out", "cp1.tar"]).status(0);
    assert!(
        run.stderr.contains("cp1/kubelet.conf names the kubelet's own certificate, which stays on its node"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("/etc/kubernetes/kubelet.conf") && !run.stdout.contains("kubelet-client-current"),
        "{}",
        run.stdout
    );
}

#[test]
fn manifests_say_what_certificates_do_not() {
    let place = Place::new();
    node(&place, "n", "v1.36-external-etcd-rsa3072");
    adopt(&place, &["n", "--dir", "c"]).fails(1);
    manifest(
        &place,
        "n",
        &[
            "--advertise-address=10.0.0.11",
            "--secure-port=6443",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--etcd-servers=https://10.0.0.21:2379",
            "--etcd-cafile=/etc/kubernetes/pki/etcd-ext/ca.crt",
            "--etcd-certfile=/etc/kubernetes/pki/etcd-ext/client.crt",
            "--etcd-keyfile=/etc/kubernetes/pki/etcd-ext/client.key",
        ],
    );
    // What the API server shows to that etcd is nothing this tree makes.
    for end in ["crt", "key"] {
        let bytes = fs::read(place.path(&format!("n/etc/kubernetes/pki/front-proxy-client.{end}"))).unwrap();
        place.write(&format!("n/etc/kubernetes/pki/etcd-ext/client.{end}"), bytes);
    }
    let run = adopt(&place, &["n", "--dir", "c"]).status(5);
    assert!(!run.stdout.contains("kubernetesVersion") && !run.stdout.contains("serviceSubnet"), "{}", run.stdout);
    assert!(
        run.stdout.contains("not taken: n/etc/kubernetes/pki/etcd-ext/client.crt: no entry of the profile\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("not taken: n/etc/kubernetes/manifests: static pods stay on the node\n"),
        "{}",
        run.stdout
    );
    let profile = place.read("c/.kpki/profile.yaml");
    assert!(
        profile.contains("kubernetesVersion: v1.36.2\n") && profile.contains("endpoints: [https://10.0.0.21:2379]\n"),
        "{profile}"
    );
    assert!(profile.contains("encryptionAlgorithm: RSA-3072\n"), "{profile}");
    let again = place.init(&["--dir", "c", "--dry-run"]).status(0);
    assert!(again.stdout.starts_with("would create 0, replace 0, keep "), "{}", again.stdout);
}

#[test]
fn kubespray_keeps_its_certificates_in_ssl() {
    let place = Place::new();
    node(&place, "n", "v1.36-external-etcd-rsa3072");
    fs::rename(place.path("n/etc/kubernetes/pki"), place.path("n/etc/kubernetes/ssl")).unwrap();
    symlink("/etc/kubernetes/ssl", place.path("n/etc/kubernetes/pki")).unwrap();
    manifest(
        &place,
        "n",
        &[
            "--etcd-servers=https://10.0.0.11:2379",
            "--etcd-cafile=/etc/ssl/etcd/ssl/ca.pem",
            "--service-cluster-ip-range=10.96.0.0/12",
        ],
    );
    let run = adopt(&place, &["n", "--dir", "c"]).status(0);
    assert!(run.stdout.starts_with("adopted 1 node of cluster kubernetes"), "{}", run.stdout);
    assert!(place.path("c/ssl/apiserver.key").exists() && !place.path("c/pki").exists());
    let profile = place.read("c/.kpki/profile.yaml");
    assert!(
        profile.contains("certificatesDir: /etc/kubernetes/ssl\n") && profile.contains("/etc/ssl/etcd/ssl/ca.pem"),
        "{profile}"
    );
    place.kpki(&["verify", "c", "--at", NOW]).status(0);
}

#[test]
fn what_does_not_belong_together_is_refused_with_every_reason() {
    let place = ha();
    node(&place, "other", "v1.36-default-rsa2048");
    node(&place, "rest", "v1.36-ha-ecdsa-cp2");
    // Another cluster's node of another name.
    let run = adopt(&place, &["cp2", "other", "--dir", "c"]).fails(1);
    for why in [
        "other/etc/kubernetes/pki/ca.crt and cp2/etc/kubernetes/pki/ca.crt: two different authorities ca: ",
        "two different authorities front-proxy-ca",
        "two different authorities etcd-ca",
        "other/etc/kubernetes/pki/sa.key and cp2/etc/kubernetes/pki/sa.key: two different service account keys",
    ] {
        assert!(run.stderr.contains(why), "{why}\n{}", run.stderr);
    }
    // What follows is not said again for every certificate.
    assert_eq!(run.stderr.matches("caused by: ").count(), 4, "{}", run.stderr);
    let run = adopt(&place, &["cp2", "rest", "--dir", "c"]).fails(1);
    assert!(run.stderr.contains("cp2 and rest: both are cp2"), "{}", run.stderr);
    let run = adopt(&place, &["cp3=cp2", "cp1", "--dir", "c"]).fails(1);
    assert!(
        run.stderr.contains("cp3=cp2") || run.stderr.contains("stated as cp3, but its files are of cp2"),
        "{}",
        run.stderr
    );

    // One file of another node, one key of another certificate, one foreign member certificate.
    let mix = |from: &str, to: &str| {
        fs::copy(place.path(from), place.path(to)).unwrap();
    };
    mix("cp1/etc/kubernetes/kubelet.conf", "rest/etc/kubernetes/kubelet.conf");
    let run = adopt(&place, &["rest", "--dir", "c"]).fails(1);
    assert!(
        run.stderr.contains("expected one node's files, found those of cp1 (rest/etc/kubernetes/kubelet.conf), cp2 ("),
        "{}",
        run.stderr
    );
    mix("cp2/etc/kubernetes/kubelet.conf", "rest/etc/kubernetes/kubelet.conf");
    mix("cp1/etc/kubernetes/pki/apiserver.key", "rest/etc/kubernetes/pki/apiserver.key");
    mix("other/etc/kubernetes/pki/etcd/peer.crt", "rest/etc/kubernetes/pki/etcd/healthcheck-client.crt");
    mix("other/etc/kubernetes/pki/front-proxy-ca.key", "rest/etc/kubernetes/pki/front-proxy-ca.key");
    let run = adopt(&place, &["cp1", "rest", "--dir", "c"]).fails(1);
    for why in [
        "rest/etc/kubernetes/pki/apiserver.key: the key does not match the certificate beside it",
        "rest/etc/kubernetes/pki/front-proxy-ca.key: the key does not match the certificate beside it",
        "rest/etc/kubernetes/pki/etcd/healthcheck-client.crt: not signed by the cluster's etcd-ca: ",
    ] {
        assert!(run.stderr.contains(why), "{why}\n{}", run.stderr);
    }

    // No control plane, no node, no such input, a cluster directory, a directory that is in use.
    place.write("w1/pki/ca.crt", fs::read(place.path("cp1/etc/kubernetes/pki/ca.crt")).unwrap());
    let run = adopt(&place, &["w1", "--dir", "c"]).fails(1);
    assert!(run.stderr.contains("w1: expected the node's name"), "{}", run.stderr);
    let run = adopt(&place, &["w1=w1", "--dir", "c"]).fails(1);
    assert!(run.stderr.contains("expected at least one control-plane node"), "{}", run.stderr);
    place.write("empty/x", "");
    let run = adopt(&place, &["empty", "nothing", "--dir", "c"]).fails(1);
    assert!(
        run.stderr.contains("empty: expected a node's /etc/kubernetes") && run.stderr.contains("nothing"),
        "{}",
        run.stderr
    );
    adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    let run = adopt(&place, &["c", "--dir", "d"]).fails(1);
    assert!(run.stderr.contains("c: expected a node's /etc/kubernetes, found a cluster directory"), "{}", run.stderr);
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c"]).fails(1);
    assert!(run.stderr.contains("cannot adopt into c: it exists and is not empty"), "{}", run.stderr);
}

#[test]
fn one_bundle_may_hold_more_than_the_others() {
    let place = ha();
    let both = place.read("cp2/etc/kubernetes/pki/ca.crt") + &place.read("cp1/etc/kubernetes/pki/front-proxy-ca.crt");
    place.write("cp2/etc/kubernetes/pki/ca.crt", &both);
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    assert!(
        run.stdout.contains("differs: cp1/ca (nodes/cp1/pki/ca.crt): differs from the shared file in pki/"),
        "{}",
        run.stdout
    );
    assert_eq!(place.read("c/pki/ca.crt"), both);
    assert_eq!(place.read("c/nodes/cp1/pki/ca.crt"), place.read("cp1/etc/kubernetes/pki/ca.crt"));
}

#[test]
fn a_dry_run_writes_nothing_and_says_the_same() {
    let place = ha();
    let planned = adopt(&place, &["cp1", "cp2", "--dir", "c", "--dry-run"]).status(5);
    assert!(!planned.wrote && !place.path("c").exists());
    assert!(
        planned.stdout.starts_with("would adopt 2 nodes of cluster prod into c: 35 entries (nothing was written)\n"),
        "{}",
        planned.stdout
    );
    let whole = adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    let lines = |run: &Run| {
        run.stdout.lines().filter(|line| line.contains(": ")).skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let (planned, whole) = (lines(&planned), lines(&whole));
    assert!(planned.iter().all(|line| whole.contains(line)), "{planned:?}\n{whole:?}");
}

#[test]
fn a_given_profile_is_recorded_and_what_differs_from_it_is_said() {
    let place = ha();
    let profile = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: api.k8s.example.com:6443\n\
                   kubelet: {serving: false}\nnodes:\n- {name: cp1, addresses: [10.0.0.11]}\n- {name: cp2, addresses: [10.0.0.12]}\n";
    place.write("p.yaml", profile);
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c", "--profile", "p.yaml"]).status(5);
    assert_eq!(place.read("c/.kpki/profile.yaml"), profile);
    assert!(!run.stdout.contains("concluded: "), "{}", run.stdout);
    assert!(run.stderr.contains("cp1/apiserver has more than the profile (cp3, lb.k8s.example.com"), "{}", run.stderr);
    place.write("q.yaml", profile.replace("name: cp2", "name: cp9"));
    let run = adopt(&place, &["cp1", "cp2", "--dir", "d", "--profile", "q.yaml"]).fails(1);
    assert!(run.stderr.contains("the profile has no node cp2; it has cp1, cp9"), "{}", run.stderr);
    place.write("q.yaml", format!("{profile}certificatesDir: /etc/kubernetes/ssl\n"));
    let run = adopt(&place, &["cp1", "cp2", "--dir", "d", "--profile", "q.yaml"]).fails(1);
    assert!(
        run.stderr.contains(
            "the profile's certificatesDir is /etc/kubernetes/ssl, the nodes have theirs in /etc/kubernetes/pki"
        ),
        "{}",
        run.stderr
    );
}

#[test]
fn hostile_archives_and_directories_are_refused_or_passed_over() {
    let place = ha();
    // What is no file of the node is not read.
    symlink("/etc/passwd", place.path("cp1/etc/kubernetes/pki/x.crt")).unwrap();
    symlink("x", place.path("cp1/etc/kubernetes/x")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.path("cp1/etc/kubernetes/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    place.write("cp1/etc/kubernetes/large.crt", vec![b'x'; (1 << 20) + 1]);
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    for why in [
        "pki/x.crt: a symlink to /etc/passwd, which is not here",
        "etc/kubernetes/x: a symlink to x, which is not here",
        "pipe: a named pipe",
        "large.crt: it is larger than",
    ] {
        assert!(run.stdout.contains(why), "{why}\n{}", run.stdout);
    }
    let hostile = |kind: tar::EntryType, path: &str| {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, &b""[..]).unwrap();
        builder.into_inner().unwrap()
    };
    for (kind, path) in [
        (tar::EntryType::Regular, "../../root/.ssh/x"),
        (tar::EntryType::Regular, "/etc/kubernetes/pki/ca.crt"),
        (tar::EntryType::Char, "etc/kubernetes/null"),
        (tar::EntryType::Fifo, "etc/kubernetes/pipe"),
    ] {
        place.write("h.tar", hostile(kind, path));
        let run = adopt(&place, &["h.tar", "--dir", "d"]).fails(1);
        assert!(run.stderr.contains("cannot read the archive h.tar"), "{path}: {}", run.stderr);
    }
    place.write("h.tar", "no tar file");
    adopt(&place, &["h.tar", "--dir", "d"]).fails(1);
}

#[test]
fn without_any_key_of_an_authority_all_of_them_are_external() {
    let place = ha();
    for (name, _) in HA {
        for key in ["ca.key", "front-proxy-ca.key", "etcd/ca.key"] {
            fs::remove_file(place.path(&format!("{name}/etc/kubernetes/pki/{key}"))).unwrap();
        }
    }
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    assert!(run.stdout.contains("concluded: caKeys: none: "), "{}", run.stdout);
    assert!(!bytes(&place.path("c/pki")).contains_key("ca.key"));
    let at = |words: &[&str]| place.kpki(&[words, &["--dir", "c", "--at", NOW]].concat());
    at(&["export", "cp1", "--out", "cp1.tar"]).status(0);
    at(&["csr", "cp2/apiserver"]).status(0);
}

/// A half control-plane node keeps its role, what it lacks is told, and what is printed makes it whole.
#[test]
fn a_node_that_lacks_files_keeps_its_role() {
    let place = ha();
    for file in ["pki/apiserver.crt", "pki/etcd/peer.key", "scheduler.conf"] {
        fs::remove_file(place.path(&format!("cp1/etc/kubernetes/{file}"))).unwrap();
    }
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    let roles = run.stdout.lines().find(|line| line.starts_with("cp1 ")).unwrap();
    assert!(roles.contains("control-plane, etcd"), "{}", run.stdout);
    for missing in ["cp1/apiserver (", "cp1/etcd-peer (", "cp1/scheduler.conf ("] {
        assert!(run.stdout.contains(&format!("differs: {missing}")), "{missing}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("not taken: cp1"), "{}", run.stdout);
    let printed = |verb: &str| {
        let line = run.stdout.lines().find_map(|line| Some(line.split_once(&format!(": kpki {verb} "))?.1.to_owned()));
        line.unwrap_or_else(|| panic!("{verb}: {}", run.stdout))
    };
    for verb in ["renew", "init"] {
        let words = printed(verb);
        let words: Vec<&str> = words.split(' ').collect();
        place.kpki(&[&[verb], &words[..], &["--at", NOW]].concat()).status(0);
    }
    place.kpki(&["verify", "c", "--at", NOW]).ok();
}

#[test]
fn a_server_that_is_not_the_profiles_differs() {
    let place = ha();
    let conf = "cp2/etc/kubernetes/scheduler.conf";
    let text = fs::read_to_string(place.path(conf)).unwrap();
    let server = text.lines().find_map(|line| line.trim().strip_prefix("server: ")).unwrap();
    place.write(conf, text.replace(server, "https://10.9.9.9:6443"));
    let run = adopt(&place, &["cp1", "cp2", "--dir", "c"]).status(5);
    assert!(run.stdout.contains("differs: cp2/scheduler.conf: its server is https://10.9.9.9:6443"), "{}", run.stdout);
    assert!(!run.stdout.contains("--force") && !run.stderr.contains("--force"), "{}{}", run.stdout, run.stderr);
}
