//! Whom to connect to: a host and a port, and which addresses are never asked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::failure::Failure;
use crate::blueprint::San;
use crate::profile::{Endpoint, endpoint};

/// Where a component listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    pub host: Host,
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A lower-case DNS name, which is resolved and sent as the server's name.
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// `None`: it names no host (an email address, a wildcard).
    pub fn of_san(san: &San) -> Option<Self> {
        match san {
            San::Dns(name) if !name.starts_with('*') => Some(Self::Name(name.clone())),
            San::Ip(address) => Some(Self::Address(*address)),
            San::Dns(_) | San::Email(_) | San::Uri(_) | San::Other(_) => None,
        }
    }
}

impl Peer {
    pub const fn at(address: IpAddr, port: u16) -> Self {
        Self { host: Host::Address(address), port }
    }

    /// `HOST:PORT`; IPv6 in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let Endpoint { host, port } = endpoint(text).ok()?;
        Some(Self { host: Host::of_san(&host)?, port: port? })
    }

    /// `https://HOST:PORT/...`; without a port 443.
    pub fn of_url(url: &str) -> Option<Self> {
        let authority = url.strip_prefix("https://")?.split(['/', '?', '#']).next()?.to_ascii_lowercase();
        Self::parse(&authority).or_else(|| Self::parse(&format!("{authority}:443")))
    }
}

impl Peer {
    /// Whether it is a host, and not every address of one.
    pub fn is_one(&self) -> bool {
        !matches!(&self.host, Host::Address(address) if address.to_canonical().is_unspecified())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}:{}", self.port),
            Host::Address(address) => write!(f, "{}", SocketAddr::new(*address, self.port)),
        }
    }
}

/// This machine itself.
pub fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Name(name) => name == "localhost",
        Host::Address(address) => address.to_canonical().is_loopback(),
    }
}

/// Whether a component may be asked at this address, however it is written.
pub(super) fn permitted(address: IpAddr) -> Result<(), Failure> {
    let (own, inside) = (address.to_canonical(), inside(address));
    if [Some(own), inside].into_iter().flatten().any(is_link_local) {
        return Err(Failure::LinkLocal(address));
    }
    if own.is_unspecified() || own.is_multicast() || own == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(Failure::NotOne(address));
    }
    Ok(())
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// The IPv4 address that a translator or an old stack takes out of an IPv6 one: `::a.b.c.d`, and `64:ff9b::a.b.c.d` (RFC 6052).
fn inside(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else { return None };
    let bits = address.to_bits();
    let embeds = [Ipv6Addr::UNSPECIFIED, Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0)]
        .into_iter()
        .any(|prefix| bits >> 32 == prefix.to_bits() >> 32);
    let last = u32::try_from(bits & u128::from(u32::MAX)).ok()?;
    embeds.then(|| IpAddr::V4(Ipv4Addr::from_bits(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_and_written() {
        for (text, written) in [
            ("10.0.0.11:6443", Some("10.0.0.11:6443")),
            ("[2001:db8::1]:6443", Some("[2001:db8::1]:6443")),
            ("[::ffff:10.0.0.1]:1", None),
            ("lb.example.com:443", Some("lb.example.com:443")),
            ("localhost:10257", Some("localhost:10257")),
            ("2001:db8::1", None),
            ("2001:db8::1:6443", None),
            ("[fe80::1%eth0]:6443", None),
            ("lb.example.com", None),
            ("lb.example.com:0", None),
            ("lb.example.com:65536", None),
            ("LB:1", None),
            ("a@b:1", None),
            ("*.example.com:1", None),
            (":1", None),
            ("", None),
        ] {
            assert_eq!(Peer::parse(text).map(|peer| peer.to_string()).as_deref(), written, "{text}");
        }
    }

    #[test]
    fn urls_of_kubeconfigs_are_read() {
        for (url, written) in [
            ("https://10.0.0.11:6443", Some("10.0.0.11:6443")),
            ("https://API.example.com/prefix?x", Some("api.example.com:443")),
            ("https://[::1]:6443/", Some("[::1]:6443")),
            ("http://10.0.0.11:8080", None),
            ("https://user:word@host:1", None),
            ("https://", None),
        ] {
            assert_eq!(Peer::of_url(url).map(|peer| peer.to_string()).as_deref(), written, "{url}");
        }
    }

    #[test]
    fn link_local_addresses_are_refused_however_they_are_written() {
        for (address, wanted) in [
            ("169.254.169.254", false),
            ("169.253.255.255", true),
            ("169.255.0.0", true),
            ("::ffff:169.254.169.254", false),
            ("::169.254.169.254", false),
            ("64:ff9b::169.254.169.254", false),
            ("64:ff9b::10.0.0.1", true),
            ("fe80::1", false),
            ("febf::1", false),
            ("fec0::1", true),
            ("fd00::1", true),
            ("0.0.0.0", false),
            ("::", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("ff02::1", false),
            ("127.0.0.1", true),
            ("::1", true),
            ("10.0.0.11", true),
        ] {
            assert_eq!(permitted(address.parse().unwrap()).is_ok(), wanted, "{address}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (peer, wanted) in [
            ("127.0.0.1:1", true),
            ("127.8.8.8:1", true),
            ("[::1]:1", true),
            ("localhost:1", true),
            ("10.0.0.1:1", false),
        ] {
            assert_eq!(is_loopback(&Peer::parse(peer).unwrap().host), wanted, "{peer}");
        }
    }
}
