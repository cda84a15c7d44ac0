#![allow(clippy::disallowed_methods)] // tests read and write the pages

use std::path::Path;

use clap::CommandFactory as _;

use super::*;

#[test]
fn which_words_go_together() {
    for (words, good) in [
        ("issue", true),
        ("issue --role a", true),
        ("issue --role a --verbatim-role b", false),
        ("issue --token s.abc", false),
        ("sign", false),
        ("sign --key ca", true),
        ("sign --key ca --key-version 0", false),
        ("sign --key ca --algorithm ed25519", false),
        ("sign --key ca --timeout 0", false),
        ("sign --key ca --token-file t --kubernetes-role r", false),
        ("sign --key ca --token-file t --approle-role-id-file r", false),
        ("sign --key ca --approle-secret-id-file s", false),
        ("sign --key ca --approle-role-id-file r --approle-secret-id-file s", true),
        ("secret --path a", false),
        ("secret --path a --field b", true),
        ("public-key --key ca", true),
    ] {
        let parsed = Cli::try_parse_from(["kpki-vault"].into_iter().chain(words.split(' ')));
        assert_eq!(parsed.is_ok(), good, "{words}: {parsed:?}");
    }
    Cli::command().debug_assert();
}

#[test]
fn every_argument_is_described_and_every_verb_has_examples() {
    for verb in Cli::command().get_subcommands() {
        let name = verb.get_name();
        let examples = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.starts_with(&format!("Examples:\n  kpki-vault {name} ")), "{name}");
        assert!(verb.get_arguments().all(|argument| argument.get_help().is_some()), "{name}");
    }
}

/// With KPKI_RECORD=1 they are written.
#[test]
fn man_pages_are_what_the_definitions_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let mut command = Cli::command();
    command.build();
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help");
    let verbs = verbs.map(|verb| (format!("kpki-vault-{}", verb.get_name()), verb.clone()));
    for (name, page) in [("kpki-vault".to_owned(), command.clone())].into_iter().chain(verbs) {
        let mut roff = Vec::new();
        let page = page.name(name.clone()).display_name(name.clone());
        clap_mangen::Man::new(page).date("").manual("kpki").render(&mut roff).unwrap();
        let file = folder.join(format!("{name}.1"));
        if std::env::var_os("KPKI_RECORD").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &roff).unwrap();
        }
        let found = std::fs::read(&file).unwrap_or_default();
        assert!(
            found == roff,
            "{name}.1 is not what the definitions say; run: KPKI_RECORD=1 cargo test -p kpki-vault man"
        );
    }
}
