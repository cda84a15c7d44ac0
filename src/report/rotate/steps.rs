//! What is to be done in the cluster: as data, as lines for people, and as the text that is kept beside the tree.

use std::io::{self, Write};

use serde::Serialize;

use crate::plan::rotate::steps::Instruction;
use crate::report::table::line;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToDo {
    /// From 1.
    pub number: usize,
    /// Where; none: anywhere with access to the cluster.
    pub nodes: Vec<String>,
    pub component: Option<&'static str>,
    pub what: String,
    /// One for all nodes, or one for each.
    pub commands: Vec<String>,
    /// How to see that it worked.
    pub see: Option<String>,
    /// What goes wrong without it.
    pub if_skipped: String,
}

impl ToDo {
    /// In their order.
    pub fn all(instructions: Vec<Instruction>) -> Vec<Self> {
        let one = |(number, instruction): (usize, Instruction)| {
            let Instruction { nodes, component, what, commands, see, skipped } = instruction;
            Self { number, nodes, component, what, commands, see, if_skipped: skipped }
        };
        (1..).zip(instructions).map(one).collect()
    }

    /// With the nodes it is done on.
    fn headline(&self) -> String {
        let nodes = match (self.nodes.as_slice(), self.commands.len() == self.nodes.len() && self.nodes.len() > 1) {
            // Each has a command of its own, with its name.
            ([], _) | (_, true) => String::new(),
            (nodes, false) => format!("on {}: ", nodes.join(", ")),
        };
        format!("{}. {nodes}{}", self.number, self.what)
    }
}

/// Numbered, each with its commands.
pub fn lines(all: &[ToDo], file: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    line(out, "To do, in this order:")?;
    for one in all {
        line(out, one.headline())?;
        one.commands.iter().try_for_each(|command| line(out, format_args!("     {command}")))?;
    }
    match file {
        Some(file) => {
            writeln!(out)?;
            line(out, format_args!("How to see that each worked, and what happens without it: {file}"))
        }
        None => Ok(()),
    }
}

/// The whole text, in Markdown.
pub fn markdown(title: &str, all: &[ToDo]) -> String {
    let mut text = format!("# {title}\n\nIn this order; the next one when the one before has worked.\n");
    for one in all {
        text.push_str(&format!("\n## {}\n", one.headline()));
        if !one.commands.is_empty() {
            text.push_str(&format!("\n```sh\n{}\n```\n", one.commands.join("\n")));
        }
        if let Some(see) = &one.see {
            text.push_str(&format!("\nTo see that it worked: {see}\n"));
        }
        text.push_str(&format!("\nWithout it: {}\n", one.if_skipped));
    }
    text
}
