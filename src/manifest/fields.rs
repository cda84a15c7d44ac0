//! Which fields of which kind may hold certificates, as a table.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::objects::Object;
use crate::encoding::base64::{self, Base64Error};
use crate::encoding::yaml::{self, Node, field};

/// How a field says bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Base64,
    Text,
}
use Encoding::{Base64, Text};

/// Kind, path, encoding. `*`: every key of a mapping; `[]`: every item of a list.
const FIELDS: &[(&str, &str, Encoding)] = &[
    // The API server lets stringData win.
    ("Secret", "stringData.*", Text),
    ("Secret", "data.*", Base64),
    ("ConfigMap", "data.*", Text),
    ("ConfigMap", "binaryData.*", Base64),
    ("ValidatingWebhookConfiguration", "webhooks.[].clientConfig.caBundle", Base64),
    ("MutatingWebhookConfiguration", "webhooks.[].clientConfig.caBundle", Base64),
    ("APIService", "spec.caBundle", Base64),
    ("CustomResourceDefinition", "spec.conversion.webhook.clientConfig.caBundle", Base64),
    ("CustomResourceDefinition", "spec.conversion.webhookClientConfig.caBundle", Base64),
    ("CertificateSigningRequest", "spec.request", Base64),
    ("CertificateSigningRequest", "status.certificate", Base64),
    ("ClusterTrustBundle", "spec.trustBundle", Text),
];

/// One value of an object, not decoded: it may be a key.
#[derive(Clone)]
pub struct Value<'n> {
    /// Of a Secret or ConfigMap its key, else the field's path.
    pub key: String,
    encoding: Encoding,
    text: &'n str,
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({}, {} bytes)", self.key, self.text.len())
    }
}

impl Value<'_> {
    pub fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, Base64Error> {
        match self.encoding {
            Base64 => base64::decode(self.text.as_bytes()),
            Text => Ok(Zeroizing::new(self.text.as_bytes().to_vec())),
        }
    }
}

/// Whether a field of this name holds a certificate, or is broken.
pub fn must_hold_a_certificate(key: &str) -> bool {
    [".crt", "caBundle", "trustBundle", "status.certificate"].iter().any(|end| key.ends_with(end))
}

/// The values of an object's fields in the table; `None`: its kind is not in it. Blank ones are left out.
pub fn values<'n>(object: &Object<'n>) -> Option<Vec<Value<'n>>> {
    let mut rows = FIELDS.iter().filter(|(kind, ..)| *kind == object.kind).peekable();
    rows.peek()?;
    let mut found = Vec::new();
    for (_, path, encoding) in rows {
        let is_map = path.ends_with('*');
        walk(object.node, path, String::new(), &mut |at, text| {
            let key = match at.split_once('/') {
                Some((_, key)) if is_map => key.to_owned(),
                _ => at.replace('/', "."),
            };
            found.push(Value { key, encoding: *encoding, text });
        });
    }
    let mut seen = BTreeSet::new();
    found.retain(|value| !value.text.trim().is_empty() && seen.insert(value.key.clone()));
    Some(found)
}

/// Every text at a path; `at`: where, its parts with slashes between, which no key of Kubernetes has.
fn walk<'n>(node: &'n Node, path: &str, at: String, found: &mut dyn FnMut(&str, &'n str)) {
    let below = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}/{key}") };
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match (first, &node.value) {
        ("", yaml::Value::Scalar { text, .. }) => found(&at, text),
        ("*", yaml::Value::Mapping(entries)) => {
            entries.iter().for_each(|entry| walk(&entry.node, rest, below(&entry.key), found));
        }
        ("[]", yaml::Value::Sequence(items)) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(index, item)| walk(item, rest, format!("{at}[{index}]"), found));
        }
        ("" | "*" | "[]", _) => {}
        (key, _) => {
            if let Some(inner) = field(node, key) {
                walk(inner, rest, below(key), found);
            }
        }
    }
}
