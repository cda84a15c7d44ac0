//! JSON: keys in a fixed order, instants in RFC 3339 UTC, absent facts as null.

use std::fmt;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::ser::PrettyFormatter;
use time::OffsetDateTime;

use crate::clock::rfc3339;

/// The document with each level indented by so much, and a newline behind it.
pub fn write(document: &impl Serialize, indent: &str, mut out: &mut dyn Write) -> io::Result<()> {
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter))?;
    out.write_all(b"\n")
}

/// The name of an enum's variant as documents have it.
pub struct Name<T>(pub T);

impl<T: Serialize> fmt::Display for Name<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

pub fn instant<S: Serializer>(at: &OffsetDateTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&rfc3339(*at))
}

pub fn instant_if_any<S: Serializer>(at: &Option<OffsetDateTime>, to: S) -> Result<S::Ok, S::Error> {
    at.map(rfc3339).serialize(to)
}

/// Hexadecimal as other tools' JSON has it.
pub fn lower_case<S: Serializer>(hex: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex.to_lowercase())
}

/// `0600`.
pub fn octal<S: Serializer>(mode: &u32, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{mode:04o}"))
}
