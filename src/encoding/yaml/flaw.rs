//! What is wrong with a text before anybody asks what it means.

use std::fmt;

use saphyr_parser::ScanError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    TooLarge { bytes: usize, limit: usize },
    NotUtf8,
    NotYaml(ScanError),
    TooDeep { limit: usize },
    TooManyNodes { limit: usize },
    TooManyDocuments { limit: usize },
    Anchor,
    Alias,
    MergeKey,
    Tag,
    KeyNotText,
    DuplicateKey { first_line: usize },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "expected at most {limit} bytes, found {bytes}"),
            Self::NotUtf8 => f.write_str("expected UTF-8, found a byte that is none"),
            Self::NotYaml(error) => {
                write!(f, "expected YAML, found an error: {}", error.info().chars().take(160).collect::<String>())
            }
            Self::TooDeep { limit } => write!(f, "expected at most {limit} levels of nesting, found more"),
            Self::TooManyNodes { limit } => write!(f, "expected at most {limit} keys and values, found more"),
            Self::TooManyDocuments { limit } => write!(f, "expected at most {limit} documents, found more"),
            Self::Anchor => {
                f.write_str("expected plain values, found an anchor (&): profiles take no anchors or aliases")
            }
            Self::Alias => {
                f.write_str("expected a value, found an alias (*): profiles take no aliases; write the value out")
            }
            Self::MergeKey => {
                f.write_str("expected a key, found a merge key (<<): profiles take none; write the keys out")
            }
            Self::Tag => f.write_str("expected a plain value, found a tag (!): profiles take no tags"),
            Self::KeyNotText => f.write_str("expected a text as key, found a list, a mapping or an alias"),
            Self::DuplicateKey { first_line } => {
                write!(f, "expected each key once, found it again (first on line {first_line})")
            }
        }
    }
}

impl std::error::Error for Flaw {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotYaml(error) => Some(error),
            _ => None,
        }
    }
}
