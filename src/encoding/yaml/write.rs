//! Writing YAML scalars.

use std::fmt::Write as _;

/// Plain where no reader of YAML, 1.1 or 1.2, takes it for anything but text; in double quotes otherwise.
pub fn scalar(text: &str) -> String {
    const WORDS: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan"];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | ':' | '@' | '%' | '-');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    // A number with a letter or a dot-separated address behind it; never one that is all number, time or date.
    let begins_as_number = text.starts_with(|c: char| c.is_ascii_digit())
        && (text.split('.').count() == 4 || text.ends_with(['d', 's', '%']))
        && !text.contains([':', '_'])
        && !text.starts_with("0x");
    let word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    if (begins || begins_as_number) && text.chars().all(plain) && !text.ends_with(':') && !word {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::{Style, Value, read};
    use super::*;

    #[test]
    fn scalars_read_back_as_the_same_text() {
        for text in [
            "kubernetes",
            "system:node:cp1",
            "system:node:cp1@kubernetes",
            "true",
            "No",
            "123",
            "1e3",
            "0x10",
            "12:30",
            "2026-11-20",
            "2026-11-20T22:00:00Z",
            "10.0.0.1",
            "90d",
            "33%",
            "",
            " a",
            "a ",
            "a: b",
            "a #b",
            "- a",
            "*.example.com",
            "&a",
            "!a",
            "\u{1b}[31m",
            "ä",
            "a\"b\\c",
            "null",
            "~",
            "fd00::1",
            "::1",
        ] {
            let document = format!("k: {}\nl: [{}]\n", scalar(text), scalar(text));
            let stream = read(document.as_bytes());
            assert_eq!(stream.faults, [], "{document}");
            let Value::Mapping(entries) = &stream.documents[0].value else { panic!("{document}") };
            let Value::Scalar { text: found, style } = &entries[0].node.value else { panic!("{document}") };
            assert_eq!(found.as_str(), text);
            let risky = ["true", "No", "123", "1e3", "0x10", "12:30", "2026-11-20", "null"].contains(&text);
            assert!(!risky || *style == Style::Quoted, "{document}");
        }
    }
}
