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
    pub succeeded: bool,
    /// `exit status 3`, `timed out after 5m`.
    pub ended: String,
    /// The end of what it wrote.
    pub output: String,
}

impl Hook {
    /// `deploy hook of etcd`.
    fn title(&self) -> String {
        let of = self.component.as_ref().map(|component| format!(" of {component}")).unwrap_or_default();
        format!("{} hook{of}", self.name)
    }

    /// Of one that failed, with the last line of what it wrote.
    pub fn failure(&self) -> String {
        let last = self.output.trim_end().lines().last().map(|line| format!(": {line}")).unwrap_or_default();
        format!("the {} failed: {}{last}", self.title(), self.ended)
    }

    /// The same with all that it wrote.
    pub(super) fn failed(&self, out: &mut dyn Write) -> io::Result<()> {
        lines(out, "", [format!("The {} failed: {}", self.title(), self.ended)])?;
        self.output.lines().try_for_each(|text| line(out, format_args!("    {text}")))
    }
}
