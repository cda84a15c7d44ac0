//! What `kpki history --issued` and `--revoked` say.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::check::quoted;
use super::form::{Report, Screen};
use super::table::{counted, line, lines, table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "IssuedReport", rename_all = "camelCase")]
pub struct Issued {
    pub at: String,
    pub since: String,
    /// Entries of CRLs, and no certificates.
    pub revocations: bool,
    pub trees: Vec<Tree>,
    /// Of all trees.
    pub counts: Vec<Count>,
}

/// One journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    pub directory: String,
    /// The newest first.
    pub rows: Vec<Row>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

/// One certificate, or one entry of a CRL. Instants are RFC 3339; serial numbers and digests lower-case hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub time: String,
    pub command: String,
    pub entry: String,
    pub serial: String,
    pub issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// notAfter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When; `None`: it was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crl_number: Option<String>,
    /// The node whose receipt says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_by: Option<String>,
}

/// How many rows a command has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    pub command: String,
    pub count: usize,
}

impl Issued {
    /// The commands with most rows first.
    pub fn count(&mut self) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.trees.iter().flat_map(|tree| &tree.rows) {
            let count = counts.entry(&row.command).or_default();
            *count = count.saturating_add(1);
        }
        let counts = counts.into_iter().map(|(command, count)| Count { command: command.to_owned(), count });
        self.counts = counts.collect();
        self.counts.sort_by_key(|one| std::cmp::Reverse(one.count));
    }

    /// What could not be read, and where.
    pub fn unread(&self) -> Vec<String> {
        let of_tree = |tree: &Tree| {
            let named = |why: &String| match why.contains(&tree.directory) {
                true => why.clone(),
                false => format!("{}: {why}", tree.directory),
            };
            tree.unread.iter().map(named).collect::<Vec<_>>()
        };
        self.trees.iter().flat_map(of_tree).collect()
    }

    fn noun(&self) -> &'static str {
        if self.revocations { "CRL entry" } else { "certificate" }
    }

    /// One line per row of every tree, with a header.
    pub fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let header = if self.revocations {
            "directory,time,command,entry,serial,reason,revoked,crlNumber,issuer,toldBy"
        } else {
            "directory,time,command,entry,subject,serial,expires,issuer,sha256,toldBy"
        };
        writeln!(out, "{header}")?;
        for (tree, row) in self.trees.iter().flat_map(|tree| tree.rows.iter().map(move |row| (tree, row))) {
            let own = |text: &Option<String>| text.clone().unwrap_or_default();
            let row = row.clone();
            let (start, end) = ([tree.directory.clone(), row.time, row.command, row.entry], own(&row.told_by));
            let middle = if self.revocations {
                [row.serial, own(&row.reason), own(&row.revoked), own(&row.crl_number), row.issuer]
            } else {
                [own(&row.subject), row.serial, own(&row.expires), row.issuer, own(&row.sha256)]
            };
            let cells: Vec<_> = start.iter().chain(&middle).chain([&end]).map(|cell| quoted(cell)).collect();
            writeln!(out, "{}", cells.join(","))?;
        }
        Ok(())
    }

    /// The table's columns, which fit in 80 with names of usual length.
    fn cells(&self, row: &Row, wide: bool) -> Vec<String> {
        let day = |text: &Option<String>| text.as_deref().map(|text| text.get(..10).unwrap_or(text).to_owned());
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut cells = vec![row.time.clone(), row.command.clone(), row.entry.clone()];
        match (self.revocations, wide) {
            (false, false) => cells.extend(day(&row.expires)),
            (false, true) => {
                cells.extend([own(&row.expires), row.serial.clone(), own(&row.subject), row.issuer.clone()])
            }
            (true, false) => cells.extend([own(&row.reason), row.serial.clone()]),
            (true, true) => {
                cells.extend([own(&row.reason), row.serial.clone(), own(&row.crl_number), row.issuer.clone()])
            }
        }
        cells
    }

    fn header(&self, wide: bool) -> &'static [&'static str] {
        match (self.revocations, wide) {
            (false, false) => &["WHEN", "COMMAND", "ENTRY", "EXPIRES"],
            (false, true) => &["WHEN", "COMMAND", "ENTRY", "EXPIRES", "SERIAL", "SUBJECT", "ISSUER"],
            (true, false) => &["WHEN", "COMMAND", "ENTRY", "REASON", "SERIAL"],
            (true, true) => &["WHEN", "COMMAND", "ENTRY", "REASON", "SERIAL", "CRL NUMBER", "ISSUER"],
        }
    }
}

impl Report for Issued {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let count: usize = self.trees.iter().map(|tree| tree.rows.len()).sum();
        let by: Vec<String> = self.counts.iter().map(|one| format!("{} {}", one.count, one.command)).collect();
        let by = if by.is_empty() { String::new() } else { format!(": {}", by.join(", ")) };
        line(out, format_args!("{} since {}{by}", counted(count, self.noun()), self.since))?;
        for tree in self.trees.iter().filter(|tree| !tree.rows.is_empty()) {
            writeln!(out)?;
            if self.trees.len() > 1 {
                line(out, format_args!("{}: {}", tree.directory, counted(tree.rows.len(), self.noun())))?;
            }
            let rows = tree.rows.iter().map(|row| self.cells(row, screen.wide));
            table(out, screen.width, self.header(screen.wide), rows)?;
        }
        lines(out, "not read: ", self.unread())
    }
}
