//! ca-signer.crt: the certificate that signs, alone, for kube-controller-manager below an intermediate CA; and kubeconfigs that
//! `kubeadm certs renew` has cut.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::harness::{NOW, Place, single};

const FLAG: &str = "--cluster-signing-cert-file=/etc/kubernetes/pki/ca-signer.crt";

/// A root's tree in `root`, and a certificate of it for the cluster CA of `t` in `chain.crt`.
fn signed(profile: &str) -> Place {
    let place = Place::new();
    place.write("root.yaml", single(""));
    place.init(&["--profile", "root.yaml", "--dir", "root"]).ok();
    place.write("p.yaml", profile);
    place.kpki(&["csr", "ca", "--at", NOW, "--profile", "p.yaml", "--dir", "t"]).ok();
    let words =
        ["sign", "--at", NOW, "t/.kpki/requests/pki/ca.csr", "--intermediate", "--as", "ca", "--out", "chain.crt"];
    let root = ["--dir", "t", "--profile", "p.yaml", "--ca-cert", "root/pki/ca.crt", "--ca-key", "root/pki/ca.key"];
    let run = place.kpki(&[&words[..], &root].concat()).status(0);
    assert!(run.stderr.contains(FLAG), "{}", run.stderr);
    place
}

fn intermediate(profile: &str) -> Place {
    let place = signed(profile);
    let run = place.kpki(&["import", "--at", NOW, "chain.crt", "--profile", "p.yaml", "--dir", "t"]).status(0);
    assert!(run.stderr.contains(FLAG) && run.stderr.contains("ca.crt holds 2"), "{}", run.stderr);
    // Nothing was there before.
    assert!(!run.stdout.contains("old ones") && !run.stdout.contains("restart"), "{}", run.stdout);
    place.init(&["--profile", "p.yaml", "--dir", "t"]).status(0);
    place
}

fn certificates(text: &str) -> usize {
    text.matches("BEGIN CERTIFICATE").count()
}

fn manifest(place: &Place, path: &str, file: &str) {
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-controller-manager\nspec:\n  containers:\n  - command:\n    - \
         kube-controller-manager\n    - --cluster-signing-cert-file={file}\n    - --cluster-signing-key-file=/etc/kubernetes/pki/ca.key\n"
    );
    fs::create_dir_all(place.path(path).parent().unwrap()).unwrap();
    place.write(path, pod);
}

#[test]
fn below_an_intermediate_the_signer_has_a_file_of_its_own() {
    let place = intermediate(&single(""));
    let (bundle, signer) = (place.read("t/pki/ca.crt"), place.read("t/pki/ca-signer.crt"));
    assert_eq!((certificates(&bundle), certificates(&signer)), (2, 1));
    assert!(bundle.starts_with(&signer));
    let again = place.init(&["--dir", "t"]).ok();
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
    place.kpki(&["check-expiration", "t", "--at", NOW]).ok();
    place.kpki(&["inspect", "t/pki/ca-signer.crt", "--at", NOW]).status(0);
    // On the node it is verified like everything else.
    place.kpki(&["export", "cp1", "--dir", "t", "--out", "cp1.tar"]).status(0);
    place.kpki(&["export", "--verify", "cp1", "--dir", "t", "--archive", "cp1.tar"]).status(0);
    for (text, inspected) in [(bundle.clone(), 1), (place.read("root/pki/ca.crt"), 0)] {
        place.write("t/pki/ca-signer.crt", text);
        let run = place.kpki(&["check-expiration", "t", "--at", NOW]).status(4);
        assert!(
            run.stdout.contains("differs from ca.crt") && run.stdout.contains("kpki init --force --dir t"),
            "{}",
            run.stdout
        );
        let run = place.kpki(&["export", "--verify", "cp1", "--dir", "t"]).status(4);
        assert!(run.stdout.contains("not the first certificate of ca.crt alone"), "{}", run.stdout);
        place.kpki(&["export", "cp1", "--dir", "t", "--out", "again.tar"]).fails(1);
        place.kpki(&["inspect", "t/pki/ca-signer.crt", "--at", NOW]).status(inspected);
        place.init(&["--dir", "t"]).fails(1);
    }
    place.init(&["--dir", "t", "--force"]).status(0);
    assert_eq!(place.read("t/pki/ca-signer.crt"), signer);
    fs::remove_file(place.path("t/pki/ca-signer.crt")).unwrap();
    place.kpki(&["export", "cp1", "--dir", "t", "--out", "again.tar"]).fails(1);
    let run = place.init(&["--dir", "t"]).status(0);
    assert!(run.stderr.contains(FLAG), "{}", run.stderr);
    assert_eq!(place.read("t/pki/ca-signer.crt"), signer);
}

/// In the transaction of a renewal, and without a key that signs.
#[test]
fn a_renewal_writes_it_where_it_is_missing_or_another() {
    let place = intermediate(&single(""));
    let path = "t/pki/ca-signer.crt";
    let signer = place.read(path);
    for names in [&["all", "--due"][..], &["all"], &["all", "--due"]] {
        for text in [None, Some(place.read("t/pki/ca.crt")), Some(place.read("root/pki/ca.crt"))] {
            match &text {
                None => fs::remove_file(place.path(path)).unwrap(),
                Some(text) => drop(place.write(path, text)),
            }
            // By name only what was named.
            place.kpki(&["renew", "scheduler.conf", "--due", "--dir", "t", "--at", NOW]).ok();
            assert_eq!(place.path(path).exists().then(|| place.read(path)), text);
            let run = place.kpki(&[&["renew", "--dir", "t", "--at", NOW][..], names].concat()).ok();
            assert!(run.stdout.contains("ca-signer"), "{}", run.stdout);
            assert_eq!(place.read(path), signer);
            place.kpki(&["check-expiration", "t", "--at", NOW]).ok();
        }
    }
    let run = place.kpki(&["renew", "all", "--due", "--dir", "t", "--at", NOW]).ok();
    assert!(run.stdout.starts_with("nothing was renewed"), "{}", run.stdout);
    fs::remove_file(place.path("t/pki/ca.key")).unwrap();
    fs::remove_file(place.path(path)).unwrap();
    place.kpki(&["renew", "all", "--due", "--dir", "t", "--at", NOW]).ok();
    assert_eq!(place.read(path), signer);
    // One node does not sign: a worker has no kube-controller-manager.
    fs::remove_file(place.path("t/controller-manager.conf")).unwrap();
    fs::remove_file(place.path(path)).unwrap();
    place.kpki(&["renew", "scheduler.conf", "--due", "--dir", "t", "--at", NOW]).ok();
    assert!(!place.path(path).exists());
}

#[test]
fn of_one_certificate_there_is_none_unless_the_profile_asks() {
    for (lines, wanted) in [
        ("", false),
        ("controllerManager: {signerFile: false}\n", false),
        ("controllerManager: {signerFile: true}\n", true),
    ] {
        let place = Place::new();
        place.write("p.yaml", single(lines));
        let run = place.init(&["--profile", "p.yaml", "--dir", "t"]).status(0);
        assert_eq!(place.path("t/pki/ca-signer.crt").exists(), wanted, "{lines}");
        assert_eq!(run.stderr.contains(FLAG), wanted, "{}", run.stderr);
        if wanted {
            assert_eq!(place.read("t/pki/ca-signer.crt"), place.read("t/pki/ca.crt"));
        }
        assert!(place.init(&["--dir", "t"]).ok().stdout.starts_with("nothing to do"));
    }
    let place = Place::new();
    place.init(&["--profile", &super::harness::text("profiles/single-node.yaml"), "--dir", "t"]).ok();
    assert!(!place.path("t/pki/ca-signer.crt").exists());
    let place = Place::new();
    let starter = place.kpki(&["profile", "new"]).ok().stdout;
    place.write("p.yaml", starter);
    place.init(&["--profile", "p.yaml", "--dir", "t"]).status(0);
    assert!(!place.files().keys().any(|name| name.contains("ca-signer")));
}

#[test]
fn the_flag_of_the_static_pod_is_read() {
    let place = intermediate(&single(""));
    let path = "t/manifests/kube-controller-manager.yaml";
    for (file, said) in [
        ("/etc/kubernetes/pki/ca.crt", "accepts exactly one certificate there, and ca.crt holds 2, and does not start"),
        ("/etc/kubernetes/pki/ca-signer.crt", ""),
        ("/etc/kubernetes/pki/other.crt", ""),
    ] {
        manifest(&place, path, file);
        let run = place.init(&["--dir", "t"]).status(0);
        assert_eq!(run.stderr.is_empty(), said.is_empty(), "{file}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{file}: {}", run.stderr);
    }
    place.write(path, "{");
    assert!(place.init(&["--dir", "t"]).status(0).stderr.contains("cannot be read"));
    // A flag for a file that nobody writes.
    let place = Place::new();
    place.write("p.yaml", single(""));
    manifest(&place, path, "/etc/kubernetes/pki/ca-signer.crt");
    let run = place.init(&["--profile", "p.yaml", "--dir", "t"]).status(0);
    assert!(run.stderr.contains("which does not exist"), "{}", run.stderr);
}

#[test]
fn of_a_cluster_directory_every_control_plane_node_has_one() {
    let profile = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com:6443\nnodes:\n\
                   - {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
                   - {name: w1, roles: [worker], addresses: [10.0.0.3]}\n";
    let place = intermediate(&single(""));
    for file in ["ca.crt", "ca.key"] {
        place.write(&format!("c/pki/{file}"), place.read(&format!("t/pki/{file}")));
    }
    fs::remove_dir_all(place.path("t")).unwrap();
    fs::rename(place.path("c"), place.path("t")).unwrap();
    fs::set_permissions(place.path("t/pki/ca.key"), fs::Permissions::from_mode(0o600)).unwrap();
    place.write("p.yaml", profile);
    let run = place.init(&["--profile", "p.yaml", "--dir", "t"]).status(0);
    assert_eq!(run.stderr.matches(FLAG).count(), 1, "{}", run.stderr);
    let found: Vec<String> = place.files().into_keys().filter(|name| name.contains("ca-signer")).collect();
    assert_eq!(found, ["t/nodes/cp1/pki/ca-signer.crt", "t/nodes/cp2/pki/ca-signer.crt"]);
    assert!(place.read("t/manifest.json").contains("\"installs\": \"/etc/kubernetes/pki/ca-signer.crt\""));
    assert!(place.init(&["--dir", "t"]).ok().stdout.starts_with("nothing to do"));
    manifest(&place, "t/nodes/cp2/manifests/kube-controller-manager.yaml", "/etc/kubernetes/pki/ca.crt");
    let run = place.init(&["--dir", "t"]).status(0);
    assert!(run.stderr.contains("t/nodes/cp2/manifests/kube-controller-manager.yaml has"), "{}", run.stderr);
    place.kpki(&["export", "cp2", "--dir", "t", "--out", "cp2.tar"]).status(0);
    place.kpki(&["export", "w1", "--dir", "t", "--out", "w1.tar"]).status(0);
    let files = |tar: &str| String::from_utf8_lossy(&fs::read(place.path(tar)).unwrap()).contains("pki/ca-signer.crt");
    assert_eq!((files("cp2.tar"), files("w1.tar")), (true, false));
}

/// As `kubeadm certs renew all` leaves it: the first certificate of ca.crt only.
#[test]
fn a_kubeconfig_that_was_cut_is_a_finding_and_is_repaired() {
    let place = intermediate(&single(""));
    let whole = place.read("t/admin.conf");
    let encoded = |path: &str| kpki::encoding::base64::encode(place.read(path).as_bytes()).to_string();
    let cut = whole.replace(&encoded("t/pki/ca.crt"), &encoded("t/pki/ca-signer.crt"));
    assert_ne!(cut, whole);
    place.write("t/admin.conf", &cut);
    let run = place.kpki(&["check-expiration", "t", "--at", NOW]).status(4);
    assert!(
        run.stdout.contains("1 kubeconfig does not trust all authorities of ca.crt (admin.conf)"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("kpki renew admin.conf --dir t"), "{}", run.stdout);
    let run = place.kpki(&["export", "--verify", "cp1", "--dir", "t"]).status(4);
    assert!(run.stdout.contains("lacks certificates of the ca beside it"), "{}", run.stdout);
    place.kpki(&["renew", "all", "--due", "--dir", "t", "--at", NOW]).ok();
    assert!(place.read("t/admin.conf").contains(&encoded("t/pki/ca.crt")));
    place.kpki(&["check-expiration", "t", "--at", NOW]).ok();
    // One that trusts more is none.
    let more =
        kpki::encoding::base64::encode((place.read("t/pki/ca.crt") + &place.read("t/pki/etcd/ca.crt")).as_bytes());
    place.write("t/scheduler.conf", place.read("t/scheduler.conf").replace(&encoded("t/pki/ca.crt"), &more));
    place.kpki(&["check-expiration", "t", "--at", NOW]).ok();
}

/// Missing where the static pod or the profile asks for it, and a flag that is wrong is said, as init does.
#[test]
fn check_expiration_misses_it_where_it_is_asked_for() {
    let place = intermediate(&single(""));
    let path = "t/manifests/kube-controller-manager.yaml";
    let check = || place.kpki(&["check-expiration", "t", "--at", NOW]);
    manifest(&place, path, "/etc/kubernetes/pki/ca.crt");
    let run = check().status(0);
    assert!(run.stderr.contains("accepts exactly one certificate there, and ca.crt holds 2"), "{}", run.stderr);
    manifest(&place, path, "/etc/kubernetes/pki/ca-signer.crt");
    check().ok();
    fs::remove_file(place.path("t/pki/ca-signer.crt")).unwrap();
    let run = check().status(4);
    assert!(run.stdout.contains("missing") && run.stdout.contains("kpki init --dir t"), "{}", run.stdout);
    place.init(&["--dir", "t"]).status(0);
    check().ok();
}

/// Another cluster's CA data is not trusted less than a cut one's.
#[test]
fn ca_data_of_another_cluster_is_a_finding() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    for dir in ["t", "other"] {
        place.init(&["--profile", "p.yaml", "--dir", dir]).ok();
    }
    let encoded = |path: &str| kpki::encoding::base64::encode(place.read(path).as_bytes()).to_string();
    let conf = place.read("t/scheduler.conf").replace(&encoded("t/pki/ca.crt"), &encoded("other/pki/ca.crt"));
    place.write("t/scheduler.conf", conf);
    let run = place.kpki(&["check-expiration", "t", "--at", NOW]).status(4);
    assert!(run.stdout.contains("differs from ca.crt"), "{}", run.stdout);
    let run = place.kpki(&["renew", "all", "--due", "--dir", "t", "--at", NOW]).status(0);
    assert!(run.stdout.contains("it holds the CA data it read when it started"), "{}", run.stdout);
    place.kpki(&["check-expiration", "t", "--at", NOW]).ok();
}
