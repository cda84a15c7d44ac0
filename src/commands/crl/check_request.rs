//! What `kpki crl check` is asked.

use crate::error::Error;
use crate::files::{self, FileError, What};
use crate::inventory::{self, Item, Kind, Reading};
use crate::kubeconfig::{self, Credentials};
use crate::report::crl::{Answer, CheckedCertificate as Row, CheckedCrl, CrlCheck, CrlState};
use crate::revocation::Reason;
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::TreeArgs;
use crate::workspace::survey::LARGEST_INPUT;
use crate::workspace::targets;
use crate::x509::path::{self, Part};
use crate::x509::revocation::{CrlIssuer, Status, Strictness, Vetted, status, vet};
use crate::x509::{Certificate, CrlLookup, PathError, Problem, Wanted, decimal, parse_pem_bundle, same_name};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files, directories, or names of the tree in `dir`; empty: everything of that tree.
    pub whom: Vec<String>,
    pub lists: Vec<PathBuf>,
    pub authorities: Vec<PathBuf>,
    /// One directory.
    pub trees: TreeArgs,
    /// An authority without cRLSign, and a list without a number, decide nothing.
    pub strict: bool,
    pub at: OffsetDateTime,
}
