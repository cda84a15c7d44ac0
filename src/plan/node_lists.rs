//! Whether a revocation list on a node is the one that was exported to it, or a later issue. Pure.

use super::node::{Finding, Newer, NewerIn};
use super::shipping::{self, Issue, Listed};

/// A list that lies at the place of an exported one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub issue: Issue,
    /// By an authority beside it.
    pub is_signed: bool,
}

/// What speaks against a file's lists, and whether there is a later issue than the exported one.
pub fn judge(exported: &Issue, found: &[Found]) -> (Vec<Finding>, bool) {
    let state = |one: &Found| shipping::list(Some(exported), Some(&one.issue));
    if found.iter().any(|one| state(one) == Some(Listed::Same)) {
        return (Vec::new(), false);
    }
    let Some(newest) = found.iter().max_by(|a, b| a.issue.number.cmp(&b.issue.number)) else {
        return (vec![Finding::Missing], false);
    };
    if !newest.is_signed {
        return (vec![Finding::ForeignList], false);
    }
    match state(newest) {
        Some(Listed::Ahead) => (Vec::new(), true),
        Some(Listed::Diverging) => (vec![Finding::OtherList], false),
        _ => (vec![Finding::Older(Newer { is_in: NewerIn::Archive, from: None })], false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Number;

    #[test]
    fn the_exported_list_or_a_later_issue_is_right() {
        let issue = |number: u64, print| Issue { number: Some(Number::from(number)), fingerprint: [print; 32] };
        let found = |number, print, is_signed| Found { issue: issue(number, print), is_signed };
        let older = Finding::Older(Newer { is_in: NewerIn::Archive, from: None });
        for (there, findings, renewed) in [
            (vec![found(2, 2, true)], vec![], false),
            (vec![found(3, 3, true)], vec![], true),
            (vec![found(1, 1, true)], vec![older], false),
            (vec![found(2, 9, true)], vec![Finding::OtherList], false),
            (vec![found(3, 9, false)], vec![Finding::ForeignList], false),
            (vec![found(3, 9, false), found(2, 2, true)], vec![], false),
            (vec![], vec![Finding::Missing], false),
        ] {
            assert_eq!(judge(&issue(2, 2), &there), (findings, renewed), "{there:?}");
        }
    }
}
