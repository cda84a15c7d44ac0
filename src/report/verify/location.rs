//! Where a finding is, as programs have it: a path as a URI (RFC 3986), and a name that stays the same from run to run.

use std::fmt::Write as _;
use std::path::Path;

use crate::verify::{Finding, Place, Verification};
use crate::x509::certificate::hex;
use crate::x509::sha256;

/// A path as it was typed: a relative one stays relative to the directory kpki was run in, as a repository's check-out is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    pub text: String,
    pub is_relative: bool,
}

pub fn uri(path: &str) -> Uri {
    let is_relative = !path.starts_with('/');
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    let mut text = String::from(if is_relative { "" } else { "file://" });
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => text.push(byte.into()),
            _ => _ = write!(text, "%{byte:02X}"),
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    Uri { text, is_relative }
}

/// Whether a place is a file: what is neither absolute nor below the directory that was looked at is a server's name.
pub fn is_file(cluster: &Verification, place: &Place) -> bool {
    place.path.starts_with('/') || Path::new(&place.path).starts_with(&cluster.root)
}

/// A finding's fingerprint: of what it is about and where, not of its words, which may count days. `number`: which of the
/// findings of this rule at this place.
pub fn fingerprint(cluster: &Verification, finding: &Finding, number: usize) -> String {
    let place = &finding.place;
    // The directory may be typed in another way the next time.
    let path = Path::new(&place.path).strip_prefix(&cluster.root).map(Path::to_string_lossy);
    let path = path.unwrap_or(place.path.as_str().into());
    let of = cluster.cluster.as_deref().unwrap_or_default();
    let entry = place.entry.as_ref().map(ToString::to_string).unwrap_or_default();
    let position = place.position.map(|position| position.to_string()).unwrap_or_default();
    // A length before each: no two lists of texts are one.
    let parts = [finding.rule.id, of, &path, &entry, &position, &number.to_string()];
    let text: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    hex(&sha256(text.as_bytes()), "").to_lowercase()
}

/// `cp1/apiserver, certificate 2`, counted as people do.
pub fn part_of(place: &Place) -> Option<String> {
    let entry = place.entry.as_ref().map(ToString::to_string);
    let position = place.position.map(|position| format!("certificate {}", position.saturating_add(1)));
    let parts: Vec<String> = entry.into_iter().chain(position).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        for (path, text, is_relative) in [
            ("/etc/kubernetes/pki/ca.crt", "file:///etc/kubernetes/pki/ca.crt", false),
            ("prod/pki/ca.crt", "prod/pki/ca.crt", true),
            ("./prod/./pki", "prod/./pki", true),
            (".//prod", "prod", true),
            ("../prod", "../prod", true),
            (".", ".", true),
            ("", ".", true),
            ("a b/c:d%?#é\u{1b}", "a%20b/c%3Ad%25%3F%23%C3%A9%1B", true),
        ] {
            assert_eq!(uri(path), Uri { text: text.to_owned(), is_relative }, "{path}");
        }
    }
}
