//! What is said to a word that no verb, flag or value has: never something that does harm for a typo of something harmless.

use std::ffi::OsString;

use kpki::cli::habits::{FLAGS, HABITS};
use kpki::cli::suggest::BOLD;
use kpki::cli::{self};
use kpki::clock::Clock;

use super::harness::{Place, environment, single};

/// The tips of a command line that is wrong.
fn tips(line: &str) -> Vec<String> {
    let words = line.split_whitespace().map(OsString::from);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = kpki::run::run(words, &environment(Clock::System), &mut out, &mut err);
    let said = String::from_utf8(err).unwrap();
    assert_eq!(status, 2, "{line}: {said}");
    said.lines().filter_map(|line| line.trim_start().strip_prefix("tip: ")).map(str::to_owned).collect()
}

#[test]
fn what_is_said_to_wrong_words() {
    for (line, expected) in [
        ("rotat", "did you mean 'rotate'?"),
        ("chekc", "did you mean 'check'?"),
        ("reovke x", "did you mean 'revoke'?"),
        ("inspekt", "did you mean 'inspect'?"),
        ("crl shwo x", "did you mean 'show'?"),
        ("help crl shwo", "did you mean 'show'?"),
        ("rotate stauts", "did you mean 'status'?"),
        ("certs renw", "did you mean 'renew'?"),
        // Near something that does harm, and not one slip of the fingers from it.
        ("invoke", ""),
        ("rename", ""),
        ("resort", ""),
        // What other tools call it.
        ("list", "what is there and when it ends: kpki check-expiration"),
        ("status", "what is there and when it ends: kpki check-expiration"),
        ("expire", "what is there and when it ends: kpki check-expiration"),
        ("show", "what a file contains: kpki inspect FILE"),
        ("create", "a whole tree from a profile: kpki init --profile FILE --dir DIR"),
        ("delete", "take a node out of a cluster directory: kpki nodes remove NODE"),
        ("remove x", "take a node out of a cluster directory: kpki nodes remove NODE"),
        ("gencert -initca x", "sign a request: kpki sign CSR --usage server --san NAME"),
        ("x509 -in a -noout", "what a file contains: kpki inspect FILE"),
        ("build-ca", "three authorities and all that they sign: kpki init --profile FILE --dir DIR"),
        ("alpha certs renew all", "what is there and when it ends: kpki check-expiration"),
        ("init phase certs apiserver", "everything that is missing, and nothing else: kpki init --config FILE"),
        ("init phase upload-certs", "the Secret that kubeadm join reads: kpki convert DIR --as kubeadm-certs"),
        // Flags and values.
        ("renew all --dri-run", "did you mean '--dry-run'?"),
        ("export x --fource", "did you mean '--force'?"),
        ("export x --farces", ""),
        ("renew all --cert-dir x", "in kubeadm's words: kpki certs check-expiration --cert-dir DIR"),
        ("--dir x check", "options stand behind the verb, as in: kpki VERB --dir"),
        ("renew all -o jsn", "did you mean 'json'?"),
        ("convert x --to jks", "Java reads PKCS#12 as a keystore: --to p12"),
        ("renew all --dew", ""),
    ] {
        let tips = tips(&format!("kpki {line}"));
        assert_eq!(tips.first().map_or("", String::as_str), expected, "{line}: {tips:?}");
    }
}

/// Verbs that change nothing, with one letter wrong: whatever is said, it is no verb that changes a tree.
#[test]
fn a_slip_in_a_harmless_verb_leads_to_no_other_one_that_does_harm() {
    let program = cli::command();
    fn changes(verb: &clap::Command) -> bool {
        verb.get_arguments().any(|one| one.get_id() == "lock_timeout") || verb.get_subcommands().any(changes)
    }
    let verbs = || program.get_subcommands().filter(|verb| !verb.is_hide_set());
    let names = |verb: &clap::Command| {
        [vec![verb.get_name().to_owned()], verb.get_visible_aliases().map(str::to_owned).collect()].concat()
    };
    let harmful: Vec<String> = verbs().filter(|verb| changes(verb)).flat_map(names).collect();
    let known: Vec<String> = verbs().flat_map(names).collect();
    assert!(harmful.contains(&"revoke".to_owned()) && !harmful.contains(&"inspect".to_owned()), "{harmful:?}");
    let mut tried = 0;
    for verb in known.iter().filter(|name| !harmful.contains(name)) {
        let letters: Vec<char> = verb.chars().collect();
        for at in 0..letters.len() {
            let mut less = letters.clone();
            less.remove(at);
            let mut other = letters.clone();
            other[at] = if letters[at] == 'r' { 's' } else { 'r' };
            let mut swapped = letters.clone();
            swapped.swap(at, (at + 1).min(letters.len() - 1));
            for word in [less, other, swapped] {
                let word: String = word.into_iter().collect();
                if word.is_empty() || word.starts_with('-') || known.contains(&word) {
                    continue;
                }
                tried += 1;
                for tip in tips(&format!("kpki {word}")) {
                    let named = tip.strip_prefix("did you mean '").and_then(|rest| rest.split('\'').next());
                    assert!(!named.is_some_and(|named| harmful.contains(&named.to_owned())), "{word}: {tip}");
                }
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

/// Each command is one, with the words in capitals as they are.
#[test]
fn every_answer_is_a_command_and_every_habit_is_no_verb() {
    let program = cli::command();
    let answers = HABITS.iter().flat_map(|row| row.answers).chain(FLAGS.iter().flat_map(|(_, answers)| *answers));
    for (meant, command) in answers {
        let parsed = program.clone().try_get_matches_from(command.split(' '));
        // A group of verbs alone is its help.
        let is_group =
            program.find_subcommand(command.split(' ').nth(1).unwrap()).is_some_and(clap::Command::has_subcommands);
        assert!(parsed.is_ok() || is_group && command.split(' ').count() == 2, "{meant}: {command}");
    }
    for typed in HABITS.iter().flat_map(|row| row.typed) {
        let mut here = &program;
        let known = typed.iter().all(|word| {
            here.find_subcommand(word).is_some_and(|inner| {
                here = inner;
                true
            })
        });
        assert!(!known, "{typed:?}");
    }
    fn flags(command: &clap::Command) -> Vec<String> {
        let own = command.get_arguments().filter_map(|one| one.get_long().map(str::to_owned));
        own.chain(command.get_subcommands().flat_map(flags)).collect()
    }
    let flags = flags(&program);
    for bold in BOLD {
        assert!(flags.contains(&(*bold).to_owned()), "{bold}");
    }
}

#[test]
fn a_mistyped_entry_is_known_again() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["-p", "p.yaml", "--dir", "t"]).ok();
    for (words, near) in [
        (&["renew", "apiservr"][..], Some("hint: did you mean apiserver?\n")),
        (&["renew", "al"], Some("hint: did you mean all?\n")),
        (&["rotate", "prepare", "etcd"], Some("hint: did you mean etcd-ca?\n")),
        (&["rotate", "prepare", "front-proxi-ca"], Some("hint: did you mean front-proxy-ca?\n")),
        (&["renew", "kubernetes"], None),
        (&["revoke", "etcd-sever", "--yes"], Some("hint: did you mean etcd-server?\n")),
    ] {
        let run = place.kpki(&[words, &["--dir", "t"]].concat()).fails(2);
        assert_eq!(run.stderr.contains("did you mean"), near.is_some(), "{}", run.stderr);
        assert!(run.stderr.contains(near.unwrap_or_default()), "{}", run.stderr);
    }
}
