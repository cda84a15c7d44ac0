//! YAML into a small tree that remembers where everything stood. The only file that knows the YAML crate beside its errors.
//!
//! A profile comes from somebody else's editor, so the text is refused early: size, depth and number of nodes are bounded,
//! and what only makes YAML clever (anchors, aliases, merge keys, tags) is not taken at all. Without aliases the tree is
//! never larger than the text.

use std::collections::BTreeMap;
use std::ops::Range;

use zeroize::Zeroizing;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::flaw::{Flaw, words};
use crate::encoding::shown::part;

pub const MAX_BYTES: usize = 1 << 20;
pub const MAX_DEPTH: usize = 32;
pub const MAX_NODES: usize = 50_000;
pub const MAX_DOCUMENTS: usize = 64;
/// Problems after these are counted, not kept.
pub const MAX_PROBLEMS: usize = 100;
/// The scanner buffers a whole flow collection before its first event comes out (it might be a key), so that the number
/// of nodes is bounded here once more, by the characters that begin or part them.
const MAX_FLOW_INDICATORS: usize = 2 * MAX_NODES;

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

pub fn read(bytes: &[u8]) -> Stream {
    let mut builder = Builder::default();
    if let Err(fault) = builder.read(bytes) {
        builder.stream.faults.push(fault);
    }
    builder.stream
}

/// A collection that is still open.
#[derive(Debug)]
enum Frame {
    Sequence { mark: Mark, items: Vec<Node> },
    Mapping { mark: Mark, entries: Vec<Entry>, seen: BTreeMap<String, Mark>, key: Option<Key> },
}

#[derive(Debug)]
struct Key {
    text: String,
    mark: Mark,
    /// A duplicate, or no scalar: the value is read and dropped.
    dropped: bool,
}

#[derive(Debug, Default)]
struct Builder {
    frames: Vec<Frame>,
    nodes: usize,
    started: usize,
    stream: Stream,
    /// How many events the parser gave.
    #[cfg(test)]
    events: usize,
}

impl Builder {
    fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let text = checked(bytes)?;
        let mut offsets = Offsets { text, before: bytes.len() - text.len(), characters: 0, bytes: 0 };
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| syntax(&error))?;
            let mark = place(&span.start);
            #[cfg(test)]
            {
                self.events += 1;
            }
            match event {
                Event::DocumentStart(_) => {
                    self.started += 1;
                    if self.started > MAX_DOCUMENTS {
                        return Err(document_fault(mark, Flaw::TooManyDocuments { limit: MAX_DOCUMENTS }));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.properties(mark, anchor, tag.is_some());
                    let range = offsets.range(span.start.index()..span.end.index(), style);
                    self.scalar(mark, range, &text, style)?;
                }
                Event::Alias(_) => {
                    self.fault(mark, Flaw::Alias);
                    self.node(Node::new(mark, Value::Null))?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.properties(mark, anchor, tag.is_some());
                    self.open(mark, Frame::Sequence { mark, items: Vec::new() })?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.properties(mark, anchor, tag.is_some());
                    self.open(mark, Frame::Mapping { mark, entries: Vec::new(), seen: BTreeMap::new(), key: None })?;
                }
                Event::SequenceEnd | Event::MappingEnd => match self.frames.pop() {
                    Some(Frame::Sequence { mark, items }) => self.place_node(Node::new(mark, Value::Sequence(items))),
                    Some(Frame::Mapping { mark, entries, .. }) => {
                        self.place_node(Node::new(mark, Value::Mapping(entries)));
                    }
                    None => {}
                },
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        Ok(())
    }

    fn properties(&mut self, mark: Mark, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.fault(mark, Flaw::Anchor);
        }
        if tagged {
            self.fault(mark, Flaw::Tag);
        }
    }

    fn scalar(&mut self, mark: Mark, range: Range<usize>, text: &str, style: ScalarStyle) -> Result<(), Fault> {
        let plain = style == ScalarStyle::Plain;
        let awaits_key = matches!(self.frames.last(), Some(Frame::Mapping { key: None, .. }));
        if awaits_key {
            self.count(mark)?;
            self.key(mark, text, plain);
            return Ok(());
        }
        let value = if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            Value::Null
        } else {
            Value::Scalar {
                text: Zeroizing::new(text.to_owned()),
                style: if plain { Style::Plain } else { Style::Quoted },
            }
        };
        // A value that was left out stands, for the reader, where its key stands.
        let mark = match (&value, self.frames.last()) {
            (Value::Null, Some(Frame::Mapping { key: Some(key), .. })) if text.is_empty() => key.mark,
            _ => mark,
        };
        self.node(Node { mark, range, value })
    }

    fn key(&mut self, mark: Mark, text: &str, plain: bool) {
        let Some(Frame::Mapping { seen, key, .. }) = self.frames.last_mut() else { return };
        let first = seen.get(text).copied();
        if first.is_none() {
            seen.insert(text.to_owned(), mark);
        }
        let merge = plain && text == "<<";
        *key = Some(Key { text: text.to_owned(), mark, dropped: merge || first.is_some() });
        if merge {
            self.fault(mark, Flaw::MergeKey);
        } else if let Some(first) = first {
            self.fault(mark, Flaw::DuplicateKey { first_line: first.line });
        }
    }

    fn open(&mut self, mark: Mark, frame: Frame) -> Result<(), Fault> {
        self.count(mark)?;
        if self.frames.len() >= MAX_DEPTH {
            return Err(self.located(mark, Flaw::TooDeep { limit: MAX_DEPTH }));
        }
        if matches!(self.frames.last(), Some(Frame::Mapping { key: None, .. })) {
            self.fault(mark, Flaw::KeyNotText);
            if let Some(Frame::Mapping { key, .. }) = self.frames.last_mut() {
                // The collection itself is placed as the key; see place_node.
                *key = None;
            }
        }
        self.frames.push(frame);
        Ok(())
    }

    fn node(&mut self, node: Node) -> Result<(), Fault> {
        self.count(node.mark)?;
        self.place_node(node);
        Ok(())
    }

    fn place_node(&mut self, node: Node) {
        match self.frames.last_mut() {
            None if node.value == Value::Null => {}
            None => self.stream.documents.push(node),
            Some(Frame::Sequence { items, .. }) => items.push(node),
            Some(Frame::Mapping { entries, key, .. }) => match key.take() {
                Some(Key { text, mark, dropped: false }) => entries.push(Entry { key: text, key_mark: mark, node }),
                Some(_) => {}
                // A collection or an alias in the place of a key: reported before, its value is dropped.
                None => *key = Some(Key { text: String::new(), mark: node.mark, dropped: true }),
            },
        }
    }

    fn count(&mut self, mark: Mark) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.located(mark, Flaw::TooManyNodes { limit: MAX_NODES }));
        }
        Ok(())
    }

    fn fault(&mut self, mark: Mark, flaw: Flaw) {
        if self.stream.faults.len() < MAX_PROBLEMS {
            let fault = self.located(mark, flaw);
            self.stream.faults.push(fault);
        }
    }

    fn located(&self, mark: Mark, flaw: Flaw) -> Fault {
        let mut field = String::new();
        for frame in &self.frames {
            match frame {
                Frame::Sequence { items, .. } => field.push_str(&format!("[{}]", items.len())),
                Frame::Mapping { key: Some(key), .. } => {
                    if !field.is_empty() {
                        field.push('.');
                    }
                    field.push_str(&part(&key.text));
                }
                Frame::Mapping { key: None, .. } => {}
            }
        }
        Fault { mark, field, flaw }
    }
}

/// The parser counts characters, a file is edited by bytes. Scalars come in the order of the text, so that it is walked once.
struct Offsets<'t> {
    text: &'t str,
    /// The length of the byte order mark that was taken off.
    before: usize,
    characters: usize,
    bytes: usize,
}

impl Offsets<'_> {
    fn range(&mut self, characters: Range<usize>, style: ScalarStyle) -> Range<usize> {
        let start = self.at(characters.start);
        let end = self.at(characters.end);
        let text = self.text.get(start..end).unwrap_or_default();
        let quoted = match style {
            ScalarStyle::SingleQuoted => quoted_length(text, b'\''),
            ScalarStyle::DoubleQuoted => quoted_length(text, b'"'),
            _ => None,
        };
        let start = self.before + start + (text.len() - text.trim_start().len());
        start..start + quoted.unwrap_or(text.trim().len())
    }

    fn at(&mut self, character: usize) -> usize {
        let (passed, rest) = self.text.split_at_checked(self.bytes).unwrap_or_default();
        self.bytes = match character.checked_sub(self.characters) {
            Some(ahead) => self.bytes + rest.char_indices().nth(ahead).map_or(rest.len(), |(offset, _)| offset),
            // A value that was left out stands where its key ended.
            None => passed.char_indices().nth_back(self.characters - character - 1).map_or(0, |(offset, _)| offset),
        };
        self.characters = character;
        self.bytes
    }
}

/// The length of the quoted scalar a text begins with: for the parser, a comment behind it is part of it.
fn quoted_length(text: &str, quote: u8) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        let doubled = quote == b'\'' && byte == quote && bytes.peek().is_some_and(|(_, next)| *next == quote);
        let escapes = quote == b'"' && byte == b'\\';
        if doubled || escapes {
            bytes.next();
        } else if byte == quote {
            return Some(at + 1);
        }
    }
    None
}

fn document_fault(mark: Mark, flaw: Flaw) -> Fault {
    Fault { mark, field: String::new(), flaw }
}

fn place(marker: &Marker) -> Mark {
    Mark { line: marker.line().max(1), column: marker.col() + 1 }
}

fn syntax(error: &ScanError) -> Fault {
    let kind = match error.info() {
        // The parser resolves aliases itself and knows none here, as anchors are refused before.
        info if info.contains("unknown anchor") => Flaw::Alias,
        // Its own bound for flow collections is above ours, but it reads a whole collection ahead.
        info if info.contains("recursion limit") => Flaw::TooDeep { limit: MAX_DEPTH },
        info => Flaw::NotYaml(words(info)),
    };
    document_fault(place(error.marker()), kind)
}

/// Everything that can be said before the parser sees a byte.
fn checked(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(document_fault(Mark::START, Flaw::TooLarge { bytes: bytes.len(), limit: MAX_BYTES }));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| document_fault(mark_at(bytes, error.valid_up_to()), Flaw::NotUtf8))?;
    let indicators = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'[' | b'{' | b','));
    if let Some((offset, _)) = indicators.into_iter().nth(MAX_FLOW_INDICATORS) {
        return Err(document_fault(mark_at(bytes, offset), Flaw::TooManyNodes { limit: MAX_NODES }));
    }
    Ok(text)
}

/// The mark of a byte in a text that is UTF-8 up to there.
fn mark_at(bytes: &[u8], offset: usize) -> Mark {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let tail = before.rsplit(|byte| *byte == b'\n').next().unwrap_or(before);
    // UTF-8 continuation bytes begin no character.
    Mark { line, column: tail.iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1 }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
