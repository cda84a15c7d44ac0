//! Words in commands that a person is told to run.

use std::fmt::Write;
use std::path::Path;

/// A word a shell reads as one.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if word.chars().any(steers) {
        return printed(word);
    }
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A path as a word: one that begins with a dash is no option.
pub fn shell_path(path: impl AsRef<Path>) -> String {
    let path = path.as_ref().display().to_string();
    if path.starts_with('-') { shell_word(&format!("./{path}")) } else { shell_word(&path) }
}

/// Control characters, and those that reorder what is read (Unicode bidirectional controls).
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a terminal must not be given is written in octal.
fn printed(word: &str) -> String {
    let mut format = String::new();
    for c in word.chars() {
        match c {
            '%' => format.push_str("%%"),
            '\\' => format.push_str("\\\\"),
            '\'' => format.push_str("'\\''"),
            c if steers(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string cannot fail.
                    let _ = write!(format, "\\{byte:03o}");
                }
            }
            c => format.push(c),
        }
    }
    format!("\"$(printf '{format}')\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_of_a_shell() {
        for (word, quoted) in [
            ("k8s/pki", "k8s/pki"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$(id)", "'$(id)'"),
            ("ü", "'ü'"),
            ("~", "'~'"),
            ("a\nb%'\\", "\"$(printf 'a\\012b%%'\\''\\\\')\""),
            ("a\u{202e}b", "\"$(printf 'a\\342\\200\\256b')\""),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
        for (path, quoted) in [("-x/a b", "'./-x/a b'"), ("-x", "./-x"), ("x/-y", "x/-y")] {
            assert_eq!(shell_path(path), quoted);
        }
    }
}
