//! Servers on this machine, right and wrong ones, each in a thread that ends with the tests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

/// A server at a port of this address that nobody else has; `None`: the machine has no such address.
pub fn serve(address: &str, answer: impl Fn(TcpStream) + Send + 'static) -> Option<SocketAddr> {
    let listener = TcpListener::bind((address, 0)).ok()?;
    let local = listener.local_addr().unwrap();
    at(listener, answer);
    Some(local)
}

/// A server at a port that was opened before.
pub fn at(listener: TcpListener, answer: impl Fn(TcpStream) + Send + 'static) {
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(answer));
}

pub fn on_loopback(answer: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    serve("127.0.0.1", answer).unwrap()
}

/// Nobody listens there.
pub fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub fn certificates(path: &Path) -> Vec<CertificateDer<'static>> {
    let text = std::fs::read(path).unwrap();
    pem::parse_many(text).unwrap().into_iter().map(|block| block.into_contents().into()).collect()
}

pub fn key(path: &Path) -> PrivateKeyDer<'static> {
    let block = pem::parse(std::fs::read(path).unwrap()).unwrap();
    match block.tag() {
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(block.into_contents().into()),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(block.into_contents().into()),
        other => panic!("{other}"),
    }
}

/// A TLS server as Kubernetes' are.
pub struct Tls {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    /// It requires a client certificate of one of these.
    pub clients: Vec<CertificateDer<'static>>,
    pub versions: &'static [&'static SupportedProtocolVersion],
}

impl Tls {
    /// What lies at `STEM.crt` and `STEM.key`, as it is now: later changes are not read.
    pub fn of(stem: &Path) -> Self {
        Self {
            chain: certificates(&stem.with_extension("crt")),
            key: key(&stem.with_extension("key")),
            clients: Vec::new(),
            versions: rustls::ALL_VERSIONS,
        }
    }

    pub fn requires(self, clients: &Path) -> Self {
        Self { clients: certificates(clients), ..self }
    }

    pub fn answer(self) -> impl Fn(TcpStream) + Send + 'static {
        let config = Arc::new(self.config());
        move |mut stream| {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // Whoever hangs up is no failure of the server.
            let _ = connection.complete_io(&mut stream);
        }
    }

    fn config(self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let signer = provider.key_provider.load_private_key(self.key).unwrap();
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(self.versions).unwrap();
        let builder = if self.clients.is_empty() {
            builder.with_no_client_auth()
        } else {
            let mut roots = RootCertStore::empty();
            self.clients.into_iter().for_each(|one| roots.add(one).unwrap());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        };
        // Without a look at whether the key is the certificate's.
        builder.with_cert_resolver(Arc::new(Always(Arc::new(CertifiedKey::new(self.chain, signer)))))
    }
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Takes the connection and says nothing until the other side hangs up.
pub fn silent(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Speaks, but no TLS.
pub fn garbage(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
}

/// Never says more than a byte at a time, and never comes to the end of its first message.
pub fn dripping(mut stream: TcpStream) {
    let mut record = RECORD.iter().copied().chain(std::iter::repeat(0));
    while stream.write_all(&[record.next().unwrap()]).is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Goes on for as long as somebody reads: one message that never ends, in records of the largest size.
pub fn endless(mut stream: TcpStream) {
    let header = [0x16, 3, 3, 0x40, 0];
    let mut record: Vec<u8> = header.iter().copied().chain(vec![0; 0x4000]).collect();
    record[5..9].copy_from_slice(&RECORD[5..9]);
    while stream.write_all(&record).is_ok() {
        record[5..9].copy_from_slice(&[0; 4]);
    }
}

/// A handshake record, and in it a server's hello of 65,535 bytes.
const RECORD: [u8; 9] = [0x16, 3, 3, 0x40, 0, 2, 0, 0xff, 0xff];
