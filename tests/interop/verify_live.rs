//! `kpki verify --live` against a real etcd, which asks for client certificates and hangs up on who has none.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Made, Server, free_port, kpki, program, run, scratch, within};

const PROFILE: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: live
nodes:
  - name: cp1
    addresses: [127.0.0.1]
";

/// etcd with the pairs of a directory.
fn start(pki: &Path, data: &Path, client: &str, peer: &str) -> Server {
    let file = |name: &str| pki.join(name);
    let mut etcd = program("etcd");
    etcd.env_clear()
        .args(["--name", "cp1", "--initial-cluster", &format!("cp1={peer}"), "--log-level", "warn", "--logger", "zap"])
        .args(["--listen-client-urls", client, "--advertise-client-urls", client])
        .args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer])
        .args(["--client-cert-auth", "--peer-client-cert-auth", "--data-dir"])
        .arg(data.join("etcd"))
        .arg("--cert-file")
        .arg(file("server.crt"))
        .arg("--key-file")
        .arg(file("server.key"))
        .arg("--trusted-ca-file")
        .arg(file("ca.crt"))
        .arg("--peer-cert-file")
        .arg(file("peer.crt"))
        .arg("--peer-key-file")
        .arg(file("peer.key"))
        .arg("--peer-trusted-ca-file")
        .arg(file("ca.crt"));
    Server::start(&mut etcd, data.join("etcd.log"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in ["ca.crt", "server.crt", "server.key", "peer.crt", "peer.key"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// What is said of etcd's two ports; of the other components, which do not run here, that they do not.
fn verify(tree: &Made, client: &str, peer: &str) -> (Option<i32>, Vec<Value>) {
    let nobody = format!("127.0.0.1:{}", free_port("127.0.0.1"));
    let mut command = kpki();
    command.args(["verify", "--live", "--only", "served", "-o", "json"]).arg(&tree.dir);
    for (name, url) in [("etcd-server", client), ("etcd-peer", peer)] {
        command.args(["--endpoint", &format!("{name}={}", url.strip_prefix("https://").unwrap())]);
    }
    for name in ["apiserver", "kubelet-serving", "controller-manager", "scheduler"] {
        command.args(["--endpoint", &format!("{name}={nobody}")]);
    }
    let ran = run(&mut command);
    let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {ran:?}"));
    let rows = said["clusters"][0]["served"]["endpoints"].as_array().unwrap();
    let of_etcd = |row: &&Value| row["endpoint"].as_str().unwrap().starts_with("etcd-");
    let (etcd, others): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(of_etcd);
    assert_eq!((etcd.len(), others.len()), (2, 4), "{said}");
    assert!(others.iter().all(|row| row["state"] == "unreachable"), "{said}");
    (ran.code, etcd.into_iter().cloned().collect())
}

#[test]
fn etcd_serves_what_is_on_disk_or_what_was() {
    let tree = Made::of_text(PROFILE, &[]);
    let data = scratch();
    let (on_disk, read) = (tree.path("pki/etcd"), data.path().join("pki"));
    copy(&on_disk, &read);
    let url = || format!("https://127.0.0.1:{}", free_port("127.0.0.1"));
    let (client, peer) = (url(), url());
    let mut etcd = start(&read, data.path(), &client, &peer);
    etcd.listening(client.strip_prefix("https://").unwrap());
    let states = || {
        let (code, rows) = verify(&tree, &client, &peer);
        (code, rows.iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), rows)
    };
    let mut seen = states();
    assert!(
        within(Duration::from_secs(30), || {
            seen = states();
            seen.1 == ["same", "same"]
        }),
        "{seen:?}\n{}",
        etcd.log()
    );
    // What does not run is not known.
    assert_eq!(seen.0, Some(3));
    for row in &seen.2 {
        assert_eq!(row["clientAuthorities"], serde_json::json!(["etcd-ca"]), "{row}");
        assert_eq!(row["served"]["serial"], row["onDisk"]["serial"], "{row}");
    }

    // Its copies are not what is on disk any more.
    run(kpki().args(["renew", "etcd-server", "etcd-peer", "-d"]).arg(&tree.dir)).expect_ok("renew");
    let (code, old, rows) = states();
    assert_eq!((code, old.as_slice()), (Some(3), ["older".to_owned(), "older".to_owned()].as_slice()), "{rows:?}");
    for row in &rows {
        assert_ne!(row["served"]["serial"], row["onDisk"]["serial"], "{row}");
        assert_eq!(row["steps"], serde_json::json!(["crictl stop $(crictl ps -q --name '^etcd$')"]), "{row}");
    }

    // It reads them again for every handshake; a start reads them, too.
    copy(&on_disk, &read);
    assert_eq!(states().1, ["same", "same"]);
    drop(etcd);
    let mut etcd = start(&read, data.path(), &client, &peer);
    etcd.listening(client.strip_prefix("https://").unwrap());
    assert!(within(Duration::from_secs(30), || states().1 == ["same", "same"]), "{}", etcd.log());
    // Another member's pair in the place of its own.
    let stranger = Made::of_text(PROFILE, &[]);
    copy(&stranger.path("pki/etcd"), &read);
    let (code, other, rows) = states();
    assert_eq!((code, other.as_slice()), (Some(4), ["other".to_owned(), "other".to_owned()].as_slice()), "{rows:?}");
    assert!(!etcd.ended(), "{}", etcd.log());
}
