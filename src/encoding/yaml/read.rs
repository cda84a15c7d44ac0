//! YAML into a small tree that remembers where everything stood.
//!
//! A profile comes from somebody else's editor, so the text is refused early: size, depth and number of nodes are bounded,
//! and what only makes YAML clever (anchors, aliases, merge keys, tags) is not taken at all. Without aliases the tree is
//! never larger than the text. Kubernetes's own files are read as kubectl reads them, with all of that; then the bounds hold
//! for the tree with its aliases written out.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::alias::{Anchors, Size, merged};
use super::dialect::{Dialect, MANIFEST, MAX_PROBLEMS, PROFILE};
use super::flaw::{Flaw, words};
use super::node::{Entry, Fault, Mark, Node, Stream, Style, Value};
use super::offsets::Offsets;
use crate::encoding::base64;
use crate::encoding::shown::part;

/// A file of ours: plain values, each key once.
pub fn read(bytes: &[u8]) -> Stream {
    read_in(bytes, &PROFILE)
}

/// A kubeconfig or a manifest as kubectl reads it: YAML 1.1 with anchors, aliases and merge keys, `!!binary` decoded, of a
/// key that is there again the last value.
pub fn read_as_kubectl(bytes: &[u8]) -> Stream {
    read_in(bytes, &MANIFEST)
}

fn read_in(bytes: &[u8], dialect: &'static Dialect) -> Stream {
    let mut builder = Builder::new(dialect);
    if let Err(fault) = builder.read(bytes) {
        builder.stream.faults.push(fault);
    }
    builder.stream
}

/// A collection that is still open.
#[derive(Debug)]
enum Frame {
    Sequence {
        mark: Mark,
        /// 0: none.
        anchor: usize,
        items: Vec<Node>,
    },
    Mapping {
        mark: Mark,
        anchor: usize,
        entries: Vec<Entry>,
        /// Where each key stands in the text and among the entries.
        seen: BTreeMap<String, (Mark, usize)>,
        key: Option<Key>,
    },
}

#[derive(Debug)]
struct Key {
    text: String,
    mark: Mark,
    means: Means,
}

/// What becomes of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Entry,
    /// It takes the place of an earlier value.
    Again(usize),
    Merge,
    /// A duplicate that is refused, or the key is no scalar.
    Nothing,
}

#[derive(Debug)]
struct Builder {
    dialect: &'static Dialect,
    frames: Vec<Frame>,
    nodes: usize,
    anchors: Anchors,
    started: usize,
    stream: Stream,
    /// How many events the parser gave.
    #[cfg(test)]
    events: usize,
}

impl Builder {
    fn new(dialect: &'static Dialect) -> Self {
        Self {
            dialect,
            frames: Vec::new(),
            nodes: 0,
            anchors: Anchors::default(),
            started: 0,
            stream: Stream::default(),
            #[cfg(test)]
            events: 0,
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let text = checked(bytes, self.dialect)?;
        let mut offsets = Offsets::new(text, bytes.len() - text.len());
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| syntax(&error, self.dialect))?;
            let mark = place(&span.start);
            #[cfg(test)]
            {
                self.events += 1;
            }
            match event {
                Event::DocumentStart(_) => {
                    self.started += 1;
                    let limit = self.dialect.documents;
                    if self.started > limit {
                        return Err(document_fault(mark, Flaw::TooManyDocuments { limit }));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.properties(mark, anchor, tag.is_some());
                    let range = offsets.range(span.start.index()..span.end.index(), style);
                    self.scalar(Node::new(mark, Value::Null).at(range), &text, style, anchor, tag.as_deref())?;
                }
                Event::Alias(anchor) => self.alias(mark, anchor)?,
                Event::SequenceStart(anchor, tag) => {
                    self.properties(mark, anchor, tag.is_some());
                    self.open(mark, Frame::Sequence { mark, anchor, items: Vec::new() })?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.properties(mark, anchor, tag.is_some());
                    let (entries, seen) = (Vec::new(), BTreeMap::new());
                    self.open(mark, Frame::Mapping { mark, anchor, entries, seen, key: None })?;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let (node, anchor) = match self.frames.pop() {
                        Some(Frame::Sequence { mark, anchor, items }) => {
                            (Node::new(mark, Value::Sequence(items)), anchor)
                        }
                        Some(Frame::Mapping { mark, anchor, entries, .. }) => {
                            (Node::new(mark, Value::Mapping(entries)), anchor)
                        }
                        None => continue,
                    };
                    self.anchored(anchor, &node)?;
                    self.place_node(node);
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        Ok(())
    }

    fn properties(&mut self, mark: Mark, anchor: usize, tagged: bool) {
        if self.dialect.is_clever {
            return;
        }
        if anchor != 0 {
            self.fault(mark, Flaw::Anchor);
        }
        if tagged {
            self.fault(mark, Flaw::Tag);
        }
    }

    /// Keeps what an alias may stand for.
    fn anchored(&mut self, anchor: usize, node: &Node) -> Result<(), Fault> {
        if anchor == 0 || !self.dialect.is_clever {
            return Ok(());
        }
        let size = Size::of(node);
        self.copied(node.mark, size)?;
        self.anchors.keep(anchor, node.clone(), size);
        Ok(())
    }

    /// Counts a copy of a node; of what an alias multiplies, nothing is made before it is counted.
    fn copied(&mut self, mark: Mark, size: Size) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(size.nodes);
        let bytes = self.anchors.copied(size.bytes);
        let (nodes, most) = (self.dialect.nodes, self.dialect.bytes);
        match () {
            () if self.nodes > nodes => {
                Err(self.located(mark, Flaw::Multiplied { what: "keys and values", limit: nodes }))
            }
            () if bytes > most => Err(self.located(mark, Flaw::Multiplied { what: "bytes", limit: most })),
            () if self.frames.len() + size.depth > self.dialect.depth => {
                Err(self.located(mark, Flaw::TooDeep { limit: self.dialect.depth }))
            }
            () => Ok(()),
        }
    }

    fn alias(&mut self, mark: Mark, anchor: usize) -> Result<(), Fault> {
        if !self.dialect.is_clever {
            self.fault(mark, Flaw::Alias);
            return self.node(Node::new(mark, Value::Null));
        }
        if matches!(self.frames.last(), Some(Frame::Mapping { key: None, .. })) {
            self.fault(mark, Flaw::KeyNotText);
            return self.node(Node::new(mark, Value::Null));
        }
        let Some(size) = self.anchors.size(anchor) else {
            return Err(self.located(mark, Flaw::AliasInItself));
        };
        self.copied(mark, size)?;
        self.place_node(self.anchors.get(anchor).unwrap_or_else(|| Node::new(mark, Value::Null)));
        Ok(())
    }

    fn scalar(
        &mut self,
        place: Node,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Fault> {
        let (mark, plain) = (place.mark, style == ScalarStyle::Plain);
        let awaits_key = matches!(self.frames.last(), Some(Frame::Mapping { key: None, .. }));
        if awaits_key {
            self.count(mark)?;
            self.key(mark, text, plain);
            return Ok(());
        }
        let tag = tag.filter(|_| self.dialect.is_clever).map(meaning);
        let plain = if tag == Some(Tagged::Text) { false } else { plain };
        let value = if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            Value::Null
        } else {
            let text = match tag {
                Some(Tagged::Binary) => match base64::decode(text.as_bytes()) {
                    Ok(bytes) => Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()),
                    Err(_) => return Err(self.located(mark, Flaw::NotBase64)),
                },
                _ => Zeroizing::new(text.to_owned()),
            };
            Value::Scalar { text, style: if plain { Style::Plain } else { Style::Quoted } }
        };
        // A value that was left out stands, for the reader, where its key stands.
        let mark = match (&value, self.frames.last()) {
            (Value::Null, Some(Frame::Mapping { key: Some(key), .. })) if text.is_empty() => key.mark,
            _ => mark,
        };
        let node = Node { mark, value, ..place };
        self.anchored(anchor, &node)?;
        self.node(node)
    }

    fn key(&mut self, mark: Mark, text: &str, plain: bool) {
        let is_clever = self.dialect.is_clever;
        let Some(Frame::Mapping { seen, key, entries, .. }) = self.frames.last_mut() else { return };
        let merge = plain && text == "<<";
        let first = seen.get(text).copied();
        if first.is_none() && !(merge && is_clever) {
            seen.insert(text.to_owned(), (mark, entries.len()));
        }
        let means = match first {
            _ if merge && is_clever => Means::Merge,
            _ if merge => Means::Nothing,
            Some((_, at)) if is_clever => Means::Again(at),
            Some(_) => Means::Nothing,
            None => Means::Entry,
        };
        *key = Some(Key { text: text.to_owned(), mark, means });
        match first {
            _ if is_clever => {}
            _ if merge => self.fault(mark, Flaw::MergeKey),
            Some((first, _)) => self.fault(mark, Flaw::DuplicateKey { first_line: first.line }),
            None => {}
        }
    }

    fn open(&mut self, mark: Mark, frame: Frame) -> Result<(), Fault> {
        self.count(mark)?;
        let limit = self.dialect.depth;
        if self.frames.len() >= limit {
            return Err(self.located(mark, Flaw::TooDeep { limit }));
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
            Some(Frame::Mapping { entries, seen, key, .. }) => match key.take() {
                Some(Key { text, mark, means: Means::Entry }) => {
                    entries.push(Entry { key: text, key_mark: mark, node });
                }
                Some(Key { means: Means::Again(at), .. }) => {
                    if let Some(entry) = entries.get_mut(at) {
                        entry.node = node;
                    }
                }
                Some(Key { mark, means: Means::Merge, .. }) => match merged(node) {
                    Some(all) => all.into_iter().for_each(|entry| put(entries, seen, entry)),
                    None => self.fault(mark, Flaw::NotMergeable),
                },
                Some(Key { means: Means::Nothing, .. }) => {}
                // A collection or an alias in the place of a key: reported before, its value is dropped.
                None => *key = Some(Key { text: String::new(), mark: node.mark, means: Means::Nothing }),
            },
        }
    }

    fn count(&mut self, mark: Mark) -> Result<(), Fault> {
        self.nodes += 1;
        let limit = self.dialect.nodes;
        if self.nodes > limit {
            return Err(self.located(mark, Flaw::TooManyNodes { limit }));
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

/// A merged entry, which takes the place of an earlier one of its name.
fn put(entries: &mut Vec<Entry>, seen: &mut BTreeMap<String, (Mark, usize)>, entry: Entry) {
    match seen.get(&entry.key).and_then(|(_, at)| entries.get_mut(*at)) {
        Some(there) => there.node = entry.node,
        None => {
            seen.insert(entry.key.clone(), (entry.key_mark, entries.len()));
            entries.push(entry);
        }
    }
}

/// What a tag changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tagged {
    Binary,
    Text,
    /// A type of numbers, dates or truth values, or of none of them.
    Other,
}

fn meaning(tag: &Tag) -> Tagged {
    match tag.suffix.as_str() {
        "binary" if tag.is_yaml_core_schema() => Tagged::Binary,
        "int" | "float" | "bool" | "null" | "timestamp" if tag.is_yaml_core_schema() => Tagged::Other,
        _ => Tagged::Text,
    }
}

fn document_fault(mark: Mark, flaw: Flaw) -> Fault {
    Fault { mark, field: String::new(), flaw }
}

fn place(marker: &Marker) -> Mark {
    Mark { line: marker.line().max(1), column: marker.col() + 1 }
}

fn syntax(error: &ScanError, dialect: &Dialect) -> Fault {
    let kind = match error.info() {
        info if info.contains("unknown anchor") && dialect.is_clever => Flaw::UnknownAnchor,
        info if info.contains("unknown anchor") => Flaw::Alias,
        // Its own bound for flow collections is above ours, but it reads a whole collection ahead.
        info if info.contains("recursion limit") => Flaw::TooDeep { limit: dialect.depth },
        info => Flaw::NotYaml(words(info)),
    };
    document_fault(place(error.marker()), kind)
}

/// Everything that can be said before the parser sees a byte.
fn checked<'t>(bytes: &'t [u8], dialect: &Dialect) -> Result<&'t str, Fault> {
    let limit = dialect.bytes;
    if bytes.len() > limit {
        return Err(document_fault(Mark::START, Flaw::TooLarge { bytes: bytes.len(), limit }));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| document_fault(mark_at(bytes, error.valid_up_to()), Flaw::NotUtf8))?;
    // The scanner buffers a whole flow collection before its first event comes out (it might be a key), so that the number
    // of nodes is bounded here once more, by the characters that begin or part them.
    let indicators = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'[' | b'{' | b','));
    if let Some((offset, _)) = indicators.into_iter().nth(2 * dialect.nodes) {
        return Err(document_fault(mark_at(bytes, offset), Flaw::TooManyNodes { limit: dialect.nodes }));
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
