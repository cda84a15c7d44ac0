//! Documents and fields that are refused, word for word.

use super::*;

#[test]
fn documents_that_are_no_profile() {
    for (text, expected) in [
        ("", "1:1: expected a ClusterProfile (apiVersion: kpki/v1) or kubeadm's documents, found nothing"),
        (
            "# nothing\n---\n",
            "1:1: expected a ClusterProfile (apiVersion: kpki/v1) or kubeadm's documents, found nothing",
        ),
        ("hello", "1:1: expected a mapping, found hello"),
        ("[a]", "1:1: expected a mapping, found a list"),
        ("kind: ClusterProfile", "1:1: apiVersion: expected kpki/v1 or kubeadm.k8s.io/v1beta4, found nothing"),
        ("apiVersion: kpki/v1", "1:1: kind: expected ClusterProfile, or the kind of a kubeadm document, found nothing"),
        (
            "apiVersion: kpki/v2\nkind: ClusterProfile",
            "1:13: apiVersion: expected kpki/v1 or kubeadm.k8s.io/v1beta4, found kpki/v2 (did you mean kpki/v1?)",
        ),
        (
            "apiVersion: kubeadm.k8s.io/v1beta1\nkind: ClusterConfiguration",
            "1:13: apiVersion: expected kpki/v1 or kubeadm.k8s.io/v1beta4, found kubeadm.k8s.io/v1beta1 \
             (did you mean kubeadm.k8s.io/v1beta4?)",
        ),
        ("apiVersion: v1\nkind: Pod", "1:13: apiVersion: expected kpki/v1 or kubeadm.k8s.io/v1beta4, found v1"),
        (
            "apiVersion: kpki/v1\nkind: ClusterProfil",
            "2:7: kind: expected ClusterProfile, found ClusterProfil (did you mean ClusterProfile?)",
        ),
        (
            "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfigurations",
            "2:7: kind: expected a kind of kubeadm, found ClusterConfigurations (did you mean ClusterConfiguration?)",
        ),
        (
            "apiVersion: kubeadm.k8s.io/v1beta4\nkind: UpgradeConfiguration",
            "1:1: kind: expected a ClusterConfiguration, InitConfiguration or JoinConfiguration, found none",
        ),
        (&format!("{}---\n{}", with(""), with("")), "6:1: expected one ClusterProfile, found another one"),
        (
            &format!("{}---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration", with("")),
            "6:1: expected either one ClusterProfile or kubeadm's documents, found both in one file",
        ),
    ] {
        assert_refused(text, &[expected]);
    }
}

#[test]
fn fields_of_a_profile() {
    for (lines, expected) in [
        ("clusterNmae: x", "3:1: clusterNmae: expected a known key, found an unknown one (did you mean clusterName?)"),
        ("zzz: x", "3:1: zzz: expected a known key, found an unknown one"),
        (
            "networking: {podSubnet: 10.0.0.0/16}",
            "3:14: networking.podSubnet: expected a known key, found an unknown one",
        ),
        ("clusterName: \"\"", "3:14: clusterName: expected a name for the cluster, found an empty text"),
        ("clusterName: [a]", "3:14: clusterName: expected text, found a list"),
        ("kubernetesVersion: stable-1", "3:20: kubernetesVersion: expected a release such as v1.36.2, found stable-1"),
        (
            "controlPlaneEndpoint: LB.example.com:6443",
            "3:23: controlPlaneEndpoint: expected host, host:port or [IPv6]:port with a lower-case host, found LB.example.com:6443",
        ),
        (
            "controlPlaneEndpoint: lb:0",
            "3:23: controlPlaneEndpoint: expected host, host:port or [IPv6]:port with a lower-case host, found lb:0",
        ),
        ("certificatesDir: pki", "3:18: certificatesDir: expected an absolute path without . and .., found pki"),
        (
            "certificatesDir: /a/../b",
            "3:18: certificatesDir: expected an absolute path without . and .., found /a/../b",
        ),
        (
            "certificatesDir: /var/lib/kubelet/pki",
            "3:18: certificatesDir: expected a directory of its own for the certificates, such as /etc/kubernetes/pki, found \
             /var/lib/kubelet/pki",
        ),
        (
            "certificatesDir: /etc",
            "3:18: certificatesDir: expected a directory of its own for the certificates, such as /etc/kubernetes/pki, found \
             /etc",
        ),
        (
            "certificatesDir: /etc/kubernetes/manifests",
            "3:18: certificatesDir: expected a directory of its own for the certificates, such as /etc/kubernetes/pki, found \
             /etc/kubernetes/manifests",
        ),
        (
            "certificatesDir: /var/lib/kubelet",
            "3:18: certificatesDir: expected a directory of its own for the certificates, such as /etc/kubernetes/pki, found \
             /var/lib/kubelet",
        ),
        ("networking: []", "3:13: networking: expected a mapping, found a list"),
        (
            "networking: {serviceSubnet: 10.96.0.0}",
            "3:29: networking.serviceSubnet: expected a CIDR block such as 10.96.0.0/12, found 10.96.0.0",
        ),
        (
            "networking: {serviceSubnet: 10.96.0.0/29}",
            "3:29: networking.serviceSubnet: expected a block of at least 10 addresses, found 10.96.0.0/29",
        ),
        (
            "networking: {serviceSubnet: 10.0.0.0/8}",
            "3:29: networking.serviceSubnet: expected a block of at most 2^20 addresses (20 host bits), found 10.0.0.0/8",
        ),
        (
            "networking: {serviceSubnet: \"10.96.0.0/16,10.97.0.0/16\"}",
            "3:29: networking.serviceSubnet: expected two CIDR blocks of different families, found 10.96.0.0/16,10.97.0.0/16",
        ),
        (
            "networking: {serviceSubnet: \"10.96.0.0/16,fd00::/112,fd01::/112\"}",
            "3:29: networking.serviceSubnet: expected one CIDR block, or one of each family, found 10.96.0.0/16,fd00::/112,fd01::/112",
        ),
        (
            "networking: {dnsDomain: Cluster.local}",
            "3:25: networking.dnsDomain: expected a lower-case DNS name (RFC 1123), found Cluster.local",
        ),
        (
            "apiServer: {certSANs: [a, 10.0.0.300]}",
            "3:27: apiServer.certSANs[1]: expected an IP address, a lower-case DNS name or *. and one, found 10.0.0.300",
        ),
        ("apiServer: {certSANs: lb}", "3:23: apiServer.certSANs: expected a list, found lb"),
        (
            "encryptionAlgorithm: ecdsa-p256",
            "3:22: encryptionAlgorithm: expected one of RSA-2048, RSA-3072, RSA-4096, ECDSA-P256, ECDSA-P384, \
             found ecdsa-p256 (did you mean ECDSA-P256?)",
        ),
        (
            "certificateValidityPeriod: 90",
            "3:28: certificateValidityPeriod: expected a duration such as 8760h or 90d, found 90 (a number without a unit)",
        ),
        (
            "certificateValidityPeriod: 0s",
            "3:28: certificateValidityPeriod: expected a duration such as 8760h or 90d, found 0s (must be more than zero)",
        ),
        (
            "certificateValidityPeriod: 1x",
            "3:28: certificateValidityPeriod: expected a duration such as 8760h or 90d, found 1x (unknown unit x)",
        ),
        (
            "caCertificateValidityPeriod: -1h",
            "3:30: caCertificateValidityPeriod: expected a duration such as 8760h or 90d, found -1h (below zero or more than 1000 years)",
        ),
        (
            "certificateValidityPeriod: 1500ms",
            "3:28: certificateValidityPeriod: expected a duration such as 8760h or 90d, found 1500ms (finer than a second)",
        ),
        ("kubelet: {serving: yes}", "3:20: kubelet.serving: expected true or false, found yes"),
        ("kubelet: {serving: \"true\"}", "3:20: kubelet.serving: expected true or false, found the text \"true\""),
        ("caKeys: nowhere", "3:9: caKeys: expected control-plane or none, found nowhere"),
        (
            "crl: {validity: 0}",
            "3:17: crl.validity: expected a duration such as 8760h or 90d, found 0 (must be more than zero)",
        ),
        (
            "renewal: {before: 100%}",
            "3:19: renewal.before: expected a percentage from 1% to 99% or a duration such as 30d, found 100%",
        ),
        (
            "renewal: {before: 8760h}",
            "3:19: renewal.before: expected less than certificateValidityPeriod (365d), found 365d",
        ),
        (
            "certificateValidityPeriod: 7d\nrenewal: {before: 30d}",
            "4:19: renewal.before: expected less than certificateValidityPeriod (7d, line 3), found 30d",
        ),
        (
            "renewal: {before: 1d}\ncertificates: {apiserver: {validity: 24h}, admin.conf: {validity: 25h}}",
            "4:38: certificates.apiserver.validity: expected more than renewal.before (1d, line 3), found 1d: it would always be due",
        ),
        (
            "renewal: {before: 2d}\nextraCertificates: [{name: a, usages: [client], validity: 1d}]",
            "4:59: extraCertificates[0].validity: expected more than renewal.before (2d, line 3), found 1d: it would always be due",
        ),
        ("renewal: {maxAge: 59m}", "3:19: renewal.maxAge: expected at least 1h0m0s, found 59m"),
        (
            "renewal: {maxAge: 60}",
            "3:19: renewal.maxAge: expected a duration such as 8760h or 90d, found 60 (a number without a unit)",
        ),
        ("renewal: {keepGenerations: 0}", "3:28: renewal.keepGenerations: expected a number from 1 to 1000, found 0"),
        ("renewal: {keepGenerations: many}", "3:28: renewal.keepGenerations: expected a whole number, found many"),
        (
            "renewal: {onHookFailure: restor}",
            "3:26: renewal.onHookFailure: expected report or restore, found restor (did you mean restore?)",
        ),
        (
            "renewal: {hooks: {timeout: 0s}}",
            "3:28: renewal.hooks.timeout: expected a duration such as 8760h or 90d, found 0s (must be more than zero)",
        ),
        ("renewal: {hooks: {pre: ''}}", "3:24: renewal.hooks.pre: expected a command, found nothing"),
        ("renewal: {hooks: {pre: \"a\\0\"}}", "3:24: renewal.hooks.pre: expected a text without NUL, found a\\u{0}"),
        (
            "renewal: {hooks: {pre: {a: b}}}",
            "3:24: renewal.hooks.pre: expected text or a list of texts, found a mapping",
        ),
        (
            "renewal: {hooks: {post: []}}",
            "3:25: renewal.hooks.post: expected a program and its arguments, found nothing",
        ),
        (
            "renewal: {hooks: {post: [true]}}",
            "3:26: renewal.hooks.post[0]: expected the absolute path of a program, found true",
        ),
        (
            "renewal: {hooks: {deploy: {kube-apiservr: /a}}}",
            "3:28: renewal.hooks.deploy.kube-apiservr: expected one of etcd, kube-apiserver, kube-controller-manager, \
             kube-scheduler, kubelet, default, found kube-apiservr (did you mean kube-apiserver?)",
        ),
        (
            "renewal: {hooks: {deploy: {kubelet: {restart: static-pod}}}}",
            "3:28: renewal.hooks.deploy.kubelet: expected a command (the kubelet is a service of its node and no static pod), \
             found static-pod",
        ),
        (
            "renewal: {hooks: {deploy: {etcd: {restart: static-pods}}}}",
            "3:44: renewal.hooks.deploy.etcd.restart: expected static-pod, found static-pods (did you mean static-pod?)",
        ),
        (
            "renewal: {hooks: {deploy: {etcd: {wait: 1m}}}}",
            "3:28: renewal.hooks.deploy.etcd.restart: expected static-pod, found nothing",
        ),
        (
            "renewal: {hooks: {deploy: {etcd: {restart: static-pod, wait: 0s}}}}",
            "3:62: renewal.hooks.deploy.etcd.wait: expected a duration such as 8760h or 90d, found 0s (must be more than zero)",
        ),
        (
            "renewal: {hooks: {deploy: {etcd: {restart: static-pod, wait: 61m}}}}",
            "3:62: renewal.hooks.deploy.etcd.wait: expected a duration of at most 1h, found 61m",
        ),
        (
            "renewal: {hooks: {deploy: {etcd: {restart: static-pod, command: /a}}}}",
            "3:56: renewal.hooks.deploy.etcd.command: expected a known key, found an unknown one",
        ),
        (
            "renewal: {hooks: {pre: {restart: static-pod}}}",
            "3:24: renewal.hooks.pre: expected text or a list of texts, found a mapping",
        ),
        (
            "etcd: {local: {}, external: {endpoints: [\"https://a\"]}}",
            "3:7: etcd: expected either etcd.local or etcd.external, found both",
        ),
        ("etcd: {external: {}}", "3:18: etcd.external.endpoints: expected at least one etcd URL, found nothing"),
        (
            "etcd: {external: {endpoints: [\"tcp://a\"]}}",
            "3:31: etcd.external.endpoints[0]: expected a URL such as https://10.0.0.21:2379, found tcp://a",
        ),
        (
            "etcd: {external: {endpoints: [\"http://a\"], caFile: /a}}",
            "3:31: etcd.external.endpoints[0]: expected an https URL beside caFile, certFile and keyFile, found http://a",
        ),
        (
            "etcd: {external: {endpoints: [\"https://a\"], caFile: /a, certFile: /b}}",
            "3:18: etcd.external.keyFile: expected certFile and keyFile together, found one of them",
        ),
        (
            "etcd: {external: {endpoints: [\"https://a\"], keyFile: /a, certFile: /b}}",
            "3:18: etcd.external.caFile: expected caFile beside certFile and keyFile, found none",
        ),
        (
            "authorities: {cs: {}}",
            "3:15: authorities.cs: expected one of ca, front-proxy-ca, etcd-ca, found cs (did you mean ca?)",
        ),
        ("authorities: {sa: {}}", "3:15: authorities.sa: expected an authority, found sa (its place is certificates)"),
        (
            "certificates: {ca: {}}",
            "3:16: certificates.ca: expected a certificate, found the authority ca (its place is authorities)",
        ),
        (
            "certificates: {apisrver: {}}",
            "3:16: certificates.apisrver: expected the name of one of kubeadm's certificates, found apisrver (did you mean apiserver?)",
        ),
        (
            "certificates: {sa: {validity: 1h}}",
            "3:21: certificates.sa.validity: expected algorithm only, found a validity: sa is a key pair without certificate",
        ),
        (
            "authorities: {ca: {subject: {CN: x}}}",
            "3:30: authorities.ca.subject.CN: expected C, O, OU, L or ST, found CN, which is kubeadm's and fixed",
        ),
        (
            "authorities: {ca: {subject: {C: de}}}",
            "3:33: authorities.ca.subject.C: expected a country of two upper-case letters, found de",
        ),
        (
            "authorities: {ca: {subject: {O: [\"\"]}}}",
            "3:34: authorities.ca.subject.O[0]: expected a text of 1 to 64 characters, found an empty text",
        ),
        (
            "authorities: {ca: {subject: {O: {}}}}",
            "3:33: authorities.ca.subject.O: expected text or a list of texts, found a mapping",
        ),
        (
            "authorities: {ca: {permittedNames: [kubernetes, 10.0.0.0/33]}}",
            "3:49: authorities.ca.permittedNames[1]: expected a lower-case DNS name, . and one, or a CIDR block, found 10.0.0.0/33",
        ),
        (
            "authorities: {ca: {permittedNames: example.com}}",
            "3:36: authorities.ca.permittedNames: expected a list, found example.com",
        ),
        (
            "authorities: {ca: {pathLength: 256}}",
            "3:32: authorities.ca.pathLength: expected a number from 0 to 255, found 256",
        ),
        (
            "authorities: {ca: {pathLength: none}}",
            "3:32: authorities.ca.pathLength: expected a whole number, found none",
        ),
        (
            "apiServer: {certSANs: [\"a\\e[31m\"]}",
            "3:24: apiServer.certSANs[0]: expected an IP address, a lower-case DNS name or *. and one, found a\\u{1b}[31m",
        ),
    ] {
        assert_refused(&with(lines), &[expected]);
    }
    let long = format!("clusterName: \"{}\"", "x".repeat(300));
    assert_refused(
        &with(&long),
        &["3:14: clusterName: expected a name for the cluster, found a text of 300 characters"],
    );
}

#[test]
fn all_problems_are_said_at_once_in_the_order_of_the_file() {
    let text = with("zzz: 1\nclusterName: [x]\nclusterName: y\ncaKeys: x\nencryptionAlgorithm: RSA");
    assert_refused(
        &text,
        &[
            "3:1: zzz: expected a known key, found an unknown one",
            "4:14: clusterName: expected text, found a list",
            "5:1: clusterName: expected each key once, found it again (first on line 4)",
            "6:9: caKeys: expected control-plane or none, found x",
            "7:22: encryptionAlgorithm: expected one of RSA-2048, RSA-3072, RSA-4096, ECDSA-P256, ECDSA-P384, found RSA",
        ],
    );
    let many: String = (0..20_000).map(|i| format!("k{i}: 1\n")).collect();
    assert_eq!(refusals(&with(&many)).len(), 100);
}

#[test]
fn renewal_is_read_as_it_stands() {
    let text = with(
        "renewal:\n  before: 30d\n  keepGenerations: 1000\n  onHookFailure: restore\n  hooks:\n    pre: |\n      a\n      b\n    deploy:\n      \
         etcd: [/bin/x, '', 5]\n      default: restart \"$KPKI_COMPONENT\"\n    post:\n    timeout: 2m",
    );
    let renewal = load_text(&text).unwrap().profile.renewal;
    assert_eq!((renewal.before, renewal.keep_generations), (Threshold::Left(Span::days(30)), 1000));
    assert_eq!(renewal.on_hook_failure, OnHookFailure::Restore);
    let hooks = renewal.hooks;
    assert_eq!(hooks.pre, Some(Command::Shell("a\nb\n".to_owned())));
    assert_eq!((&hooks.post, hooks.timeout), (&None, Span::seconds(120)));
    let etcd = Command::Program(["/bin/x", "", "5"].map(str::to_owned).to_vec());
    assert_eq!(hooks.deploy("etcd"), Some(&DeployHook::Run(etcd)));
    let other = Command::Shell("restart \"$KPKI_COMPONENT\"".to_owned());
    assert_eq!(hooks.deploy("kubelet"), Some(&DeployHook::Run(other)));
    assert_eq!(load_text(&with("")).unwrap().profile.renewal, RENEWAL);
}

#[test]
fn static_pods_are_restarted_by_default_and_nothing_else_is() {
    let text =
        with("renewal: {hooks: {deploy: {default: {restart: static-pod}, etcd: {restart: static-pod, wait: 1m}}}}");
    let hooks = load_text(&text).unwrap().profile.renewal.hooks;
    let wait = |component: &str| match hooks.deploy(component) {
        Some(DeployHook::StaticPod { wait }) => Some(*wait),
        other => {
            assert_eq!(other, None, "{component}");
            None
        }
    };
    assert_eq!(wait("etcd"), Some(Span::seconds(60)));
    for pod in ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
        assert_eq!(wait(pod), Some(Span::seconds(30)), "{pod}");
    }
    assert_eq!(["kubelet", "haproxy"].map(wait), [None, None]);
    assert!(hooks.commands().next().is_none() && !hooks.is_empty());
}

#[test]
fn a_max_age_that_no_certificate_reaches_is_remarked() {
    for (lines, warned) in [
        ("renewal: {maxAge: 60d}", false),
        ("renewal: {maxAge: 1h}", false),
        // A third of 365 days before the end it is due anyway.
        ("renewal: {maxAge: 244d}", false),
        ("renewal: {maxAge: 245d}", true),
        ("certificateValidityPeriod: 30d\nrenewal: {before: 10d, maxAge: 20d}", true),
        ("certificateValidityPeriod: 30d\nrenewal: {before: 10d, maxAge: 19d}", false),
    ] {
        let loaded = load_text(&with(lines)).unwrap();
        let found = loaded.warnings.iter().any(|one| one.to_string().contains("renewal.maxAge: without effect"));
        assert_eq!(found, warned, "{lines}: {:?}", loaded.warnings);
        assert!(loaded.profile.renewal.max_age.is_some());
    }
}

#[test]
fn what_is_stated_is_told_from_a_default() {
    let stated = |text: &str| {
        let stated = load_text(text).unwrap().profile.stated;
        (stated.algorithm, stated.validity)
    };
    assert_eq!(stated(&with("")), (false, false));
    assert_eq!(stated(&with("encryptionAlgorithm: ECDSA-P256")), (true, false));
    assert_eq!(stated(&with("certificateValidityPeriod: 8760h\ncaCertificateValidityPeriod: 10y")), (false, true));
    let kubeadm = |version: &str, lines: &str| {
        format!(
            "apiVersion: kubeadm.k8s.io/{version}\nkind: InitConfiguration\nlocalAPIEndpoint: {{advertiseAddress: 10.0.0.1}}\n\
             nodeRegistration: {{name: a}}\n---\napiVersion: kubeadm.k8s.io/{version}\nkind: ClusterConfiguration\n{lines}\n"
        )
    };
    assert_eq!(stated(&kubeadm("v1beta4", "")), (false, false));
    assert_eq!(stated(&kubeadm("v1beta4", "certificateValidityPeriod: 24h")), (false, true));
    assert_eq!(stated(&kubeadm("v1beta3", "featureGates: {PublicKeysECDSA: true}")), (true, false));
}
