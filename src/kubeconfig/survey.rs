//! Everything a kubeconfig names, not only what its current context does: every user's certificate and every cluster's
//! authority. Keys are noticed, never decoded.

use std::borrow::Cow;

use super::{AUTHORITY, CERTIFICATE, KubeconfigError, current, plain, root, stream};
use crate::encoding::yaml::{Node, Value, field, text};

/// What is in a kubeconfig, the current context's cluster and user first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey<'a> {
    pub clusters: Vec<Cluster<'a>>,
    pub users: Vec<User<'a>>,
    pub contexts: Vec<Context<'a>>,
    pub current: Option<Cow<'a, str>>,
    /// Why the current context leads to no cluster or no user; the lists are then in the order of the file.
    pub unresolved: Option<KubeconfigError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster<'a> {
    pub name: Cow<'a, str>,
    pub server: Cow<'a, str>,
    pub authority: Option<Source<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User<'a> {
    pub name: Cow<'a, str>,
    pub certificate: Option<Source<'a>>,
    /// The fields it authenticates by, as they are called: `client-key-data`, `token`, `exec`.
    pub credentials: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context<'a> {
    pub name: Cow<'a, str>,
    pub cluster: Cow<'a, str>,
    pub user: Cow<'a, str>,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<'a> {
    /// Base64 of PEM, as it stands.
    Data(Cow<'a, str>),
    /// A path, relative to the kubeconfig's directory.
    File(Cow<'a, str>),
}

/// The ways to authenticate client-go knows.
const CREDENTIALS: &[&str] = &[
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "username",
    "exec",
    "auth-provider",
];

/// Reads any kubeconfig; kubeadm's own shape without a YAML parser, to the same result.
pub fn survey(bytes: &[u8]) -> Result<Survey<'_>, KubeconfigError> {
    match plain::read(bytes) {
        Some(survey) => Ok(survey),
        None => by_yaml(bytes),
    }
}

pub(super) fn by_yaml(bytes: &[u8]) -> Result<Survey<'static>, KubeconfigError> {
    let stream = stream(bytes)?;
    let root = root(&stream)?;
    let mut survey = Survey {
        clusters: items(root, "clusters", "cluster").map(|(name, node)| cluster(name, node)).collect(),
        users: items(root, "users", "user").map(|(name, node)| user(name, node)).collect(),
        contexts: items(root, "contexts", "context").map(|(name, node)| context(name, node)).collect(),
        current: text(root, "current-context").filter(|name| !name.is_empty()).map(owned),
        unresolved: None,
    };
    match current(root) {
        Ok(current) => {
            first(&mut survey.clusters, |found| found.name == current.cluster_name);
            first(&mut survey.users, |found| found.name == current.user_name);
        }
        Err(error) => survey.unresolved = Some(error),
    }
    Ok(survey)
}

/// Moves the first that fits to the front; the others keep their order.
fn first<T>(list: &mut [T], fits: impl Fn(&T) -> bool) {
    if let Some(at) = list.iter().position(fits)
        && let Some(head) = list.get_mut(..=at)
    {
        head.rotate_right(1);
    }
}

/// Names and contents of a list. client-go takes the first of two with one name; the other is of no use to anybody.
fn items<'n>(root: &'n Node, list: &str, what: &'static str) -> impl Iterator<Item = (&'n str, &'n Node)> {
    let items = match field(root, list).map(|node| &node.value) {
        Some(Value::Sequence(items)) => items.as_slice(),
        _ => &[],
    };
    items.iter().filter_map(move |item| Some((text(item, "name")?, field(item, what)?)))
}

fn cluster(name: &str, node: &Node) -> Cluster<'static> {
    Cluster {
        name: owned(name),
        server: owned(text(node, "server").unwrap_or_default()),
        authority: source(node, AUTHORITY, "certificate-authority"),
    }
}

fn user(name: &str, node: &Node) -> User<'static> {
    User {
        name: owned(name),
        certificate: source(node, CERTIFICATE, "client-certificate"),
        credentials: CREDENTIALS.iter().copied().filter(|key| field(node, key).is_some()).collect(),
    }
}

fn context(name: &str, node: &Node) -> Context<'static> {
    let part = |key| owned(text(node, key).unwrap_or_default());
    Context { name: owned(name), cluster: part("cluster"), user: part("user") }
}

/// Data wins over a file, as in client-go.
fn source(node: &Node, data: &str, file: &str) -> Option<Source<'static>> {
    let stated = |key: &str| text(node, key).filter(|text| !text.is_empty()).map(owned);
    stated(data).map(Source::Data).or_else(|| stated(file).map(Source::File))
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}
