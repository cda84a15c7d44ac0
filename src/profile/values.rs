//! Texts into values: names, addresses, blocks, durations. One function per kind of value, without knowledge of fields.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::model::{Endpoint, ExtraAuthority, Subnet};
use super::problem::{Mismatch, quoted, shown};
use super::threshold::{MaxAge, Threshold};
use crate::blueprint::{Algorithm, San, Subtree};
use crate::catalog::CaId;
use crate::catalog::paths::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};
use crate::catalog::releases::Release;
use crate::clock::{Span, SpanError};

/// An address as kubeadm reads it: leading zeros in IPv4 octets are decimal, and IPv4 inside IPv6 is IPv4.
pub fn address(text: &str) -> Result<IpAddr, Mismatch> {
    lenient_address(text).ok_or_else(|| Mismatch::value("an IP address", text))
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

pub fn subdomain(text: &str) -> Result<String, Mismatch> {
    if is_subdomain(text) {
        Ok(text.to_owned())
    } else {
        Err(Mismatch::value("a lower-case DNS name (RFC 1123)", text))
    }
}

/// One entry of certSANs: an address, a subdomain, or a wildcard of one.
pub fn san(text: &str) -> Result<San, Mismatch> {
    if let Some(address) = lenient_address(text) {
        return Ok(San::Ip(address));
    }
    if is_subdomain(text.strip_prefix("*.").unwrap_or(text)) && text.len() <= 253 {
        return Ok(San::Dns(text.to_owned()));
    }
    Err(Mismatch::value("an IP address, a lower-case DNS name or *. and one", text))
}

/// A part of the name space that an authority may sign for: a DNS name, one with a dot before it, an address or a block.
pub fn permitted_name(text: &str) -> Result<Subtree, Mismatch> {
    if let Some(Subnet { network, prefix }) = subnet(text) {
        return Ok(Subtree::Ip { network, prefix });
    }
    if let Some(network) = lenient_address(text) {
        return Ok(Subtree::Ip { network, prefix: width(network) });
    }
    if is_subdomain(text.strip_prefix('.').unwrap_or(text)) && text.len() <= 253 {
        return Ok(Subtree::Dns(text.to_owned()));
    }
    Err(Mismatch::value("a lower-case DNS name, . and one, or a CIDR block", text))
}

/// controlPlaneEndpoint as kubeadm splits it; no wildcard.
pub fn endpoint(text: &str) -> Result<Endpoint, Mismatch> {
    let bad = || Mismatch::value("host, host:port or [IPv6]:port with a lower-case host", text);
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
pub fn service_subnets(text: &str) -> Result<Vec<Subnet>, Mismatch> {
    let bad = |expected| Mismatch::new(expected, shown(text));
    let mut subnets = Vec::new();
    for part in text.split(',').take(3) {
        subnets.push(subnet(part.trim()).ok_or_else(|| bad("a CIDR block such as 10.96.0.0/12"))?);
    }
    for subnet in &subnets {
        let host_bits = width(subnet.network) - subnet.prefix;
        if host_bits < 4 {
            return Err(bad("a block of at least 10 addresses"));
        }
        if host_bits > 20 {
            return Err(bad("a block of at most 2^20 addresses (20 host bits)"));
        }
    }
    match subnets.as_slice() {
        [_] => Ok(subnets),
        [one, two] if one.network.is_ipv4() != two.network.is_ipv4() => Ok(subnets),
        [_, _] => Err(bad("two CIDR blocks of different families")),
        _ => Err(bad("one CIDR block, or one of each family")),
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

/// Seconds.
const LONGEST_POD_WAIT: u64 = 3600;

pub fn duration(text: &str) -> Result<Span, Mismatch> {
    let why = match Span::parse(text) {
        Ok(span) if span.as_seconds() > 0 => return Ok(span),
        Ok(_) => " (must be more than zero)".to_owned(),
        Err(SpanError::Empty | SpanError::Malformed) => String::new(),
        Err(SpanError::NoUnit) => " (a number without a unit)".to_owned(),
        Err(SpanError::UnknownUnit(unit)) => format!(" (unknown unit {})", shown(&unit.to_string())),
        Err(SpanError::OutOfRange) => " (below zero or more than 1000 years)".to_owned(),
        Err(SpanError::Fraction) => " (finer than a second)".to_owned(),
    };
    Err(Mismatch::new("a duration such as 8760h or 90d", format!("{}{why}", quoted(text))))
}

/// renewal.hooks.deploy.NAME.wait: somebody waits for it while the lock is held.
pub fn pod_wait(text: &str) -> Result<Span, Mismatch> {
    match duration(text)? {
        span if span.as_seconds() <= LONGEST_POD_WAIT => Ok(span),
        _ => Err(Mismatch::value("a duration of at most 1h", text)),
    }
}

/// renewal.before: a share of the lifetime, or a duration; neither nothing nor all of it.
pub fn threshold(text: &str) -> Result<Threshold, Mismatch> {
    match Threshold::parse(text) {
        Ok(Threshold::PercentLeft(percent)) if (1..=99).contains(&percent) => Ok(Threshold::PercentLeft(percent)),
        Ok(Threshold::Left(span)) if span.as_seconds() > 0 => Ok(Threshold::Left(span)),
        _ => Err(Mismatch::value("a percentage from 1% to 99% or a duration such as 30d", text)),
    }
}

/// renewal.maxAge.
pub fn max_age(text: &str) -> Result<MaxAge, Mismatch> {
    let short = || Mismatch::value(format!("at least {}", MaxAge::SHORTEST), text);
    duration(text).and_then(|span| (span >= MaxAge::SHORTEST).then_some(MaxAge(span)).ok_or_else(short))
}

/// One of a closed set, by name.
pub fn choice<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, Mismatch> {
    let names: Vec<&str> = all.iter().copied().map(name).collect();
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| unknown(&names, text))
}

/// A word that is none of these.
pub fn unknown(words: &[&str], text: &str) -> Mismatch {
    let expected = match words {
        [one, other] => format!("{one} or {other}"),
        _ => format!("one of {}", words.join(", ")),
    };
    Mismatch::word(expected, text, words.iter().copied())
}

pub fn algorithm(text: &str) -> Result<Algorithm, Mismatch> {
    choice(&Algorithm::ALL, Algorithm::name, text)
}

/// The authority of an extra certificate; `None`: an external one.
pub fn extra_authority(text: &str) -> Result<Option<CaId>, Mismatch> {
    let all = [Some(CaId::Cluster), Some(CaId::FrontProxy), Some(CaId::Etcd), None];
    choice(&all, |one| one.map_or(ExtraAuthority::EXTERNAL, CaId::name), text)
}

pub fn release(text: &str) -> Result<Release, Mismatch> {
    Release::parse(text).ok_or_else(|| Mismatch::value("a release such as v1.36.2", text))
}

/// An absolute path without detours: no `..`, no control characters.
pub fn absolute_path(text: &str) -> Result<String, Mismatch> {
    let plain = text.len() <= 1024 && !text.chars().any(char::is_control);
    let parts = text.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    match parts {
        Some(parts) if plain && parts.split('/').all(|part| !matches!(part, "" | "." | "..")) => {
            Ok(format!("/{parts}"))
        }
        _ => Err(Mismatch::value("an absolute path without . and ..", text)),
    }
}

/// certificatesDir: beside the kubeconfigs or elsewhere, not in their place nor where kpki or the kubelet keeps its own.
pub fn certificates_dir(text: &str) -> Result<String, Mismatch> {
    let path = absolute_path(text)?;
    let below = path.strip_prefix(DEFAULT_DIR);
    let first = below.and_then(|below| below.split('/').nth(1)).unwrap_or_default();
    let reserved = [".kpki", "kubelet", "nodes", "manifest.json"].contains(&first) || first.ends_with(".conf");
    // What lies above them belongs to the operating system; in manifests/ the kubelet starts what it finds.
    let is_above = |dir: &str| dir.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'));
    let taken = [DEFAULT_DIR, DEFAULT_KUBELET_DIR, "/etc/kubernetes/manifests"];
    if taken.contains(&path.as_str())
        || path == "/"
        || is_above(DEFAULT_DIR)
        || is_above(DEFAULT_KUBELET_DIR)
        || below == Some("")
        || (below.is_some_and(|below| below.starts_with('/')) && reserved)
    {
        let expected = "a directory of its own for the certificates, such as /etc/kubernetes/pki";
        return Err(Mismatch::value(expected, text));
    }
    Ok(path)
}

/// The URL of an external etcd member: `http://` or `https://`, a host and perhaps a port.
pub fn url(text: &str) -> Result<String, Mismatch> {
    let bad = || Mismatch::value("a URL such as https://10.0.0.21:2379", text);
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
pub fn name_text(limit: usize, expected: &'static str) -> impl Fn(&str) -> Result<String, Mismatch> {
    move |text| {
        let fits = !text.trim().is_empty() && text.chars().count() <= limit && !text.chars().any(char::is_control);
        if fits { Ok(text.to_owned()) } else { Err(Mismatch::value(expected, text)) }
    }
}

/// A country is two upper-case letters (RFC 5280 appendix A.1, ISO 3166).
pub fn country(text: &str) -> Result<String, Mismatch> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text.to_owned());
    }
    Err(Mismatch::value("a country of two upper-case letters", text))
}

/// No program can be given a NUL byte.
pub fn word(text: &str) -> Result<String, Mismatch> {
    match text.contains('\0') {
        true => Err(Mismatch::value("a text without NUL", text)),
        false => Ok(text.to_owned()),
    }
}
