//! Receipts of a node whose /etc/kubernetes kubeadm has made.
#![allow(clippy::disallowed_methods)] // a test lays out its files by hand

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::workspace::shipping::receipt::Running;

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-26 12:00 UTC);
/// Starts before and after every file of a test.
const OLD: i64 = 1000;
const NEW: i64 = 4_000_000_000;

/// A copy of kubeadm's tree, and a /proc beside it.
fn node() -> tempfile::TempDir {
    let tmp = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes");
    copy(&from, &tmp.path().join("etc/kubernetes"));
    fs::create_dir(tmp.path().join("proc")).unwrap();
    tmp
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() { copy(&path, &to) } else { fs::copy(&path, &to).map(drop).unwrap() }
    }
}

fn process(node: &tempfile::TempDir, pid: u32, component: &str, started: i64) {
    fs::write(node.path().join("proc/stat"), "btime 0\n").unwrap();
    let dir = node.path().join("proc").join(pid.to_string());
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("status"), "Uid:\t0\t0\t0\t0\n").unwrap();
    fs::write(dir.join("comm"), "x\n").unwrap();
    fs::write(dir.join("cmdline"), format!("/usr/bin/{component}\0--flag\0")).unwrap();
    fs::write(dir.join("stat"), format!("{pid} (x) S{} {}00 1", " 1".repeat(18), started)).unwrap();
}

fn receipt(node: &tempfile::TempDir) -> Receipt {
    let (dir, proc) = (node.path().join("etc/kubernetes"), node.path().join("proc"));
    collect(&Collect { dir: &dir, node: "cp1", profile: None, now: NOW, proc: &proc }).unwrap()
}

fn running(receipt: &Receipt, component: &str) -> (Running, bool) {
    let found = receipt.components.iter().find(|one| one.component == component).unwrap();
    (found.running, found.rereads)
}

#[test]
fn every_entry_is_in_it_and_no_byte_of_a_key() {
    let node = node();
    let made = receipt(&node);
    let names: Vec<&str> = made.entries.iter().map(|one| one.entry.as_str()).collect();
    for name in ["ca", "apiserver", "etcd-ca", "etcd-peer", "front-proxy-client", "sa", "admin.conf", "kubelet.conf"] {
        assert!(names.contains(&name), "{name} {names:?}");
    }
    let one = |name: &str| made.entries.iter().find(|one| one.entry == name).unwrap();
    assert_eq!(one("etcd-server").path, "/etc/kubernetes/pki/etcd/server.crt");
    assert!(one("etcd-server").key && one("admin.conf").key && one("sa").key && one("sa").public_key.is_some());
    assert_eq!(one("admin.conf").authority_data, one("ca").certificates);
    assert_eq!((made.issue.clone(), made.unpacked.clone(), made.signing_file.clone()), (None, None, None));
    let text = made.render().unwrap();
    assert_eq!(Receipt::parse(text.as_bytes()).unwrap(), made);
    let mut keys = 0;
    for entry in names.iter().copied() {
        let path = node.path().join(one(entry).path.trim_start_matches('/'));
        // An RSA key begins with its modulus, which is in the certificate as well.
        let public: String = fs::read_to_string(&path).unwrap_or_default().lines().collect();
        for file in [path.clone(), path.with_extension("key")] {
            let Ok(content) = fs::read_to_string(&file) else { continue };
            let secret = content
                .lines()
                .filter(|line| file.extension().is_some_and(|end| end == "key") || line.contains("key-data"));
            for line in
                secret.map(|line| line.trim().trim_start_matches("client-key-data: ")).filter(|line| line.len() > 20)
            {
                keys += 1;
                let piece: String = line.chars().take(40).collect();
                let is_public = file.extension().is_some_and(|end| end == "key") && public.contains(&piece);
                assert!(is_public || !text.contains(&piece), "{entry}");
            }
        }
    }
    assert!(keys > 100, "{keys}");
}

#[test]
fn a_component_counts_as_running_only_by_its_processes() {
    let node = node();
    assert_eq!(running(&receipt(&node), "etcd"), (Running::Unknown, false));
    process(&node, 1, "etcd", NEW);
    process(&node, 2, "kube-apiserver", OLD);
    process(&node, 3, "kube-scheduler", NEW);
    let made = receipt(&node);
    assert_eq!(running(&made, "etcd"), (Running::Yes, false));
    assert_eq!(running(&made, "kube-apiserver"), (Running::No, false));
    assert_eq!(running(&made, "kubelet"), (Running::Unknown, false));
    process(&node, 4, "etcd", OLD);
    assert_eq!(running(&receipt(&node), "etcd"), (Running::No, false));
}

#[test]
fn an_old_mtime_is_not_believed() {
    let node = node();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(500);
    for name in ["ca", "server", "peer", "healthcheck-client"]
        .iter()
        .flat_map(|stem| [format!("{stem}.crt"), format!("{stem}.key")])
    {
        let file =
            fs::File::options().write(true).open(node.path().join("etc/kubernetes/pki/etcd").join(name)).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    process(&node, 1, "etcd", OLD);
    assert_eq!(running(&receipt(&node), "etcd"), (Running::No, false));
}

#[test]
fn what_else_a_node_says_of_itself() {
    let node = node();
    let at = |path: &str| node.path().join(path);
    fs::create_dir_all(at("var/lib/kubelet/pki")).unwrap();
    let pair = fs::read(at("etc/kubernetes/pki/apiserver-kubelet-client.crt")).unwrap();
    let key = fs::read(at("etc/kubernetes/pki/apiserver-kubelet-client.key")).unwrap();
    fs::write(at("var/lib/kubelet/pki/kubelet-client-current.pem"), [key.clone(), pair].concat()).unwrap();
    fs::create_dir(at("etc/kubernetes/manifests")).unwrap();
    let manifest = "spec:\n  containers:\n  - command: [kube-controller-manager, --cluster-signing-cert-file=/etc/kubernetes/pki/ca-signer.crt]\n";
    fs::write(at("etc/kubernetes/manifests/kube-controller-manager.yaml"), manifest).unwrap();
    let kpki: PathBuf = at("etc/kubernetes/.kpki");
    fs::create_dir(&kpki).unwrap();
    let lines = include_str!("../../../fixtures/state/0.1.0/journal.jsonl");
    let first = lines.lines().next().unwrap();
    let brought = first.replace("\"command\":\"init\"", "\"command\":\"unpack\"");
    assert_ne!(brought, first);
    fs::write(kpki.join("journal.jsonl"), format!("{brought}\n{}", format!("{first}\n").repeat(MOST_LINES + 3)))
        .unwrap();
    let issue = format!(r#"{{"revision":7,"nonce":"{}"}}"#, "ab".repeat(32));
    fs::write(
        kpki.join("unpacked.json"),
        format!(r#"{{"time":"2026-11-20T00:00:00Z","generation":"20261120T000000Z-unpack","issue":{issue}}}"#),
    )
    .unwrap();
    let made = receipt(&node);
    assert_eq!(made.kubelet_client.unwrap().issuer, "CN=kubernetes");
    assert_eq!(made.signing_file.as_deref(), Some("/etc/kubernetes/pki/ca-signer.crt"));
    assert_eq!((made.journal.len(), made.journal_left_out), (MOST_LINES, 3));
    assert!(made.journal.iter().all(|line| line.command() == "init"));
    assert_eq!(made.unpacked.as_deref(), Some("2026-11-20T00:00:00Z"));
    assert_eq!((made.generation.as_deref(), made.issue.unwrap().revision), (Some("20261120T000000Z-unpack"), 7));
}
