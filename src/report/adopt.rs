//! What `kpki adopt` says: which nodes it has found, what it concluded, what differs, and what stays on the nodes.

use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;

use super::form::{Report, Screen};
use super::json::instant_if_any;
use super::table::{counted, end, line, lines, table};
use crate::files::shell_path;
use crate::tree::Origin;

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename = "AdoptReport", rename_all = "camelCase")]
pub struct Adopt {
    pub outcome: Outcome,
    #[serde(rename = "clusterName")]
    pub cluster: String,
    pub directory: String,
    pub layout: &'static str,
    pub entries: usize,
    pub nodes: Vec<NodeRow>,
    /// What the recorded profile says without a file that says it.
    pub concluded: Vec<Concluded>,
    /// What the profile would make otherwise, and what is missing.
    pub differences: Vec<String>,
    /// What was not taken.
    pub left: Vec<LeftFile>,
    pub warnings: Vec<String>,
    /// Entries that a renewal makes fit.
    #[serde(skip)]
    pub renewable: Vec<String>,
    /// Something is missing, and nothing else keeps it from being made.
    #[serde(skip)]
    pub has_gaps: bool,
    #[serde(skip)]
    pub tree: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Adopted,
    /// `--dry-run`.
    Planned,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    pub node: String,
    /// As it was given.
    pub from: String,
    pub roles: Vec<&'static str>,
    pub addresses: Vec<String>,
    pub entries: usize,
    #[serde(serialize_with = "instant_if_any")]
    pub first_expiry: Option<OffsetDateTime>,
}

/// A field of the profile, its value, and why it is that.
#[derive(Debug, Clone, Serialize)]
pub struct Concluded {
    pub field: &'static str,
    pub value: String,
    pub why: &'static str,
}

#[derive(Debug, Clone, Serialize)]
pub struct LeftFile {
    pub node: String,
    pub path: String,
    /// How many files, below a directory.
    pub count: usize,
    pub why: String,
    /// It is a certificate, a key or a kubeconfig, or may be one.
    pub matters: bool,
}

impl Adopt {
    /// Nothing differs, and nothing was left that matters.
    pub fn is_whole(&self) -> bool {
        self.differences.is_empty() && !self.left.iter().any(|left| left.matters)
    }

    fn verdict(&self) -> String {
        let nodes = counted(self.nodes.len(), "node");
        let (cluster, entries, dir) = (&self.cluster, counted(self.entries, "entry"), &self.directory);
        match self.outcome {
            Outcome::Adopted => format!("adopted {nodes} of cluster {cluster} into {dir}: {entries}"),
            Outcome::Planned => {
                format!("would adopt {nodes} of cluster {cluster} into {dir}: {entries} (nothing was written)")
            }
        }
    }

    /// What to do next, each with its command at the end.
    fn next(&self) -> Vec<String> {
        let command = |verb: &str, names: &[String], options: &[&str]| self.tree.command(verb, names, options);
        let profile = shell_path(format!("{}/.kpki/profile.yaml", self.directory));
        let mut next = vec![format!("check what was recorded: {profile}")];
        if !self.renewable.is_empty() {
            next.push(format!("make what differs fit: {}", command("renew", &self.renewable, &[])));
        }
        if self.has_gaps {
            next.push(format!("make what is missing: {}", command("init", &[], &[])));
        }
        next.push(format!("prove that it works: {}", command("verify", &[], &[])));
        next.push(format!("see when everything ends: {}", command("check-expiration", &[], &[])));
        next
    }
}

impl Report for Adopt {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, self.verdict())?;
        writeln!(out)?;
        let rows = self.nodes.iter().map(|row| {
            let first = row.first_expiry.map(|at| end(at, screen.now)).unwrap_or_default();
            [
                row.node.clone(),
                row.roles.join(", "),
                row.addresses.join(", "),
                row.entries.to_string(),
                first,
                row.from.clone(),
            ]
        });
        table(out, screen.width, &["NODE", "ROLES", "ADDRESSES", "ENTRIES", "FIRST EXPIRY", "FROM"], rows)?;
        lines(
            out,
            "concluded: ",
            self.concluded.iter().map(|one| format!("{}: {}: {}", one.field, one.value, one.why)),
        )?;
        lines(out, "differs: ", &self.differences)?;
        let several = |left: &LeftFile| {
            if left.count > 1 { format!(" ({})", counted(left.count, "file")) } else { String::new() }
        };
        lines(
            out,
            "not taken: ",
            self.left.iter().map(|left| format!("{}{}: {}", left.path, several(left), left.why)),
        )?;
        if self.outcome == Outcome::Adopted {
            lines(out, "", self.next())?;
        }
        Ok(())
    }
}
