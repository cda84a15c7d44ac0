//! What `kpki convert` writes, read by everybody else; what everybody else writes, read by it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{kpki, program, project, run, say, scratch, write};

const PASSWORD: &str = "secret";

/// A place with the fixtures' files and the passwords.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = scratch();
        for entry in fs::read_dir(project("fixtures/convert")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, place.path().join(path.file_name().unwrap())).unwrap();
        }
        write(place.path().join("pass"), PASSWORD);
        Self(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    #[track_caller]
    fn convert(&self, words: &[&str]) -> String {
        let mut command = kpki();
        command.arg("convert").args(words).current_dir(self.0.path());
        run(&mut command).expect_ok(format_args!("{command:?}")).out
    }

    #[track_caller]
    fn openssl(&self, words: &[&str]) -> String {
        let mut command = program("openssl");
        command.args(words).current_dir(self.0.path());
        run(&mut command).expect_ok(format_args!("{command:?}")).out
    }
}

#[test]
fn openssl_reads_every_key_we_write() {
    let place = Place::new();
    for key in ["leaf.key", "rsa.key"] {
        let own = if key == "leaf.key" { "sec1" } else { "pkcs1" };
        let public = place.openssl(&["pkey", "-in", key, "-pubout"]);
        assert_eq!(place.convert(&[key, "--to", "spki"]), public, "{key}");
        for form in [own, "pkcs8", "pkcs8-encrypted"] {
            for der in [&[][..], &["--der"]] {
                let words =
                    [&[key, "--to", form, "--out-password-file", "pass", "--out", "made", "--force"], der].concat();
                place.convert(&words);
                let framing = if der.is_empty() { "PEM" } else { "DER" };
                let read = ["pkey", "-inform", framing, "-in", "made", "-passin", "pass:secret", "-pubout"];
                assert_eq!(place.openssl(&read), public, "{key} {form} {framing}");
            }
        }
        place.convert(&[key, "--to", "pkcs8-encrypted", "--out-password-file", "pass", "--out", "locked", "--force"]);
        let shown = place.openssl(&["asn1parse", "-in", "locked"]);
        for part in ["PBES2", "hmacWithSHA256", "aes-256-cbc", ":0927C0"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}

#[test]
fn every_encryption_of_openssls_is_read() {
    let place = Place::new();
    let expected = place.read("rsa.pkcs8.der");
    for words in [
        &["-v2", "aes-128-cbc"][..],
        &["-v2", "aes-192-cbc"],
        &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"],
        &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA384"],
        &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "12345"],
        &["-v2", "des3"],
        &["-scrypt"],
        &["-scrypt", "-scrypt_N", "1024", "-scrypt_r", "4", "-scrypt_p", "3"],
        &["-v1", "PBE-SHA1-3DES"],
        &["-v1", "PBE-SHA1-2DES"],
        &["-v1", "PBE-SHA1-RC2-40", "-provider", "legacy", "-provider", "default"],
        &["-v1", "PBE-SHA1-RC2-128", "-provider", "legacy", "-provider", "default"],
    ] {
        let made = ["pkcs8", "-topk8", "-in", "rsa.key", "-passout", "pass:secret", "-out", "locked"];
        place.openssl(&[&made, words].concat());
        place.convert(&["locked", "--to", "pkcs8", "--der", "--password-file", "pass", "--out", "open", "--force"]);
        assert_eq!(place.read("open"), expected, "{words:?}");
    }
}

const CHAIN: [&str; 4] = ["leaf.key", "leaf.crt", "intermediate.crt", "root.crt"];

#[test]
fn openssl_and_keytool_read_our_pkcs12() {
    let place = Place::new();
    for (name, extra, provider) in [("modern.p12", &[][..], &[][..]), ("old.p12", &["--legacy"], &["-legacy"])] {
        let words = ["--to", "p12", "--name", "web", "--out-password-file", "pass", "--out", name, "--force"];
        place.convert(&[&CHAIN[..], &words, extra].concat());
        let shown = [&["pkcs12", "-in", name, "-passin", "pass:secret", "-nodes", "-info"], provider].concat();
        let shown = place.openssl(&shown);
        assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 3, "{shown}");
        assert_eq!(shown.matches("BEGIN PRIVATE KEY").count(), 1, "{shown}");
        assert_eq!(shown.matches("friendlyName: web").count(), 2, "{shown}");
        let path = place.text(name);
        let listed = say("keytool", ["-list", "-v", "-keystore", &path, "-storepass", PASSWORD]);
        for part in ["Alias name: web", "Entry type: PrivateKeyEntry", "Certificate chain length: 3"] {
            assert!(listed.contains(part), "{name}: {part}\n{listed}");
        }
        // Imported, and back from Java.
        let java = place.text(&format!("java-{name}"));
        let words =
            ["-importkeystore", "-noprompt", "-srckeystore", &path, "-srcstorepass", PASSWORD, "-destkeystore", &java];
        say("keytool", words.into_iter().chain(["-deststorepass", PASSWORD, "-deststoretype", "PKCS12"]));
        let back = place.convert(&[&java, "--to", "pkcs8", "--password-file", "pass"]);
        assert_eq!(back, place.convert(&["leaf.key", "--to", "pkcs8"]));
    }
    // A truststore: Java trusts what is in it.
    place.convert(&[
        "root.crt",
        "intermediate.crt",
        "--to",
        "p12",
        "--out-password-file",
        "pass",
        "--out",
        "trust.p12",
    ]);
    let listed = say("keytool", ["-list", "-keystore", &place.text("trust.p12"), "-storepass", PASSWORD]);
    assert_eq!(listed.matches("trustedCertEntry").count(), 2, "{listed}");
}

#[test]
fn every_pkcs12_of_openssls_and_keytools_is_read() {
    let place = Place::new();
    let expected = place.convert(&["leaf.crt", "intermediate.crt", "root.crt", "--to", "pem"])
        + &place.convert(&["leaf.key", "--to", "pkcs8"]);
    write(place.path("above.crt"), [place.read("intermediate.crt"), place.read("root.crt")].concat());
    for words in [
        &[][..],
        &["-legacy"],
        &["-descert", "-legacy"],
        &["-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC"],
        &["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-128", "-legacy"],
        &["-keypbe", "NONE", "-certpbe", "NONE"],
        &["-nomac"],
        &["-nomaciter", "-noiter"],
        &["-macalg", "sha384", "-iter", "20000"],
        &["-macalg", "sha512"],
    ] {
        let made = ["pkcs12", "-export", "-inkey", "leaf.key", "-in", "leaf.crt", "-certfile", "above.crt"];
        place.openssl(&[&made[..], &["-passout", "pass:secret", "-out", "theirs.p12"], words].concat());
        assert_eq!(place.convert(&["theirs.p12", "--to", "pem", "--password-file", "pass"]), expected, "{words:?}");
    }
    // Java's own key and, of a second store, a certificate only.
    let java = place.text("java.p12");
    let made =
        ["-genkeypair", "-alias", "a", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=java", "-keystore"];
    say("keytool", made.into_iter().chain([&java, "-storepass", PASSWORD]));
    place.convert(&["java.p12", "--to", "parts", "--password-file", "pass", "--out", "java/"]);
    let public = place.openssl(&["x509", "-in", "java/java-2.crt", "-noout", "-pubkey"]);
    assert_eq!(place.openssl(&["pkey", "-in", "java/java-1.key", "-pubout"]), public);
    let made = [
        "-importcert",
        "-noprompt",
        "-alias",
        "r",
        "-file",
        &place.text("root.crt"),
        "-keystore",
        &place.text("t.p12"),
    ];
    say("keytool", made.into_iter().chain(["-storepass", PASSWORD]));
    let found = place.convert(&["t.p12", "--to", "pem", "--password-file", "pass"]);
    assert_eq!(found.into_bytes(), place.read("root.crt"));
}

/// JKS and JCEKS as this machine's keytool writes them.
#[test]
fn every_keystore_of_javas_is_read() {
    let place = Place::new();
    place.convert(
        &[&CHAIN[..], &["--to", "p12", "--name", "web", "--out-password-file", "pass", "--out", "web.p12"]].concat(),
    );
    let public = place.openssl(&["pkey", "-in", "leaf.key", "-pubout"]);
    let chain = place.convert(&["leaf.crt", "intermediate.crt", "root.crt", "--to", "pem"]);
    for kind in ["jks", "jceks"] {
        let (store, from) = (place.text(&format!("theirs.{kind}")), place.text("web.p12"));
        let words =
            ["-importkeystore", "-noprompt", "-srckeystore", &from, "-srcstorepass", PASSWORD, "-destkeystore", &store];
        say("keytool", words.into_iter().chain(["-deststoretype", kind, "-deststorepass", PASSWORD]));
        // Java may leave the public half out of the container.
        write(place.path("theirs.key"), place.convert(&[&store, "--to", "pkcs8", "--password-file", "pass"]));
        assert_eq!(place.openssl(&["pkey", "-in", "theirs.key", "-pubout"]), public, "{kind}");
        assert_eq!(place.convert(&[&store, "--to", "pem", "--password-file", "pass"]).matches("BEGIN").count(), 4);
        let trusted = place.text(&format!("trusted.{kind}"));
        let words = [
            "-importcert",
            "-noprompt",
            "-alias",
            "r",
            "-storetype",
            kind,
            "-keystore",
            &trusted,
            "-storepass",
            PASSWORD,
        ];
        say("keytool", words.into_iter().chain(["-file", &place.text("root.crt")]));
        assert_eq!(
            place.convert(&[&trusted, "--to", "pem", "--password-file", "pass"]).into_bytes(),
            place.read("root.crt")
        );
    }
    // Our PKCS#7, read by Java and OpenSSL.
    place.convert(&["leaf.crt", "intermediate.crt", "root.crt", "root.crl", "--to", "p7b", "--out", "ours.p7b"]);
    place.convert(&["leaf.crt", "intermediate.crt", "root.crt", "--to", "p7b", "--der", "--out", "ours.der.p7b"]);
    for (name, form) in [("ours.p7b", "PEM"), ("ours.der.p7b", "DER")] {
        let shown = place.openssl(&["pkcs7", "-in", name, "-inform", form, "-print_certs"]);
        assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 3, "{shown}");
        let listed = say("keytool", ["-printcert", "-file", &place.text(name)]);
        assert_eq!(listed.matches("Owner: ").count(), 3, "{listed}");
        assert_eq!(place.convert(&[name, "--to", "pem"]).find(&chain), Some(0));
    }
}

/// OpenSSH's keys, private and public, and OpenSSL's old encryption, as this machine's programs write them.
#[test]
fn keys_of_openssh_and_old_openssl_are_read() {
    let place = Place::new();
    for (kind, bits) in [("rsa", "2048"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("ed25519", "256")] {
        for password in ["", PASSWORD] {
            let key = place.text(&format!("id-{kind}-{bits}-{password}"));
            say("ssh-keygen", ["-q", "-t", kind, "-b", bits, "-N", password, "-a", "2", "-C", "me@host", "-f", &key]);
            let made = place.convert(&[&key, "--to", "pkcs8", "--password-file", "pass"]);
            let pem = write(place.path("made.pem"), &made);
            place.openssl(&["pkey", "-in", "made.pem", "-check", "-noout"]);
            let public = place.openssl(&["pkey", "-in", "made.pem", "-pubout"]);
            assert_eq!(place.convert(&[&format!("{key}.pub"), "--to", "spki"]), public, "{}", pem.display());
        }
    }
    for cipher in ["-des3", "-aes128", "-aes192", "-aes256"] {
        place.openssl(&["rsa", "-traditional", cipher, "-passout", "pass:secret", "-in", "rsa.key", "-out", "old.key"]);
        let made = place.convert(&["old.key", "--to", "pkcs1", "--password-file", "pass"]);
        assert_eq!(made.into_bytes(), place.read("rsa.key"), "{cipher}");
    }
}

#[test]
fn haproxy_and_nginx_start_with_our_files() {
    let place = Place::new();
    place.convert(&[&CHAIN[..], &["--bundle", "haproxy", "--out", "web.pem"]].concat());
    let config =
        format!("frontend f\n mode http\n timeout client 1s\n bind 127.0.0.1:8443 ssl crt {}\n", place.text("web.pem"));
    let config = write(place.path("haproxy.cfg"), config);
    run(program("haproxy").arg("-c").arg("-f").arg(config)).expect_ok("haproxy -c");
    place.convert(&[&CHAIN[1..], &["--bundle", "fullchain", "--out", "chain.pem"]].concat());
    place.convert(&["leaf.key", "--to", "pkcs8", "--out", "key.pem"]);
    let (dir, chain, key) = (place.text("nginx"), place.text("chain.pem"), place.text("key.pem"));
    fs::create_dir(&dir).unwrap();
    let config = format!(
        "pid {dir}/pid;\nerror_log {dir}/log;\nevents {{}}\nhttp {{ access_log off; server {{ listen 127.0.0.1:8443 ssl; \
         ssl_certificate {chain}; ssl_certificate_key {key}; }} }}\n"
    );
    let config = write(place.path("nginx.conf"), config);
    run(program("nginx").arg("-t").arg("-p").arg(&dir).arg("-c").arg(config)).expect_ok("nginx -t");
}

/// As much of an API server as kubectl asks before it parses a manifest: which kinds there are.
fn discovery() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            request.read_line(&mut line).unwrap();
            let mut header = String::new();
            while request.read_line(&mut header).unwrap() > 2 {
                header.clear();
            }
            let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
            let answer = kinds(path).map_or_else(String::new, |answer| answer.to_string());
            let status = if answer.is_empty() { "404 Not Found" } else { "200 OK" };
            let length = answer.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: \
                 close\r\n\r\n{answer}"
            );
        }
    });
    port
}

fn kinds(path: &str) -> Option<Value> {
    let group = "rbac.authorization.k8s.io";
    let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
    let resource = |name: &str, kind: &str| json!({"name": name, "kind": kind, "namespaced": true, "singularName": "", "verbs": ["create", "get"]});
    Some(match path {
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        "/apis" => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups":
            [{"name": group, "versions": [version], "preferredVersion": version}]}),
        "/api/v1" => {
            json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [resource("secrets", "Secret")]})
        }
        path if path == format!("/apis/{group}/v1") => {
            json!({"kind": "APIResourceList", "groupVersion": format!("{group}/v1"),
            "resources": [resource("roles", "Role"), resource("rolebindings", "RoleBinding")]})
        }
        _ => return None,
    })
}

#[track_caller]
fn created(port: u16, home: &Path, manifest: &Path) -> Vec<Value> {
    let said = run(program("kubectl")
        .args(["--server", &format!("http://127.0.0.1:{port}"), "create", "--dry-run=client", "--validate=false"])
        .args(["-o", "json", "-f"])
        .arg(manifest)
        .env("HOME", home)
        .env_remove("KUBECONFIG"));
    let said = said.expect_ok(manifest.display());
    // Several documents follow one another, or stand in a list.
    let read = serde_json::Deserializer::from_str(&said.out).into_iter::<Value>().map(Result::unwrap);
    read.flat_map(|value| match value["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![value],
    })
    .collect()
}

#[test]
fn kubectl_takes_the_manifests_and_the_kubeconfig() {
    let place = Place::new();
    let port = discovery();
    let tls = ["--as", "kubernetes-secret", "--name", "web", "--namespace", "shop", "--out", "tls.yaml"];
    place.convert(&[&CHAIN[..], &tls].concat());
    place.convert(&["root.crt", "root.key", "--as", "kubernetes-secret", "--name", "ca-pair", "--out", "ca.yaml"]);
    let authority =
        ["intermediate.crt", "intermediate.key", "root.crt", "--as", "istio-cacerts", "--out", "istio.yaml"];
    place.convert(&authority);
    let tree = project("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes");
    place.convert(&[tree.to_str().unwrap(), "--as", "kubeadm-certs", "--out", "kubeadm.yaml"]);
    for (file, kinds, kind) in [
        ("tls.yaml", &["Secret"][..], "kubernetes.io/tls"),
        ("ca.yaml", &["Secret"], "kubernetes.io/tls"),
        ("istio.yaml", &["Secret"], "Opaque"),
        ("kubeadm.yaml", &["Secret", "Role", "RoleBinding"], "Opaque"),
    ] {
        let found = created(port, Path::new(&place.text("")), &place.path(file));
        let named: Vec<_> = found.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        assert_eq!((named.as_slice(), found[0]["type"].as_str()), (kinds, Some(kind)), "{file}");
    }
    // kubectl makes the same Secret of the same files.
    let chain = place.convert(&["leaf.crt", "intermediate.crt", "root.crt", "--bundle", "fullchain"]);
    let chain = write(place.path("chain.pem"), chain);
    let theirs = say(
        "kubectl",
        [
            "create",
            "secret",
            "tls",
            "web",
            "--dry-run=client",
            "-o",
            "json",
            "--cert",
            chain.to_str().unwrap(),
            "--key",
        ]
        .into_iter()
        .chain([place.text("leaf.key").as_str()]),
    );
    let theirs: Value = serde_json::from_str(&theirs).unwrap();
    let ours = &created(port, &place.path(""), &place.path("tls.yaml"))[0];
    for key in ["tls.crt", "tls.key"] {
        assert_eq!(ours["data"][key], theirs["data"][key], "{key}");
    }
    let files = ["leaf.crt", "leaf.key", "intermediate.crt", "root.crt"];
    let config = ["--to", "kubeconfig", "--server", "https://10.0.0.1:6443", "--out", "leaf.conf"];
    place.convert(&[&files[..], &config].concat());
    let config = place.text("leaf.conf");
    let view = say("kubectl", ["--kubeconfig", config.as_str(), "config", "view", "--raw", "-o", "json"]);
    let view: Value = serde_json::from_str(&view).unwrap();
    assert_eq!(view["current-context"], "leaf@kubernetes");
    assert_eq!(view["users"][0]["user"]["client-key-data"], theirs["data"]["tls.key"]);
}
