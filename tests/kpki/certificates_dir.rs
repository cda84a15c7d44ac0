//! certificatesDir outside /etc/kubernetes: the whole round of one node's tree, in a copy of the node's file system.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::harness::{NOW, Place, Run};

/// The node's `/etc/kubernetes`, and its certificatesDir.
const DIR: &str = "host/etc/kubernetes";
const PKI: &str = "host/srv/k8s/pki";

const OWN: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\nkubernetesVersion: v1.36.0\n\
    certificatesDir: /srv/k8s/pki\nkubelet: {serving: false}\nnodes: [{name: cp1, addresses: [10.0.0.1]}]\n";

const KUBEADM: &str = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n\
    localAPIEndpoint: {advertiseAddress: 10.0.0.1}\nnodeRegistration: {name: cp1}\n---\n\
    apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: prod\nkubernetesVersion: v1.36.0\n\
    certificatesDir: /srv/k8s/pki\n";

fn made(profile: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", profile);
    place.init(&["--profile", "p.yaml", "--dir", DIR]).ok();
    place
}

fn on(place: &Place, verb: &[&str], more: &[&str]) -> Run {
    place.kpki(&[verb, &["--dir", DIR, "--at", NOW], more].concat())
}

/// Files and directories below one of the place, with their modes.
fn below(place: &Place, dir: &str) -> Vec<(String, u32)> {
    let inside = format!("{dir}/");
    let all = place.files().into_iter();
    all.filter_map(|(name, (mode, _))| Some((name.strip_prefix(&inside)?.to_owned(), mode))).collect()
}

fn contents(place: &Place, path: &str) -> Vec<u8> {
    fs::read(place.path(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn full(place: &Place, path: &str) -> String {
    place.path(path).display().to_string()
}

#[test]
fn certificates_are_where_the_node_has_them_and_everything_else_stays_in_dir() {
    for profile in [OWN, KUBEADM] {
        let place = made(profile);
        for (path, mode) in [("ca.crt", 0o644), ("ca.key", 0o600), ("etcd/server.key", 0o600), ("sa.pub", 0o600)] {
            assert!(below(&place, PKI).contains(&(path.to_owned(), mode)), "{path}: {:?}", below(&place, PKI));
        }
        assert!(!place.path(DIR).join("pki").exists());
        assert!(place.path(DIR).join(".kpki/journal.jsonl").exists() && place.path(DIR).join("admin.conf").exists());
        for dir in ["host/srv", "host/srv/k8s", PKI, &format!("{PKI}/etcd")] {
            assert_eq!(fs::metadata(place.path(dir)).unwrap().permissions().mode() & 0o7777, 0o755, "{dir}");
        }
        // Nothing is to be done, and nothing is done.
        let again = place.init(&["--profile", "p.yaml", "--dir", DIR]).ok();
        assert!(again.stdout.starts_with("nothing to do") && !again.wrote, "{}", again.stdout);
        // The recorded profile is enough, and a relative DIR is the same one.
        let words = ["check-expiration", "--at", NOW, DIR];
        let check = place.kpki(&words);
        let shown = format!("{}/apiserver.crt", full(&place, PKI));
        assert_eq!((check.status, check.stderr.as_str()), (0, ""), "{}", check.stdout);
        let json = place.kpki(&[&words[..], &["-o", "json"]].concat());
        assert!(json.stdout.contains(&shown) && !json.stdout.contains("/kubernetes/pki/"), "{}", json.stdout);
    }
}

#[test]
fn verify_reads_them_and_finds_them_by_the_flags_of_the_components() {
    let place = made(OWN);
    let pod = |path: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: kube-apiserver}}\nspec:\n  containers:\n  - name: kube-apiserver\n    \
             command:\n    - kube-apiserver\n    - --client-ca-file={path}\n    - --kubelet-certificate-authority={path}\n"
        )
    };
    let manifest = format!("{DIR}/manifests/kube-apiserver.yaml");
    let run = |path: &str| {
        place.write(&manifest, pod(path));
        place.kpki(&["verify", "--at", NOW, DIR])
    };
    let right = run("/srv/k8s/pki/ca.crt");
    assert_eq!((right.status, right.stderr.as_str()), (0, ""), "{}", right.stdout);
    assert!(!right.stdout.contains("was not looked at"), "{}", right.stdout);
    let wrong = run("/srv/k8s/pki/front-proxy-ca.crt");
    assert!(wrong.status != 0 && wrong.stdout.contains("--client-ca-file"), "{}", wrong.stdout);
}

#[test]
fn renewing_keeps_what_was_there_and_restoring_brings_it_back() {
    let place = made(OWN);
    let (crt, key) = (format!("{PKI}/etcd/server.crt"), format!("{PKI}/etcd/server.key"));
    let old = (contents(&place, &crt), contents(&place, &key));
    let renewed = on(&place, &["renew", "etcd-server", "-o", "json"], &[]);
    assert_eq!((renewed.status, renewed.stderr.as_str()), (0, ""));
    assert!(renewed.stdout.contains(&full(&place, &crt)), "{}", renewed.stdout);
    let new = (contents(&place, &crt), contents(&place, &key));
    assert!(new.0 != old.0 && new.1 != old.1);
    assert!(below(&place, PKI).iter().all(|(name, _)| !name.contains(".kpki")), "{:?}", below(&place, PKI));
    let generation = renewed.json()["trees"][0]["generation"].as_str().unwrap().to_owned();
    let kept = format!("{DIR}/.kpki/generations/{generation}/certificates/etcd/server");
    assert_eq!((contents(&place, &format!("{kept}.crt")), contents(&place, &format!("{kept}.key"))), old);

    let history = place.kpki(&["history", "--dir", DIR, "-o", "json"]).ok().json();
    let replaced = &history["generations"][0]["replaced"];
    assert_eq!(*replaced, serde_json::json!([full(&place, &key), full(&place, &crt)]), "{history}");
    let back = on(&place, &["restore", &generation], &[]).ok();
    assert!(back.stdout.contains(&format!("  {}\n", full(&place, &crt))), "{}", back.stdout);
    assert_eq!((contents(&place, &crt), contents(&place, &key)), old);
    // What the first run made goes again: the tree as it was before init has no certificates.
    let first = history["generations"].as_array().unwrap().last().unwrap()["generation"].as_str().unwrap().to_owned();
    on(&place, &["restore", &first], &[]).ok();
    assert!(!place.path(&crt).exists() && place.path(&format!("{PKI}/etcd")).exists());
}

#[test]
fn revocation_lists_are_beside_their_authority() {
    let place = made(OWN);
    let revoked = on(&place, &["revoke", "apiserver"], &[]).ok();
    let list = format!("{PKI}/ca.crl");
    assert!(revoked.stdout.contains(&full(&place, &list)), "{}", revoked.stdout);
    assert!(revoked.stdout.contains("Still in use: apiserver"), "{}", revoked.stdout);
    on(&place, &["crl", "update"], &["--der"]).ok();
    for name in ["ca.crl", "ca.crl.der", "etcd/ca.crl", "etcd/ca.crl.der", "front-proxy-ca.crl"] {
        assert!(place.path(&format!("{PKI}/{name}")).exists(), "{name}");
    }
    // The next issue has a higher number, also when the list itself is gone.
    let number = |run: &Run| run.json()["lists"][0]["crlNumber"].clone();
    assert_eq!(number(&on(&place, &["crl", "update", "ca", "-o", "json"], &[])), "3");
    fs::remove_file(place.path(&list)).unwrap();
    let lost = on(&place, &["crl", "update", "ca", "-o", "json"], &[]);
    assert_eq!((number(&lost), lost.json()["lists"][0]["entries"].clone()), ("4".into(), 1.into()), "{}", lost.stdout);
    let check = place.kpki(&["crl", "check", "apiserver", "etcd-server", "--dir", DIR, "--at", NOW]);
    assert!(check.status == 4 && check.stdout.starts_with("revoked: 1 revoked, 1 good"), "{}", check.stdout);
    let due = on(&place, &["renew", "all", "--due"], &[]);
    assert!(due.status == 0 && due.stdout.contains("revoked since"), "{}{}", due.stdout, due.stderr);
}

#[test]
fn a_request_is_signed_by_its_authority_and_imported_beside_it() {
    let place = made(OWN);
    on(&place, &["csr", "apiserver"], &[]).ok();
    let request = format!("{DIR}/.kpki/requests/pki/apiserver");
    assert!(place.path(&format!("{request}.csr")).exists() && place.path(&format!("{request}.key")).exists());
    let csr = format!("{request}.csr");
    on(&place, &["sign", &csr, "--as", "apiserver"], &["--out", "new.crt"]).ok();
    let import = on(&place, &["import", "new.crt"], &[]);
    assert_eq!(import.status, 0, "{}", import.stderr);
    assert_eq!(contents(&place, "new.crt"), contents(&place, &format!("{PKI}/apiserver.crt")));
    assert!(!place.path(&csr).exists());
    let check = place.kpki(&["verify", "--at", NOW, DIR]);
    assert_eq!(check.status, 0, "{}", check.stdout);
}

#[test]
fn an_archive_unpacks_to_where_the_node_reads_and_both_are_right() {
    let place = made(OWN);
    let archived = on(&place, &["export", "cp1"], &["--out", "cp1.tar"]).ok();
    assert!(archived.stdout.contains("/srv/k8s/pki/etcd/server.key"), "{}", archived.stdout);
    on(&place, &["export", "--verify", "cp1"], &[]).ok();
    // The directories above are the operating system's: their modes are not the archive's to say.
    let mut names = Vec::new();
    for entry in tar::Archive::new(contents(&place, "cp1.tar").as_slice()).entries().unwrap() {
        names.push(entry.unwrap().path().unwrap().display().to_string());
    }
    assert!(names.contains(&"srv/k8s/pki/".to_owned()) && !names.contains(&"srv/k8s/".to_owned()), "{names:?}");
    tar::Archive::new(contents(&place, "cp1.tar").as_slice()).unpack(place.path("node")).unwrap();
    let verify = |dir: &str| place.kpki(&["export", "--verify", "cp1", "--dir", dir, "--at", NOW]);
    let right = verify("node/etc/kubernetes").ok();
    assert!(right.stdout.contains("/node/srv/k8s/pki/apiserver.crt"), "{}", right.stdout);
    fs::remove_file(place.path("node/srv/k8s/pki/apiserver.crt")).unwrap();
    assert_eq!(verify("node/etc/kubernetes").status, 4);
}

#[test]
fn in_any_other_directory_they_are_gathered_and_that_is_said() {
    let place = Place::new();
    place.write("p.yaml", OWN);
    let run = place.init(&["--profile", "p.yaml", "--dir", "copy"]).status(0);
    let said = "warning: certificatesDir /srv/k8s/pki: the files are in copy/pki, and go to /srv/k8s/pki on the node\n";
    assert_eq!(run.stderr, said);
    assert!(place.path("copy/pki/apiserver.crt").exists() && !place.path("srv").exists());
    for words in [["check-expiration", "copy"], ["verify", "copy"]] {
        let run = place.kpki(&[&words[..], &["--at", NOW]].concat());
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{words:?} {}", run.stdout);
    }
    let export = place.kpki(&["export", "cp1", "--dir", "copy", "--out", "cp1.tar", "--at", NOW]).ok();
    assert!(export.stdout.contains("/srv/k8s/pki/apiserver.crt"), "{}", export.stdout);
    place.kpki(&["export", "--verify", "cp1", "--dir", "copy", "--at", NOW]).ok();
}

#[test]
fn a_cluster_directory_holds_them_below_and_says_where_they_go() {
    let place = Place::new();
    let two = "nodes: [{name: cp1, addresses: [10.0.0.1]}, {name: cp2, addresses: [10.0.0.2]}]";
    let more = "controlPlaneEndpoint: lb.example.com\n";
    place.write("p.yaml", OWN.replace("nodes: [{name: cp1, addresses: [10.0.0.1]}]", &format!("{more}{two}")));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    assert!(place.path("c/pki/ca.key").exists() && place.path("c/nodes/cp1/pki/apiserver.crt").exists());
    let manifest: serde_json::Value = serde_json::from_str(&place.read("c/manifest.json")).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let one = files.iter().find(|file| file["path"] == "nodes/cp2/pki/etcd/server.crt").unwrap();
    assert_eq!(one["installs"], "/srv/k8s/pki/etcd/server.crt");
    for words in [["check-expiration", "c"], ["verify", "c"]] {
        let run = place.kpki(&[&words[..], &["--at", NOW]].concat());
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{words:?} {}", run.stdout);
    }
    place.kpki(&["renew", "cp1/apiserver", "--dir", "c", "--at", NOW]).ok();
    place.kpki(&["export", "cp2", "--dir", "c", "--out", "cp2.tar", "--at", NOW]).ok();
    tar::Archive::new(contents(&place, "cp2.tar").as_slice()).unpack(place.path("cp2")).unwrap();
    assert!(place.path("cp2/srv/k8s/pki/apiserver.crt").exists());
    place.kpki(&["export", "--verify", "cp2", "--dir", "cp2/etc/kubernetes", "--at", NOW]).ok();
}

#[test]
fn an_authority_that_was_put_there_first_signs() {
    let place = Place::new();
    place.write("p.yaml", OWN);
    let other = made(OWN);
    fs::create_dir_all(place.path(PKI)).unwrap();
    for name in ["ca.crt", "ca.key"] {
        fs::copy(other.path(&format!("{PKI}/{name}")), place.path(&format!("{PKI}/{name}"))).unwrap();
    }
    let planned = place.init(&["--profile", "p.yaml", "--dir", DIR, "--dry-run"]).status(0);
    assert!(!planned.wrote && planned.stdout.contains("keep 1 entry"), "{}", planned.stdout);
    place.init(&["--profile", "p.yaml", "--dir", DIR]).ok();
    let same = |name: &str| contents(&place, &format!("{PKI}/{name}")) == contents(&other, &format!("{PKI}/{name}"));
    assert!(same("ca.crt") && same("ca.key") && !same("apiserver.crt"));
    let verify = place.kpki(&["verify", "--at", NOW, DIR]);
    assert_eq!(verify.status, 0, "{}", verify.stdout);
    // A run that is refused makes no DIR either.
    let place = Place::new();
    place.write("p.yaml", OWN);
    place.write(&format!("{PKI}/ca.crt"), "not a certificate");
    place.init(&["--profile", "p.yaml", "--dir", DIR]).fails(1);
}

#[test]
fn symlinks_are_refused_in_their_place_and_below() {
    for link in [PKI.to_owned(), format!("{PKI}/etcd")] {
        let place = Place::new();
        place.write("p.yaml", OWN);
        fs::create_dir_all(place.path(&link).parent().unwrap()).unwrap();
        fs::create_dir(place.path("elsewhere")).unwrap();
        symlink(place.path("elsewhere"), place.path(&link)).unwrap();
        let run = place.init(&["--profile", "p.yaml", "--dir", DIR]).fails(1);
        let said = format!("error: cannot open {}: it is a symlink, which is not followed here\n", full(&place, &link));
        assert!(run.stderr.starts_with(&said), "{}", run.stderr);
    }
}

#[test]
fn directories_that_cannot_be_both_are_refused() {
    let place = Place::new();
    place.write("p.yaml", OWN.replace("serving: false", "serving: true"));
    let run = place.init(&["--profile", "p.yaml", "--dir", DIR, "--kubelet-dir", PKI]).fails(2);
    assert!(run.stderr.contains("--kubelet-dir is certificatesDir: "), "{}", run.stderr);
    place.write("p.yaml", OWN.replace("/srv/k8s/pki", "/var/lib/kubelet/pki"));
    let run = place.init(&["--profile", "p.yaml", "--dir", DIR]).fails(2);
    assert!(run.stderr.contains("certificatesDir: expected a directory of its own"), "{}", run.stderr);
}

#[test]
fn nothing_else_is_written_among_them() {
    let place = made(OWN);
    let out = format!("{PKI}/bob.conf");
    let words = ["--validity", "1d", "--server", "https://10.0.0.1:6443", "--out", &out];
    let run = on(&place, &["kubeconfig", "user", "bob"], &words).fails(1);
    assert!(run.stderr.contains("belongs to the tree"), "{}", run.stderr);
    let run = on(&place, &["kubeconfig", "user", "bob"], &[&words[..5], &["bob.conf"]].concat()).warns();
    assert!(place.path("bob.conf").exists(), "{}", run.stderr);
    let secret = place.kpki(&["convert", DIR, "--as", "kubeadm-certs", "--out", "certs.yaml"]);
    assert!(secret.status == 0 && secret.stdout.contains("ca.key, etcd-ca.crt"), "{}{}", secret.stdout, secret.stderr);
}

#[test]
fn a_kubeconfig_that_names_its_files_there_is_renewed_there() {
    let place = made(OWN);
    let admin = place.read(&format!("{DIR}/admin.conf"));
    let extract = |key: &str| {
        let line = admin.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
        kpki::encoding::base64::decode(line.split_once(": ").unwrap().1.as_bytes()).unwrap()
    };
    let (crt, key) = (format!("{PKI}/admin.crt"), format!("{PKI}/admin.key"));
    let (certificate, private) = (extract("client-certificate-data"), extract("client-key-data"));
    place.write(&crt, certificate);
    place.write(&key, private);
    fs::set_permissions(place.path(&key), fs::Permissions::from_mode(0o600)).unwrap();
    let named = |line: &str| match line.trim_start().split_once(": ") {
        Some(("client-certificate-data", _)) => "    client-certificate: /srv/k8s/pki/admin.crt".to_owned(),
        Some(("client-key-data", _)) => "    client-key: /srv/k8s/pki/admin.key".to_owned(),
        _ => line.to_owned(),
    };
    let text: Vec<String> = admin.lines().map(named).collect();
    fs::write(place.path(&format!("{DIR}/admin.conf")), text.join("\n") + "\n").unwrap();
    let before = (contents(&place, &crt), contents(&place, &format!("{DIR}/admin.conf")));
    let run = on(&place, &["renew", "admin.conf"], &[]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(contents(&place, &crt) != before.0 && contents(&place, &format!("{DIR}/admin.conf")) == before.1);
    let check = place.kpki(&["check-expiration", DIR, "--at", NOW]);
    assert_eq!(check.status, 0, "{}{}", check.stdout, check.stderr);
}

/// PREFIX/etc/kubernetes has PREFIX/var/lib/kubelet/pki for every verb; a tree that has the pair in DIR/kubelet keeps it there.
#[test]
fn the_kubelets_files_are_beside_a_copy_of_the_nodes_file_system() {
    let place = Place::new();
    place.write("p.yaml", super::harness::single("kubelet: {serving: true}\nencryptionAlgorithm: ECDSA-P256\n"));
    let (dir, own, beside) =
        ("r/etc/kubernetes", "r/etc/kubernetes/kubelet/kubelet.crt", "r/var/lib/kubelet/pki/kubelet.crt");
    place.init(&["--profile", "p.yaml", "--dir", dir]).ok();
    assert!(place.path(beside).exists() && !place.path(own).exists());
    let all = |kept: &str| {
        place.kpki(&["verify", dir, "--at", NOW]).ok();
        place.kpki(&["check-expiration", dir, "--at", NOW]).ok();
        place.kpki(&["export", "--verify", "cp1", "--dir", dir, "--at", NOW]).ok();
        let before = place.read(kept);
        place.kpki(&["renew", "kubelet-serving", "--dir", dir, "--at", NOW]).ok();
        assert_ne!(before, place.read(kept));
        place.kpki(&["restore", "--dir", dir]).ok();
        assert_eq!(before, place.read(kept));
        assert!(place.kpki(&["init", "--dir", dir, "--at", NOW]).ok().stdout.starts_with("nothing to do"));
    };
    all(beside);
    // As it was made before.
    fs::create_dir_all(place.path("r/etc/kubernetes/kubelet")).unwrap();
    for end in ["crt", "key"] {
        let old = place.path(&format!("r/var/lib/kubelet/pki/kubelet.{end}"));
        fs::rename(old, place.path(&format!("r/etc/kubernetes/kubelet/kubelet.{end}"))).unwrap();
    }
    fs::remove_dir_all(place.path("r/var")).unwrap();
    fs::remove_dir_all(place.path("r/etc/kubernetes/.kpki/generations")).unwrap();
    all(own);
    assert!(!place.path(beside).exists());
}
