//! What is said of a certificate that is served.

use super::endpoint::Endpoint;
use super::on_disk::Signer;
use crate::blueprint::{Name, San};
use crate::catalog::readers::{self, Reader};
use crate::catalog::releases::KnownRelease;
use crate::encoding::name;
use crate::encoding::shown::named;
use crate::x509::Certificate;

/// What people call a subject or issuer. A peer may send anything.
pub fn called(name: &Name) -> String {
    name.common_name().map_or_else(|| "a name without CN".to_owned(), |name| named(&name))
}

/// The same of DER.
pub fn called_in(der: &[u8]) -> String {
    name::read(der).map_or_else(|_| "a name that cannot be read".to_owned(), |name| called(&name))
}

/// Who signed it.
pub fn origin(leaf: &Certificate, signer: Signer<'_>) -> String {
    match signer {
        Signer::Entry(authority) => format!("signed by {authority}"),
        Signer::Itself => "self-signed, as components make it in memory".to_owned(),
        Signer::Namesake(authority) => format!(
            "signed by another {authority} than the one on disk: another cluster's, or the one before it was replaced"
        ),
        Signer::Unknown => format!("issued by {}, which is not on disk", called(&leaf.issuer)),
    }
}

/// Why an older one is still served, and what ends that.
pub fn older(endpoint: &Endpoint, release: KnownRelease) -> String {
    let Some(listener) = endpoint.listener else {
        return "the one on disk is newer: what serves it has not read it again".to_owned();
    };
    let on = endpoint.id.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
    let component = listener.component;
    let is_its = |reader: &&Reader| reader.component == component;
    let Some(reader) = readers::of(listener.entry, release.release).find(is_its) else {
        return format!("the one on disk is newer: restart {component}{on}");
    };
    let except = reader.except.map(|except| format!(", but {except}")).unwrap_or_default();
    match reader.action.within() {
        Some(within) => {
            let then = format!("if it is later than that, restart it{on}");
            format!("the one on disk is newer: {component} takes it up by itself, {within}{except}; {then}")
        }
        None => format!("the one on disk is newer: restart {component}{on}: {}{except}", reader.why),
    }
}

/// How that is done on the node.
pub fn restart(endpoint: &Endpoint) -> Vec<String> {
    endpoint.listener.and_then(|listener| readers::command(listener.component)).into_iter().collect()
}

/// The leaf is the same; what follows it may not be.
pub fn chains(served: usize, on_disk: usize) -> String {
    if served == on_disk {
        return String::new();
    }
    format!("with {} behind it, and {} on disk", certificates(served), certificates(on_disk))
}

fn certificates(chain: usize) -> String {
    match chain.saturating_sub(1) {
        0 => "none".to_owned(),
        1 => "1 certificate".to_owned(),
        more => format!("{more} certificates"),
    }
}

const NAMES: usize = 4;

pub fn names(sans: &[San]) -> String {
    let shown: Vec<String> = sans.iter().take(NAMES).map(|san| named(&san.to_string())).collect();
    match (shown.len(), sans.len().saturating_sub(NAMES)) {
        (0, _) => "none".to_owned(),
        (_, 0) => shown.join(", "),
        (_, more) => format!("{}, and {more} more", shown.join(", ")),
    }
}
