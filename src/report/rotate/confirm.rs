//! What was confirmed.

use std::io::{self, Write};

use serde::Serialize;

use crate::report::form::{Report, Screen};
use crate::report::table::{counted, line, place, table};
use crate::tree::rotation::{ConfirmedBy, Phase, Rotating};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RotationConfirmation", rename_all = "camelCase")]
pub struct Confirms {
    pub dry_run: bool,
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    pub nodes: Vec<Confirmed>,
    pub warnings: Vec<String>,
}

/// One node and one authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    pub node: String,
    pub authority: Rotating,
    pub phase: Phase,
    pub by: ConfirmedBy,
    /// It was not known before.
    pub is_new: bool,
}

impl Report for Confirms {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let place = place(self.cluster.as_deref(), &self.directory);
        let mut nodes: Vec<&str> = self.nodes.iter().filter(|one| one.is_new).map(|one| one.node.as_str()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let count = counted(nodes.len(), "node");
        match (nodes.is_empty(), self.dry_run) {
            (true, _) => line(out, format_args!("nothing new: these nodes were confirmed before: {place}"))?,
            (false, true) => line(out, format_args!("would confirm {count} (nothing was written): {place}"))?,
            (false, false) => line(out, format_args!("confirmed {count}: {place}"))?,
        }
        writeln!(out)?;
        let rows = self.nodes.iter().map(|one| {
            let by = match one.by {
                ConfirmedBy::Receipt => "receipt",
                ConfirmedBy::Hand => "by hand",
            };
            [one.node.clone(), one.authority.name().to_owned(), one.phase.name().to_owned(), by.to_owned()]
        });
        table(out, screen.width, &["NODE", "AUTHORITY", "PHASE IN FORCE", "SEEN BY"], rows)
    }
}
