//! What is wrong with a profile: facts with a place, and their one line each. A profile is read to its end, so that one run
//! shows everything there is to mend.

use std::fmt;

use super::refusal::Refusal;
use crate::clock::SpanError;
use crate::encoding::yaml::{Flaw, Mark};

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Something that may be meant, but probably not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub file: String,
    pub line: usize,
    pub field: String,
    pub text: String,
}

/// What a node is, said to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Mapping,
    List,
    Text,
    TextOrList,
    Boolean,
    Number,
}

impl Shape {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mapping => "a mapping",
            Self::List => "a list",
            Self::Text => "text",
            Self::TextOrList => "text or a list of texts",
            Self::Boolean => "true or false",
            Self::Number => "a whole number",
        }
    }
}

/// Why a text is no subnet for services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CidrError {
    NotCidr,
    TooSmall,
    TooLarge,
    TooMany,
    SameFamily,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The text itself.
    Text(Flaw),
    // The documents.
    Empty,
    WrongApiVersion {
        found: String,
        near: Option<&'static str>,
    },
    WrongKind {
        expected: &'static str,
        found: String,
        near: Option<&'static str>,
    },
    SecondDocument {
        kind: &'static str,
    },
    MixedKinds,
    NothingUsable,
    // The fields.
    UnknownKey {
        near: Option<&'static str>,
    },
    LaterKey {
        since: &'static str,
    },
    Missing {
        expected: &'static str,
    },
    WrongType {
        expected: Shape,
        found: String,
    },
    /// Not one of a closed set of words.
    UnknownWord {
        expected: String,
        found: String,
        near: Option<String>,
    },
    BadCidr {
        found: String,
        why: CidrError,
    },
    BadName {
        expected: &'static str,
        found: String,
    },
    BadAddress {
        found: String,
    },
    BadSan {
        found: String,
    },
    BadPermittedName {
        found: String,
    },
    BadEndpoint {
        found: String,
    },
    BadUrl {
        found: String,
    },
    BadDuration {
        found: String,
        why: Option<SpanError>,
    },
    BadWindow {
        found: String,
    },
    BadRelease {
        found: String,
    },
    BadPath {
        expected: &'static str,
        found: String,
    },
    BadText {
        expected: &'static str,
        found: String,
    },
    OutOfRange {
        from: u64,
        to: u64,
        found: String,
    },
    TooMany {
        limit: usize,
        found: usize,
    },
    /// Each field by itself would do; together, or for this cluster, they do not.
    Refused(Refusal),
}

/// A value out of the file, fit for a message: at most 60 characters, control characters escaped.
pub fn shown(text: &str) -> String {
    cut(text, 60)
}

/// A path: escaped, and never cut.
fn whole(text: &str) -> String {
    cut(text, usize::MAX)
}

fn cut(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == longest {
            out.push('…');
            break;
        }
        if is_plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// Neither a control character nor one that reorders or hides what a terminal shows.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl Problem {
    pub fn at(file: &str, mark: Mark, field: &str, kind: Kind) -> Self {
        Self { file: file.to_owned(), line: mark.line, column: mark.column, field: field.to_owned(), kind }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", whole(&self.file), self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", shown(&self.field))?;
        }
        write!(f, "{}", self.kind)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", whole(&self.file), self.line)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", shown(&self.field))?;
        }
        f.write_str(&self.text)
    }
}

fn near(f: &mut fmt::Formatter<'_>, candidate: Option<&str>) -> fmt::Result {
    candidate.map_or(Ok(()), |candidate| write!(f, " (did you mean {candidate}?)"))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(flaw) => flaw.fmt(f),
            Self::Empty => {
                f.write_str("expected a ClusterProfile (apiVersion: kpki/v1) or kubeadm's documents, found nothing")
            }
            Self::WrongApiVersion { found, near: candidate } => {
                write!(f, "expected kpki/v1 or kubeadm.k8s.io/v1beta4, found {}", shown(found))?;
                near(f, *candidate)
            }
            Self::WrongKind { expected, found, near: candidate } => {
                write!(f, "expected {expected}, found {}", shown(found))?;
                near(f, *candidate)
            }
            Self::SecondDocument { kind } => write!(f, "expected one {kind}, found another one"),
            Self::MixedKinds => {
                f.write_str("expected either one ClusterProfile or kubeadm's documents, found both in one file")
            }
            Self::NothingUsable => {
                f.write_str("expected a ClusterConfiguration, InitConfiguration or JoinConfiguration, found none")
            }
            Self::UnknownKey { near: candidate } => {
                f.write_str("expected a known key, found an unknown one")?;
                near(f, *candidate)
            }
            Self::LaterKey { since } => {
                write!(f, "expected a key of this apiVersion, found one that exists from {since} on")
            }
            Self::Missing { expected } => write!(f, "expected {expected}, found nothing"),
            Self::WrongType { expected, found } => write!(f, "expected {}, found {found}", expected.name()),
            Self::UnknownWord { expected, found, near: candidate } => {
                write!(f, "expected {expected}, found {}", shown(found))?;
                near(f, candidate.as_deref())
            }
            Self::BadCidr { found, why } => {
                let expected = match why {
                    CidrError::NotCidr => "a CIDR block such as 10.96.0.0/12",
                    CidrError::TooSmall => "a block of at least 10 addresses",
                    CidrError::TooLarge => "a block of at most 2^20 addresses (20 host bits)",
                    CidrError::TooMany => "one CIDR block, or one of each family",
                    CidrError::SameFamily => "two CIDR blocks of different families",
                };
                write!(f, "expected {expected}, found {}", shown(found))
            }
            Self::BadName { expected, found }
            | Self::BadPath { expected, found }
            | Self::BadText { expected, found } => {
                write!(f, "expected {expected}, found {}", quoted(found))
            }
            Self::BadAddress { found } => write!(f, "expected an IP address, found {}", quoted(found)),
            Self::BadSan { found } => {
                write!(f, "expected an IP address, a lower-case DNS name or *. and one, found {}", quoted(found))
            }
            Self::BadPermittedName { found } => {
                write!(f, "expected a lower-case DNS name, . and one, or a CIDR block, found {}", quoted(found))
            }
            Self::BadEndpoint { found } => {
                write!(f, "expected host, host:port or [IPv6]:port with a lower-case host, found {}", quoted(found))
            }
            Self::BadUrl { found } => {
                write!(f, "expected a URL such as https://10.0.0.21:2379, found {}", quoted(found))
            }
            Self::BadDuration { found, why } => {
                write!(f, "expected a duration such as 8760h or 90d, found {}{}", quoted(found), span_reason(*why))
            }
            Self::BadWindow { found } => {
                write!(f, "expected a percentage from 1% to 99% or a duration such as 30d, found {}", quoted(found))
            }
            Self::BadRelease { found } => write!(f, "expected a release such as v1.36.2, found {}", quoted(found)),
            Self::OutOfRange { from, to, found } => {
                write!(f, "expected a number from {from} to {to}, found {}", shown(found))
            }
            Self::TooMany { limit, found } => write!(f, "expected at most {limit} items, found {found}"),
            Self::Refused(refusal) => write!(f, "{refusal}"),
        }
    }
}

/// An empty text would vanish from a message.
pub fn quoted(text: &str) -> String {
    if text.is_empty() { "an empty text".to_owned() } else { shown(text) }
}

fn span_reason(why: Option<SpanError>) -> String {
    match why {
        None => " (must be more than zero)".to_owned(),
        Some(SpanError::Empty | SpanError::Malformed) => String::new(),
        Some(SpanError::NoUnit) => " (a number without a unit)".to_owned(),
        Some(SpanError::UnknownUnit(unit)) => format!(" (unknown unit {})", shown(&unit.to_string())),
        Some(SpanError::OutOfRange) => " (below zero or more than 1000 years)".to_owned(),
        Some(SpanError::Fraction) => " (finer than a second)".to_owned(),
    }
}
