//! A kubeconfig as a YAML document: its fields, and what its current context leads to.

use zeroize::Zeroizing;

use super::error::KubeconfigError;
use crate::encoding::base64;
use crate::encoding::yaml::{self, Fault, Flaw, Node, Stream, Value, field, text};

pub const CERTIFICATE: &str = "client-certificate-data";
pub const KEY: &str = "client-key-data";
pub const AUTHORITY: &str = "certificate-authority-data";

pub fn stream(bytes: &[u8]) -> Result<Stream, KubeconfigError> {
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

pub fn root(stream: &Stream) -> Result<&Node, KubeconfigError> {
    let root = stream.documents.first().filter(|root| text(root, "kind") == Some("Config"));
    root.ok_or(KubeconfigError::NotAKubeconfig)
}

/// What the current context leads to.
pub struct Current<'n> {
    pub cluster_name: &'n str,
    pub user_name: &'n str,
    pub cluster: &'n Node,
    pub user: &'n Node,
}

pub fn current(root: &Node) -> Result<Current<'_>, KubeconfigError> {
    let name = text(root, "current-context").filter(|name| !name.is_empty());
    let context = named(root, "contexts", "context", name.ok_or(KubeconfigError::Missing("current-context"))?)?;
    let cluster_name = text(context, "cluster").ok_or(KubeconfigError::Missing("context.cluster"))?;
    let user_name = text(context, "user").ok_or(KubeconfigError::Missing("context.user"))?;
    let cluster = named(root, "clusters", "cluster", cluster_name)?;
    let user = named(root, "users", "user", user_name)?;
    Ok(Current { cluster_name, user_name, cluster, user })
}

/// The items of a list at the top; one that is missing, or no list, has none.
pub fn items<'n>(root: &'n Node, list: &str) -> &'n [Node] {
    match field(root, list).map(|node| &node.value) {
        Some(Value::Sequence(items)) => items,
        _ => &[],
    }
}

/// The `what` of the item of `list` that has this name.
fn named<'n>(root: &'n Node, list: &str, what: &'static str, name: &str) -> Result<&'n Node, KubeconfigError> {
    items(root, list)
        .iter()
        .find(|item| text(item, "name") == Some(name))
        .and_then(|item| field(item, what))
        .ok_or_else(|| KubeconfigError::Unresolved { what, name: name.to_owned() })
}

/// An empty text is none, as in client-go.
pub fn data(node: &Node, key: &'static str) -> Result<Option<Zeroizing<Vec<u8>>>, KubeconfigError> {
    let stated = text(node, key).filter(|text| !text.trim().is_empty());
    stated.map(|text| base64::decode(text.as_bytes()).map_err(|_| KubeconfigError::NotBase64(key))).transpose()
}
