//! The id of an entry on the command line, in reports and in the journal.

use std::fmt;

use serde::Serialize;

/// Every entry, or of a node: `NODE/all`.
const ALL: &str = "all";

/// `NODE/NAME` in a cluster directory, `NAME` in one node's tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EntryId {
    pub node: Option<String>,
    pub name: String,
}

impl EntryId {
    pub fn new(node: Option<&str>, name: &str) -> Self {
        Self { node: node.map(str::to_owned), name: name.to_owned() }
    }

    /// Whether an argument means this entry: its whole id, its bare name, which means it on every node, or `NODE/all`.
    pub fn is_named(&self, argument: &str) -> bool {
        match argument.split_once('/') {
            Some((node, ALL)) => self.node.as_deref() == Some(node),
            Some((node, name)) => self.node.as_deref() == Some(node) && self.name == name,
            None => self.name == argument,
        }
    }

    /// The node whose entries an argument means, all of them.
    pub fn whole_node(argument: &str) -> Option<&str> {
        argument.split_once('/').filter(|(_, name)| *name == ALL).map(|(node, _)| node)
    }

    /// The bare name in an argument.
    pub fn bare_name(argument: &str) -> &str {
        argument.rsplit('/').next().unwrap_or(argument)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(f, "{node}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_means_one_node_or_all() {
        let (own, shared) = (EntryId::new(Some("cp1"), "apiserver"), EntryId::new(None, "apiserver"));
        assert_eq!((own.to_string(), shared.to_string()), ("cp1/apiserver".to_owned(), "apiserver".to_owned()));
        for (argument, of_own, of_shared) in [
            ("apiserver", true, true),
            ("cp1/apiserver", true, false),
            ("cp2/apiserver", false, false),
            ("cp1/all", true, false),
            ("cp2/all", false, false),
            ("all", false, false),
            ("", false, false),
        ] {
            assert_eq!((own.is_named(argument), shared.is_named(argument)), (of_own, of_shared), "{argument}");
        }
        assert_eq!(EntryId::whole_node("cp1/all"), Some("cp1"));
        assert_eq!((EntryId::whole_node("all"), EntryId::whole_node("cp1/apiserver")), (None, None));
        assert_eq!((EntryId::bare_name("cp1/etcd-peer"), EntryId::bare_name("ca")), ("etcd-peer", "ca"));
    }
}
