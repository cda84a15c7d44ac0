//! YAML from the JSON document: block style, every string that could be read as something else in double quotes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::encoding::yaml::scalar;

pub fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    node(out, &serde_json::to_value(document)?, 0, false)
}

/// `inline`: the cursor stands behind `- `, so the first key needs no indentation.
fn node(out: &mut dyn Write, value: &Value, depth: usize, inline: bool) -> io::Result<()> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (format!("{}:", scalar(key)), value)).collect(),
        Value::Array(list) => list.iter().map(|value| ("-".to_owned(), value)).collect(),
        _ => return leaf(out, value),
    };
    for (i, (lead, child)) in children.into_iter().enumerate() {
        let indent = if i == 0 && inline { 0 } else { depth * 2 };
        write!(out, "{:indent$}{lead}", "")?;
        match (value, child) {
            (Value::Array(_), Value::Object(map)) if !map.is_empty() => {
                write!(out, " ")?;
                node(out, child, depth + 1, true)?;
            }
            (_, Value::Object(map)) if !map.is_empty() => {
                writeln!(out)?;
                node(out, child, depth + 1, false)?;
            }
            (_, Value::Array(list)) if !list.is_empty() => {
                writeln!(out)?;
                node(out, child, depth + usize::from(value.is_array()), false)?;
            }
            _ => leaf(out, child)?,
        }
    }
    Ok(())
}

/// What stands on the line of its key: `[]`, `{}`, numbers, true and null are as in JSON.
fn leaf(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    match value {
        Value::String(text) => writeln!(out, " {}", scalar(text)),
        other => writeln!(out, " {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_written_in_block_style() {
        let value = json!({"a": "x", "b": null, "c": [1, {"d": "true", "e": []}], "f": {"g": "x: y"}, "h": {}});
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "a: x\nb: null\nc:\n- 1\n- d: \"true\"\n  e: []\nf:\n  g: \"x: y\"\nh: {}\n");
    }
}
