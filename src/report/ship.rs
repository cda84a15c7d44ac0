//! The archives of the nodes of a cluster directory that have something new.

use std::io::{self, Write};

use super::table::line;
use crate::tree::{Origin, ProfileAt};

/// A command for each node. `planned`: what is new is not made yet.
pub fn ship_lines<'n>(
    directory: &str,
    nodes: impl IntoIterator<Item = &'n str>,
    planned: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut nodes = nodes.into_iter().peekable();
    if nodes.peek().is_none() {
        return Ok(());
    }
    let pack = if planned { "then pack" } else { "pack" };
    writeln!(out)?;
    line(out, format_args!("For each node with new files, {pack} what it needs:"))?;
    let tree = Origin::new(directory, ProfileAt::Recorded);
    nodes.try_for_each(|node| {
        let command = tree.command("export", &[node], &["--out", &format!("{node}.tar.gz")]);
        line(out, format_args!("    {command}"))
    })
}
