//! Text of a server in a message: it must not steer a terminal, and not fill it.

/// No control characters, and none that reorder what is read (Unicode bidirectional controls).
pub fn sanitised(text: &str) -> String {
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

fn steers(c: char) -> bool {
    let reorders = ['\u{061c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'].contains(&c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c);
    c.is_control() || reorders
}

/// At most so many characters of it, on one line.
pub fn bounded(text: &str, most: usize) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.chars().count() {
        count if count <= most => one_line,
        count => format!("{} ... ({count} characters)", one_line.chars().take(most).collect::<String>()),
    }
}

/// As a shell reads it, for a command in a hint.
pub fn shell_path(path: &std::path::Path) -> String {
    let shown = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if shown.chars().all(plain) { shown } else { format!("'{}'", shown.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shortened_and_loses_what_steers() {
        for (text, most, expected) in [
            ("plain", 10, "plain"),
            ("two\n\t lines", 20, "two lines"),
            ("0123456789", 4, "0123 ... (10 characters)"),
            ("äöü", 3, "äöü"),
        ] {
            assert_eq!(bounded(text, most), expected);
        }
        assert_eq!(shell_path("/etc/kpki/token".as_ref()), "/etc/kpki/token");
        assert_eq!(shell_path("/etc/it's".as_ref()), r"'/etc/it'\''s'");
        assert_eq!(sanitised("a\u{7}\u{9b}b\u{202e}c\u{2066}"), "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}");
    }
}
