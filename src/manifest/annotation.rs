//! One annotation of a static pod's manifest is set, and every other byte stays: order, comments, quotes, line ends.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::encoding::yaml::{self, Entry, Mark, Node, Value, field, text};

/// Why it is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnnotated {
    #[error("expected YAML that kpki reads as the kubelet does: each key once, without anchors, aliases and tags")]
    Unreadable,
    #[error("expected one Pod, found something else")]
    NotOnePod,
    #[error("expected the component's own Pod, by metadata.name or the label component, found another")]
    OtherPod,
    #[error("expected metadata and its annotations in block style, one key on a line, found another style")]
    Style,
    #[error("expected the annotation as text on its own line, found something else")]
    Value,
}

const METADATA: &str = "metadata";
const ANNOTATIONS: &str = "annotations";

/// The value of an annotation; `None`: it is not set, or cannot be read.
pub fn annotation(manifest: &[u8], key: &str) -> Option<String> {
    let stream = yaml::read(manifest);
    let [pod] = stream.documents.as_slice() else { return None };
    text(field(field(pod, METADATA)?, ANNOTATIONS)?, key).map(str::to_owned)
}

/// The manifest of a component's pod with this annotation. `value`: what needs no escape in double quotes.
///
/// # Errors
/// It cannot be done exactly; nothing else may change.
pub fn annotate(manifest: &[u8], component: &str, key: &str, value: &str) -> Result<Vec<u8>, NotAnnotated> {
    let before = one_pod(manifest)?;
    let metadata = field(&before, METADATA).ok_or(NotAnnotated::NotOnePod)?;
    let name = text(metadata, "name");
    let label = field(metadata, "labels").and_then(|labels| text(labels, "component"));
    if name != Some(component) && label != Some(component) {
        return Err(NotAnnotated::OtherPod);
    }
    let (place, new) = edit(manifest, &before, key, &format!("\"{value}\""))?;
    let mut edited = manifest.to_vec();
    edited.splice(place, new.bytes());
    let after = one_pod(&edited).map_err(|_| NotAnnotated::Style)?;
    let path = [METADATA, ANNOTATIONS, key].map(str::to_owned).to_vec();
    let mut wanted = leaves(&before);
    // An empty value of annotations gives way to the first of them.
    wanted.remove(path.get(..2).unwrap_or_default());
    wanted.insert(path, Leaf::Scalar(value.to_owned()));
    if leaves(&after) == wanted { Ok(edited) } else { Err(NotAnnotated::Style) }
}

fn one_pod(manifest: &[u8]) -> Result<Node, NotAnnotated> {
    let mut stream = yaml::read(manifest);
    if !stream.faults.is_empty() {
        return Err(NotAnnotated::Unreadable);
    }
    match (stream.documents.pop(), stream.documents.is_empty()) {
        (Some(pod), true) if text(&pod, "kind") == Some("Pod") => Ok(pod),
        _ => Err(NotAnnotated::NotOnePod),
    }
}

/// Which bytes give way to which text.
fn edit(manifest: &[u8], pod: &Node, key: &str, quoted: &str) -> Result<(Range<usize>, String), NotAnnotated> {
    let top = entry(pod, METADATA).ok_or(NotAnnotated::NotOnePod)?;
    let Some(annotations) = entry(&top.node, ANNOTATIONS) else {
        let lines = [format!("{ANNOTATIONS}:"), format!("  {key}: {quoted}")];
        return below(manifest, top, &lines);
    };
    match entry(&annotations.node, key).map(|found| &found.node) {
        Some(Node { range, value: Value::Scalar { .. }, .. }) => {
            let raw = manifest.get(range.clone()).unwrap_or_default();
            let is_of_one_line = !raw.is_empty() && !raw.contains(&b'\n') && !raw.contains(&b'\r');
            if is_of_one_line { Ok((range.clone(), quoted.to_owned())) } else { Err(NotAnnotated::Value) }
        }
        Some(_) => Err(NotAnnotated::Value),
        None => below(manifest, annotations, &[format!("{key}: {quoted}")]),
    }
}

/// New lines directly below the line of a key, before what it holds, and as far from the margin as that.
fn below(manifest: &[u8], holder: &Entry, lines: &[String]) -> Result<(Range<usize>, String), NotAnnotated> {
    let line = line(manifest, holder.key_mark).ok_or(NotAnnotated::Style)?;
    let indent = match &holder.node.value {
        Value::Mapping(entries) if !entries.is_empty() => {
            let first = entries.first().ok_or(NotAnnotated::Style)?;
            indent(manifest, first.key_mark).filter(|_| first.key_mark.line > holder.key_mark.line)
        }
        Value::Null => indent(manifest, holder.key_mark).map(|outer| outer + 2),
        _ => None,
    };
    let indent = " ".repeat(indent.ok_or(NotAnnotated::Style)?);
    let bytes = manifest.get(line.clone()).unwrap_or_default();
    let end = match bytes {
        [.., b'\r', b'\n'] => "\r\n",
        [.., b'\n'] => "\n",
        _ => return Err(NotAnnotated::Style),
    };
    let text = lines.iter().map(|new| format!("{indent}{new}{end}")).collect();
    Ok((line.end..line.end, text))
}

/// How far from the margin a key is that nothing but spaces stands before.
fn indent(manifest: &[u8], key: Mark) -> Option<usize> {
    let before = manifest.get(line(manifest, key)?)?.get(..key.column.checked_sub(1)?)?;
    before.iter().all(|byte| *byte == b' ').then_some(before.len())
}

/// The bytes of a mark's line, with its end.
fn line(manifest: &[u8], mark: Mark) -> Option<Range<usize>> {
    let mut start = 0;
    for (number, line) in (1..).zip(manifest.split_inclusive(|byte| *byte == b'\n')) {
        if number == mark.line {
            return Some(start..start + line.len());
        }
        start += line.len();
    }
    None
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    match &node.value {
        Value::Mapping(entries) => entries.iter().find(|entry| entry.key == key),
        _ => None,
    }
}

/// What stands at the end of a path of keys and numbers.
#[derive(Debug, PartialEq, Eq)]
enum Leaf {
    Null,
    Scalar(String),
    EmptySequence,
    EmptyMapping,
}

fn leaves(node: &Node) -> BTreeMap<Vec<String>, Leaf> {
    let mut all = BTreeMap::new();
    gather(node, &mut Vec::new(), &mut all);
    all
}

fn gather(node: &Node, path: &mut Vec<String>, all: &mut BTreeMap<Vec<String>, Leaf>) {
    let mut below = |key: String, node: &Node| {
        path.push(key);
        gather(node, path, all);
        path.pop();
    };
    let leaf = match &node.value {
        Value::Mapping(entries) if !entries.is_empty() => {
            return entries.iter().for_each(|entry| below(entry.key.clone(), &entry.node));
        }
        Value::Sequence(items) if !items.is_empty() => {
            // No key is taken for a number: the two never stand beside each other.
            return items.iter().enumerate().for_each(|(at, item)| below(format!("[{at}]"), item));
        }
        Value::Null => Leaf::Null,
        Value::Scalar { text, .. } => Leaf::Scalar(text.to_string()),
        Value::Sequence(_) => Leaf::EmptySequence,
        Value::Mapping(_) => Leaf::EmptyMapping,
    };
    all.insert(path.clone(), leaf);
}

#[cfg(test)]
#[path = "annotation_tests.rs"]
mod tests;
