//! What the journal says of a rotation: a line for each authority and step.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::clock::rfc3339;
use crate::tree::rotation::{Identity, Rotating};

/// One line of `.kpki/journal.jsonl`. Fingerprints and digests are SHA-256 in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationLine {
    pub time: String,
    /// `rotate-prepare`, `rotate-switch`, `rotate-retire`, `rotate-back`, `rotate-confirm`, `rotate-override`, `rotate-forget`,
    /// `rotate-emergency`, `rotate-record`.
    pub command: String,
    pub authority: Rotating,
    pub number: u32,
    /// Of the signer's certificate; of the service account its public key.
    pub old: String,
    pub new: String,
    /// Nodes that were confirmed, or what was passed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

impl RotationLine {
    /// The line, without its end.
    pub fn line(
        command: &str,
        (authority, number): (Rotating, u32),
        (old, new): (&[Identity], &[Identity]),
        details: Vec<String>,
        at: OffsetDateTime,
    ) -> String {
        let line = Self {
            time: rfc3339(at),
            command: command.to_owned(),
            authority,
            number,
            old: fingerprint(old),
            new: fingerprint(new),
            details,
        };
        // Strings and lists of strings always have a JSON form.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

fn fingerprint(identities: &[Identity]) -> String {
    let of = |one: &Identity| {
        let certificate = one.certificate.as_ref().map(|described| described.fingerprint.clone());
        certificate.unwrap_or_else(|| one.public_key.clone())
    };
    identities.first().map(of).unwrap_or_default()
}
