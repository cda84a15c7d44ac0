//! A kubeconfig as a YAML document: its fields, and what its current context leads to.

use zeroize::Zeroizing;

use super::error::KubeconfigError;
use crate::encoding::base64;
use crate::encoding::contents::Contents;
use crate::encoding::found::found;
use crate::encoding::key_public::Half;
use crate::encoding::pem_blocks::blocks;
use crate::encoding::raw_key::RawKey;
use crate::encoding::yaml::{self, Fault, Flaw, Node, Stream, Value, field, text};

pub const CERTIFICATE: &str = "client-certificate-data";
pub const KEY: &str = "client-key-data";
pub const AUTHORITY: &str = "certificate-authority-data";
pub const SERVER: &str = "server";

/// As kubectl reads it.
pub fn stream(bytes: &[u8]) -> Result<Stream, KubeconfigError> {
    sound(bytes, yaml::read_as_kubectl(bytes))
}

/// Without anything by which one text stands in two places, so that a change of its bytes is a change of one value.
pub fn plain_stream(bytes: &[u8]) -> Result<Stream, KubeconfigError> {
    sound(bytes, yaml::read(bytes))
}

fn sound(bytes: &[u8], stream: Stream) -> Result<Stream, KubeconfigError> {
    match stream.faults.first().map(refused) {
        Some(KubeconfigError::NotYaml { line, column }) => {
            Err(found(bytes).map_or(KubeconfigError::NotYaml { line, column }, KubeconfigError::Other))
        }
        Some(why) => Err(why),
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
        Flaw::AliasInItself | Flaw::Multiplied { .. } | Flaw::NotMergeable | Flaw::NotBase64 => {
            return KubeconfigError::Refused { line, column, flaw: fault.flaw.clone() };
        }
        _ => return KubeconfigError::NotYaml { line, column },
    };
    KubeconfigError::Unusual { what, line, column }
}

pub fn root(stream: &Stream) -> Result<&Node, KubeconfigError> {
    stream.documents.first().filter(|root| is_kubeconfig(root)).ok_or(KubeconfigError::NotAKubeconfig)
}

/// By kind and version, which may be left out, as for client-go; a document that says neither has one of the lists.
pub fn is_kubeconfig(root: &Node) -> bool {
    let kind = text(root, "kind").unwrap_or_default();
    let version = text(root, "apiVersion").unwrap_or_default();
    let lists = ["clusters", "contexts", "users"];
    let has_list =
        || lists.iter().any(|list| matches!(field(root, list), Some(Node { value: Value::Sequence(_), .. })));
    matches!(version, "" | "v1") && (kind == "Config" || (kind.is_empty() && has_list()))
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
    stated.map(|text| decode(key, text)).transpose()
}

/// What kubectl shows of data that it does not show.
const REDACTED: [&str; 2] = ["REDACTED", "DATA+OMITTED"];

fn decode(key: &'static str, text: &str) -> Result<Zeroizing<Vec<u8>>, KubeconfigError> {
    match base64::decode(text.as_bytes()) {
        _ if REDACTED.contains(&text.trim()) => Err(KubeconfigError::Redacted(key)),
        Err(_) => Err(KubeconfigError::NotBase64(key)),
        Ok(bytes) => Ok(bytes),
    }
}

/// The PEM in a field of this name; what kind of blocks it has is the caller's to look at.
pub fn pem(key: &'static str, text: &str) -> Result<Zeroizing<Vec<u8>>, KubeconfigError> {
    let bytes = decode(key, text)?;
    match blocks(&bytes).next() {
        Some(_) => Ok(bytes),
        None => Err(not_pem(key, &bytes)),
    }
}

fn not_pem(field: &'static str, bytes: &[u8]) -> KubeconfigError {
    let wanted = if field == KEY { "a private key" } else { "a certificate" };
    let found = if bytes.is_empty() { Contents::Nothing } else { Contents::of(bytes) };
    KubeconfigError::NotPem { field, wanted, found }
}

/// Whether a text is the base64 of a private key's PEM, and whose key it is, where it says so.
pub fn key(text: &str) -> Result<Option<Half>, KubeconfigError> {
    let bytes = pem(KEY, text)?;
    for block in blocks(&bytes) {
        let found = block.and_then(|raw| Ok((raw.is_private_key(), raw.decode()?)));
        match found {
            Ok((true, block)) if block.encrypted || block.label.is("ENCRYPTED PRIVATE KEY") => {
                return Err(KubeconfigError::EncryptedKey(KEY));
            }
            Ok((true, block)) => {
                let half = Half::stated(&block);
                let is_key = || RawKey::detect(&block.contents).is_some_and(|key| key.kind().is_ok());
                return if half.is_some() || is_key() { Ok(half) } else { Err(KubeconfigError::BrokenKey(KEY)) };
            }
            Ok((false, _)) => {}
            Err(why) => return Err(KubeconfigError::BrokenPem { field: KEY, why }),
        }
    }
    Err(not_pem(KEY, &bytes))
}
