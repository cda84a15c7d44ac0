//! kubeconfig files: kubeadm's shape when written, and the credentials inside when read.

mod edit;
mod plain;
mod server;
mod survey;

pub use edit::{NewCredentials, replace};
pub use server::is_server;
pub use survey::{Cluster, Context, Source, Survey, User, survey};

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use zeroize::Zeroizing;

use crate::encoding::base64;
use crate::encoding::yaml::{self, Fault, Flaw, Node, Stream, Value, field, text};

/// What a kubeconfig with embedded credentials says.
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
    /// It stays in this file with its owner; relative to the kubeconfig, or absolute.
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
    let _ = write!(text, "    server: {}\n  name: {cluster}\n", server(config.server));
    let _ = write!(
        text,
        "contexts:\n- context:\n    cluster: {cluster}\n    user: {user}\n  name: {context}\ncurrent-context: {context}\nkind: Config\n{}",
        if config.preferences { "preferences: {}\n" } else { "" },
    );
    let _ = write!(
        text,
        "users:
- name: {user}
  user:
"
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

/// A kubeconfig whose key waits for its certificate, as kubeadm's `generate-csr` leaves it.
pub struct Pending {
    pub cluster: String,
    pub user: String,
    pub server: String,
    /// PEM.
    pub key: Zeroizing<Vec<u8>>,
}

/// The key stays out of logs.
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({}@{})", self.user, self.cluster)
    }
}

/// Reads the key of the current context and what it is for, whether a certificate goes with it or not.
pub fn pending(bytes: &[u8]) -> Result<Pending, KubeconfigError> {
    let stream = stream(bytes)?;
    let current = current(root(&stream)?)?;
    Ok(Pending {
        cluster: current.cluster_name.to_owned(),
        user: current.user_name.to_owned(),
        server: text(current.cluster, "server").unwrap_or_default().to_owned(),
        key: data(current.user, KEY)?.ok_or(KubeconfigError::NoCredentials)?,
    })
}

/// A URL stands as it is, as kubeadm writes it; anything that is none is quoted.
fn server(url: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_[]%".contains(&byte);
    match url.starts_with("https://") && url.bytes().all(plain) && !url.ends_with(':') {
        true => Cow::Borrowed(url),
        false => Cow::Owned(yaml::scalar(url)),
    }
}

/// What a kubeconfig holds for its current context.
#[derive(Debug)]
pub struct Read {
    pub cluster: String,
    pub user: String,
    pub server: String,
    /// PEM; empty when the file only names a CA file.
    pub authority: Vec<u8>,
    pub credentials: Credentials,
}

/// The client's certificate and key.
pub enum Credentials {
    /// PEM, embedded.
    Embedded { certificate: Vec<u8>, key: Zeroizing<Vec<u8>> },
    /// In files of their own: the kubelet's habit after its first rotation.
    Files { certificate: String, key: String },
}

/// The key stays out of logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { .. } => f.write_str("Embedded"),
            Self::Files { certificate, .. } => write!(f, "Files({certificate})"),
        }
    }
}

/// Why a file is not a kubeconfig one can work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeconfigError {
    NotYaml {
        line: usize,
        column: usize,
    },
    /// YAML that kubectl reads and this program does not.
    Unusual {
        what: &'static str,
        line: usize,
        column: usize,
    },
    /// No mapping, or none of this kind.
    NotAKubeconfig,
    Missing(&'static str),
    /// `current-context`, the context's cluster or its user names something that is not in the file.
    Unresolved {
        what: &'static str,
        name: String,
    },
    NotBase64(&'static str),
    NoCredentials,
    /// There is nothing to replace: the credentials lie in files of their own.
    NotEmbedded {
        certificate: String,
    },
    /// An edited file would have said something else than was meant.
    EditedWrongly,
}

impl fmt::Display for KubeconfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYaml { line, column } => write!(f, "expected YAML, found something else at {line}:{column}"),
            Self::Unusual { what, line, column } => {
                write!(f, "expected plain values, each key once, found {what} at {line}:{column}")
            }
            Self::NotAKubeconfig => f.write_str("expected a kubeconfig (kind: Config), found another document"),
            Self::Missing(field) => write!(f, "expected {field}, found none"),
            Self::Unresolved { what, name } => write!(f, "expected the {what} {name:?}, found none of that name"),
            Self::NotBase64(field) => write!(f, "expected base64 in {field}"),
            Self::NoCredentials => f.write_str("expected a client certificate and key, found neither data nor files"),
            Self::NotEmbedded { certificate } => {
                write!(f, "expected embedded credentials, found the file {certificate:?}")
            }
            Self::EditedWrongly => f.write_str("expected to change the credentials only, found that more would change"),
        }
    }
}

/// Reads the credentials of the current context, as kubeadm and kubectl resolve them.
pub fn read(bytes: &[u8]) -> Result<Read, KubeconfigError> {
    let stream = stream(bytes)?;
    let current = current(root(&stream)?)?;
    let user = current.user;
    let embedded = (data(user, CERTIFICATE)?, data(user, KEY)?);
    let credentials = match (embedded, text(user, "client-certificate"), text(user, "client-key")) {
        // Data wins over a file, as in client-go.
        ((Some(certificate), Some(key)), _, _) => Credentials::Embedded { certificate: certificate.to_vec(), key },
        ((None, None), Some(certificate), Some(key)) => {
            Credentials::Files { certificate: certificate.to_owned(), key: key.to_owned() }
        }
        _ => return Err(KubeconfigError::NoCredentials),
    };
    Ok(Read {
        cluster: current.cluster_name.to_owned(),
        user: current.user_name.to_owned(),
        server: text(current.cluster, "server").unwrap_or_default().to_owned(),
        authority: data(current.cluster, AUTHORITY)?.map(|data| data.to_vec()).unwrap_or_default(),
        credentials,
    })
}

const CERTIFICATE: &str = "client-certificate-data";
const KEY: &str = "client-key-data";
const AUTHORITY: &str = "certificate-authority-data";

fn stream(bytes: &[u8]) -> Result<Stream, KubeconfigError> {
    let stream = yaml::read(bytes);
    match stream.faults.first() {
        Some(fault) => Err(refused(fault)),
        None => Ok(stream),
    }
}

fn refused(fault: &Fault) -> KubeconfigError {
    let (line, column) = (fault.mark.line, fault.mark.column);
    let what = match fault.flaw {
        Flaw::Anchor => "an anchor (&)",
        Flaw::Alias => "an alias (*)",
        Flaw::MergeKey => "a merge key (<<)",
        Flaw::Tag => "a tag (!)",
        Flaw::DuplicateKey { .. } => "a key again",
        _ => return KubeconfigError::NotYaml { line, column },
    };
    KubeconfigError::Unusual { what, line, column }
}

fn root(stream: &Stream) -> Result<&Node, KubeconfigError> {
    let root = stream.documents.first().filter(|root| text(root, "kind") == Some("Config"));
    root.ok_or(KubeconfigError::NotAKubeconfig)
}

/// What the current context leads to.
struct Current<'n> {
    cluster_name: &'n str,
    user_name: &'n str,
    cluster: &'n Node,
    user: &'n Node,
}

fn current(root: &Node) -> Result<Current<'_>, KubeconfigError> {
    let name = text(root, "current-context").filter(|name| !name.is_empty());
    let context = named(root, "contexts", "context", name.ok_or(KubeconfigError::Missing("current-context"))?)?;
    let cluster_name = text(context, "cluster").ok_or(KubeconfigError::Missing("context.cluster"))?;
    let user_name = text(context, "user").ok_or(KubeconfigError::Missing("context.user"))?;
    let cluster = named(root, "clusters", "cluster", cluster_name)?;
    let user = named(root, "users", "user", user_name)?;
    Ok(Current { cluster_name, user_name, cluster, user })
}

/// The `what` of the item of `list` that has this name.
fn named<'n>(root: &'n Node, list: &'static str, what: &'static str, name: &str) -> Result<&'n Node, KubeconfigError> {
    let items = match field(root, list).map(|node| &node.value) {
        Some(Value::Sequence(items)) => items.as_slice(),
        _ => &[],
    };
    items
        .iter()
        .find(|item| text(item, "name") == Some(name))
        .and_then(|item| field(item, what))
        .ok_or_else(|| KubeconfigError::Unresolved { what, name: name.to_owned() })
}

/// An empty text is none, as in client-go.
fn data(node: &Node, key: &'static str) -> Result<Option<Zeroizing<Vec<u8>>>, KubeconfigError> {
    let stated = text(node, key).filter(|text| !text.trim().is_empty());
    stated.map(|text| base64::decode(text.as_bytes()).map_err(|_| KubeconfigError::NotBase64(key))).transpose()
}
