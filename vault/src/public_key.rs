//! The public half of a transit key, for `publicKey:` of an authority that `kpki init` makes.

use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::pem_text;
use crate::session::Session;
use crate::sign::By;

const LABEL: &str = "PUBLIC KEY";

pub fn of(answer: &Answer, by: &By) -> Result<String, Error> {
    let wrong = |why: &str| Error::failed("the answer is not that of a transit secrets engine").because(why);
    let data = answer.data().ok_or_else(|| wrong("expected \"data\""))?;
    let latest = || data.get("latest_version").and_then(Value::as_u64);
    let version = by.version.map(u64::from).or_else(latest).ok_or_else(|| wrong("expected \"latest_version\""))?;
    let keys = data.get("keys").and_then(Value::as_object).ok_or_else(|| wrong("expected \"keys\""))?;
    let key = keys.get(&version.to_string()).ok_or_else(|| {
        Error::failed(format!("the key {} has no version {version}", by.key))
            .hint(format!("it has {}", keys.keys().take(20).cloned().collect::<Vec<_>>().join(", ")))
    })?;
    let public = key.get("public_key").and_then(Value::as_str).and_then(|text| pem_text::only(text, &[LABEL]));
    match public {
        Some(public) => Ok(pem_text::written(LABEL, public.contents())),
        None => Err(Error::failed(format!("version {version} of the key {} has no public half in PEM", by.key))
            .hint("expected a key of type ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072 or rsa-4096")),
    }
}

pub fn run(session: &mut Session<'_>, by: &By) -> Result<String, Error> {
    of(&session.get(&format!("{}/keys/{}", by.mount, by.key))?, by)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_version_that_is_named_or_the_latest() {
        let [one, two] = [b"one", b"two"].map(|der| pem_text::written(LABEL, der));
        let keys = json!({"1": {"public_key": one}, "2": {"public_key": two}});
        let symmetric = json!({"1": 1_700_000_000});
        let other = json!({"1": {"public_key": "kHvd2Qnq2eNfKx8="}});
        for (data, version, expected) in [
            (json!({"keys": keys, "latest_version": 2}), None, Ok(&two)),
            (json!({"keys": keys, "latest_version": 2}), Some(1), Ok(&one)),
            (json!({"keys": keys, "latest_version": 2}), Some(3), Err("no version 3")),
            (json!({"keys": keys}), None, Err("latest_version")),
            (json!({"latest_version": 1}), None, Err("\"keys\"")),
            (json!({"keys": symmetric, "latest_version": 1}), None, Err("no public half")),
            (json!({"keys": other, "latest_version": 1}), None, Err("no public half")),
            (json!(null), None, Err("\"data\"")),
        ] {
            let by = By { mount: "transit".to_owned(), key: "ca".to_owned(), version };
            let Value::Object(fields) = json!({ "data": data }) else { panic!() };
            match (of(&Answer { fields }, &by), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, *expected),
                (Err(found), Err(expected)) => assert!(found.shown().contains(expected), "{found:?}"),
                (found, expected) => panic!("{found:?}, expected {expected:?}"),
            }
        }
    }
}
