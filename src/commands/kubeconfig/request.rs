//! What the command line asks for.

use crate::blueprint::{Algorithm, ExtendedKeyUsage, Name};
use crate::ca::{self, PrivateKey};
use crate::catalog::{CaId, Files};
use crate::clock::Span;
use crate::encoding::pem;
use crate::error::{self, Error};
use crate::kubeconfig::{self, ClientKey, Kubeconfig};
use crate::plan::blueprints::{self, Bounds};
use crate::plan::init::control_plane_url;
use crate::plan::renew::refusal;
use crate::profile::Profile;
use crate::store;
use crate::tree::{Authority, file};
use crate::workspace::{RunArgs, Snapshot, Transaction, TreeDir, journal, profiles, survey};
use crate::x509;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub user: String,
    pub groups: Vec<String>,
    pub validity: Span,
    pub server: Option<String>,
    pub cluster: Option<String>,
    pub algorithm: Option<Algorithm>,
    /// The user's request: the key stays with its owner.
    pub csr: Option<PathBuf>,
    /// Where the owner keeps that key.
    pub key_file: Option<String>,
    pub dir: PathBuf,
    pub allow_masters: bool,
    pub run: RunArgs,
}
