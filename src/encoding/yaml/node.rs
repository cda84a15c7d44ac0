//! What a text becomes: a small tree that remembers where everything stood.

use std::ops::Range;

use zeroize::Zeroizing;

use super::flaw::Flaw;

/// Where something stands; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub line: usize,
    pub column: usize,
}

impl Mark {
    pub const START: Self = Self { line: 1, column: 1 };
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub mark: Mark,
    /// Where a scalar's bytes are in the file, with its quotes and without a block scalar's header; empty for everything
    /// else.
    pub range: Range<usize>,
    pub value: Value,
}

impl Node {
    /// One that no text holds as a scalar.
    pub const fn new(mark: Mark, value: Value) -> Self {
        Self { mark, range: 0..0, value }
    }

    pub fn at(self, range: Range<usize>) -> Self {
        Self { range, ..self }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or `null`, unquoted.
    Null,
    Scalar {
        /// It may be a key: kubeconfigs are read here, too.
        text: Zeroizing<String>,
        style: Style,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Scalar { text, style } => write!(f, "Scalar({} bytes, {style:?})", text.len()),
            Self::Sequence(items) => f.debug_list().entries(items).finish(),
            Self::Mapping(entries) => f.debug_list().entries(entries).finish(),
        }
    }
}

/// Whether a scalar may be a number or a truth value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// In quotes, or a block scalar: always text.
    Quoted,
}

/// One pair of a mapping; keys are unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub key_mark: Mark,
    pub node: Node,
}

/// The value of a key; `None`: there is none of that name, or the node is no mapping.
pub fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Mapping(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
        _ => None,
    }
}

/// The text of a key's value, where it is a scalar.
pub fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match &field(node, key)?.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// Something wrong with the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub mark: Mark,
    /// Dotted; empty: the document.
    pub field: String,
    pub flaw: Flaw,
}

/// What came out of a text.
#[derive(Debug, Default)]
pub struct Stream {
    /// Empty documents (`---` twice) are left out.
    pub documents: Vec<Node>,
    pub faults: Vec<Fault>,
}

impl Stream {
    /// Whether the documents mean what the text says: a duplicate key leaves the first value standing.
    pub fn readable(&self) -> bool {
        self.faults.iter().all(|fault| matches!(fault.flaw, Flaw::DuplicateKey { .. }))
    }
}
