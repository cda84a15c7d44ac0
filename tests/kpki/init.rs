//! Making trees: layouts, modes, idempotence, forms of output.

use std::fs;

use super::facts::{self, File};
use kpki::commands::init;
use kpki::workspace::RunArgs;

use super::harness::{NOW, Place, copy_tree, names, single, text, tree};

#[test]
fn one_node_gets_exactly_its_etc_kubernetes() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    assert_eq!(run.stderr, "");
    assert!(run.stdout.starts_with("created 17 entries: cluster kubernetes, node cp1, in k8s\n\n"), "{}", run.stdout);
    assert_eq!(
        names(&place.path("k8s")),
        [
            "admin.conf",
            "controller-manager.conf",
            "kubelet.conf",
            "kubelet/kubelet.crt",
            "kubelet/kubelet.key",
            "pki/apiserver-etcd-client.crt",
            "pki/apiserver-etcd-client.key",
            "pki/apiserver-kubelet-client.crt",
            "pki/apiserver-kubelet-client.key",
            "pki/apiserver.crt",
            "pki/apiserver.key",
            "pki/ca.crt",
            "pki/ca.key",
            "pki/etcd/ca.crt",
            "pki/etcd/ca.key",
            "pki/etcd/healthcheck-client.crt",
            "pki/etcd/healthcheck-client.key",
            "pki/etcd/peer.crt",
            "pki/etcd/peer.key",
            "pki/etcd/server.crt",
            "pki/etcd/server.key",
            "pki/front-proxy-ca.crt",
            "pki/front-proxy-ca.key",
            "pki/front-proxy-client.crt",
            "pki/front-proxy-client.key",
            "pki/sa.key",
            "pki/sa.pub",
            "scheduler.conf",
            "super-admin.conf",
        ]
    );
    for (name, (mode, _)) in tree(&place.path("k8s")) {
        let own = name.starts_with(".kpki");
        let expected = match name.as_str() {
            n if n.ends_with('/') => {
                if own {
                    0o700
                } else {
                    0o755
                }
            }
            n if n.ends_with(".crt") => 0o644,
            _ => 0o600,
        };
        assert_eq!(mode, expected, "{name}");
    }
    // Nothing beside DIR: no staging directory, no lock.
    let mut beside: Vec<_> = fs::read_dir(place.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    beside.sort();
    assert_eq!(beside, ["k8s", "p.yaml"]);
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let place = Place::new();
    for profile in ["profiles/single-node.yaml", "profiles/ha-load-balancer.yaml"] {
        let profile = text(profile);
        place.init(&["--profile", &profile, "--dir", "k8s"]).ok();
        let before = tree(&place.path("k8s"));
        let again = place.init(&["--profile", &profile, "--dir", "k8s"]).ok();
        assert!(again.stdout.starts_with("nothing to do, "), "{}", again.stdout);
        // The recorded profile is found.
        let recorded = place.init(&["--dir", "k8s"]).ok();
        assert!(recorded.stdout.starts_with("nothing to do, "), "{}", recorded.stdout);
        assert_eq!(without_lock(before), without_lock(tree(&place.path("k8s"))));
        fs::remove_dir_all(place.path("k8s")).unwrap();
    }
}

fn without_lock(
    mut tree: std::collections::BTreeMap<String, (u32, Vec<u8>)>,
) -> std::collections::BTreeMap<String, (u32, Vec<u8>)> {
    tree.remove(".kpki/lock");
    tree
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_it_would_do() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s", "--dry-run", "-o", "json"]).ok();
    let plan = run.json();
    assert_eq!(plan["outcome"], "planned");
    assert_eq!(plan["entries"].as_array().unwrap().len(), 17);
    assert_eq!(plan["entries"][1]["subject"], "CN=kube-apiserver");
    assert!(plan["entries"][1]["serial"].is_null());
    assert!(!place.path("k8s").exists());
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    let before = tree(&place.path("k8s"));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s", "--dry-run"]).ok();
    assert!(run.stdout.starts_with("would create 0, replace 0, keep 17 entries"), "{}", run.stdout);
    assert_eq!(before, tree(&place.path("k8s")));
}

#[test]
fn a_cluster_directory_holds_what_each_node_needs_and_no_more() {
    let place = Place::new();
    place.write(
        "p.yaml",
        "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com:6443\nnodes:\n\
         - {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
         - {name: w1, roles: [worker], addresses: [10.0.0.9]}\n",
    );
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let all = names(&place.path("c"));
    let below = |prefix: &str| -> Vec<String> {
        all.iter().filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned).collect()
    };
    assert_eq!(
        below("pki/"),
        [
            "ca.crt",
            "ca.key",
            "etcd/ca.crt",
            "etcd/ca.key",
            "front-proxy-ca.crt",
            "front-proxy-ca.key",
            "sa.key",
            "sa.pub"
        ]
    );
    assert_eq!(below("nodes/w1/"), ["kubelet.conf", "kubelet/kubelet.crt", "kubelet/kubelet.key", "pki/ca.crt"]);
    assert_eq!(below("nodes/cp1/").len(), 29);
    // super-admin.conf is init's, so the first control-plane node's.
    assert_eq!(below("nodes/cp2/").len(), 28);
    for shared in ["ca.crt", "ca.key", "sa.key", "sa.pub", "etcd/ca.key"] {
        assert_eq!(place.read(&format!("c/pki/{shared}")), place.read(&format!("c/nodes/cp2/pki/{shared}")));
    }

    // Any master and the load balancer are covered by every API server certificate.
    let facts = facts::read(&place.path("c"));
    for node in ["cp1", "cp2"] {
        let File::Certificates(list) = &facts[&format!("nodes/{node}/pki/apiserver.crt")].1 else { panic!() };
        for name in ["DNS:cp1", "DNS:cp2", "DNS:lb.example.com", "IP:10.0.0.1", "IP:10.0.0.2", "IP:10.96.0.1"] {
            assert!(list[0].sans.contains(&name.to_owned()), "{node}: {name}: {:?}", list[0].sans);
        }
    }
    let File::Certificates(kubelet) = &facts["nodes/w1/kubelet/kubelet.crt"].1 else { panic!() };
    assert_eq!(kubelet[0].sans, ["DNS:w1", "IP:10.0.0.9"]);
    let File::Kubeconfig(conf) = &facts["nodes/w1/kubelet.conf"].1 else { panic!() };
    assert!(conf.shape.contains("server: https://lb.example.com:6443\n"), "{}", conf.shape);
    let File::Kubeconfig(conf) = &facts["nodes/cp2/kubelet.conf"].1 else { panic!() };
    assert!(conf.shape.contains("server: https://10.0.0.2:6443\n"), "{}", conf.shape);

    // The manifest names every file once, with its scope and its place on the node.
    let manifest: serde_json::Value = serde_json::from_str(&place.read("c/manifest.json")).unwrap();
    let mut listed: Vec<&str> =
        manifest["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    listed.sort_unstable();
    let actual: Vec<&String> = all.iter().filter(|name| *name != "manifest.json").collect();
    assert_eq!(listed, actual);
    let file = |path: &str| manifest["files"].as_array().unwrap().iter().find(|f| f["path"] == path).unwrap().clone();
    assert_eq!(file("nodes/cp1/pki/ca.key")["scope"], "shared");
    assert_eq!(file("nodes/cp1/pki/apiserver.crt")["scope"], "node-local");
    assert_eq!(file("nodes/w1/kubelet/kubelet.key")["installs"], "/var/lib/kubelet/pki/kubelet.key");
    assert_eq!(file("nodes/cp1/admin.conf")["installs"], "/etc/kubernetes/admin.conf");
}

#[test]
fn ca_keys_stay_away_from_nodes_when_the_profile_says_so() {
    let place = Place::new();
    place.write("p.yaml", single("caKeys: none\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let all = names(&place.path("c"));
    assert!(all.contains(&"pki/ca.key".to_owned()));
    assert!(all.contains(&"nodes/cp1/pki/ca.crt".to_owned()));
    assert!(all.contains(&"nodes/cp1/pki/sa.key".to_owned()), "the API server signs tokens");
    assert!(!all.iter().any(|name| name.starts_with("nodes/") && name.ends_with("ca.key")), "{all:?}");
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s", "--node", "cp1"]).fails(1);
    assert!(run.stderr.contains("caKeys: none") && !place.path("k8s").exists(), "{}", run.stderr);
}

#[test]
fn a_node_added_to_the_profile_completes_the_cluster_directory() {
    let place = Place::new();
    let two = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\nnodes:\n\
               - {name: cp1, addresses: [10.0.0.1]}\n- {name: w1, roles: [worker], addresses: [10.0.0.8]}\n";
    place.write("p.yaml", two);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let before = tree(&place.path("c"));
    place.write("p.yaml", format!("{two}- {{name: w2, roles: [worker], addresses: [10.0.0.9]}}\n"));
    let run = place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    assert!(run.stdout.starts_with("created 3, replaced 0, kept "), "{}", run.stdout);
    let after = tree(&place.path("c"));
    for (name, content) in before.iter().filter(|(name, _)| !name.starts_with(".kpki") && *name != "manifest.json") {
        assert_eq!(after.get(name), Some(content), "{name}");
    }
    assert!(after.contains_key("nodes/w2/kubelet.conf"));
    assert_eq!(place.read("c/.kpki/profile.yaml"), place.read("p.yaml"));
}

#[test]
fn the_kubelets_directory_can_lie_elsewhere() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let kubelet = place.path("kubelet-pki");
    place.init(&["--profile", "p.yaml", "--dir", "k8s", "--kubelet-dir", kubelet.to_str().unwrap()]).ok();
    assert_eq!(names(&kubelet), ["kubelet.crt", "kubelet.key"]);
    assert!(!place.path("k8s/kubelet").exists());
    let again = place.init(&["--dir", "k8s"]).ok();
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
}

#[test]
fn one_node_of_many_gets_its_own_tree() {
    let place = Place::new();
    let profile = text("profiles/ha-load-balancer.yaml");
    // The first begins the authorities, as kubeadm init does, and says that the others need them.
    let run = place.init(&["--profile", &profile, "--dir", "one", "--node", "cp1"]).warns();
    assert!(run.stderr.contains("the other control-plane nodes need the same"), "{}", run.stderr);
    // The second must not begin a cluster of its own.
    let run = place.init(&["--profile", &profile, "--dir", "two", "--node", "cp2"]).fails(1);
    assert!(run.stderr.contains("ca, front-proxy-ca and 2 more are missing: this node shares them"), "{}", run.stderr);
    assert!(!place.path("two").exists());
    for file in [
        "ca.crt",
        "ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "sa.key",
        "sa.pub",
    ] {
        place.write(&format!("two/pki/{file}"), place.read(&format!("one/pki/{file}")));
    }
    let run = place.init(&["--profile", &profile, "--dir", "two", "--node", "cp2"]).warns();
    assert!(run.stderr.contains("chmod 600"), "what was copied carelessly is pointed out: {}", run.stderr);
    assert_eq!(place.read("one/pki/ca.crt"), place.read("two/pki/ca.crt"));
    assert!(place.path("two/pki/apiserver.crt").exists());
    assert!(!place.path("two/super-admin.conf").exists() && !place.path("two/nodes").exists());
    let again = place.init(&["--dir", "two", "-o", "json"]).warns();
    assert_eq!(again.json()["outcome"], "unchanged");
}

#[test]
fn every_form_of_the_report_says_the_same() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let json = place.init(&["--profile", "p.yaml", "--dir", "k8s", "-o", "json"]).ok().json();
    assert_eq!((&json["outcome"], &json["layout"], &json["node"]), (&"created".into(), &"node".into(), &"cp1".into()));
    let apiserver = &json["entries"][1];
    assert_eq!(apiserver["name"], "apiserver");
    assert_eq!(apiserver["notBefore"], "2026-11-20T21:55:00Z");
    assert_eq!(apiserver["expirationDate"], "2027-11-20T22:00:00Z");
    assert_eq!(apiserver["paths"], serde_json::json!(["pki/apiserver.crt", "pki/apiserver.key"]));
    assert_eq!(apiserver["serial"].as_str().unwrap().len(), 32);
    let yaml = place.init(&["--dir", "k8s", "-o", "yaml"]).ok().stdout;
    assert!(yaml.starts_with("apiVersion: kpki/v1\nkind: InitReport\noutcome: unchanged\n"), "{yaml}");
    assert!(
        yaml.contains(&format!("  serial: {}\n", quoted_if_number(apiserver["serial"].as_str().unwrap()))),
        "{yaml}"
    );
    let quiet = place.init(&["--dir", "k8s", "-q"]).ok();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let wide = place.init(&["--dir", "k8s", "-o", "wide"]).ok().stdout;
    assert!(
        wide.contains("ALGORITHM") && wide.contains("ECDSA-P256") && wide.contains("serverAuth, clientAuth"),
        "{wide}"
    );
}

/// All digits, or digits with one e: YAML would read a number.
fn quoted_if_number(text: &str) -> String {
    let number = text.bytes().all(|b| b.is_ascii_digit() || b == b'e');
    if number || text.as_bytes()[0].is_ascii_digit() { format!("\"{text}\"") } else { text.to_owned() }
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let plain = place.init(&["--profile", "p.yaml", "--dir", "a"]).ok();
    assert!(!plain.stdout.contains('\x1b'));
    let colour = place.init(&["--profile", "p.yaml", "--dir", "b", "--color", "always"]).ok();
    assert!(colour.stdout.starts_with("\x1b[1mcreated 17"), "{}", colour.stdout);
}

/// Also the difference `one-algorithm`.
#[test]
fn algorithms_hold_for_every_key_and_can_be_chosen_one_by_one() {
    let place = Place::new();
    for (algorithm, rsa, kind) in
        [("RSA-2048", true, "RSA-2048"), ("ECDSA-P384", false, "EC-384"), ("ECDSA-P256", false, "EC-256")]
    {
        place.write("p.yaml", single(&format!("encryptionAlgorithm: {algorithm}\n")));
        place.init(&["--profile", "p.yaml", "--dir", algorithm]).ok();
        let label = if rsa { "RSA PRIVATE KEY" } else { "EC PRIVATE KEY" };
        for (name, (_, file)) in facts::read(&place.path(algorithm)) {
            match file {
                File::Key(found, key) if name.ends_with(".pub") => {
                    assert_eq!((found.as_str(), key.as_str()), ("PUBLIC KEY", kind))
                }
                File::Key(found, key) => assert_eq!((found.as_str(), key.as_str()), (label, kind), "{name}"),
                File::Certificates(list) => assert_eq!(list[0].key, kind, "{name}"),
                File::Kubeconfig(conf) => assert_eq!(conf.key, (label.to_owned(), kind.to_owned()), "{name}"),
            }
        }
    }
    place.write(
        "p.yaml",
        single(
            "authorities:\n  etcd-ca: {algorithm: ECDSA-P384, validity: 5y, subject: {C: DE, O: Example, OU: [A, B]}}\n\
                certificates:\n  apiserver: {algorithm: RSA-2048, validity: 90d}\n",
        ),
    );
    let report = place.init(&["--profile", "p.yaml", "--dir", "mixed", "-o", "json"]).ok().json();
    let entry = |name: &str| report["entries"].as_array().unwrap().iter().find(|e| e["name"] == name).unwrap().clone();
    assert_eq!(entry("etcd-ca")["subject"], "C=DE, O=Example, OU=A+OU=B, CN=etcd-ca");
    assert_eq!(entry("etcd-ca")["algorithm"], "ECDSA-P384");
    assert_eq!(entry("etcd-ca")["expirationDate"], "2031-11-19T22:00:00Z");
    assert_eq!(entry("etcd-server")["issuer"], "C=DE, O=Example, OU=A+OU=B, CN=etcd-ca");
    assert_eq!(
        (&entry("apiserver")["algorithm"], &entry("apiserver")["expirationDate"]),
        (&"RSA-2048".into(), &"2027-02-18T22:00:00Z".into())
    );
}

/// The difference `leaf-within-ca`.
#[test]
fn a_leaf_never_outlives_its_authority() {
    let place = Place::new();
    place.write(
        "p.yaml",
        single("certificateValidityPeriod: 2y\nrenewal: {before: 30d}\ncaCertificateValidityPeriod: 1y\n"),
    );
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).warns();
    assert!(
        run.stderr.contains("warning: apiserver, apiserver-kubelet-client and 11 more are shortened to the authority's notAfter 2027-11-20T22:00:00Z"),
        "{}",
        run.stderr
    );
    for (name, (_, file)) in facts::read(&place.path("k8s")) {
        if let File::Certificates(list) = file {
            assert_eq!(list[0].not_after, 1_826_748_000, "{name}");
        }
    }
}

#[test]
fn dates_change_their_encoding_in_2050() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    for (at, leaf) in
        [("2048-12-31T23:59:59Z", "2049-12-31T23:59:59Z"), ("2049-01-01T00:00:00Z", "2050-01-01T00:00:00Z")]
    {
        let run = place.kpki(&["init", "--at", at, "--profile", "p.yaml", "--dir", at, "-o", "json"]).ok().json();
        assert_eq!(run["entries"][1]["expirationDate"], leaf);
        let pem = pem::parse(place.read(&format!("{at}/pki/apiserver.crt"))).unwrap();
        // A key or a signature may hold the same two octets.
        let is_time = |text: &[u8]| text.iter().all(|octet| octet.is_ascii_digit() || *octet == b'Z');
        let utc = pem.contents().windows(15).filter(|w| w[..2] == [0x17, 13] && is_time(&w[2..])).count();
        let generalized = pem.contents().windows(17).filter(|w| w[..2] == [0x18, 15] && is_time(&w[2..])).count();
        assert_eq!((utc, generalized), if leaf.starts_with("2049") { (2, 0) } else { (1, 1) });
    }
}

#[test]
fn extra_certificates_are_made_where_the_profile_wants_them() {
    let place = Place::new();
    place.write(
        "p.yaml",
        single(
            "extraCertificates:\n- name: metrics-server\n  organizations: [a, b]\n  usages: [server, client]\n  \
                certSANs: [metrics.kube-system.svc, 10.1.2.3]\n  path: extra/metrics\n",
        ),
    );
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    let facts = facts::read(&place.path("k8s"));
    let File::Certificates(list) = &facts["pki/extra/metrics.crt"].1 else { panic!() };
    assert_eq!(list[0].sans, ["DNS:metrics.kube-system.svc", "IP:10.1.2.3"]);
    assert_eq!(list[0].subject.len(), 2);
    assert_eq!(list[0].subject[0].len(), 2, "both organizations in one RDN, as kubeadm writes them");
    assert!(facts.contains_key("pki/extra/metrics.key"));
}

#[test]
fn a_kubeadm_configuration_takes_what_it_lacks_from_the_command_line() {
    let place = Place::new();
    place.write("k.yaml", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\nencryptionAlgorithm: ECDSA-P256\n");
    let run = place.init(&["--config", "k.yaml", "--dir", "k8s"]).fails(2);
    assert!(
        run.stderr.contains("advertiseAddress") && run.stderr.contains("--apiserver-advertise-address"),
        "{}",
        run.stderr
    );
    place
        .init(&["--config", "k.yaml", "--dir", "k8s", "--apiserver-advertise-address", "10.0.0.5", "--node", "n7"])
        .ok();
    assert!(place.read("k8s/kubelet.conf").contains("name: system:node:n7\n"));
    // The choices are remembered with the profile.
    let again = place.init(&["--dir", "k8s"]).ok();
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
    assert!(!place.path("k8s/kubelet").exists(), "no file more than kubeadm");
    let serving = place.init(&["--dir", "k8s", "--kubelet-serving"]).ok();
    assert!(serving.stdout.starts_with("created 1, "), "{}", serving.stdout);
    assert!(place.path("k8s/kubelet/kubelet.crt").exists());
}

#[test]
fn the_clock_is_the_only_thing_at_changes() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let run = place.kpki(&["init", "--profile", "p.yaml", "--dir", "k8s", "--at", "soon"]).fails(2);
    assert!(
        run.stderr.starts_with("error: --at \"soon\" is not an instant in the years 1970 to 8900\nhint: give RFC 3339"),
        "{}",
        run.stderr
    );
    let run = place.kpki(&["init", "--profile", "p.yaml", "--dir", "k8s", "--at", NOW, "-o", "json"]).ok();
    assert_eq!(run.json()["entries"][0]["expirationDate"], "2036-11-17T22:00:00Z");
}

#[test]
fn a_joining_node_needs_the_clusters_authorities() {
    let place = Place::new();
    let join = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\nnodeRegistration: {name: n9}\n";
    place.write("worker.yaml", join);
    let run = place.init(&["--config", "worker.yaml", "--dir", "k8s"]).fails(2);
    assert!(
        run.stderr.contains("controlPlane: expected controlPlane, found a worker: it gets its certificate"),
        "{}",
        run.stderr
    );
    place.write("join.yaml", format!("{join}controlPlane: {{localAPIEndpoint: {{advertiseAddress: 10.0.0.9}}}}\n"));
    let run = place.init(&["--config", "join.yaml", "--dir", "k8s"]).fails(1);
    assert!(
        run.stderr.contains("this node shares them with the cluster's other control-plane nodes"),
        "{}",
        run.stderr
    );
    for file in [
        "ca.crt",
        "ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "sa.key",
        "sa.pub",
    ] {
        let source = text(&format!("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/{file}"));
        place.write(&format!("k8s/pki/{file}"), fs::read(source).unwrap());
    }
    place.init(&["--config", "join.yaml", "--dir", "k8s"]).warns();
    assert!(place.path("k8s/admin.conf").exists() && !place.path("k8s/super-admin.conf").exists());
}

#[test]
fn instants_out_of_range_are_refused() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    for at in ["9999-12-31", "0001-01-01", "+999999999999d", "1950-01-01"] {
        let run = place.kpki(&["init", "--profile", "p.yaml", "--dir", "k8s", "--at", at]).fails(2);
        assert!(run.stderr.contains("not an instant in the years 1970 to 8900"), "{at}: {}", run.stderr);
    }
}

#[test]
fn a_document_is_a_document_in_any_colour() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let yaml = place.init(&["--profile", "p.yaml", "--dir", "k8s", "-o", "yaml", "--color", "always"]).ok();
    assert!(!yaml.stdout.contains('\x1b'), "{}", yaml.stdout);
}

#[test]
fn what_a_node_left_behind_is_pointed_out() {
    let place = Place::new();
    let two = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: w1, roles: [worker], addresses: [10.0.0.8]}\n";
    place.write("p.yaml", format!("{two}- {{name: w2, roles: [worker], addresses: [10.0.0.9]}}\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place.write("p.yaml", two);
    let run = place.init(&["--profile", "p.yaml", "--dir", "c"]).warns();
    assert!(run.stderr.contains("warning: c/nodes/w2 belongs to no node of the profile"), "{}", run.stderr);
}

/// Every certificate of a report by its entry: a copy on a node is the shared one again.
fn issued(run: &serde_json::Value) -> Vec<(String, String)> {
    let mut seen = std::collections::BTreeSet::new();
    let entries = run["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] != "keep");
    let with_serial = entries.filter_map(|entry| Some((entry, entry["serial"].as_str()?.to_lowercase())));
    let new = with_serial.filter(|(_, serial)| seen.insert(serial.clone()));
    new.map(|(entry, serial)| {
        let name = entry["name"].as_str().unwrap();
        (entry["node"].as_str().map_or(name.to_owned(), |node| format!("{node}/{name}")), serial)
    })
    .collect()
}

#[test]
fn the_journal_has_a_line_for_every_certificate_that_was_issued() {
    let place = Place::new();
    let journal_of = |dir: &str| -> Vec<(String, String)> {
        let text = place.read(&format!("{dir}/.kpki/journal.jsonl"));
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let read = lines.map(|line| {
            assert_eq!((line["command"].as_str(), line["time"].as_str()), (Some("init"), Some(NOW)));
            (line["entry"].as_str().unwrap().to_owned(), line["serial"].as_str().unwrap().to_owned())
        });
        read.collect()
    };
    let ha = text("profiles/ha-load-balancer.yaml");
    let all = issued(&place.init(&["--profile", &ha, "--dir", "ha", "-o", "json"]).ok().json());
    assert_eq!(journal_of("ha"), all);

    let journal = || journal_of("k8s");
    place.write("p.yaml", single(""));
    let first = issued(&place.init(&["--profile", "p.yaml", "--dir", "k8s", "-o", "json"]).ok().json());
    assert!(first.len() >= 15);
    assert_eq!(journal(), first);
    place.init(&["--dir", "k8s"]).ok();
    assert_eq!(journal(), first);
    fs::remove_file(place.path("k8s/pki/apiserver.crt")).unwrap();
    fs::remove_file(place.path("k8s/pki/apiserver.key")).unwrap();
    let second = issued(&place.init(&["--dir", "k8s", "-o", "json"]).ok().json());
    assert_eq!((second.len(), second[0].0.as_str()), (1, "apiserver"));
    assert_eq!(journal(), [first, second].concat());
    let record = |name: &str| -> serde_json::Value {
        serde_json::from_str(&place.read(&format!("k8s/.kpki/generations/{name}/generation.json"))).unwrap()
    };
    let mut generations: Vec<String> = fs::read_dir(place.path("k8s/.kpki/generations"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    generations.sort();
    let [one, two] = [record(&generations[0]), record(&generations[1])];
    assert_eq!((&one["note"]["command"], one["created"].as_array().unwrap().len()), (&"init".into(), 29));
    assert_eq!(two["note"]["entries"], serde_json::json!(["apiserver"]));
}

/// Another first run makes the tree while this one makes its keys: this one looks again and keeps what is there.
#[test]
fn a_first_run_that_comes_second_keeps_the_tree_of_the_other() {
    for begun in [false, true] {
        let place = Place::new();
        place.write("p.yaml", single(""));
        place.init(&["--profile", "p.yaml", "--dir", "other"]).ok();
        if begun {
            place.write("k8s/own", "x");
        }
        let now = time::macros::datetime!(2026-11-20 22:00 UTC);
        let request = init::Request {
            directory: place.path("k8s"),
            profile: Some(place.path("p.yaml")),
            node: None,
            kubelet_dir: None,
            kubelet_serving: false,
            advertise_address: None,
            hostname: None,
            force: false,
            allow_shared_ca: false,
            bootstrap_manifests: None,
            keys: kpki::keys::KeyArgs::default(),
            run: RunArgs { now, lock_wait: std::time::Duration::ZERO, threads: 1, dry_run: false },
            only_planned: false,
        };
        let mut made = false;
        let mut other = |_, _| {
            if !std::mem::replace(&mut made, true) {
                copy_tree(&place.path("other/pki"), &place.path("k8s/pki"));
            }
        };
        init::run(&request, &mut other).unwrap();
        // The copy has modes of its own.
        let pki = |name: &str| -> Vec<(String, Vec<u8>)> {
            let files = tree(&place.path(name)).into_iter();
            let files = files.filter(|(path, _)| path.starts_with("pki/") && !path.ends_with('/'));
            files.map(|(path, (_, bytes))| (path, bytes)).collect()
        };
        assert!(made && pki("k8s") == pki("other"), "{begun}");
    }
}

/// What `kubeadm init` makes of rights, by release.
#[test]
fn the_bindings_of_a_new_cluster_are_written_where_asked() {
    let place = Place::new();
    let make = |release: &str, file: &str| {
        place.write("p.yaml", single(&format!("kubernetesVersion: {release}\n")));
        place.init(&["--profile", "p.yaml", "--dir", "t", "--bootstrap-manifests", file])
    };
    make("v1.28.0", "rbac.yaml").fails(2);
    make("v1.36.2", "-").fails(2);
    make("v1.36.2", "absent/rbac.yaml").fails(1);
    assert!(!place.path("t").exists() && !place.path("rbac.yaml").exists());
    let run = make("v1.36.2", "rbac.yaml").ok();
    assert!(run.stdout.contains("    kubectl --kubeconfig t/super-admin.conf apply -f rbac.yaml\n"), "{}", run.stdout);
    let text = place.read("rbac.yaml");
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  name: ")).collect();
    let admins = "kubeadm:cluster-admins";
    let client = ["kubeadm:apiserver-kubelet-client", "system:kubelet-api-admin", "kube-apiserver-kubelet-client"];
    assert_eq!(names, [&[admins, "cluster-admin", admins], &client[..]].concat());
    assert_eq!((text.matches("kind: Group").count(), text.matches("kind: User").count()), (1, 1));
    // Again it is the same; another file is not written over.
    assert!(make("v1.36.2", "rbac.yaml").ok().stdout.starts_with("nothing to do"));
    place.write("rbac.yaml", "mine");
    assert!(make("v1.36.2", "rbac.yaml").fails(1).stderr.contains("exists already"));
    // Into the directory that is being made, however its path is spelled; not below what is in it.
    for file in ["t/rbac.yaml", "./t/rbac.yaml"] {
        fs::remove_dir_all(place.path("t")).unwrap();
        make("v1.36.2", "t/absent/rbac.yaml").fails(1);
        assert!(!place.path("t").exists());
        make("v1.36.2", file).ok();
        assert_eq!(place.read("t/rbac.yaml"), text);
        assert!(make("v1.36.2", file).ok().stdout.starts_with("nothing to do"));
    }
    // Where the certificate has the group, one binding is for both.
    fs::remove_dir_all(place.path("t")).unwrap();
    make("v1.36.0", "old.yaml").ok();
    assert_eq!(place.read("old.yaml").matches("ClusterRoleBinding").count(), 1);
    let dry = place.init(&["--dir", "t", "--bootstrap-manifests", "dry.yaml", "--dry-run"]).status(0);
    assert!(!place.path("dry.yaml").exists() && !dry.stdout.contains("kubectl"), "{}", dry.stdout);
}
