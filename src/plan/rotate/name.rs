//! The name of a new authority: the common name of the old one with the next number, `kubernetes@2`. The number is read from the
//! name, not from a state, so that a tree that lost its record does not make the same name twice.

use crate::blueprint::{Attribute, Name, Oid};

/// A name and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    pub name: Name,
    pub number: u32,
}

/// The number in a common name; one that has none is the first.
fn number(common_name: &str) -> (&str, u32) {
    let numbered = common_name.rsplit_once('@').and_then(|(stem, number)| {
        let canonical = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
        Some((stem, number.parse().ok().filter(|_| canonical && !stem.is_empty())?))
    });
    numbered.unwrap_or((common_name, 1))
}

/// The number of an authority, as its name says it.
pub fn number_of(name: &Name) -> u32 {
    number(&name.common_name().unwrap_or_default()).1
}

/// One of these names is what comes after another one of them.
pub fn are_generations(names: &[&Name]) -> bool {
    let is_next =
        |old: &Name, new: &Name| old.common_name().is_some_and(|usual| successor(old, &usual, false).name == *new);
    names.iter().any(|old| names.iter().any(|new| is_next(old, new)))
}

/// The name of what comes after an authority: its own with the next number in the common name, or unchanged with `keep`.
/// Without a common name it gets the authority's usual one.
pub fn successor(old: &Name, usual: &str, keep: bool) -> Numbered {
    let common_name = old.common_name().unwrap_or_else(|| usual.to_owned());
    let (stem, number) = number(&common_name);
    let next = number.saturating_add(1);
    if keep {
        return Numbered { name: old.clone(), number: next };
    }
    let text = format!("{stem}@{next}");
    let is_common_name = |attribute: &Attribute| attribute.oid == Oid::COMMON_NAME;
    let mut name = old.clone();
    match name.0.iter_mut().flatten().rfind(|attribute| is_common_name(attribute)) {
        Some(attribute) => *attribute = Attribute::new(Oid::COMMON_NAME, &text),
        None => name = name.with(&Oid::COMMON_NAME, &[&text]),
    }
    Numbered { name, number: next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_read_from_the_name() {
        for (old, expected, number) in [
            ("kubernetes", "kubernetes@2", 2),
            ("kubernetes@2", "kubernetes@3", 3),
            ("kubernetes@9", "kubernetes@10", 10),
            ("kubernetes@", "kubernetes@@2", 2),
            ("kubernetes@02", "kubernetes@02@2", 2),
            ("@7", "@7@2", 2),
            ("ca@example.com", "ca@example.com@2", 2),
        ] {
            let next = successor(&Name::of(old, &["acme"]), "kubernetes", false);
            assert_eq!(next.name.common_name().as_deref(), Some(expected), "{old}");
            assert_eq!(next.number, number, "{old}");
            assert_eq!(next.name.values(&Oid::ORGANIZATION), ["acme"], "{old}");
        }
    }

    #[test]
    fn a_name_and_the_one_after_it_are_of_one_authority() {
        for (names, expected) in [
            (&["kubernetes", "kubernetes@2"][..], true),
            (&["kubernetes@3", "kubernetes@2"], true),
            (&["kubernetes"], false),
            (&["kubernetes", "front-proxy-ca@2"], false),
            (&["kubernetes", "kubernetes"], false),
            (&["kubernetes", "kubernetes@3"], false),
        ] {
            let names: Vec<Name> = names.iter().map(|name| Name::of(name, &[])).collect();
            assert_eq!(are_generations(&names.iter().collect::<Vec<_>>()), expected, "{names:?}");
        }
    }

    #[test]
    fn a_kept_name_is_the_same_and_counts() {
        let old = Name::of("kubernetes@4", &[]);
        assert_eq!(successor(&old, "kubernetes", true), Numbered { name: old, number: 5 });
    }

    #[test]
    fn without_a_common_name_the_usual_one_is_added() {
        let old = Name::default().with(&Oid::ORGANIZATION, &["acme"]);
        assert_eq!(successor(&old, "etcd-ca", false).name.common_name().as_deref(), Some("etcd-ca@2"));
    }
}
