//! `kpki convert`: what was written where. Nothing of the content.

use std::fmt;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::form::{Report, Screen};
use super::table::line;

/// What a conversion did.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "Conversion", rename_all = "camelCase")]
pub struct Convert {
    /// The file or directory that was asked for.
    pub out: String,
    pub written: Vec<Written>,
    /// In a directory, what is not of this form.
    pub skipped: Vec<Skipped>,
    /// Remarks: a mislabelled block, something left out.
    pub notes: Vec<String>,
    /// Where replaced files are kept.
    pub kept: Option<String>,
    /// kubeadm's certificate key, where one was made: it is shown this once.
    #[serde(serialize_with = "shown")]
    pub certificate_key: Option<Zeroizing<String>>,
}

/// The certificate key stays out of logs.
impl fmt::Debug for Convert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Convert({} written to {}, {} skipped)", self.written.len(), self.out, self.skipped.len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    pub path: String,
    /// In words.
    pub holds: String,
    pub from: String,
    pub bytes: usize,
    /// 0600.
    #[serde(rename = "mode", serialize_with = "mode")]
    pub secret: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}

const fn octal(secret: bool) -> &'static str {
    if secret { "0600" } else { "0644" }
}

fn mode<S: Serializer>(secret: &bool, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(octal(*secret))
}

fn shown<S: Serializer>(key: &Option<Zeroizing<String>>, to: S) -> Result<S::Ok, S::Error> {
    key.as_ref().map(|key| key.as_str()).serialize(to)
}

impl Report for Convert {
    fn text(&self, _: Screen, out: &mut dyn Write) -> io::Result<()> {
        for Written { path, holds, from, secret, .. } in &self.written {
            line(out, format_args!("wrote {path} ({holds}, {}) from {from}", octal(*secret)))?;
        }
        self.skipped.iter().try_for_each(|Skipped { path, why }| line(out, format_args!("skipped {path}: {why}")))?;
        self.kept.iter().try_for_each(|kept| line(out, format_args!("kept what was replaced in {kept}")))?;
        self.certificate_key.iter().try_for_each(|key| writeln!(out, "certificate key: {}", key.as_str()))
    }
}
