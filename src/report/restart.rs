//! What has to happen before a component uses what was changed.

use std::io::{self, Write};

use serde::Serialize;

use super::table::line;
use crate::audit::COMPONENTS;
use crate::catalog::readers::{self, Action};
use crate::tree::EntryId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restart {
    pub node: Option<String>,
    pub component: &'static str,
    /// `restart`, `none`, `copy-again`.
    pub action: &'static str,
    pub why: &'static str,
    pub entries: Vec<String>,
    pub command: Option<String>,
}

/// Each component of each node once, as the catalogue knows its readers. `changed`: the entries whose files are new.
pub fn restarts(changed: impl Iterator<Item = EntryId>) -> Vec<Restart> {
    let mut all: Vec<Restart> = Vec::new();
    for EntryId { node, name: entry } in changed {
        for reader in readers::of(&entry) {
            let same = |other: &&mut Restart| {
                other.node == node && other.component == reader.component && other.action == reader.action.name()
            };
            match all.iter_mut().find(same) {
                Some(known) => known.entries.push(entry.clone()),
                None => all.push(Restart {
                    node: node.clone(),
                    component: reader.component,
                    action: reader.action.name(),
                    why: reader.why,
                    entries: vec![entry.clone()],
                    command: readers::command(reader.component).filter(|_| reader.action == Action::Restart),
                }),
            }
        }
    }
    let order = |component: &str| COMPONENTS.iter().position(|known| *known == component);
    all.sort_by_key(|restart| (restart.node.clone(), order(restart.component).unwrap_or(usize::MAX)));
    all
}

/// What people have to do, under a headline; nothing where there is nothing to do.
pub fn restart_lines(restart: &[Restart], headline: &str, out: &mut dyn Write) -> io::Result<()> {
    let wanted: Vec<_> = restart.iter().filter(|restart| restart.action != "none").collect();
    if !wanted.is_empty() {
        writeln!(out, "\n{headline}")?;
    }
    for one in wanted {
        let node = one.node.as_ref().map(|node| format!("on {node}: ")).unwrap_or_default();
        let entries = one.entries.join(", ");
        let what = match one.component {
            "people" => format!("copy {entries} again"),
            component => format!("restart {component}"),
        };
        line(out, format_args!("- {node}{what}: {} ({entries})", one.why))?;
        one.command.iter().try_for_each(|command| writeln!(out, "    {command}"))?;
    }
    Ok(())
}
