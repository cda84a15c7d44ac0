//! What a receipt may say. It comes from a node, through a person's hands: nothing in it becomes a path, and no text of it
//! steers a terminal, fills a disk or stands in the journal before it has passed here.

use serde::Deserialize;

use super::manifest::ApiVersion;
use super::receipt::{LARGEST_CERTIFICATE, LARGEST_LIST, MOST_CERTIFICATES, Receipt, instant};
use crate::encoding::shown::quoted;
use crate::files::{RelPath, steers};
use crate::plan::revoke::serial_of_hex;
use crate::store::JsonError;
use crate::workspace::journal::{Line, number_of};

impl Receipt {
    /// From JSON, of at most [`LARGEST`](super::receipt::LARGEST) bytes. It may come from anybody: what no node writes is refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let _: Version = serde_json::from_slice(bytes).map_err(JsonError::from)?;
        let read: Self = serde_json::from_slice(bytes).map_err(JsonError::from)?;
        check(&read)?;
        Ok(read)
    }
}

/// A later version may mean something else by the same fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    #[serde(default, rename = "apiVersion")]
    _version: ApiVersion,
}

/// Why a text is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Field(#[from] BadField),
}

/// A field with something that no node writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, found {found}")]
pub struct BadField {
    field: &'static str,
    expected: &'static str,
    found: String,
}

/// Longer than every name, path and distinguished name.
const LONGEST: usize = 4096;
const MOST_ENTRIES: usize = 4096;
/// 2^160 has so many decimal digits.
const MOST_DIGITS: usize = 49;

fn bad(field: &'static str, expected: &'static str, found: &str) -> BadField {
    let long = found.chars().count() > 200;
    BadField { field, expected, found: if long { "a long text".to_owned() } else { quoted(found) } }
}

type Checked = Result<(), BadField>;

fn check(receipt: &Receipt) -> Checked {
    name("node", &receipt.node)?;
    receipt.cluster.iter().try_for_each(|cluster| text("clusterName", cluster))?;
    time("time", &receipt.time)?;
    receipt.unpacked.iter().try_for_each(|unpacked| time("unpacked", unpacked))?;
    receipt.generation.iter().try_for_each(|generation| name("generation", generation))?;
    receipt.signing_file.iter().try_for_each(|path| text("signingFile", path))?;
    let phase = receipt.issue.iter().filter_map(|issue| issue.phase.as_ref());
    phase.into_iter().try_for_each(|phase| text("phase", phase))?;
    if [receipt.entries.len(), receipt.lists.len(), receipt.components.len()].into_iter().any(|len| len > MOST_ENTRIES)
    {
        return Err(bad("entries, lists, components", "at most 4096", "more"));
    }
    for one in &receipt.entries {
        text("entry", &one.entry)?;
        path(&one.path)?;
        if one.certificates_der.len() > MOST_CERTIFICATES
            || one.certificates_der.iter().any(|der| der.len() > base64_len(LARGEST_CERTIFICATE))
        {
            return Err(bad("certificatesDer", "at most 16 certificates of at most 32 KiB", "more"));
        }
        if one.public_keys.len() > MOST_CERTIFICATES {
            return Err(bad("publicKeys", "at most 16 keys", "more"));
        }
        one.not_before.iter().chain(&one.not_after).try_for_each(|at| time("notBefore, notAfter", at))?;
    }
    for one in &receipt.lists {
        text("authority", &one.authority)?;
        path(&one.path)?;
        one.number.iter().try_for_each(|found| number(found))?;
        time("thisUpdate", &one.this_update)?;
        one.next_update.iter().try_for_each(|at| time("nextUpdate", at))?;
        // What it says is believed only with its authority's signature.
        if one.crl.as_ref().is_some_and(|crl| crl.len() > base64_len(LARGEST_LIST)) {
            return Err(bad("crl", "a list of at most 256 KiB", "a longer one"));
        }
    }
    if let Some(client) = &receipt.kubelet_client {
        text("issuer", &client.issuer)?;
        client.issuer_key_id.iter().try_for_each(|id| hexadecimal("issuerKeyId", id))?;
        time("notAfter", &client.not_after)?;
    }
    for one in &receipt.components {
        name("component", &one.component)?;
        one.started.iter().chain(&one.changed).try_for_each(|at| time("started, changed", at))?;
    }
    receipt.journal.iter().try_for_each(line)
}

/// What so many bytes are at most.
const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

fn line(line: &Line) -> Checked {
    match line {
        Line::Certificate(line) => {
            [&line.entry, &line.subject, &line.issuer].into_iter().try_for_each(|found| text("journal", found))?;
            entry(&line.entry)?;
            [&line.time, &line.not_before, &line.not_after].into_iter().try_for_each(|at| time("journal", at))?;
            name("command", &line.command)?;
            line.key_id.iter().try_for_each(|id| hexadecimal("keyId", id))?;
            hexadecimal("fingerprint", &line.fingerprint)?;
            serial(&line.serial)
        }
        Line::Crl(line) => {
            [&line.entry, &line.issuer].into_iter().try_for_each(|found| text("journal", found))?;
            let dates = [&line.revocation_date, &line.invalidity_date].into_iter().flatten();
            std::iter::once(&line.time).chain(dates).try_for_each(|at| time("journal", at))?;
            name("command", &line.command)?;
            line.reason.iter().try_for_each(|reason| name("reason", reason))?;
            hexadecimal("issuerFingerprint", &line.issuer_fingerprint)?;
            number(&line.crl_number)?;
            line.serial.iter().try_for_each(|found| serial(found))
        }
    }
}

/// A word of letters, digits, points and hyphens: a node, a component, a command, a generation.
fn name(field: &'static str, found: &str) -> Checked {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_name =
        found.len() <= 253 && found.chars().all(plain) && found.starts_with(|c: char| c.is_ascii_alphanumeric());
    if is_name { Ok(()) } else { Err(bad(field, "a name", found)) }
}

fn text(field: &'static str, found: &str) -> Checked {
    match found.chars().any(|c| c.is_control() || steers(c)) || found.len() > LONGEST {
        true => Err(bad(field, "a line of text", found)),
        false => Ok(()),
    }
}

/// A name, a user's name, or a path of what was restored: nothing that leads elsewhere.
fn entry(found: &str) -> Checked {
    match found.is_empty() || found.split('/').any(|part| matches!(part, "." | "..")) {
        true => Err(bad("journal", "the name of an entry", found)),
        false => Ok(()),
    }
}

fn path(found: &str) -> Checked {
    text("path", found)?;
    match found.strip_prefix('/').is_some_and(|below| RelPath::parse(below).is_ok()) {
        true => Ok(()),
        false => Err(bad("path", "an absolute path of plain names", found)),
    }
}

fn time(field: &'static str, found: &str) -> Checked {
    match found.len() <= 40 && instant(found).is_some() {
        true => Ok(()),
        false => Err(bad(field, "an instant in RFC 3339", found)),
    }
}

fn hexadecimal(field: &'static str, found: &str) -> Checked {
    match found.len() <= 128 && found.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err(bad(field, "hexadecimal digits", found)),
    }
}

fn serial(found: &str) -> Checked {
    hexadecimal("serial", found)?;
    // RFC 5280 section 4.1.2.2: at most 20 octets, the first of which may be a zero.
    match serial_of_hex(found).is_some_and(|serial| serial.len() <= 21) {
        true => Ok(()),
        false => Err(bad("serial", "a serial number of at most 20 octets", found)),
    }
}

fn number(found: &str) -> Checked {
    match found.len() <= MOST_DIGITS && number_of(found).is_some() {
        true => Ok(()),
        false => Err(bad("number", "a CRL number of at most 20 octets", found)),
    }
}
