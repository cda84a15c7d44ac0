//! A real etcd cluster of three members on three node trees, over mutual TLS.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Made, Ran, SMALL, Server, free_port, program, run, say, scratch, within};

const THREE: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: three
controlPlaneEndpoint: localhost:6443
nodes:
  - name: cp1
    addresses: [127.0.0.1]
  - name: cp2
    addresses: [127.0.0.2]
  - name: cp3
    addresses: [127.0.0.3]
";

struct Member {
    name: &'static str,
    client: String,
    peer: String,
}

fn members() -> Vec<Member> {
    let members = [("cp1", "127.0.0.1"), ("cp2", "127.0.0.2"), ("cp3", "127.0.0.3")];
    members
        .into_iter()
        .map(|(name, address)| {
            let url = || format!("https://{address}:{}", free_port(address));
            Member { name, client: url(), peer: url() }
        })
        .collect()
}

fn start(tree: &Made, member: &Member, cluster: &str, data: &Path) -> Server {
    let pki = tree.path(&format!("nodes/{}/pki/etcd", member.name));
    let file = |name: &str| pki.join(name);
    let mut etcd = program("etcd");
    etcd.env_clear()
        .args(["--name", member.name, "--initial-cluster-state", "new", "--initial-cluster-token", "kpki"])
        .args(["--initial-cluster", cluster, "--logger", "zap", "--log-level", "warn", "--data-dir"])
        .arg(data.join(member.name))
        .args(["--listen-client-urls", &member.client, "--advertise-client-urls", &member.client])
        .args(["--listen-peer-urls", &member.peer, "--initial-advertise-peer-urls", &member.peer])
        .args(["--client-cert-auth", "--peer-client-cert-auth"])
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
    Server::start(&mut etcd, data.join(format!("{}.log", member.name)))
}

/// etcdctl with a CA and, if given, a client's certificate and key (without ending).
fn etcdctl(endpoints: &str, ca: &Path, client: Option<PathBuf>, words: &[&str]) -> Ran {
    let mut etcdctl = program("etcdctl");
    etcdctl.env_clear().env("ETCDCTL_API", "3").args([
        "--dial-timeout=3s",
        "--command-timeout=5s",
        "--endpoints",
        endpoints,
    ]);
    etcdctl.arg("--cacert").arg(ca);
    if let Some(client) = client {
        etcdctl.arg("--cert").arg(client.with_extension("crt")).arg("--key").arg(client.with_extension("key"));
    }
    run(etcdctl.args(words))
}

/// What OpenSSL, as a client, is told about its certificate.
fn handshake(url: &str, ca: &Path, client: Option<PathBuf>) -> Ran {
    let mut openssl = program("openssl");
    let address = url.strip_prefix("https://").unwrap();
    // Up to TLS 1.2 the verdict is part of the handshake.
    openssl.args(["s_client", "-tls1_2", "-brief", "-verify_return_error", "-connect", address, "-CAfile"]).arg(ca);
    if let Some(client) = client {
        openssl.arg("-cert").arg(client.with_extension("crt")).arg("-key").arg(client.with_extension("key"));
    }
    run(&mut openssl)
}

#[test]
fn three_members_form_and_refuse_strangers() {
    let tree = Made::of_text(THREE, &[]);
    let stranger = Made::of_text(SMALL, &[]);
    let data = scratch();
    let members = members();
    let cluster = members.iter().map(|m| format!("{}={}", m.name, m.peer)).collect::<Vec<_>>().join(",");
    let endpoints = members.iter().map(|m| m.client.clone()).collect::<Vec<_>>().join(",");
    let mut servers: Vec<Server> = members.iter().map(|member| start(&tree, member, &cluster, data.path())).collect();

    let ca = tree.path("pki/etcd/ca.crt");
    let health = |node: &str| Some(tree.path(&format!("nodes/{node}/pki/etcd/healthcheck-client")));
    let api = |node: &str| Some(tree.path(&format!("nodes/{node}/pki/apiserver-etcd-client")));
    let up = within(Duration::from_secs(40), || {
        etcdctl(&endpoints, &ca, health("cp1"), &["endpoint", "health"]).ok() || servers.iter_mut().any(Server::ended)
    });
    let logs = || servers.iter().map(Server::log).collect::<Vec<_>>().join("\n---\n");
    assert!(up && etcdctl(&endpoints, &ca, health("cp1"), &["endpoint", "health"]).ok(), "no cluster:\n{}", logs());

    // Every node's clients, with every member.
    for node in ["cp1", "cp2", "cp3"] {
        for client in [health(node), api(node)] {
            let said = etcdctl(&endpoints, &ca, client, &["endpoint", "health"]).expect_ok(node);
            let healthy = format!("{}{}", said.out, said.err).matches("is healthy").count();
            assert_eq!(healthy, 3, "{node}: {said:?}");
        }
    }
    etcdctl(&members[0].client, &ca, api("cp1"), &["put", "made-by", "kpki"]).expect_ok("put");
    for member in &members {
        let got = etcdctl(&member.client, &ca, api("cp3"), &["get", "--print-value-only", "made-by"]).expect_ok("get");
        assert_eq!(got.out, "kpki\n", "{}", member.name);
    }
    let listed = etcdctl(&endpoints, &ca, health("cp2"), &["member", "list"]).expect_ok("member list");
    assert_eq!(listed.out.matches("started").count(), 3, "{}", listed.out);

    // One name resolves to the first member; the certificates carry it.
    let port = members[0].client.rsplit(':').next().unwrap();
    etcdctl(&format!("https://localhost:{port}"), &ca, api("cp1"), &["get", "made-by"]).expect_ok("localhost");

    // A client of another cluster, one of this cluster's other authority, one without a certificate, a server's CA unknown.
    let other_ca = stranger.path("pki/etcd/ca.crt");
    let strangers = [
        ("another cluster's", Some(stranger.path("pki/apiserver-etcd-client"))),
        ("the cluster CA's", Some(tree.path("nodes/cp1/pki/apiserver-kubelet-client"))),
        ("the front proxy CA's", Some(tree.path("nodes/cp1/pki/front-proxy-client"))),
        ("no", None),
    ];
    for member in &members {
        let known = handshake(&member.client, &ca, api("cp2")).expect_ok("handshake");
        assert!(known.err.contains("Verification: OK"), "{known:?}");
        for (who, client) in &strangers {
            let refused = handshake(&member.client, &ca, client.clone());
            assert!(
                !refused.ok() && refused.err.contains("alert"),
                "{}: {who} client certificate: {refused:?}",
                member.name
            );
        }
    }
    for (who, client) in strangers {
        let refused = etcdctl(&members[0].client, &ca, client, &["get", "made-by"]);
        assert!(!refused.ok() && !refused.out.contains("kpki"), "{who} client certificate: {refused:?}");
    }
    let refused = etcdctl(&members[0].client, &other_ca, api("cp1"), &["get", "made-by"]);
    assert!(!refused.ok(), "a server of an unknown authority: {refused:?}");
    assert!(
        servers.iter_mut().all(|server| !server.ended()),
        "{}",
        servers.iter().map(Server::log).collect::<String>()
    );
}

/// What a member presents to somebody who connects now.
fn serial(url: &str, ca: &Path, client: &Path) -> String {
    let mut openssl = program("openssl");
    openssl.args(["s_client", "-connect", url.strip_prefix("https://").unwrap(), "-CAfile"]).arg(ca);
    openssl.arg("-cert").arg(client.with_extension("crt")).arg("-key").arg(client.with_extension("key"));
    let said = run(&mut openssl).out;
    let pem = said.split_once("-----BEGIN").map(|(_, rest)| format!("-----BEGIN{rest}")).unwrap_or_default();
    let end = "-----END CERTIFICATE-----\n";
    let pem = pem.split_once(end).map(|(pem, _)| format!("{pem}{end}")).unwrap_or_default();
    let file = ca.with_extension("presented");
    std::fs::write(&file, pem).unwrap();
    say("openssl", ["x509", "-noout", "-serial", "-in", file.to_str().unwrap()])
}

/// All certificates of a cluster that serves are renewed, again and again: no request fails, no watch ends, and whoever
/// connects afterwards meets the new certificate.
#[test]
fn three_members_go_on_serving_through_renewals() {
    let tree = Made::of_text(THREE, &[]);
    let data = scratch();
    let members = members();
    let cluster = members.iter().map(|m| format!("{}={}", m.name, m.peer)).collect::<Vec<_>>().join(",");
    let endpoints = members.iter().map(|m| m.client.clone()).collect::<Vec<_>>().join(",");
    let mut servers: Vec<Server> = members.iter().map(|member| start(&tree, member, &cluster, data.path())).collect();
    // A client that read its pair before, as the API server did.
    let old = data.path().join("client");
    for end in ["crt", "key"] {
        std::fs::copy(tree.path(&format!("nodes/cp1/pki/apiserver-etcd-client.{end}")), old.with_extension(end))
            .unwrap();
    }
    let ca = data.path().join("ca.crt");
    std::fs::copy(tree.path("pki/etcd/ca.crt"), &ca).unwrap();
    let healthy = |client: &Path| etcdctl(&endpoints, &ca, Some(client.to_path_buf()), &["endpoint", "health"]);
    assert!(within(Duration::from_secs(40), || healthy(&old).ok()), "no cluster");

    let mut watch = program("etcdctl");
    watch.env_clear().env("ETCDCTL_API", "3").args(["--endpoints", &members[1].client, "--cacert"]).arg(&ca);
    watch.arg("--cert").arg(old.with_extension("crt")).arg("--key").arg(old.with_extension("key")).args(["watch", "n"]);
    let mut watch = Server::start(&mut watch, data.path().join("watch.log"));

    let done = std::sync::atomic::AtomicBool::new(false);
    let failures = std::sync::Mutex::new(Vec::new());
    let requests = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for member in &members {
            let (done, failures, requests, ca, old) = (&done, &failures, &requests, &ca, &old);
            scope.spawn(move || {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    let n = requests.fetch_add(1, std::sync::atomic::Ordering::SeqCst).to_string();
                    let ran = etcdctl(&member.client, ca, Some(old.clone()), &["put", "n", &n]);
                    if !ran.ok() {
                        failures.lock().unwrap().push(format!("{}: {ran:?}", member.name));
                    }
                }
            });
        }
        let mut seen = std::collections::BTreeSet::new();
        for round in 0..3 {
            run(crate::support::kpki().args(["renew", "all", "-d"]).arg(&tree.dir)).expect_ok("renew");
            for member in &members {
                let pair = tree.path(&format!("nodes/{}/pki/etcd/server.crt", member.name));
                let wanted = say("openssl", ["x509", "-noout", "-serial", "-in", pair.to_str().unwrap()]);
                assert_eq!(serial(&member.client, &ca, &old), wanted, "{}: round {round}", member.name);
                assert!(seen.insert(wanted));
            }
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures:#?}");
    let requests = requests.into_inner();
    assert!(requests > 10, "{requests}");
    // The new clients, and the watch that began before.
    for node in ["cp1", "cp2", "cp3"] {
        let new = tree.path(&format!("nodes/{node}/pki/apiserver-etcd-client"));
        healthy(&new).expect_ok(node);
        healthy(&tree.path(&format!("nodes/{node}/pki/etcd/healthcheck-client"))).expect_ok(node);
    }
    etcdctl(&endpoints, &ca, Some(old), &["put", "n", "the last"]).expect_ok("put");
    assert!(within(Duration::from_secs(10), || watch.log().contains("the last")), "{}", watch.log());
    assert!(!watch.ended() && servers.iter_mut().all(|server| !server.ended()));
    eprintln!("{requests} requests");
}
