//! `kpki completion`: scripts with which shells complete verbs, flags and values.

use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

use super::{ui::Ui, values::Outcome};
use crate::catalog::{CaId, ENTRIES};
use crate::error::Exit;

/// Print a script with which a shell completes verbs, flags, entries and files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki completion bash > /etc/bash_completion.d/kpki
  kpki completion zsh > \"${fpath[1]}/_kpki\"
  kpki completion fish > ~/.config/fish/completions/kpki.fish
  kpki completion elvish >> ~/.config/elvish/rc.elv
  kpki completion powershell >> $PROFILE

In the running bash only: source <(kpki completion bash)")]
pub struct Args {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Args {
    pub fn run(&self, command: clap::Command, ui: &mut Ui<'_>) -> Outcome {
        ui.document(&script(self.shell, command))?;
        Ok(Exit::Done)
    }
}

pub fn script(shell: Shell, command: clap::Command) -> String {
    let mut command =
        ARGUMENTS.iter().fold(shown(&command), |command, (path, id, values)| tell(command, path, id, *values));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "kpki", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Fish {
        script.extend(ARGUMENTS.iter().filter(|(_, id, _)| is_positional(id)).map(fish));
    }
    script
}

/// Without hidden verbs, which the scripts for bash would offer.
fn shown(command: &clap::Command) -> clap::Command {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    clap::Command::new("kpki").args(command.get_arguments().cloned()).subcommands(verbs)
}

/// clap_complete tells fish the values of flags only.
fn fish((path, _, values): &Row) -> String {
    let inner = |verb: &&str| format!("; and __fish_seen_subcommand_from {verb}");
    let (verb, rest) = path.split_first().map_or(("", [].as_slice()), |(verb, rest)| (*verb, rest));
    let rest: String = rest.iter().map(inner).collect();
    let values = values.names().join(" ");
    format!("complete -c kpki -n \"__fish_kpki_using_subcommand {verb}{rest}\" -f -a \"{values}\"\n")
}

/// `names`, `authorities`; the others are flags.
fn is_positional(id: &str) -> bool {
    ["names", "authorities"].contains(&id)
}

/// Whose values shells are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    Entries,
    /// `all` too.
    AllEntries,
    Authorities,
    AllAuthorities,
    /// Authorities and `sa`.
    Keys,
    AllKeys,
}

type Row = (&'static [&'static str], &'static str, Values);

/// Arguments that take more than these values, such as NODE/NAME, so that they check them later: verb, argument, values.
const ARGUMENTS: &[Row] = &[
    (&["renew"], "names", Values::AllEntries),
    (&["certs", "renew"], "names", Values::AllEntries),
    (&["csr"], "names", Values::AllEntries),
    (&["revoke"], "names", Values::Entries),
    (&["hold"], "names", Values::Entries),
    (&["release"], "names", Values::Entries),
    (&["sign"], "entry", Values::Entries),
    (&["import"], "entry", Values::Entries),
    (&["sign"], "authority", Values::Authorities),
    (&["revoke"], "authority", Values::Authorities),
    (&["hold"], "authority", Values::Authorities),
    (&["release"], "authority", Values::Authorities),
    (&["crl", "update"], "authorities", Values::AllAuthorities),
    (&["key", "protect"], "names", Values::AllKeys),
    (&["key", "expose"], "names", Values::AllKeys),
    (&["rotate", "prepare"], "names", Values::AllKeys),
    (&["rotate", "emergency"], "names", Values::Keys),
    (&["rotate", "switch"], "names", Values::Keys),
    (&["rotate", "retire"], "names", Values::Keys),
    (&["rotate", "back"], "names", Values::Keys),
    (&["rotate", "status"], "names", Values::Keys),
    (&["rotate", "record"], "names", Values::Keys),
    (&["rotate", "forget"], "names", Values::Keys),
];

impl Values {
    fn names(self) -> Vec<&'static str> {
        let authorities = CaId::ALL.map(CaId::name);
        match self {
            Self::Entries => ENTRIES.iter().map(|entry| entry.name).collect(),
            Self::AllEntries => [&["all"], Self::Entries.names().as_slice()].concat(),
            Self::Authorities => authorities.to_vec(),
            Self::AllAuthorities => [&["all"], authorities.as_slice()].concat(),
            Self::Keys => [authorities.as_slice(), &["sa"]].concat(),
            Self::AllKeys => [&["all"], Self::Keys.names().as_slice()].concat(),
        }
    }
}

/// The command with the values in it, only for scripts: they are not refused where others are given.
fn tell(command: clap::Command, path: &[&'static str], id: &'static str, values: Values) -> clap::Command {
    match path.split_first() {
        Some((verb, rest)) => command.mut_subcommand(*verb, |inner| tell(inner, rest, id, values)),
        None => command.mut_arg(id, |argument| argument.value_parser(PossibleValuesParser::new(values.names()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// VERB and argument of every name of an entry or authority that the command line takes.
    fn named(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let verb = |name: &str| format!("{path} {name}").trim().to_owned();
        for argument in command.get_arguments() {
            let shown = argument.get_value_names().unwrap_or_default().first().map(ToString::to_string);
            let id = argument.get_id().as_str();
            let is_positional_name = shown.as_deref() == Some("NAME") && argument.is_positional();
            if ["AUTHORITY", "CA"].contains(&shown.as_deref().unwrap_or_default()) || is_positional_name {
                found.push(format!("{path} {id}"));
            }
        }
        for sub in command.get_subcommands() {
            named(sub, &verb(sub.get_name()), found);
        }
    }

    #[test]
    fn shells_are_told_the_values_of_every_name() {
        let mut found = Vec::new();
        named(&crate::cli::command(), "", &mut found);
        found.retain(|row| !NOT_NAMES.contains(&row.as_str()));
        let known = ARGUMENTS.iter().map(|(path, id, _)| format!("{} {id}", path.join(" ")));
        let mut known: Vec<String> = known.filter(|row| !FLAGS.contains(&row.as_str())).collect();
        found.sort();
        known.sort();
        assert_eq!(found, known);
    }

    /// Of people, nodes and files.
    const NOT_NAMES: &[&str] = &["kubeconfig user user", "nodes remove node"];
    /// NAME is much else behind a flag.
    const FLAGS: &[&str] =
        &["sign entry", "import entry", "sign authority", "revoke authority", "hold authority", "release authority"];

    #[test]
    fn every_argument_is_there_and_shells_have_its_values() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = script(shell, crate::cli::command());
            assert!(script.contains("kpki"), "{shell}");
        }
        assert!(shown(&crate::cli::command()).find_subcommand("generate").is_none());
        for (shell, values) in [
            (Shell::Bash, "all ca apiserver apiserver-kubelet-client"),
            (Shell::Zsh, "(all ca apiserver apiserver-kubelet-client"),
            (Shell::Fish, "\"__fish_kpki_using_subcommand renew\" -f -a \"all ca apiserver "),
            (
                Shell::Fish,
                "\"__fish_kpki_using_subcommand rotate; and __fish_seen_subcommand_from switch\" -f -a \"ca front-proxy-ca etcd-ca sa\"",
            ),
        ] {
            assert!(script(shell, crate::cli::command()).contains(values), "{shell}");
        }
        for (path, id, _) in ARGUMENTS {
            let command = crate::cli::command();
            let verb = path.iter().fold(&command, |command, verb| command.find_subcommand(verb).unwrap());
            let argument = verb.get_arguments().find(|argument| argument.get_id() == *id).unwrap();
            assert_eq!(argument.is_positional(), is_positional(id), "{path:?} {id}");
        }
    }
}
