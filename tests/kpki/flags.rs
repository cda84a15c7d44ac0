//! A flag means one thing in every verb: one short letter, one kind of value, one meaning.

use std::collections::{BTreeMap, BTreeSet};

use kpki::cli;
use kpki::cli::renamed::RENAMED;

use super::harness::{NOW, Place, single};

/// Flags whose values differ, and why that misleads nobody. It may only shrink.
const DIFFER: &[(&str, &str)] = &[
    ("as", "what it is to be: the entry of a certificate, or the kind of a manifest"),
    ("only", "what is shown: states of certificates, or rules"),
    ("out", "where the result goes: a file, a directory where there are several, or both"),
    ("receipt", "a node prints one, the safe host reads them"),
];

/// What the help of a flag says in every verb that has it.
const MEANINGS: &[(&str, &[&str])] = &[
    ("authority", &["The authority"]),
    ("ca", &["Trust these authorities"]),
    (
        "dir",
        &[
            "The tree",
            "Where the tree goes",
            "The new cluster directory",
            "The directory",
            "The node's kubernetes directory",
            "Compare it with this tree",
        ],
    ),
    ("namespace", &["Namespace of", "the namespace of"]),
    ("node", &["node"]),
    ("out", &["Write ", "Where to write", "A file, a directory"]),
    ("output", &["The form of the re"]),
    ("output-file", &["Write the report to this file"]),
    ("profile", &["profile"]),
];

/// The letters that name one flag everywhere.
const LETTERS: &[(char, &str)] =
    &[('O', "out"), ('d', "dir"), ('n', "node"), ('o', "output"), ('p', "profile"), ('y', "yes")];

struct Flag {
    verb: String,
    long: String,
    short: Option<char>,
    values: Vec<String>,
    help: String,
}

fn all() -> Vec<Flag> {
    fn below(command: &clap::Command, verb: &str, found: &mut Vec<Flag>) {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let Some(long) = argument.get_long() else { continue };
            let values = argument.get_value_names().filter(|_| argument.get_action().takes_values());
            found.push(Flag {
                verb: verb.to_owned(),
                long: long.to_owned(),
                short: argument.get_short(),
                values: values.unwrap_or_default().iter().map(ToString::to_string).collect(),
                help: argument.get_help().map(ToString::to_string).unwrap_or_default(),
            });
        }
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            below(inner, format!("{verb} {}", inner.get_name()).trim_start(), found);
        }
    }
    let mut found = Vec::new();
    below(&cli::command(), "", &mut found);
    assert!(found.len() > 300, "{}", found.len());
    found
}

#[test]
fn a_flag_has_one_kind_of_value_and_one_letter() {
    let mut values: BTreeMap<String, BTreeMap<Vec<String>, Vec<String>>> = BTreeMap::new();
    let mut letters: BTreeMap<String, BTreeMap<Option<char>, Vec<String>>> = BTreeMap::new();
    for Flag { verb, long, short, values: named, .. } in all() {
        values.entry(long.clone()).or_default().entry(named).or_default().push(verb.clone());
        letters.entry(long).or_default().entry(short).or_default().push(verb);
    }
    let differ: BTreeSet<&str> =
        values.iter().filter(|(_, kinds)| kinds.len() > 1).map(|(long, _)| long.as_str()).collect();
    let known: BTreeSet<&str> = DIFFER.iter().map(|(long, _)| *long).collect();
    let shown: Vec<_> = differ.symmetric_difference(&known).map(|long| (long, values.get(*long))).collect();
    assert!(shown.is_empty(), "{shown:?}");
    for (long, letters) in &letters {
        assert_eq!(letters.len(), 1, "--{long}: {letters:?}");
    }
}

#[test]
fn a_letter_names_one_flag() {
    let mut flags: BTreeMap<char, BTreeSet<String>> = BTreeMap::new();
    for flag in all() {
        flags.extend(
            flag.short
                .into_iter()
                .filter(|short| !flags.contains_key(short))
                .map(|short| (short, BTreeSet::new()))
                .collect::<Vec<_>>(),
        );
        flag.short.and_then(|short| flags.get_mut(&short)).map(|longs| longs.insert(flag.long));
    }
    for (letter, longs) in &flags {
        assert_eq!(longs.len(), 1, "-{letter}: {longs:?}");
    }
    for (letter, long) in LETTERS {
        assert_eq!(flags[letter], BTreeSet::from([(*long).to_owned()]), "-{letter}");
    }
}

#[test]
fn a_flag_has_one_meaning() {
    let all = all();
    for (long, starts) in MEANINGS {
        let of = all.iter().filter(|flag| flag.long == *long);
        let wrong: Vec<_> = of
            .filter(|flag| !starts.iter().any(|start| flag.help.contains(start)))
            .map(|flag| (&flag.verb, &flag.help))
            .collect();
        assert!(all.iter().any(|flag| flag.long == *long) && wrong.is_empty(), "--{long}: {wrong:?}");
    }
}

#[test]
fn earlier_names_are_of_flags_that_exist_and_mean_nothing_else_there() {
    let program = cli::command();
    for row in RENAMED {
        for verb in row.verbs {
            let verb = program.find_subcommand(verb).unwrap();
            let has = |name: &str| {
                verb.get_arguments().any(|one| {
                    one.get_long().is_some_and(|long| name == format!("--{long}"))
                        || one.get_short().is_some_and(|short| name == format!("-{short}"))
                })
            };
            assert!(has(row.new) && !has(row.old), "{row:?}");
        }
    }
}

/// In one release more, with one warning on stderr.
#[test]
fn the_earlier_names_work() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["-p", "p.yaml", "--dir", "t"]).ok();
    place.kpki(&["csr", "ca", "--dir", "t", "--at", NOW]).ok();
    let mut seen = 0;
    for (old, new) in [
        (
            &["revoke", "--serial", "5", "--ca", "etcd-ca", "--unknown-serial", "--dry-run", "-d", "t"][..],
            "--authority",
        ),
        (&["hold", "--serial", "5", "--ca=etcd-ca", "--unknown-serial", "--dry-run", "-d", "t"], "--authority"),
        (
            &[
                "sign",
                "t/.kpki/requests/pki/ca.csr",
                "--ca",
                "--ca-cert",
                "t/pki/etcd/ca.crt",
                "--ca-key",
                "t/pki/etcd/ca.key",
                "--dry-run",
            ],
            "--intermediate",
        ),
        (
            &[
                "convert",
                "t/pki/apiserver.crt",
                "t/pki/apiserver.key",
                "--as",
                "kubernetes-secret",
                "--name",
                "x",
                "-n",
                "pki",
            ],
            "--namespace",
        ),
    ] {
        let dated = old[0] != "convert";
        let run = place.kpki(&[old, if dated { &["--at", NOW] } else { &[][..] }].concat());
        let warnings: Vec<&str> =
            run.stderr.lines().filter(|line| line.contains("the old name is understood")).collect();
        assert_eq!((run.status, warnings.len()), (0, 1), "{old:?}: {}{}", run.stdout, run.stderr);
        assert!(warnings[0].starts_with("warning: ") && warnings[0].contains(new), "{}", run.stderr);
        seen += 1;
    }
    assert_eq!(seen, 4);
}
