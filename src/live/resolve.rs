//! Names to addresses in bounded time. getaddrinfo cannot be interrupted: it runs in a thread that is left to itself when the
//! time is over.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;

use super::deadline::Deadline;
use super::failure::Failure;
use super::peer::{Host, Peer, permitted};

/// Of a name with more, the first are tried.
const MOST: usize = 8;

/// Where a peer is, without the addresses that are never asked.
pub fn addresses(peer: &Peer, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
    let found = match &peer.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolved(name, deadline)?,
    };
    usable(found, peer.port)
}

fn resolved(name: &str, deadline: Deadline) -> Result<Vec<IpAddr>, Failure> {
    let (answer, answered) = mpsc::channel();
    let name = name.to_owned();
    let ask = move || {
        let found = (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|at| at.ip()).collect::<Vec<_>>());
        // Nobody waits for it any more.
        let _ = answer.send(found.map_err(|_| Failure::Unresolved));
    };
    thread::Builder::new().spawn(ask).map_err(|_| Failure::NoThread)?;
    answered.recv_timeout(deadline.remaining()?).map_err(|_| Failure::TooSlow)?
}

fn usable(found: Vec<IpAddr>, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let mut usable: Vec<SocketAddr> = Vec::new();
    let mut refused = None;
    for address in found {
        let at = SocketAddr::new(address.to_canonical(), port);
        match permitted(address) {
            Ok(()) if !usable.contains(&at) => usable.push(at),
            Ok(()) => {}
            Err(why) => refused = Some(why),
        }
    }
    usable.truncate(MOST);
    if usable.is_empty() { Err(refused.unwrap_or(Failure::Unresolved)) } else { Ok(usable) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_lead_to_what_is_never_asked() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let at = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let link_local = || Failure::LinkLocal("169.254.169.254".parse().unwrap());
        for (found, wanted) in [
            (
                addresses(&["10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "fd00::1"]),
                Ok(at(&["10.0.0.1:1", "[fd00::1]:1"])),
            ),
            (addresses(&["169.254.169.254", "10.0.0.1"]), Ok(at(&["10.0.0.1:1"]))),
            (addresses(&["169.254.169.254"]), Err(link_local())),
            (addresses(&[]), Err(Failure::Unresolved)),
        ] {
            assert_eq!(usable(found.clone(), 1), wanted, "{found:?}");
        }
    }
}
