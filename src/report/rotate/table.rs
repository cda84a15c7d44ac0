//! For people: what changed, and what is next.

use std::io::{self, Write};

use super::document::{Done, Row};
use super::steps;
use crate::report::form::{Report, Screen};
use crate::report::table::{counted, line, lines, table};
use crate::tree::rotation::Phase;

impl Report for Done {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let names: Vec<&str> = self.authorities.iter().map(|row| row.authority.name()).collect();
        let cluster = self.cluster.as_ref().map(|name| format!("cluster {name}, ")).unwrap_or_default();
        let (step, dir) = (self.step, &self.directory);
        if names.is_empty() {
            return line(out, format_args!("nothing to do: {cluster}in {dir}"));
        }
        let (would, written) = if self.dry_run { ("would ", " (nothing was written)") } else { ("", "") };
        line(out, format_args!("{would}{step} {}{written}: {cluster}in {dir}", names.join(", ")))?;
        writeln!(out)?;
        let phase = |phase: Option<Phase>| phase.map_or("none", Phase::name).to_owned();
        let row = |row: &Row| {
            let phase = format!("{} -> {}", phase(row.from), phase(row.to));
            [row.authority.name().to_owned(), phase, row.old.clone(), row.new.clone().unwrap_or_default()]
        };
        table(out, screen.width, &["AUTHORITY", "PHASE", "OLD", "NEW"], self.authorities.iter().map(row))?;
        let of = |change: &str| self.entries.iter().filter(|one| one.change == change).count();
        writeln!(out)?;
        line(
            out,
            format_args!(
                "{} with other trusted certificates, {} made again",
                counted(of("trust"), "entry"),
                counted(of("reissue"), "certificate")
            ),
        )?;
        lines(out, "left: ", &self.left)?;
        steps::lines(&self.steps, self.instructions.as_deref(), out)
    }
}
