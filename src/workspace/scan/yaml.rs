//! YAML documents, walked as JSON is.

use super::objects::Objects;
use crate::encoding::yaml::{Node, Value};

/// One document.
pub fn read(document: &Node, objects: &mut Objects<'_>) {
    object(document, None, objects);
}

fn object(node: &Node, item: Option<usize>, objects: &mut Objects<'_>) {
    let Value::Mapping(entries) = &node.value else { return value(node, objects) };
    objects.begin(item);
    for entry in entries {
        objects.enter(&entry.key);
        match &entry.node.value {
            Value::Sequence(items) if entry.key == "items" => {
                objects.list();
                for (index, item) in items.iter().enumerate() {
                    objects.index(index);
                    object(item, Some(index + 1), objects);
                    objects.leave();
                }
            }
            _ => value(&entry.node, objects),
        }
        objects.leave();
    }
    objects.end();
}

fn value(node: &Node, objects: &mut Objects<'_>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar { text, .. } => objects.text(text),
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                objects.index(index);
                value(item, objects);
                objects.leave();
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                objects.enter(&entry.key);
                value(&entry.node, objects);
                objects.leave();
            }
        }
    }
}
