//! A TLS client that has no credential, trusts nobody and accepts everybody: it keeps the chain that is served. Only the
//! handshake's signature is verified, so that a peer that shows a certificate has its key.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme, sign::CertifiedKey,
};

use super::deadline::Deadline;
use super::failure::Failure;
use super::peer::Host;
use crate::x509::Certificate;

/// What was negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Tls12,
    Tls13,
}

impl Version {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        }
    }
}

/// What a handshake showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// DER, the leaf first.
    pub chain: Vec<Vec<u8>>,
    /// DER of each name in its CertificateRequest; `None`: it asks for no client certificate.
    pub client_authorities: Option<Vec<Vec<u8>>>,
    pub version: Option<Version>,
    is_proven: bool,
}

/// A handshake over a connection, which ends with it. At most `bytes` are read.
pub fn hello(mut stream: TcpStream, host: &Host, bytes: usize, deadline: Deadline) -> Result<Shown, Failure> {
    let recorder = Arc::new(Recorder::default());
    let mut connection = ClientConnection::new(Arc::new(config(&recorder)?), name(host)?)?;
    let ended = shake(&mut connection, &mut stream, bytes, deadline);
    connection.send_close_notify();
    // The alert of a failure, or the end; the peer may have gone.
    let _ = connection.write_tls(&mut stream);
    let mut shown = recorder.shown();
    shown.version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => Some(Version::Tls13),
        Some(ProtocolVersion::TLSv1_2) => Some(Version::Tls12),
        _ => None,
    };
    // One that wants a client certificate may end the handshake after it has shown its own.
    match ended {
        _ if shown.is_proven => Ok(shown),
        Err(Failure::Closed) if !shown.chain.is_empty() => Err(Failure::NotProven),
        Err(why) => Err(why),
        Ok(()) => Err(Failure::NotProven),
    }
}

fn shake(
    connection: &mut ClientConnection,
    stream: &mut TcpStream,
    bytes: usize,
    deadline: Deadline,
) -> Result<(), Failure> {
    let mut left = bytes;
    loop {
        while connection.wants_write() {
            stream.set_write_timeout(Some(deadline.remaining()?))?;
            connection.write_tls(stream)?;
        }
        if !connection.is_handshaking() {
            return Ok(());
        }
        if left == 0 {
            return Err(Failure::TooMuch(bytes));
        }
        stream.set_read_timeout(Some(deadline.remaining()?))?;
        let read = connection.read_tls(&mut stream.take(u64::try_from(left).unwrap_or(u64::MAX))).map_err(|why| {
            // The library has a bound of its own, for what is not a whole message yet.
            if why.kind() == ErrorKind::InvalidData { Failure::TooMuch(bytes) } else { why.into() }
        })?;
        if read == 0 {
            return Err(Failure::Closed);
        }
        left = left.saturating_sub(read);
        connection.process_new_packets()?;
    }
}

fn name(host: &Host) -> Result<ServerName<'static>, Failure> {
    match host {
        Host::Address(address) => Ok(ServerName::IpAddress((*address).into())),
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| Failure::Unresolved),
    }
}

fn config(recorder: &Arc<Recorder>) -> Result<ClientConfig, Failure> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&recorder.provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Recorder>::clone(recorder))
        .with_client_cert_resolver(Arc::<Recorder>::clone(recorder));
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    shown: Mutex<Shown>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { provider: Arc::new(aws_lc_rs::default_provider()), shown: Mutex::default() }
    }
}

impl Recorder {
    fn note(&self, what: impl FnOnce(&mut Shown)) {
        what(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn shown(&self) -> Shown {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn proven(&self, signature: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        self.note(|shown| shown.is_proven = signature.is_ok());
        signature
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.note(|shown| shown.chain = [leaf].into_iter().chain(others).map(|der| der.to_vec()).collect());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.proven(verify_tls12_signature(message, leaf, signature, algorithms))
    }

    /// By the key alone where it can be read: the library reads no version 1, and no extension it does not know.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.proven(match Certificate::parse(leaf) {
            Ok(leaf) => {
                let key = SubjectPublicKeyInfoDer::from(leaf.spki_der.as_slice());
                verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
            }
            Err(_) => verify_tls13_signature(message, leaf, signature, algorithms),
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Recorder {
    /// There is none: what is asked for is kept.
    fn resolve(&self, authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let names = authorities.iter().map(|name| name.to_vec()).collect();
        self.note(|shown| shown.client_authorities = Some(names));
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
