//! The objects of a manifest: one, several documents, a list.

use std::fmt;

use crate::encoding::shown::named;
use crate::encoding::yaml::{Node, Value, field, text};

/// One object, and where it is.
#[derive(Debug, Clone)]
pub struct Object<'n> {
    pub kind: String,
    /// `None`: it has none.
    pub name: Option<&'n str>,
    pub namespace: Option<&'n str>,
    /// Counted from 1, where there are several.
    pub document: Option<usize>,
    pub node: &'n Node,
}

/// `Secret web/tls`, `document 2: Secret web/tls`.
impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(document) = self.document {
            write!(f, "document {document}: ")?;
        }
        let kind = if self.kind.is_empty() { "object without a kind".to_owned() } else { named(&self.kind) };
        let name = self.name.map_or_else(|| "(no name)".to_owned(), named);
        match self.namespace {
            Some(namespace) => write!(f, "{kind} {}/{name}", named(namespace)),
            None => write!(f, "{kind} {name}"),
        }
    }
}

/// Every object of every document; the items of a list are objects, and a list in a list is one of its own.
pub fn objects(documents: &[Node]) -> Vec<Object<'_>> {
    let mut all = Vec::new();
    for (node, number) in documents.iter().zip(1..) {
        let document = (documents.len() > 1).then_some(number);
        let kind = text(node, "kind").unwrap_or_default();
        match (kind.strip_suffix("List"), field(node, "items").map(|items| &items.value)) {
            // The items of a SecretList need no kind.
            (Some(inner), Some(Value::Sequence(items))) => {
                all.extend(items.iter().map(|item| object(item, text(item, "kind").unwrap_or(inner), document)));
            }
            _ => all.push(object(node, kind, document)),
        }
    }
    all
}

fn object<'n>(node: &'n Node, kind: &str, document: Option<usize>) -> Object<'n> {
    let part = |key| field(node, "metadata").and_then(|metadata| text(metadata, key)).filter(|text| !text.is_empty());
    Object { kind: kind.to_owned(), name: part("name"), namespace: part("namespace"), document, node }
}
