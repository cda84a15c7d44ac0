//! What is wrong with a profile: what was expected and what was found, with a place, in one line each. A profile is read to its
//! end, so that one run shows everything there is to correct.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::near::nearest;
use crate::encoding::shown::escaped;
pub use crate::encoding::shown::{part, quoted, shown};
use crate::encoding::yaml::{Flaw, Mark};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {}{kind}", escaped(.file), prefix(.field))]
pub struct Problem {
    pub file: String,
    /// Both count from 1, columns in characters.
    pub line: usize,
    pub column: usize,
    /// Dotted, `nodes[1].addresses[0]`; empty: the document or the file.
    pub field: String,
    pub kind: Kind,
}

/// Everything that is wrong, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    /// The text is not the YAML that is read here.
    #[error("{0}")]
    Yaml(#[source] Flaw),
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
}

/// A field that is not what it must be, by itself or beside the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}{}", did_you_mean(.near.as_deref()))]
pub struct Mismatch {
    pub expected: Cow<'static, str>,
    /// Fit for a message: short, control characters escaped.
    pub found: Cow<'static, str>,
    /// The candidate that was probably meant.
    pub near: Option<String>,
}

/// Something that may be meant, but probably not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub file: String,
    pub line: usize,
    pub field: String,
    pub text: String,
}

impl Mismatch {
    /// `found` must be fit for a message; see [`shown`].
    pub fn new(expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: expected.into(), found: found.into(), near: None }
    }

    /// A value out of the file.
    pub fn value(expected: impl Into<Cow<'static, str>>, found: &str) -> Self {
        Self::new(expected, quoted(found))
    }

    pub fn missing(expected: impl Into<Cow<'static, str>>) -> Self {
        Self::new(expected, "nothing")
    }

    /// A word that does not belong to a closed set.
    pub fn word<'a>(
        expected: impl Into<Cow<'static, str>>,
        found: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self { near: nearest(found, words).map(str::to_owned), ..Self::new(expected, shown(found)) }
    }
}

impl Problem {
    pub fn at(file: &str, mark: Mark, field: &str, kind: Kind) -> Self {
        Self { file: file.to_owned(), line: mark.line, column: mark.column, field: field.to_owned(), kind }
    }
}

fn prefix(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{}: ", escaped(field)) }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"))
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}{}", escaped(&self.file), self.line, prefix(&self.field), self.text)
    }
}

impl Error for Problems {
    /// The first.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.first().map(|problem| problem as _)
    }
}
