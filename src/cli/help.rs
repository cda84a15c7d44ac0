//! What stands below the options of a verb's help: examples, what else is to be known, exit statuses. One text, laid out here for a
//! screen, and in `generate.rs` for man pages. clap would break it anywhere.

use crate::report::fold::{columns, paragraph};

/// A part of a text, between blank lines.
#[derive(Debug, PartialEq, Eq)]
pub enum Block<'t> {
    /// Commands, each with what is said of it.
    Examples(Vec<(&'t str, &'t str)>),
    Paragraph(&'t str),
}

const HEADING: &str = "Examples:";

/// An example is a line `COMMAND  COMMENT`, with two blanks or more between.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let block = |text| match str::strip_prefix(text, HEADING) {
        Some(lines) => {
            Block::Examples(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(example).collect())
        }
        None => Block::Paragraph(text),
    };
    text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).map(block).collect()
}

fn example(line: &str) -> (&str, &str) {
    line.split_once("  ").map_or((line, ""), |(command, comment)| (command, comment.trim_start()))
}

/// For a screen: a command is never broken; nothing else is wider.
pub fn laid_out(text: &str, most: usize) -> String {
    let blocks = blocks(text).into_iter().map(|block| match block {
        Block::Examples(examples) => [vec![HEADING.to_owned()], lines(&examples, most)].concat().join("\n"),
        Block::Paragraph(text) => paragraph(text, 0, most).join("\n"),
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// Comments in a column, if all have room there; otherwise each below its command.
fn lines(examples: &[(&str, &str)], most: usize) -> Vec<String> {
    let commented = || examples.iter().filter(|(_, comment)| !comment.is_empty());
    let column = commented().map(|(command, _)| columns(command)).max().unwrap_or(0);
    let is_beside = commented().all(|(_, comment)| 2 + column + 3 + columns(comment) <= most);
    let one = |(command, comment): &(&str, &str)| match (*comment, is_beside) {
        ("", _) => vec![format!("  {command}")],
        (comment, true) => vec![format!("  {command}{}   {comment}", " ".repeat(column - columns(command)))],
        (comment, false) => [vec![format!("  {command}")], paragraph(comment, 6, most)].concat(),
    };
    examples.iter().flat_map(one).collect()
}

/// The command and all below it, with their helps laid out for a screen.
pub fn fitted(command: clap::Command, most: usize) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = names.into_iter().fold(command, |all, name| all.mut_subcommand(name, |sub| fitted(sub, most)));
    let below = command.get_after_help().map(|text| format!("\n\n{}", laid_out(&text.to_string(), most)));
    let template = "{before-help}{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}".to_owned();
    command.term_width(most).help_template(template + &below.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Examples:\n  kpki a --long       what it does\n  kpki b\n\nExit status: 0 done,\n1 refused.";

    #[test]
    fn a_text_has_examples_and_paragraphs() {
        assert_eq!(
            blocks(TEXT),
            [
                Block::Examples(vec![("kpki a --long", "what it does"), ("kpki b", "")]),
                Block::Paragraph("Exit status: 0 done,\n1 refused.")
            ]
        );
    }

    #[test]
    fn comments_are_beside_their_commands_or_below() {
        for (most, expected) in [
            (40, "Examples:\n  kpki a --long   what it does\n  kpki b\n\nExit status: 0 done, 1 refused."),
            (
                15,
                "Examples:\n  kpki a --long\n      what it\n      does\n  kpki b\n\nExit status: 0\ndone, 1\nrefused.",
            ),
            (
                8,
                "Examples:\n  kpki a --long\n      what\n      it\n      does\n  kpki b\n\nExit\nstatus:\n0 done,\n1\nrefused.",
            ),
        ] {
            assert_eq!(laid_out(TEXT, most), expected, "{most}");
        }
    }
}
