//! The changes of one cluster as lines: what is changed for the same reason is one.

use std::collections::HashMap;

use super::document::{Action, Cluster, FieldChange, Outcome, ProfileState, Verb};

/// So many entries of one line are named.
const NAMED: usize = 3;

/// So many names of one reason, or of one field, are shown.
const SHOWN: usize = 6;

/// One line: what is done, to what, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub action: &'static str,
    pub what: String,
    pub why: String,
}

impl Line {
    /// A sentence, which may end with a command: it is never broken into columns.
    pub const fn is_sentence(&self) -> bool {
        self.what.is_empty()
    }

    fn new(action: &'static str, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { action, what: what.into(), why: why.into() }
    }
}

/// `all`: each entry on a line of its own, with everything that init and renew warn about.
pub fn lines(cluster: &Cluster, all: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for one in &cluster.failures {
        let action = if one.verb == Verb::Profile { "wrong" } else { "refused" };
        lines.push(Line::new(action, verb(one.verb), one.said()));
        lines.extend(one.failure.hints.iter().map(|hint| Line::new("hint", "", hint)));
    }
    lines.extend(profile(cluster));
    lines.extend(cluster.differences.iter().map(|one| Line::new("profile", &one.field, field(one, all))));
    for action in [Action::Make, Action::Renew, Action::Sign, Action::Left] {
        entries(cluster, action, all, &mut lines);
    }
    let keys = cluster.keys_to_open.iter();
    lines.extend(
        keys.map(|name| {
            Line::new("key", *name, "it is encrypted or elsewhere: it has to open, or what it signs is left")
        }),
    );
    let rotating = cluster.rotations.iter();
    lines.extend(rotating.map(|one| Line::new("rotation", one.name, format!("in progress: {}", one.phase))));
    // Of a tree that exists, init warns about what the renewal mends.
    let is_new = cluster.profile == ProfileState::New || cluster.outcome > Outcome::Changes;
    let warnings = cluster.warnings.iter().filter(|one| all || is_new || one.verb == Verb::Renew);
    lines.extend(warnings.map(|one| Line::new("warning", "", &one.text)));
    lines
}

const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Profile => "profile",
        Verb::Init => "init",
        Verb::Renew => "renew",
    }
}

fn profile(cluster: &Cluster) -> Option<Line> {
    let file = cluster.file.clone().unwrap_or_default();
    match cluster.profile {
        ProfileState::New => Some(Line::new("new", file, "there is no tree yet: init would make it")),
        ProfileState::Unrecorded => Some(Line::new("record", file, "the tree records no profile yet")),
        ProfileState::Gone => {
            Some(Line::new("gone", "", "the tree has no profile any more: renewals go on with the recorded one"))
        }
        _ => None,
    }
}

fn field(change: &FieldChange, all: bool) -> String {
    let list = |values: &[String]| bounded(&values.join(SEPARATOR), all);
    let (removed, added) = (list(&change.removed), list(&change.added));
    match (removed.is_empty(), added.is_empty()) {
        (true, _) => format!("added: {added}"),
        (_, true) => format!("removed: {removed}"),
        _ => format!("was {removed}; now {added}"),
    }
}

fn entries(cluster: &Cluster, action: Action, all: bool, lines: &mut Vec<Line>) {
    let word = match action {
        Action::Make => "make",
        Action::Renew => "renew",
        Action::Sign => "sign",
        Action::Left => "left",
    };
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for change in cluster.changes.iter().filter(|change| change.action == action) {
        let (why, id) = (change.reasons.join("; "), change.id.to_string());
        let at = if all { groups.len() } else { *known.entry(why.clone()).or_insert(groups.len()) };
        match groups.get_mut(at) {
            Some((_, ids)) => ids.push(id),
            None => groups.push((why, vec![id])),
        }
    }
    for (why, ids) in groups {
        let what = match ids.len() {
            0..=NAMED => ids.join(", "),
            many => {
                let named: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
                format!("{} and {} more", named.join(", "), many.saturating_sub(NAMED))
            }
        };
        lines.push(Line::new(word, what, bounded(&why, all)));
    }
}

const SEPARATOR: &str = ", ";

/// A text with the first of the names that it lists.
fn bounded(text: &str, all: bool) -> String {
    let one = |reason: &str| match reason.split(SEPARATOR).count().saturating_sub(SHOWN) {
        more if more > 0 && !all => {
            let shown: Vec<&str> = reason.split(SEPARATOR).take(SHOWN).collect();
            format!("{} and {more} more", shown.join(SEPARATOR))
        }
        _ => reason.to_owned(),
    };
    text.split("; ").map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut_and_counted() {
        let names = |count: usize| (1..=count).map(|one| format!("n{one}")).collect::<Vec<_>>().join(", ");
        for (text, all, expected) in [
            (names(6), false, names(6)),
            (names(16), false, format!("{} and 10 more", names(6))),
            (names(16), true, names(16)),
            (format!("expired; adds {}; due", names(7)), false, format!("expired; adds {} and 1 more; due", names(6))),
            (String::new(), false, String::new()),
        ] {
            assert_eq!(bounded(&text, all), expected);
        }
    }
}
