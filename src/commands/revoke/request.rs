//! The request from the command line.

use crate::catalog::CaId;
use crate::plan::revoke::Verb;
use crate::report::revoke::RevocationEntry;
use crate::workspace::{RunArgs, TreeArgs};
use std::path::PathBuf;
use time::OffsetDateTime;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Write DER beside PEM.
    pub der: bool,
    pub verb: Verb,
    pub names: Vec<String>,
    pub certificate: Option<PathBuf>,
    /// The serial number with its issuer.
    pub serial: Option<(String, CaId)>,
    pub invalid_since: Option<OffsetDateTime>,
    pub unknown_serial: bool,
    /// What somebody has said yes to; `None`: nobody was asked.
    pub confirmed: Option<Vec<RevocationEntry>>,
}
