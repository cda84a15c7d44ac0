//! Text in XML 1.0, and in HTML that is well-formed XML.

use std::fmt::{self, Display, Write};

use crate::report::is_harmless;

/// A text escaped. A character that XML cannot have (section 2.2) or that steers a terminal is shown as its code, as in
/// `\u{1b}`: there is no reference that could stand for it.
pub struct Xml<'a> {
    text: &'a str,
    in_attribute: bool,
}

impl<'a> Xml<'a> {
    /// Between double quotes, where a line end would be read as a space.
    pub const fn attribute(text: &'a str) -> Self {
        Self { text, in_attribute: true }
    }

    pub const fn content(text: &'a str) -> Self {
        Self { text, in_attribute: false }
    }
}

impl Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                // `]]>` may not stand in content.
                '>' => f.write_str("&gt;")?,
                '"' if self.in_attribute => f.write_str("&quot;")?,
                '\n' | '\t' if self.in_attribute => write!(f, "&#{};", u32::from(c))?,
                '\n' | '\t' => f.write_char(c)?,
                '\u{fffe}' | '\u{ffff}' => write!(f, "{}", c.escape_unicode())?,
                _ if !is_harmless(c.encode_utf8(&mut [0; 4])) => write!(f, "{}", c.escape_unicode())?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_well_formed_xml() {
        for (text, in_attribute, in_content) in [
            ("a b é €", "a b é €", "a b é €"),
            ("<a b=\"x\">&amp;]]>", "&lt;a b=&quot;x&quot;&gt;&amp;amp;]]&gt;", "&lt;a b=\"x\"&gt;&amp;amp;]]&gt;"),
            ("1\n2\t3\r4", "1&#10;2&#9;3\\u{d}4", "1\n2\t3\\u{d}4"),
            ("\u{0}\u{1b}[31m\u{85}", "\\u{0}\\u{1b}[31m\\u{85}", "\\u{0}\\u{1b}[31m\\u{85}"),
            ("\u{202e}\u{fffe}\u{fffd}", "\\u{202e}\\u{fffe}\u{fffd}", "\\u{202e}\\u{fffe}\u{fffd}"),
        ] {
            assert_eq!(Xml::attribute(text).to_string(), in_attribute);
            assert_eq!(Xml::content(text).to_string(), in_content);
        }
        // Whatever characters there are, a parser reads the document, and the same text at both places.
        let all: String = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        let document = format!("<a b=\"{}\">{}</a>", Xml::attribute(&all), Xml::content(&all));
        let read = roxmltree::Document::parse(&document).unwrap();
        assert_eq!(read.root_element().attribute("b"), read.root_element().text());
    }
}
