//! Rust source as tokens: without comments, without the text of literals, and without what is compiled for tests only.

use std::iter::repeat_n;

/// A word, `::`, one punctuation character, or `""` for a string; with its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    pub line: usize,
}

impl Token<'_> {
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of the code that is built for users.
pub fn production(text: &str) -> Vec<Token<'_>> {
    without_tests(&tokens(text))
}

pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (length, token) = match first {
            _ if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), None),
            _ if rest.starts_with("/*") => (block_comment(rest), None),
            '"' => (string(rest), Some("\"\"")),
            'r' | 'b' if literal_prefix(rest).is_some() => (literal_prefix(rest).unwrap(), Some("\"\"")),
            '\'' => (quote(rest), Some("'")),
            _ if rest.starts_with("::") => (2, Some("::")),
            _ if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (end, Some(&rest[..end]))
            }
            _ if first.is_whitespace() => (first.len_utf8(), None),
            _ => (first.len_utf8(), Some(&rest[..first.len_utf8()])),
        };
        found.extend(token.map(|text| Token { text, line }));
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        match &rest[at..] {
            more if more.starts_with("/*") => (depth, at) = (depth + 1, at + 2),
            more if more.starts_with("*/") => (depth, at) = (depth - 1, at + 2),
            "" => return at,
            more => at += more.chars().next().unwrap().len_utf8(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of a quoted string with its escapes.
fn string(rest: &str) -> usize {
    let mut escaped = true;
    for (at, c) in rest.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            '\\' if !escaped => escaped = true,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// The length of `r"..."`, `r#"..."#`, `b"..."`, `br"..."` or `b'x'`.
fn literal_prefix(rest: &str) -> Option<usize> {
    let letters = if rest.starts_with("br") { 2 } else { 1 };
    let body = &rest[letters..];
    if !rest[..letters].contains('r') {
        return match body.chars().next()? {
            '"' => Some(letters + string(body)),
            '\'' => Some(letters + quote(body)),
            _ => None,
        };
    }
    let hashes = body.chars().take_while(|c| *c == '#').count();
    body[hashes..].starts_with('"').then(|| {
        let end: String = std::iter::once('"').chain(repeat_n('#', hashes)).collect();
        let start = hashes + 1;
        letters + body[start..].find(&end).map_or(body.len(), |at| start + at + end.len())
    })
}

/// The length of a character literal, or of the quote of a lifetime.
fn quote(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => rest[3..].find('\'').map_or(rest.len(), |at| 3 + at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// Leaves out every item below `#[cfg(test)]`, and nothing else.
fn without_tests<'a>(all: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < all.len() {
        if is_test_attribute(&all[at..]) {
            at += item(&all[at..]);
        } else {
            kept.push(all[at]);
            at += 1;
        }
    }
    kept
}

fn is_test_attribute(rest: &[Token<'_>]) -> bool {
    let starts = |words: &[&str]| rest.iter().map(|token| token.text).zip(words).filter(|(a, b)| a == *b).count();
    [
        &["#", "[", "cfg", "(", "test", ")", "]"][..],
        &["#", "[", "cfg", "(", "all", "(", "test"],
        &["#", "[", "test", "]"],
    ]
    .iter()
    .any(|words| starts(words) == words.len())
}

/// How many tokens the attributes and the item, field or variant after them take.
fn item(rest: &[Token<'_>]) -> usize {
    let mut at = 0;
    while rest.get(at).is_some_and(|token| token.text == "#") {
        at += group(&rest[at + 1..]) + 1;
    }
    let word = |at: usize| rest.get(at).map_or("", |token| token.text);
    const ITEMS: &[&str] =
        &["fn", "mod", "use", "impl", "struct", "enum", "const", "static", "type", "trait", "unsafe", "async"];
    let after = if word(at) != "pub" {
        at
    } else if word(at + 1) == "(" {
        at + 1 + group(&rest[at + 1..])
    } else {
        at + 1
    };
    let is_item = ITEMS.contains(&word(after));
    let ends_at_semicolon = ["use", "const", "static", "type"].contains(&word(after)) && word(after + 1) != "fn";
    while at < rest.len() {
        match word(at) {
            ";" => return at + 1,
            "," if !is_item => return at + 1,
            "}" | ")" | "]" => return at,
            "{" => {
                at += group(&rest[at..]);
                if !ends_at_semicolon && word(at) != "," {
                    return at;
                }
            }
            "(" | "[" => at += group(&rest[at..]),
            _ => at += 1,
        }
    }
    at
}

/// How many tokens a bracket takes with what is in it.
pub fn group(rest: &[Token<'_>]) -> usize {
    let mut depth = 0;
    for (at, token) in rest.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    rest.len()
}
