//! rustls asks here whether it takes what the other side sent.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme};
use time::OffsetDateTime;

use super::judge::{Reason, Trust, named};
use crate::blueprint::San;
use crate::x509::{Certificate, Usage};

/// One side's judgement of the other.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None`: it takes whatever the other side shows.
    pub trust: Option<Arc<Trust>>,
    /// What a client dialled.
    pub name: Option<San>,
    pub at: OffsetDateTime,
    pub algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn judge(&self, leaf: &CertificateDer<'_>, behind: &[CertificateDer<'_>], usage: Usage) -> Result<(), Error> {
        let Some(trust) = &self.trust else { return Ok(()) };
        let leaf = parse(leaf)?;
        let behind = behind.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        trust.accepts(&leaf, &behind, usage, self.at).map_err(refusal)?;
        self.name.as_ref().map_or(Ok(()), |name| named(&leaf, name).map_err(refusal))
    }

    /// With the key as it stands in the certificate: rustls-webpki does not read certificates of version 1.
    fn prove(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let leaf = parse(leaf)?;
        let key = SubjectPublicKeyInfoDer::from(leaf.spki_der.as_slice());
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
            .map_err(|_| refusal(Reason::Proof))
    }
}

fn parse(der: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::parse(der).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
}

fn refusal(reason: Reason) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
}

/// What an error of rustls means here.
pub(super) fn reason(error: &Error) -> Reason {
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(ours))) => ours
            .downcast_ref::<Reason>()
            .cloned()
            .unwrap_or(Reason::Tls("it is refused for a reason that is not known")),
        Error::InvalidCertificate(CertificateError::BadEncoding) => Reason::Tls("a certificate cannot be read"),
        Error::NoCertificatesPresented => Reason::NoCertificate,
        Error::PeerIncompatible(_) => Reason::Tls("the sides have no kind of signature in common"),
        Error::AlertReceived(_) => Reason::Tls("the other side ended it"),
        _ => Reason::Tls("a message is not as expected"),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(leaf, behind, Usage::Server).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(refusal(Reason::Tls("expected TLS 1.3")))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.prove(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(leaf, behind, Usage::Client).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.prove(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
