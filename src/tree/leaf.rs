//! The certificates of an entry: in a file of their own, or embedded in a kubeconfig.

use crate::kubeconfig::{self, Credentials};
use crate::x509::{Certificate, parse_pem_bundle};

/// The certificates in a file of PEM blocks, or in a kubeconfig's client-certificate-data, the leaf first. `None`: neither.
pub fn bundle(bytes: &[u8]) -> Option<Vec<Certificate>> {
    parse_pem_bundle(bytes).ok().or_else(|| embedded(bytes))
}

/// The certificates that a kubeconfig embeds.
pub fn embedded(bytes: &[u8]) -> Option<Vec<Certificate>> {
    match kubeconfig::read(bytes).ok()?.credentials {
        Credentials::Embedded { certificate, .. } => parse_pem_bundle(&certificate).ok(),
        Credentials::Files { .. } => None,
    }
}

/// The first of them.
pub fn leaf(bytes: &[u8]) -> Option<Certificate> {
    bundle(bytes)?.into_iter().next()
}
