//! What keeps a tree from being looked at.

use crate::verify::rule::{Rule, Severity};

pub const INTERRUPTED: Rule = Rule {
    id: "state/interrupted",
    severity: Severity::Error,
    what: "an interrupted run waits to be completed: half of the files may be new",
    why: "kpki commits by a mark, and the next run that may write completes it",
    repair: "let a run complete it",
    follows: &[],
};

pub const UNREADABLE: Rule = Rule {
    id: "state/unreadable",
    severity: Severity::Error,
    what: "there is no tree that can be looked at",
    why: "what was not looked at is not right",
    repair: "name a node's kubernetes directory or a cluster directory",
    follows: &[],
};

pub const RULES: [&Rule; 2] = [&INTERRUPTED, &UNREADABLE];
