//! Everything that runs: an etcd of three members (the real one), an API server on each control-plane node, a kubelet on each node,
//! a controller manager and an extension API server; and how they are restarted, one after another.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::components::{ApiServer, Behind, Extension, Files, Kubelet, RequestHeader};
use super::probe::{Probe, Who};
use super::real;
use super::wire::{Answer, Credential, Failure, Listening, ask, pair, pair_of, roots};
use crate::support::{Server, decode_base64, free_port, program, within};

/// The nodes with their addresses; the last is a worker.
pub const NODES: [(&str, &str); 4] =
    [("cp1", "127.0.0.11"), ("cp2", "127.0.0.12"), ("cp3", "127.0.0.13"), ("w1", "127.0.0.14")];
/// Workers that come later.
pub const LATER: [(&str, &str); 2] = [("w2", "127.0.0.15"), ("w3", "127.0.0.16")];
const MEMBERS: usize = 3;

fn at(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse::<IpAddr>().unwrap(), free_port(address))
}

/// An API server: the real one's refusals are in its log.
enum Api {
    StandIn(Listening),
    Real(Server),
}

impl Api {
    fn refused(&self) -> Vec<String> {
        match self {
            Self::StandIn(server) => server.refused(),
            Self::Real(server) => {
                server.log().lines().filter(|line| line.contains("TLS handshake error")).map(str::to_owned).collect()
            }
        }
    }
}

pub struct ControlPlane {
    files: Vec<Files>,
    place: PathBuf,
    pub etcd: Vec<SocketAddr>,
    peers: Vec<SocketAddr>,
    pub apis: Vec<SocketAddr>,
    members: Vec<Option<Server>>,
    servers: Vec<Option<Api>>,
    behind: Behind,
    /// kube-root-ca.crt, as the controller manager has written it after its start.
    root_ca: Arc<Mutex<Vec<u8>>>,
    others: Vec<Listening>,
    /// What servers that have ended refused.
    refused: Vec<String>,
}

/// A kubeconfig's authorities and client certificate.
pub fn kubeconfig(files: &Files, name: &str) -> Credential {
    let text = String::from_utf8(files.read(name)).unwrap();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.contains(&format!("{name}:"))).unwrap_or_else(|| panic!("no {name}"));
        decode_base64(line.split_once(':').unwrap().1.trim())
    };
    let pair = pair_of(&field("client-certificate-data"), &field("client-key-data")).unwrap();
    Credential { roots: roots(&field("certificate-authority-data")), pair: Some(pair), token: None }
}

/// A client of etcd with the pair that kubeadm makes for probes.
pub fn etcd_client(files: &Files) -> Credential {
    let pair = pair(&files.path("pki/etcd/healthcheck-client"));
    Credential { roots: roots(&files.read("pki/etcd/ca.crt")), pair: Some(pair), token: None }
}

/// How servers meet a credential. Who is turned away is told so: by a word about its certificate, or by 401.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    ByAll,
    ByNone,
    Otherwise(String),
}

impl Taken {
    fn of(servers: &[SocketAddr], credential: &Credential, words: &str) -> Self {
        let said: Vec<_> = servers.iter().map(|at| ask(*at, credential, words, "", "")).collect();
        if said.iter().all(|said| said.as_ref().is_ok_and(|answer| answer.status == 200)) {
            return Self::ByAll;
        }
        let refused = |said: &Result<Answer, Failure>| match said {
            Ok(answer) => answer.status == 401,
            Err(Failure::Tls(_)) => true,
            Err(Failure::Connection(_)) => false,
        };
        if said.iter().all(refused) { Self::ByNone } else { Self::Otherwise(format!("{said:?}")) }
    }
}

/// The handshakes that a member has written of, with clients and with other members. That its pair did not match for the time
/// between two renames is no word about a certificate.
fn refused_by(member: impl std::borrow::Borrow<Server>) -> Vec<String> {
    let log = member.borrow().log();
    let is = |line: &&str| line.contains("tls: ") || line.contains("x509: ");
    let between = "private key does not match public key";
    log.lines().filter(is).filter(|line| !line.contains(between)).map(str::to_owned).collect()
}

impl ControlPlane {
    /// `files`: of the nodes in their order; `place`: for data and logs.
    pub fn start(files: Vec<Files>, place: PathBuf) -> Self {
        let addresses = || NODES.iter().take(MEMBERS).map(|(_, address)| at(address)).collect::<Vec<_>>();
        let request_header = Arc::new(RequestHeader::default());
        let extension = at("127.0.0.1");
        let service = Extension::new("127.0.0.1", Arc::clone(&request_header));
        let ca_bundle = service.ca_bundle();
        let mut others = vec![Listening::start(extension, Arc::new(service))];
        let mut kubelets = BTreeMap::new();
        for (node, address) in NODES.iter().chain(&LATER) {
            kubelets.insert((*node).to_owned(), at(address));
        }
        for ((node, _), files) in NODES.iter().zip(&files) {
            others.push(Listening::start(kubelets[*node], Arc::new(Kubelet::new(files.clone()))));
        }
        let (etcd, apis) = (addresses(), addresses());
        let behind = Behind { etcd: etcd[0], kubelets, extension, ca_bundle, request_header };
        let mut all = Self {
            files,
            place,
            etcd,
            peers: addresses(),
            apis,
            members: Vec::new(),
            servers: Vec::new(),
            behind,
            root_ca: Arc::default(),
            others,
            refused: Vec::new(),
        };
        std::fs::create_dir_all(&all.place).unwrap();
        all.members = (0..MEMBERS).map(|member| Some(all.member(member))).collect();
        all.healthy();
        all.servers = (0..MEMBERS).map(|server| Some(all.server(server))).collect();
        (0..MEMBERS).for_each(|server| all.ready(server));
        if real::program().is_some() {
            real::objects(all.apis[0], &all.files[0], &all.behind);
        }
        all.restart_controller_manager();
        all
    }

    fn member(&self, member: usize) -> Server {
        let url = |at: &SocketAddr| format!("https://{at}");
        let names = NODES.iter().zip(&self.peers).map(|((node, _), peer)| format!("{node}={}", url(peer)));
        let (node, _) = NODES[member];
        let (client, peer) = (url(&self.etcd[member]), url(&self.peers[member]));
        let mut etcd = program("etcd");
        etcd.env_clear().args(["--name", node, "--initial-cluster", &names.collect::<Vec<_>>().join(",")]);
        etcd.arg("--data-dir").arg(self.place.join("data").join(node)).args(["--logger", "zap", "--log-level", "warn"]);
        etcd.args(["--listen-client-urls", &client, "--advertise-client-urls", &client, "--unsafe-no-fsync"]);
        etcd.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        etcd.args(["--client-cert-auth", "--peer-client-cert-auth"]);
        for (flag, name) in [
            ("--cert-file", "server.crt"),
            ("--key-file", "server.key"),
            ("--trusted-ca-file", "ca.crt"),
            ("--peer-cert-file", "peer.crt"),
            ("--peer-key-file", "peer.key"),
            ("--peer-trusted-ca-file", "ca.crt"),
        ] {
            etcd.arg(flag).arg(self.files[member].path("pki/etcd").join(name));
        }
        Server::start(&mut etcd, self.place.join(format!("etcd-{node}.log")))
    }

    fn server(&self, server: usize) -> Api {
        let (files, at) = (&self.files[server], self.apis[server]);
        if let Some(program) = real::program() {
            let log = self.place.join(format!("kube-apiserver-{}.log", NODES[server].0));
            return Api::Real(real::start(program, files, at, &self.etcd, log));
        }
        let behind = Behind { etcd: self.etcd[server], ..self.behind.clone() };
        Api::StandIn(Listening::start(at, Arc::new(ApiServer::new(files.clone(), behind))))
    }

    /// `etcdctl endpoint health` of all members.
    fn healthy(&self) {
        let is = |at: &SocketAddr| {
            ask(*at, &etcd_client(&self.files[0]), "GET /health", "", "").is_ok_and(|said| said.body.contains("true"))
        };
        assert!(within(Duration::from_secs(60), || self.etcd.iter().all(is)), "no etcd: {}", self.logs());
    }

    fn ready(&self, server: usize) {
        let admin = kubeconfig(&self.files[server], "admin.conf");
        let is = || ask(self.apis[server], &admin, "GET /readyz", "", "").is_ok_and(|said| said.status == 200);
        assert!(within(Duration::from_secs(60), is), "no API server on {}", NODES[server].0);
        if real::program().is_some() {
            real::look_at_request_header(self.apis[server], &self.files[server], &self.behind);
        }
    }

    pub fn logs(&self) -> String {
        self.members.iter().flatten().map(Server::log).collect()
    }

    /// One member after another; the next when all are healthy.
    pub fn roll_etcd(&mut self, probe: &Probe) {
        for member in 0..MEMBERS {
            probe.restarting(self.etcd[member], || {
                self.refused.extend(refused_by(self.members[member].take().unwrap()));
                self.members[member] = Some(self.member(member));
                self.healthy();
            });
        }
    }

    /// One API server after another; the next when this one is ready.
    pub fn roll_api_servers(&mut self, probe: &Probe) {
        for server in 0..MEMBERS {
            probe.restarting(self.apis[server], || {
                self.refused.extend(self.servers[server].take().unwrap().refused());
                self.servers[server] = Some(self.server(server));
                self.ready(server);
            });
        }
    }

    /// Its start writes kube-root-ca.crt in every namespace.
    pub fn restart_controller_manager(&self) {
        *self.root_ca.lock().unwrap() = self.files[0].read("pki/ca.crt");
    }

    pub fn root_ca(&self) -> Vec<u8> {
        self.root_ca.lock().unwrap().clone()
    }

    /// How many authorities extension API servers are told to trust.
    pub fn request_header(&self) -> usize {
        self.behind.request_header.len()
    }

    /// It is written again by the API servers, with what they have now.
    pub fn delete_request_header(&self) {
        if real::program().is_none() {
            return self.behind.request_header.delete();
        }
        real::delete_request_header(self.apis[0], &self.files[0]);
        std::thread::sleep(Duration::from_secs(5));
        real::look_at_request_header(self.apis[0], &self.files[0], &self.behind);
    }

    /// `kubectl create token`, at an API server.
    pub fn token(&self, server: usize) -> String {
        let admin = kubeconfig(&self.files[server], "admin.conf");
        let body = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"audiences":null}}"#;
        let path = "POST /api/v1/namespaces/default/serviceaccounts/default/token";
        let said = ask(self.apis[server], &admin, path, "", body).unwrap();
        assert_eq!(said.status, 201, "{said:?}");
        let said: Value = serde_json::from_str(&said.body).unwrap();
        said["status"]["token"].as_str().unwrap().to_owned()
    }

    /// A pod that starts now: the token its kubelet has for it, and the authorities that lie in its volume.
    pub fn pod(&self) -> Credential {
        Credential { roots: roots(&self.root_ca()), pair: None, token: Some(self.token(0)) }
    }

    /// A worker more: its kubelet serves, and is asked from now on.
    pub fn joins(&mut self, node: &'static str, files: Files, probe: &Probe) {
        let own = kubeconfig(&files, "kubelet.conf");
        assert_eq!(self.api_servers_take(&own), Taken::ByAll, "{node}");
        self.others.push(Listening::start(self.behind.kubelets[node], Arc::new(Kubelet::new(files))));
        probe.node(node);
    }

    /// Everybody begins to ask; those who do not change hold what there is now.
    pub fn clients(&self) -> Probe {
        let probe = Probe::start(&self.apis, &self.etcd);
        NODES.iter().for_each(|(node, _)| probe.node(node));
        for who in [Who::Operator, Who::Logs, Who::Aggregated] {
            let files = self.files[0].clone();
            probe.set(who, move || kubeconfig(&files, "admin.conf"));
        }
        let files = self.files[0].clone();
        probe.set(Who::EtcdClient, move || etcd_client(&files));
        self.kubelets_restart(&probe);
        self.pods_restart(&probe);
        let pod = self.pod();
        probe.set(Who::OldToken, move || pod.clone());
        probe
    }

    /// Whether every API server answers who shows this, whether none does.
    pub fn api_servers_take(&self, credential: &Credential) -> Taken {
        Taken::of(&self.apis, credential, "GET /api/v1/namespaces/default")
    }

    /// The same of every member of etcd.
    pub fn members_take(&self, credential: &Credential) -> Taken {
        Taken::of(&self.etcd, credential, "GET /health")
    }

    /// A kubelet, a controller manager and a scheduler hold what is in their kubeconfigs until they are restarted.
    pub fn kubelets_restart(&self, probe: &Probe) {
        let kubelet = kubeconfig(&self.files[MEMBERS], "kubelet.conf");
        probe.set(Who::Kubelet, move || kubelet.clone());
        let [manager, scheduler] =
            ["controller-manager.conf", "scheduler.conf"].map(|name| kubeconfig(&self.files[0], name));
        probe.set(Who::ControllerManager, move || manager.clone());
        probe.set(Who::Scheduler, move || scheduler.clone());
    }

    pub fn pods_restart(&self, probe: &Probe) {
        let pod = self.pod();
        probe.set(Who::Pod, move || pod.clone());
    }

    /// After *prepare*: who goes on with what they have now, and with the token they had.
    pub fn stragglers(&self, probe: &Probe, token: &str) {
        let admin = kubeconfig(&self.files[0], "admin.conf");
        let pod = Credential { roots: roots(&self.root_ca()), pair: None, token: Some(token.to_owned()) };
        let etcd = etcd_client(&self.files[0]);
        probe.set(Who::Straggler, move || admin.clone());
        probe.set(Who::OldToken, move || pod.clone());
        probe.set(Who::StaleEtcdClient, move || etcd.clone());
    }

    /// What servers refused in handshakes, on their side.
    pub fn refused(&self) -> Vec<String> {
        let running =
            self.servers.iter().flatten().map(Api::refused).chain(self.others.iter().map(Listening::refused)).flatten();
        let members = self.members.iter().flatten().flat_map(refused_by);
        self.refused.iter().cloned().chain(running).chain(members).collect()
    }
}
