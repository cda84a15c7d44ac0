//! New credentials into a kubeconfig of any origin: only the values change, every other byte stays.

use std::ops::Range;

use zeroize::Zeroizing;

use super::document::{AUTHORITY, CERTIFICATE, KEY, SERVER, current, data, plain_stream, root};
use super::error::KubeconfigError;
use super::plain;
use super::read::{Credentials, Read, read};
use crate::encoding::base64;
use crate::encoding::yaml::{Node, Stream, Value, field};

/// What the current context is to authenticate by. All of it is PEM.
pub struct NewCredentials<'a> {
    pub certificate: &'a str,
    /// `None`: the key keeps its bytes.
    pub key: Option<&'a str>,
    /// The bundle to trust. `None`, or no data there to replace (a CA file, the system's roots): it stays as it is.
    pub authority: Option<&'a str>,
    /// The URL of the API server. `None`: it stays as it is.
    pub server: Option<&'a str>,
}

/// The key stays out of logs.
impl std::fmt::Debug for NewCredentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewCredentials")
    }
}

/// Replaces `client-certificate-data` and `client-key-data` of the current context's user, and
/// `certificate-authority-data` of its cluster. Each becomes base64 on one line, in the quotes or the block it was in;
/// keys are never added.
///
/// # Errors
/// What [`read`] refuses; credentials that are not embedded; an edit that is not read back as exactly what was wanted.
pub fn replace(bytes: &[u8], new: &NewCredentials<'_>) -> Result<Zeroizing<Vec<u8>>, KubeconfigError> {
    let stream = plain_stream(bytes)?;
    let old = read(bytes)?;
    if let Credentials::Files { certificate, .. } = old.credentials {
        return Err(KubeconfigError::NotEmbedded { certificate });
    }
    let current = current(root(&stream)?)?;
    let wanted = [
        (current.user, CERTIFICATE, Some(new.certificate)),
        (current.user, KEY, new.key),
        (current.cluster, AUTHORITY, new.authority),
    ];
    let edits = with_server(edits(bytes, wanted)?, bytes, current.cluster, new.server);
    edited(bytes, &stream, &edits, |edited| says(edited, &old, new))
}

/// Replaces `certificate-authority-data` and `server` of the current context's cluster alone, wherever the credential is.
///
/// # Errors
/// What [`read`] refuses; an edit that is not read back as exactly what was wanted.
pub fn replace_cluster(
    bytes: &[u8],
    authority: Option<&str>,
    server: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, KubeconfigError> {
    let stream = plain_stream(bytes)?;
    let current = current(root(&stream)?)?;
    let edits = with_server(edits(bytes, [(current.cluster, AUTHORITY, authority)])?, bytes, current.cluster, server);
    edited(bytes, &stream, &edits, |edited| {
        authority.is_none_or(|wanted| edited.authority == wanted.as_bytes())
            && server.is_none_or(|wanted| edited.server == wanted)
    })
}

/// The text with these edits, which says what is wanted and is the old one beside them.
fn edited(
    bytes: &[u8],
    stream: &Stream,
    edits: &[Edit],
    says: impl Fn(&Read) -> bool,
) -> Result<Zeroizing<Vec<u8>>, KubeconfigError> {
    let edited = apply(bytes, edits).ok_or(KubeconfigError::EditedWrongly)?;
    let again = plain_stream(&edited)?;
    let same = stream.documents.len() == again.documents.len()
        && stream.documents.iter().zip(&again.documents).all(|(old, new)| same_beside(edits, old, new));
    if !same || !says(&read(&edited)?) {
        return Err(KubeconfigError::EditedWrongly);
    }
    Ok(edited)
}

/// Whether its credentials can be replaced where they stand.
///
/// # Errors
/// What kubectl reads and [`replace`] refuses: an anchor, an alias, a merge key, a tag, a key twice.
pub fn editable(bytes: &[u8]) -> Result<(), KubeconfigError> {
    // kubeadm's own shape has nothing that stands in two places.
    if plain::read(bytes).is_some() { Ok(()) } else { plain_stream(bytes).map(|_| ()) }
}

/// One scalar and what takes its place.
struct Edit {
    range: Range<usize>,
    /// Base64 or a URL, without quotes.
    text: Zeroizing<String>,
}

/// In the order of the file.
fn edits<'a>(
    bytes: &[u8],
    wanted: impl IntoIterator<Item = (&'a Node, &'static str, Option<&'a str>)>,
) -> Result<Vec<Edit>, KubeconfigError> {
    let mut edits = Vec::new();
    for (node, key, new) in wanted {
        if let (Some(new), Some(node), Some(_)) = (new, field(node, key), data(node, key)?) {
            edits.push(Edit { range: inner(bytes, &node.range), text: base64::encode(new.as_bytes()) });
        }
    }
    edits.sort_by_key(|edit| edit.range.start);
    Ok(edits)
}

fn with_server(mut edits: Vec<Edit>, bytes: &[u8], cluster: &Node, server: Option<&str>) -> Vec<Edit> {
    if let (Some(server), Some(node)) = (server, field(cluster, SERVER)) {
        edits.push(Edit { range: inner(bytes, &node.range), text: Zeroizing::new(server.to_owned()) });
        edits.sort_by_key(|edit| edit.range.start);
    }
    edits
}

/// A scalar's bytes without its quotes. No base64 begins with one.
fn inner(bytes: &[u8], range: &Range<usize>) -> Range<usize> {
    match bytes.get(range.clone()) {
        Some([b'"', .., b'"'] | [b'\'', .., b'\'']) => range.start + 1..range.end - 1,
        _ => range.clone(),
    }
}

/// `None`: the ranges are not in order inside the text.
fn apply(bytes: &[u8], edits: &[Edit]) -> Option<Zeroizing<Vec<u8>>> {
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    // Reserved at once: growing would leave copies of the key behind.
    let mut edited = Zeroizing::new(Vec::with_capacity(bytes.len() + added));
    let mut at = 0;
    for edit in edits {
        edited.extend_from_slice(bytes.get(at..edit.range.start)?);
        edited.extend_from_slice(edit.text.as_bytes());
        at = edit.range.end;
    }
    edited.extend_from_slice(bytes.get(at..)?);
    Some(edited)
}

/// Whether two trees are one but for the edited scalars, which are scalars of their kind still.
fn same_beside(edits: &[Edit], old: &Node, new: &Node) -> bool {
    let is_edited = || edits.iter().any(|edit| old.range.start <= edit.range.start && edit.range.end <= old.range.end);
    match (&old.value, &new.value) {
        (Value::Null, Value::Null) => true,
        (Value::Scalar { text: a, style: x }, Value::Scalar { text: b, style: y }) => x == y && (a == b || is_edited()),
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_beside(edits, a, b))
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && same_beside(edits, &a.node, &b.node))
        }
        _ => false,
    }
}

/// Whether an edited kubeconfig holds the new values, and the old ones where there are none.
fn says(edited: &Read, old: &Read, new: &NewCredentials<'_>) -> bool {
    let (Credentials::Embedded { certificate, key }, Credentials::Embedded { key: old_key, .. }) =
        (&edited.credentials, &old.credentials)
    else {
        return false;
    };
    let authority = match new.authority {
        Some(authority) if !old.authority.is_empty() => authority.as_bytes(),
        _ => &old.authority,
    };
    certificate == new.certificate.as_bytes()
        && edited.server == new.server.unwrap_or(&old.server)
        && key.as_slice() == new.key.map_or(old_key.as_slice(), str::as_bytes)
        && edited.authority == authority
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
