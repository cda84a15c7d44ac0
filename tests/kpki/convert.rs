//! `kpki convert`: round trips to the same bytes, every form, and nothing written where something is wrong.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::harness::{Place, Run, copy_tree, names, repository, text, tree};

const SMALL: &str = "fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes";

fn fixture(name: &str) -> String {
    text(&format!("fixtures/convert/{name}"))
}

fn place() -> Place {
    let place = Place::new();
    place.write("pass", "secret\n");
    place.write("wrong", "other\n");
    place
}

fn convert(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["convert"], words].concat())
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    fs::read(place.path(name)).unwrap()
}

/// The DER of every block.
fn ders(pem: &str) -> Vec<Vec<u8>> {
    pem::parse_many(pem).unwrap().into_iter().map(pem::Pem::into_contents).collect()
}

#[test]
fn a_whole_tree_to_der_and_back_is_the_same_tree() {
    let place = place();
    copy_tree(&repository(SMALL).join("pki"), &place.path("pki"));
    convert(&place, &["pki", "--to", "der", "--out", "der"]).ok();
    for (name, (mode, content)) in tree(&place.path("der")) {
        if name.ends_with('/') {
            continue;
        }
        assert_eq!(mode, if name.ends_with(".key.der") { 0o600 } else { 0o644 }, "{name}");
        let original = place.read(&format!("pki/{}", name.strip_suffix(".der").unwrap()));
        assert_eq!(ders(&original), [content], "{name}");
    }
    convert(&place, &["der", "--to", "pem", "--out", "back"]).ok();
    let content = |name: &str| -> Vec<_> {
        tree(&place.path(name)).into_iter().map(|(path, (_, bytes))| (path, bytes)).collect()
    };
    assert!(content("pki").len() > 20);
    assert_eq!(content("pki"), content("back"));
    // Neither directory holds anything of kpki's own.
    assert!(!place.path("der/.kpki").exists() && !place.path("back/.kpki").exists());
}

#[test]
fn every_fixture_of_kubeadms_survives_the_round_trip() {
    let place = place();
    for cluster in fs::read_dir(repository("fixtures/kubeadm")).unwrap().map(|entry| entry.unwrap().path()) {
        if !cluster.is_dir() {
            continue;
        }
        let (from, name) = (cluster.to_str().unwrap(), cluster.file_name().unwrap().to_str().unwrap());
        let (der, back) = (format!("{name}-der"), format!("{name}-back"));
        convert(&place, &[from, "--to", "der", "--out", &der]).ok();
        convert(&place, &[&der, "--to", "pem", "--out", &back]).ok();
        let mut compared = 0;
        for file in names(&cluster) {
            if ["crt", "key", "pub", "csr"].iter().any(|end| file.ends_with(end)) {
                assert_eq!(bytes(&place, &format!("{back}/{file}")), fs::read(cluster.join(&file)).unwrap(), "{file}");
                compared += 1;
            }
        }
        assert!(compared >= 8, "{name}: {compared}");
    }
}

#[test]
fn keys_move_between_containers_as_openssl_moves_them() {
    let place = place();
    for (from, to, der) in [
        ("leaf.key", "pkcs8", "leaf.pkcs8.der"),
        ("leaf.pkcs8.der", "sec1", "leaf.sec1.der"),
        ("rsa.key", "pkcs8", "rsa.pkcs8.der"),
        ("rsa.pkcs8.der", "pkcs1", "rsa.pkcs1.der"),
        ("leaf.aes128-sha256.key", "pkcs8", "leaf.pkcs8.der"),
        ("leaf.scrypt.key", "sec1", "leaf.sec1.der"),
        ("leaf.sha1-3des.key", "pkcs8", "leaf.pkcs8.der"),
    ] {
        let words = [&fixture(from), "--to", to, "--password-file", "pass"];
        let pem = convert(&place, &words).ok().stdout;
        assert_eq!(ders(&pem), [fs::read(fixture(der)).unwrap()], "{from} {to}");
        convert(&place, &[&words[..], &["--der", "--force", "--out", "key.der"]].concat()).ok();
        assert_eq!(bytes(&place, "key.der"), fs::read(fixture(der)).unwrap(), "{from} {to}");
        assert_eq!(tree(&place.path("."))["key.der"].0, 0o600);
    }
    for (from, to) in [("leaf.key", "pkcs1"), ("rsa.key", "sec1"), ("ed25519.key", "sec1"), ("leaf.crt", "pkcs8")] {
        let run = convert(&place, &[&fixture(from), "--to", to, "--out", "none"]).fails(1);
        assert!(run.stderr.contains("expected "), "{}", run.stderr);
    }
    assert!(!place.path("none").exists());
}

#[test]
fn one_public_key_whatever_it_is_taken_from() {
    let place = place();
    let public = fs::read_to_string(fixture("leaf.pub")).unwrap();
    for from in ["leaf.crt", "leaf.csr", "leaf.key", "leaf.pub", "leaf.pkcs8.der"] {
        assert_eq!(convert(&place, &[&fixture(from), "--to", "spki"]).ok().stdout, public, "{from}");
    }
    // The pair has one, not two.
    assert_eq!(convert(&place, &[&fixture("leaf.crt"), &fixture("leaf.key"), "--to", "spki"]).ok().stdout, public);
}

#[test]
fn an_encrypted_key_opens_with_its_password_only() {
    let place = place();
    let key = fixture("leaf.key");
    convert(&place, &[&key, "--to", "pkcs8-encrypted", "--out-password-file", "pass", "--out", "locked"]).ok();
    assert!(place.read("locked").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let opened = convert(&place, &["locked", "--to", "sec1", "--password-file", "pass"]).ok();
    assert_eq!(opened.stdout, fs::read_to_string(&key).unwrap());
    // Locked it passes through PEM and DER.
    convert(&place, &["locked", "--to", "der", "--out", "locked.der"]).ok();
    assert_eq!(convert(&place, &["locked.der", "--to", "pem"]).ok().stdout, place.read("locked"));
    let wrong = convert(&place, &["locked", "--to", "pkcs8", "--password-file", "wrong", "--out", "none"]).fails(1);
    assert!(wrong.stderr.starts_with("error: locked: the password does not open it\nhint: give "), "{}", wrong.stderr);
    let without = convert(&place, &["locked", "--to", "pkcs8", "--out", "none"]).fails(1);
    assert!(without.stderr.contains("is encrypted, and no password is given"), "{}", without.stderr);
    let run = convert(&place, &[&key, "--to", "pkcs8-encrypted", "--out", "none"]).fails(2);
    assert!(run.stderr.contains("no password is given for it"), "{}", run.stderr);
    assert!(!place.path("none").exists());
}

#[test]
fn passwords_come_from_the_environment_too() {
    let run = |name: &str, set: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kpki"));
        command.args(["convert", &fixture("umlaut.p12"), "--to", "pem", "--password-env", name]).env_clear();
        if set {
            command.env("PASS", "gehéim");
        }
        command.stdin(Stdio::null()).output().unwrap()
    };
    let output = run("PASS", true);
    assert_eq!(ders(&String::from_utf8(output.stdout).unwrap()).len(), 4);
    assert_eq!(run("PASS", false).status.code(), Some(2));
}

#[test]
fn pkcs12_keeps_certificates_key_and_order() {
    let place = place();
    let files = ["root.crt", "leaf.key", "leaf.crt", "intermediate.crt"].map(fixture);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let expected: Vec<_> = ["leaf.crt", "intermediate.crt", "root.crt"]
        .iter()
        .map(|file| ders(&fs::read_to_string(fixture(file)).unwrap()).remove(0))
        .chain([fs::read(fixture("leaf.pkcs8.der")).unwrap()])
        .collect();
    for (name, extra) in [("modern", &[][..]), ("legacy", &["--legacy"])] {
        let words = [&["--to", "p12", "--name", "wéb", "--out-password-file", "pass", "--out", name], extra].concat();
        convert(&place, &[files.as_slice(), &words].concat()).ok();
        assert_eq!(tree(&place.path("."))[name].0, 0o600);
        let pem = convert(&place, &[name, "--to", "pem", "--password-file", "pass"]).ok().stdout;
        assert_eq!(ders(&pem), expected, "{name}");
        convert(&place, &[name, "--to", "pem", "--password-file", "wrong"]).fails(1);
    }
    // A truststore: a name for each, and no certificate twice.
    place.write("twice.pem", [fs::read(fixture("root.crt")).unwrap(), fs::read(fixture("root.crt")).unwrap()].concat());
    let words = ["twice.pem", &text(&format!("{SMALL}/pki/ca.crt")), "--to", "p12", "--out-password-file", "pass"];
    convert(&place, &[&words[..], &["--out", "trust"]].concat()).ok();
    let trust = kpki::encrypted::pkcs12::open(&bytes(&place, "trust"), Some("secret")).unwrap();
    let found: Vec<_> = trust.bags.iter().map(|bag| bag.friendly_name.clone().unwrap()).collect();
    assert_eq!(found, ["root", "kubernetes"]);
    // Everybody's files, in parts.
    for (file, password) in [("modern.p12", "pass"), ("legacy.p12", "pass"), ("plain.p12", "pass")] {
        let out = format!("{file}.parts");
        convert(&place, &[&fixture(file), "--to", "parts", "--password-file", password, "--out", &out]).ok();
        let stem = file.strip_suffix(".p12").unwrap();
        let wanted =
            [("1", "crt"), ("2", "crt"), ("3", "crt"), ("4", "key")].map(|(n, end)| format!("{stem}-{n}.{end}"));
        let mut found = names(&place.path(&out));
        found.sort();
        assert_eq!(found, wanted, "{file}");
    }
    assert_eq!(ders(&convert(&place, &[&fixture("empty-password.p12"), "--to", "pem"]).ok().stdout), expected);
    let unchecked = convert(&place, &[&fixture("no-mac.p12"), "--to", "pem", "--password-file", "pass"]).warns();
    assert!(unchecked.stderr.contains("has no MAC"), "{}", unchecked.stderr);
}

#[test]
fn bundles_are_in_their_order() {
    let place = place();
    let files = ["root.crt", "leaf.key", "intermediate.crt", "leaf.crt"].map(fixture);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let of = |names: &[&str]| names.iter().map(|name| fs::read_to_string(fixture(name)).unwrap()).collect::<String>();
    let haproxy = convert(&place, &[&files[..], &["--bundle", "haproxy", "--out", "web.pem"]].concat()).warns();
    assert!(haproxy.stderr.contains("left out CN=root"), "{}", haproxy.stderr);
    assert_eq!(place.read("web.pem"), of(&["leaf.crt", "intermediate.crt", "leaf.key"]));
    assert_eq!(tree(&place.path("."))["web.pem"].0, 0o600);
    let chain = convert(&place, &[&files[..], &["--bundle", "fullchain", "--out", "chain.pem"]].concat()).warns();
    assert!(chain.stderr.contains("left out the private key"), "{}", chain.stderr);
    assert_eq!(place.read("chain.pem"), of(&["leaf.crt", "intermediate.crt"]));
    assert_eq!(tree(&place.path("."))["chain.pem"].0, 0o644);
    // Where it is asked for, the root is the last of the chain; the leaf may be it.
    let rooted = ["--with-root", "--bundle", "haproxy", "--out", "rooted.pem"];
    convert(&place, &[&files[..], &rooted].concat()).ok();
    assert_eq!(place.read("rooted.pem"), of(&["leaf.crt", "intermediate.crt", "root.crt", "leaf.key"]));
    let run =
        convert(&place, &[&files[1..], &["--with-root", "--bundle", "fullchain", "--out", "none"]].concat()).fails(1);
    assert!(run.stderr.contains("expected the root above CN=leaf, found none"), "{}", run.stderr);
    let own = convert(&place, &[files[0], "--with-root", "--bundle", "fullchain"]).ok();
    assert_eq!(ders(&own.stdout), ders(&of(&["root.crt"])));
    convert(&place, &[files[0], "--with-root", "--to", "pem"]).fails(2);
    // The key of another certificate, a stranger in the chain, no key at all, two keys.
    for (words, said) in [
        (["leaf.crt", "root.key"], "the private key belongs to none of the certificates"),
        (["leaf.crt", "root.crt"], "which signed none of it"),
        (["leaf.crt", "intermediate.crt"], "expected the private key of CN=leaf, found none"),
        (["leaf.key", "root.key"], "expected one private key, found 2"),
        (["leaf.key", "leaf.csr"], "found a signing request too"),
    ] {
        let words = words.map(fixture);
        let run = convert(&place, &[&words[0], &words[1], "--bundle", "haproxy", "--out", "none"]).fails(1);
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert!(!place.path("none").exists());
}

#[test]
fn a_kubeconfig_falls_apart_and_comes_together() {
    let place = place();
    let config = text(&format!("{SMALL}/admin.conf"));
    convert(&place, &[&config, "--to", "parts", "--out", "admin/"]).ok();
    assert_eq!(names(&place.path("admin")), ["ca.crt", "client.crt", "client.key"]);
    assert_eq!(tree(&place.path("admin"))["client.key"].0, 0o600);
    let original = fs::read_to_string(&config).unwrap();
    let server = original.lines().find_map(|line| line.trim().strip_prefix("server: ")).unwrap();
    let parts = ["admin/client.key", "admin/ca.crt", "admin/client.crt"];
    let words =
        [&parts[..], &["--to", "kubeconfig", "--server", server, "--cluster", "prod", "--out", "again.conf"]].concat();
    convert(&place, &words).ok();
    assert_eq!(place.read("again.conf"), original);
    let other = ["--server", "https://[fd00::1]:6443", "--cluster", "c", "--user", "u"];
    let other = convert(&place, &[&parts[..], &["--to", "kubeconfig"], &other].concat()).ok().stdout;
    assert!(other.contains("current-context: u@c\n") && other.contains("server: https://[fd00::1]:6443\n"), "{other}");
    for server in ["http://x:1", "https://", "https://a b", "https://x\n  y: z", "https://x:"] {
        convert(&place, &[&parts[..], &["--to", "kubeconfig", "--server", server]].concat()).fails(2);
    }
    convert(&place, &[&parts[..], &["--to", "kubeconfig"]].concat()).fails(2);
    let alone = ["admin/client.key", "admin/client.crt", "--to", "kubeconfig", "--server", server];
    assert!(convert(&place, &alone).fails(1).stderr.contains("give ca.crt too"));
}

fn documents(yaml: &str) -> Vec<kpki::encoding::yaml::Node> {
    let stream = kpki::encoding::yaml::read(yaml.as_bytes());
    assert!(stream.faults.is_empty());
    stream.documents
}

fn datum(secret: &kpki::encoding::yaml::Node, key: &str) -> Vec<u8> {
    use kpki::encoding::yaml::{field, text};
    let value = text(field(secret, "data").unwrap(), key).unwrap_or_else(|| panic!("{key}"));
    kpki::encoding::base64::decode(value.as_bytes()).unwrap().to_vec()
}

#[test]
fn secrets_hold_what_their_readers_look_for() {
    let place = place();
    let read = |names: &[&str]| names.iter().flat_map(|name| fs::read(fixture(name)).unwrap()).collect::<Vec<u8>>();
    let files = ["root.crt", "leaf.key", "intermediate.crt", "leaf.crt"].map(fixture);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let words = [&files[..], &["--as", "kubernetes-secret", "--name", "web", "--namespace", "shop"]].concat();
    let manifest = convert(&place, &words).ok().stdout;
    assert!(manifest.ends_with("metadata:\n  name: web\n  namespace: shop\ntype: kubernetes.io/tls\n"), "{manifest}");
    let secret = &documents(&manifest)[0];
    assert_eq!(datum(secret, "tls.crt"), read(&["leaf.crt", "intermediate.crt"]));
    assert_eq!(datum(secret, "tls.key"), read(&["leaf.key"]));
    assert_eq!(datum(secret, "ca.crt"), read(&["root.crt"]));
    // inspect reads it.
    place.write("web.yaml", &manifest);
    assert!(place.kpki(&["inspect", "web.yaml"]).ok().stdout.contains("Secret shop/web (tls.crt)"));

    // An authority for cert-manager: the pair and nothing else.
    let pair = [&fixture("root.crt"), &fixture("root.key"), "--as", "kubernetes-secret", "--name", "ca"];
    let manifest = convert(&place, &pair).ok().stdout;
    assert!(!manifest.contains("ca.crt"), "{manifest}");

    let files = ["intermediate.key", "intermediate.crt", "root.crt"].map(fixture);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let manifest = convert(&place, &[&files[..], &["--as", "istio-cacerts"]].concat()).ok().stdout;
    assert!(manifest.ends_with("name: cacerts\n  namespace: istio-system\ntype: Opaque\n"), "{manifest}");
    let secret = &documents(&manifest)[0];
    assert_eq!(datum(secret, "ca-cert.pem"), read(&["intermediate.crt"]));
    assert_eq!(datum(secret, "ca-key.pem"), read(&["intermediate.key"]));
    assert_eq!(datum(secret, "root-cert.pem"), read(&["root.crt"]));
    assert_eq!(datum(secret, "cert-chain.pem"), read(&["intermediate.crt", "root.crt"]));
    convert(&place, &[&fixture("leaf.crt"), &fixture("leaf.key"), "--as", "istio-cacerts"]).fails(1);
    convert(&place, &[&fixture("intermediate.crt"), &fixture("intermediate.key"), "--as", "istio-cacerts"]).fails(1);
    for name in ["Web", "a/b", "", "-a"] {
        let name = format!("--name={name}");
        convert(&place, &[&fixture("root.crt"), &fixture("root.key"), "--as", "kubernetes-secret", &name]).fails(2);
    }
}

#[test]
fn a_joining_node_finds_its_files() {
    let place = place();
    let run = convert(&place, &[&text(SMALL), "--as", "kubeadm-certs", "--out", "m.yaml"]).warns();
    assert!(
        run.stderr.contains("delete secret kubeadm-certs") && run.stderr.contains("--owner-token"),
        "{}",
        run.stderr
    );
    let key = run.stdout.lines().find_map(|line| line.strip_prefix("certificate key: ")).unwrap().to_owned();
    assert_eq!(key.len(), 64);
    let octets: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap()).collect();
    let octets: [u8; 32] = octets.try_into().unwrap();
    let found = documents(&place.read("m.yaml"));
    assert_eq!(found.len(), 3, "the Secret, and the right to read it");
    for file in [
        "ca.crt",
        "ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "sa.key",
        "sa.pub",
    ] {
        let sealed = datum(&found[0], &file.replace('/', "-"));
        let plain = kpki::encrypted::kubeadm::open(&sealed, &octets).unwrap();
        assert_eq!(*plain, fs::read(repository(SMALL).join("pki").join(file)).unwrap(), "{file}");
    }
    // On standard output the key does not stand beside what it opens, and -q does not lose it.
    let run = place.kpki(&["-q", "convert", &text(SMALL), "--as", "kubeadm-certs"]).status(0);
    assert!(run.stderr.starts_with("certificate key: ") && !run.stdout.contains("certificate key"), "{}", run.stderr);
    // A key of one's own, and an external authority.
    place.write("key", &key);
    let external = text("fixtures/kubeadm/v1.36-external-ca/etc-kubernetes");
    let run = convert(&place, &[&external, "--as", "kubeadm-certs", "--certificate-key-file", "key"]).warns();
    assert!(run.stderr.contains("ca.key is missing") && !run.stderr.contains("certificate key:"), "{}", run.stderr);
    assert_eq!(datum(&documents(&run.stdout)[0], "ca.key"), b"");
    place.write("key", "12");
    convert(&place, &[&external, "--as", "kubeadm-certs", "--certificate-key-file", "key"]).fails(2);
    convert(&place, &[".", "--as", "kubeadm-certs"]).fails(1);
}

/// The owner reference is kubeadm's (copycerts: metav1.NewControllerRef of the token's Secret).
#[test]
fn kubeadms_secret_is_deleted_with_its_bootstrap_token() {
    let place = place();
    let uid = "7b3a5c7e-0d1f-4a2b-8c3d-9e4f5a6b7c8d";
    let to = [&text(SMALL), "--as", "kubeadm-certs", "--out", "m.yaml", "--owner-token", "abc123", uid];
    let run = convert(&place, &to).ok();
    assert!(run.stdout.contains("deleted with bootstrap-token-abc123"), "{}", run.stdout);
    let found = documents(&place.read("m.yaml"));
    let owner = "  namespace: kube-system\n  ownerReferences:\n  - apiVersion: v1\n    blockOwnerDeletion: true\n    controller: true\n    \
                 kind: Secret\n    name: bootstrap-token-abc123\n";
    assert!(place.read("m.yaml").contains(owner) && found.len() == 3, "{}", place.read("m.yaml"));
    assert!(place.read("m.yaml").contains(uid));
    for wrong in [&["abc123.0123456789abcdef", uid][..], &["ABC123", uid], &["abc123", "x"], &["abc123"]] {
        let run =
            convert(&place, &[&[&text(SMALL), "--as", "kubeadm-certs", "--owner-token"][..], wrong].concat()).fails(2);
        assert!(!run.stderr.contains("0123456789abcdef") || wrong.len() == 1, "{}", run.stderr);
    }
    convert(&place, &[&fixture("leaf.crt"), "--to", "der", "--owner-token", "abc123", uid]).fails(2);
}

#[test]
fn odd_text_and_wrong_labels_are_read_for_what_they_are() {
    let place = place();
    let read = |name: &str| fs::read_to_string(fixture(name)).unwrap();
    let crlf = format!("Bag Attributes\n{}some text\n{}{}", read("leaf.crt"), read("root.crl"), read("leaf.csr"));
    place.write("odd.pem", crlf.replace('\n', "\r\n").trim_end());
    let clean = convert(&place, &["odd.pem", "--to", "pem"]).ok();
    assert_eq!(clean.stdout, read("leaf.crt") + &read("root.crl") + &read("leaf.csr"));
    assert_eq!(clean.stderr, "");
    place.write("liar.pem", read("leaf.key").replace("EC PRIVATE KEY", "RSA PRIVATE KEY"));
    let run = convert(&place, &["liar.pem", "--to", "pem"]).warns();
    assert_eq!(run.stdout, read("leaf.key"));
    let said = "warning: liar.pem: PEM block 1 is labelled RSA PRIVATE KEY but contains an SEC1 private key \
                (EC PRIVATE KEY); its content is used\n";
    assert_eq!(run.stderr, said);
    for alias in ["X509 CERTIFICATE", "NEW CERTIFICATE REQUEST"] {
        let (file, usual) =
            if alias.starts_with('X') { ("leaf.crt", "CERTIFICATE") } else { ("leaf.csr", "CERTIFICATE REQUEST") };
        place.write("alias.pem", read(file).replace(usual, alias));
        let run = convert(&place, &["alias.pem", "--to", "pem"]).ok();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (read(file).as_str(), ""), "{alias}");
    }
    let old = convert(&place, &[&fixture("rsa.proc-type.key"), "--to", "pkcs8"]).fails(1);
    let said =
        "rsa.proc-type.key: PEM block 1 (RSA PRIVATE KEY) is encrypted, and no password is given\nhint: give it with";
    assert!(old.stderr.contains(said), "{}", old.stderr);
    place.write("unknown.pem", "-----BEGIN OPENSSH PRIVATE KEY-----\nZm9v\n-----END OPENSSH PRIVATE KEY-----\n");
    convert(&place, &["unknown.pem", "--to", "pem"]).fails(1);
}

#[test]
fn nothing_is_overwritten_unless_told() {
    let place = place();
    place.write("there", "precious");
    let run = convert(&place, &[&fixture("leaf.crt"), "--to", "der", "--out", "there"]).fails(1);
    assert!(run.stderr.contains("there exists already") && run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!(place.read("there"), "precious");
    convert(&place, &[&fixture("leaf.crt"), "--to", "der", "--out", "there", "--force"]).ok();
    // A directory: one name taken, nothing written.
    place.write("in/a.crt", fs::read(fixture("leaf.crt")).unwrap());
    place.write("in/b.crt", fs::read(fixture("root.crt")).unwrap());
    place.write("out/b.crt.der", "precious");
    convert(&place, &["in", "--to", "der", "--out", "out"]).fails(1);
    assert_eq!(names(&place.path("out")), ["b.crt.der"]);
    assert_eq!(place.read("out/b.crt.der"), "precious");
    let run = convert(&place, &["in", "--to", "der", "--out", "out", "--force"]).ok();
    assert!(run.stdout.contains("kept what was replaced in out/.kpki/generations/"), "{}", run.stdout);
    // A symlink is not written through.
    std::os::unix::fs::symlink(place.path("there"), place.path("link")).unwrap();
    let before = bytes(&place, "there");
    for force in [&["--force"][..], &[]] {
        convert(&place, &[&[&fixture("root.crt"), "--to", "der", "--out", "link"], force].concat()).fails(1);
    }
    assert_eq!(bytes(&place, "there"), before);
}

#[test]
fn a_directory_is_converted_whole_or_not_at_all() {
    let place = place();
    let leaf = fs::read(fixture("leaf.crt")).unwrap();
    place.write("in/sub/a.crt", &leaf);
    place.write("in/notes.txt", "hello\n");
    std::os::unix::fs::symlink("a.crt", place.path("in/sub/link.crt")).unwrap();
    let report = convert(&place, &["in", "--to", "der", "--out", "out", "-o", "json"]).ok().json();
    assert_eq!(report["written"].as_array().unwrap().len(), 1);
    assert_eq!(report["written"][0]["path"], "out/sub/a.crt.der");
    assert_eq!(report["written"][0]["mode"], "0644");
    let skipped: Vec<_> = report["skipped"].as_array().unwrap().iter().map(|s| s["path"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["in/notes.txt", "in/sub/link.crt"]);
    // Two that would become one.
    place.write("in/sub/a.crt.der", fs::read(fixture("leaf.pkcs8.der")).unwrap());
    let run = convert(&place, &["in", "--to", "der", "--out", "two"]).fails(1);
    assert!(run.stderr.contains("in/sub/a.crt and in/sub/a.crt.der would both become sub/a.crt.der"), "{}", run.stderr);
    // One broken file: nothing at all.
    place.write("in/z.crt", &leaf[..leaf.len() / 2]);
    convert(&place, &["in", "--to", "pem", "--out", "two"]).fails(1);
    assert!(!place.path("two").exists());
    convert(&place, &["in", "--to", "p12", "--out", "two"]).fails(2);
    convert(&place, &["in", "--to", "der"]).fails(1);
    fs::remove_file(place.path("in/z.crt")).unwrap();
    fs::remove_file(place.path("in/sub/a.crt.der")).unwrap();
    convert(&place, &["in", "--to", "pem"]).fails(2);
}

#[test]
fn every_prefix_and_every_lie_is_refused() {
    let place = place();
    for name in [
        "leaf.crt",
        "leaf.key",
        "root.crl",
        "leaf.csr",
        "leaf.pkcs8.der",
        "leaf.sec1.der",
        "trusted.p12",
        "leaf.scrypt.key",
    ] {
        let whole = fs::read(fixture(name)).unwrap();
        // The last octet of a text is a newline nobody needs.
        let lengths = (0..whole.len() - 1).step_by(whole.len() / 9);
        for length in lengths {
            place.write("cut", &whole[..length]);
            let run = convert(&place, &["cut", "--to", "pem", "--out", "none", "--password-file", "pass"]).fails(1);
            assert!(
                run.stderr.starts_with("error: cut: ") || run.stderr.starts_with("error: cut is"),
                "{}",
                run.stderr
            );
        }
    }
    place.write("empty", "");
    let run = convert(&place, &["empty", "--to", "der", "--out", "none"]).fails(1);
    assert!(run.stderr.contains("found an empty file"), "{}", run.stderr);
    convert(&place, &["missing", "--to", "der"]).fails(1);
    for words in [
        &["empty"][..],
        &["--to", "der"],
        &["empty", "--to", "der", "--bundle", "haproxy"],
        &["empty", "--to", "pem", "--der"],
        &["empty", "--to", "pem", "--legacy"],
        &["empty", "--to", "pem", "--server", "https://x"],
        &["empty", "--to", "pem", "-o", "json"],
        &["empty", "--to", "p12", "--password", "secret"],
    ] {
        convert(&place, words).fails(2);
    }
    assert!(!place.path("none").exists());
}

#[test]
fn standard_input_and_output_are_files_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kpki"))
        .args(["convert", "-", "--to", "der"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(fixture("leaf.crt")).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!([output.stdout], ders(&fs::read_to_string(fixture("leaf.crt")).unwrap())[..]);
    let place = place();
    let two = convert(&place, &[&fixture("leaf.crt"), &fixture("root.crt"), "--to", "der"]).fails(1);
    assert!(two.stderr.contains("expected one object for one DER file, found 2"), "{}", two.stderr);
    assert!(!Path::new("-").exists());
}

/// etcd's CRL is there as PEM and as DER.
#[test]
fn one_thing_in_two_forms_is_written_once() {
    let place = Place::new();
    place.write("p.yaml", super::harness::single(""));
    place.init(&["-p", "p.yaml", "-d", "d"]).ok();
    place.kpki(&["hold", "etcd-peer", "-d", "d", "--at", super::harness::NOW]).status(0);
    let run = place.kpki(&["convert", "d/pki/etcd", "--to", "der", "--out", "der/"]).status(0);
    assert!(run.stderr.contains("are the same in two forms: written once"), "{}", run.stderr);
    assert_eq!(fs::read(place.path("der/ca.crl.der")).unwrap(), fs::read(place.path("d/pki/etcd/ca.crl.der")).unwrap());
}
