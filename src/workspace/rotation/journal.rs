//! What the journal says of a rotation: a line for each authority and step.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::clock::rfc3339;
use crate::error::Error;
use crate::store::{self, Roots};
use crate::tree::rotation::{Identity, Record, Rotating};

/// One line of `.kpki/journal.jsonl`. Fingerprints and digests are SHA-256 in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationLine {
    pub time: String,
    /// `rotate-prepare`, `rotate-switch`, `rotate-retire`, `rotate-back`, `rotate-confirm`, `rotate-override`, `rotate-forget`,
    /// `rotate-emergency`, `rotate-record`, `rotate-signer-file`.
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

/// The number of the last one, by the journal and what is still kept of it; 1: it was never rotated.
pub fn last_number(roots: &Roots, record: &Record, rotating: Rotating) -> Result<u32, Error> {
    let lines = store::journal(roots)?;
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<RotationLine>(line.as_ref()).ok());
    let of_lines =
        lines.filter(|line| line.authority == rotating && line.command == "rotate-retire").map(|line| line.number);
    let retired = record.retired.iter().filter(|one| one.authority == rotating).map(|one| one.number);
    Ok(of_lines.chain(retired).max().unwrap_or(1))
}

fn fingerprint(identities: &[Identity]) -> String {
    let of = |one: &Identity| {
        let certificate = one.certificate.as_ref().map(|described| described.fingerprint.clone());
        certificate.unwrap_or_else(|| one.public_key.clone())
    };
    identities.first().map(of).unwrap_or_default()
}
