//! Manifests of Secrets with a certificate in them: `type: kubernetes.io/tls`, alone, in a list, or one document of many.

use super::Kind;
use super::content::{self, mentions};
use super::piece::Piece;
use crate::encoding::base64;
use crate::encoding::yaml::{self, Node, Value};

const TYPE: &str = "kubernetes.io/tls";
/// What holds certificates; `tls.key` is never decoded.
const FIELDS: &[&str] = &["tls.crt", "ca.crt"];

pub fn looks_like(bytes: &[u8]) -> bool {
    mentions(bytes, TYPE) && mentions(bytes, "Secret")
}

pub fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let stream = yaml::read(bytes);
    let mut found = Vec::new();
    for document in &stream.documents {
        secrets(document, &mut found);
    }
    // A template or a text that talks of Secrets is none; a manifest that holds certificates and cannot be read is told.
    if let Some(fault) = stream.faults.first().filter(|_| mentions(bytes, "tls.crt") && !mentions(bytes, "{{")) {
        let (line, column) = (fault.mark.line, fault.mark.column);
        found.push(Piece::broken(Kind::Secret, 0, format!("{line}:{column}: {}", fault.flaw)));
    }
    found
}

fn secrets(document: &Node, found: &mut Vec<Piece>) {
    match text(document, "kind") {
        Some("Secret") if text(document, "type") == Some(TYPE) => secret(document, found),
        Some("List" | "SecretList") => {
            if let Some(Value::Sequence(items)) = field(document, "items").map(|items| &items.value) {
                for item in items {
                    // The items of a SecretList need not say what they are, and a list in a list is not taken.
                    if text(item, "type") == Some(TYPE) && matches!(text(item, "kind"), None | Some("Secret")) {
                        secret(item, found);
                    }
                }
            }
        }
        _ => {}
    }
}

fn secret(node: &Node, found: &mut Vec<Piece>) {
    let metadata = field(node, "metadata");
    let part = |key| metadata.and_then(|node| text(node, key));
    let name = match (part("namespace"), part("name").unwrap_or("(no name)")) {
        (Some(namespace), name) => format!("{namespace}/{name}"),
        (None, name) => name.to_owned(),
    };
    for (index, key) in FIELDS.iter().enumerate() {
        let plain = field(node, "stringData").and_then(|data| text(data, key)).map(|text| text.as_bytes().to_vec());
        let encoded = field(node, "data").and_then(|data| text(data, key)).filter(|text| !text.is_empty());
        let label = if index == 0 { name.clone() } else { format!("{name} {key}") };
        // The API server lets stringData win.
        let pieces = match (plain, encoded.map(|data| base64::decode(data.as_bytes()))) {
            (Some(pem), _) => content::pem(&pem, Kind::Secret),
            (None, Some(Ok(pem))) => content::pem(&pem, Kind::Secret),
            (None, Some(Err(_))) => vec![Piece::broken(Kind::Secret, 0, format!("expected base64 in {key}"))],
            (None, None) => continue,
        };
        let empty = pieces.is_empty();
        found.extend(pieces.into_iter().map(|piece| piece.within(&label)));
        if empty {
            let why = format!("expected a PEM certificate in {key}, found none");
            found.push(Piece::broken(Kind::Secret, 0, why).within(&label));
        }
    }
}

fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Mapping(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
        _ => None,
    }
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match &field(node, key)?.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
