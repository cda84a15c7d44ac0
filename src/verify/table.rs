//! The table of all rules.

use super::rule::Rule;
use super::rules::{
    accounts, algorithms, chains, components, crls, dates, edges, files, identifiers, journal, kubeconfigs, names,
    pairs, rotation, served, state, usages,
};

/// All rules, by area.
pub const RULES: [&[&Rule]; 17] = [
    &files::RULES,
    &pairs::RULES,
    &dates::RULES,
    &chains::RULES,
    &names::RULES,
    &usages::RULES,
    &identifiers::RULES,
    &algorithms::RULES,
    &kubeconfigs::RULES,
    &accounts::RULES,
    &crls::RULES,
    &components::RULES,
    &rotation::RULES,
    &journal::RULES,
    &edges::RULES,
    &served::RULES,
    &state::RULES,
];

/// Every rule, in the order of its area.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.into_iter().flatten().copied()
}

/// The rule of an identifier.
#[cfg(any(test, feature = "internals"))]
pub fn rule(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn identifiers_are_areas_and_names_and_unique() {
        let ids: BTreeSet<&str> = all().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), all().count());
        for one in all() {
            let (area, name) = one.id.split_once('/').unwrap();
            let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            assert!(plain(area) && plain(name), "{}", one.id);
            assert!(
                ![one.what, one.why, one.repair].iter().any(|text| text.is_empty() || text.ends_with('.')),
                "{}",
                one.id
            );
            // A cell of a table, and a line.
            assert!(![one.what, one.why, one.repair].iter().any(|text| text.contains(['|', '\n'])), "{}", one.id);
            for cause in one.follows {
                assert!(rule(cause).is_some_and(|cause| cause.id != one.id), "{} follows {cause}", one.id);
            }
        }
        for area in RULES {
            let areas: BTreeSet<&str> = area.iter().filter_map(|rule| rule.id.split('/').next()).collect();
            assert_eq!(areas.len(), 1, "{areas:?}");
        }
    }
}
