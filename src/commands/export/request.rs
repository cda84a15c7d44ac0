//! What the command line asks for, and one file on its way.

use std::path::PathBuf;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub node: String,
    pub dir: PathBuf,
    /// The authorities' keys stay here, whatever the profile says.
    pub without_ca_keys: bool,
    pub gzip: bool,
    /// For the report.
    pub out: String,
    pub now: OffsetDateTime,
}

/// One file as it is to lie on the node.
pub struct Part {
    /// Absolute.
    pub path: String,
    pub mode: u32,
    pub entry: String,
    pub bytes: Zeroizing<Vec<u8>>,
}
