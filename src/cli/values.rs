//! Values of arguments.

use crate::catalog::CaId;
use crate::clock::{self, Clock, Span};
use crate::error::{Error, Exit};
use crate::report::Form;
use clap::ValueEnum;
use time::OffsetDateTime;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Table,
    /// The table with algorithm, usages, serial and issuer
    Wide,
    Json,
    Yaml,
}

impl From<Output> for Form {
    fn from(output: Output) -> Self {
        match output {
            Output::Table => Self::Table,
            Output::Wide => Self::Wide,
            Output::Json => Self::Json,
            Output::Yaml => Self::Yaml,
        }
    }
}

/// `-o` of a verb whose text is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextOutput {
    /// For people
    Text,
    Json,
    Yaml,
}

impl From<TextOutput> for Form {
    fn from(output: TextOutput) -> Self {
        match output {
            TextOutput::Text => Self::Table,
            TextOutput::Json => Self::Json,
            TextOutput::Yaml => Self::Yaml,
        }
    }
}

/// The years in which a certificate can begin and its CA still end before 9999 (RFC 5280 section 4.1.2.5).
pub const YEARS: std::ops::RangeInclusive<i32> = 1970..=8900;

/// An instant on the command line.
pub fn instant(flag: &str, text: &str, now: OffsetDateTime) -> Result<OffsetDateTime, Error> {
    let at = clock::parse_instant(text, now).map(|at| Clock::Fixed(at).now());
    at.filter(|at| YEARS.contains(&at.year())).ok_or_else(|| {
        Error::usage(format!("{flag} {text:?} is not an instant in the years 1970 to 8900"))
            .hint("give RFC 3339 (2027-01-02T03:04:05Z), a date (2027-01-02), or a distance (+90d, -1h)")
    })
}

/// What the value of an argument should have been; clap shows it beside what was given.
#[derive(Debug, thiserror::Error)]
#[error("expected {0}")]
pub struct Expected(pub String);

/// An authority by its entry's name.
pub fn authority(text: &str) -> Result<CaId, Expected> {
    CaId::parse(text).ok_or_else(|| Expected(format!("one of {}", CaId::ALL.map(CaId::name).join(", "))))
}

/// How long to wait for something.
pub fn span(text: &str) -> Result<Span, Expected> {
    Span::parse(text).map_err(|_| Expected("a duration such as 30s or 5m".to_owned()))
}

pub type Outcome = Result<Exit, Error>;
