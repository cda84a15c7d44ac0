//! A tree that came back from its backup.

use std::io::{self, Write};

use serde::Serialize;

use super::Summary;
use crate::files::shell_path;
use crate::report::form::{Report, Screen};
use crate::report::table::{counted, line, place};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "BackupRestored", rename_all = "camelCase")]
pub struct Restored {
    /// Where the tree is now.
    pub to: String,
    /// Directories that lay outside of the tree.
    pub moved: Vec<Moved>,
    pub warnings: Vec<String>,
    #[serde(flatten)]
    pub summary: Summary,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub from: String,
    pub to: String,
}

impl Report for Restored {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let Summary { cluster, directory, time, files, .. } = &self.summary;
        let (what, keys) = (place(cluster.as_deref(), directory), self.summary.keys());
        line(out, format_args!("restored {what}, of {time}, to {}: {}, {keys}", self.to, counted(*files, "file")))?;
        self.summary.text(screen.width, out)?;
        for Moved { from, to } in &self.moved {
            line(out, format_args!("  moved: what was in {from} is in {to}"))?;
        }
        self.warnings.iter().try_for_each(|warning| line(out, format_args!("  warning: {warning}")))?;
        for text in [
            format!("what was issued or revoked after {time} is not known here, and is not revoked by its name"),
            "the next CRL must have a higher number than the nodes have: merge their receipts before it is signed"
                .to_owned(),
        ] {
            line(out, format_args!("  warning: {text}"))?;
        }
        writeln!(out)?;
        line(out, format_args!("prove that it works: kpki verify {}", shell_path(&self.to)))
    }
}
