//! What `kpki history` and `kpki restore` say.

use serde_json::{Value, json};

use super::renew::{Restart, restart_lines, restart_value};
use super::table::{finish, plain, sanitised};
use super::{Form, Width, json as document, yaml};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub directory: String,
    /// The newest first.
    pub generations: Vec<Generation>,
}

/// What one run replaced, as it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    pub name: String,
    /// RFC 3339, UTC.
    pub time: String,
    pub command: String,
    /// Entries (`NODE/NAME`) or, for a restore, paths.
    pub entries: Vec<String>,
    pub replaced: Vec<String>,
    pub created: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    pub directory: String,
    /// The tree is as it was before this one's command ran.
    pub generation: String,
    /// The generation that keeps what was replaced now; `None`: nothing was, or `--dry-run`.
    pub kept: Option<String>,
    pub put_back: Vec<String>,
    /// They had been made since.
    pub removed: Vec<String>,
    /// Revocation lists, which stay as they are.
    pub lists_left: Vec<String>,
    /// What speaks against using what was put back.
    pub warnings: Vec<String>,
    pub restart: Vec<Restart>,
}

impl History {
    pub fn render(&self, form: Form, width: Width) -> String {
        match form {
            Form::Table | Form::Wide => self.table(form == Form::Wide, width),
            Form::Json => document::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        }
    }

    fn value(&self) -> Value {
        let generation = |one: &Generation| {
            json!({
                "generation": one.name, "time": one.time, "command": one.command, "entries": one.entries,
                "replaced": one.replaced, "created": one.created,
            })
        };
        json!({
            "apiVersion": "kpki/v1",
            "kind": "History",
            "directory": self.directory,
            "generations": self.generations.iter().map(generation).collect::<Vec<_>>(),
        })
    }

    fn table(&self, wide: bool, width: Width) -> String {
        let count = self.generations.len();
        let noun = if count == 1 { "generation" } else { "generations" };
        let mut text = format!("{count} {noun}, the newest first: {}\n", sanitised(&self.directory));
        if count == 0 {
            return text;
        }
        text.push('\n');
        let mut table = plain(width.filter(|_| !wide), &["GENERATION", "WHEN", "COMMAND", "FILES", "CHANGED"]);
        for one in &self.generations {
            let files = one.replaced.len() + one.created.len();
            let changed = if one.entries.is_empty() { &one.replaced } else { &one.entries };
            let more = if wide || changed.len() <= FEW {
                String::new()
            } else {
                format!(", and {} more", changed.len() - FEW)
            };
            let shown =
                changed.iter().take(if wide { usize::MAX } else { FEW }).cloned().collect::<Vec<_>>().join(", ");
            let row = [one.name.clone(), one.time.clone(), one.command.clone(), files.to_string(), shown + &more];
            table.add_row(row.map(|cell| sanitised(&cell)));
        }
        text.push_str(&finish(&table));
        text
    }
}

/// How many names are said of each generation.
const FEW: usize = 4;

impl Restored {
    pub fn render(&self, form: Form) -> String {
        match form {
            Form::Table | Form::Wide => self.text(),
            Form::Json => document::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        }
    }

    fn value(&self) -> Value {
        json!({
            "apiVersion": "kpki/v1",
            "kind": "RestoreReport",
            "directory": self.directory,
            "generation": self.generation,
            "kept": self.kept,
            "putBack": self.put_back,
            "removed": self.removed,
            "listsLeft": self.lists_left,
            "warnings": self.warnings,
            "restart": self.restart.iter().map(restart_value).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let count = self.put_back.len() + self.removed.len();
        let mut text = match (count, &self.kept) {
            (0, _) => format!("nothing to do: the tree is as it was before {}\n", self.generation),
            (_, None) => format!("would put back {count} files as they were before {}\n", self.generation),
            (_, Some(kept)) => format!(
                "put back {count} files as they were before {}\nundo it with: kpki restore {kept} --dir {}\n",
                self.generation,
                sanitised(&self.directory)
            ),
        };
        if count > 0 {
            text.push('\n');
        }
        text.extend(self.put_back.iter().map(|path| format!("  {}\n", sanitised(path))));
        text.extend(
            self.removed.iter().map(|path| format!("  {} (removed: it had been made since)\n", sanitised(path))),
        );
        text.extend(
            self.lists_left.iter().map(|path| {
                format!("  {} (left as it is: an older list would take revocations back)\n", sanitised(path))
            }),
        );
        text.extend(self.warnings.iter().map(|warning| format!("  warning: {}\n", sanitised(warning))));
        text.push_str(&restart_lines(&self.restart, "Before they are used:"));
        text
    }
}
