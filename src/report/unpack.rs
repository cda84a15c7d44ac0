//! What `kpki unpack` did, or would do.

use std::io::{self, Write};

use serde::Serialize;

use super::form::{Report, Screen};
use super::hook::{Hook, hook_lines};
use super::json::Name;
use super::restart::{Restart, restart_lines};
use super::table::{counted, line, lines, table};
use crate::files::{shell_path, shell_word};
use crate::tree::{Origin, ProfileAt};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "UnpackReport", rename_all = "camelCase")]
pub struct Unpack {
    /// `--dry-run`: nothing was written.
    pub dry_run: bool,
    pub node: String,
    #[serde(rename = "clusterName")]
    pub cluster: String,
    pub directory: String,
    /// The kubelet's own, where other verbs have to be told of it.
    #[serde(skip)]
    pub kubelet_dir: Option<String>,
    pub archive: String,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    pub files: Vec<UnpackedFile>,
    /// They lie there, and the archive does not have them.
    pub left_over: Vec<LeftOver>,
    /// What an earlier run had put in place, and whose hooks were not all run.
    pub finished: Vec<String>,
    pub restart: Vec<Restart>,
    pub hooks: Vec<Hook>,
    /// A failed deploy hook had everything put back as it was.
    pub rolled_back: bool,
    /// It was a step of a rotation, which restore does not take back.
    #[serde(skip)]
    pub is_step: bool,
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnpackedFile {
    pub path: String,
    pub entry: String,
    pub action: Action,
    /// `--keep-newer`: its certificate and key are those that lay there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It lies there already, byte for byte.
    Same,
    Create,
    Replace,
    /// What lies there stays: it is newer than the archive's.
    Keep,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOver {
    pub path: String,
    pub entry: String,
}

impl Unpack {
    /// `pending`: whom this run has told. What it did not put in place itself, a run that was killed has.
    pub fn set_finished(&mut self, pending: &[String]) {
        let own = |name: &String| self.changed().any(|file| file.entry == *name);
        self.finished = pending.iter().filter(|name| !own(name)).cloned().collect();
    }

    fn changed(&self) -> impl Iterator<Item = &UnpackedFile> {
        self.files.iter().filter(|file| matches!(file.action, Action::Create | Action::Replace))
    }

    /// What failed, a line for each.
    pub fn failures(&self) -> Vec<String> {
        let undone = self.rolled_back && self.hooks.iter().all(|hook| hook.succeeded);
        let undone = undone.then(|| "an interrupted unpacking was undone, because a deploy hook had failed".to_owned());
        let failed = self.hooks.iter().filter(|hook| !hook.succeeded).map(Hook::failure);
        failed.chain(undone).map(|text| format!("{}: {text}", self.directory)).collect()
    }

    /// The warnings, and what lies there and is not in the archive.
    pub fn warnings(&self) -> Vec<String> {
        let left = self.left_over.iter().map(|one| {
            format!(
                "{} ({}) lies there and is not in the archive; if the node is not to have it any more: rm {}",
                one.path,
                one.entry,
                shell_path(&one.path)
            )
        });
        self.warnings.iter().cloned().chain(left).collect()
    }

    fn verdict(&self) -> String {
        let Self { node, cluster, directory, .. } = self;
        let (new, all) = (self.changed().count(), self.files.len());
        let files = counted(all, "file");
        match (new, self.dry_run) {
            (0, _) if self.rolled_back => format!("the old files of an earlier run are restored: {directory}"),
            (0, _) => format!("nothing to do: {directory} has all {files} of {node} of {cluster}"),
            (_, true) => {
                format!("would put {new} of {files} of {node} of {cluster} in place (nothing was written): {directory}")
            }
            (_, false) if self.rolled_back => {
                format!("put {new} of {files} of {node} of {cluster} in place and restored the old ones: {directory}")
            }
            (_, false) => format!("put {new} of {files} of {node} of {cluster} in place: {directory}"),
        }
    }
}

impl Report for Unpack {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, self.verdict())?;
        // What was only made is not undone by a command that is printed here: nothing would be left.
        let replaces = self.files.iter().any(|file| file.action == Action::Replace);
        if let Some(generation) = self.generation.as_ref().filter(|_| replaces && !self.rolled_back && !self.is_step) {
            let kubelet_dir = self.kubelet_dir.clone();
            let origin = Origin { kubelet_dir, ..Origin::new(self.directory.clone(), ProfileAt::Recorded) };
            line(out, format_args!("undo it with: {}", origin.command("restore", &[generation], &[])))?;
        }
        let shown = |file: &&UnpackedFile| screen.wide || file.action != Action::Same;
        let rows: Vec<_> = self.files.iter().filter(shown).collect();
        if !rows.is_empty() {
            writeln!(out)?;
            let rows = rows.iter().map(|file| [file.path.clone(), Name(file.action).to_string(), file.entry.clone()]);
            table(out, screen.width, &["PATH", "ACTION", "ENTRY"], rows)?;
        }
        let mut kept: Vec<&str> = self.files.iter().filter(|file| file.kept).map(|file| file.entry.as_str()).collect();
        kept.dedup();
        kept.iter().try_for_each(|entry| line(out, format_args!("kept {entry}, newer here")))?;
        if !self.finished.is_empty() {
            let names = self.finished.join(", ");
            lines(out, "An earlier run put these in place, and its hooks were not all run: ", [names])?;
        }
        restart_lines(&self.restart, "Before the new files are used", out)?;
        hook_lines(&self.hooks, out)?;
        if self.dry_run {
            return Ok(());
        }
        let (node, dir) = (shell_word(&self.node), shell_path(&self.directory));
        let receipt = format!("kpki export --verify {node} --dir {dir} --receipt -o json");
        lines(out, "bring the receipt to the host with the cluster directory: ", [receipt])
    }
}
