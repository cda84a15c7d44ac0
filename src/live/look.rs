//! One peer, and all of them.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::deadline::Deadline;
use super::failure::Failure;
use super::hello::{Shown, Version, hello};
use super::peer::Peer;
use super::resolve::addresses;
use crate::parallel;

/// What one peer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For everything: its name, the connection, the handshake.
    pub time: Duration,
    /// That are read from it.
    pub bytes: usize,
}

impl Limits {
    /// A handshake with a chain of ten certificates has 12 KiB.
    pub const BYTES: usize = 64 << 10;
}

/// What a peer serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Which of its addresses answered.
    pub at: SocketAddr,
    /// DER, the leaf first; never empty. The peer has the leaf's key.
    pub chain: Vec<Vec<u8>>,
    /// DER of each name that it asks client certificates from; `None`: it asks for none.
    pub client_authorities: Option<Vec<Vec<u8>>>,
    pub version: Option<Version>,
}

/// So many at a time: nearly all of the time is waiting.
const AT_A_TIME: usize = 16;

/// Connects, shakes hands without a credential, and hangs up.
fn look(peer: &Peer, limits: Limits) -> Result<Served, Failure> {
    let deadline = Deadline::after(limits.time);
    let (at, stream) = connect(&addresses(peer, deadline)?, deadline)?;
    let Shown { chain, client_authorities, version, .. } = hello(stream, &peer.host, limits.bytes, deadline)?;
    Ok(Served { at, chain, client_authorities, version })
}

/// The first address that takes the connection.
fn connect(addresses: &[SocketAddr], deadline: Deadline) -> Result<(SocketAddr, TcpStream), Failure> {
    let mut failed = Failure::Unresolved;
    for (tried, at) in addresses.iter().enumerate() {
        match TcpStream::connect_timeout(at, deadline.share(addresses.len().saturating_sub(tried))?) {
            Ok(stream) => return Ok((*at, stream)),
            Err(why) => failed = why.into(),
        }
    }
    Err(failed)
}

/// Every peer, in order. `go_on`: whether there is a reason to look at another one.
pub fn look_at_all(
    peers: &[Peer],
    limits: Limits,
    go_on: impl Fn() -> bool + Sync,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Result<Served, Failure>>, parallel::Died> {
    let one = |index: usize| peers.get(index).filter(|_| go_on()).map(|peer| look(peer, limits));
    parallel::map(peers.len(), AT_A_TIME, one, &mut progress)
}
