//! `kpki generate` (hidden): man pages and shell completions from the definitions themselves.

use super::{ui::Ui, values::Outcome};
use crate::error::{Error, Exit};
use crate::hooks::{INHERITED, VARIABLES};
use crate::profile::{FieldDoc, field_reference};

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
    /// Print a completion script
    Completions {
        #[arg(value_enum, value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
}

impl Args {
    pub fn run(&self, mut command: clap::Command, ui: &mut Ui<'_>) -> Outcome {
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
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut command, "kpki", &mut script);
                ui.document(&String::from_utf8_lossy(&script))?;
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
    pages.push(("kpki-profile.5".to_owned(), profile_page(field_reference())));
    Ok(pages)
}

fn page(command: &clap::Command, name: &str, pages: &mut Vec<(String, String)>) -> Result<(), Error> {
    let mut roff = Vec::new();
    let named = command.clone().name(name.to_owned()).display_name(name.to_owned());
    let man = clap_mangen::Man::new(named).date("").manual("kpki");
    man.render(&mut roff).map_err(|why| Error::new(format!("cannot render the man page of {name}")).because(why))?;
    pages.push((format!("{name}.1"), String::from_utf8_lossy(&roff).into_owned()));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        page(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}

const PROFILE_INTRO: &str = ".TH kpki-profile 5 \"\" \"kpki\" \"kpki\"
.SH NAME
kpki\\-profile \\- one YAML file per cluster, from which kpki makes its certificates
.SH DESCRIPTION
A profile is a YAML document with
.B apiVersion: kpki/v1
and
.BR \"kind: ClusterProfile\" .
Fields that kubeadm also has keep kubeadm's names and meaning. A kubeadm configuration (kubeadm.k8s.io/v1beta2 to v1, several
documents) is a profile too; its unknown kinds are skipped with a warning.
.PP
Every problem of a file is reported at once, as FILE:LINE:COLUMN: FIELD: expected, found. Unknown and duplicate keys, anchors,
aliases, merge keys and tags are errors; a file is at most 1 MiB, 32 levels deep.
.PP
Durations are Go durations (8760h, 1h30m) and may use d (24 hours), w (7 days) and y (365 days). Names are lower\\-case RFC 1123
names. Instants in reports are UTC.
.SH FIELDS
";

/// kpki-profile(5) from the table of fields.
fn profile_page(fields: &[FieldDoc]) -> String {
    let mut page = String::from(PROFILE_INTRO);
    for field in fields {
        page.push_str(&format!(".TP\n.B {}\n", roff(field.field)));
        page.push_str(&format!("{} ({}; default: {})", roff(field.description), roff(field.kind), roff(field.default)));
        if field.kubeadm {
            page.push_str(" As in kubeadm.");
        }
        page.push('\n');
        if !field.example.is_empty() {
            page.push_str(".RS\n.nf\n");
            for line in field.example.lines() {
                page.push_str(&format!("{}\n", roff(line)));
            }
            page.push_str(".fi\n.RE\n");
        }
    }
    page.push_str(".SH ENVIRONMENT OF HOOKS\n");
    page.push_str(&format!(
        "A hook gets only {} from the environment of kpki, and in addition:\n",
        INHERITED.join(", ")
    ));
    for (name, meaning) in VARIABLES {
        page.push_str(&format!(".TP\n.B {}\n{}\n", roff(name), roff(meaning)));
    }
    page.push_str(
        ".PP\nA hook runs in / and in a process group of its own, without input. The last 4 KiB of its output are reported. After the \
         timeout the group gets SIGTERM, and SIGKILL five seconds later.\n",
    );
    page.push_str(".SH SEE ALSO\n.BR kpki (1),\n.BR kpki\\-init (1),\n.BR kpki\\-profile (1)\n");
    page
}

/// roff reads a leading dot or quote as a request, and a backslash or hyphen in its own way.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
