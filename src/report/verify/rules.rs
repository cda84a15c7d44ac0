//! `kpki verify --rules`: what is judged, why, and how it is repaired.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::report::fold::prose;
use crate::report::form::{Report, Screen};
use crate::verify::Rule;

/// The columns of a screen that is narrow, and of a page.
const WIDTH: usize = 80;
const INDENT: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "Rules")]
pub struct Rules {
    #[serde(serialize_with = "rules")]
    pub rules: Vec<&'static Rule>,
}

/// As documents have it.
#[derive(Serialize)]
struct Row {
    id: &'static str,
    severity: &'static str,
    what: &'static str,
    why: &'static str,
    repair: &'static str,
    follows: &'static [&'static str],
}

fn rules<S: Serializer>(rules: &[&'static Rule], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(rules.iter().map(|Rule { id, severity, what, why, repair, follows }| Row {
        id,
        severity: severity.name(),
        what,
        why,
        repair,
        follows,
    }))
}

impl Report for Rules {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let most = screen.width.map_or(WIDTH, |width| WIDTH.min(width.into()));
        for (i, rule) in self.rules.iter().enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{} ({})", rule.id, rule.severity)?;
            for text in Self::paragraphs(rule) {
                prose(&text, INDENT, most).iter().try_for_each(|line| writeln!(out, "{line}"))?;
            }
        }
        Ok(())
    }
}

impl Rules {
    /// What stands below a rule's name, one text after the other.
    pub fn paragraphs(rule: &Rule) -> Vec<String> {
        let mut texts =
            vec![format!("{}.", rule.what), format!("Why: {}.", rule.why), format!("To repair: {}.", rule.repair)];
        if !rule.follows.is_empty() {
            texts.push(format!("Follows from: {}.", rule.follows.join(", ")));
        }
        texts
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
