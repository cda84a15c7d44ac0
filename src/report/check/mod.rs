//! What `kpki check-expiration` found, and its forms.

mod advice;
mod cells;
mod csv;
mod document;
mod fleet;
mod nagios;
mod prometheus;
mod select;
mod table;
#[cfg(test)]
mod tests;
mod wide;

use time::OffsetDateTime;

use super::yaml;
use crate::audit::{Advice, JudgedTree, State, Verdict};

pub use cells::human;
pub use select::{Selection, Sort};

/// The forms of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckForm {
    Table,
    Wide,
    Json,
    Yaml,
    Csv,
    Prometheus,
    Nagios,
}

/// Every tree that was looked at, judged at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub at: OffsetDateTime,
    /// The instant was asked for: the report says so.
    pub as_of: bool,
    pub trees: Vec<JudgedTree>,
    /// Over everything, whatever is selected to be shown.
    pub verdict: Verdict,
    pub advice: Vec<Advice>,
    pub selection: Selection,
}

/// A line for people, with the state it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// A headline.
    Strong,
    Good,
    Warning,
    Bad,
}

impl Tone {
    pub const fn of(state: State) -> Self {
        match state {
            State::Ok => Self::Plain,
            State::Warning => Self::Warning,
            _ => Self::Bad,
        }
    }
}

impl Line {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    fn strong(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Strong }
    }
}

impl Check {
    /// The report for people, line by line with its tone; `None`: the form is for machines.
    pub fn lines(&self, form: CheckForm) -> Option<Vec<Line>> {
        match form {
            CheckForm::Table => Some(table::lines(self)),
            CheckForm::Wide => Some(wide::lines(self)),
            _ => None,
        }
    }

    /// The report in one form, ending with a newline.
    pub fn render(&self, form: CheckForm) -> String {
        let mut text = match form {
            CheckForm::Table | CheckForm::Wide => {
                let lines = self.lines(form).unwrap_or_default();
                lines.into_iter().fold(String::new(), |text, line| text + &line.text + "\n")
            }
            CheckForm::Json => document::json(self),
            CheckForm::Yaml => yaml::render(&document::value(self)),
            CheckForm::Csv => csv::render(self),
            CheckForm::Prometheus => prometheus::render(self),
            CheckForm::Nagios => nagios::line(self),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }

    /// The exit status a monitoring plugin answers with.
    pub fn plugin_status(&self) -> u8 {
        nagios::status(&self.verdict).1
    }
}
