//! TLS, namespaces, and the ways to come by a token.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use super::{Bao, ROOT, feed, free_pair, vault};
use crate::support::{Made, SMALL, mode};

/// Secrets that may be read, and nothing else.
fn reader(bao: &Bao) {
    bao.put("sys/policies/acl/reader", json!({"policy": "path \"secret/data/kpki\" { capabilities = [\"read\"] }"}));
    bao.put("secret/data/kpki", json!({"data": {"field": "found"}}));
}

const READ: &str = "secret --path secret/data/kpki --field field";

/// How many tokens are alive.
fn tokens(bao: &Bao) -> usize {
    let (status, answer) = bao.ask("LIST", "", "auth/token/accessors", &Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer["data"]["keys"].as_array().unwrap().len()
}

#[test]
fn by_approle() {
    let bao = Bao::start();
    reader(&bao);
    bao.put("sys/auth/approle", json!({"type": "approle"}));
    bao.put("auth/approle/role/kpki", json!({"token_policies": ["reader"], "token_ttl": "10m"}));
    bao.put("auth/approle/role/batch", json!({"token_policies": ["reader"], "token_type": "batch", "bind_secret_id": false, "token_bound_cidrs": ["127.0.0.0/8"]}));
    let role_id = |role: &str| {
        let (_, answer) = bao.ask("GET", "", &format!("auth/approle/role/{role}/role-id"), &Value::Null);
        bao.file(&format!("{role}.id"), answer["data"]["role_id"].as_str().unwrap())
    };
    let secret = bao.put("auth/approle/role/kpki/secret-id", json!({}));
    let secret = secret["data"]["secret_id"].as_str().unwrap().to_owned();
    let secret_id = bao.file("secret.id", format!("{secret}\n"));
    let before = tokens(&bao);
    let login = |role: &Path, secret: Option<&Path>| {
        let mut command = vault(READ);
        command.args(["--address", &bao.address()]).arg("--approle-role-id-file").arg(role);
        command.args(secret.into_iter().flat_map(|path| ["--approle-secret-id-file".as_ref(), path.as_os_str()]));
        command
    };
    let role = role_id("kpki");
    assert_eq!(feed(&mut login(&role, Some(&secret_id)), b"").ok(), b"found");
    assert_eq!(feed(&mut login(&role_id("batch"), None), b"").ok(), b"found");
    // The token of the login is gone again, also where nothing was found.
    let mut other = login(&role, Some(&secret_id));
    feed(other.args(["--field", "none"]), b"").refused(2, "");
    assert_eq!(tokens(&bao), before);
    let wrong = bao.file("wrong.id", "0000-1111");
    let said = feed(&mut login(&role, Some(&wrong)), b"");
    assert!(!said.err.contains("0000-1111"), "{said:?}");
    said.refused(1, "invalid role or secret");
    feed(&mut login(&role, None), b"").refused(1, "HTTP status 400");
    mode(&secret_id, 0o644);
    feed(&mut login(&role, Some(&secret_id)), b"").refused(2, "chmod g-w,o-rwx");
}

#[test]
fn by_a_token_of_a_file() {
    let bao = Bao::start();
    reader(&bao);
    let file = bao.file("token", format!("{ROOT}\n"));
    let mut command = vault(READ);
    command.args(["--address", &bao.address()]).arg("--token-file").arg(&file);
    assert_eq!(feed(&mut command, b"").ok(), b"found");
    // The token of somebody else's file is not theirs to give.
    std::os::unix::fs::chown(&file, Some(65_534), None).unwrap();
    feed(&mut command, b"").refused(2, "found user 65534");
}

/// What an API server answers to the question whose token it is.
fn token_review() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                request.extend(byte);
            }
            // Whoever closes before it has read the whole question resets the connection.
            let head = String::from_utf8_lossy(&request).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            stream.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
            let user = json!({"username": "system:serviceaccount:kube-system:kpki", "uid": "u1", "groups": ["system:serviceaccounts"]});
            let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": {"authenticated": true, "user": user}});
            let body = body.to_string();
            let length = body.len();
            let head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}");
        }
    });
    port
}

/// A service account's token as the server reads it; who signed it is the API server's question.
fn jwt() -> String {
    let claims = json!({"iss": "kubernetes/serviceaccount", "kubernetes.io/serviceaccount/namespace": "kube-system",
        "kubernetes.io/serviceaccount/secret.name": "kpki-token", "kubernetes.io/serviceaccount/service-account.name": "kpki",
        "kubernetes.io/serviceaccount/service-account.uid": "u1", "sub": "system:serviceaccount:kube-system:kpki"});
    [json!({"alg": "RS256", "typ": "JWT"}).to_string(), claims.to_string(), "signature".to_owned()]
        .map(|part| base64_url(part.as_bytes()))
        .join(".")
}

fn base64_url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = bytes.chunks(3).flat_map(|three| {
        let bits = three.iter().enumerate().fold(0, |bits, (i, byte)| bits | usize::from(*byte) << (16 - 8 * i));
        (0..=three.len()).map(move |i| char::from(DIGITS[bits >> (18 - 6 * i) & 63]))
    });
    digits.collect()
}

#[test]
fn as_a_pod_of_kubernetes() {
    let bao = Bao::start();
    reader(&bao);
    bao.put("sys/auth/cluster1", json!({"type": "kubernetes"}));
    let host = format!("http://127.0.0.1:{}", token_review());
    // It wants some CA, also where the API server has no TLS.
    let ca = std::fs::read_to_string(bao.authority("", "pki", "any")).unwrap();
    let config = json!({"kubernetes_host": host, "kubernetes_ca_cert": ca, "token_reviewer_jwt": jwt(), "disable_local_ca_jwt": true});
    bao.put("auth/cluster1/config", config);
    let role = json!({"bound_service_account_names": ["kpki"], "bound_service_account_namespaces": ["kube-system"],
        "token_policies": ["reader"]});
    bao.put("auth/cluster1/role/kpki", role);
    // As a projected token lies in a pod.
    let token = bao.file("..data-token", jwt());
    mode(&token, 0o644);
    std::os::unix::fs::symlink("..data-token", bao.path("token")).unwrap();
    let login = |role: &str| {
        let mut command = vault(READ);
        command.args(["--address", &bao.address(), "--kubernetes-mount", "cluster1", "--kubernetes-role", role]);
        command.arg("--kubernetes-token-file").arg(bao.path("token"));
        command
    };
    let before = tokens(&bao);
    assert_eq!(feed(&mut login("kpki"), b"").ok(), b"found");
    assert_eq!(tokens(&bao), before);
    feed(&mut login("other"), b"").refused(1, "invalid role name");
}

#[test]
fn in_a_namespace() {
    let bao = Bao::start();
    bao.put("sys/namespaces/team", json!({}));
    bao.put_in("team", "sys/mounts/kv", json!({"type": "kv"}));
    bao.put_in("team", "kv/kpki", json!({"field": "found"}));
    let words = "secret --path kv/kpki --field field";
    assert_eq!(feed(&mut bao.vault(&format!("{words} --namespace team")), b"").ok(), b"found");
    assert_eq!(feed(bao.vault(words).env("VAULT_NAMESPACE", "team"), b"").ok(), b"found");
    feed(&mut bao.vault(words), b"").refused(1, "HTTP status 404");
    feed(&mut bao.vault(&format!("{words} --namespace other")), b"").refused(1, "HTTP status 4");
}

/// The server's certificate is one that kpki made.
#[test]
fn over_tls_with_the_ca_that_is_given() {
    let made = Made::of_text(SMALL, &[]);
    let port = free_pair();
    let bao = Bao::with(|_| {
        let [certificate, key] = ["pki/etcd/server.crt", "pki/etcd/server.key"].map(|file| made.path(file));
        format!(
            "listener \"tcp\" {{\n address = \"127.0.0.1:{port}\"\n tls_cert_file = {certificate:?}\n tls_key_file = {key:?}\n}}\n"
        )
    });
    reader(&bao);
    let ask = |host: &str, ca: Option<&str>| {
        let mut command = vault(READ);
        command.args(["--address", &format!("https://{host}:{port}")]).env("VAULT_TOKEN", ROOT);
        command.args(ca.into_iter().flat_map(|ca| ["--ca-file".into(), made.path(ca).into_os_string()]));
        command
    };
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(feed(&mut ask(host, Some("pki/etcd/ca.crt")), b"").ok(), b"found", "{host}");
    }
    assert_eq!(feed(ask("127.0.0.1", None).env("BAO_CACERT", made.path("pki/etcd/ca.crt")), b"").ok(), b"found");
    // Another CA, the system's, and another name.
    feed(&mut ask("127.0.0.1", Some("pki/ca.crt")), b"").refused(1, "--ca-file");
    feed(&mut ask("127.0.0.1", None), b"").refused(1, "--ca-file");
    feed(&mut ask("127.0.0.2", Some("pki/etcd/ca.crt")), b"").refused(1, "cannot ask");
    feed(&mut ask("127.0.0.1", Some("pki/ca.key")), b"").refused(2, "found none");
    feed(&mut ask("127.0.0.1", Some("pki/none.crt")), b"").refused(2, "cannot read");
    // Who can write the file chooses the server.
    mode(&made.path("pki/etcd/ca.crt"), 0o666);
    feed(&mut ask("127.0.0.1", Some("pki/etcd/ca.crt")), b"").refused(2, "chmod go-w");
}
