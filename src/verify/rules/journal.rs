//! The chain through the journal.

use crate::verify::cluster::{Journal, JournalContent};
use crate::verify::finding::{Finding, NotLookedAt, Place};
use crate::verify::findings::Findings;
use crate::verify::rule::{Rule, Severity};

pub const CHAIN: Rule = Rule {
    id: "journal/chain",
    severity: Severity::Warning,
    what: "a line of the journal does not fit what is before it: a line was changed, removed, inserted or moved",
    why: "each line has the SHA-256 of the line before it; that shows accidents and careless changes, but not those of root, who can write the whole chain anew",
    repair: "compare it with a backup (kpki backup verify), and put the right file back; once it is explained, name the rule in verify.ignore of the profile",
    follows: &[],
};

pub const UNCHAINED: Rule = Rule {
    id: "journal/unchained",
    severity: Severity::Warning,
    what: "a line of the journal has no digest of the line before it, though earlier ones have",
    why: "a kpki that knows no chain, another program or a person has written it",
    repair: "use one version of kpki for a tree; find out who wrote the line, and then name the rule in verify.ignore of the profile",
    follows: &[],
};

pub const CUT: Rule = Rule {
    id: "journal/cut",
    severity: Severity::Warning,
    what: "a line is not there that was the journal's last one when a generation that is kept was made",
    why: "what is missing at the end contradicts no later line, so each generation knows the last line of its run",
    repair: "put the journal back from a backup (kpki backup verify), or, once it is explained, name the rule in verify.ignore of the profile; certificates of lines that are lost cannot be revoked by name",
    follows: &["journal/chain"],
};

pub const RULES: [&Rule; 3] = [&CHAIN, &UNCHAINED, &CUT];

/// How many lines are named.
const FEW: usize = 3;

pub fn check(journal: &Journal, findings: &mut Findings<'_>) {
    let faults = match &journal.content {
        JournalContent::Faults(faults) => faults,
        JournalContent::Closed(why) => {
            let (path, why) = (journal.path.clone(), why.clone());
            return findings.not_looked_at.push(NotLookedAt { path, why });
        }
    };
    let cut = "expected the last line of the run of each generation that is kept, found one of them nowhere";
    let found = [
        (&CHAIN, lines(&faults.broken, "expected the SHA-256 of what is before it as previous, found another one")),
        (&UNCHAINED, lines(&faults.unchained, "expected previous, found none")),
        (&CUT, faults.is_cut.then(|| cut.to_owned())),
    ];
    findings.all.extend(found.into_iter().filter_map(|(rule, found)| {
        let place = Place { path: journal.path.clone(), entry: None, position: None };
        Some(Finding { rule, place, found: found?, repair: Vec::new(), follows: Vec::new(), ignored: None })
    }));
}

/// `None`: there are none.
fn lines(all: &[usize], what: &str) -> Option<String> {
    let named: Vec<String> = all.iter().take(FEW).map(ToString::to_string).collect();
    let rest = match all.len().saturating_sub(FEW) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let word = if all.len() == 1 { "line" } else { "lines" };
    (!all.is_empty()).then(|| format!("{word} {}{rest}: {what}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_lines_are_named_and_the_others_counted() {
        for (all, expected) in [
            (vec![], None),
            (vec![7], Some("line 7: x")),
            (vec![7, 9, 11], Some("lines 7, 9, 11: x")),
            (vec![7, 9, 11, 12, 13], Some("lines 7, 9, 11 and 2 more: x")),
        ] {
            assert_eq!(lines(&all, "x").as_deref(), expected);
        }
    }
}
