//! The requests from the command line.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::encrypted::Password;
use crate::workspace::RunArgs;
use crate::workspace::backup::Source;

/// `kpki backup`.
#[derive(Debug, Clone)]
pub struct Request {
    pub dir: PathBuf,
    pub kubelet_dir: Option<PathBuf>,
    /// `None`: standard output.
    pub out: Option<PathBuf>,
    pub passphrase: Passphrase,
    /// What opens the authorities' keys in the tree that are encrypted; `None`: they are not opened.
    pub keys: Option<Zeroizing<String>>,
    pub run: RunArgs,
}

/// What locks a backup.
#[derive(Debug, Clone)]
pub enum Passphrase {
    Given(Password),
    /// Another program encrypts it.
    Unencrypted,
}

/// `kpki backup verify`.
#[derive(Debug)]
pub struct VerifyRequest {
    pub source: Source,
    /// The tree it is compared with.
    pub dir: Option<PathBuf>,
    pub kubelet_dir: Option<PathBuf>,
    pub keys: Option<Zeroizing<String>>,
}

/// `kpki backup restore`.
#[derive(Debug)]
pub struct RestoreRequest {
    pub source: Source,
    pub dir: PathBuf,
    pub keys: Option<Zeroizing<String>>,
}
