//! Where a scalar's bytes are.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

/// The parser counts characters, a file is edited by bytes. Scalars come in the order of the text, so that it is walked once.
pub struct Offsets<'t> {
    text: &'t str,
    /// The length of the byte order mark that was taken off.
    before: usize,
    characters: usize,
    bytes: usize,
}

impl<'t> Offsets<'t> {
    pub fn new(text: &'t str, before: usize) -> Self {
        Self { text, before, characters: 0, bytes: 0 }
    }

    pub fn range(&mut self, characters: Range<usize>, style: ScalarStyle) -> Range<usize> {
        let start = self.at(characters.start);
        let end = self.at(characters.end);
        let text = self.text.get(start..end).unwrap_or_default();
        let quoted = match style {
            ScalarStyle::SingleQuoted => quoted_length(text, b'\''),
            ScalarStyle::DoubleQuoted => quoted_length(text, b'"'),
            _ => None,
        };
        let start = self.before + start + (text.len() - text.trim_start().len());
        start..start + quoted.unwrap_or(text.trim().len())
    }

    fn at(&mut self, character: usize) -> usize {
        let (passed, rest) = self.text.split_at_checked(self.bytes).unwrap_or_default();
        self.bytes = match character.checked_sub(self.characters) {
            Some(ahead) => self.bytes + rest.char_indices().nth(ahead).map_or(rest.len(), |(offset, _)| offset),
            // A value that was left out stands where its key ended.
            None => passed.char_indices().nth_back(self.characters - character - 1).map_or(0, |(offset, _)| offset),
        };
        self.characters = character;
        self.bytes
    }
}

/// The length of the quoted scalar a text begins with: for the parser, a comment behind it is part of it.
fn quoted_length(text: &str, quote: u8) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        let doubled = quote == b'\'' && byte == quote && bytes.peek().is_some_and(|(_, next)| *next == quote);
        let escapes = quote == b'"' && byte == b'\\';
        if doubled || escapes {
            bytes.next();
        } else if byte == quote {
            return Some(at + 1);
        }
    }
    None
}
