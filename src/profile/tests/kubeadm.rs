//! kubeadm's documents: what is read, skipped and refused.

use super::*;

const CLUSTER: &str = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n";
const INIT: &str = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n\
                    localAPIEndpoint: {advertiseAddress: 10.0.0.11}\nnodeRegistration: {name: CP1}\n";

fn machine() -> Overrides {
    Overrides {
        hostname: Some(" Host1\n".to_owned()),
        advertise_address: "10.0.0.9".parse().ok(),
        ..Overrides::default()
    }
}

fn loaded(text: &str, overrides: &Overrides) -> Loaded {
    load(Source { name: "p.yaml", bytes: text.as_bytes() }, overrides).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_node_is_the_documents_then_the_command_lines_then_the_machines() {
    let profile = loaded(INIT, &Overrides::default()).profile;
    assert_eq!((profile.nodes[0].name.as_str(), profile.algorithm), ("cp1", Algorithm::Rsa2048));
    assert_eq!(profile.nodes[0].addresses, ["10.0.0.11".parse::<IpAddr>().unwrap()]);
    assert!(!profile.kubelet_serving);
    let profile = loaded(CLUSTER, &machine()).profile;
    assert_eq!(profile.nodes[0].name, "host1");
    assert_eq!(profile.nodes[0].advertise_address, "10.0.0.9".parse().ok());
    let named = Overrides { node_name: Some("n".to_owned()), kubelet_serving: Some(true), ..machine() };
    let profile = loaded(CLUSTER, &named).profile;
    assert_eq!((profile.nodes[0].name.as_str(), profile.kubelet_serving), ("n", true));
    let both = loaded(INIT, &named).profile;
    assert_eq!((both.nodes[0].name.as_str(), both.nodes[0].advertise_address), ("cp1", "10.0.0.11".parse().ok()));
    let join = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: JoinConfiguration\n\
                controlPlane: {localAPIEndpoint: {advertiseAddress: \"fd00::7\", bindPort: 7443}}\n\
                nodeRegistration: {name: cp7, taints: []}\ndiscovery: {tlsBootstrapToken: x}\n";
    let node = &loaded(join, &Overrides::default()).profile.nodes[0];
    assert_eq!((node.name.as_str(), node.bind_port), ("cp7", 7443));
}

#[test]
fn what_decides_nothing_is_let_pass_unread() {
    let text = format!(
        "{CLUSTER}kubernetesVersion: stable-1\ncontrolPlaneEndpoint: \"\"\nclusterName: ''\nfeatureGates: {{PublicKeysECDSA: true, Other: 7}}\n\
         controllerManager: {{extraArgs: [{{name: a, value: b}}]}}\nscheduler: {{}}\ndns: {{}}\nproxy: {{}}\nimageRepository: x\n\
         apiServer: {{extraArgs: [], extraVolumes: [], extraEnvs: [], timeoutForControlPlane: 4m0s, certSANs: null}}\n\
         etcd: {{local: {{dataDir: /var/lib/etcd, imageTag: x, extraArgs: []}}}}\nnetworking: {{podSubnet: 10.244.0.0/16}}\n\
         ---\n{INIT}bootstrapTokens: []\nskipPhases: []\n\
         ---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nanything: [1, {{a: b}}]\n\
         ---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: UpgradeConfiguration\n---\n"
    );
    let loaded = loaded(&text, &Overrides::default());
    assert_eq!(loaded.profile.algorithm, Algorithm::EcdsaP256);
    assert_eq!((loaded.profile.cluster_name.as_str(), loaded.profile.control_plane_endpoint), ("kubernetes", None));
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "p.yaml:3: kubernetesVersion: a label needs a network to resolve; the rules of v1.37.0 hold",
            "p.yaml:24: kind: KubeletConfiguration of kubelet.config.k8s.io/v1beta1 is not read",
            "p.yaml:28: kind: UpgradeConfiguration is not read",
        ]
    );
}

#[test]
fn a_label_that_names_the_minor_has_its_rules() {
    let text = format!("{CLUSTER}kubernetesVersion: stable-1.28\n---\n{INIT}");
    let loaded = loaded(&text, &Overrides::default());
    assert!(!loaded.profile.kubernetes_version.has_super_admin());
    let said = loaded.warnings[0].to_string();
    assert!(said.ends_with("a label needs a network to resolve; the rules of v1.28.0 hold"), "{said}");
}

#[test]
fn refusals_of_kubeadms_documents() {
    for (text, expected) in [
        (
            CLUSTER.to_owned(),
            vec![
                "1:1: nodeRegistration.name: expected the name of the node, found none; add nodeRegistration.name or pass --node-name",
                "1:1: localAPIEndpoint.advertiseAddress: expected the address of the API server, found none; \
                 add localAPIEndpoint.advertiseAddress or pass --apiserver-advertise-address",
            ],
        ),
        (
            format!("{INIT}---\n{CLUSTER}apiserver: {{}}\netcd: {{local: {{dataDr: x}}}}"),
            vec![
                "8:1: apiserver: expected a known key, found an unknown one (did you mean apiServer?)",
                "9:16: etcd.local.dataDr: expected a known key, found an unknown one (did you mean dataDir?)",
            ],
        ),
        (
            format!("{INIT}---\n{CLUSTER}encryptionAlgorithm: RSA-2048").replace("v1beta4", "v1beta3"),
            vec!["8:1: encryptionAlgorithm: expected a key of this apiVersion, found one that exists from v1beta4 on"],
        ),
        (
            INIT.replace("10.0.0.11", "\"\""),
            vec![
                "3:20: localAPIEndpoint.advertiseAddress: expected the address of the API server, found none; \
                 add localAPIEndpoint.advertiseAddress or pass --apiserver-advertise-address",
            ],
        ),
        (
            INIT.replace("10.0.0.11", "127.0.0.1"),
            vec![
                "3:38: localAPIEndpoint.advertiseAddress: expected a global unicast address as kubeadm does, found 127.0.0.1",
            ],
        ),
        (
            INIT.replace("10.0.0.11", "0.0.0.0"),
            vec![
                "3:38: localAPIEndpoint.advertiseAddress: expected the address of a node, found the unspecified address 0.0.0.0",
            ],
        ),
        (
            INIT.replace("CP1", "c_p"),
            vec!["4:26: nodeRegistration.name: expected a lower-case DNS name (RFC 1123), found c_p"],
        ),
        (format!("{INIT}---\n{INIT}"), vec!["6:1: expected one InitConfiguration, found another one"]),
    ] {
        assert_refused(&text, &expected);
    }
    let loopback = Overrides { advertise_address: "::1".parse().ok(), ..machine() };
    let problems = load(Source { name: "p", bytes: CLUSTER.as_bytes() }, &loopback).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "p:1:1: --apiserver-advertise-address: expected a global unicast address as kubeadm does, found ::1"
    );
}

const CONFIG_MAP: &str = "apiVersion: v1\ndata:\n  ClusterConfiguration: |\n    apiServer:\n      certSANs: [a.example.com]\n    \
     apiVersion: kubeadm.k8s.io/v1beta4\n    clusterName: prod\n    kind: ClusterConfiguration\n    kubernetesVersion: v1.36.2\nkind: \
     ConfigMap\nmetadata: {name: kubeadm-config, namespace: kube-system}\n";

#[test]
fn the_config_map_of_a_cluster_is_its_configuration() {
    let indented: String = CONFIG_MAP.lines().map(|line| format!("  {line}\n")).collect();
    let list = format!("apiVersion: v1\nitems:\n- {}kind: List\n", indented.trim_start());
    let other = "apiVersion: v1\ndata: {ca.crt: x}\nkind: ConfigMap\n";
    let json = r#"{"apiVersion": "v1", "kind": "ConfigMap", "data": {"ClusterConfiguration":
        "apiServer:\n  certSANs: [a.example.com]\napiVersion: kubeadm.k8s.io/v1beta4\nclusterName: prod\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\n"}}"#;
    let first = loaded(CONFIG_MAP, &machine()).profile;
    assert_eq!((first.cluster_name.as_str(), first.nodes[0].name.as_str()), ("prod", "host1"));
    for text in [&list, &format!("{CONFIG_MAP}---\n{other}"), json] {
        assert_eq!(loaded(text, &machine()).profile, first, "{text}");
    }
    // With the part that kubeadm does not keep there.
    let both = loaded(&format!("{CONFIG_MAP}---\n{INIT}"), &Overrides::default()).profile;
    assert_eq!((both.cluster_name.as_str(), both.nodes[0].name.as_str()), ("prod", "cp1"));
}

#[test]
fn what_is_wrong_in_a_config_map_is_named_by_the_line_of_the_file() {
    let wrong = CONFIG_MAP.replace("clusterName", "clusterNmae");
    let said = refusals(&wrong).join("\n");
    assert!(said.contains("7:5: clusterNmae: "), "{said}");
    let twice = CONFIG_MAP.replace("    clusterName: prod\n", "    clusterName: a\n    clusterName: b\n");
    let said = refusals(&twice).join("\n");
    assert!(said.contains("8:5: clusterName: ") && said.contains("first on line 7"), "{said}");
    let json = r#"{"apiVersion": "v1", "kind": "ConfigMap",
        "data": {"ClusterConfiguration": "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterNmae: x\n"}}"#;
    let said = refusals(json).join("\n");
    assert!(said.contains("2:42: clusterNmae: "), "{said}");
    let without = refusals("apiVersion: v1\nkind: ConfigMap\ndata: {ca.crt: x}\n").join("\n");
    assert!(without.starts_with("1:1: data.ClusterConfiguration: expected the ConfigMap kubeadm-config"), "{without}");
}
