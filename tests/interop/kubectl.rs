//! Go's reading of every kubeconfig.

use serde_json::Value;

use crate::support::{Made, decode_base64, files_ending, fixtures, profiles, program, run};

fn view(tree: &Made, below: &str) -> Value {
    let said = run(program("kubectl")
        .arg("--kubeconfig")
        .arg(tree.path(below))
        .args(["config", "view", "--raw", "-o", "json"])
        // Nothing of the machine's own.
        .env("HOME", &tree.dir)
        .env_remove("KUBECONFIG"))
    .expect_ok(below);
    serde_json::from_str(&said.out).unwrap()
}

struct Expected {
    user: String,
    organization: Option<&'static str>,
}

fn expected(file: &str, node: &str) -> Expected {
    let (user, organization) = match file {
        "admin.conf" => ("kubernetes-admin".to_owned(), Some("kubeadm:cluster-admins")),
        "super-admin.conf" => ("kubernetes-super-admin".to_owned(), Some("system:masters")),
        "kubelet.conf" => (format!("system:node:{node}"), Some("system:nodes")),
        "controller-manager.conf" => ("system:kube-controller-manager".to_owned(), None),
        "scheduler.conf" => ("system:kube-scheduler".to_owned(), None),
        other => panic!("{other}: no kubeconfig of kubeadm's"),
    };
    Expected { user, organization }
}

/// Cluster, user and context have kubeadm's names; the credentials inside are certificate and key.
fn judge(tree: &Made, below: &str, cluster: &str, node: &str) -> Value {
    let config = view(tree, below);
    let file = below.rsplit('/').next().unwrap();
    let Expected { user, .. } = expected(file, node);
    let context = format!("{user}@{cluster}");
    assert_eq!(config["current-context"], context.as_str(), "{below}");
    for (list, length) in [("clusters", 1), ("contexts", 1), ("users", 1)] {
        assert_eq!(config[list].as_array().unwrap().len(), length, "{below}: {list}");
    }
    assert_eq!(config["clusters"][0]["name"], cluster, "{below}");
    assert_eq!(config["contexts"][0]["name"], context.as_str());
    assert_eq!(config["contexts"][0]["context"]["cluster"], cluster);
    assert_eq!(config["contexts"][0]["context"]["user"], user.as_str());
    assert_eq!(config["users"][0]["name"], user.as_str());
    for (value, begin) in [
        (&config["clusters"][0]["cluster"]["certificate-authority-data"], "-----BEGIN CERTIFICATE-----"),
        (&config["users"][0]["user"]["client-certificate-data"], "-----BEGIN CERTIFICATE-----"),
        (&config["users"][0]["user"]["client-key-data"], "-----BEGIN "),
    ] {
        let text = String::from_utf8(decode_base64(value.as_str().unwrap())).unwrap();
        assert!(text.starts_with(begin), "{below}");
    }
    config
}

fn server(config: &Value) -> &str {
    config["clusters"][0]["cluster"]["server"].as_str().unwrap()
}

#[test]
fn every_kubeconfig_reads_as_kubeadms() {
    for profile in profiles().into_iter().chain(fixtures()) {
        let tree = Made::from(&profile, &[]);
        let cluster = tree.report["clusterName"].as_str().unwrap().to_owned();
        let configs = files_ending(&tree.dir, ".conf");
        assert!(configs.len() >= 4, "{}: {configs:?}", profile.display());
        for config in configs {
            let below = config.strip_prefix(&tree.dir).unwrap().to_str().unwrap().to_owned();
            let node = match below.strip_prefix("nodes/") {
                Some(rest) => rest.split('/').next().unwrap().to_owned(),
                None => tree.report["node"].as_str().unwrap().to_owned(),
            };
            let read = judge(&tree, &below, &cluster, &node);
            assert!(server(&read).starts_with("https://"), "{below}: {}", server(&read));
        }
    }
}

#[test]
fn kubeconfigs_talk_to_the_right_server() {
    let ha = Made::from(&crate::support::project("profiles/ha-load-balancer.yaml"), &[]);
    let (balancer, own) = ("https://k8s-api.example.com:8443", "https://192.168.1.2:6443");
    for (file, expected) in [
        ("nodes/cp2/admin.conf", balancer),
        ("nodes/cp1/super-admin.conf", balancer),
        ("nodes/cp2/kubelet.conf", own),
        ("nodes/cp2/controller-manager.conf", own),
        ("nodes/cp2/scheduler.conf", own),
        ("nodes/worker1/kubelet.conf", balancer),
    ] {
        assert_eq!(server(&view(&ha, file)), expected, "{file}");
    }
    assert!(!ha.path("nodes/cp2/super-admin.conf").exists(), "only the first control-plane node has one");
    assert!(!ha.path("nodes/worker1/admin.conf").exists());
}

#[test]
fn kubeconfigs_equal_real_kubeadms_but_for_the_credentials() {
    for configuration in fixtures() {
        let theirs = configuration.parent().unwrap().join("etc-kubernetes");
        let tree = Made::from(&configuration, &[]);
        for file in files_ending(&theirs, ".conf") {
            let name = file.strip_prefix(&theirs).unwrap().to_str().unwrap().to_owned();
            // generate-csr leaves kubeconfigs without a certificate.
            let said = run(program("kubectl").arg("--kubeconfig").arg(&file).args(["config", "view", "-o", "json"]));
            let theirs: Value = serde_json::from_str(&said.expect_ok(&name).out).unwrap();
            if theirs["users"][0]["user"]["client-certificate-data"].is_null() {
                continue;
            }
            let ours = run(program("kubectl")
                .arg("--kubeconfig")
                .arg(tree.path(&name))
                .args(["config", "view", "-o", "json"]));
            let ours: Value = serde_json::from_str(&ours.expect_ok(&name).out).unwrap();
            assert_eq!(ours, theirs, "{}: {name}", configuration.display());
        }
    }
}

#[test]
fn organizations_are_kubeadms() {
    let tree = Made::from(&crate::support::project("profiles/single-node.yaml"), &[]);
    for file in ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"] {
        let config = view(&tree, file);
        let Expected { user, organization } = expected(file, "cp1");
        let certificate = decode_base64(config["users"][0]["user"]["client-certificate-data"].as_str().unwrap());
        let path = crate::support::write(tree.path(&format!("out/{file}.crt")), certificate);
        let words = ["x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", path.to_str().unwrap()];
        let subject = crate::support::say("openssl", words);
        let expected = match organization {
            Some(organization) => format!("subject=CN={user},O={organization}\n"),
            None => format!("subject=CN={user}\n"),
        };
        assert_eq!(subject, expected, "{file}");
    }
}
