//! `kpki inspect`: everything in a file, and nothing of a private key.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use super::harness::{NOW, Place, repository, text};

fn fixture(path: &str) -> String {
    text(&format!("fixtures/kubeadm/{path}"))
}

fn inspect(words: &[&str]) -> super::harness::Run {
    Place::new().kpki(&[&["inspect", "--at", NOW], words].concat())
}

#[test]
fn a_certificate_is_told_in_full() {
    let path = fixture("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/apiserver.crt");
    let shown = inspect(&[&path]).ok().stdout;
    assert!(shown.starts_with(&format!("{path}: certificate\n  subject:")), "{shown}");
    for line in [
        "  issuer:              CN=kubernetes\n",
        "  valid until:         2027-11-20T21:06:20Z (in 364d)\n",
        "  key usage:           digitalSignature\n                       keyEncipherment\n",
        "DNS:kubernetes.default.svc\n",
        "  key:                 ECDSA-P256\n",
        "basicConstraints (critical)\n",
        "  signature:           ecdsa-with-SHA256\n",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let json = inspect(&[&path, "-o", "json"]).ok().json();
    let object = &json["files"][0]["objects"][0];
    assert_eq!(object["type"], "certificate");
    assert_eq!(object["isCA"], false);
    assert_eq!(object["notAfter"], "2027-11-20T21:06:20Z");
    assert_eq!(object["sha256"].as_str().unwrap().len(), 95);
    let yaml = inspect(&[&path, "-o", "yaml"]).ok().stdout;
    assert!(yaml.contains("kind: Inspection"), "{yaml}");
}

#[test]
fn everything_kubeadm_makes_is_known() {
    let mut shown = 0;
    for entry in walkdir::WalkDir::new(repository("fixtures/kubeadm")).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let known = ["crt", "key", "pub", "conf", "csr"];
        if path.is_file() && path.extension().is_some_and(|end| known.iter().any(|known| end == *known)) {
            let run = inspect(&[path.to_str().unwrap()]).ok();
            assert!(!run.stdout.is_empty(), "{}", path.display());
            shown += 1;
        }
    }
    assert!(shown > 200, "{shown}");
}

#[test]
fn no_number_of_a_private_key_is_shown() {
    let place = Place::new();
    for (name, algorithm, container) in [
        ("v1.36-default-rsa2048/etc-kubernetes/pki/ca.key", "RSA-2048", "RSA PRIVATE KEY"),
        ("v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/ca.key", "ECDSA-P256", "EC PRIVATE KEY"),
    ] {
        let json = place.kpki(&["inspect", &fixture(name), "-o", "json"]).ok().json();
        let key = json["files"][0]["objects"][0].as_object().unwrap().clone();
        let fields: Vec<_> = key.keys().map(String::as_str).collect();
        assert_eq!(fields, ["type", "owner", "key", "keyId", "keySha256", "container", "encrypted"]);
        assert_eq!((key["key"].as_str(), key["container"].as_str()), (Some(algorithm), Some(container)));
        // Its certificate has the same public half.
        let json = place.kpki(&["inspect", &fixture(&name.replace(".key", ".crt")), "-o", "json"]).ok().json();
        assert_eq!(json["files"][0]["objects"][0]["keySha256"], key["keySha256"]);
    }
}

#[test]
fn a_kubeconfig_shows_its_contexts_and_certificates() {
    let path = fixture("v1.36-default-rsa2048/etc-kubernetes/admin.conf");
    let shown = inspect(&[&path]).ok().stdout;
    for line in [
        "admin.conf: kubeconfig (1 of 3)\n",
        "  contexts:         kubernetes-admin@kubernetes: user kubernetes-admin at cluster kubernetes\n",
        "  users:            kubernetes-admin: client-certificate-data, client-key-data\n",
        "admin.conf: CA certificate of cluster kubernetes (2 of 3)\n",
        "admin.conf: certificate of user kubernetes-admin (3 of 3)\n",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn a_request_says_what_it_asks_for() {
    let path = fixture("v1.36-generate-csr/etc-kubernetes/pki/apiserver.csr");
    let json = inspect(&[&path, "-o", "json"]).ok().json();
    let request = &json["files"][0]["objects"][0];
    assert_eq!((&request["type"], &request["subject"]), (&"signing request".into(), &"CN=kube-apiserver".into()));
    assert_eq!(request["signatureValid"], true);
    assert!(request["sans"].as_array().unwrap().contains(&"DNS:kubernetes.default.svc".into()));
}

#[test]
fn one_bad_file_never_hides_the_others() {
    let place = Place::new();
    place.write("nothing.txt", "hello\n");
    place.write("curve.pem", fs::read(repository("fixtures/forms/p256.params.pem")).unwrap());
    place.write("half.pem", "-----BEGIN CERTIFICATE-----\nZm9v\n");
    let good = fixture("v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
    let run = place.kpki(&["inspect", "nothing.txt", "curve.pem", "half.pem", "missing", ".", &good]).status(1);
    assert!(run.stdout.contains("CA certificate"), "{}", run.stdout);
    for line in [
        "error: curve.pem: expected a certificate, key, CRL, signing request or kubeconfig, found EC PARAMETERS (openssl ecparam -in FILE -text shows them)\n",
        "error: nothing.txt: expected a certificate, key, CRL, signing request or kubeconfig, found nothing of the kind\n",
        "error: half.pem: PEM block 1 (CERTIFICATE): expected an END line, found none\n",
        "error: cannot read missing: no such file or directory\n",
        "error: cannot read .: it is a directory, not a regular file\n",
    ] {
        assert!(run.stderr.contains(line), "{line}\n{}", run.stderr);
    }
    let json = place.kpki(&["inspect", "missing", &good, "-o", "json"]).status(1).json();
    assert_eq!(json["files"][0]["problems"].as_array().unwrap().len(), 1);
    assert_eq!(json["files"][1]["objects"][0]["type"], "CA certificate");
    place.kpki(&["inspect"]).fails(2);
    place.kpki(&["inspect", &good, "--at", "soon"]).fails(2);
}

#[test]
fn standard_input_is_a_file_too() {
    let pem = fs::read(repository("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kpki"))
        .args(["inspect", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&pem.repeat(50)).unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && shown.contains("standard input: CA certificate (50 of 50)\n"), "{shown}");
}

#[test]
fn a_secret_and_escapes_in_a_name() {
    let place = Place::new();
    let pem =
        fs::read_to_string(repository("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt")).unwrap();
    let document = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "w\u{1b}[31meb", "namespace": "x"}, "stringData": {"tls.crt": pem}});
    place.write("secret.json", document.to_string());
    let shown = place.kpki(&["inspect", "secret.json"]).ok().stdout;
    assert!(shown.starts_with("secret.json: CA certificate of Secret x/w\\u{1b}[31meb (tls.crt)\n"), "{shown}");
}

/// Files that belong together, and files that do not.
#[test]
fn a_key_is_told_whose_it_is() {
    let tree = "v1.36-default-rsa2048/etc-kubernetes/pki";
    let [certificate, key, other, sa] = ["apiserver.crt", "apiserver.key", "front-proxy-client.crt", "sa.key"]
        .map(|name| fixture(&format!("{tree}/{name}")));
    for (words, said) in [
        (vec![&certificate, &key], format!("\n{key}: the key of {certificate}\n")),
        (vec![&key, &other, &certificate], format!("\n{key}: the key of {certificate}\n")),
        (vec![&other, &key], format!("\n{key}: the key of none of the certificates shown\n")),
        (vec![&certificate, &sa], format!("\n{sa}: the key of none of the certificates shown\n")),
    ] {
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        let shown = inspect(&words).ok().stdout;
        assert!(shown.ends_with(&said), "{shown}");
    }
    // Keys that do not state their public half, and one that is encrypted.
    let [ed448, ed448_key, ed25519, leaf, locked] =
        ["forms/ed448.crt", "forms/ed448.key", "convert/ed25519.key", "convert/leaf.crt", "convert/leaf.scrypt.key"]
            .map(|name| text(&format!("fixtures/{name}")));
    let pkey = format!("which openssl pkey -in {ed448_key} -pubout works out\n");
    for (certificate, key, said) in [
        (&leaf, &ed25519, "the key of none of the certificates shown\n".to_owned()),
        (&leaf, &ed448_key, "the key of none of the certificates shown\n".to_owned()),
        (
            &ed448,
            &ed448_key,
            format!("whether it is the key of {ed448} is not seen: it does not state its public half, {pkey}"),
        ),
        (&leaf, &locked, format!("whether it is the key of {leaf} is seen with its password (--password-file)\n")),
    ] {
        let shown = inspect(&[certificate, key]).ok().stdout;
        assert!(shown.ends_with(&format!("\n{key}: {said}")), "{shown}");
    }
    // What Ed25519 does not state is worked out.
    let place = Place::new();
    let found = |path: &str| {
        place.kpki(&["inspect", path, "-o", "json"]).ok().json()["files"][0]["objects"][0]["keySha256"].clone()
    };
    assert!(found(&text("fixtures/forms/ed25519.key")).is_string());
    assert_eq!(found(&text("fixtures/forms/ed25519.key")), found(&text("fixtures/forms/ed25519.pub")));
    let json = inspect(&[&ed448, &ed448_key, "-o", "json"]).ok().json();
    assert_eq!(json["keys"], serde_json::json!([{"key": ed448_key, "belongsTo": [], "mayBelongTo": [ed448]}]));
    let json = inspect(&[&certificate, &key, "-o", "json"]).ok().json();
    assert_eq!(json["keys"], serde_json::json!([{"key": key, "belongsTo": [certificate]}]));
    assert!(!inspect(&[&key]).ok().stdout.contains("the key of"));
}
