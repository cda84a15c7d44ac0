//! `kpki export`: what went into the archive, and what `--verify` found on the node. Nothing of the content.

use std::io::{self, Write};

use serde::Serialize;

use super::form::{Report, Screen};
use super::json::{Name, octal};
use super::table::{counted, line, lines, table};
use crate::files::{shell_path, shell_word};
use crate::tree::safe_host::ship;

/// What was packed for one node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub struct Export {
    #[serde(rename = "clusterName")]
    pub cluster: String,
    pub node: String,
    pub directory: String,
    pub out: String,
    pub bytes: usize,
    /// Keys of authorities are in it.
    pub ca_keys: bool,
    pub files: Vec<ExportedFile>,
    pub notes: Vec<String>,
}

/// A file as it is placed on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedFile {
    pub path: String,
    #[serde(serialize_with = "octal")]
    pub mode: u32,
    pub entry: String,
}

impl Report for Export {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let Self { node, cluster, out: archive, files, .. } = self;
        let keys = if self.ca_keys { "with CA keys" } else { "without CA keys" };
        line(out, format_args!("exported {node} of {cluster} to {archive}: {}, {keys}", counted(files.len(), "file")))?;
        writeln!(out)?;
        let rows = files.iter().map(|file| [file.path.clone(), format!("{:04o}", file.mode), file.entry.clone()]);
        table(out, screen.width, &["PATH", "MODE", "ENTRY"], rows)?;
        let archive = shell_path(archive.rsplit('/').next().unwrap_or_default());
        let (first, name) = (format!("on {node}, for a first installation only"), shell_word(node));
        lines(out, "", [format!("on {node}: kpki unpack {archive}")])?;
        line(out, format_args!("{first}: tar -xpf {archive} -C / && kpki export --verify {name}"))
    }
}

/// Whether the files on a node are that node's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "NodeVerification")]
pub struct Verify {
    /// [`NodeState::of`] the entries.
    pub outcome: NodeState,
    pub node: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    pub directory: String,
    /// The manifest or archive it was compared with.
    pub against: Option<String>,
    /// The cluster directory that the node's is in.
    #[serde(skip)]
    pub cluster_dir: Option<String>,
    /// The other nodes whose files are there.
    pub owners: Vec<String>,
    #[serde(rename = "entries")]
    pub rows: Vec<VerifiedEntry>,
    /// Of the rotation that the archive is of, `ca, sa: switched`; and what is still by the authority that is being retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_retiring: Vec<String>,
    /// What an interrupted run left to do.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedEntry {
    pub entry: String,
    pub path: String,
    pub state: NodeState,
    pub findings: Vec<String>,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    Right,
    /// The node's, and newer than what was exported.
    Renewed,
    /// It could not be read.
    Unreadable,
    Missing,
    /// The node's, and something newer is known.
    Older,
    Mismatch,
    #[serde(rename = "wrong node")]
    OtherNode,
}

impl NodeState {
    /// The worst of all; `Renewed` is right.
    pub fn of(rows: &[VerifiedEntry]) -> Self {
        rows.iter().map(|row| row.state).max().filter(|worst| *worst != Self::Renewed).unwrap_or(Self::Right)
    }
}

impl Verify {
    fn verdict(&self) -> String {
        let (dir, node, all) = (&self.directory, &self.node, self.rows.len());
        let bad = self.rows.iter().filter(|row| row.state > NodeState::Renewed).count();
        match self.outcome {
            NodeState::OtherNode => {
                format!("wrong node: {dir} holds files of {}, not of {node}", self.owners.join(", "))
            }
            NodeState::Right | NodeState::Renewed => {
                let fit = if all == 1 { "fits" } else { "fit" };
                format!("right: {dir} belongs to {node}; {} {fit}", counted(all, "entry"))
            }
            NodeState::Older => {
                let is = if bad == 1 { "is" } else { "are" };
                format!("older: {bad} of {} in {dir} {is} not the newest of {node}", counted(all, "entry"))
            }
            worst => {
                let fit = if bad == 1 { "does not fit" } else { "do not fit" };
                format!("{}: {bad} of {} in {dir} {fit} {node}", Name(worst), counted(all, "entry"))
            }
        }
    }
}

impl Report for Verify {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, self.verdict())?;
        if let Some(rotation) = &self.rotation {
            line(out, format_args!("  being rotated: {rotation}"))?;
        }
        if !self.by_retiring.is_empty() {
            let names = self.by_retiring.join(", ");
            line(out, format_args!("  signed by the authority that is being retired: {names}"))?;
        }
        self.warnings.iter().try_for_each(|warning| line(out, format_args!("  warning: {warning}")))?;
        writeln!(out)?;
        let rows = self
            .rows
            .iter()
            .map(|row| [row.entry.clone(), Name(row.state).to_string(), row.path.clone(), row.findings.join("; ")]);
        table(out, screen.width, &["ENTRY", "STATE", "PATH", "WHY"], rows)?;
        let node = &self.node;
        if let (NodeState::Older, Some(cluster)) = (self.outcome, &self.cluster_dir) {
            lines(out, "see what put it there: ", [format!("kpki history --dir {}", shell_path(cluster))])?;
        } else if self.outcome == NodeState::Older {
            lines(out, "send it again, from the host with the cluster directory: ", [ship(node)])?;
        } else if self.outcome > NodeState::Unreadable {
            let again =
                format!("kpki export {} --dir DIR --out {}", shell_word(node), shell_path(format!("{node}.tar.gz")));
            lines(out, "export it again on the host with the cluster directory: ", [again])?;
        }
        if self.outcome == NodeState::OtherNode {
            line(
                out,
                format_args!(
                    "if the node's name is not the host name: kpki export --verify NODE --dir {}",
                    shell_path(&self.directory)
                ),
            )?;
        }
        Ok(())
    }
}
