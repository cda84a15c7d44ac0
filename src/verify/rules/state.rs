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

pub const PROFILE: Rule = Rule {
    id: "state/profile",
    severity: Severity::Error,
    what: "the profile cannot be used, and names and groups were not judged by it",
    why: "without it kubeadm's own rules hold, which know nothing of the cluster's names",
    repair: "put the profile in order: kpki profile validate says what is wrong",
    follows: &[],
};

pub const RULES: [&Rule; 3] = [&INTERRUPTED, &UNREADABLE, &PROFILE];
