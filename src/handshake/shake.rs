//! Client and server over two buffers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, ConnectionCommon, Error, ServerConfig, ServerConnection};
use time::OffsetDateTime;

use super::identity::Identity;
use super::judge::{Reason, Trust};
use super::verifier::{Verifier, reason};
use crate::blueprint::San;

/// Flights that a handshake takes at most; TLS 1.3 needs two.
const FLIGHTS: usize = 8;

#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    pub identity: Option<&'a Identity>,
    /// `None`: it does not look at the server's certificate.
    pub servers: Option<&'a Arc<Trust>>,
    /// What it dials. `None`: the server's names are not looked at.
    pub name: Option<&'a San>,
}

#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    pub identity: &'a Identity,
    /// `None`: it asks for no certificate.
    pub clients: Option<&'a Arc<Trust>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "the client",
            Self::Server => "the server",
        })
    }
}

/// Who refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{by} refuses: {why}")]
pub struct Refusal {
    pub by: Side,
    pub why: Reason,
}

/// What all handshakes of one instant share.
#[derive(Debug)]
pub struct Shaker {
    provider: Arc<CryptoProvider>,
    at: OffsetDateTime,
}

/// No time passes during a handshake.
#[derive(Debug)]
struct Instant(UnixTime);

impl TimeProvider for Instant {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

impl Shaker {
    pub fn new(at: OffsetDateTime) -> Self {
        // The secret that both sides agree on protects nothing here: one way to agree is enough.
        let provider = CryptoProvider { kx_groups: vec![aws_lc_rs::kx_group::X25519], ..aws_lc_rs::default_provider() };
        Self { provider: Arc::new(provider), at }
    }

    pub const fn at(&self) -> OffsetDateTime {
        self.at
    }

    /// # Errors
    /// Who refused first, and why.
    pub fn shake(&self, client: Client<'_>, server: Server<'_>) -> Result<(), Refusal> {
        let mut dialling = self.client(client).map_err(|error| refusal(Side::Client, &error))?;
        let mut serving = self.server(server).map_err(|error| refusal(Side::Server, &error))?;
        for _ in 0..FLIGHTS {
            pass(&mut dialling, &mut serving).map_err(|error| refusal(Side::Server, &error))?;
            pass(&mut serving, &mut dialling).map_err(|error| refusal(Side::Client, &error))?;
            // The client is content before the server has seen its certificate.
            if !dialling.wants_write() && !dialling.is_handshaking() && !serving.is_handshaking() {
                return Ok(());
            }
        }
        Err(Refusal { by: Side::Client, why: Reason::Tls("it does not end") })
    }

    fn client(&self, client: Client<'_>) -> Result<ClientConnection, Error> {
        let verifier = Arc::new(self.verifier(client.servers, client.name));
        let builder = ClientConfig::builder_with_details(Arc::clone(&self.provider), self.time())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match client.identity {
            Some(identity) => builder.with_client_cert_resolver(Arc::new(resolver(identity))),
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        // What is sent in the clear decides nothing: the server has one certificate.
        config.enable_sni = false;
        let name = match client.name {
            Some(San::Ip(address)) => ServerName::from(*address),
            _ => ServerName::from(std::net::IpAddr::from([127, 0, 0, 1])),
        };
        ClientConnection::new(Arc::new(config), name)
    }

    fn server(&self, server: Server<'_>) -> Result<ServerConnection, Error> {
        let builder = ServerConfig::builder_with_details(Arc::clone(&self.provider), self.time())
            .with_protocol_versions(&[&TLS13])?;
        let builder = match server.clients {
            Some(trust) => builder.with_client_cert_verifier(Arc::new(self.verifier(Some(trust), None))),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(resolver(server.identity)));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        ServerConnection::new(Arc::new(config))
    }

    fn verifier(&self, trust: Option<&Arc<Trust>>, name: Option<&San>) -> Verifier {
        let algorithms = self.provider.signature_verification_algorithms;
        Verifier { trust: trust.cloned(), name: name.cloned(), at: self.at, algorithms }
    }

    /// rustls knows no time before 1970.
    fn time(&self) -> Arc<Instant> {
        let seconds = u64::try_from(self.at.unix_timestamp()).unwrap_or(0);
        Arc::new(Instant(UnixTime::since_unix_epoch(Duration::from_secs(seconds))))
    }
}

fn resolver(identity: &Identity) -> SingleCertAndKey {
    SingleCertAndKey::from(Arc::clone(&identity.0))
}

fn refusal(by: Side, error: &Error) -> Refusal {
    Refusal { by, why: reason(error) }
}

/// Everything that one side has to say, to the other.
fn pass<F, T>(from: &mut ConnectionCommon<F>, to: &mut ConnectionCommon<T>) -> Result<(), Error> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).map_err(|_| Error::General(String::new()))?;
    }
    let mut sent = wire.as_slice();
    while !sent.is_empty() {
        to.read_tls(&mut sent).map_err(|_| Error::General(String::new()))?;
        to.process_new_packets()?;
    }
    Ok(())
}
