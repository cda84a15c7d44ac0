//! `kpki generate` (hidden): man pages and shell completions from the definitions themselves.

use std::path::PathBuf;

use super::Outcome;
use super::ui::Ui;
use crate::commands::generate;
use crate::error::{Error, Exit};

/// Generate man pages and shell completions
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Write every man page into a directory
    Man {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Print a completion script
    Completions {
        #[arg(value_enum, value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
}

impl Args {
    pub fn run(&self, ui: &mut Ui<'_>) -> Outcome {
        match &self.verb {
            Verb::Man { dir } => generate::write(dir, &pages()?)?,
            Verb::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut super::command(), "kpki", &mut script);
                ui.document(&String::from_utf8_lossy(&script))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Every man page: its file name and its roff.
pub fn pages() -> Result<Vec<(String, String)>, Error> {
    let mut pages = Vec::new();
    let mut command = super::command();
    command.build();
    page(&command, "kpki", &mut pages)?;
    pages.push(("kpki-profile.5".to_owned(), generate::profile_page()));
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
