//! A program that signs or issues, as a profile states it.

use super::fields::{Field, Fields, Reading};
use super::problem::Mismatch;
use super::values;

/// So many signatures at once are enough for any server.
pub const MOST_PARALLEL: u64 = 64;

/// A program has to be named.
pub fn finish(section: &Fields<'_>, key: &str, fields: &Fields<'_>, has_command: bool, reading: &mut Reading) {
    let command = section.join("command");
    if reading.has(&fields.join(key)) && !has_command && reading.is_clean() {
        reading.missing(&command, "a program and its arguments, as a list");
    }
}

/// A program, by its absolute path or a name that PATH is searched for, and its arguments.
pub fn command(field: &Field<'_>, reading: &mut Reading) -> Option<Vec<String>> {
    let words = field.values(reading, values::word)?;
    let first = words.first().map_or("", String::as_str);
    let is_name = !first.is_empty() && !first.contains('/');
    match first {
        "" if field.is_empty_list() => reading.missing(&field.path, "a program and its arguments, as a list"),
        _ if is_name || (first.starts_with('/') && !first.ends_with('/')) => return Some(words),
        _ => {
            let why = Mismatch::value("the absolute path of a program, or its name", first);
            reading.problem(&format!("{}[0]", field.path), why);
        }
    }
    None
}
