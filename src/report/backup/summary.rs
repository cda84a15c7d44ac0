//! What a backup holds.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::form::Width;
use crate::report::json::Name;
use crate::report::table::{counted, line, table};

/// The tree in a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    /// Where the tree was.
    pub directory: String,
    /// When it was read: RFC 3339, UTC.
    pub time: String,
    pub files: usize,
    /// Of the files, in bytes.
    pub size: u64,
    pub authorities: Vec<Authority>,
    /// Certificates with their keys.
    pub pairs: usize,
    /// Lines of the journal: certificates, and issues of CRLs.
    pub certificates: usize,
    pub lists: usize,
    /// When the last line was written.
    pub last: Option<String>,
    /// Neither regular files nor directories, and keys that are elsewhere: they are not in the backup.
    pub left_out: Vec<String>,
    /// What is missing or does not fit.
    pub problems: Vec<String>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    pub authority: &'static str,
    pub path: String,
    pub subject: Option<String>,
    pub key: Key,
    /// Decimal; `None`: it has no CRL.
    pub crl_number: Option<String>,
}

/// Whether the key of an authority is in the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    Here,
    /// There, and not opened.
    Encrypted,
    /// There, encrypted, and opened: it is the certificate's.
    Opened,
    /// Where the profile says, and not in the tree.
    Elsewhere,
    External,
    Missing,
    Unusable,
}

impl Summary {
    /// `3 of 3 CA keys`.
    pub fn keys(&self) -> String {
        let here =
            self.authorities.iter().filter(|one| matches!(one.key, Key::Here | Key::Encrypted | Key::Opened)).count();
        format!("{here} of {}", counted(self.authorities.len(), "CA key"))
    }

    /// Its authorities, its journal, and what is wrong.
    pub fn text(&self, width: Width, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out)?;
        let rows = self.authorities.iter().map(|one| {
            let list = one.crl_number.clone().unwrap_or_else(|| "none".to_owned());
            [one.authority.to_owned(), Name(one.key).to_string(), list, one.path.clone()]
        });
        table(out, width, &["AUTHORITY", "KEY", "CRL", "PATH"], rows)?;
        writeln!(out)?;
        let last = self.last.as_deref().map(|last| format!(", the last at {last}")).unwrap_or_default();
        let (certificates, lists) = (counted(self.certificates, "certificate"), counted(self.lists, "CRL"));
        line(out, format_args!("  journal: {certificates} and {lists} were issued{last}"))?;
        line(out, format_args!("  pairs of certificate and key: {}", self.pairs))?;
        for (label, texts) in [("not in it", &self.left_out), ("problem", &self.problems), ("note", &self.notes)] {
            texts.iter().try_for_each(|text| line(out, format_args!("  {label}: {text}")))?;
        }
        Ok(())
    }
}
