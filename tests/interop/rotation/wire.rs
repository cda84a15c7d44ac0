//! One request on a connection of its own, over TLS with files as programs hold them; and a server that looks at its files again
//! for each connection. As in Go's servers of Kubernetes, a client's certificate is asked for and not demanded: who cannot be
//! identified by it gets 401.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme, Stream,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::support::within;

/// So long nobody waits who is answered at all.
const TIME: Duration = Duration::from_secs(10);

pub type Pair = Arc<CertifiedKey>;

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: std::sync::OnceLock<Arc<CryptoProvider>> = std::sync::OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

pub fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Certificates in the order of a PEM text.
pub fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect()
}

pub fn pair_of(chain: &[u8], key: &[u8]) -> Result<Pair, Error> {
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    CertifiedKey::from_der(certificates(chain), key, &provider()).map(Arc::new)
}

/// `STEM.crt` and `STEM.key`. They may be read between the two renames that replace them: who finds that they do not match
/// reads again.
pub fn pair(stem: &Path) -> Pair {
    let once = || pair_of(&read(&stem.with_extension("crt")), &read(&stem.with_extension("key")));
    for _ in 0..200 {
        if let Ok(pair) = once() {
            return pair;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    once().unwrap_or_else(|why| panic!("{}: {why}", stem.display()))
}

pub fn roots(bundle: &[u8]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    certificates(bundle).into_iter().for_each(|one| roots.add(one).unwrap());
    roots
}

/// What a client holds: whom it trusts, and what it shows.
#[derive(Clone)]
pub struct Credential {
    pub roots: RootCertStore,
    pub pair: Option<Pair>,
    pub token: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Why there was no answer.
#[derive(Debug, Clone)]
pub enum Failure {
    /// One side refused the other, or what it said.
    Tls(String),
    /// Nobody listens, or somebody hung up.
    Connection(String),
}

/// A client that shows its certificate to who names its issuer, or names nobody, as Go's does.
#[derive(Debug)]
struct Shown(Option<Pair>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Pair> {
        let pair = self.0.as_ref()?;
        let (_, leaf) = X509Certificate::from_der(&pair.cert[0]).unwrap();
        let wanted = hints.is_empty() || hints.iter().any(|hint| *hint == leaf.tbs_certificate.issuer.as_raw());
        wanted.then(|| Arc::clone(pair))
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// A request with a new connection. `words`: `GET /path`; the server's certificate has to be for the address.
///
/// etcd reads its pair for each handshake, and says `internal_error` of one that falls between the two renames that replace it:
/// that is asked again, as every client of it does. It is no word about a certificate.
pub fn ask(at: SocketAddr, credential: &Credential, words: &str, more: &str, body: &str) -> Result<Answer, Failure> {
    match once(at, credential, words, more, body) {
        Err(Failure::Tls(why)) if why.contains("InternalError") => once(at, credential, words, more, body),
        said => said,
    }
}

fn once(at: SocketAddr, credential: &Credential, words: &str, more: &str, body: &str) -> Result<Answer, Failure> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(credential.roots.clone())
        .with_client_cert_resolver(Arc::new(Shown(credential.pair.clone())));
    config.resumption = Resumption::disabled();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::from(at.ip())).unwrap();
    let mut socket = TcpStream::connect_timeout(&at, TIME).map_err(|why| failure(&why))?;
    limit(&socket);
    let mut request = format!("{words} HTTP/1.0\r\nHost: {at}\r\nAccept: application/json\r\n{more}");
    if let Some(token) = &credential.token {
        request.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    let mut stream = Stream::new(&mut connection, &mut socket);
    // What the other side says of this client's certificate comes after the client is content.
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.flush());
    let mut text = Vec::new();
    let got = stream.read_to_end(&mut text);
    let answer = String::from_utf8_lossy(&text).into_owned();
    if let Some(status) = answer.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok()) {
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
        return Ok(Answer { status, body });
    }
    match (got, sent) {
        (Err(why), _) | (Ok(_), Err(why)) => Err(failure(&why)),
        (Ok(_), Ok(())) => Err(Failure::Connection(format!("no answer: {answer:?}"))),
    }
}

fn limit(socket: &TcpStream) {
    socket.set_read_timeout(Some(TIME)).unwrap();
    socket.set_write_timeout(Some(TIME)).unwrap();
    let _ = socket.set_nodelay(true);
}

fn failure(why: &io::Error) -> Failure {
    match why.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(tls) => Failure::Tls(tls.to_string()),
        None => Failure::Connection(why.to_string()),
    }
}

#[derive(Debug)]
pub struct Request {
    /// `GET /path`
    pub words: String,
    /// In lower case, each with its end.
    pub headers: String,
    pub authorization: Option<String>,
}

/// What a server does. Everything is asked again for each connection.
pub trait Service: Send + Sync + 'static {
    fn serving(&self) -> Pair;

    /// The authorities of client certificates.
    fn clients(&self) -> RootCertStore;

    /// `known`: the client has shown a certificate of one of them.
    fn answer(&self, request: &Request, known: bool) -> Answer;
}

/// A server until it is dropped.
pub struct Listening {
    stop: Arc<AtomicBool>,
    at: SocketAddr,
    thread: Option<JoinHandle<()>>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Listening {
    pub fn start(at: SocketAddr, service: Arc<dyn Service>) -> Self {
        // A child of this process that has not called exec yet may still hold the socket of the server before.
        let mut bound = TcpListener::bind(at);
        within(Duration::from_secs(20), || {
            if bound.is_err() {
                bound = TcpListener::bind(at);
            }
            bound.is_ok()
        });
        let listener = bound.unwrap_or_else(|why| panic!("{at}: {why}"));
        let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopped, said) = (Arc::clone(&stop), Arc::clone(&refused));
        let accept = move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (service, said) = (Arc::clone(&service), Arc::clone(&said));
                std::thread::spawn(move || {
                    if let Err(why) = serve(socket, service.as_ref()) {
                        said.lock().unwrap().push(why);
                    }
                });
            }
        };
        Self { stop, at, thread: Some(std::thread::spawn(accept)), refused }
    }

    /// What this side refused in handshakes so far.
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap().clone()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.at);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// It asks for a certificate and takes any: what is known of it is said afterwards.
#[derive(Debug)]
struct Any(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Any {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _behind: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Only what TLS has to say is an error: a connection without a word is somebody's look at the port.
fn serve(mut socket: TcpStream, service: &dyn Service) -> Result<(), String> {
    limit(&socket);
    let judge = WebPkiClientVerifier::builder_with_provider(Arc::new(service.clients()), provider()).build().unwrap();
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(Any(Arc::clone(&judge))))
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(service.serving())));
    config.send_tls13_tickets = 0;
    let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
    let done = answer(&mut connection, &mut socket, service, judge.as_ref());
    // Without an end of what the client says, the answer could be lost with the connection.
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = io::copy(&mut socket, &mut io::sink());
    match done.map_err(|why| failure(&why)) {
        Err(Failure::Tls(why)) => Err(why),
        _ => Ok(()),
    }
}

fn answer(
    connection: &mut ServerConnection,
    socket: &mut TcpStream,
    service: &dyn Service,
    judge: &dyn ClientCertVerifier,
) -> io::Result<()> {
    while connection.is_handshaking() {
        connection.complete_io(socket)?;
    }
    let mut stream = Stream::new(connection, socket);
    let Some(request) = request(&mut stream)? else { return Ok(()) };
    let shown = stream.conn.peer_certificates().unwrap_or_default();
    let known = shown
        .split_first()
        .is_some_and(|(leaf, behind)| judge.verify_client_cert(leaf, behind, UnixTime::now()).is_ok());
    let Answer { status, body } = service.answer(&request, known);
    write!(stream, "HTTP/1.0 {status} said\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn request(stream: &mut impl io::Read) -> io::Result<Option<Request>> {
    let (mut text, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let head = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = head.split_once("\r\n\r\n") {
            let field = |name: &str| {
                let has = |line: &&str| line.to_ascii_lowercase().starts_with(name);
                head.lines().find(has).map(|line| line.split_at(name.len()).1.trim().to_owned())
            };
            if body.len() >= field("content-length:").map_or(0, |length| length.parse().unwrap()) {
                let words = head.split(" HTTP/").next().unwrap().to_owned();
                let headers = head.to_ascii_lowercase();
                return Ok(Some(Request { words, headers, authorization: field("authorization:") }));
            }
        }
        match stream.read(&mut some)? {
            0 => return Ok(None),
            size => text.extend_from_slice(&some[..size]),
        }
    }
}

/// A pair that is looked at again; while its files do not match, the one before stays, as in kube-apiserver.
pub struct Watched {
    stem: PathBuf,
    last: Mutex<Pair>,
}

impl Watched {
    pub fn new(stem: PathBuf) -> Self {
        let last = Mutex::new(pair(&stem));
        Self { stem, last }
    }

    pub fn now(&self) -> Pair {
        let mut last = self.last.lock().unwrap();
        let files = fs::read(self.stem.with_extension("crt")).and_then(|chain| {
            let key = fs::read(self.stem.with_extension("key"))?;
            Ok((chain, key))
        });
        if let Some(pair) = files.ok().and_then(|(chain, key)| pair_of(&chain, &key).ok()) {
            *last = pair;
        }
        Arc::clone(&last)
    }
}
