//! A cluster's safe host and its nodes: each node has a file system, a host name and processes of its own. And an etcd whose
//! members have their files on three of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, Server, free_port, kpki, program, run, say, scratch, within, write};

pub const MEMBERS: [(&str, &str); 3] = [("cp1", "127.0.0.1"), ("cp2", "127.0.0.2"), ("cp3", "127.0.0.3")];
/// Everything that reads files of the cluster and runs as root, on a control-plane node.
const COMPONENTS: [&str; 5] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"];
/// So long ago that every certificate is due, and none has ended: programs that are not ours have no `--at`.
const LAST_YEAR: &str = "-300d";

/// The safe host and its nodes.
pub struct Site {
    place: TempDir,
}

impl Site {
    /// A cluster that was made last year.
    pub fn new(profile: &str) -> Self {
        Self::made(profile, LAST_YEAR)
    }

    /// A cluster that was made at this instant.
    pub fn made(profile: &str, at: &str) -> Self {
        let site = Self { place: scratch() };
        let profile = site.profile(profile);
        site.safe(&["init", "--profile", &profile, "--at", at]).expect_ok("init");
        for component in COMPONENTS {
            let program = write(site.path("programs/.of"), "").with_file_name(component);
            std::os::unix::fs::symlink(program_path("sleep"), program).unwrap();
        }
        site
    }

    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.place.path().join(below)
    }

    pub fn cluster(&self) -> PathBuf {
        self.path("cluster")
    }

    /// The root of a node's file system.
    pub fn root(&self, node: &str) -> PathBuf {
        self.path("nodes").join(node)
    }

    pub fn node(&self, node: &str) -> PathBuf {
        self.root(node).join("etc/kubernetes")
    }

    pub fn profile(&self, text: &str) -> String {
        write(self.path("profile.yaml"), text).to_str().unwrap().to_owned()
    }

    /// `kpki WORDS... --dir CLUSTER` on the safe host.
    pub fn safe(&self, words: &[&str]) -> Ran {
        run(kpki().args(words).arg("--dir").arg(self.cluster()))
    }

    /// kpki on a node, beside these components of it, with its host name and process table.
    pub fn command(&self, node: &str, components: &[&str]) -> Command {
        fs::create_dir_all(self.node(node)).unwrap();
        let mut command = program("unshare");
        command.args(["--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]);
        command.arg("hostname \"$0\" && for one in $RUN; do \"$one\" 600 & done; exec \"$@\"").arg(node);
        let running: Vec<_> =
            components.iter().map(|one| self.path("programs").join(one).display().to_string()).collect();
        command.arg(env!("CARGO_BIN_EXE_kpki")).env("RUN", running.join(" "));
        command
    }

    /// A command on a node.
    pub fn on(&self, node: &str, words: &[&str]) -> Ran {
        run(self.command(node, &[]).args(words).arg("--dir").arg(self.node(node)))
    }

    /// A command that writes on a node; in a root that is not `/` it has to be told where the kubelet's files are.
    pub fn writes_on(&self, node: &str, words: &[&str]) -> Ran {
        let kubelet = self.root(node).join("var/lib/kubelet/pki");
        self.on(node, &[words, &["--kubelet-dir", kubelet.to_str().unwrap()]].concat())
    }

    /// `kpki export NODE --out - | ssh NODE kpki unpack -`.
    pub fn send(&self, node: &str, words: &[&str]) -> Ran {
        let mut export = kpki();
        export.args(["export", node, "--out", "-", "--dir"]).arg(self.cluster());
        let mut export = export.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pipe = export.stdout.take().unwrap();
        let mut unpack = self.command(node, &[]);
        unpack.args(["unpack", "-", "-o", "json"]).args(words).arg("--dir").arg(self.node(node));
        let output = unpack.stdin(pipe).output().unwrap();
        let exported = export.wait_with_output().unwrap();
        assert!(exported.status.success(), "{node}: {}", String::from_utf8_lossy(&exported.stderr));
        Ran {
            code: output.status.code(),
            signal: None,
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn receipt(&self, node: &str, said: &Ran) -> PathBuf {
        let receipt: Value = serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {said:?}"));
        assert_eq!((&receipt["kind"], &receipt["node"]), (&"NodeReceipt".into(), &Value::from(node)));
        write(self.path(format!("{node}.receipt.json")), &said.out)
    }

    pub fn merge(&self, receipts: &[PathBuf]) -> Ran {
        run(kpki().args(["nodes", "merge"]).args(receipts).arg("--dir").arg(self.cluster()))
    }

    /// Sends to these nodes, and takes their receipts back.
    pub fn ship(&self, nodes: &[&str]) {
        let receipts: Vec<_> =
            nodes.iter().map(|node| self.receipt(node, &self.send(node, &[]).expect_ok(node))).collect();
        self.merge(&receipts).expect_ok("merge");
    }

    /// A receipt of each node, beside everything that runs there.
    pub fn receipts(&self, nodes: &[&str]) -> Vec<PathBuf> {
        let make = |node: &&str| {
            let components: &[&str] = match node.as_bytes()[0] {
                b'l' => &[],
                b'w' => &["kubelet"],
                _ => &COMPONENTS,
            };
            let mut command = self.command(node, components);
            command.args(["export", "--verify", "--receipt", "-o", "json", "--dir"]).arg(self.node(node));
            self.receipt(node, &run(&mut command).expect_ok(node))
        };
        nodes.iter().map(make).collect()
    }

    /// Everything is restarted, in a second after that in which the files came.
    pub fn restart(&self, nodes: &[&str]) {
        // On a loaded machine a process may be looked at before it has its name: once more, then.
        for _ in 0..2 {
            std::thread::sleep(Duration::from_secs(2));
            self.merge(&self.receipts(nodes)).expect_ok("merge");
            if self.standing("standing").0 == Some(0) {
                return;
            }
        }
    }

    /// `kpki nodes`: its status, and the field of each node.
    pub fn standing(&self, field: &str) -> (Option<i32>, Vec<String>) {
        let said = self.safe(&["nodes", "-o", "json"]);
        let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {said:?}"));
        let nodes = report["nodes"].as_array().unwrap();
        (said.code, nodes.iter().map(|node| node[field].as_str().unwrap().to_owned()).collect())
    }

    /// The nodes that lack the newest list of an authority.
    pub fn without_list(&self, authority: &str) -> Vec<String> {
        let said = self.safe(&["nodes", "-o", "json"]).expect_code(3, "nodes");
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let lacks = |node: &&Value| {
            let lists = node["lists"].as_array().unwrap();
            lists.iter().any(|list| list["caName"] == authority && list["state"] != "same")
        };
        let nodes = report["nodes"].as_array().unwrap().iter().filter(lacks);
        nodes.map(|node| node["node"].as_str().unwrap().to_owned()).collect()
    }

    /// What is on every node is whole, and is this node's.
    pub fn verify(&self, nodes: &[&str]) {
        self.safe(&["verify"]).expect_ok("cluster");
        for node in nodes {
            self.on(node, &["verify"]).expect_ok(node);
            self.on(node, &["export", "--verify"]).expect_ok(node);
            self.writes_on(node, &["renew", "all", "--due", "--dry-run"]).expect_ok(node);
        }
    }
}

fn program_path(name: &str) -> PathBuf {
    PathBuf::from(program(name).get_program())
}

pub fn serial(certificate: &Path) -> String {
    let said = say("openssl", ["x509", "-noout", "-serial", "-in", certificate.to_str().unwrap()]);
    said.trim().strip_prefix("serial=").unwrap().to_owned()
}

/// An etcd of three members, each with the files of its node, and a client of it.
pub struct Etcd {
    urls: Vec<String>,
    servers: Vec<Server>,
    own: PathBuf,
}

impl Etcd {
    pub fn start(site: &Site) -> Self {
        let url = |(_, address): &(&str, &str)| format!("https://{address}:{}", free_port(address));
        let (urls, peers): (Vec<_>, Vec<_>) = MEMBERS.iter().map(|member| (url(member), url(member))).unzip();
        let all: Vec<_> = MEMBERS.iter().zip(&peers).map(|((node, _), peer)| format!("{node}={peer}")).collect();
        let start = |(((node, _), client), peer): (((&str, &str), &String), &String)| {
            let mut etcd = program("etcd");
            etcd.env_clear().args(["--name", node, "--initial-cluster", &all.join(","), "--data-dir"]);
            etcd.arg(site.path("data").join(node)).args(["--logger", "zap", "--log-level", "warn"]);
            etcd.args(["--listen-client-urls", client, "--advertise-client-urls", client]);
            etcd.args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]);
            etcd.args(["--client-cert-auth", "--peer-client-cert-auth"]);
            for (flag, name) in [
                ("--cert-file", "server.crt"),
                ("--key-file", "server.key"),
                ("--trusted-ca-file", "ca.crt"),
                ("--client-crl-file", "ca.crl"),
                ("--peer-cert-file", "peer.crt"),
                ("--peer-key-file", "peer.key"),
                ("--peer-trusted-ca-file", "ca.crt"),
            ] {
                etcd.arg(flag).arg(site.node(node).join("pki/etcd").join(name));
            }
            Server::start(&mut etcd, site.path(format!("etcd-{node}.log")))
        };
        let servers = MEMBERS.into_iter().zip(&urls).zip(&peers).map(start).collect();
        // A pair that is not replaced under the client while it reads.
        let own = site.path("client/health");
        for end in ["crt", "key"] {
            let from = site.node("cp1").join("pki/etcd/healthcheck-client").with_extension(end);
            write(own.with_extension(end), fs::read(from).unwrap());
        }
        fs::copy(site.node("cp1").join("pki/etcd/ca.crt"), own.with_file_name("ca.crt")).unwrap();
        let mut etcd = Self { urls, servers, own };
        let up = within(Duration::from_secs(60), || etcd.put("cp1", &etcd.own).ok());
        assert!(up && !etcd.ended(), "{}", etcd.log());
        etcd
    }

    /// A new connection to a member, with this client's pair, that writes.
    pub fn put(&self, member: &str, client: &Path) -> Ran {
        self.put_within("15s", member, client)
    }

    pub fn refuses(&self, member: &str, client: &Path) -> bool {
        let refused = self.put_within("4s", member, client);
        !refused.ok() && refused.err.contains("context deadline exceeded")
    }

    pub fn put_within(&self, time: &str, member: &str, client: &Path) -> Ran {
        let url = self.urls.iter().zip(MEMBERS).find(|(_, (node, _))| *node == member).unwrap().0;
        let mut etcdctl = program("etcdctl");
        etcdctl.env_clear().env("ETCDCTL_API", "3").args(["--dial-timeout", time, "--command-timeout", time]);
        etcdctl.args(["--endpoints", url, "--cacert"]).arg(self.own.with_file_name("ca.crt"));
        etcdctl.arg("--cert").arg(client.with_extension("crt")).arg("--key").arg(client.with_extension("key"));
        run(etcdctl.args(["put", "key", "value"]))
    }

    /// What a member shows to somebody who connects now.
    pub fn shown(&self, member: usize) -> String {
        let at = self.urls[member].strip_prefix("https://").unwrap();
        let file = self.own.with_file_name("shown.pem");
        let said = run(program("openssl").args(["s_client", "-connect", at, "-showcerts"])).out;
        let (_, rest) = said.split_once("-----BEGIN").unwrap_or_else(|| panic!("{said}"));
        let (pem, _) = rest.split_once("-----END CERTIFICATE-----").unwrap();
        serial(&write(file, format!("-----BEGIN{pem}-----END CERTIFICATE-----\n")))
    }

    /// New connections to every member, all the time while this is done: none fails.
    pub fn serves(&self, done: impl FnOnce()) {
        let (ended, puts) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let clients: Vec<_> = MEMBERS
                .iter()
                .map(|(member, _)| {
                    let (ended, puts) = (&ended, &puts);
                    scope.spawn(move || {
                        while !ended.load(Ordering::SeqCst) {
                            puts.fetch_add(1, Ordering::SeqCst);
                            self.put(member, &self.own).expect_ok(member);
                        }
                    })
                })
                .collect();
            // Not without an end for the clients.
            let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(done));
            ended.store(true, Ordering::SeqCst);
            clients.into_iter().for_each(|client| client.join().unwrap());
            said.unwrap();
        });
        let puts = puts.into_inner();
        assert!(puts > 10, "{puts}");
        eprintln!("{puts} connections while files were replaced");
    }

    pub fn ended(&mut self) -> bool {
        self.servers.iter_mut().any(Server::ended)
    }

    pub fn log(&self) -> String {
        self.servers.iter().map(Server::log).collect()
    }
}
