//! What has to happen before a component uses what was changed.

use std::io::{self, Write};

use serde::Serialize;

use super::table::line;

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
