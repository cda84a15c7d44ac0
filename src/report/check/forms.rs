//! One file per form; here is which is which.

use std::io::{self, Write};

use super::result::{Check, Line};
use super::{csv, document, html, nagios, prometheus, table, timeline, wide};
use crate::report::fold::fold;
use crate::report::{Width, json, yaml};

/// The forms of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckForm {
    Table,
    Wide,
    Json,
    Yaml,
    Csv,
    Timeline,
    Html,
    Prometheus,
    Nagios,
}

impl Check {
    /// The report for people, line by line with its tone; `None`: the form is for machines. `width`: of the screen.
    pub fn lines(&self, form: CheckForm, width: Width) -> Option<Vec<Line>> {
        let lines = match form {
            CheckForm::Table => table::lines(self, width),
            // For scrolling and for grep.
            CheckForm::Wide => return Some(wide::lines(self)),
            CheckForm::Timeline => timeline::lines(self, width),
            _ => return None,
        };
        let Some(most) = width else { return Some(lines) };
        let folded = |Line { text, tone }| fold(&text, most.into()).into_iter().map(move |text| Line { text, tone });
        Some(lines.into_iter().flat_map(folded).collect())
    }

    /// The report in one form, written as it is made: of a fleet the text is never held whole.
    pub fn write(&self, form: CheckForm, out: &mut dyn Write) -> io::Result<()> {
        match form {
            CheckForm::Table | CheckForm::Wide | CheckForm::Timeline => {
                self.lines(form, None).iter().flatten().try_for_each(|line| writeln!(out, "{}", line.text))
            }
            // kubeadm's indentation.
            CheckForm::Json => json::write(&document::of(self, &self.selected()), "    ", out),
            CheckForm::Yaml => yaml::write(&document::of(self, &self.selected()), out),
            CheckForm::Csv => csv::write(self, out),
            CheckForm::Html => html::write(self, out),
            CheckForm::Prometheus => prometheus::write(self, out),
            CheckForm::Nagios => writeln!(out, "{}", nagios::line(self)),
        }
    }

    /// The exit status a monitoring plugin answers with.
    pub fn plugin_status(&self) -> u8 {
        nagios::status(&self.verdict).1
    }
}
