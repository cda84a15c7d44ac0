//! Which findings count: `--only`, `--ignore` and the profile's `verify.ignore`.

use super::finding::{Finding, Ignored};

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

impl Choice {
    fn is_about(&self, finding: &Finding) -> bool {
        let rule = finding.rule.id;
        let area = rule.split_once('/').map_or(rule, |(area, _)| area);
        (self.rule == rule || self.rule == area) && self.place.as_ref().is_none_or(|place| is_at(finding, place))
    }
}

fn is_at(finding: &Finding, place: &str) -> bool {
    let by_path = finding.place.path == place
        || finding.place.path.strip_suffix(place).is_some_and(|rest| rest.ends_with('/') || place.starts_with('/'));
    by_path || finding.place.entry.as_ref().is_some_and(|entry| entry.is_named(place))
}

impl Selection {
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
