//! The request from the command line.

use crate::workspace::RunArgs;
use std::ffi::OsString;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Where the archive comes from. It holds keys.
#[derive(Clone)]
pub enum Input {
    File(PathBuf),
    /// Standard input, all of it.
    Stream(Zeroizing<Vec<u8>>),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Input({self})")
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stream(_) => f.write_str("standard input"),
        }
    }
}

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub input: Input,
    pub dir: PathBuf,
    pub kubelet_dir: Option<PathBuf>,
    /// `None`: the machine's name is used.
    pub node: Option<String>,
    pub hostname: Option<String>,
    /// An older archive, or one of another cluster, may replace what lies there.
    pub force: bool,
    pub no_hooks: bool,
    /// The environment of hooks, from this process's.
    pub inherited: Vec<(&'static str, OsString)>,
    pub run: RunArgs,
}
