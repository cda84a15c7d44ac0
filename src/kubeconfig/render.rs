//! kubeadm's shape of a kubeconfig, as text.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use zeroize::Zeroizing;

use super::document::{AUTHORITY, CERTIFICATE, KEY};
use crate::encoding::{base64, yaml};

/// The values of a kubeconfig with embedded credentials.
#[derive(Debug)]
pub struct Kubeconfig<'a> {
    pub cluster: &'a str,
    pub user: &'a str,
    pub server: &'a str,
    /// PEM; empty: not known yet.
    pub authority: &'a str,
    /// PEM; empty: it has still to be signed.
    pub certificate: &'a str,
    pub key: ClientKey<'a>,
    /// Print `preferences: {}`, as kubeadm did up to 1.33.
    pub preferences: bool,
}

/// Where the client's key is.
#[derive(Clone, Copy)]
pub enum ClientKey<'a> {
    /// PEM, embedded.
    Data(&'a str),
    /// It stays in this file; relative to the kubeconfig, or absolute.
    File(&'a str),
}

/// The key stays out of logs.
impl fmt::Debug for ClientKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(_) => f.write_str("Data"),
            Self::File(path) => write!(f, "File({path})"),
        }
    }
}

/// kubeadm's serialisation: keys in alphabetical order, context `USER@CLUSTER`, embedded base64.
pub fn render(config: &Kubeconfig<'_>) -> Zeroizing<String> {
    let cluster = yaml::scalar(config.cluster);
    let user = yaml::scalar(config.user);
    let context = yaml::scalar(&format!("{}@{}", config.user, config.cluster));
    let (field, key) = match config.key {
        ClientKey::Data(pem) => (KEY, base64::encode(pem.as_bytes())),
        ClientKey::File(path) => ("client-key", Zeroizing::new(yaml::scalar(path))),
    };
    // Reserved at once: growing would leave copies of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(key.len() + 2 * config.authority.len() + 4096));
    text.push_str("apiVersion: v1\nclusters:\n- cluster:\n");
    embed(&mut text, AUTHORITY, config.authority);
    let (server, preferences) = (server(config.server), if config.preferences { "preferences: {}\n" } else { "" });
    let _ = write!(
        text,
        "    server: {server}\n  name: {cluster}\ncontexts:\n- context:\n    cluster: {cluster}\n    user: {user}\n  \
         name: {context}\ncurrent-context: {context}\nkind: Config\n{preferences}users:\n- name: {user}\n  user:\n",
    );
    embed(&mut text, CERTIFICATE, config.certificate);
    let _ = writeln!(text, "    {field}: {}", key.as_str());
    text
}

/// Nothing to embed: no line, as kubeadm's `generate-csr` leaves it.
fn embed(text: &mut String, key: &str, pem: &str) {
    if !pem.is_empty() {
        let _ = writeln!(text, "    {key}: {}", base64::encode(pem.as_bytes()).as_str());
    }
}

/// A URL is written without quotes, as kubeadm does; anything else is quoted.
fn server(url: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_[]%".contains(&byte);
    match url.starts_with("https://") && url.bytes().all(plain) && !url.ends_with(':') {
        true => Cow::Borrowed(url),
        false => Cow::Owned(yaml::scalar(url)),
    }
}
