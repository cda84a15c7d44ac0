//! The last of what a command wrote.

const KEPT: usize = 4096;

#[derive(Default)]
pub struct Tail {
    bytes: Vec<u8>,
    /// Whether bytes before these were dropped.
    cut: bool,
}

impl Tail {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Not for every byte: the rest is moved to the front.
        if self.bytes.len() > 4 * KEPT {
            self.shorten();
        }
    }

    #[cfg(test)]
    pub fn has_line(&self) -> bool {
        self.bytes.contains(&b'\n')
    }

    fn shorten(&mut self) {
        let surplus = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..surplus);
        self.cut |= surplus > 0;
    }

    /// For people: control characters are replaced, and a character that was cut in two is left out.
    pub fn into_text(mut self) -> String {
        self.shorten();
        let halves =
            if self.cut { self.bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count() } else { 0 };
        let text = String::from_utf8_lossy(self.bytes.get(halves..).unwrap_or_default());
        let shown = |c: char| match c {
            '\n' | '\t' => Some(c),
            '\r' => None,
            c if c.is_control() => Some(char::REPLACEMENT_CHARACTER),
            c => Some(c),
        };
        let text: String = text.chars().filter_map(shown).collect();
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        pieces.iter().for_each(|piece| tail.push(piece));
        tail.into_text()
    }

    #[test]
    fn the_end_is_kept_as_text() {
        assert_eq!(text(&[b"a\r\n\tb", b"c \n\n"]), "a\n\tbc");
        assert_eq!(text(&[b"a\xffb\x1b[31m\x00"]), "a\u{fffd}b\u{fffd}[31m\u{fffd}");
        assert_eq!(text(&["ä".as_bytes()]), "ä");
        assert_eq!(text(&[&b"\x80a"[..]]), "\u{fffd}a");
        assert_eq!(text(&[]), "");
        // Cut inside the first character that is left.
        let long = format!("{}{}", "x".repeat(9000), "🦀".repeat(1024)) + "y";
        assert_eq!(text(&[long.as_bytes()]), "🦀".repeat(1023) + "y");
        assert_eq!(text(&vec![&[b'z'; 100][..]; 100_000]), "z".repeat(4096));
    }
}
