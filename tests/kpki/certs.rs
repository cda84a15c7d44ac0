//! `kpki certs`, and what else is said in kubeadm's words: the ConfigMap of a cluster, and forms of files by their other names.

use std::fs;

use super::harness::{NOW, Place, copy_tree, names, repository, text};

/// What kubeadm calls the certificates that it renews.
const RENEWED: [&str; 11] = [
    "admin.conf",
    "apiserver",
    "apiserver-etcd-client",
    "apiserver-kubelet-client",
    "controller-manager.conf",
    "etcd-healthcheck-client",
    "etcd-peer",
    "etcd-server",
    "front-proxy-client",
    "scheduler.conf",
    "super-admin.conf",
];

/// A tree of kubeadm in `k8s`.
fn kubeadms() -> Place {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes"), &place.path("k8s"));
    place
}

#[test]
fn each_is_kpkis_own_verb_on_the_tree_that_the_directories_name() {
    let place = kubeadms();
    for (kubeadm, own) in [
        (
            &["certs", "check-expiration", "--cert-dir", "k8s/pki", "-o", "json"][..],
            &["check-expiration", "--dir", "k8s", "-o", "json"][..],
        ),
        (
            &["certs", "check-expiration", "--kubeconfig-dir", "k8s", "--exit-zero"],
            &["check-expiration", "--dir", "k8s", "--exit-zero"],
        ),
        (
            &["certs", "renew", "apiserver", "--cert-dir", "k8s/pki", "--dry-run"],
            &["renew", "apiserver", "--dir", "k8s", "--dry-run"],
        ),
    ] {
        let [kubeadm, own] = [kubeadm, own].map(|words| place.kpki(&[words, &["--at", NOW]].concat()).ok().stdout);
        assert_eq!(kubeadm, own);
    }
    let names = [&["certs", "renew"][..], &RENEWED, &["--cert-dir", "k8s/pki", "--at", NOW, "-o", "json"]].concat();
    let before = place.files();
    let run = place.kpki(&names).ok().json();
    assert_eq!(run["trees"][0]["entries"].as_array().map(Vec::len), Some(RENEWED.len()), "{run}");
    let after = place.files();
    for file in ["k8s/pki/ca.crt", "k8s/pki/sa.key", "k8s/kubelet.conf"] {
        assert_eq!(before[file], after[file], "{file}");
    }
    for file in ["k8s/pki/apiserver.crt", "k8s/pki/etcd/peer.key", "k8s/super-admin.conf"] {
        assert_ne!(before[file], after[file], "{file}");
    }
}

#[test]
fn requests_are_the_files_that_kubeadm_writes() {
    let place = Place::new();
    let config = text("fixtures/kubeadm/v1.36-generate-csr/kubeadm.yaml");
    let words =
        ["certs", "generate-csr", "--config", &config, "--cert-dir", "k/pki", "--kubeconfig-dir", "k", "--at", NOW];
    let run = place.kpki(&words).ok();
    assert!(run.stdout.starts_with("wrote 12 requests: k\n"), "{}", run.stdout);
    assert_eq!(names(&place.path("k")), names(&repository("fixtures/kubeadm/v1.36-generate-csr/etc-kubernetes")));
    let before = place.files();
    place.kpki(&words).ok();
    assert_eq!(place.files(), before, "a key that exists is used");
}

#[test]
fn directories_that_are_not_one_tree_are_refused() {
    let place = kubeadms();
    let config = fs::read_to_string(repository("fixtures/kubeadm/v1.36-default-rsa2048/kubeadm.yaml")).unwrap();
    let text = |more: &str| config.replace("kubernetesVersion:", &format!("{more}kubernetesVersion:"));
    fs::create_dir_all(place.path("bare/pki")).unwrap();
    fs::create_dir_all(place.path("node/etc")).unwrap();
    fs::rename(place.path("k8s"), place.path("node/etc/kubernetes")).unwrap();
    for (words, says) in [
        (&["--cert-dir", "bare/pki"][..], "there are no kubeconfigs beside --cert-dir bare/pki"),
        (&["--cert-dir", "node/etc/kubernetes/pki", "--kubeconfig-dir", "bare"], "are not one tree"),
        (
            &["--cert-dir", "node/srv/pki", "--kubeconfig-dir", "node/etc/kubernetes"],
            "expected its certificates in node/etc/kubernetes/pki",
        ),
    ] {
        let run = place.kpki(&[&["certs", "renew", "all", "--at", NOW], words].concat()).fails(2);
        assert!(run.stderr.contains(says), "{words:?}: {}", run.stderr);
    }
    // What is asked for already is no advice.
    let apart = "--cert-dir bare/pki --kubeconfig-dir node/etc/kubernetes";
    for (more, says) in [("", true), (" --config kubeadm.yaml", false)] {
        place.write("kubeadm.yaml", text(""));
        let words: Vec<&str> =
            ["certs renew all --at", NOW, apart, more].iter().flat_map(|one| one.split_whitespace()).collect();
        let run = place.kpki(&words).fails(2);
        assert_eq!(run.stderr.contains("give it with --config FILE"), says, "{more}: {}", run.stderr);
    }
    // A configuration that has them elsewhere does not mean those beside the kubeconfigs.
    copy_tree(&place.path("node/etc/kubernetes"), &place.path("c/kubernetes"));
    place.write("elsewhere.yaml", text("certificatesDir: /srv/bare/pki\n"));
    let before = place.files();
    let words =
        ["certs", "renew", "apiserver", "--at", NOW, "--config", "elsewhere.yaml", "--kubeconfig-dir", "c/kubernetes"];
    let run = place.kpki(&words).fails(2);
    let both = "has the certificates in /srv/bare/pki, and those in c/kubernetes/pki would be taken";
    assert!(run.stderr.contains(both), "{}", run.stderr);
    assert_eq!(place.files(), before);
    place.kpki(&[&words[..], &["--cert-dir", "c/kubernetes/pki", "--dry-run"]].concat()).status(0);
    // Where the configuration has them, they are found.
    fs::create_dir_all(place.path("node/srv")).unwrap();
    fs::rename(place.path("node/etc/kubernetes/pki"), place.path("node/srv/pki")).unwrap();
    place.write("kubeadm.yaml", text("certificatesDir: /srv/pki\n"));
    let words = ["--cert-dir", "node/srv/pki", "--kubeconfig-dir", "node/etc/kubernetes", "--config", "kubeadm.yaml"];
    let run = place.kpki(&[&["certs", "renew", "apiserver", "--at", NOW], &words[..]].concat()).status(0);
    assert!(run.stdout.starts_with("renewed 1 of 1 certificate"), "{}{}", run.stdout, run.stderr);
    assert!(!place.path("node/etc/kubernetes/pki").exists());
}

#[test]
fn a_certificate_key_is_what_kubeadm_takes() {
    let place = kubeadms();
    let [one, other] = [(); 2].map(|()| place.kpki(&["certs", "certificate-key"]).ok().stdout);
    assert!(
        one != other && one.trim_end().len() == 64 && one.trim_end().chars().all(|c| c.is_ascii_hexdigit()),
        "{one}"
    );
    place.write("key", &one);
    let run = place.kpki(&["convert", "k8s", "--as", "kubeadm-certs", "--certificate-key-file", "key"]).status(0);
    assert!(run.stdout.contains("name: kubeadm-certs") && !run.stderr.contains("certificate key"), "{}", run.stderr);
}

/// As `kubectl -n kube-system get cm kubeadm-config -o yaml` prints it.
fn config_map(names: &str) -> String {
    format!(
        "apiVersion: v1\ndata:\n  ClusterConfiguration: |\n    apiServer:\n      certSANs: [{names}]\n    apiVersion: kubeadm.k8s.io/v1beta4\n    \
         kind: ClusterConfiguration\n    kubernetesVersion: v1.36.2\nkind: ConfigMap\nmetadata:\n  name: kubeadm-config\n  namespace: kube-system\n"
    )
}

#[test]
fn a_cluster_is_described_by_its_config_map() {
    let place = kubeadms();
    place.write("cm.yaml", config_map("api.example.com"));
    // Its file has neither the node's name nor its address: that is in the tree.
    let words = ["renew", "apiserver", "--config", "cm.yaml", "--node", "cp1", "--dir", "k8s", "--at", NOW];
    place.kpki(&words).status(0);
    let names = |place: &Place| place.kpki(&["inspect", "k8s/pki/apiserver.crt", "-o", "json"]).ok().stdout;
    let shown = names(&place);
    assert!(shown.contains("api.example.com") && shown.contains("10.0.0.11"), "{shown}");
    // From standard input, and by kubeadm's word.
    let words = ["certs", "renew", "apiserver", "--config", "-", "--node", "cp1", "--cert-dir", "k8s/pki", "--at", NOW];
    place.kpki_with(&words, config_map("other.example.com").as_bytes()).status(0);
    assert!(names(&place).contains("other.example.com"));
    // What is printed for later does not wait for standard input.
    let words = ["renew", "all", "--config", "-", "--node", "cp1", "--dir", "k8s", "--at", NOW, "--dry-run"];
    let run = place.kpki_with(&words, config_map("x.example.com").as_bytes()).status(0);
    assert!(!run.stdout.contains("--profile -") && !run.stderr.contains("--profile -"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn it_is_a_profile_for_init_and_profile_show() {
    let place = Place::new();
    let more = ["--node", "cp1", "--apiserver-advertise-address", "10.0.0.11"];
    place.write("cm.yaml", config_map("api.example.com"));
    let from_file = place.kpki(&[&["profile", "show", "cm.yaml"], &more[..]].concat()).ok().stdout;
    let from_stdin =
        place.kpki_with(&[&["profile", "show", "-"], &more[..]].concat(), config_map("api.example.com").as_bytes());
    assert_eq!(from_file, from_stdin.ok().stdout);
    assert!(from_file.contains("api.example.com"), "{from_file}");
    place
        .kpki_with(
            &[&["init", "--config", "-", "--dir", "t", "--at", NOW], &more[..]].concat(),
            config_map("a.example.com").as_bytes(),
        )
        .ok();
    // It is recorded as it was given.
    assert_eq!(place.read("t/.kpki/profile.yaml"), config_map("a.example.com"));
    let again = place.kpki(&["init", "--dir", "t", "--at", NOW]).ok();
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
    let wrong = config_map("x").replace("kubernetesVersion", "kubernetesVersoin");
    let run = place.kpki_with(&[&["profile", "show", "-"], &more[..]].concat(), wrong.as_bytes()).fails(2);
    assert!(run.stderr.contains("standard input:8:5: kubernetesVersoin"), "{}", run.stderr);
}

#[test]
fn forms_have_the_names_of_their_files() {
    let place = kubeadms();
    place.write("pass", "secret\n");
    for (other, own) in [("cer", "der"), ("crt", "pem"), ("p7c", "p7b"), ("pkcs7", "p7b")] {
        for (form, file) in [(other, "a"), (own, "b")] {
            place.kpki(&["convert", "k8s/pki/apiserver.crt", "--to", form, "-O", file, "--force"]).ok();
        }
        assert_eq!(fs::read(place.path("a")).unwrap(), fs::read(place.path("b")).unwrap(), "{other}");
    }
    for form in ["pfx", "pkcs12"] {
        let pair =
            ["convert", "k8s/pki/apiserver.crt", "k8s/pki/apiserver.key", "--to", form, "--out-password-file", "pass"];
        place.kpki(&[&pair[..], &["--force", "-O", "a.pfx"]].concat()).ok();
        let shown = place.kpki(&["inspect", "a.pfx", "--password-file", "pass"]).ok().stdout;
        assert!(shown.contains("kube-apiserver"), "{shown}");
    }
}
