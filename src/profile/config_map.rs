//! The ConfigMap kubeadm-config, in which a cluster keeps kubeadm's ClusterConfiguration as a text: as kubectl prints it, alone or in
//! a list, as YAML or JSON.

use super::problem::{Kind, Mismatch};
use crate::encoding::yaml::{self, Fault, Flaw, Mark, Node, Stream, Value, field, text};

/// The key of the text; of the others, ClusterStatus of old releases decides nothing here.
const KEY: &str = "ClusterConfiguration";
pub const FIELD: &str = "data.ClusterConfiguration";

/// The documents with kubeadm's in the place of each ConfigMap that holds one, and the mark of one that holds none.
pub fn unwrapped(stream: Stream, file: &[u8]) -> (Stream, Option<Mark>) {
    let mut found = Stream { documents: Vec::new(), faults: stream.faults };
    let mut without = None;
    for document in stream.documents {
        let items = match field(&document, "items").map(|items| &items.value) {
            Some(Value::Sequence(items)) if is(&document, "List") || is(&document, "ConfigMapList") => items.as_slice(),
            _ if is(&document, "ConfigMap") => std::slice::from_ref(&document),
            _ => {
                found.documents.push(document);
                continue;
            }
        };
        let texts: Vec<&Node> = items.iter().filter_map(|item| field(field(item, "data")?, KEY)).collect();
        if texts.is_empty() {
            without.get_or_insert(document.mark);
        }
        for scalar in texts {
            let Value::Scalar { text, .. } = &scalar.value else { continue };
            let place = Place::of(scalar, text, file);
            let inner = yaml::read(text.as_bytes());
            found.documents.extend(inner.documents.into_iter().map(|document| place.node(document)));
            found.faults.extend(inner.faults.into_iter().map(|fault| place.fault(fault)));
        }
    }
    (found, without)
}

fn is(document: &Node, kind: &str) -> bool {
    text(document, "apiVersion") == Some("v1") && text(document, "kind") == Some(kind)
}

/// What is wrong with a ConfigMap without it.
pub fn missing() -> Kind {
    let expected = "the ConfigMap kubeadm-config of kube-system, which has ClusterConfiguration";
    Kind::from(Mismatch::new(expected, "another ConfigMap"))
}

/// Where a text in a file stands, so that messages name the line of the file.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// A literal block, indented: its first character.
    Block(Mark),
    /// In quotes on one line, as in JSON: everything in it is there.
    Line(Mark),
}

impl Place {
    fn of(scalar: &Node, text: &str, file: &[u8]) -> Self {
        let before = file.get(..scalar.range.start).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        let first = text.lines().next().unwrap_or_default();
        let is_block = file.get(scalar.range.clone()).is_some_and(|raw| {
            raw.split(|byte| *byte == b'\n')
                .next()
                .is_some_and(|raw| raw.trim_ascii_end() == first.trim_end().as_bytes())
        });
        if is_block { Self::Block(Mark { line, column }) } else { Self::Line(scalar.mark) }
    }

    fn mark(self, mark: Mark) -> Mark {
        match self {
            Self::Block(first) => Mark { line: first.line + mark.line - 1, column: first.column + mark.column - 1 },
            Self::Line(line) => line,
        }
    }

    fn node(self, node: Node) -> Node {
        let value = match node.value {
            Value::Sequence(items) => Value::Sequence(items.into_iter().map(|item| self.node(item)).collect()),
            Value::Mapping(entries) => {
                let entry = |entry: yaml::Entry| yaml::Entry {
                    key_mark: self.mark(entry.key_mark),
                    node: self.node(entry.node),
                    ..entry
                };
                Value::Mapping(entries.into_iter().map(entry).collect())
            }
            value @ (Value::Null | Value::Scalar { .. }) => value,
        };
        // Nothing of it is edited in place.
        Node::new(self.mark(node.mark), value)
    }

    fn fault(self, fault: Fault) -> Fault {
        let flaw = match fault.flaw {
            Flaw::DuplicateKey { first_line } => {
                Flaw::DuplicateKey { first_line: self.mark(Mark { line: first_line, column: 1 }).line }
            }
            flaw => flaw,
        };
        Fault { mark: self.mark(fault.mark), flaw, ..fault }
    }
}
