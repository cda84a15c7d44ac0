//! The flags of the programs in a static pod's manifest.

use crate::encoding::yaml::{self, Node, Stream, Value};

/// Every word that may be a flag, with its value; of each the last one counts, as for the program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags(Vec<(String, String)>);

impl Flags {
    /// Of all containers of a manifest; `None`: it is no YAML.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let stream = yaml::read(bytes);
        if !stream.readable() || stream.documents.is_empty() {
            return None;
        }
        let words: Vec<&str> = arguments(&stream).filter_map(scalar).flat_map(split).collect();
        let following = words.iter().skip(1).map(Some).chain([None]);
        Some(Self(words.iter().zip(following).filter_map(|(word, next)| value(word, next.copied())).collect()))
    }

    /// Every flag with its value, in the order of the manifest.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All values of a flag that may be given several times, in their order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a flag, without its dashes: `client-ca-file`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// The commands and arguments of all containers.
pub(super) fn arguments(stream: &Stream) -> impl Iterator<Item = &Node> {
    let containers = stream.documents.iter().filter_map(|pod| yaml::field(yaml::field(pod, "spec")?, "containers"));
    containers
        .flat_map(items)
        .flat_map(|container| ["command", "args"].into_iter().filter_map(|key| yaml::field(container, key)))
        .flat_map(items)
}

/// The words of what a shell is given in one string (`sh -c`); another argument is one word.
fn split(argument: &str) -> Vec<&str> {
    if !argument.contains(char::is_whitespace) {
        return vec![argument];
    }
    argument.split([' ', '\t', '\n', '\r', ';', '&', '|', '"', '\'']).filter(|word| !word.is_empty()).collect()
}

/// A flag with its value, in the same word or the next. The components take `_` for `-`; with one dash it is meant for the same.
pub(super) fn value(word: &str, next: Option<&str>) -> Option<(String, String)> {
    let (name, value) = word
        .split_once('=')
        .map_or((word, next), |(name, value)| (name, Some(value).filter(|value| !value.is_empty()).or(next)));
    let name = name.strip_prefix('-')?.trim_start_matches('-').replace('_', "-");
    Some((name, value?.to_owned()))
}

fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::Sequence(items) => items,
        _ => &[],
    }
}

pub(super) fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_the_programs_read_them() {
        let read = |command: &str| Flags::read(format!("spec:\n  containers:\n  - command: {command}\n").as_bytes());
        for (command, expected) in [
            ("[etcd, --a=1]", Some("1")),
            ("[etcd, --a, \"1\"]", Some("1")),
            ("[etcd, -a=1]", Some("1")),
            ("[etcd, --a=0, --a=1]", Some("1")),
            ("[sh, -c, \"exec etcd --b --a=1\"]", Some("1")),
            ("[etcd, a=1]", None),
            ("[etcd, --ab=1]", None),
        ] {
            assert_eq!(read(command).unwrap().get("a"), expected, "{command}");
        }
        assert_eq!(read("[x, --client_ca_file=y]").unwrap().get("client-ca-file"), Some("y"));
        assert_eq!(Flags::read(b"\t{"), None);
        assert_eq!(Flags::read(b""), None);
    }
}
