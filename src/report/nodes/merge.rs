use std::io::{self, Write};

use serde::Serialize;

use crate::report::form::{Report, Screen};
use crate::report::revoke::{CrlRow, Signing};
use crate::report::table::{counted, line, lines, place, table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "NodeMerge", rename_all = "camelCase")]
pub struct Merge {
    pub dry_run: bool,
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    /// The generation that keeps the lists before.
    pub generation: Option<String>,
    pub receipts: Vec<Merged>,
    /// Of authorities whose list on a node is another than here.
    pub lists: Vec<CrlRow>,
    /// Numbers and fingerprints that differed.
    pub findings: Vec<String>,
    /// Nodes that get the new lists.
    pub ship: Vec<String>,
    pub warnings: Vec<String>,
    /// What to do next; a command stands last.
    pub next: Vec<String>,
}

/// What one receipt brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Merged {
    pub node: String,
    pub time: String,
    /// It is the one that was accepted last.
    pub known: bool,
    /// Certificates that this directory did not know.
    pub certificates: usize,
    /// Entries of lists that this directory did not have.
    pub revocations: usize,
    /// Lines that are known here, or that say nothing of this cluster's authorities.
    pub passed_over: usize,
}

impl Merge {
    /// A list could not be signed here.
    pub fn has_gap(&self) -> bool {
        self.lists.iter().any(|list| list.action == Signing::Skipped)
    }
}

impl Report for Merge {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let new = self.receipts.iter().filter(|receipt| !receipt.known).count();
        let place = place(self.cluster.as_deref(), &self.directory);
        line(
            out,
            match (new, self.dry_run) {
                (0, _) => format!("nothing new: {place} has these receipts"),
                (_, true) => format!("would accept {} for {place}", counted(new, "receipt")),
                (_, false) => format!("accepted {} for {place}", counted(new, "receipt")),
            },
        )?;
        writeln!(out)?;
        let rows = self.receipts.iter().map(|one| {
            let numbers = [one.certificates, one.revocations, one.passed_over].map(|count| count.to_string());
            std::iter::once(one.node.clone()).chain([one.time.clone()]).chain(numbers)
        });
        table(out, screen.width, &["NODE", "RECEIPT OF", "NEW CERTIFICATES", "NEW REVOCATIONS", "OTHER LINES"], rows)?;
        if !self.lists.is_empty() {
            writeln!(out)?;
            let rows = self.lists.iter().map(|list| {
                let action = match list.action {
                    Signing::Sign => "sign",
                    Signing::Keep => "keep",
                    Signing::Skipped => "left",
                };
                let why = list.why.clone().unwrap_or_default();
                [
                    list.name.clone(),
                    action.to_owned(),
                    list.number.clone().unwrap_or_default(),
                    list.entries.to_string(),
                    why,
                ]
            });
            table(out, screen.width, &["REVOCATION LIST", "ACTION", "NUMBER", "ENTRIES", "WHY"], rows)?;
        }
        lines(out, "", &self.findings)?;
        lines(out, "next: ", &self.next)
    }
}
