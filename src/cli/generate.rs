//! `kpki generate` (hidden): man pages and shell completions from the definitions themselves.

use super::help::{self, Block};
use super::{completion, ui::Ui, values::Outcome};
use crate::catalog::readers;
use crate::error::{Error, Exit};
use crate::keys::SIGNER_VARIABLES;
use crate::profile::{FieldDoc, field_reference};
use crate::programs::{INHERITED, VARIABLES};
use crate::report::verify::Rules;
use crate::verify;
use crate::workspace::issuing;
use clap::builder::Resettable;

/// Generate man pages and shell completions
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print a man page; without a name, list them
    Man {
        #[arg(value_name = "PAGE")]
        page: Option<String>,
    },
    /// The earlier form of kpki completion
    Completions {
        #[arg(value_enum, value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
}

impl Args {
    pub fn run(&self, command: clap::Command, ui: &mut Ui<'_>) -> Outcome {
        match &self.verb {
            Verb::Man { page: None } => {
                let names: Vec<String> = pages(command)?.into_iter().map(|(name, _)| name + "\n").collect();
                ui.document(&names.concat())?;
            }
            Verb::Man { page: Some(wanted) } => match pages(command)?.into_iter().find(|(name, _)| name == wanted) {
                Some((_, text)) => ui.document(&text)?,
                None => {
                    return Err(Error::usage(format!("there is no man page {wanted:?}"))
                        .hint("list them with: kpki generate man"));
                }
            },
            Verb::Completions { shell } => {
                ui.warnings(&[format!("this form goes away with the next release; use: kpki completion {shell}")]);
                ui.document(&completion::script(*shell, command))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Every man page: its file name and its roff.
fn pages(mut command: clap::Command) -> Result<Vec<(String, String)>, Error> {
    let mut pages = Vec::new();
    command.build();
    page(&command, "kpki", &mut pages)?;
    pages.push(("kpki-profile.5".to_owned(), profile_page(&field_reference())));
    Ok(pages)
}

fn page(command: &clap::Command, name: &str, pages: &mut Vec<(String, String)>) -> Result<(), Error> {
    let mut roff = Vec::new();
    let named = command.clone().name(name.to_owned()).display_name(name.to_owned());
    let below = named.get_after_help().map(ToString::to_string).unwrap_or_default();
    let synopsis = synopsis(&named.clone().render_usage().to_string());
    let man = clap_mangen::Man::new(named.after_help(Resettable::Reset)).date("").manual("kpki");
    man.render(&mut roff).map_err(|why| Error::new(format!("cannot render the man page of {name}")).because(why))?;
    // Blanks at the ends of lines, and requests around an empty line that do nothing beside it. Without a date clap_mangen moves the
    // arguments of the title. Flags that are cut at a hyphen, or words with wide gaps, cannot be read or copied.
    let title = format!(".TH {name} 1 \"\" \"kpki {}\" \"kpki\"\n.nh\n.ad l", env!("CARGO_PKG_VERSION"));
    let line = |line: &str| if line.starts_with(".TH ") { title.clone() } else { line.trim_end().to_owned() } + "\n";
    let text = String::from_utf8_lossy(&roff).lines().map(line).collect::<String>();
    let text = text.replace("\n.br\n\n.br\n", "\n.sp\n");
    let text = replaced(&text, ".SH SYNOPSIS\n", "\n.SH ", &synopsis);
    let (before, version) = text.split_at(text.find(".SH VERSION").unwrap_or(text.len()));
    let mut text = [before, &below_sections(&below), version].concat();
    match name {
        "kpki-renew" => text += &readers_section(),
        "kpki-verify" => text += &rules_section(),
        _ => {}
    }
    pages.push((format!("{name}.1"), text));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        page(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}

/// How the verb is called, as its help says: clap_mangen leaves out the values of flags, and what may be given several times.
fn synopsis(usage: &str) -> String {
    let lines = usage.trim().strip_prefix("Usage:").unwrap_or(usage).lines();
    let line = |line: &str| {
        let (verb, words) = line.split_at(line.find(['[', '<']).unwrap_or(line.len()));
        format!("\\fB{}\\fR {}", roff(verb.trim()), roff(words)).trim_end().to_owned()
    };
    lines.map(line).collect::<Vec<_>>().join("\n.br\n")
}

/// The text with `new` between the first `open` and the `close` that follows.
fn replaced(text: &str, open: &str, close: &str, new: &str) -> String {
    let Some((before, rest)) = text.split_once(open) else { return text.to_owned() };
    let (_, after) = rest.split_once(close).unwrap_or((rest, ""));
    [before, open, new, close, after].concat()
}

/// Examples as they are typed: neither filled nor hyphenated, and with the characters of a keyboard.
fn below_sections(text: &str) -> String {
    let example = |(command, comment): &(&str, &str)| {
        let comment = if comment.is_empty() { String::new() } else { format!(".RS 4\n{}\n.RE\n", roff(comment)) };
        format!(".nf\n{}\n.fi\n{comment}", roff(command))
    };
    let section = |block| match block {
        Block::Examples(examples) => {
            format!(".SH EXAMPLES\n{}", examples.iter().map(example).collect::<Vec<_>>().join(".PP\n"))
        }
        Block::Paragraph(text) => {
            let filled = text.lines().map(roff).collect::<Vec<_>>().join("\n");
            match filled.strip_prefix("Exit status: ") {
                Some(statuses) => format!(".SH EXIT STATUS\n{statuses}\n"),
                None => format!(".SH NOTES\n{filled}\n"),
            }
        }
    };
    help::blocks(text).into_iter().map(section).collect()
}

/// The table of readers, a paragraph for each row.
fn readers_section() -> String {
    let rows = readers::rows().map(|[file, component, setting, releases, action, source]| {
        format!(
            ".TP\n.B {}\n{} ({}), {}: {} ({})\n",
            roff(&file),
            roff(&component),
            roff(&setting),
            roff(&releases),
            roff(&action),
            roff(&source)
        )
    });
    let intro = "Who reads a file, by which flag or field, in which releases, and what a new one takes to be used. The release is the \
                 profile's kubernetesVersion, or the newest known one, and the report says which.";
    format!(".SH RESTARTS\n{intro}\n{}", rows.collect::<String>())
}

/// The table of rules, a paragraph for each.
fn rules_section() -> String {
    let rules = verify::all().map(|rule| {
        let paragraphs: Vec<String> = Rules::paragraphs(rule).iter().map(|text| roff(text)).collect();
        format!(".TP\n.B {} ({})\n{}\n", roff(rule.id), rule.severity, paragraphs.join("\n.br\n"))
    });
    format!(".SH RULES\n{}", rules.collect::<String>())
}

/// kpki-profile(5): its text with the table of fields and the variables of hooks put in.
fn profile_page(fields: &[FieldDoc]) -> String {
    let paragraph = |(name, meaning): &(&str, &str)| format!(".TP\n.B {}\n{}\n", roff(name), roff(meaning));
    include_str!("kpki-profile.5.in")
        .replace("@FIELDS@", &fields.iter().map(field).collect::<String>())
        .replace("@INHERITED@", &INHERITED.join(", "))
        .replace("@VARIABLES@", &VARIABLES.iter().map(paragraph).collect::<String>())
        .replace("@SIGNER_VARIABLES@", &SIGNER_VARIABLES.iter().map(paragraph).collect::<String>())
        .replace("@ISSUER_VARIABLES@", &issuing::VARIABLES.iter().map(paragraph).collect::<String>())
}

fn field(field: &FieldDoc) -> String {
    let FieldDoc { field, kubeadm, kind, default, description, example } = field;
    let kubeadm = if *kubeadm { " As in kubeadm." } else { "" };
    let default = if default.is_empty() { String::new() } else { format!("; default: {}", roff(default)) };
    let description = format!("{} ({}{default}){kubeadm}", roff(description), roff(kind));
    let example = if example.is_empty() { String::new() } else { format!(".RS\n.nf\n{}\n.fi\n.RE\n", roff(example)) };
    format!(".TP\n.B {}\n{description}\n{example}", roff(field))
}

/// roff reads a leading dot or quote as a request, and a backslash, a hyphen, quotes, carets and tildes in its own way.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga");
    let text = text.replace('^', "\\(ha").replace('~', "\\(ti");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
