//! For people: a verdict, what was revoked, and what is left to do.

use std::io::{self, Write};

use super::document::Removed;
use crate::files::shell_path;
use crate::report::form::{Report, Screen};
use crate::report::revoke::Action;
use crate::report::ship::ship_lines;
use crate::report::table::{counted, line, lines, table};
use crate::tree::{Origin, ProfileAt};

impl Report for Removed {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let files = counted(self.files.len(), "file");
        let (node, dir) = (&self.node, &self.directory);
        match self.dry_run {
            true => line(
                out,
                format_args!(
                    "would remove {node} with {files} (nothing was written): cluster {}, in {dir}",
                    self.cluster
                ),
            )?,
            false => line(out, format_args!("removed {node} with {files}: cluster {}, in {dir}", self.cluster))?,
        }
        match &self.generation {
            // What is revoked is not put back by a command that is printed here.
            Some(generation) if !self.entries.is_empty() => {
                line(out, format_args!("what it had is kept as {generation}; its certificates are revoked"))?;
            }
            // The recorded profile does not come back with the files.
            Some(generation) => {
                let dir = shell_path(dir);
                let again = format!("kpki init --profile FILE --dir {dir}");
                line(
                    out,
                    format_args!(
                        "undo it with a profile that has {node}: kpki restore {generation} --dir {dir} && {again}"
                    ),
                )?;
            }
            None => {}
        }
        if screen.wide {
            self.files.iter().try_for_each(|path| line(out, format_args!("  {path}")))?;
        }
        if !self.entries.is_empty() {
            writeln!(out)?;
            let row = |one: &crate::report::revoke::RevocationEntry| {
                let action = if one.action == Action::Revoke { "revoke" } else { "unchanged" };
                let (name, reason) = (one.name.clone().unwrap_or_default(), one.reason.clone().unwrap_or_default());
                [name, action.to_owned(), one.authority.to_owned(), one.serial.clone(), reason]
            };
            table(
                out,
                screen.width,
                &["CERTIFICATE", "ACTION", "CA", "SERIAL", "REASON"],
                self.entries.iter().map(row),
            )?;
        }
        lines(out, "not revoked: ", &self.left)?;
        lines(out, "- ", steps(self))?;
        ship_lines(&self.directory, self.ship.iter().map(String::as_str), self.dry_run, out)
    }
}

/// What the machine and the other nodes need.
fn steps(report: &Removed) -> Vec<String> {
    let (node, tree) = (&report.node, Origin::new(&*report.directory, ProfileAt::Recorded));
    let mut all = Vec::new();
    if let Some(profile) = &report.profile {
        all.push(format!("{profile} is the recorded profile {}", if report.dry_run { "then" } else { "now" }));
    } else if report.is_rewritten {
        all.push(format!(
            "the recorded profile is written anew without {node} and without comments: take {node} out of your own file \
             too, or a run with --profile makes it again"
        ));
    }
    all.push(match report.keys.as_slice() {
        [] => "the machine still has its files: wipe it".to_owned(),
        keys => format!(
            "the machine still has its files, and the keys of {}: wipe it; if it is compromised, these have to be replaced, because no \
             revocation stops who can sign",
            keys.join(", ")
        ),
    });
    if report.was_control_plane {
        all.push(format!(
            "the other API servers' certificates keep its names until they are taken out with: {}",
            tree.command("renew", &["apiserver"], &["--prune-sans"])
        ));
    }
    all
}
