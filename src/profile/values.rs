//! Texts into values: names, addresses, blocks, durations. One function per kind of value, without knowledge of fields.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::near::nearest;
use super::problem::{CidrError, Kind};
use super::{Endpoint, Subnet, Window};
use crate::blueprint::{Algorithm, San, Subtree};
use crate::catalog::releases::Release;
use crate::clock::Span;

/// An address as kubeadm reads it: leading zeros in IPv4 octets are decimal, and IPv4 inside IPv6 is IPv4.
pub fn address(text: &str) -> Result<IpAddr, Kind> {
    lenient_address(text).ok_or_else(|| Kind::BadAddress { found: text.to_owned() })
}

fn lenient_address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical());
    }
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let digits = !part.is_empty() && part.len() <= 16 && part.bytes().all(|byte| byte.is_ascii_digit());
        *octet = digits.then(|| part.parse::<u8>().ok()).flatten()?;
    }
    parts.next().is_none().then(|| IpAddr::V4(Ipv4Addr::from(octets)))
}

/// RFC 1123 in lower case, as Kubernetes wants names: at most 253 characters in labels of at most 63.
pub fn is_subdomain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label) && !looks_like_ipv4(text)
}

/// `10.0.0.300` is a subdomain by the letter, and a mistyped address for everybody.
fn looks_like_ipv4(text: &str) -> bool {
    text.split('.').count() == 4 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

pub const SUBDOMAIN: &str = "a lower-case DNS name (RFC 1123)";

pub fn subdomain(text: &str) -> Result<String, Kind> {
    if is_subdomain(text) {
        Ok(text.to_owned())
    } else {
        Err(Kind::BadName { expected: SUBDOMAIN, found: text.to_owned() })
    }
}

/// One entry of certSANs: an address, a subdomain, or a wildcard of one.
pub fn san(text: &str) -> Result<San, Kind> {
    if let Some(address) = lenient_address(text) {
        return Ok(San::Ip(address));
    }
    if is_subdomain(text.strip_prefix("*.").unwrap_or(text)) && text.len() <= 253 {
        return Ok(San::Dns(text.to_owned()));
    }
    Err(Kind::BadSan { found: text.to_owned() })
}

/// A part of the name space that an authority may sign for: a DNS name, one with a dot before it, an address or a block.
pub fn permitted_name(text: &str) -> Result<Subtree, Kind> {
    if let Some(Subnet { network, prefix }) = subnet(text) {
        return Ok(Subtree::Ip { network, prefix });
    }
    if let Some(network) = lenient_address(text) {
        return Ok(Subtree::Ip { network, prefix: width(network) });
    }
    if is_subdomain(text.strip_prefix('.').unwrap_or(text)) && text.len() <= 253 {
        return Ok(Subtree::Dns(text.to_owned()));
    }
    Err(Kind::BadPermittedName { found: text.to_owned() })
}

/// controlPlaneEndpoint as kubeadm splits it; no wildcard.
pub fn endpoint(text: &str) -> Result<Endpoint, Kind> {
    let bad = || Kind::BadEndpoint { found: text.to_owned() };
    let host = |host: &str| match lenient_address(host) {
        Some(address) => Ok(San::Ip(address)),
        None if is_subdomain(host) => Ok(San::Dns(host.to_owned())),
        None => Err(bad()),
    };
    let port = |port: &str| {
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| port.parse::<u16>().ok()).flatten().filter(|port| *port > 0).ok_or_else(bad)
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, rest) = rest.split_once("]:").ok_or_else(bad)?;
        return match lenient_address(inside) {
            Some(address @ IpAddr::V6(_)) => Ok(Endpoint { host: San::Ip(address), port: Some(port(rest)?) }),
            _ => Err(bad()),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Ok(Endpoint { host: host(text)?, port: None }),
        Some((name, number)) => Ok(Endpoint { host: host(name)?, port: Some(port(number)?) }),
        None => Ok(Endpoint { host: host(text)?, port: None }),
    }
}

/// kubeadm's bounds for networking.serviceSubnet: at least ten addresses, at most 20 host bits.
pub fn service_subnets(text: &str) -> Result<Vec<Subnet>, Kind> {
    let bad = |why| Kind::BadCidr { found: text.to_owned(), why };
    let mut subnets = Vec::new();
    for part in text.split(',').take(3) {
        subnets.push(subnet(part.trim()).ok_or_else(|| bad(CidrError::NotCidr))?);
    }
    for subnet in &subnets {
        let host_bits = width(subnet.network) - subnet.prefix;
        if host_bits < 4 {
            return Err(bad(CidrError::TooSmall));
        }
        if host_bits > 20 {
            return Err(bad(CidrError::TooLarge));
        }
    }
    match subnets.as_slice() {
        [_] => Ok(subnets),
        [one, two] if one.network.is_ipv4() != two.network.is_ipv4() => Ok(subnets),
        [_, _] => Err(bad(CidrError::SameFamily)),
        _ => Err(bad(CidrError::TooMany)),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// `address/prefix`, host bits cleared.
fn subnet(text: &str) -> Option<Subnet> {
    let (address, prefix) = text.split_once('/')?;
    // Not the mapped form: its prefix would count other bits.
    let address: IpAddr =
        if address.contains(':') { IpAddr::V6(address.parse().ok()?) } else { lenient_address(address)? };
    let digits = !prefix.is_empty() && prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = digits.then(|| prefix.parse::<u8>().ok()).flatten().filter(|prefix| *prefix <= width(address))?;
    let network = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    };
    Some(Subnet { network, prefix })
}

pub fn duration(text: &str) -> Result<Span, Kind> {
    match Span::parse(text) {
        Ok(span) if span.as_seconds() > 0 => Ok(span),
        Ok(_) => Err(Kind::BadDuration { found: text.to_owned(), why: None }),
        Err(why) => Err(Kind::BadDuration { found: text.to_owned(), why: Some(why) }),
    }
}

/// renewal.before: a share of the lifetime, or a duration.
pub fn window(text: &str) -> Result<Window, Kind> {
    let bad = || Kind::BadWindow { found: text.to_owned() };
    match text.strip_suffix('%') {
        Some(number) => {
            let digits = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            let percent = digits.then(|| number.parse().ok()).flatten().filter(|percent| *percent > 0);
            percent.map(Window::PercentLeft).ok_or_else(bad)
        }
        None => duration(text).map(Window::Before).map_err(|_| bad()),
    }
}

pub fn algorithm(text: &str) -> Result<Algorithm, Kind> {
    Algorithm::parse(text).ok_or_else(|| {
        let names = Algorithm::ALL.map(Algorithm::name);
        Kind::UnknownWord {
            expected: format!("one of {}", names.join(", ")),
            found: text.to_owned(),
            near: nearest(text, names).map(str::to_owned),
        }
    })
}

pub fn release(text: &str) -> Result<Release, Kind> {
    Release::parse(text).ok_or_else(|| Kind::BadRelease { found: text.to_owned() })
}

/// An absolute path that stays where it says: no `..`, no control characters.
pub fn absolute_path(text: &str) -> Result<String, Kind> {
    let plain = text.len() <= 1024 && !text.chars().any(char::is_control);
    let parts = text.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    match parts {
        Some(parts) if plain && parts.split('/').all(|part| !matches!(part, "" | "." | "..")) => {
            Ok(format!("/{parts}"))
        }
        _ => Err(Kind::BadPath { expected: "an absolute path without . and ..", found: text.to_owned() }),
    }
}

/// certificatesDir: beside the kubeconfigs, not in their place nor where kpki keeps its own.
pub fn certificates_dir(text: &str) -> Result<String, Kind> {
    let path = absolute_path(text)?;
    let below = path.strip_prefix("/etc/kubernetes");
    let first = below.and_then(|below| below.split('/').nth(1)).unwrap_or_default();
    let reserved = [".kpki", "kubelet", "nodes", "manifest.json"].contains(&first) || first.ends_with(".conf");
    if below == Some("") || (below.is_some_and(|below| below.starts_with('/')) && reserved) {
        let expected = "a directory of its own for the certificates, such as /etc/kubernetes/pki";
        return Err(Kind::BadPath { expected, found: text.to_owned() });
    }
    Ok(path)
}

/// The URL of an external etcd member: `http://` or `https://`, a host and perhaps a port.
pub fn url(text: &str) -> Result<String, Kind> {
    let bad = || Kind::BadUrl { found: text.to_owned() };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(bad)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    match rest.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
        Some(inside) if inside.contains(':') => address(inside).map(|_| ()).map_err(|_| bad())?,
        Some(_) => return Err(bad()),
        None if rest.starts_with('[') || rest.split(':').count() <= 2 => {
            endpoint(rest).map(|_| ()).map_err(|_| bad())?;
        }
        None => return Err(bad()),
    }
    Ok(text.to_owned())
}

/// Text for a name in a certificate: not empty, no control characters, within RFC 5280's upper bound (appendix A.1).
pub fn name_text(limit: usize, expected: &'static str) -> impl Fn(&str) -> Result<String, Kind> {
    move |text| {
        let fits = !text.trim().is_empty() && text.chars().count() <= limit && !text.chars().any(char::is_control);
        if fits { Ok(text.to_owned()) } else { Err(Kind::BadText { expected, found: text.to_owned() }) }
    }
}

/// A country is two upper-case letters (RFC 5280 appendix A.1, ISO 3166).
pub fn country(text: &str) -> Result<String, Kind> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text.to_owned());
    }
    Err(Kind::BadText { expected: "a country of two upper-case letters", found: text.to_owned() })
}
