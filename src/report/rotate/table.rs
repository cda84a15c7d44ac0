//! For people: what changed, and what is next.

use std::fmt;
use std::io::{self, Write};

use super::document::{Done, Row};
use super::steps;
use crate::report::form::{Report, Screen};
use crate::report::hook::hook_lines;
use crate::report::ship::ship_lines;
use crate::report::table::{counted, line, lines, table};
use crate::tree::rotation::Phase;

impl Report for Done {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let names: Vec<&str> = self.authorities.iter().map(|row| row.authority.name()).collect();
        let cluster = self.cluster.as_ref().map(|name| format!("cluster {name}, ")).unwrap_or_default();
        let (step, dir) = (self.step, &self.directory);
        if names.is_empty() && self.left.is_empty() {
            line(out, format_args!("nothing to do: {cluster}in {dir}"))?;
            return hook_lines(&self.hooks, out);
        }
        let (would, written) = if self.dry_run { ("would ", " (nothing was written)") } else { ("", "") };
        if names.is_empty() {
            return self.waits(out, format_args!("{would}wait, before {step}{written}: {cluster}in {dir}"));
        }
        line(out, format_args!("{would}{step} {}{written}: {cluster}in {dir}", names.join(", ")))?;
        writeln!(out)?;
        let phase = |phase: Option<Phase>| phase.map_or("none", Phase::name).to_owned();
        let row = |row: &Row| {
            let phase = format!("{} -> {}", phase(row.from), phase(row.to));
            [row.authority.name().to_owned(), phase, row.old.clone(), row.new.clone().unwrap_or_default()]
        };
        table(out, screen.width, &["AUTHORITY", "PHASE", "OLD", "NEW"], self.authorities.iter().map(row))?;
        writeln!(out)?;
        if !matches!(step, "forget" | "record") {
            let of = |change: &str| self.entries.iter().filter(|one| one.change == change).count();
            let put_back = match of("put-back") {
                0 => String::new(),
                some => format!(", {some} put back"),
            };
            line(
                out,
                format_args!(
                    "{} with other trusted certificates, {} made again{put_back}",
                    counted(of("trust"), "entry"),
                    counted(of("reissue"), "certificate")
                ),
            )?;
        }
        lines(out, "destroyed: ", &self.destroyed)?;
        lines(out, "left: ", &self.left)?;
        hook_lines(&self.hooks, out)?;
        steps::lines(&self.steps, self.instructions.as_deref(), out)
    }
}

impl Done {
    /// Nothing moves on: what others have to do first.
    fn waits(&self, out: &mut dyn Write, what: fmt::Arguments<'_>) -> io::Result<()> {
        line(out, what)?;
        if !self.entries.is_empty() {
            let ids: Vec<String> = self.entries.iter().map(|one| one.id.to_string()).collect();
            line(out, format_args!("{}: {}", if self.dry_run { "to be written" } else { "written" }, ids.join(", ")))?;
        }
        lines(out, "left: ", &self.left)?;
        ship_lines(&self.directory, self.ship.iter().map(String::as_str), self.dry_run, out)
    }
}
