//! The address of an API server.

use std::net::Ipv6Addr;

/// `https://HOST[:PORT][/PATH]` in plain characters: nothing that YAML or a terminal reads otherwise, no user, no query.
pub fn is_server(url: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    let Some(rest) = url.strip_prefix("https://").filter(|rest| rest.chars().all(plain)) else { return false };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) => (is_ipv6(address), port),
        Some(None) => return false,
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (!host.is_empty() && !host.contains(['[', ']']), port)
        }
    };
    // In a path a colon at the end would make the line a mapping.
    host && is_port(port) && !path.ends_with(':')
}

/// The host of an API server's address, an IPv6 address without its brackets and zone.
pub fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0.split('%').next()?,
        None => authority.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// Perhaps with a zone (RFC 6874).
fn is_ipv6(text: &str) -> bool {
    text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// Nothing, or `:` and 1 to 65535.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_host() {
        for (url, expected) in [
            ("https://10.0.0.1:6443", Some("10.0.0.1")),
            ("https://lb.example.com/k8s", Some("lb.example.com")),
            ("https://[fe80::1%25eth0]:6443", Some("fe80::1")),
            ("lb:6443", Some("lb")),
            ("https://", None),
            ("https://[::1", None),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }

    #[test]
    fn only_a_plain_https_url_is_the_address_of_a_server() {
        for good in [
            "https://10.0.0.1:6443",
            "https://lb.example.com",
            "https://lb:8443/",
            "https://rancher.example.com/k8s/clusters/c-1",
            "https://[2001:db8::1]:6443",
            "https://[fe80::1%25eth0]",
        ] {
            assert!(is_server(good), "{good}");
        }
        for bad in [
            "",
            "lb:6443",
            "http://lb:6443",
            "HTTPS://lb:6443",
            "https://",
            "https:///path",
            "https://:6443",
            "https://lb:",
            "https://lb:0",
            "https://lb:65536",
            "https://lb:+1",
            "https://lb:64a3",
            "https://lb:1:2",
            "https://[lb]:6443",
            "https://[::1",
            "https://[::1]6443",
            "https://l[b]:6443",
            "https://lb/a:",
            "https://lb /",
            "https://lb:6443\n",
            "https://lb\u{1b}[2J",
            "https://lb\n  insecure-skip-tls-verify: true",
            "https://me@lb",
            "https://lb?x",
            "https://lb#x",
            "https://b\u{fc}cher",
        ] {
            assert!(!is_server(bad), "{bad:?}");
        }
    }
}
