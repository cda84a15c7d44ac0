//! Whether a certificate is for the name that was dialled, as Go's crypto/x509 sees it (verify.go, `VerifyHostname`): by
//! subjectAltName alone, addresses as addresses, a wildcard for one whole label at the left.

use std::net::IpAddr;

use crate::blueprint::San;
use crate::encoding::shown::named;
use crate::x509::Certificate;

/// How many names of a certificate are shown.
const SHOWN: usize = 4;

pub(super) fn is_for(certificate: &Certificate, dialled: &San) -> bool {
    certificate.sans.iter().any(|own| match (own, dialled) {
        (San::Ip(own), San::Ip(address)) => own.to_canonical() == address.to_canonical(),
        (San::Dns(own), San::Dns(name)) => matches(own, name),
        _ => false,
    })
}

/// What stands in the certificate instead.
pub(super) fn listed(certificate: &Certificate) -> String {
    let all: Vec<String> = certificate
        .sans
        .iter()
        .filter_map(|san| match san {
            San::Dns(name) => Some(named(name)),
            San::Ip(address) => Some(IpAddr::to_string(address)),
            _ => None,
        })
        .collect();
    match all.split_at_checked(SHOWN) {
        _ if all.is_empty() => "no names".to_owned(),
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => all.join(", "),
    }
}

fn matches(own: &str, name: &str) -> bool {
    let host = name.strip_suffix('.').unwrap_or(name);
    if !(is_hostname(own, true) && is_hostname(host, false)) {
        return !own.is_empty() && own.eq_ignore_ascii_case(name);
    }
    let (own, name): (Vec<&str>, Vec<&str>) = (own.split('.').collect(), host.split('.').collect());
    let same = |(at, (own, name)): (usize, (&&str, &&str))| (at == 0 && *own == "*") || own.eq_ignore_ascii_case(name);
    own.len() == name.len() && own.iter().zip(&name).enumerate().all(same)
}

fn is_hostname(text: &str, with_wildcard: bool) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let wildcard = |at: usize, label: &str| with_wildcard && at == 0 && label == "*";
    text != "*" && text.split('.').enumerate().all(|(at, label)| wildcard(at, label) || is_label(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_go_matches_them() {
        for (own, name, expected) in [
            ("cp1.example.com", "cp1.example.com", true),
            ("CP1.example.com", "cp1.Example.com", true),
            ("cp1.example.com", "cp1.example.com.", true),
            ("cp1.example.com.", "cp1.example.com", false),
            ("*.example.com", "cp1.example.com", true),
            ("*.example.com", "a.cp1.example.com", false),
            ("*.example.com", "example.com", false),
            ("cp*.example.com", "cp1.example.com", false),
            ("*", "cp1", false),
            ("cp_1", "cp_1", true),
            ("-cp1", "-cp1", true),
            ("cp1", "cp2", false),
            ("", "", false),
        ] {
            assert_eq!(matches(own, name), expected, "{own} {name}");
        }
    }
}
