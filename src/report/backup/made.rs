//! A new backup.

use std::io::{self, Write};

use serde::Serialize;

use super::Summary;
use crate::report::form::{Report, Screen};
use crate::report::table::{counted, line, place};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "BackupReport", rename_all = "camelCase")]
pub struct Made {
    pub out: String,
    /// Of the file.
    pub bytes: usize,
    pub encrypted: bool,
    #[serde(flatten)]
    pub summary: Summary,
}

impl Report for Made {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let Summary { cluster, directory, files, .. } = &self.summary;
        let how = if self.encrypted { "encrypted" } else { "NOT encrypted" };
        let what = place(cluster.as_deref(), directory);
        let (files, keys) = (counted(*files, "file"), self.summary.keys());
        line(out, format_args!("backed up {what} to {}: {files}, {keys}, {how}", self.out))?;
        self.summary.text(screen.width, out)
    }
}
