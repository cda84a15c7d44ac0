//! Lines for a screen: broken at blanks, never inside a word, and never inside a command, which has to be pasted.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// What a command that kpki prints begins with.
const PROGRAMS: [&str; 24] = [
    "age",
    "cat",
    "chmod",
    "chown",
    "cp",
    "curl",
    "crictl",
    "docker",
    "etcdctl",
    "kpki",
    "kubeadm",
    "kubectl",
    "mkdir",
    "mv",
    "openssl",
    "rm",
    "scp",
    "sha256sum",
    "ssh",
    "sudo",
    "systemctl",
    "tar",
    "test",
    "timedatectl",
];

/// How many columns of a terminal a text takes: a wide character two, a combining one none.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A line as lines of at most `most` columns. What may not be broken and is longer stands alone.
pub fn fold(line: &str, most: usize) -> Vec<String> {
    if columns(line) <= most {
        return vec![line.to_owned()];
    }
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    if is_program(text.split(' ').next().unwrap_or_default()) {
        return vec![line.to_owned()];
    }
    let pieces = pieces(text);
    let further = hanging(text, indent, most);
    let (mut lines, mut current, mut is_begun) = (Vec::new(), " ".repeat(indent), false);
    for piece in pieces {
        let gap = piece.len() - piece.trim_start_matches(' ').len();
        if is_begun && columns(&current) + columns(piece) > most {
            lines.push(std::mem::replace(&mut current, " ".repeat(further)));
            is_begun = false;
        }
        current.push_str(if is_begun { piece } else { piece.get(gap..).unwrap_or_default() });
        is_begun = true;
    }
    lines.push(current);
    lines
}

/// A text as lines that all begin in one column.
pub fn paragraph(text: &str, indent: usize, most: usize) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    filled(&pieces(&text), indent, most)
}

/// The same for a text without commands, whatever word follows a colon.
pub fn prose(text: &str, indent: usize, most: usize) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    filled(&text.split_inclusive(' ').collect::<Vec<_>>(), indent, most)
}

fn filled(pieces: &[&str], indent: usize, most: usize) -> Vec<String> {
    let room = most.saturating_sub(indent).max(1);
    let (mut lines, mut current) = (Vec::new(), String::new());
    for piece in pieces {
        if !current.is_empty() && columns(&current) + columns(piece.trim_end()) > room {
            lines.push(format!("{:indent$}{}", "", std::mem::take(&mut current).trim_end()));
        }
        current.push_str(if current.is_empty() { piece.trim_start() } else { piece });
    }
    lines.push(format!("{:indent$}{}", "", current.trim_end()));
    lines
}

/// The widest of the parts that [`paragraph`] does not break.
pub fn longest_piece(text: &str) -> usize {
    pieces(text).iter().map(|piece| columns(piece.trim_start_matches(' '))).max().unwrap_or(0)
}

fn is_program(word: &str) -> bool {
    PROGRAMS.contains(&word)
}

/// Where a command ends: behind the first `;` with a blank behind it that is in no quotes, else where the text does. An apostrophe
/// alone is no quote.
fn command_end(text: &str) -> usize {
    let mut quote = None;
    for (at, one) in text.char_indices() {
        match (one, quote) {
            ('\'' | '"', None) => quote = Some(one),
            (_, Some(open)) if one == open => quote = None,
            (';', None) if text.get(at..).is_some_and(|rest| rest.starts_with("; ")) => return at + 1,
            _ => {}
        }
    }
    quote.and_then(|_| text.find("; ")).map_or(text.len(), |at| at + 1)
}

/// What stays together, each with the blanks before it: a word, a command up to its end, `(in 364d)` and `->` with what is before.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
        let gap = rest.len() - rest.trim_start_matches(' ').len();
        let word_end =
            |from: usize| rest.get(from..).and_then(|rest| rest.find(' ')).map_or(rest.len(), |at| from + at);
        let mut end = word_end(gap);
        let word = rest.get(gap..end).unwrap_or_default();
        let before = text.get(..from).unwrap_or_default();
        if is_program(word) && (before.is_empty() || before.ends_with([':', ';', '|'])) {
            end = command_end(rest);
        } else if word.strip_prefix('(').is_some_and(is_program) {
            end = rest.find(')').map_or(rest.len(), &word_end);
        } else if let Some(more) = rest.get(end..).filter(|more| more.starts_with(" (in ")) {
            end = more.find(')').map_or(end, |at| word_end(end + at));
        }
        if rest.get(end..).is_some_and(|more| more.starts_with(" -> ")) {
            end += 3;
        }
        pieces.push(rest.get(..end).unwrap_or(rest));
        from += end;
    }
    pieces
}

/// Where further lines begin: below the value of a `label:   value`, if all of it has room there, otherwise two columns in.
fn hanging(text: &str, indent: usize, most: usize) -> usize {
    let value = text.find("  ").and_then(|at| text.get(at..)).map_or("", |rest| rest.trim_start_matches(' '));
    let below = indent + columns(text.strip_suffix(value).unwrap_or_default());
    if !value.is_empty() && below + longest_piece(value) <= most { below } else { indent + 2 }
}

/// Writes whole lines on, folded; what does not end with a line end is kept until it does, or until the end.
#[allow(missing_debug_implementations)] // a stream
pub struct Folding<'a> {
    out: &'a mut dyn Write,
    most: usize,
    kept: Vec<u8>,
}

impl<'a> Folding<'a> {
    pub fn new(out: &'a mut dyn Write, most: u16) -> Self {
        Self { out, most: most.into(), kept: Vec::new() }
    }

    /// Also writes what has no line end.
    pub fn finish(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.kept);
        self.out.write_all(&rest)
    }
}

impl Write for Folding<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.kept.extend_from_slice(bytes);
        let Some(end) = self.kept.iter().rposition(|byte| *byte == b'\n') else { return Ok(bytes.len()) };
        let rest = self.kept.split_off(end + 1);
        let whole = std::mem::replace(&mut self.kept, rest);
        for line in String::from_utf8_lossy(&whole).lines() {
            for line in fold(line, self.most) {
                writeln!(self.out, "{line}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A text of several lines for a screen; as it is where there is none.
pub fn folded(text: &str, width: Option<u16>) -> String {
    let Some(most) = width else { return text.to_owned() };
    text.split('\n').map(|line| fold(line, most.into()).join("\n")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
