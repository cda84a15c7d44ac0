//! Keys that were encrypted or decrypted.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::form::{Report, Screen};
use crate::report::table::{counted, line, place, table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "KeyReport", rename_all = "camelCase")]
pub struct Changed {
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    pub dry_run: bool,
    pub keys: Vec<Row>,
    /// Where a key is known to be in plain still, or encrypted with another passphrase.
    pub left: Vec<String>,
    /// What no directory knows.
    pub notes: Vec<String>,
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub authority: &'static str,
    /// The tree's own file, below DIR.
    pub path: String,
    pub action: Action,
    /// In `.kpki`: encrypted, too.
    pub copies: Vec<String>,
    /// In generations: what cannot be encrypted.
    pub destroyed: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Unchanged,
    Encrypted,
    NewPassphrase,
    /// The key was encrypted already, and copies of it are now.
    CopiesEncrypted,
    Decrypted,
}

impl Action {
    const fn text(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Encrypted => "encrypted",
            Self::NewPassphrase => "new passphrase",
            Self::CopiesEncrypted => "copies encrypted",
            Self::Decrypted => "decrypted",
        }
    }
}

impl Changed {
    pub fn changed(&self) -> impl Iterator<Item = &Row> {
        self.keys.iter().filter(|row| row.action != Action::Unchanged)
    }
}

impl Report for Changed {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let changed = self.changed().count();
        let what = place(self.cluster.as_deref(), &self.directory);
        match (changed, self.dry_run) {
            (0, _) => line(out, format_args!("nothing to do: every key is as it was asked for: {what}"))?,
            (_, true) => line(out, format_args!("would change {}: {what}", counted(changed, "key")))?,
            (_, false) => line(out, format_args!("changed {}: {what}", counted(changed, "key")))?,
        }
        writeln!(out)?;
        let rows = self.keys.iter().map(|row| {
            let copies = row.copies.len();
            [row.authority.to_owned(), row.action.text().to_owned(), copies.to_string(), row.path.clone()]
        });
        table(out, screen.width, &["AUTHORITY", "KEY", "COPIES", "PATH"], rows)?;
        for row in &self.keys {
            row.copies.iter().try_for_each(|path| line(out, format_args!("  encrypted, too: {path}")))?;
            row.destroyed.iter().try_for_each(|path| line(out, format_args!("  destroyed: {path}")))?;
        }
        self.left.iter().try_for_each(|one| line(out, format_args!("  left: {one}")))?;
        self.notes.iter().try_for_each(|note| line(out, format_args!("  note: {note}")))
    }
}
