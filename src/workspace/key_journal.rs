//! What the journal says of the form of an authority's key.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::clock::rfc3339;

/// One line of `.kpki/journal.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyLine {
    pub time: String,
    /// `key-protect` or `key-expose`.
    pub command: String,
    pub authority: String,
    /// The authority's subjectKeyIdentifier, as in the lines of certificates.
    pub key_id: Option<String>,
}

impl KeyLine {
    /// The line, without its end.
    pub fn line(command: &str, authority: CaId, key_id: Option<String>, at: OffsetDateTime) -> String {
        let authority = authority.name().to_owned();
        let line = Self { time: rfc3339(at), command: command.to_owned(), authority, key_id };
        // Strings always have a JSON form.
        serde_json::to_string(&line).unwrap_or_default()
    }
}
