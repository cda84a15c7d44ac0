//! Anchors and what their aliases stand for, counted before anything is copied: a few lines of aliases of aliases would
//! become more nodes than fit in any memory.

use std::collections::BTreeMap;

use super::node::{Entry, Node, Value};

/// How much a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub nodes: usize,
    /// Of all texts and keys.
    pub bytes: usize,
    pub depth: usize,
}

impl Size {
    /// The depth of a node that is read is bounded, and so is this.
    pub fn of(node: &Node) -> Self {
        let own = |bytes| Self { nodes: 1, bytes, depth: 0 };
        match &node.value {
            Value::Null => own(0),
            Value::Scalar { text, .. } => own(text.len()),
            Value::Sequence(items) => items.iter().map(Self::of).fold(own(0), Self::and),
            Value::Mapping(entries) => {
                let pair = |entry: &Entry| {
                    let node = Self::of(&entry.node);
                    Self { nodes: node.nodes + 1, bytes: node.bytes + entry.key.len(), ..node }
                };
                entries.iter().map(pair).fold(own(0), Self::and)
            }
        }
    }

    fn and(self, inner: Self) -> Self {
        Self {
            nodes: self.nodes + inner.nodes,
            bytes: self.bytes + inner.bytes,
            depth: self.depth.max(inner.depth + 1),
        }
    }
}

/// The nodes that have an anchor, by its number.
#[derive(Debug, Default)]
pub struct Anchors {
    nodes: BTreeMap<usize, (Node, Size)>,
    bytes: usize,
}

impl Anchors {
    pub fn keep(&mut self, anchor: usize, node: Node, size: Size) {
        self.nodes.insert(anchor, (node, size));
    }

    /// `None`: the node is not read to its end.
    pub fn size(&self, anchor: usize) -> Option<Size> {
        self.nodes.get(&anchor).map(|(_, size)| *size)
    }

    pub fn get(&self, anchor: usize) -> Option<Node> {
        self.nodes.get(&anchor).map(|(node, _)| node.clone())
    }

    /// How many bytes were copied, these among them.
    pub fn copied(&mut self, bytes: usize) -> usize {
        self.bytes = self.bytes.saturating_add(bytes);
        self.bytes
    }
}

/// The entries that the value of a merge key stands for; of two with one key, the last counts. `None`: it is neither a mapping
/// nor a list of mappings.
pub fn merged(node: Node) -> Option<Vec<Entry>> {
    match node.value {
        Value::Mapping(entries) => Some(entries),
        // An earlier mapping wins over a later one.
        Value::Sequence(items) => {
            let mut all = Vec::new();
            for item in items.into_iter().rev() {
                let Value::Mapping(entries) = item.value else { return None };
                all.extend(entries);
            }
            Some(all)
        }
        Value::Null | Value::Scalar { .. } => None,
    }
}
