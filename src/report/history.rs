//! What `kpki history` and `kpki restore` say.

use std::io::{self, Write};

use serde::Serialize;

use crate::tree::{Origin, ProfileAt};

use super::form::{Report, Screen};
use super::restart::{Restart, restart_lines};
use super::table::{counted, first_of, line, table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind")]
pub struct History {
    pub directory: String,
    /// The newest first.
    pub generations: Vec<Generation>,
    /// What an interrupted run left to do.
    pub warnings: Vec<String>,
}

/// What one run replaced, as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Generation {
    #[serde(rename = "generation")]
    pub name: String,
    /// RFC 3339, UTC.
    pub time: String,
    pub command: String,
    /// Entries (`NODE/NAME`) or, for a restore, paths.
    pub entries: Vec<String>,
    pub replaced: Vec<String>,
    pub created: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RestoreReport", rename_all = "camelCase")]
pub struct Restored {
    pub directory: String,
    /// The tree is as it was before this one's command ran.
    pub generation: String,
    /// The generation that keeps what was replaced now; `None`: nothing was, or `--dry-run`.
    pub kept: Option<String>,
    pub put_back: Vec<String>,
    /// They had been made since.
    pub removed: Vec<String>,
    /// CRLs, which stay as they are.
    pub lists_left: Vec<String>,
    /// What speaks against using what was put back.
    pub warnings: Vec<String>,
    pub restart: Vec<Restart>,
    /// The kubelet's own, where the command line said it.
    #[serde(skip)]
    pub kubelet_dir: Option<String>,
}

/// How many names are shown of each generation.
const FEW: usize = 4;

impl Report for History {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let count = self.generations.len();
        match count {
            0 => line(out, format_args!("no run of kpki has replaced a file: {}", self.directory))?,
            _ => line(out, format_args!("{}, the newest first: {}", counted(count, "generation"), self.directory))?,
        }
        self.warnings.iter().try_for_each(|warning| line(out, format_args!("  warning: {warning}")))?;
        if count == 0 {
            return Ok(());
        }
        writeln!(out)?;
        let rows = self.generations.iter().map(|one| {
            let files = one.replaced.len() + one.created.len();
            let changed = if one.entries.is_empty() { &one.replaced } else { &one.entries };
            let changed = first_of(changed, if screen.wide { usize::MAX } else { FEW });
            [one.name.clone(), one.time.clone(), one.command.clone(), files.to_string(), changed]
        });
        table(out, screen.width, &["GENERATION", "WHEN", "COMMAND", "FILES", "CHANGED"], rows)
    }
}

impl Report for Restored {
    fn text(&self, _: Screen, out: &mut dyn Write) -> io::Result<()> {
        let (count, before) = (self.put_back.len() + self.removed.len(), &self.generation);
        match (count, &self.kept) {
            (0, _) => line(out, format_args!("nothing to do: the tree is as it was before {before}"))?,
            (_, None) => {
                line(out, format_args!("would restore {} as they were before {before}", counted(count, "file")))?
            }
            (_, Some(kept)) => {
                line(out, format_args!("restored {} as they were before {before}", counted(count, "file")))?;
                let kubelet_dir = self.kubelet_dir.clone();
                let origin = Origin { kubelet_dir, ..Origin::new(self.directory.clone(), ProfileAt::Recorded) };
                line(out, format_args!("undo it with: {}", origin.command("restore", &[kept], &[])))?;
            }
        }
        if count > 0 {
            writeln!(out)?;
        }
        for (paths, remark) in [
            (&self.put_back, ""),
            (&self.removed, " (removed: it was created since)"),
            (&self.lists_left, " (kept: an older CRL would undo revocations)"),
        ] {
            paths.iter().try_for_each(|path| line(out, format_args!("  {path}{remark}")))?;
        }
        self.warnings.iter().try_for_each(|warning| line(out, format_args!("  warning: {warning}")))?;
        restart_lines(&self.restart, "Before they are used", out)
    }
}
