//! From the bytes of a file to the certificates and CRLs in it, by what it holds and not by what it is called.

use super::around::Around;
use super::framing::{Head, by_framing, head};
use super::item::Kind;
use super::object::ParsedObject;
use super::{kubeconfigs, manifests};

/// Every certificate and CRL in a file's bytes, in order; a broken one is an object of its own. Empty: there is none.
pub fn objects(bytes: &[u8], around: &mut Around<'_>) -> Vec<ParsedObject> {
    if matches!(head(bytes), Head::Pem { .. } | Head::Text)
        && let Some(found) = documents(bytes, around)
    {
        return found;
    }
    by_framing(bytes, Kind::Certificate, around.password)
}

/// A kubeconfig or a manifest, where the text looks like either. `None`: it is neither, or says nothing of certificates.
fn documents(bytes: &[u8], around: &mut Around<'_>) -> Option<Vec<ParsedObject>> {
    if kubeconfigs::looks_like(bytes)
        && let Some(found) = kubeconfigs::objects(bytes, around)
    {
        return Some(found);
    }
    let found = if manifests::looks_like(bytes) { manifests::objects(bytes, around) } else { Vec::new() };
    (!found.is_empty()).then_some(found)
}

/// Of bytes without a place.
#[cfg(any(test, feature = "internals"))]
pub fn alone(bytes: &[u8]) -> Vec<ParsedObject> {
    objects(bytes, &mut Around::new(super::around::NOWHERE, &mut super::load::Loader::default()))
}
