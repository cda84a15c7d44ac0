//! As much of JSON Schema as the committed schema uses; an unknown keyword fails, so that none is taken for checked.

use serde_json::Value;

/// Every place where `value` is not what `schema` says.
pub fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(schema, schema, value, "$", &mut problems);
    problems
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, path, problems);
            }
            "type" => {
                let kinds = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !kinds.iter().any(|kind| is(kind.as_str().unwrap(), value)) {
                    problems.push(format!("{path}: expected {rule}, found {value}"));
                }
            }
            "enum" => {
                if !rule.as_array().unwrap().contains(value) {
                    problems.push(format!("{path}: expected one of {rule}, found {value}"));
                }
            }
            "pattern" => pattern(rule.as_str().unwrap(), value, path, problems),
            "required" => {
                for key in rule.as_array().unwrap() {
                    if value.get(key.as_str().unwrap()).is_none() {
                        problems.push(format!("{path}: {key} is missing"));
                    }
                }
            }
            "properties" => {
                for (key, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        check(root, schema, value, &format!("{path}.{key}"), problems);
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flatten();
                for (key, value) in others.filter(|(key, _)| !known.is_some_and(|known| known.contains_key(*key))) {
                    match rule {
                        Value::Bool(false) => problems.push(format!("{path}: {key} is not in the schema")),
                        rule => check(root, rule, value, &format!("{path}.{key}"), problems),
                    }
                }
            }
            "items" => {
                for (i, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, value, &format!("{path}[{i}]"), problems);
                }
            }
            other => panic!("the schema has a keyword this test does not know: {other}"),
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}

/// The two patterns there are.
fn pattern(pattern: &str, value: &Value, path: &str, problems: &mut Vec<String>) {
    let text = value.as_str().unwrap_or_default();
    let fits = match pattern {
        "^[0-9a-f]{64}$" => text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$" => {
            text.len() == 20
                && text.bytes().zip("0000-00-00T00:00:00Z".bytes()).all(|(found, wanted)| match wanted {
                    b'0' => found.is_ascii_digit(),
                    other => found == other,
                })
        }
        other => panic!("{other}"),
    };
    if !fits {
        problems.push(format!("{path}: {text:?} does not match {pattern}"));
    }
}
