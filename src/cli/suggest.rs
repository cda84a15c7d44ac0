//! What a wrong word on the command line was meant to be. It takes the place of clap's own guess, which finds `restore` near
//! `remove`: what other tools call it (`habits.rs`) comes first, then what is near it. A verb or flag that does harm if it was not
//! meant is one slip of the fingers away, and no harmless one is near.

use std::ffi::OsString;

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::habits::{Answer, FLAGS, HABITS, VALUES};
use super::line;
use crate::profile::{nearest, one_slip_from};

/// Flags that go around a check, a question or a rule.
pub const BOLD: &[&str] = &[
    "allow-future",
    "allow-shared-ca",
    "allow-system-masters",
    "confirm-all",
    "exit-zero",
    "force",
    "forget",
    "no-edges",
    "no-hooks",
    "not-before-override",
    "older",
    "prune-sans",
    "revoke",
    "signer-file-in-use",
    "unencrypted",
    "unknown-serial",
    "yes",
    "yes-this-interrupts",
];

/// The same error with our guess.
pub fn better(mut error: Error, arguments: &[OsString], program: &Command) -> Error {
    let tips = match error.kind() {
        ErrorKind::InvalidSubcommand => of_words(&text(&error, ContextKind::InvalidSubcommand), arguments, program),
        ErrorKind::UnknownArgument => of_argument(&text(&error, ContextKind::InvalidArg), arguments, program),
        ErrorKind::InvalidValue => of_value(&error),
        _ => return error,
    };
    for kind in [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
        ContextKind::SuggestedCommand,
        ContextKind::Suggested,
    ] {
        error.remove(kind);
    }
    if !tips.is_empty() {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips.into_iter().map(StyledStr::from).collect()));
    }
    error
}

fn text(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// The verb that the line comes to, and what stands behind it.
fn reached<'c, 'w>(program: &'c Command, words: &[&'w str]) -> (&'c Command, Vec<&'w str>) {
    let mut here = program;
    let mut rest = words.iter().skip(usize::from(words.first() == Some(&"help"))).copied().peekable();
    while let Some(inner) = rest.peek().and_then(|word| here.find_subcommand(word)) {
        here = inner;
        rest.next();
    }
    (here, rest.collect())
}

/// What another tool means by these words: the longest row.
fn habit(words: &[&str]) -> Vec<String> {
    let rows = HABITS.iter().flat_map(|row| row.typed.iter().map(move |typed| (*typed, row)));
    let found = rows.filter(|(typed, _)| words.starts_with(typed)).max_by_key(|(typed, _)| typed.len());
    found.map(|(_, row)| answers(row.answers)).unwrap_or_default()
}

fn answers(all: &[Answer]) -> Vec<String> {
    all.iter().map(|(meant, command)| format!("{meant}: {command}")).collect()
}

fn of_words(word: &str, arguments: &[OsString], program: &Command) -> Vec<String> {
    let words = line::words(arguments);
    let known = habit(&words);
    if !known.is_empty() {
        return known;
    }
    let (here, _) = reached(program, &words);
    let near = nearest_verb(word, here);
    near.map(|name| vec![format!("did you mean '{name}'?")]).unwrap_or_default()
}

fn nearest_verb<'c>(word: &str, here: &'c Command) -> Option<&'c str> {
    let verbs = || here.get_subcommands().filter(|verb| !verb.is_hide_set());
    let names = |verb: &'c Command| std::iter::once(verb.get_name()).chain(verb.get_visible_aliases());
    let reads = nearest(word, verbs().filter(|verb| !changes(verb)).flat_map(names));
    reads.or_else(|| one_slip_from(word, verbs().filter(|verb| changes(verb)).flat_map(names)))
}

/// Whether it, or a verb below it, changes a tree: only such a verb waits for the lock.
fn changes(verb: &Command) -> bool {
    verb.get_arguments().any(|argument| argument.get_id() == "lock_timeout") || verb.get_subcommands().any(changes)
}

fn of_argument(given: &str, arguments: &[OsString], program: &Command) -> Vec<String> {
    let words = line::words(arguments);
    let (here, rest) = reached(program, &words);
    let flag = given.split('=').next().unwrap_or_default();
    if let Some((_, all)) = FLAGS.iter().find(|(flags, _)| flags.contains(&flag)) {
        return answers(all);
    }
    let Some(name) = flag.strip_prefix("--") else {
        let known = if flag.starts_with('-') { Vec::new() } else { habit(&words) };
        return if rest.is_empty() { Vec::new() } else { known };
    };
    let is_bold = |flag: &&str| BOLD.contains(flag);
    let names = || here.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(clap::Arg::get_long);
    let near = nearest(name, names().filter(|flag| !is_bold(flag)));
    if let Some(near) = near.or_else(|| one_slip_from(name, names().filter(is_bold))) {
        return vec![format!("did you mean '--{near}'?")];
    }
    let is_of_a_verb = |verb: &Command| verb.get_arguments().any(|argument| argument.get_long() == Some(name));
    match here.get_subcommands().any(is_of_a_verb) {
        true => vec![format!("options stand behind the verb, as in: kpki VERB --{name}")],
        false => Vec::new(),
    }
}

fn of_value(error: &Error) -> Vec<String> {
    let given = text(error, ContextKind::InvalidValue);
    let argument = text(error, ContextKind::InvalidArg);
    let flag = argument.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default();
    if let Some((.., meant)) = VALUES.iter().find(|(of, values, _)| *of == flag && values.contains(&given.as_str())) {
        return vec![(*meant).to_owned()];
    }
    let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue) else { return Vec::new() };
    let near = nearest(&given, values.iter().map(String::as_str));
    near.map(|near| vec![format!("did you mean '{near}'?")]).unwrap_or_default()
}
