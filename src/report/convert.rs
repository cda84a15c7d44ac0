//! `kpki convert`: what was written where. Nothing of the content.

use std::fmt;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Form, json, sanitised, yaml};

/// What a conversion did.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Convert {
    /// The file or directory that was asked for.
    pub out: String,
    pub written: Vec<Written>,
    /// In a directory, what is not of this form.
    pub skipped: Vec<Skipped>,
    /// Worth a word: a mislabelled block, something left out.
    pub notes: Vec<String>,
    /// Where replaced files are kept.
    pub kept: Option<String>,
    /// kubeadm's certificate key, where one was made: it is shown this once.
    pub certificate_key: Option<Zeroizing<String>>,
}

/// The certificate key stays out of logs.
impl fmt::Debug for Convert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Convert({} written to {}, {} skipped)", self.written.len(), self.out, self.skipped.len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub path: String,
    /// In words.
    pub holds: String,
    pub from: String,
    pub bytes: usize,
    /// 0600.
    pub secret: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}

impl Convert {
    pub fn render(&self, form: Form) -> Zeroizing<String> {
        Zeroizing::new(match form {
            Form::Table | Form::Wide => self.text(),
            Form::Json => json::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for written in &self.written {
            let mode = if written.secret { "0600" } else { "0644" };
            text.push_str(&sanitised(&format!(
                "wrote {} ({}, {mode}) from {}",
                written.path, written.holds, written.from
            )));
            text.push('\n');
        }
        for skipped in &self.skipped {
            text.push_str(&sanitised(&format!("skipped {}: {}", skipped.path, skipped.why)));
            text.push('\n');
        }
        if let Some(kept) = &self.kept {
            text.push_str(&sanitised(&format!("kept what was replaced in {kept}")));
            text.push('\n');
        }
        if let Some(key) = &self.certificate_key {
            text.push_str(&format!("certificate key: {}\n", key.as_str()));
        }
        text
    }

    fn value(&self) -> Value {
        let written = |written: &Written| {
            json!({
                "path": written.path,
                "holds": written.holds,
                "from": written.from,
                "bytes": written.bytes,
                "mode": if written.secret { "0600" } else { "0644" },
            })
        };
        json!({
            "apiVersion": "kpki/v1",
            "kind": "Conversion",
            "out": self.out,
            "written": self.written.iter().map(written).collect::<Vec<_>>(),
            "skipped": self.skipped.iter().map(|s| json!({"path": s.path, "why": s.why})).collect::<Vec<_>>(),
            "notes": self.notes,
            "kept": self.kept,
            "certificateKey": self.certificate_key.as_ref().map(|key| key.as_str()),
        })
    }
}
