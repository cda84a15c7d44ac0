//! Secrets as YAML.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::encoding::base64;
use crate::encoding::yaml::scalar;
use crate::error::Error;

pub struct Secret<'a> {
    pub name: &'a str,
    /// `None`: the namespace of the `kubectl` that creates it.
    pub namespace: Option<&'a str>,
    pub kind: &'a str,
    /// In the order they are written.
    pub data: &'a [(&'a str, &'a [u8])],
}

/// The data is a key.
impl std::fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({}, {})", self.name, self.kind)
    }
}

/// The names of the fields.
pub fn fields(data: &[(&str, &[u8])]) -> String {
    data.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", ")
}

/// RFC 1123: what Kubernetes calls a subdomain, or with `label` a label.
fn named<'a>(flag: &str, name: &'a str, label: bool) -> Result<&'a str, Error> {
    let most = if label { 63 } else { 253 };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits =
        |part: &str| !part.is_empty() && part.chars().all(plain) && !part.starts_with('-') && !part.ends_with('-');
    let parts = name.split('.').count();
    if name.len() <= most && name.split('.').all(fits) && (parts == 1 || !label) {
        Ok(name)
    } else {
        Err(Error::usage(format!("{flag} {name:?}: expected lower-case letters, digits and hyphens (RFC 1123)")))
    }
}

pub fn secret(secret: &Secret<'_>) -> Result<Zeroizing<String>, Error> {
    let name = named("--name", secret.name, false)?;
    let namespace = secret.namespace.map(|namespace| named("--namespace", namespace, true)).transpose()?;
    let encoded: Vec<_> = secret.data.iter().map(|(key, bytes)| (*key, base64::encode(bytes))).collect();
    // Reserved at once: growing would leave copies of a key behind.
    let room = encoded.iter().map(|(key, text)| key.len() + text.len() + 16).sum::<usize>() + 1024;
    let mut text = Zeroizing::new(String::with_capacity(room));
    text.push_str("apiVersion: v1\ndata:\n");
    for (key, value) in &encoded {
        let value = if value.is_empty() { "\"\"" } else { value.as_str() };
        let _ = writeln!(text, "  {key}: {value}");
    }
    let _ = writeln!(text, "kind: Secret\nmetadata:\n  name: {}", scalar(name));
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "  namespace: {}", scalar(namespace));
    }
    let _ = writeln!(text, "type: {}", secret.kind);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kubernetes_names() {
        for (name, fits) in [("web", true), ("web.example.com", true), ("Web", false), ("-a", false), ("a_b", false)] {
            assert_eq!(named("--name", name, false).is_ok(), fits, "{name}");
        }
        assert!(named("--namespace", "a.b", true).is_err() && named("--name", &"a".repeat(254), false).is_err());
        assert!(named("--name", "", false).is_err() && named("--name", "a..b", false).is_err());
    }

    #[test]
    fn a_secret_is_written_as_kubectl_writes_it() {
        let data: [(&str, &[u8]); 2] = [("tls.crt", b"foobar"), ("empty", b"")];
        let found = secret(&Secret { name: "web", namespace: Some("shop"), kind: "Opaque", data: &data }).unwrap();
        assert_eq!(
            found.as_str(),
            "apiVersion: v1\ndata:\n  tls.crt: Zm9vYmFy\n  empty: \"\"\nkind: Secret\nmetadata:\n  name: web\n  namespace: \
             shop\ntype: Opaque\n"
        );
    }
}
