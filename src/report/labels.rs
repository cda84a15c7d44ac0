//! Prometheus' text format 0.0.4: a family's head, and the labels of its series.

use std::io::{self, Write};

pub fn head(name: &str, help: &str, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n")
}

#[derive(Default)]
pub struct Labels(pub String);

impl Labels {
    pub fn add(&mut self, name: &str, value: &str) {
        let comma = if self.0.is_empty() { "" } else { "," };
        self.0.extend([comma, name, "=\""]);
        self.escaped(value);
        self.0.push('"');
    }

    /// Whose it is; empty where that is not known.
    pub fn place(&mut self, cluster: Option<&str>, node: Option<&str>) {
        self.add("cluster", cluster.unwrap_or_default());
        self.add("node", node.unwrap_or_default());
    }

    /// Label values escape the backslash, the quote and the line's end (Prometheus text format 0.0.4); other control
    /// characters have no business in one.
    fn escaped(&mut self, value: &str) {
        if value.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'\\' && byte != b'"') {
            return self.0.push_str(value);
        }
        for c in value.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                c if c.is_control() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }
}
