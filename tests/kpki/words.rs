//! Every recorded output as a reader meets it: numbers with their nouns, the verb that ran, hints that can be run as they are
//! printed.

use std::collections::BTreeSet;

use super::harness::repository;

/// Name and text of every recorded output.
fn all() -> Vec<(String, String)> {
    let files = walkdir::WalkDir::new(repository("tests/kpki/expected")).sort_by_file_name();
    let files = files.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let all: Vec<_> = files
        .map(|entry| (entry.path().display().to_string(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    assert!(all.len() > 50, "{}", all.len());
    all
}

/// What kpki said, without the command line, the tree and what it printed of files.
fn said(text: &str) -> Vec<&str> {
    let body = text.split("--- stdout\n").nth(1).unwrap_or_default();
    let body = body.split("--- tree\n").next().unwrap_or_default();
    body.lines().filter(|line| !line.starts_with("---")).collect()
}

/// `1 certificates`, `2 certificate`, `1 were`: a number and a word that does not go with it.
fn miscounted(line: &str) -> Option<String> {
    // Counted by kpki.
    const NOUNS: [&str; 14] = [
        "certificate",
        "entry",
        "file",
        "request",
        "CRL",
        "node",
        "problem",
        "generation",
        "authority",
        "key",
        "name",
        "tree",
        "object",
        "warning",
    ];
    let plural = |noun: &str| match noun.strip_suffix('y') {
        Some(stem) if noun != "key" => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    let words: Vec<&str> = line.split([' ', ',', ';', ':']).filter(|word| !word.is_empty()).collect();
    words.windows(2).find_map(|pair| {
        let count: usize = pair[0].parse().ok()?;
        let is_plural =
            NOUNS.iter().any(|noun| plural(noun) == pair[1]) || ["were", "are", "wait", "do"].contains(&pair[1]);
        let is_singular = NOUNS.contains(&pair[1]) || ["was", "is", "waits", "does"].contains(&pair[1]);
        let wrong = if count == 1 { is_plural } else { is_singular };
        wrong.then(|| pair.join(" "))
    })
}

#[test]
fn numbers_go_with_their_words() {
    for (line, wrong) in [
        ("signed 1 certificates: t", true),
        ("2 certificate", true),
        ("put 0 certificates in place, 1 were in place already", true),
        ("ok: 16 certificates; 1 certificate", false),
        ("1 entry does not fit, 2 entries do", false),
    ] {
        assert_eq!(miscounted(line).is_some(), wrong, "{line}");
    }
    for (name, text) in all() {
        for line in said(&text) {
            assert_eq!(miscounted(line), None, "{name}: {line}");
        }
    }
}

/// `cannot VERB` names the verb that ran.
#[test]
fn no_verb_speaks_for_another() {
    const VERBS: [&str; 10] =
        ["renew", "revoke", "hold", "release", "sign", "import", "export", "restore", "init", "convert"];
    let mut seen = BTreeSet::new();
    for (name, text) in all() {
        let ran = text.lines().next().unwrap().split(' ').nth(2).unwrap();
        for line in said(&text).iter().filter(|line| line.starts_with("error: ")) {
            for verb in VERBS.iter().filter(|verb| line.contains(&format!("cannot {verb} "))) {
                assert_eq!(*verb, ran, "{name}: {line}");
                seen.insert(*verb);
            }
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
}

/// The path of an entry is its certificate's, its kubeconfig's or its request's, never its key's.
#[test]
fn paths_of_entries_are_not_those_of_keys() {
    let mut seen = 0;
    for (name, text) in all() {
        let lines = said(&text);
        let Some(header) = lines.iter().position(|line| line.starts_with("ENTRY ") && line.contains(" PATH")) else {
            continue;
        };
        for row in lines[header + 1..].iter().take_while(|line| !line.is_empty()) {
            seen += 1;
            assert!(!row.split_whitespace().any(|cell| cell.ends_with(".key")), "{name}: {row}");
        }
    }
    assert!(seen > 20, "{seen}");
}

/// A command in a hint has everything that it needs, and names the tree that the run was about.
#[test]
fn hints_can_be_run_as_they_are_printed() {
    // Verbs that take something.
    const NEED: [&str; 8] = ["renew", "revoke", "hold", "release", "csr", "import", "inspect", "restore"];
    let mut seen = 0;
    for (name, text) in all() {
        let command = text.lines().next().unwrap();
        let tree = command.split(" --dir ").nth(1).and_then(|rest| rest.split(' ').next());
        for line in said(&text) {
            for shown in line.split(": kpki ").skip(1) {
                let shown = shown.split([';', ',']).next().unwrap_or_default();
                let words: Vec<&str> = shown.split(' ').collect();
                seen += 1;
                assert!(!NEED.contains(&words[0]) || words.len() > 1, "{name}: {line}");
                let acts = ["renew", "release", "csr", "restore", "history"].contains(&words[0]);
                if let (Some(tree), true, false) = (tree, acts, shown.contains("NAME") || shown.contains("FILE")) {
                    assert!(
                        shown.contains(&format!("--dir {tree}")) || shown.contains("--dir [DIR]"),
                        "{name}: {line}"
                    );
                }
            }
        }
    }
    assert!(seen > 10, "{seen}");
}
