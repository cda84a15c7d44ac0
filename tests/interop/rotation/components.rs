//! Stand-ins for what is in no package: each reads its files when the real one of 1.36 does (the table of `catalog/readers.rs`),
//! again for each connection or once at its start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustls::RootCertStore;
use serde_json::json;

use super::token;
use super::wire::{
    Answer, Credential, Failure, Pair, Request, Service, Watched, ask, certificates, pair, pair_of, read, roots,
};

/// What programs read on a node.
#[derive(Debug, Clone)]
pub struct Files {
    /// `/etc/kubernetes`
    pub dir: PathBuf,
    /// `/var/lib/kubelet/pki`
    pub kubelet: PathBuf,
}

impl Files {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        read(&self.path(name))
    }
}

/// The config map extension-apiserver-authentication: every API server adds its authority of request headers to it, none takes
/// one away (section 8 of the specification of rotations; the controller clusterauthenticationtrust).
#[derive(Debug, Default)]
pub struct RequestHeader(Mutex<Map>);

#[derive(Debug, Default)]
struct Map {
    certificates: Vec<Vec<u8>>,
    /// Extension API servers go on with what they read last until it is there again.
    deleted: bool,
}

impl RequestHeader {
    fn add(&self, bundle: &[u8]) {
        let mut map = self.0.lock().unwrap();
        if std::mem::take(&mut map.deleted) {
            map.certificates.clear();
        }
        for one in certificates(bundle) {
            if !map.certificates.contains(&one.to_vec()) {
                map.certificates.push(one.to_vec());
            }
        }
    }

    /// As a real API server has written it.
    pub fn set(&self, bundle: &[u8]) {
        self.0.lock().unwrap().certificates = certificates(bundle).into_iter().map(|one| one.to_vec()).collect();
    }

    /// How many certificates it has.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().certificates.len()
    }

    /// `kubectl delete configmap`: the API servers write it again.
    pub fn delete(&self) {
        self.0.lock().unwrap().deleted = true;
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        self.0.lock().unwrap().certificates.iter().for_each(|one| roots.add(one.clone().into()).unwrap());
        roots
    }
}

/// An extension API server, whose own pair is of nobody's authority: the APIService names it.
pub struct Extension {
    own: Pair,
    certificate: Vec<u8>,
    clients: Arc<RequestHeader>,
}

impl Extension {
    pub fn new(address: &str, clients: Arc<RequestHeader>) -> Self {
        let made =
            rcgen::generate_simple_self_signed([address.to_owned(), "extension.default.svc".to_owned()]).unwrap();
        let pem = |label: &str, der: &[u8]| ::pem::encode(&::pem::Pem::new(label, der)).into_bytes();
        let certificate = pem("CERTIFICATE", made.cert.der());
        let own = pair_of(&certificate, &pem("PRIVATE KEY", &made.signing_key.serialize_der())).unwrap();
        Self { own, certificate, clients }
    }

    /// `caBundle` of its APIService.
    pub fn ca_bundle(&self) -> Vec<u8> {
        self.certificate.clone()
    }
}

impl Service for Extension {
    fn serving(&self) -> Pair {
        Arc::clone(&self.own)
    }

    fn clients(&self) -> RootCertStore {
        self.clients.roots()
    }

    fn answer(&self, request: &Request, known: bool) -> Answer {
        if known && request.headers.contains("x-remote-user: ") { said(200, "things") } else { said(401, "who is it?") }
    }
}

/// A kubelet, which reads its pair and clientCAFile for each connection.
pub struct Kubelet {
    files: Files,
    own: Watched,
}

impl Kubelet {
    pub fn new(files: Files) -> Self {
        let own = Watched::new(files.kubelet.join("kubelet"));
        Self { files, own }
    }
}

impl Service for Kubelet {
    fn serving(&self) -> Pair {
        self.own.now()
    }

    fn clients(&self) -> RootCertStore {
        roots(&self.files.read("pki/ca.crt"))
    }

    fn answer(&self, _request: &Request, known: bool) -> Answer {
        if known { said(200, "a line of a log") } else { said(401, "who is it?") }
    }
}

/// Whom an API server reaches.
#[derive(Clone)]
pub struct Behind {
    /// The member on its own node.
    pub etcd: SocketAddr,
    /// By the name of the node.
    pub kubelets: BTreeMap<String, SocketAddr>,
    pub extension: SocketAddr,
    pub ca_bundle: Vec<u8>,
    pub request_header: Arc<RequestHeader>,
}

/// kube-apiserver, with `--kubelet-certificate-authority`.
pub struct ApiServer {
    files: Files,
    behind: Behind,
    serving: Watched,
    kubelet_client: Watched,
    proxy_client: Watched,
    /// What it holds from its start on.
    etcd_ca: Vec<u8>,
    publics: Vec<Vec<u8>>,
    sa_key: Vec<u8>,
}

impl ApiServer {
    pub fn new(files: Files, behind: Behind) -> Self {
        let watched = |name: &str| Watched::new(files.path(name));
        let one = Self {
            serving: watched("pki/apiserver"),
            kubelet_client: watched("pki/apiserver-kubelet-client"),
            proxy_client: watched("pki/front-proxy-client"),
            etcd_ca: files.read("pki/etcd/ca.crt"),
            publics: token::publics(&files.read("pki/sa.pub")),
            sa_key: files.read("pki/sa.key"),
            files,
            behind,
        };
        one.publish();
        one
    }

    fn publish(&self) {
        self.behind.request_header.add(&self.files.read("pki/front-proxy-ca.crt"));
    }

    /// A read with a new connection, by the authorities of its start and the pair as it is now.
    fn etcd(&self) -> Answer {
        let client = pair(&self.files.path("pki/apiserver-etcd-client"));
        passed_on(self.behind.etcd, roots(&self.etcd_ca), client, "GET /health", "")
    }

    fn logs(&self, node: &str) -> Answer {
        let trusted = roots(&self.files.read("pki/ca.crt"));
        let words = format!("GET /containerLogs/default/{node}/c");
        passed_on(self.behind.kubelets[node], trusted, self.kubelet_client.now(), &words, "")
    }

    fn aggregated(&self) -> Answer {
        let trusted = roots(&self.behind.ca_bundle);
        let header = "X-Remote-User: kubernetes-admin\r\n";
        passed_on(self.behind.extension, trusted, self.proxy_client.now(), "GET /apis/example.com/v1/things", header)
    }
}

impl Service for ApiServer {
    fn serving(&self) -> Pair {
        self.serving.now()
    }

    fn clients(&self) -> RootCertStore {
        roots(&self.files.read("pki/ca.crt"))
    }

    fn answer(&self, request: &Request, known: bool) -> Answer {
        self.publish();
        let token = request.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer "));
        let known = known || token.is_some_and(|token| token::takes(token, &self.publics));
        let path = request.words.split(' ').nth(1).unwrap_or_default();
        let log = path.strip_prefix("/api/v1/namespaces/default/pods/").and_then(|rest| rest.strip_suffix("/log"));
        match (path, log) {
            ("/readyz", _) => self.etcd(),
            _ if !known => said(401, "Unauthorized"),
            (_, Some(node)) => self.logs(node),
            _ if path.starts_with("/apis/example.com/") => self.aggregated(),
            _ if path.ends_with("/serviceaccounts/default/token") => {
                let token = token::sign(&self.sa_key, &self.publics);
                said(201, &json!({ "status": { "token": token } }).to_string())
            }
            _ => self.etcd(),
        }
    }
}

fn said(status: u16, body: &str) -> Answer {
    Answer { status, body: body.to_owned() }
}

/// What somebody behind it answers; who cannot be reached is no failure of TLS.
fn passed_on(at: SocketAddr, roots: RootCertStore, client: Pair, words: &str, more: &str) -> Answer {
    let credential = Credential { roots, pair: Some(client), token: None };
    match ask(at, &credential, words, more, "") {
        Ok(answer) => answer,
        Err(Failure::Tls(why)) => said(500, &format!("tls: {at}: {why}")),
        Err(Failure::Connection(why)) => said(503, &format!("{at}: {why}")),
    }
}
