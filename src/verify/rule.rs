//! The rules, as data: identifiers that stay, what is wrong, why, and what follows from what.

use std::fmt;

/// How bad a finding is. Ordered: a later one decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Notice,
    /// It works, and will fail one day or with some program.
    Warning,
    /// Something that needs it does not work, or is open to whom it must not be.
    Error,
}

impl Severity {
    pub const ALL: [Self; 3] = [Self::Notice, Self::Warning, Self::Error];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `AREA/NAME`, as `--ignore`, `--only` and reports have it. It never changes its meaning.
    pub id: &'static str,
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub what: &'static str,
    /// Where it is written, or who refuses it: an RFC's section, a source file of Kubernetes, an item of CIS.
    pub why: &'static str,
    /// How to repair it, in words; a finding has the command.
    pub repair: &'static str,
    /// Identifiers of rules: a finding of theirs on the same file explains this one, which hangs below it.
    pub follows: &'static [&'static str],
}

impl Rule {
    /// The part before the slash.
    pub fn area(&self) -> &'static str {
        self.id.split('/').next().unwrap_or(self.id)
    }
}
