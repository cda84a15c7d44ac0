//! The request from the command line.

use std::path::PathBuf;

use crate::profile::is_node_name;
use crate::workspace::RunArgs;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub inputs: Vec<NodeInput>,
    /// The new cluster directory.
    pub directory: PathBuf,
    /// Instead of the one that the nodes' files give.
    pub profile: Option<PathBuf>,
    pub run: RunArgs,
}

/// The files of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInput {
    pub path: PathBuf,
    /// Whose they are, where it was stated.
    pub name: Option<String>,
}

impl NodeInput {
    /// `PATH`, or `NAME=PATH`.
    pub fn parse(text: PathBuf) -> Self {
        let stated = text.to_str().and_then(|text| text.split_once('='));
        match stated.filter(|(name, path)| is_node_name(name) && !path.is_empty()) {
            Some((name, path)) => Self { path: path.into(), name: Some(name.to_owned()) },
            None => Self { path: text, name: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_before_the_path() {
        for (text, name, path) in [
            ("cp1", None, "cp1"),
            ("cp1=./a", Some("cp1"), "./a"),
            ("./a=b", None, "./a=b"),
            ("dir/a=b", None, "dir/a=b"),
            ("cp1=", None, "cp1="),
            ("CP1=a", None, "CP1=a"),
        ] {
            let wanted = NodeInput { path: path.into(), name: name.map(str::to_owned) };
            assert_eq!(NodeInput::parse(text.into()), wanted, "{text}");
        }
    }
}
