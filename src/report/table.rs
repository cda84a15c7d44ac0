//! What texts for people are made of: columns as kubectl draws them, and lines that cannot steer a terminal.

use std::fmt::Display;
use std::io::{self, Write};

use time::OffsetDateTime;

use super::columns::{Layout, left_out};
use super::form::Width;
use crate::clock::{distance, rfc3339};
use crate::files::steers;

/// `1 certificate`, `2 certificates`, `2 entries`, `2 keys`.
pub fn counted(count: usize, noun: &str) -> String {
    // `keys`, and `entries`.
    match (count, noun.strip_suffix('y').filter(|stem| !stem.ends_with('e'))) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

/// A headline and rows.
pub fn table<R: IntoIterator<Item = String>>(
    out: &mut dyn Write,
    width: Width,
    header: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> io::Result<()> {
    table_without(out, width, header, &[], rows)
}

/// The same for a screen that may be too narrow for all columns. `optional`: the titles that it can do without, and the first goes
/// first.
pub fn table_without<R: IntoIterator<Item = String>>(
    out: &mut dyn Write,
    width: Width,
    header: &[&str],
    optional: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> io::Result<()> {
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.into_iter().map(|cell| sanitised(&cell)).collect()).collect();
    let arranged = Layout::new(header, optional, width).arrange(&rows);
    let lines = arranged.header.into_iter().chain(arranged.rows.into_iter().flatten());
    lines.chain(left_out(&arranged.left_out)).try_for_each(|line| writeln!(out, "{line}"))
}

/// One line, whatever is in the text.
pub fn line(out: &mut dyn Write, text: impl Display) -> io::Result<()> {
    writeln!(out, "{}", sanitised(&text.to_string()))
}

/// A blank line and these; nothing where there are none.
pub fn lines(out: &mut dyn Write, prefix: &str, texts: impl IntoIterator<Item = impl Display>) -> io::Result<()> {
    for (i, text) in texts.into_iter().enumerate() {
        if i == 0 {
            writeln!(out)?;
        }
        line(out, format_args!("{prefix}{text}"))?;
    }
    Ok(())
}

/// `2027-01-02T03:04:05Z (in 364d)`.
pub fn end(at: OffsetDateTime, now: OffsetDateTime) -> String {
    format!("{} ({})", rfc3339(at), distance(now, at))
}

/// When something was revoked, and since when it is invalid.
pub fn revoked(since: Option<OffsetDateTime>, invalid_since: Option<OffsetDateTime>) -> String {
    let invalid = invalid_since.map(|at| format!(" (invalid since {})", rfc3339(at)));
    since.map(rfc3339).unwrap_or_default() + &invalid.unwrap_or_default()
}

/// `cluster NAME, in DIR`, or the directory.
pub fn place(cluster: Option<&str>, directory: &str) -> String {
    cluster.map_or_else(|| directory.to_owned(), |cluster| format!("cluster {cluster}, in {directory}"))
}

/// The first of them with commas between, and how many more there are.
pub fn first_of(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

/// Text out of a certificate or a path must not steer a terminal: no control characters, and none that reorder what is read
/// (Unicode bidirectional controls).
pub fn sanitised(text: &str) -> String {
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Nothing in it would be changed by [`sanitised`].
pub fn is_harmless(text: &str) -> bool {
    !text.chars().any(steers)
}
