//! The command line of `kpki csr`, checked, and what comes of it.

use std::path::PathBuf;

use crate::plan::certificate_request::Issuer;
use crate::report::requests::Requests;
use crate::workspace::{RunArgs, TreeArgs};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Empty: all.
    pub names: Vec<String>,
    /// Instead of `DIR/.kpki/requests`.
    pub out: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Whom manifests for cert-manager ask.
    pub issuer: Option<Issuer>,
}

#[derive(Debug)]
pub struct Outcome {
    pub report: Requests,
    /// A manifest for each request, where an issuer was named.
    pub manifests: Option<String>,
}
