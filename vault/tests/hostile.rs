//! kpki-vault against a stand-in on this machine that answers what no server should, and against what the environment says.

#![allow(
    clippy::disallowed_methods, // the tests are the outside world
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

mod stand_in;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use stand_in::{Answer, StandIn, json};
use tempfile::TempDir;

const TOKEN: &str = "s.5up3rS3cr3tT0k3n";
const REQUEST: &str = "-----BEGIN CERTIFICATE REQUEST-----\nMAAwADAA\n-----END CERTIFICATE REQUEST-----\n";
const CERTIFICATE: &str = r"-----BEGIN CERTIFICATE-----\nMAAwADAA\n-----END CERTIFICATE-----";

/// With nothing of the environment.
fn vault(words: &str, address: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kpki-vault"));
    command.args(words.split(' ')).args(["--address", address]).env_clear();
    command
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended before it read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

fn issued() -> Answer {
    json(200, &format!(r#"{{"data":{{"certificate":"{CERTIFICATE}"}}}}"#))
}

#[test]
fn an_answer_that_is_none_is_refused_and_nothing_is_printed() {
    let certificate = format!(r#"{{"data":{{"certificate":"{CERTIFICATE}"}}"#);
    let echo = format!(r#"{{"errors":["token {TOKEN} is bad"]}}"#);
    let rows: Vec<(&str, Answer, i32, &str)> = vec![
        ("garbage", Answer::Raw(b"\x00\xff\x16\x03garbage\r\n\r\n".to_vec()), 1, "cannot ask"),
        ("nothing at all", Answer::Raw(Vec::new()), 1, "cannot ask"),
        ("no JSON", json(200, "<html>"), 1, "not one of Vault or OpenBao"),
        ("half of its JSON", json(200, &certificate), 1, "not one of Vault or OpenBao"),
        ("deep JSON", json(200, &"[".repeat(100_000)), 1, "not one of Vault or OpenBao"),
        ("other JSON", json(200, r#"{"data":{"certificate":["x"]}}"#), 1, "not that of a PKI"),
        (
            "a key for a certificate",
            json(200, r#"{"data":{"certificate":"-----BEGIN PRIVATE KEY-----\nMAAw\n-----END PRIVATE KEY-----"}}"#),
            1,
            "one certificate in PEM",
        ),
        ("a body without end", Answer::Endless, 1, "larger than 1048576 bytes"),
        ("a body of 1 GB, announced", Answer::Announced(1 << 30), 1, "larger than 1048576 bytes"),
        ("headers without end", Answer::EndlessHeaders, 1, "cannot ask"),
        (
            "less than it announced",
            Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}".to_vec()),
            1,
            "cannot ask",
        ),
        ("silence", Answer::Silence, 1, "no whole answer in 1 s"),
        ("a byte now and then", Answer::Slow, 1, "no whole answer in 1 s"),
        (
            "control characters",
            json(400, r#"{"errors":["a\u001b[31mb\u0007\u202ec"]}"#),
            1,
            "caused by: a\u{fffd}[31mb\u{fffd}\u{fffd}c\n",
        ),
        ("the token, said back", json(403, &echo), 1, "token (secret) is bad"),
        ("many errors", json(400, &format!(r#"{{"errors":[{}"x"]}}"#, r#""again","#.repeat(10_000))), 1, "again"),
        ("no content", Answer::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()), 1, "\"data\""),
        ("sealed", json(503, r#"{"errors":["Vault is sealed"]}"#), 75, "Vault is sealed"),
        ("too many requests", json(429, r#"{"errors":["rate limit"]}"#), 75, "rate limit"),
        ("a broken server", json(500, r#"{"errors":["internal error"]}"#), 1, "internal error"),
    ];
    for (what, answer, status, says) in rows {
        let server = StandIn::new(vec![answer]);
        let ran = run(vault("issue --timeout 1", &server.address()).env("VAULT_TOKEN", TOKEN), REQUEST);
        let err = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(status), "{what}: {err}");
        assert!(ran.stdout.is_empty(), "{what}: {}", text(&ran.stdout));
        assert!(err.contains(says) && err.len() < 4096, "{what}: {err}");
        assert!(!err.contains(TOKEN) && !err.contains('\u{1b}'), "{what}: {err}");
        assert!(server.written() < 32 << 20, "{what}: {} bytes were taken", server.written());
    }
}

#[test]
fn no_redirect_is_followed() {
    let other = StandIn::new(vec![issued()]);
    for status in [301, 302, 307, 308] {
        let to = format!("{}/v1/pki/sign-verbatim", other.address());
        let redirect = format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        let server = StandIn::new(vec![Answer::Raw(redirect.into_bytes()), issued()]);
        let ran = run(vault("issue", &server.address()).env("VAULT_TOKEN", TOKEN), REQUEST);
        let err = text(&ran.stderr);
        assert_eq!((ran.status.code(), ran.stdout.len()), (Some(1), 0), "{err}");
        assert!(err.contains(&format!("HTTP status {status} redirects to {}", other.address())), "{err}");
        assert_eq!(server.seen().len(), 1);
    }
    assert_eq!(other.seen(), Vec::<String>::new());
}

#[test]
fn what_is_sent_is_what_was_asked_for_and_no_proxy_sees_it() {
    let proxy = StandIn::new(vec![issued(), issued()]);
    let server = StandIn::new(vec![issued()]);
    let mut command = vault("issue --mount team/pki --issuer new --verbatim-role node", &server.address());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "VAULT_PROXY_ADDR"] {
        command.env(name, proxy.address());
    }
    let wanted = r#"{"version":1,"lifetimeSeconds":86400,"keyUsages":["digital signature"],"extendedKeyUsages":["client auth"]}"#;
    command
        .env("KPKI_REQUEST", wanted)
        .env("BAO_NAMESPACE", "team/a")
        .env("BAO_TOKEN", TOKEN)
        .env("VAULT_TOKEN", "other");
    let ran = run(&mut command, REQUEST);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert_eq!(text(&ran.stdout), CERTIFICATE.replace("\\n", "\n") + "\n");
    assert_eq!(text(&ran.stderr), "");
    let [seen] = server.seen().try_into().unwrap();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/team/pki/issuer/new/sign-verbatim/node HTTP/1.1\r\n"), "{head}");
    let headers: Vec<String> = head.lines().map(str::to_lowercase).collect();
    let token = format!("x-vault-token: {}", TOKEN.to_lowercase());
    for header in
        [token.as_str(), "x-vault-namespace: team/a", "x-vault-request: true", "content-type: application/json"]
    {
        assert!(headers.contains(&header.to_owned()), "{header}: {head}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let expected = serde_json::json!({"csr": REQUEST, "remove_roots_from_chain": true, "ttl": "86400s", "basic_constraints_valid_for_non_ca": true,
        "key_usage": ["digitalsignature"], "ext_key_usage": ["clientauth"]});
    assert_eq!(body, expected);
    assert_eq!(proxy.seen(), Vec::<String>::new());
}

#[test]
fn a_login_is_for_one_run_and_its_token_is_revoked() {
    let files = Files::new();
    let role_id = files.with("role-id", "r0le-id\n");
    let secret_id = files.with("secret-id", "s3cret-id\n");
    let jwt = files.with("jwt", "eyJ.hea.der");
    fs::set_permissions(&jwt, fs::Permissions::from_mode(0o644)).unwrap();
    let approle = |command: &mut Command| {
        command.arg("--approle-role-id-file").arg(&role_id).arg("--approle-secret-id-file").arg(&secret_id);
    };
    let kubernetes = |command: &mut Command| {
        command
            .args(["--kubernetes-role", "kpki", "--kubernetes-mount", "k8s"])
            .arg("--kubernetes-token-file")
            .arg(&jwt);
    };
    type Ways<'a> = [(&'a dyn Fn(&mut Command), &'a str, &'a str); 2];
    let ways: Ways<'_> = [
        (&approle, "POST /v1/auth/approle/login ", r#"{"role_id":"r0le-id","secret_id":"s3cret-id"}"#),
        (&kubernetes, "POST /v1/auth/k8s/login ", r#"{"role":"kpki","jwt":"eyJ.hea.der"}"#),
    ];
    let login = |kind: &str| json(200, &format!(r#"{{"auth":{{"client_token":"{TOKEN}","token_type":"{kind}"}}}}"#));
    let revoked = || Answer::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    for (way, path, body) in ways {
        for (kind, answers, requests, status, warning) in [
            ("service", vec![issued(), revoked()], 3, 0, ""),
            ("batch", vec![issued()], 2, 0, ""),
            (
                "service",
                vec![issued(), json(403, r#"{"errors":["permission denied"]}"#)],
                3,
                0,
                "warning: the token of this login lives on",
            ),
            // Also where what it was made for failed.
            ("service", vec![json(400, r#"{"errors":["no"]}"#), revoked()], 3, 1, ""),
        ] {
            let answers = [login(kind)].into_iter().chain(answers).collect();
            let server = StandIn::new(answers);
            let mut command = vault("issue", &server.address());
            way(&mut command);
            // A login goes before the environment's token.
            let ran = run(command.env("VAULT_TOKEN", "other"), REQUEST);
            let err = text(&ran.stderr);
            assert_eq!(ran.status.code(), Some(status), "{err}");
            assert_eq!(err.contains("warning:"), !warning.is_empty(), "{err}");
            assert!(err.contains(warning) && !err.contains(TOKEN), "{err}");
            let seen = server.seen();
            assert_eq!(seen.len(), requests, "{seen:?}");
            assert!(seen[0].starts_with(path) && seen[0].ends_with(body), "{}", seen[0]);
            assert!(!seen[0].contains("other") && !seen[0].to_lowercase().contains("x-vault-token"), "{}", seen[0]);
            assert!(seen[1..].iter().all(|request| request.contains(TOKEN)), "{seen:?}");
            if requests == 3 {
                assert!(seen[2].starts_with("POST /v1/auth/token/revoke-self "), "{}", seen[2]);
            }
        }
    }
}

#[test]
fn a_login_that_fails_says_no_secret() {
    let files = Files::new();
    let (role_id, secret_id) = (files.with("role-id", "r0le-id"), files.with("secret-id", "s3cret-id"));
    for (answer, status, says) in [
        (
            json(400, r#"{"errors":["invalid role r0le-id or secret s3cret-id"]}"#),
            1,
            "invalid role (secret) or secret (secret)",
        ),
        (json(503, r#"{"errors":["Vault is sealed"]}"#), 75, "sealed"),
        (json(200, "{}"), 1, "without a token"),
        (json(200, r#"{"auth":{"client_token":7}}"#), 1, "without a token"),
        (json(200, "{\"auth\":{\"client_token\":\"a\\r\\nX-Evil: 1\"}}"), 1, "without a token"),
    ] {
        let server = StandIn::new(vec![answer, issued(), issued()]);
        let mut command = vault("issue", &server.address());
        command.arg("--approle-role-id-file").arg(&role_id).arg("--approle-secret-id-file").arg(&secret_id);
        let ran = run(&mut command, REQUEST);
        let err = text(&ran.stderr);
        assert!(err.contains(says) && !err.contains("s3cret") && ran.stdout.is_empty(), "{err}");
        assert_eq!(ran.status.code(), Some(status), "{err}");
        assert_eq!(server.seen().len(), 1, "{err}");
    }
}

#[test]
fn what_is_wrong_here_is_refused_before_the_server_is_asked() {
    let files = Files::new();
    let open = files.with("open", TOKEN);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let server = StandIn::new(vec![issued()]);
    let address = server.address();
    let remote = "http://192.0.2.1:8200".to_owned();
    let open = format!("issue --token-file {}", open.display());
    let rows = [
        ("issue", &address, REQUEST, "no token"),
        (open.as_str(), &address, REQUEST, "chmod g-w,o-rwx /"),
        ("issue --token-file /nowhere/token", &address, REQUEST, "cannot read /nowhere/token"),
        ("issue --mount pki/../sys", &address, REQUEST, "--mount"),
        ("issue --role a/b", &address, REQUEST, "--role"),
        ("issue", &remote, REQUEST, "expected https, found http"),
        ("sign --key ca --algorithm ecdsa-sha256", &address, REQUEST, "KPKI_SIGN_INPUT is not set"),
        ("secret --path ../x --field f", &address, "", "--path"),
    ];
    for (words, address, input, says) in rows {
        let mut command = vault(words, address);
        if !says.contains("no token") {
            command.env("VAULT_TOKEN", TOKEN);
        }
        let ran = run(&mut command, input);
        let err = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{words}: {err}");
        assert!(err.contains(says) && !err.contains(TOKEN) && ran.stdout.is_empty(), "{words}: {err}");
    }
    for (words, input, says) in [
        ("issue", "no request", "one certificate request in PEM"),
        ("issue", &"A".repeat(70_000), "larger than 65536 bytes"),
        ("sign --key ca --algorithm ecdsa-sha384 --input digest", "short", "48 bytes, found 5 bytes"),
    ] {
        let ran = run(vault(words, &address).env("VAULT_TOKEN", TOKEN), input);
        let err = text(&ran.stderr);
        assert!(ran.status.code() == Some(2) && err.contains(says) && ran.stdout.is_empty(), "{words}: {err}");
    }
    let mut command = vault("issue", &address);
    let ran = run(command.env("VAULT_TOKEN", TOKEN).env("KPKI_REQUEST", "{"), REQUEST);
    assert!(ran.status.code() == Some(2) && text(&ran.stderr).contains("KPKI_REQUEST is wrong"), "{ran:?}");
    assert_eq!(server.seen(), Vec::<String>::new());
}

#[test]
fn a_server_that_is_not_there_or_speaks_no_tls_is_a_failure() {
    // Nobody listens at port 1.
    let closed = "http://127.0.0.1:1".to_owned();
    let server = StandIn::new(vec![Answer::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]);
    for address in [closed, server.address().replace("http:", "https:")] {
        let ran = run(vault("issue --timeout 20", &address).env("VAULT_TOKEN", TOKEN), REQUEST);
        let err = text(&ran.stderr);
        assert!(
            ran.status.code() == Some(1) && err.contains("cannot ask") && ran.stdout.is_empty(),
            "{address}: {err}"
        );
    }
    assert!(!server.seen().concat().contains(TOKEN));
}
