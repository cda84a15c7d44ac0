//! What is wrong with a text before anybody asks what it means.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("expected at most {limit} bytes, found {bytes}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("expected UTF-8, found a byte that is none")]
    NotUtf8,
    /// What stands there, in words of [`words`].
    #[error("expected YAML, found {0}")]
    NotYaml(&'static str),
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

/// What the parser stumbles over, in words; the first one whose part is in the parser's own sentence.
const WORDS: &[(&str, &str)] = &[
    ("found unexpected end of stream", "a quoted text that is not closed"),
    ("unexpected document indicator", "--- or ... in a quoted text"),
    ("hexadecimal number", "a broken escape in a quoted text"),
    ("escape", "an unknown escape in a quoted text"),
    ("trailing content after double-quoted", "more behind a closing quote"),
    ("mapping values are not allowed", "a colon where none can stand; a text with a colon and a space needs quotes"),
    ("':' indicator", "a colon where none can stand"),
    ("mapping keys are not allowed", "a key where none can stand"),
    ("simple key", "a key without its colon"),
    ("block sequence entries", "a list item (-) where none can stand"),
    ("cannot start with '-'", "a text that begins with - and needs quotes"),
    ("document end marker", "more behind the end of the document (...)"),
    ("byte order mark", "a byte order mark in the middle"),
    ("unprintable", "a control character"),
    ("tab", "a tab where YAML takes spaces only"),
    ("indent", "a line that is indented otherwise than those before it"),
    ("bracket", "a bracket without its partner"),
    ("next token", "a list or mapping in brackets that is not closed"),
    ("tag", "a malformed tag (!)"),
    ("TAG", "a malformed tag (!)"),
    ("directive", "a malformed directive (%)"),
    ("anchor or alias", "a malformed anchor (&) or alias (*)"),
    ("block scalar", "a malformed block text (| or >)"),
    ("comment", "a comment in the middle of a text"),
    ("end of plain scalar", "a text that ends too early"),
    ("unexpected character", "a character that no text begins with; it needs quotes"),
];

pub fn words(said: &str) -> &'static str {
    WORDS.iter().find(|(part, _)| said.contains(part)).map_or("something that is none", |(_, words)| words)
}
