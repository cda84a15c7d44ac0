//! What a backup holds, and whether that is whole.

use std::io::{self, Write};

use serde::Serialize;

use super::Summary;
use crate::report::form::{Report, Screen};
use crate::report::table::{counted, first_of, line, place};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "BackupVerification", rename_all = "camelCase")]
pub struct Verified {
    pub state: State,
    pub file: String,
    pub encrypted: bool,
    #[serde(flatten)]
    pub summary: Summary,
    pub compared: Option<Compared>,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Whole,
    /// The tree it was compared with has changed since.
    Older,
    /// It opens, and something is missing or does not fit.
    Incomplete,
}

/// The tree as it is, and what of it is not in the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    pub directory: String,
    /// Lines of the tree's journal that the backup has not: certificates, and issues of CRLs.
    pub certificates: usize,
    pub lists: usize,
    /// Lines of the backup's journal that the tree has not.
    pub unknown: usize,
    /// Files that are other ones, more, or gone.
    pub changed: Vec<String>,
    /// What an interrupted run left to do.
    pub warnings: Vec<String>,
}

impl Compared {
    pub fn is_other(&self) -> bool {
        self.certificates + self.lists + self.unknown + self.changed.len() > 0
    }

    fn text(&self) -> String {
        let Self { directory, certificates, lists, unknown, changed, .. } = self;
        let mut parts = Vec::new();
        if certificates + lists > 0 {
            let by = [(*certificates, "certificate"), (*lists, "CRL")];
            let by: Vec<String> =
                by.iter().filter(|(count, _)| *count > 0).map(|(count, of)| counted(*count, of)).collect();
            let by = by.join(" and ");
            parts.push(format!("older than {directory} by {by}"));
        }
        if *unknown > 0 {
            parts.push(format!("{} of its journal are not in {directory}", counted(*unknown, "line")));
        }
        if !changed.is_empty() {
            let names = first_of(changed, 4);
            parts.push(format!("{} of {directory} changed since: {names}", counted(changed.len(), "file")));
        }
        if parts.is_empty() { format!("the same as {directory}") } else { parts.join("; ") }
    }
}

impl Report for Verified {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let Summary { cluster, directory, time, files, .. } = &self.summary;
        let verdict = match self.state {
            State::Whole => "whole",
            State::Older => "older than the tree",
            State::Incomplete => "NOT whole",
        };
        let what = place(cluster.as_deref(), directory);
        let (files, keys) = (counted(*files, "file"), self.summary.keys());
        let how = if self.encrypted { "encrypted" } else { "NOT encrypted" };
        line(out, format_args!("{verdict}: {} is {what}, of {time}: {files}, {keys}, {how}", self.file))?;
        self.summary.text(screen.width, out)?;
        let Some(compared) = &self.compared else { return Ok(()) };
        line(out, format_args!("  compared: {}", compared.text()))?;
        compared.warnings.iter().try_for_each(|warning| line(out, format_args!("  warning: {warning}")))
    }
}
