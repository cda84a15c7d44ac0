//! The request from the command line, and one file to export.

use std::path::PathBuf;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub node: String,
    pub dir: PathBuf,
    /// Omit the authorities' keys, whatever the profile has.
    pub without_ca_keys: bool,
    pub gzip: bool,
    /// Pack what is older than what the node has by its receipt.
    pub older: bool,
    /// For the report.
    pub out: String,
    pub now: OffsetDateTime,
    /// When it is recorded as packed: never in the machine's future.
    pub recorded_at: OffsetDateTime,
}

/// One file of the archive.
pub struct Part {
    /// Absolute.
    pub path: String,
    pub mode: u32,
    pub entry: String,
    pub bytes: Zeroizing<Vec<u8>>,
}
