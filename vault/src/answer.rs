//! What an answer of the server means. Pure.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::text;

/// What was asked for, and what the server remarks.
#[derive(Default)]
pub struct Answer {
    pub fields: Map<String, Value>,
}

/// It may hold a key or a token.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

impl Answer {
    /// The remarks of the server: a lifetime that was cut, a parameter that it does not know.
    pub fn warnings(&self) -> Vec<String> {
        texts(self.fields.get("warnings"))
    }

    pub fn data(&self) -> Option<&Map<String, Value>> {
        self.fields.get("data").and_then(Value::as_object)
    }
}

/// Statuses by which a server says that it can answer later, with nothing changed here.
const LATER: [(u16, &str); 6] = [
    (412, "the node that was asked does not know the newest state yet"),
    (429, "it has too many requests, or this node is a standby"),
    (473, "this node is a standby"),
    (502, "what stands before the server has no answer of it"),
    (503, "it is sealed, in maintenance or overloaded"),
    (504, "what stands before the server had no answer of it in time"),
];
const MOST_ERRORS: usize = 5;
const LONGEST_ERROR: usize = 400;

/// `place`: the URL, for messages.
pub fn judge(status: u16, body: &[u8], place: &str) -> Result<Answer, Error> {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    if status == 204 {
        return Ok(Answer::default());
    }
    if status == 200 {
        return match parsed {
            Some(Value::Object(fields)) => Ok(Answer { fields }),
            _ => Err(Error::failed(format!("{place}: the answer is not one of Vault or OpenBao"))
                .because("expected a JSON object")
                .hint("is --address the server's own, without its user interface's path?")),
        };
    }
    let what = format!("{place}: HTTP status {status}");
    let later = LATER.iter().find(|(known, _)| *known == status);
    let mut error = match later {
        Some((_, why)) => Error::later(what).because(why),
        None => Error::failed(what),
    };
    for said in texts(parsed.as_ref().and_then(|answer| answer.get("errors"))) {
        error = error.because(said);
    }
    Err(match status {
        403 => error.hint("the token's policy has to allow this path, and the token must not have ended"),
        404 => error.hint("nothing is there: compare the mount, the name, and the namespace"),
        _ => error,
    })
}

/// The first few texts of a list.
fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts = list.iter().filter_map(Value::as_str).filter(|text| !text.trim().is_empty());
    texts.take(MOST_ERRORS).map(|said| text::bounded(said, LONGEST_ERROR)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn statuses_and_what_they_say() {
        let long = format!(r#"{{"errors":["{}"]}}"#, "x".repeat(5000));
        let many = format!(r#"{{"errors":[{}]}}"#, vec![r#""same""#; 50].join(","));
        for (status, body, exit, says) in [
            (400, r#"{"errors":["unknown role: x"]}"#, Exit::Failed, "caused by: unknown role: x\n"),
            (400, "{\"errors\":[\"a\\u001b[2Jb\"]}", Exit::Failed, "caused by: a\u{fffd}[2Jb\n"),
            (400, "garbage", Exit::Failed, "HTTP status 400\n"),
            (400, r#"{"errors":"no list"}"#, Exit::Failed, "HTTP status 400\n"),
            (400, r#"{"errors":[1,null,{"a":2}]}"#, Exit::Failed, "HTTP status 400\n"),
            (400, &long, Exit::Failed, "... (5000 characters)"),
            (400, &many, Exit::Failed, "same\ncaused by: same\ncaused by: same\ncaused by: same\ncaused by: same\n"),
            (403, r#"{"errors":["permission denied"]}"#, Exit::Failed, "policy"),
            (404, r#"{"errors":[]}"#, Exit::Failed, "nothing is there"),
            (500, r#"{"errors":["internal error"]}"#, Exit::Failed, "internal error"),
            (412, "", Exit::Later, "newest state"),
            (429, "", Exit::Later, "too many requests"),
            (502, "<html>", Exit::Later, "stands before"),
            (503, r#"{"errors":["Vault is sealed"]}"#, Exit::Later, "caused by: Vault is sealed"),
            (200, "<html>", Exit::Failed, "not one of Vault or OpenBao"),
            (200, "[]", Exit::Failed, "not one of Vault or OpenBao"),
            (200, "", Exit::Failed, "not one of Vault or OpenBao"),
        ] {
            let error = judge(status, body.as_bytes(), "https://vault/v1/x").unwrap_err();
            assert_eq!(error.exit, exit, "{status} {body}");
            let shown = error.shown();
            assert!(shown.contains(says) && shown.len() < 2500, "{status} {body}: {shown}");
            assert!(shown.matches("same").count() <= MOST_ERRORS, "{shown}");
        }
    }

    #[test]
    fn what_is_there_is_found() {
        let body = br#"{"data":{"a":"b"},"warnings":["cut\u0007"," "]}"#;
        let answer = judge(200, body, "place").unwrap();
        assert_eq!(answer.data().unwrap().get("a").unwrap(), "b");
        assert_eq!(answer.warnings(), ["cut\u{7}"]);
        assert!(judge(204, b"", "place").unwrap().data().is_none());
        for body in [r#"{"data":null,"warnings":null}"#, r#"{"data":[1],"warnings":7}"#, "{}"] {
            let answer = judge(200, body.as_bytes(), "place").unwrap();
            assert!(answer.data().is_none() && answer.warnings().is_empty(), "{body}");
        }
    }
}
