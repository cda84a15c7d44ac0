//! Which findings count: `--only`, `--ignore` and the profile's `verify.ignore`.

use super::finding::{Finding, Ignored};
use super::rule::Rule;
use super::table;
use crate::profile::IgnoredRule;

/// One `RULE` or `RULE=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// A rule, or an area with all its rules.
    pub rule: String,
    /// The end of a path, by whole components; or an entry, `NODE/NAME`.
    pub place: Option<String>,
    /// `None`: the command line gives none.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Empty: all.
    pub only: Vec<Choice>,
    pub ignore: Vec<Choice>,
}

impl From<&IgnoredRule> for Choice {
    fn from(one: &IgnoredRule) -> Self {
        Self { rule: one.rule.clone(), place: one.place.clone(), reason: Some(one.reason.clone()) }
    }
}

impl Choice {
    /// Whether there is such a rule, or such an area.
    pub fn is_known(&self) -> bool {
        table::all().any(|rule| self.names(rule))
    }

    fn names(&self, rule: &Rule) -> bool {
        self.rule == rule.id || self.rule == rule.area()
    }

    fn is_about(&self, finding: &Finding) -> bool {
        self.names(finding.rule) && self.place.as_ref().is_none_or(|place| is_at(finding, place))
    }
}

fn is_at(finding: &Finding, place: &str) -> bool {
    let by_path = finding.place.path == place
        || finding.place.path.strip_suffix(place).is_some_and(|rest| rest.ends_with('/') || place.starts_with('/'));
    by_path || finding.place.entry.as_ref().is_some_and(|entry| entry.is_named(place))
}

impl Selection {
    /// Whether anything is judged by this rule.
    pub fn has(&self, rule: &Rule) -> bool {
        self.only.is_empty() || self.only.iter().any(|choice| choice.names(rule))
    }

    /// Whether a rule of an area may count.
    pub fn is_about(&self, area: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|one| one.rule.split('/').next() == Some(area))
    }

    /// Leaves out what was not asked for, and marks what does not count.
    pub fn apply(&self, findings: &mut Vec<Finding>, of_profile: &[Choice]) {
        if !self.only.is_empty() {
            findings.retain(|finding| self.only.iter().any(|choice| choice.is_about(finding)));
        }
        for finding in findings {
            self.mark(finding, of_profile);
        }
    }

    fn mark(&self, finding: &mut Finding, of_profile: &[Choice]) {
        let choice = of_profile.iter().chain(&self.ignore).find(|choice| choice.is_about(finding));
        finding.ignored = choice.map(|choice| Ignored { reason: choice.reason.clone() });
        for below in &mut finding.follows {
            self.mark(below, of_profile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::EntryId;
    use crate::verify::finding::Place;

    fn finding(rule: &str, path: &str, entry: &str) -> Finding {
        let (node, name) = entry.split_once('/').map_or((None, entry), |(node, name)| (Some(node), name));
        Finding {
            rule: table::rule(rule).unwrap(),
            place: Place { path: path.to_owned(), entry: Some(EntryId::new(node, name)), position: None },
            found: String::new(),
            repair: Vec::new(),
            follows: Vec::new(),
            ignored: None,
        }
    }

    #[test]
    fn rules_and_areas_are_chosen_everywhere_or_at_one_place() {
        let one = finding("file/owner", "/d/nodes/a/pki/sa.pub", "a/sa");
        for (rule, place, expected) in [
            ("file/owner", None, true),
            ("file", None, true),
            ("file/mode", None, false),
            ("fil", None, false),
            ("file", Some("pki/sa.pub"), true),
            ("file", Some("/pki/sa.pub"), true),
            ("file", Some("a.pub"), false),
            ("file", Some("ki/sa.pub"), false),
            ("file", Some("/d/nodes/a/pki/sa.pub"), true),
            ("file", Some("a/sa"), true),
            ("file", Some("sa"), true),
            ("file", Some("b/sa"), false),
        ] {
            let choice = Choice { rule: rule.to_owned(), place: place.map(str::to_owned), reason: None };
            assert_eq!(choice.is_about(&one), expected, "{rule} {place:?}");
            let selection = Selection { only: vec![choice.clone()], ignore: Vec::new() };
            let mut all = vec![one.clone()];
            selection.apply(&mut all, &[]);
            assert_eq!(all.len(), usize::from(expected), "{rule} {place:?}");
            let mut all = vec![one.clone()];
            Selection { only: Vec::new(), ignore: vec![choice.clone()] }.apply(&mut all, &[]);
            assert_eq!(all[0].ignored.is_some(), expected, "{rule} {place:?}");
            let mut all = vec![one.clone()];
            Selection::default().apply(&mut all, &[Choice { reason: Some("r".to_owned()), ..choice }]);
            assert_eq!(all[0].ignored.as_ref().and_then(|by| by.reason.as_deref()), expected.then_some("r"));
        }
        let unknown = Choice { rule: "file/nothing".to_owned(), place: None, reason: None };
        assert!(!unknown.is_known());
    }
}
