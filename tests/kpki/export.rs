//! `kpki export` and `kpki export --verify`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::harness::{NOW, Place, Run, copy_tree, repository};

const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: lb.example.com\n\
    nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.9]}\n\
    extraCertificates:\n- {name: metrics, commonName: metrics, usages: [client], nodes: [w1]}\n";

fn made(extra: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", format!("{PROFILE}{extra}"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place
}

pub fn export(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["export", "--dir", "c", "--at", NOW], words].concat())
}

/// Path to (type, mode, uid, gid, user, mtime, content).
pub type Members = BTreeMap<String, (u8, u32, u64, u64, String, u64, Vec<u8>)>;

pub fn members(path: &Path) -> Members {
    let bytes = fs::read(path).unwrap();
    let mut plain = Vec::new();
    match bytes.starts_with(&[0x1f, 0x8b]) {
        true => flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).map(|_| ()).unwrap(),
        false => plain = bytes,
    }
    let mut found = BTreeMap::new();
    let mut before = String::new();
    for entry in tar::Archive::new(plain.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        let user = header.username().unwrap().unwrap().to_owned();
        let facts = (
            header.entry_type().as_byte(),
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            user,
            header.mtime().unwrap(),
            content,
        );
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        assert!(before < path, "{before} before {path}");
        before.clone_from(&path);
        found.insert(path, facts);
    }
    found
}

/// As `tar -xpf` unpacks it.
pub fn unpack(archive: &Path, root: &Path) {
    for (path, (kind, mode, .., content)) in members(archive) {
        let target = root.join(path);
        if kind == b'5' {
            fs::create_dir_all(&target).unwrap();
        } else {
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(&target, content).unwrap();
        }
        fs::set_permissions(target, fs::Permissions::from_mode(mode)).unwrap();
    }
}

pub fn verify(place: &Place, dir: &str, words: &[&str]) -> Run {
    place.kpki(&[&["export", "--verify", "--dir", dir], words].concat())
}

#[test]
fn what_goes_to_a_node_is_always_the_same_bytes() {
    let place = made("");
    let run = export(&place, &["cp2", "--out", "a.tar.gz"]).ok();
    assert!(run.stdout.starts_with("exported cp2 of prod to a.tar.gz: "), "{}", run.stdout);
    assert!(run.stdout.contains(" files, with CA keys\n") && run.stderr.is_empty(), "{}{}", run.stdout, run.stderr);
    export(&place, &["cp2", "--out", "b.tgz", "-q"]).ok();
    export(&place, &["cp2", "--out", "c.tar", "-q"]).ok();
    let [a, b, c] = ["a.tar.gz", "b.tgz", "c.tar"].map(|name| fs::read(place.path(name)).unwrap());
    assert!(a == b && a != c);
    assert_eq!(place.path("a.tar.gz").metadata().unwrap().permissions().mode() & 0o7777, 0o600);

    let found = members(&place.path("a.tar.gz"));
    assert_eq!(found, members(&place.path("c.tar")));
    for (path, (kind, mode, uid, gid, user, mtime, content)) in &found {
        let wanted = match path.as_str() {
            "etc/kubernetes/.kpki/" => (b'5', 0o700),
            _ if path.ends_with('/') => (b'5', 0o755),
            "etc/kubernetes/.kpki/state.json" => (b'0', 0o600),
            _ if path.ends_with(".crt") || path.ends_with(".json") => (b'0', 0o644),
            _ => (b'0', 0o600),
        };
        assert_eq!((*kind, *mode), wanted, "{path}");
        // Five minutes before NOW: the newest notBefore.
        assert_eq!((*uid, *gid, user.as_str(), *mtime), (0, 0, "root", 1_795_211_700), "{path}");
        let lies = ["c/nodes/cp2/pki", "c/nodes/cp2", "c/nodes/cp2/kubelet"]
            .iter()
            .zip(["etc/kubernetes/pki/", "etc/kubernetes/", "var/lib/kubelet/pki/"])
            .find_map(|(dir, prefix)| Some(format!("{dir}/{}", path.strip_prefix(prefix)?)));
        if *kind == b'0' && !path.ends_with("kpki-node.json") && !path.contains("/.kpki/") {
            assert!(fs::read(place.path(&lies.unwrap())).unwrap() == *content, "{path}");
        }
    }
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    for wanted in ["etc/kubernetes/pki/ca.key", "etc/kubernetes/pki/sa.pub", "etc/kubernetes/kubelet.conf"] {
        assert!(names.contains(&wanted), "{names:?}");
    }
    assert!(
        names.contains(&"var/lib/kubelet/pki/") && !names.contains(&"var/lib/kubelet/") && !names.contains(&"etc/")
    );
    assert!(!names.contains(&"etc/kubernetes/super-admin.conf"), "the first control-plane node's alone");
    // No secret is in the manifest.
    let manifest = String::from_utf8(found["etc/kubernetes/kpki-node.json"].6.clone()).unwrap();
    assert!(manifest.contains("\"node\": \"cp2\"") && !manifest.contains("PRIVATE"), "{manifest}");

    let worker = export(&place, &["w1", "--out", "w1.tar", "-o", "json"]).ok().json();
    let paths: Vec<_> = worker["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "/etc/kubernetes/.kpki/profile.yaml",
            "/etc/kubernetes/.kpki/state.json",
            "/etc/kubernetes/kpki-node.json",
            "/etc/kubernetes/kubelet.conf",
            "/etc/kubernetes/pki/ca.crt",
            "/etc/kubernetes/pki/metrics.crt",
            "/etc/kubernetes/pki/metrics.key",
            "/var/lib/kubelet/pki/kubelet.crt",
            "/var/lib/kubelet/pki/kubelet.key",
        ]
    );
    assert_eq!(worker["caKeys"], false);
}

#[test]
fn the_keys_of_authorities_stay_where_they_are_told_to() {
    let is_ca_key = |path: &String| path.ends_with("ca.key");
    let place = made("");
    let run = export(&place, &["cp1", "--out", "a.tar", "--without-ca-keys"]).ok();
    assert!(run.stdout.contains("without CA keys"), "{}", run.stdout);
    let found = members(&place.path("a.tar"));
    assert!(!found.keys().any(is_ca_key) && found.contains_key("etc/kubernetes/pki/sa.key"));
    // A copy that is not there is no fault then.
    fs::remove_file(place.path("c/nodes/cp1/pki/etcd/ca.key")).unwrap();
    export(&place, &["cp1", "--out", "b.tar", "--without-ca-keys"]).ok();
    let run = export(&place, &["cp1", "--out", "c.tar"]).fails(1);
    assert!(run.stderr.contains("cp1/etcd-ca (nodes/cp1/pki/etcd/ca.key): missing"), "{}", run.stderr);
    assert!(!place.path("c.tar").exists());

    let place = made("caKeys: none\n");
    let run = export(&place, &["cp1", "--out", "a.tar"]).ok();
    assert!(run.stdout.contains("without CA keys") && !members(&place.path("a.tar")).keys().any(is_ca_key));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let place = made("");
    let (one, two) = (place.path("c/nodes/cp1"), place.path("c/nodes/cp2"));
    fs::copy(two.join("pki/etcd/server.crt"), one.join("pki/etcd/server.crt")).unwrap();
    fs::copy(two.join("pki/etcd/peer.crt"), one.join("pki/etcd/peer.crt")).unwrap();
    fs::copy(two.join("pki/etcd/peer.key"), one.join("pki/etcd/peer.key")).unwrap();
    fs::remove_file(one.join("pki/apiserver.key")).unwrap();
    fs::remove_file(one.join("scheduler.conf")).unwrap();
    fs::copy(two.join("controller-manager.conf"), one.join("controller-manager.conf")).unwrap();
    fs::write(one.join("pki/front-proxy-ca.crt"), fs::read(place.path("c/pki/ca.crt")).unwrap()).unwrap();
    place.run(&["export", "cp1", "--out", "a.tar", "--dir", "c", "--at", NOW]).status(1).recorded("export-all-wrong");
    // The others' trees are whole.
    export(&place, &["cp2", "--out", "b.tar"]).ok();
    for file in ["pki/sa.key", "pki/ca.crt"] {
        fs::rename(two.join(file), place.path("away")).unwrap();
        symlink(place.path("away"), two.join(file)).unwrap();
        let run = export(&place, &["cp2", "--out", "c.tar"]).fails(1);
        assert!(run.stderr.contains("it is a symlink") && run.stderr.contains(file), "{}", run.stderr);
        fs::remove_file(two.join(file)).unwrap();
        fs::rename(place.path("away"), two.join(file)).unwrap();
    }
}

#[test]
fn a_nodes_own_tree_goes_to_that_node_alone() {
    let place = Place::new();
    place.write("p.yaml", super::harness::single(""));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    export(&place, &["cp1", "--out", "a.tar"]).ok();
    unpack(&place.path("a.tar"), &place.path("n"));
    verify(&place, "n/etc/kubernetes", &["cp1"]).ok();
    // The tree itself is a node's as well, with its profile for a manifest.
    verify(&place, "c", &["cp1"]).ok();
    assert_eq!(
        fs::read(place.path("c/kubelet/kubelet.key")).unwrap(),
        fs::read(place.path("n/var/lib/kubelet/pki/kubelet.key")).unwrap()
    );
    // A server that is no node's may be a load balancer, and is worth a word.
    let conf = place.read("c/scheduler.conf").replace("https://10.0.0.11:6443", "https://lb:6443");
    place.write("c/scheduler.conf", conf);
    let run = export(&place, &["cp1", "--out", "b.tar"]).warns();
    assert!(run.stderr.contains("warning: scheduler.conf has the server https://lb:6443"), "{}", run.stderr);
    // An authority's key that is elsewhere is no fault.
    fs::remove_file(place.path("c/pki/ca.key")).unwrap();
    let run = export(&place, &["cp1", "--out", "d.tar"]).warns();
    assert!(run.stderr.contains("the key of ca is not in c"), "{}", run.stderr);
    fs::remove_file(place.path("c/admin.conf")).unwrap();
    let run = verify(&place, "c", &["cp1"]).status(4);
    assert!(run.stdout.starts_with("missing: 1 of 17 entries in c"), "{}", run.stdout);
}

#[test]
fn the_command_line_is_checked_first() {
    let place = made("");
    let run = export(&place, &["cp9", "--out", "a.tar"]).fails(2);
    assert!(run.stderr.contains("it has cp1, cp2, w1"), "{}", run.stderr);
    export(&place, &["cp1"]).fails(2);
    export(&place, &["--out", "a.tar"]).fails(2);
    export(&place, &["cp1", "--out", "-", "-o", "json"]).fails(2);
    place.kpki(&["export", "--verify", "--out", "a.tar"]).fails(2);
    place.kpki(&["export", "cp1", "--out", "a.tar", "--dir", "nowhere"]).fails(1);
    place.write("a.tar", "mine");
    assert!(export(&place, &["cp1", "--out", "a.tar"]).fails(1).stderr.contains("--force"));
    export(&place, &["cp1", "--out", "a.tar", "--force"]).ok();
    symlink("elsewhere", place.path("link.tar")).unwrap();
    export(&place, &["cp1", "--out", "link.tar", "--force"]).fails(1);
}

#[test]
fn a_node_knows_its_own_files() {
    let place = made("");
    for node in ["cp1", "cp2", "w1"] {
        export(&place, &[node, "--out", &format!("{node}.tar.gz")]).ok();
        unpack(&place.path(&format!("{node}.tar.gz")), &place.path(node));
    }
    for node in ["cp1", "cp2", "w1"] {
        let dir = format!("{node}/etc/kubernetes");
        let run = verify(&place, &dir, &[node]).ok();
        assert!(run.stdout.starts_with(&format!("right: {dir} belongs to {node}; ")), "{}", run.stdout);
        verify(&place, &dir, &[node, "--archive", &format!("{node}.tar.gz")]).ok();
        // Without anything to hold it against.
        fs::rename(place.path(&format!("{dir}/kpki-node.json")), place.path("m.json")).unwrap();
        verify(&place, &dir, &[node]).ok();
        verify(&place, &dir, &[node, "--manifest", "m.json"]).ok();
        fs::rename(place.path("m.json"), place.path(&format!("{dir}/kpki-node.json"))).unwrap();
    }
    // The whole of another node's.
    let run = verify(&place, "cp2/etc/kubernetes", &["cp1"]).status(4);
    assert!(
        run.stdout.starts_with("wrong node: cp2/etc/kubernetes holds files of cp2, not of cp1\n"),
        "{}",
        run.stdout
    );
    let report =
        verify(&place, "cp1/etc/kubernetes", &["cp2", "--archive", "cp2.tar.gz", "-o", "json"]).status(4).json();
    assert_eq!((&report["outcome"], &report["owners"]), (&"wrong node".into(), &serde_json::json!(["cp1"])));
    let state = |name: &str| {
        let all = report["entries"].as_array().unwrap();
        all.iter().find(|row| row["entry"] == name).unwrap()["state"].as_str().unwrap().to_owned()
    };
    for (name, wanted) in
        [("etcd-server", "wrong node"), ("kubelet.conf", "wrong node"), ("ca", "right"), ("sa", "right")]
    {
        assert_eq!(state(name), wanted, "{name}: {report}");
    }
    verify(&place, "w1/etc/kubernetes", &["cp1"]).status(4);
}

/// What one change does to a node that was right.
#[test]
fn each_thing_that_does_not_fit_is_found() {
    type Change = fn(&Path, &Path);
    let changes: [(&str, &str, Change); 10] = [
        ("etcd-peer", "it is cp2's", |own, other| {
            for file in ["etc/kubernetes/pki/etcd/peer.crt", "etc/kubernetes/pki/etcd/peer.key"] {
                fs::copy(other.join(file), own.join(file)).unwrap();
            }
        }),
        ("kubelet.conf", "it is cp2's", |own, other| {
            fs::copy(other.join("etc/kubernetes/kubelet.conf"), own.join("etc/kubernetes/kubelet.conf")).unwrap();
        }),
        ("kubelet-serving", "it is cp2's", |own, other| {
            for file in ["var/lib/kubelet/pki/kubelet.crt", "var/lib/kubelet/pki/kubelet.key"] {
                fs::copy(other.join(file), own.join(file)).unwrap();
            }
        }),
        ("apiserver", "its key does not match it", |own, other| {
            let file = "etc/kubernetes/pki/apiserver.key";
            fs::copy(other.join(file), own.join(file)).unwrap();
        }),
        ("apiserver", "its key is missing", |own, _| {
            fs::remove_file(own.join("etc/kubernetes/pki/apiserver.key")).unwrap()
        }),
        ("admin.conf", "missing", |own, _| fs::remove_file(own.join("etc/kubernetes/admin.conf")).unwrap()),
        ("ca", "not the authority that was exported", |own, _| {
            let pki = own.join("etc/kubernetes/pki");
            fs::copy(pki.join("front-proxy-ca.crt"), pki.join("ca.crt")).unwrap();
        }),
        ("sa", "not the service account key that was exported", |own, _| {
            let pki = own.join("etc/kubernetes/pki");
            fs::copy(pki.join("ca.key"), pki.join("sa.key")).unwrap();
        }),
        ("controller-manager.conf", "its server is https://10.0.0.2:6443, not https://10.0.0.1:6443", |own, other| {
            let file = "etc/kubernetes/controller-manager.conf";
            fs::copy(other.join(file), own.join(file)).unwrap();
        }),
        ("scheduler.conf", "is not valid", |own, _| {
            fs::write(own.join("etc/kubernetes/scheduler.conf"), "kind: Config\n").unwrap();
        }),
    ];
    let place = made("");
    for node in ["cp1", "cp2"] {
        export(&place, &[node, "--out", &format!("{node}.tar")]).ok();
        unpack(&place.path(&format!("{node}.tar")), &place.path(node));
    }
    for (entry, why, change) in changes {
        unpack(&place.path("cp1.tar"), &place.path("own"));
        change(&place.path("own"), &place.path("cp2"));
        let report = verify(&place, "own/etc/kubernetes", &["cp1", "-o", "json"]).status(4).json();
        let row = report["entries"].as_array().unwrap().iter().find(|row| row["entry"] == entry).unwrap();
        assert!(row["findings"].to_string().contains(why), "{entry}: {report}");
    }
}

#[test]
fn what_was_renewed_since_is_right() {
    let place = made("");
    export(&place, &["cp1", "--out", "old.tar"]).ok();
    place.kpki(&["renew", "cp1/apiserver", "cp1/kubelet.conf", "--dir", "c", "--at", NOW]).ok();
    export(&place, &["cp1", "--out", "new.tar"]).ok();
    unpack(&place.path("new.tar"), &place.path("n"));
    let run = verify(&place, "n/etc/kubernetes", &["cp1", "--archive", "old.tar"]).ok();
    assert_eq!(run.stdout.matches(" renewed ").count(), 2, "{}", run.stdout);
}

#[test]
fn kubeadms_trees_are_known_by_the_nodes_name() {
    let place = Place::new();
    for node in ["cp1", "cp2"] {
        let from = repository("fixtures/kubeadm").join(format!("v1.36-ha-ecdsa-{node}/etc-kubernetes"));
        copy_tree(&from, &place.path(node));
    }
    for node in ["cp1", "cp2"] {
        verify(&place, node, &[node]).ok();
        let other = if node == "cp1" { "cp2" } else { "cp1" };
        let run = verify(&place, node, &[other]).status(4);
        assert!(
            run.stdout.starts_with(&format!("wrong node: {node} holds files of {node}, not of {other}")),
            "{}",
            run.stdout
        );
    }
    // The machine these tests run on is neither.
    let run = verify(&place, "cp1", &[]).status(4);
    assert!(run.stdout.contains("kpki export --verify NODE"), "{}", run.stdout);
    verify(&place, "nowhere", &["cp1"]).fails(1);
    fs::create_dir(place.path("empty")).unwrap();
    assert!(verify(&place, "empty", &["cp1"]).fails(1).stderr.contains("no files of a node"));
}

#[test]
fn a_manifest_or_archive_that_is_none_is_refused() {
    let place = made("");
    export(&place, &["cp1", "--out", "a.tar.gz"]).ok();
    unpack(&place.path("a.tar.gz"), &place.path("n"));
    let bytes = fs::read(place.path("a.tar.gz")).unwrap();
    place.write("cut.tar.gz", &bytes[..bytes.len() / 2]);
    place.write("no.tar", "not a tar file");
    for words in [["--archive", "cut.tar.gz"], ["--archive", "no.tar"], ["--manifest", "no.tar"], ["--archive", "gone"]]
    {
        let run = verify(&place, "n/etc/kubernetes", &[&["cp1"], words.as_slice()].concat()).fails(1);
        assert!(run.stdout.is_empty() && run.stderr.starts_with("error: cannot "), "{words:?} {}", run.stderr);
    }
}

/// A cluster directory is nobody's tree: whatever name is given, it is not that node's.
#[test]
fn a_cluster_directory_is_no_nodes() {
    let place = Place::new();
    place.write("p.yaml", "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\nnodes:\n- {name: cp1, addresses: [10.0.0.11]}\n- {name: cp2, addresses: [10.0.0.12]}\n");
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    for node in ["cp1", "nosuchnode"] {
        let run = place.kpki(&["export", "--verify", node, "--dir", "c"]).fails(1);
        assert_eq!(
            run.stderr,
            format!(
                "error: c is a cluster directory and belongs to no single node\n\
                 caused by: expected one node's kubernetes directory\n\
                 hint: verify a node's files in it: kpki export --verify {node} --dir c/nodes/{node}\n"
            )
        );
    }
    place.kpki(&["export", "--verify", "cp1", "--dir", "c/nodes/cp1"]).ok();
}
