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
    /// The Secret it is deleted with.
    pub owner: Option<&'a Owner>,
    /// Nobody may change its data any more, and the kubelets need not watch it.
    pub immutable: bool,
}

/// A bootstrap token's Secret in the same namespace, as an owner reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub name: String,
    uid: String,
}

impl Owner {
    /// A token's ID (the part before the dot, which is no secret) and the UID of its Secret.
    pub fn of((id, uid): &(String, String)) -> Result<Self, Error> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if id.len() != 6 || !plain(id) {
            return Err(Error::usage(
                "--owner-token: expected the ID of a bootstrap token, six lower-case letters and digits",
            )
            .hint("it is what stands before the dot: kubeadm token list"));
        }
        let lengths = uid.split('-').map(str::len);
        let hex = uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        if !hex || !lengths.eq([8, 4, 4, 4, 12]) {
            return Err(Error::usage("--owner-token: expected the UID of the token's Secret, a UUID in lower case")
                .hint(format!(
                    "look it up: kubectl -n kube-system get secret bootstrap-token-{id} -o jsonpath={{.metadata.uid}}"
                )));
        }
        Ok(Self { name: format!("bootstrap-token-{id}"), uid: uid.clone() })
    }

    /// As kubeadm writes it (metav1.NewControllerRef).
    fn reference(&self) -> String {
        let Self { name, uid } = self;
        format!(
            "  ownerReferences:\n  - apiVersion: v1\n    blockOwnerDeletion: true\n    controller: true\n    kind: Secret\n    \
             name: {name}\n    uid: {uid}\n",
            uid = scalar(uid)
        )
    }
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
    let room = encoded.iter().map(|(key, text)| key.len() + text.len() + 16).sum::<usize>() + 2048;
    let mut text = Zeroizing::new(String::with_capacity(room));
    text.push_str("apiVersion: v1\ndata:\n");
    for (key, value) in &encoded {
        let value = if value.is_empty() { "\"\"" } else { value.as_str() };
        let _ = writeln!(text, "  {key}: {value}");
    }
    if secret.immutable {
        text.push_str("immutable: true\n");
    }
    let _ = writeln!(text, "kind: Secret\nmetadata:\n  name: {}", scalar(name));
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "  namespace: {}", scalar(namespace));
    }
    text.push_str(&secret.owner.map(Owner::reference).unwrap_or_default());
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
    fn an_owner_is_a_bootstrap_token_and_its_uid() {
        let uid = "c06b1b3c-2f6a-4f0e-9d5a-6c1d2e3f4a5b";
        let owner = |id: &str, uid: &str| Owner::of(&(id.to_owned(), uid.to_owned()));
        for (id, uid, fits) in [
            ("abcdef", uid, true),
            ("abc123", uid, true),
            ("abcdef.0123456789abcdef", uid, false),
            ("ABCDEF", uid, false),
            ("abcde", uid, false),
            ("abcdef", "", false),
            ("abcdef", &uid.to_uppercase(), false),
            ("abcdef", "c06b1b3c2f6a4f0e9d5a6c1d2e3f4a5b", false),
            ("abcdef", "c06b1b3c-2f6a-4f0e-9d5a-6c1d2e3f4a5b: x", false),
        ] {
            assert_eq!(owner(id, uid).is_ok(), fits, "{id} {uid}");
        }
        assert!(!owner("abcdef.0123456789abcdef", uid).unwrap_err().what.contains("0123"));
        let token = owner("abcdef", uid).unwrap();
        let secret =
            Secret { name: "x", namespace: None, kind: "Opaque", data: &[], owner: Some(&token), immutable: false };
        let reference = format!(
            "  ownerReferences:\n  - apiVersion: v1\n    blockOwnerDeletion: true\n    controller: true\n    kind: Secret\n    \
             name: bootstrap-token-abcdef\n    uid: {uid}\ntype: Opaque\n"
        );
        assert!(super::secret(&secret).unwrap().ends_with(&reference));
    }

    #[test]
    fn a_secret_is_written_as_kubectl_writes_it() {
        let data: [(&str, &[u8]); 2] = [("tls.crt", b"foobar"), ("empty", b"")];
        for (immutable, line) in [(false, ""), (true, "immutable: true\n")] {
            let namespace = Some("shop");
            let found = Secret { name: "web", namespace, kind: "Opaque", data: &data, owner: None, immutable };
            let expected = format!(
                "apiVersion: v1\ndata:\n  tls.crt: Zm9vYmFy\n  empty: \"\"\n{line}kind: Secret\nmetadata:\n  name: web\n  \
                 namespace: shop\ntype: Opaque\n"
            );
            assert_eq!(secret(&found).unwrap().as_str(), expected);
        }
    }
}
