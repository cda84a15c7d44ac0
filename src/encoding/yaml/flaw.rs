//! What is wrong with a text before anybody asks what it means.

use saphyr_parser::ScanError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("expected at most {limit} bytes, found {bytes}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("expected UTF-8, found a byte that is none")]
    NotUtf8,
    #[error("expected YAML, found an error: {}", .0.info().chars().take(160).collect::<String>())]
    NotYaml(#[source] ScanError),
    #[error("expected at most {limit} levels of nesting, found more")]
    TooDeep { limit: usize },
    #[error("expected at most {limit} keys and values, found more")]
    TooManyNodes { limit: usize },
    #[error("expected at most {limit} documents, found more")]
    TooManyDocuments { limit: usize },
    #[error("expected plain values, found an anchor (&): profiles take no anchors or aliases")]
    Anchor,
    #[error("expected a value, found an alias (*): profiles take no aliases; write the value out")]
    Alias,
    #[error("expected a key, found a merge key (<<): profiles take none; write the keys out")]
    MergeKey,
    #[error("expected a plain value, found a tag (!): profiles take no tags")]
    Tag,
    #[error("expected a text as key, found a list, a mapping or an alias")]
    KeyNotText,
    #[error("expected each key once, found it again (first on line {first_line})")]
    DuplicateKey { first_line: usize },
    #[error("expected an anchor (&) of this name before its alias (*), found none")]
    UnknownAnchor,
    #[error("expected an alias (*) of what is complete, found one inside what it stands for")]
    AliasInItself,
    #[error("expected at most {limit} {what} with every alias (*) written out, found more")]
    Multiplied { what: &'static str, limit: usize },
    #[error("expected a mapping, or a list of mappings, at a merge key (<<)")]
    NotMergeable,
    #[error("expected base64 behind !!binary")]
    NotBase64,
}
