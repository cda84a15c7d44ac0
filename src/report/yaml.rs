//! YAML from the JSON document: block style, every string that could be read as something else in double quotes.

use serde_json::Value;

use crate::encoding::yaml::scalar;

pub fn render(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, false);
    out
}

/// `inline`: the cursor stands behind `- `, so the first key needs no indentation.
fn write(out: &mut String, value: &Value, depth: usize, inline: bool) {
    match value {
        Value::Object(map) => {
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 || !inline {
                    out.push_str(&"  ".repeat(depth));
                }
                out.push_str(&scalar(key));
                out.push(':');
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push('\n');
                        write(out, value, depth + 1, false);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        out.push('\n');
                        write(out, value, depth, false);
                    }
                    _ => leaf(out, value),
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                out.push_str(&"  ".repeat(depth));
                out.push('-');
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push(' ');
                        write(out, value, depth + 1, true);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        out.push('\n');
                        write(out, value, depth + 1, false);
                    }
                    _ => leaf(out, value),
                }
            }
        }
        _ => leaf(out, value),
    }
}

fn leaf(out: &mut String, value: &Value) {
    out.push(' ');
    match value {
        Value::String(text) => out.push_str(&scalar(text)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
        other => out.push_str(&other.to_string()),
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_written_in_block_style() {
        let value = json!({"a": "x", "b": null, "c": [1, {"d": "true", "e": []}], "f": {"g": "x: y"}, "h": {}});
        assert_eq!(render(&value), "a: x\nb: null\nc:\n- 1\n- d: \"true\"\n  e: []\nf:\n  g: \"x: y\"\nh: {}\n");
    }
}
