//! `kpki convert --as cluster-trust-bundle`, `kube-root-ca` and `cluster-info`: objects that say whom to trust.

use super::harness::{NOW, Place, single};

const PROFILE: &str = "encryptionAlgorithm: ECDSA-P256\nkubernetesVersion: v1.36.2\n";

fn place() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(PROFILE));
    place.init(&["-p", "p.yaml", "--dir", "t"]).ok();
    place
        .write("both.crt", place.read("t/pki/ca.crt") + &place.read("t/pki/etcd/ca.crt") + &place.read("t/pki/ca.crt"));
    place
}

fn indented(pem: &str, by: usize) -> String {
    pem.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

#[test]
fn a_trust_bundle_has_the_version_of_its_release() {
    let place = place();
    let convert =
        |words: &[&str]| place.kpki(&[&["convert", "both.crt", "--as", "cluster-trust-bundle"], words].concat());
    // Each certificate once: the API server refuses duplicates.
    let pem = indented(&(place.read("t/pki/ca.crt") + &place.read("t/pki/etcd/ca.crt")), 4);
    for (words, version) in [
        (&["--name", "corp"][..], "v1"),
        (&["--name", "corp", "--kubernetes-version", "v1.36.2"], "v1beta1"),
        (&["--name", "corp", "--kubernetes-version", "1.33"], "v1beta1"),
        (&["--name", "corp", "--kubernetes-version", "1.27"], "v1alpha1"),
    ] {
        let expected = format!(
            "apiVersion: certificates.k8s.io/{version}\nkind: ClusterTrustBundle\nmetadata:\n  name: corp\nspec:\n  trustBundle: |\n{pem}"
        );
        assert_eq!(convert(words).ok().stdout, expected, "{words:?}");
    }
    let signed = convert(&["--name", "example.com:mine:a", "--signer-name", "example.com/mine"]).ok().stdout;
    assert!(signed.contains("\n  name: example.com:mine:a\nspec:\n  signerName: example.com/mine\n"), "{signed}");
    for (words, status, said) in [
        (&[][..], 2, "needs a name"),
        (&["--name", "a:b"], 2, "without a colon"),
        (&["--name", "Corp"], 2, "RFC 1123"),
        (&["--name", "a", "--signer-name", "example.com/mine"], 2, "example.com:mine:"),
        (&["--name", "a", "--signer-name", "mine"], 2, "DOMAIN/PATH"),
        (&["--name", "a", "--kubernetes-version", "1.26"], 2, "has no ClusterTrustBundle"),
        (&["--name", "a", "--kubernetes-version", "soon"], 2, "a release of Kubernetes"),
        (&["--name", "a", "--namespace", "b"], 2, "--namespace does not apply"),
        (&["--name", "a", "--server", "https://a:6443"], 2, "--server does not apply"),
    ] {
        let run = convert(words).fails(status);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn what_pods_and_joining_nodes_trust() {
    let place = place();
    let ca = place.read("t/pki/ca.crt");
    let run = place.kpki(&["convert", "t/pki/ca.crt", "--as", "kube-root-ca", "--namespace", "web"]).warns();
    let expected = format!(
        "apiVersion: v1\ndata:\n  ca.crt: |\n{}kind: ConfigMap\nmetadata:\n  name: kube-root-ca.crt\n  namespace: web\n",
        indented(&ca, 4)
    );
    assert_eq!(run.stdout, expected);
    assert!(run.stderr.contains("--root-ca-file"), "{}", run.stderr);
    place.kpki(&["convert", "t/pki/ca.crt", "--as", "kube-root-ca", "--namespace", "a.b"]).fails(2);

    // From ca.crt with an address, or from a kubeconfig that has both.
    let words =
        ["convert", "t/pki/ca.crt", "--as", "cluster-info", "--server", "https://10.0.0.11:6443", "--out", "info.yaml"];
    let run = place.kpki(&words).warns();
    let info = place.read("info.yaml");
    assert_eq!(place.files()["info.yaml"].0 & 0o777, 0o644, "nothing of it is secret");
    assert_eq!(place.kpki(&["convert", "t/admin.conf", "--as", "cluster-info"]).warns().stdout, info);
    assert!(info.ends_with("kind: ConfigMap\nmetadata:\n  name: cluster-info\n  namespace: kube-public\n"), "{info}");
    assert!(!info.contains("jws-kubeconfig") && run.stderr.contains("jws-kubeconfig-ID"), "{}", run.stderr);
    // The hash of openssl's recipe in kubeadm's documentation: what inspect calls the key's SHA-256.
    let shown = place.kpki(&["inspect", "t/pki/ca.crt", "-o", "json"]).ok().json();
    let hash = shown["files"][0]["objects"][0]["keySha256"].as_str().unwrap().replace(':', "");
    assert!(run.stderr.contains(&format!("--discovery-token-ca-cert-hash sha256:{hash}")), "{}", run.stderr);
    // What was made is found again.
    let found = place.kpki(&["rotate", "scan", "info.yaml", "--old", "t/pki/ca.crt", "--at", NOW]).status(4).stdout;
    assert!(
        found.contains("ConfigMap kube-public/cluster-info  data.kubeconfig: certificate-authority-data"),
        "{found}"
    );
    place.kpki(&["convert", "t/pki/ca.crt", "--as", "cluster-info"]).fails(2);
    place.kpki(&["convert", "t/pki/ca.crt", "--as", "cluster-info", "--server", "10.0.0.11"]).fails(2);
    place.kpki(&["convert", "t/pki/apiserver.crt", "--as", "kube-root-ca"]).fails(1);
    place.kpki(&["convert", "t/pki/ca.key", "--as", "kube-root-ca"]).fails(1);
    let left =
        place.kpki(&["convert", "t/pki/ca.crt", "t/pki/ca.key", "--as", "cluster-trust-bundle", "--name", "a"]).warns();
    assert!(left.stderr.contains("left out 1 object") && !left.stdout.contains("PRIVATE KEY"), "{}", left.stderr);
}
