//! The table against what was seen of real components (`fixtures/readers/`), in both directions.

use super::*;
use crate::catalog::entries::ENTRIES;

const FACTS: &str = include_str!("../../fixtures/readers/facts.tsv");

/// One line of the transcript.
#[derive(Debug)]
struct Fact {
    component: &'static str,
    file: &'static str,
    setting: &'static str,
    program: &'static str,
    minor: u32,
    /// `yes`, `no`, `reload`, `copy`.
    taken_up: &'static str,
    seconds: u32,
    by: &'static str,
}

fn facts() -> Vec<Fact> {
    let lines = FACTS.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [component, file, setting, version, taken_up, seconds, by, mark] = fields[..] else {
                panic!("eight fields: {line}")
            };
            assert!(["T", "S", "D"].contains(&mark), "{line}");
            let (program, version) = version.split_once(' ').unwrap();
            let minor = version.split_once('.').unwrap().1.parse().unwrap();
            let seconds = if seconds == "-" { 0 } else { seconds.parse().unwrap() };
            Fact { component, file, setting, program, minor, taken_up, seconds, by }
        })
        .collect()
}

fn is_about(fact: &Fact, reader: &Reader) -> bool {
    let holds = match (fact.program, reader.releases) {
        ("etcd", Releases::Etcd(from, end)) => from <= fact.minor && fact.minor < end,
        ("kubernetes", releases @ Releases::Kubernetes(..)) => releases.holds(Release::of(fact.minor, 0)),
        (_, releases) => releases == Releases::All,
    };
    let settings = reader.setting.trim_end_matches(", where set").split(", ");
    let files = reader.file.split(", ");
    holds
        && fact.component == reader.component
        && files.into_iter().any(|file| file == fact.file)
        && settings.into_iter().any(|setting| setting == fact.setting)
}

#[test]
fn the_table_says_what_was_seen() {
    let facts = facts();
    assert!(facts.len() > 40, "{}", facts.len());
    for fact in &facts {
        let found: Vec<&Reader> = READERS.iter().filter(|reader| is_about(fact, reader)).collect();
        let [reader] = found[..] else { panic!("{fact:?}: {} rows", found.len()) };
        match (fact.by, fact.taken_up, reader.action) {
            ("-", "no", Action::Restart) | ("-", "reload", Action::Reload) | ("-", "copy", Action::CopyAgain) => {}
            // A promise may be more careful than what was seen, never less.
            ("-", "yes", Action::Itself(within)) => assert!((fact.seconds..=300).contains(&within), "{fact:?}"),
            ("address", "no", Action::Itself(_)) => assert!(reader.except.is_some(), "{fact:?}"),
            ("address", "yes", Action::Itself(_)) => assert!(reader.except.is_none(), "{fact:?}"),
            _ => panic!("{fact:?}: {:?}", reader.action),
        }
    }
    for reader in READERS {
        assert!(facts.iter().any(|fact| is_about(fact, reader)), "nothing was seen of {reader:?}");
    }
}

#[test]
fn every_entry_has_its_readers_in_every_release() {
    for minor in [20, 30, 31, 35, 36, 37] {
        for entry in ENTRIES {
            assert!(of(entry.name, Release::of(minor, 0)).next().is_some(), "{} in {minor}", entry.name);
        }
    }
    assert!(READERS.iter().all(|reader| ENTRIES.iter().any(|entry| entry.name == reader.entry)));
    assert!(READERS.iter().all(|reader| !reader.why.is_empty() && !reader.source.is_empty()));
}

/// A release has one row for each file and setting, so that no two of them contradict each other.
#[test]
fn no_two_rows_hold_at_once() {
    for (i, one) in READERS.iter().enumerate() {
        for other in READERS.iter().skip(i + 1) {
            let same = (one.file, one.component, one.setting) == (other.file, other.component, other.setting);
            let both = |minor| one.releases.holds(Release::of(minor, 0)) && other.releases.holds(Release::of(minor, 0));
            assert!(!same || !(0..100).any(both), "{one:?} {other:?}");
        }
    }
}

#[test]
fn releases_and_times_are_said_as_people_say_them() {
    for (releases, said) in [
        (Releases::All, "all"),
        (Releases::Kubernetes(0, 31), "Kubernetes up to 1.30"),
        (Releases::Kubernetes(31, 36), "Kubernetes 1.31 to 1.35"),
        (Releases::Etcd(6, NO_END), "etcd from 3.6"),
    ] {
        assert_eq!(releases.to_string(), said);
    }
    for (action, said) in [
        (Action::Itself(0), "by itself, at the next connection"),
        (Action::Itself(60), "by itself, within a minute"),
        (Action::Itself(300), "by itself, within 5 minutes"),
        (Action::Restart, "restart"),
        (Action::CopyAgain, "copied again"),
    ] {
        assert_eq!(action.to_string(), said);
    }
}
