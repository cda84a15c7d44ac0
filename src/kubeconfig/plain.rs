//! kubeadm's own shape, line by line: one cluster, one context, one user, plain scalars. A fleet holds thousands of these
//! files, nine tenths of each is base64, and a YAML parser looks at every character of it. Anything unusual is `None`, and
//! the YAML reader decides.

use std::borrow::Cow;

use super::contents::{Cluster, Context, Key, Source, Survey, User};
use super::document;
use crate::encoding::yaml::MAX_BYTES;

pub fn read(bytes: &[u8]) -> Option<Survey<'_>> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let mut lines = Lines { rest: bytes };
    lines.exactly("apiVersion: v1")?;
    lines.exactly("clusters:")?;
    lines.exactly("- cluster:")?;
    let authority = lines.data("    certificate-authority-data: ")?;
    let server = lines.value("    server: ")?;
    let cluster = lines.value("  name: ")?;
    lines.exactly("contexts:")?;
    lines.exactly("- context:")?;
    let context_cluster = lines.value("    cluster: ")?;
    let context_user = lines.value("    user: ")?;
    let context = lines.value("  name: ")?;
    let current = lines.value("current-context: ")?;
    lines.exactly("kind: Config")?;
    if lines.peek("preferences: {}") {
        lines.exactly("preferences: {}")?;
    }
    lines.exactly("users:")?;
    let user = lines.value("- name: ")?;
    lines.exactly("  user:")?;
    if lines.peek("    as-user-extra: null\n") {
        // What Go wrote for years.
        lines.exactly("    as-user-extra: null")?;
    }
    let (certificate, key, credentials) = if lines.peek("    client-certificate-data: ") {
        let certificate = lines.data("    client-certificate-data: ")?;
        let key = lines.data("    client-key-data: ")?;
        (Source::Data(certificate), Key::Data(document::key(&key)), vec!["client-certificate-data", "client-key-data"])
    } else {
        let certificate = lines.value("    client-certificate: ")?;
        let key = lines.value("    client-key: ")?;
        (Source::File(certificate), Key::File(key), vec!["client-certificate", "client-key"])
    };
    let whole = lines.rest.is_empty() && cluster == context_cluster && user == context_user && context == current;
    whole.then(|| Survey {
        clusters: vec![Cluster {
            name: cluster,
            server,
            server_name: None,
            is_insecure: false,
            authority: Some(Source::Data(authority)),
        }],
        users: vec![User { name: user, certificate: Some(certificate), key: Some(key), credentials }],
        contexts: vec![Context { name: context, cluster: context_cluster, user: context_user }],
        current: Some(current),
        unresolved: None,
    })
}

struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    fn peek(&self, start: &str) -> bool {
        self.rest.starts_with(start.as_bytes())
    }

    fn exactly(&mut self, line: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(line.as_bytes())?.strip_prefix(b"\n")?;
        Some(())
    }

    /// `end`: where the value is over.
    fn line(&mut self, start: &str, end: impl FnOnce(&[u8]) -> Option<usize>) -> Option<Cow<'a, str>> {
        let text = self.rest.strip_prefix(start.as_bytes())?;
        let end = end(text)?;
        let (value, rest) = text.split_at_checked(end)?;
        self.rest = rest.strip_prefix(b"\n")?;
        std::str::from_utf8(value).ok().map(Cow::Borrowed).filter(|value| !value.is_empty())
    }

    fn data(&mut self, start: &str) -> Option<Cow<'a, str>> {
        // A value that begins with `=` is YAML's business.
        self.line(start, end_of_base64).filter(|value| !is_null(value) && !value.starts_with('='))
    }

    /// What YAML reads as the same text without quotes: nothing that ends a plain scalar, nothing that begins another
    /// kind of value.
    fn value(&mut self, start: &str) -> Option<Cow<'a, str>> {
        let is_other = |byte: &u8| !byte.is_ascii_alphanumeric() && !b".-_:/@[]".contains(byte);
        self.line(start, |text| text.iter().position(is_other)).filter(|value| {
            value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
                && !value.ends_with(':')
                && !is_null(value)
        })
    }
}

/// In pieces as far as they go, because most of a kubeconfig is base64.
fn end_of_base64(text: &[u8]) -> Option<usize> {
    let whole = text.as_chunks::<64>().0.iter().take_while(|piece| is_base64(piece)).count() * 64;
    text.get(whole..)?.iter().position(|byte| !is_base64(&[*byte])).map(|end| whole + end)
}

/// Without a branch, so that it is compiled to a few vector instructions.
fn is_base64<const N: usize>(text: &[u8; N]) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'+') | (byte == b'/') | (byte == b'=');
    text.iter().fold(true, |all, byte| all & is_one(*byte))
}

fn is_null(value: &str) -> bool {
    matches!(value, "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_ends_where_anything_else_begins() {
        for length in [0, 1, 63, 64, 65, 127, 128, 129, 200] {
            let value = "aZ09+/==".repeat(32);
            for other in [b'\n', b' ', b'-', b'_', b':', b'@', b'[', b'`', b'{', b',', b'\r', 0, 0xff] {
                let mut text = value.as_bytes()[..length].to_vec();
                text.push(other);
                text.extend_from_slice(value.as_bytes());
                assert_eq!(end_of_base64(&text), Some(length), "{other}");
            }
            assert_eq!(end_of_base64(&value.as_bytes()[..length]), None);
        }
    }
}
