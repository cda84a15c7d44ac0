//! Lists that the verbs make, before those who read them: OpenSSL, pkilint, a real etcd; and a `kpki revoke` that is killed at
//! any system call.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Made, Ran, SMALL, Server, free_port, kpki, program, quick_scratch, run, scratch, within, write};

fn on(tree: &Path, words: &[&str]) -> Ran {
    run(kpki().args(words).arg("--dir").arg(tree))
}

fn lint(list: &Path) -> Vec<Value> {
    let mut command = program("lint_crl");
    command.args(["lint", "-t", "CRL", "-p", "PKIX", "-s", "WARNING", "-f", "JSON"]).arg(list);
    let ran = run(&mut command);
    let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {} {}", ran.out, ran.err));
    said["results"].as_array().unwrap_or_else(|| panic!("{said}")).clone()
}

/// Whether OpenSSL takes a certificate of this tree with this list.
fn openssl_takes(tree: &Made, list: &str, certificate: &str) -> bool {
    let mut verify = program("openssl");
    verify.args(["verify", "-crl_check", "-CAfile"]).arg(tree.path("pki/etcd/ca.crt"));
    verify.arg("-CRLfile").arg(tree.path(list)).arg(tree.path(certificate));
    run(&mut verify).ok()
}

#[test]
fn openssl_and_pkilint_take_what_the_verbs_write() {
    for validity in ["30d", "40y"] {
        let tree = Made::of_text(&format!("{SMALL}crl: {{validity: {validity}}}\n"), &[]);
        on(&tree.dir, &["crl", "update"]).expect_ok("update");
        let check = |what: &str| {
            for stem in ["ca", "front-proxy-ca", "etcd/ca"] {
                let (list, ca) = (tree.path(&format!("pki/{stem}.crl")), tree.path(&format!("pki/{stem}.crt")));
                let mut verify = program("openssl");
                verify.args(["crl", "-noout", "-verify", "-in"]).arg(&list).arg("-CAfile").arg(ca);
                let ran = run(&mut verify);
                assert!(ran.ok() && ran.err.contains("verify OK"), "{validity} {what} {stem}: {}", ran.err);
                assert_eq!(lint(&list), Vec::<Value>::new(), "{validity} {what} {stem}");
            }
        };
        check("empty");
        let (list, peer, server) = ("pki/etcd/ca.crl", "pki/etcd/peer.crt", "pki/etcd/server.crt");
        assert!(openssl_takes(&tree, list, peer) && openssl_takes(&tree, list, server));
        on(&tree.dir, &["hold", "etcd-peer"]).expect_ok("hold");
        check("a hold");
        assert!(!openssl_takes(&tree, list, peer) && openssl_takes(&tree, list, server));
        on(&tree.dir, &["release", "etcd-peer"]).expect_ok("release");
        assert!(openssl_takes(&tree, list, peer));
        on(&tree.dir, &["revoke", "etcd-peer", "--invalid-since", "-9d"]).expect_ok("revoke");
        let reasons = [
            "unspecified",
            "keyCompromise",
            "cACompromise",
            "affiliationChanged",
            "superseded",
            "cessationOfOperation",
            "privilegeWithdrawn",
            "aACompromise",
        ];
        for (i, reason) in reasons.iter().enumerate() {
            let serial = format!("4f{i:02x}");
            let words = [
                "revoke",
                "--serial",
                &serial,
                "--authority",
                "etcd-ca",
                "--unknown-serial",
                "--reason",
                reason,
                "--der",
            ];
            on(&tree.dir, &words).expect_ok(reason);
        }
        check("every reason");
        assert!(!openssl_takes(&tree, list, peer) && openssl_takes(&tree, list, server));
        on(&tree.dir, &["crl", "check", "etcd-peer"]).expect_code(4, "peer");
        on(&tree.dir, &["crl", "check", "etcd-server"]).expect_ok("server");
    }
}

pub fn start_etcd(tree: &Made, url: &str, peer: &str, data: &Path) -> Server {
    start_this_etcd(program("etcd"), tree, url, peer, data)
}

pub fn start_this_etcd(mut etcd: Command, tree: &Made, url: &str, peer: &str, data: &Path) -> Server {
    let file = |name: &str| tree.path(&format!("pki/etcd/{name}"));
    etcd.env_clear()
        .args(["--name", "cp1", "--initial-cluster-state", "new", "--logger", "zap", "--log-level", "warn"])
        .args(["--initial-cluster", &format!("cp1={peer}"), "--data-dir"])
        .arg(data.join("data"))
        .args(["--listen-client-urls", url, "--advertise-client-urls", url])
        .args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer])
        .args(["--client-cert-auth", "--peer-client-cert-auth"]);
    for (flag, name) in [
        ("--cert-file", "server.crt"),
        ("--key-file", "server.key"),
        ("--trusted-ca-file", "ca.crt"),
        ("--client-crl-file", "ca.crl"),
        ("--peer-cert-file", "peer.crt"),
        ("--peer-key-file", "peer.key"),
        ("--peer-trusted-ca-file", "ca.crt"),
    ] {
        etcd.arg(flag).arg(file(name));
    }
    Server::start(&mut etcd, data.join("etcd.log"))
}

pub fn etcdctl(tree: &Made, url: &str, client: &str) -> Ran {
    let client = tree.path(client);
    let mut etcdctl = program("etcdctl");
    etcdctl.env_clear().env("ETCDCTL_API", "3").args(["--dial-timeout=3s", "--command-timeout=5s", "--endpoints", url]);
    etcdctl.arg("--cacert").arg(tree.path("pki/etcd/ca.crt"));
    etcdctl.arg("--cert").arg(client.with_extension("crt")).arg("--key").arg(client.with_extension("key"));
    run(etcdctl.args(["get", "anything"]))
}

/// etcd reads its list at every handshake: no restart is needed, and none changes the answer.
#[test]
fn etcd_refuses_a_client_as_long_as_the_list_names_it() {
    let tree = Made::of_text(&SMALL.replace("10.0.0.11", "127.0.0.1"), &[]);
    on(&tree.dir, &["crl", "update", "etcd-ca"]).expect_ok("update");
    let data = scratch();
    let url = || format!("https://127.0.0.1:{}", free_port("127.0.0.1"));
    let (client_url, peer_url) = (url(), url());
    let (api, health) = ("pki/apiserver-etcd-client", "pki/etcd/healthcheck-client");
    let mut server = start_etcd(&tree, &client_url, &peer_url, data.path());
    let up = within(Duration::from_secs(40), || etcdctl(&tree, &client_url, health).ok() || server.ended());
    assert!(up && !server.ended(), "{}", server.log());
    let takes = |client| etcdctl(&tree, &client_url, client).ok();
    assert!(takes(api));
    on(&tree.dir, &["hold", "apiserver-etcd-client"]).expect_ok("hold");
    assert!(!takes(api) && takes(health));
    on(&tree.dir, &["release", "apiserver-etcd-client"]).expect_ok("release");
    assert!(takes(api));
    on(&tree.dir, &["revoke", "apiserver-etcd-client"]).expect_ok("revoke");
    assert!(!takes(api) && takes(health));
    drop(server);
    let mut server = start_etcd(&tree, &client_url, &peer_url, data.path());
    let up = within(Duration::from_secs(40), || takes(health) || server.ended());
    assert!(up && !server.ended(), "{}", server.log());
    assert!(!takes(api));
    // The way out that the report names.
    on(&tree.dir, &["renew", "all", "--due"]).expect_ok("renew");
    assert!(takes(api));
}

/// What is visible: the list, and who is on it as far as the journal says.
fn state(tree: &Path) -> (Vec<u8>, usize) {
    let journal = fs::read_to_string(tree.join(".kpki/journal.jsonl")).unwrap();
    (fs::read(tree.join("pki/etcd/ca.crl")).unwrap(), journal.matches("\"command\":\"revoke\"").count())
}

#[test]
fn a_revocation_killed_at_any_call_is_whole_after_the_next_run() {
    let made = Made::of_text(SMALL, &[]);
    on(&made.dir, &["crl", "update", "etcd-ca"]).expect_ok("update");
    let before = state(&made.dir);
    let area = quick_scratch();
    let tree: PathBuf = area.path().join("tree");
    let log = write(area.path().join("log"), "");
    let mut hits = 0;
    for call in ["openat", "write", "fsync", "renameat", "renameat2", "linkat", "unlinkat", "mkdirat", "flock"] {
        for n in 1..400 {
            let _ = fs::remove_dir_all(&tree);
            run(program("cp").arg("-a").arg(&made.dir).arg(&tree)).expect_ok("cp");
            let mut strace = program("strace");
            // Not with --seccomp-bpf, which lets a kill pass.
            strace.args(["-f", "-qq", "-o"]).arg(&log);
            strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:signal=SIGKILL:when={n}")]);
            strace.arg(env!("CARGO_BIN_EXE_kpki")).args(["revoke", "etcd-peer", "--dir"]).arg(&tree);
            let ran = run(&mut strace);
            if ran.ok() {
                break;
            }
            hits += 1;
            // A list is always there and whole, old or new.
            run(kpki().args(["crl", "show"]).arg(tree.join("pki/etcd/ca.crl"))).expect_ok(format_args!("{call} {n}"));
            on(&tree, &["revoke", "etcd-peer"]).expect_ok(format_args!("{call} {n}"));
            let after = state(&tree);
            assert!(after.0 != before.0 && after.1 == 1, "{call} {n}: {} lines", after.1);
            on(&tree, &["crl", "check", "etcd-peer"]).expect_code(4, format_args!("{call} {n}"));
            let rests = fs::read_dir(tree.join(".kpki")).unwrap().map(|entry| entry.unwrap().file_name());
            let rests: Vec<_> = rests.filter(|name| name == "staging" || name == "commit").collect();
            assert!(rests.is_empty(), "{call} {n}: {rests:?}");
        }
    }
    assert!(hits > 30, "only {hits} runs were killed");
}
