//! Where authorities' keys are.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::form::{Report, Screen};
use crate::report::table::{line, place, table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "KeyList", rename_all = "camelCase")]
pub struct Keys {
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    pub keys: Vec<Key>,
    /// What an interrupted run left to do.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub authority: &'static str,
    /// plain, encrypted, file, command, signer, issuer, external, missing.
    pub state: &'static str,
    /// The file or program elsewhere.
    pub at: Option<String>,
    /// The tree's own file, below DIR, where there is one.
    pub path: Option<String>,
    /// In octal.
    pub mode: Option<String>,
    /// Where the profile says that its passphrase is.
    pub passphrase: Option<String>,
    /// Other files below DIR that hold it, or that are at its place.
    pub copies: Vec<Copy>,
    /// Those that were given it in plain, by what was packed and by receipts.
    pub nodes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copy {
    pub path: String,
    pub encrypted: bool,
}

impl Report for Keys {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, format_args!("the keys of the authorities: {}", place(self.cluster.as_deref(), &self.directory)))?;
        self.warnings.iter().try_for_each(|warning| line(out, format_args!("  warning: {warning}")))?;
        writeln!(out)?;
        let rows = self.keys.iter().map(|key| {
            let plain = key.copies.iter().filter(|copy| !copy.encrypted).count();
            let copies = match (key.copies.len(), plain) {
                (all, 0) => all.to_string(),
                (all, plain) => format!("{all} ({plain} plain)"),
            };
            let at = key.at.as_ref().or(key.path.as_ref()).cloned().unwrap_or_default();
            [key.authority.to_owned(), key.state.to_owned(), key.mode.clone().unwrap_or_default(), copies, at]
        });
        table(out, screen.width, &["AUTHORITY", "KEY", "MODE", "COPIES", "AT"], rows)?;
        for key in &self.keys {
            let plain = key.copies.iter().filter(|copy| screen.wide || !copy.encrypted);
            for copy in plain {
                let how = if copy.encrypted { "encrypted" } else { "plain" };
                line(out, format_args!("  {}: {how} in {}", key.authority, copy.path))?;
            }
            if !key.nodes.is_empty() {
                line(out, format_args!("  {}: plain on {}", key.authority, key.nodes.join(", ")))?;
            }
        }
        Ok(())
    }
}
