//! The request from the command line.

use crate::files::{shell_path, shell_word};
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
    /// Entries that are newer on the node stay there.
    pub keep_newer: bool,
    pub no_hooks: bool,
    /// The environment of hooks, from this process's.
    pub inherited: Vec<(&'static str, OsString)>,
    pub run: RunArgs,
}

impl Request {
    /// The same once more, with an option.
    pub fn again(&self, option: &str) -> String {
        let input = match &self.input {
            Input::File(path) => shell_path(path),
            Input::Stream(_) => "FILE".to_owned(),
        };
        let node = self.node.as_ref().map(|node| format!(" --node {}", shell_word(node))).unwrap_or_default();
        let kubelet = self.kubelet_dir.as_ref().map(|dir| format!(" --kubelet-dir {}", shell_path(dir)));
        let dir = shell_path(&self.dir);
        format!("kpki unpack {input} {option} --dir {dir}{node}{}", kubelet.unwrap_or_default())
    }
}
