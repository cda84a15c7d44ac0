//! Values of arguments.

use crate::catalog::CaId;
use crate::clock::{self, Clock, Span};
use crate::error::{Error, Exit};
use crate::report::Form;
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use time::OffsetDateTime;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The values of a flag: name, help, meaning. A name without help is another one of the same meaning: accepted, not shown.
pub type Choices<T> = &'static [(&'static str, Option<&'static str>, T)];

/// Shown in the help and completed by shells.
pub fn one_of<T: Copy + Send + Sync + 'static>(choices: Choices<T>) -> impl TypedValueParser<Value = T> {
    let value = |(name, help, _): &(&'static str, Option<&'static str>, T)| match help {
        Some(help) => PossibleValue::new(*name).help(*help),
        None => PossibleValue::new(*name).hide(true),
    };
    PossibleValuesParser::new(choices.iter().map(value)).try_map(move |given| {
        let choice = choices.iter().find(|(name, ..)| *name == given);
        choice.map(|(.., meaning)| *meaning).ok_or_else(|| Expected("one of the values above".to_owned()))
    })
}

const JSON: (&str, Option<&str>, Form) = ("json", Some("One JSON document"), Form::Json);
const YAML: (&str, Option<&str>, Form) = ("yaml", Some("The same document as YAML"), Form::Yaml);

/// `-o`.
pub const FORMS: Choices<Form> = &[
    ("table", Some("For people"), Form::Table),
    ("wide", Some("The table with algorithm, usages, serial and issuer"), Form::Wide),
    JSON,
    YAML,
];

/// `-o` of a verb whose text is no table.
pub const TEXT_FORMS: Choices<Form> = &[("text", Some("For people"), Form::Table), JSON, YAML];

/// An instant on the command line.
pub fn instant(flag: &str, text: &str, now: OffsetDateTime) -> Result<OffsetDateTime, Error> {
    let at = clock::parse_instant(text, now).map(|at| Clock::Fixed(at).now());
    at.filter(|at| clock::YEARS.contains(&at.year())).ok_or_else(|| {
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

pub fn span(text: &str) -> Result<Span, Expected> {
    Span::parse(text).map_err(|_| Expected("a duration such as 30s, 5m, 720h or 60d".to_owned()))
}

/// How often something is done.
pub fn interval(text: &str) -> Result<Span, Expected> {
    let is_some = |span: &Span| span.as_seconds() > 0;
    Span::parse(text)
        .ok()
        .filter(is_some)
        .ok_or_else(|| Expected("a duration of a second or more, such as 30m, 12h or 1d".to_owned()))
}

pub type Outcome = Result<Exit, Error>;
