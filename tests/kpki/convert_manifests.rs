//! `kpki convert` out of manifests: Secrets become the files they were made of.

use std::fs;

use super::harness::{Place, repository};

const TREE: &str = "fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes";

fn original(path: &str) -> Vec<u8> {
    fs::read(repository(TREE).join(path)).unwrap()
}

fn place() -> Place {
    let place = Place::new();
    for (name, path) in [("tls.crt", "pki/apiserver.crt"), ("tls.key", "pki/apiserver.key"), ("ca.crt", "pki/ca.crt")] {
        place.write(name, original(path));
    }
    place
}

fn mode(place: &Place, path: &str) -> u32 {
    place.files()[path].0 & 0o777
}

#[test]
fn a_tls_secret_comes_back_as_its_files() {
    let place = place();
    let made = ["convert", "tls.crt", "tls.key", "ca.crt", "--as", "kubernetes-secret", "--name", "web", "--immutable"];
    place.kpki(&[&made[..], &["--out", "web.yaml"]].concat()).ok();
    assert!(place.read("web.yaml").contains("\nimmutable: true\nkind: Secret\n"));
    place.kpki(&["convert", "web.yaml", "--to", "parts", "--out", "web/"]).ok();
    for (name, is_secret) in [("tls.crt", false), ("tls.key", true), ("ca.crt", false)] {
        let path = format!("web/{name}");
        assert_eq!(place.read(&path), place.read(name));
        assert_eq!(mode(&place, &path), if is_secret { 0o600 } else { 0o644 }, "{path}");
    }
    place.kpki(&["convert", "web.yaml", "--to", "pem", "--out", "web.pem"]).ok();
    let all = [place.read("tls.crt"), place.read("ca.crt"), place.read("tls.key")].concat();
    assert_eq!((place.read("web.pem"), mode(&place, "web.pem")), (all, 0o600));
    place.kpki(&["convert", "web.yaml", "--bundle", "haproxy", "--out", "proxy.pem"]).status(0);
    assert_eq!(place.read("proxy.pem"), [place.read("tls.crt"), place.read("tls.key")].concat());
    for (words, flag) in [(&["--to", "pem"], "--immutable"), (&["--bundle", "fullchain"], "--immutable")] {
        let refused = place.kpki(&[&["convert", "web.yaml"], &words[..], &[flag]].concat()).status(2).stderr;
        assert!(refused.contains("--immutable does not apply"), "{refused}");
    }
}

#[test]
fn opaque_secrets_lists_and_kubeconfigs_inside() {
    let place = place();
    let indented = |path: &str| String::from_utf8(original(path)).unwrap().replace('\n', "\n    ");
    place.write(
        "all.yaml",
        format!(
            "kind: Secret\nmetadata: {{name: a}}\nstringData:\n  any: |\n    {}\n  password: hunter2\n---\nkind: Secret\nmetadata: {{name: \
             ../b}}\nstringData:\n  value: |\n    {}\n---\nkind: Deployment\n",
            indented("pki/ca.crt"),
            indented("admin.conf"),
        ),
    );
    let run = place.kpki(&["convert", "all.yaml", "--to", "parts", "--out", "d/"]).status(0);
    let note = "nothing to convert is in document 1: Secret a (password)";
    assert!(run.stderr.contains(note) && !run.stderr.contains("hunter2"), "{}", run.stderr);
    let mut found: Vec<_> = place.files().into_keys().filter(|path| path.starts_with("d/")).collect();
    found.retain(|path| !path.contains(".kpki") && !path.ends_with('/'));
    assert_eq!(found, ["d/-b-value-ca.crt", "d/-b-value-client.crt", "d/-b-value-client.key", "d/a-any.crt"]);
    assert_eq!(place.read("d/a-any.crt").as_bytes(), original("pki/ca.crt"));
    assert_eq!(mode(&place, "d/-b-value-client.key"), 0o600);
    place.kpki(&["convert", "all.yaml", "--to", "kubeconfig", "--out", "admin.conf"]).status(0);
    assert!(place.read("admin.conf").contains("current-context: kubernetes-admin@prod"));
}

#[test]
fn what_is_no_certificate_or_key_is_refused_by_its_name() {
    let place = Place::new();
    for (data, expected) in [
        ("password: aGk=", "nothing to convert is in Secret x (password)"),
        ("tls.crt: aGk=", "nothing to convert is in Secret x (tls.crt)"),
        ("tls.key: '%'", "Secret x (tls.key): expected base64"),
        (
            "tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
            "Secret x (tls.crt): PEM block 1 (CERTIFICATE): expected an END line",
        ),
    ] {
        place.write("x.yaml", format!("kind: Secret\nmetadata: {{name: x}}\ndata: {{{data}}}\n"));
        let run = place.kpki(&["convert", "x.yaml", "--to", "pem", "--out", "x.pem"]).status(1);
        assert!(run.stderr.contains(expected) && !run.wrote, "{data}: {}", run.stderr);
    }
}
