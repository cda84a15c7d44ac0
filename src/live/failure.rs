//! Why it is not known what a peer serves, in words of our own: a peer's bytes and a library's text are no part of them.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

/// Why it is not known what a peer serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Where a cloud's instance answers with credentials, and no component of a cluster does.
    #[error("{0} is link-local: nothing is asked there")]
    LinkLocal(IpAddr),
    #[error("{0} is no address that one component answers at")]
    NotOne(IpAddr),
    #[error("the name cannot be resolved")]
    Unresolved,
    #[error("nothing listens there (connection refused)")]
    Refused,
    #[error("there is no way to the host")]
    NoRoute,
    #[error("no answer in time")]
    TooSlow,
    #[error("expected a certificate, found the end of the connection")]
    Closed,
    #[error("expected TLS, found something else")]
    NotTls,
    /// No version or cipher in common with TLS 1.3 and 1.2.
    #[error("expected TLS 1.3 or 1.2 with a cipher of today, found neither")]
    Incompatible,
    #[error("expected a certificate, found the TLS alert {0}")]
    Alert(u8),
    #[error("expected a certificate within {0} bytes, found more")]
    TooMuch(usize),
    /// It shows a certificate and did not sign the handshake with its key.
    #[error("it shows a certificate, and does not prove that it has the key")]
    NotProven,
    #[error("the connection failed ({0})")]
    Connection(ErrorKind),
    #[error("a thread cannot be started")]
    NoThread,
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Self {
        match why.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => Self::NoRoute,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TooSlow,
            ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => Self::Closed,
            other => Self::Connection(other),
        }
    }
}

impl From<rustls::Error> for Failure {
    fn from(why: rustls::Error) -> Self {
        match why {
            rustls::Error::AlertReceived(alert) => Self::Alert(u8::from(alert)),
            rustls::Error::PeerIncompatible(_) => Self::Incompatible,
            rustls::Error::InvalidCertificate(_) => Self::NotProven,
            _ => Self::NotTls,
        }
    }
}
