//! A CertificateSigningRequest of certificates.k8s.io/v1, as `kubectl get csr -o yaml` writes it.

use crate::encoding::shown::{named, shown};
use crate::encoding::yaml::{self, Flaw, Mark, Node, Value, field, text};
use crate::inventory::looks_like_manifest;
use crate::manifest;
use crate::plan::csr_manifest::Asked;
use zeroize::Zeroizing;

const KIND: &str = "CertificateSigningRequest";
const GROUP: &str = "certificates.k8s.io/";

/// Why a manifest is none that can be signed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("{}:{}: {flaw}", .at.line, .at.column)]
    Yaml { at: Mark, flaw: Flaw },
    #[error("expected one CertificateSigningRequest, found {found}: {names}")]
    Several { found: usize, names: String },
    #[error("expected apiVersion {GROUP}v1, found {}", shown(.0))]
    Version(String),
    #[error("expected base64 of a PEM request in spec.request of {0}")]
    Request(String),
    #[error("expected a number of seconds in spec.expirationSeconds, found {}", shown(.0))]
    Lifetime(String),
}

impl ManifestError {
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Several { .. } => Some("write each to a file of its own: kubectl get csr NAME -o yaml > NAME.yaml"),
            _ => None,
        }
    }
}

/// The bytes of the request in a file, and what is asked beside it, if the file is a manifest.
pub fn request(bytes: Zeroizing<Vec<u8>>) -> Result<(Zeroizing<Vec<u8>>, Option<Asked>), ManifestError> {
    Ok(match read(&bytes)? {
        Some((request, asked)) => (request, Some(asked)),
        None => (bytes, None),
    })
}

/// `None`: the file is no manifest, or has no such object.
fn read(bytes: &[u8]) -> Result<Option<(Zeroizing<Vec<u8>>, Asked)>, ManifestError> {
    if bytes.starts_with(b"-----BEGIN ") || !looks_like_manifest(bytes) {
        return Ok(None);
    }
    let stream = yaml::read_as_kubectl(bytes);
    let all = manifest::objects(&stream.documents);
    let found: Vec<_> = all.iter().filter(|object| object.kind == KIND).collect();
    let object = match (found.as_slice(), stream.faults.first()) {
        ([], _) => return Ok(None),
        (_, Some(fault)) => return Err(ManifestError::Yaml { at: fault.mark, flaw: fault.flaw.clone() }),
        ([one], None) => *one,
        (several, None) => {
            let names = several.iter().take(5).map(|object| object.name.map_or_else(|| "(no name)".to_owned(), named));
            let (found, names) = (several.len(), names.collect::<Vec<_>>().join(", "));
            return Err(ManifestError::Several { found, names });
        }
    };
    // The items of a list may leave it to the list.
    let version = text(object.node, "apiVersion").unwrap_or(GROUP);
    if !version.starts_with(GROUP) {
        return Err(ManifestError::Version(version.to_owned()));
    }
    let values = manifest::values(object).unwrap_or_default();
    let request = values.iter().find(|value| value.key == "spec.request").and_then(|value| value.bytes().ok());
    let request = request.ok_or_else(|| ManifestError::Request(object.to_string()))?;
    Ok(Some((request, asked(object.node)?)))
}

fn asked(node: &Node) -> Result<Asked, ManifestError> {
    let spec = field(node, "spec");
    let said = |key| spec.and_then(|spec| text(spec, key));
    let lifetime = said("expirationSeconds").map(|text| {
        text.parse::<i64>().ok().filter(|seconds| *seconds > 0).ok_or_else(|| ManifestError::Lifetime(text.to_owned()))
    });
    let conditions = list(field(node, "status"), "conditions");
    Ok(Asked {
        signer: said("signerName").map(str::to_owned),
        usages: list(spec, "usages").iter().filter_map(plain).collect(),
        lifetime: lifetime.transpose()?,
        is_denied: conditions.iter().any(|one| text(one, "type") == Some("Denied")),
    })
}

fn list<'n>(node: Option<&'n Node>, key: &str) -> &'n [Node] {
    match node.and_then(|node| field(node, key)).map(|list| &list.value) {
        Some(Value::Sequence(items)) => items,
        _ => &[],
    }
}

fn plain(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text.to_string()),
        _ => None,
    }
}
