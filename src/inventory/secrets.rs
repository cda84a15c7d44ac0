//! Manifests of Secrets with a certificate in them: `type: kubernetes.io/tls`, alone, in a list, or one document of many.

use super::item::Kind;
use super::object::ParsedObject;
use super::pem::{self, mentions};
use super::unreadable::{Contents, Unreadable};
use crate::encoding::base64;
use crate::encoding::shown::named;
use crate::encoding::yaml::{self, Node, Value, field, text};

const TYPE: &str = "kubernetes.io/tls";
/// What holds certificates; `tls.key` is never decoded.
const FIELDS: &[&str] = &["tls.crt", "ca.crt"];

pub fn looks_like(bytes: &[u8]) -> bool {
    mentions(bytes, TYPE) && mentions(bytes, "Secret")
}

/// One field of one Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// NAMESPACE/NAME.
    pub name: String,
    pub field: &'static str,
    /// Decoded, or why it cannot be.
    pub pem: Result<Vec<u8>, Unreadable>,
}

pub fn objects(bytes: &[u8]) -> Vec<ParsedObject> {
    let stream = yaml::read(bytes);
    let mut found = Vec::new();
    for part in stream.documents.iter().flat_map(of_document) {
        let label = if part.field == "tls.crt" { part.name } else { format!("{} {}", part.name, part.field) };
        let objects = match part.pem {
            Ok(pem) => pem::objects(&pem, Kind::Secret),
            Err(why) => vec![ParsedObject::broken(Kind::Secret, 0, why)],
        };
        if objects.is_empty() {
            let (expected, field) = ("a PEM certificate", Some(part.field));
            let why = Unreadable::Unexpected { expected, field, found: Contents::Nothing };
            found.push(ParsedObject::broken(Kind::Secret, 0, why).within(&label));
        }
        found.extend(objects.into_iter().map(|object| object.within(&label)));
    }
    // A template or a text that mentions Secrets is none; a manifest of certificates that cannot be read is reported.
    if let Some(fault) = stream.faults.first().filter(|_| mentions(bytes, "tls.crt") && !mentions(bytes, "{{")) {
        let why = Unreadable::Yaml { at: fault.mark, flaw: fault.flaw.clone() };
        found.push(ParsedObject::broken(Kind::Secret, 0, why));
    }
    found
}

/// The fields of every such Secret in a manifest that hold certificates.
pub fn parts(bytes: &[u8]) -> Vec<Part> {
    if looks_like(bytes) { yaml::read(bytes).documents.iter().flat_map(of_document).collect() } else { Vec::new() }
}

fn of_document(document: &Node) -> Vec<Part> {
    match text(document, "kind") {
        Some("Secret") if text(document, "type") == Some(TYPE) => of_secret(document).collect(),
        // The items of a SecretList need no kind, and a list in a list is not taken.
        Some("List" | "SecretList") => match field(document, "items").map(|items| &items.value) {
            Some(Value::Sequence(items)) => items
                .iter()
                .filter(|item| text(item, "type") == Some(TYPE) && matches!(text(item, "kind"), None | Some("Secret")))
                .flat_map(of_secret)
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn of_secret(node: &Node) -> impl Iterator<Item = Part> {
    let metadata = field(node, "metadata");
    let part = |key| metadata.and_then(|node| text(node, key));
    let name = match (part("namespace"), part("name").unwrap_or("(no name)")) {
        (Some(namespace), name) => format!("{}/{}", named(namespace), named(name)),
        (None, name) => named(name),
    };
    FIELDS.iter().filter_map(move |key| {
        let stated = |data| field(node, data).and_then(|data| text(data, key)).filter(|text| !text.is_empty());
        // The API server lets stringData win.
        let pem = match (stated("stringData"), stated("data")) {
            (Some(pem), _) => Ok(pem.as_bytes().to_vec()),
            (None, Some(data)) => match base64::decode(data.as_bytes()) {
                Ok(pem) => Ok(pem.to_vec()),
                Err(_) => Err(Unreadable::NotBase64(key)),
            },
            (None, None) => return None,
        };
        Some(Part { name: name.clone(), field: key, pem })
    })
}
