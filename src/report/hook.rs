//! A hook of the profile, as reports show it.

use std::io::{self, Write};

use serde::Serialize;

use super::table::{line, lines};

/// One hook that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hook {
    #[serde(rename = "hook")]
    pub name: String,
    pub node: Option<String>,
    pub component: Option<String>,
    /// The file name of its program, without arguments.
    pub command: String,
    pub succeeded: bool,
    /// `done`, `exit status 3`, `still running after 5m`.
    pub ended: String,
    /// How long it ran, in whole seconds.
    pub seconds: u64,
    /// The end of what it wrote.
    pub output: String,
}

impl Hook {
    /// `deploy hook of etcd`.
    fn title(&self) -> String {
        let of = self.component.as_ref().map(|component| format!(" of {component}")).unwrap_or_default();
        format!("{} hook{of}", self.name)
    }

    /// `deploy hook of etcd on cp1: restart-etcd, done in 3 s`.
    fn success(&self) -> String {
        let on = self.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
        format!("- {}{on}: {}, {} in {} s", self.title(), self.command, self.ended, self.seconds)
    }

    /// Of one that failed, with the last line of what it wrote.
    pub fn failure(&self) -> String {
        let last = self.output.trim_end().lines().last().map(|line| format!(": {line}")).unwrap_or_default();
        format!("the {} failed: {}{last}", self.title(), self.ended)
    }

    /// The same with all that it wrote.
    fn failed(&self, out: &mut dyn Write) -> io::Result<()> {
        lines(out, "", [format!("The {} failed: {}", self.title(), self.ended)])?;
        self.output.lines().try_for_each(|text| line(out, format_args!("    {text}")))
    }
}

/// What the hooks of a run did: those that succeeded in a line each, then those that failed.
pub fn hook_lines(hooks: &[Hook], out: &mut dyn Write) -> io::Result<()> {
    let (succeeded, failed): (Vec<&Hook>, Vec<&Hook>) = hooks.iter().partition(|hook| hook.succeeded);
    if !succeeded.is_empty() {
        writeln!(out, "\nHooks that succeeded:")?;
        succeeded.iter().try_for_each(|hook| line(out, hook.success()))?;
    }
    failed.iter().try_for_each(|hook| hook.failed(out))
}
