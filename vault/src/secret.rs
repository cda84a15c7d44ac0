//! One field of a secret in a KV engine, for `key.command`.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::error::Error;
use crate::session::Session;

/// Version 2 has the fields below another `data`, beside `metadata`.
pub fn field(answer: &Answer, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let data = answer.data();
    let second = data.filter(|data| data.get("metadata").is_some_and(Value::is_object));
    let fields = second.and_then(|data| data.get("data")).and_then(Value::as_object).or(data);
    match fields.and_then(|fields| fields.get(name)).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(Zeroizing::new(text.as_bytes().to_vec())),
        _ => Err(Error::failed(format!("the secret has no text in its field {name}"))
            .hint("version 2 of the KV engine has data in its path: --path secret/data/NAME")),
    }
}

pub fn run(session: &mut Session<'_>, path: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    field(&session.get(path)?, name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_both_versions() {
        for (data, expected) in [
            (json!({"ca.key": "PEM"}), Some("PEM")),
            (json!({"data": {"ca.key": "PEM"}, "metadata": {"version": 1}}), Some("PEM")),
            (json!({"data": {"other": "PEM"}, "metadata": {}}), None),
            (json!({"data": null, "metadata": {"deletion_time": "..."}}), None),
            (json!({"ca.key": ""}), None),
            (json!({"ca.key": 5}), None),
            (json!(null), None),
        ] {
            let Value::Object(fields) = json!({ "data": data }) else { panic!() };
            let found = field(&Answer { fields }, "ca.key");
            assert_eq!(found.as_ref().ok().map(|found| found.as_slice()), expected.map(str::as_bytes), "{found:?}");
        }
    }
}
