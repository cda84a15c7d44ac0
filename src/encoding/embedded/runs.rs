//! Texts without white space inside a text: what may be base64 or a token, and the key before it.

use zeroize::Zeroizing;

/// A certificate or token in base64 is longer.
pub const SHORTEST: usize = 40;
/// How far before a run its key is looked for.
const KEY: usize = 200;

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

const fn is_run(byte: u8) -> bool {
    is_base64(byte) || matches!(byte, b'-' | b'_' | b'.')
}

/// Where a run of such bytes from a place on ends, with the padding behind it.
fn end(text: &[u8], from: usize, fits: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| fits(**byte)).count();
    let padding = rest.get(length..).unwrap_or_default().iter().take_while(|byte| **byte == b'=').count();
    from + length + padding
}

/// The next run that is long enough, from a place on: where it begins and ends.
pub fn next(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let start = at + rest.iter().position(|byte| is_run(*byte))?;
        let end = end(text, start, is_run);
        if end - start >= SHORTEST {
            return Some((start, end));
        }
        at = end;
    }
}

/// The base64 of a run that begins here, with the lines that continue it, and where it ends: YAML folds long values, and some
/// programs break lines. `None`: the run is one line.
pub fn folded(text: &[u8], start: usize, first_end: usize) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    next_line(text, first_end)?;
    let mut joined: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::new());
    let mut last = start..first_end;
    loop {
        let line = text.get(last.clone())?;
        if !line.iter().all(|byte| is_base64(*byte) || *byte == b'=') {
            break;
        }
        joined.extend_from_slice(line);
        if line.ends_with(b"=") {
            break;
        }
        let Some(begin) = next_line(text, last.end) else { break };
        let until = end(text, begin, is_base64);
        // A key of the next line is none of it.
        if until == begin || !ends_line(text.get(until..).unwrap_or_default()) {
            break;
        }
        last = begin..until;
    }
    (last.end > first_end).then_some((joined, last.end))
}

/// Behind one line break, plain or escaped, and the indentation after it.
fn next_line(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let plain = rest.iter().take_while(|byte| breaks(byte)).count();
    let broken = if plain > 0 { plain } else { escaped(rest)? };
    let indent = rest.get(broken..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    Some(from + broken + indent)
}

/// The length of a `\n` or `\r\n` inside JSON.
fn escaped(text: &[u8]) -> Option<usize> {
    let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
    let letter = text.get(slashes).filter(|_| slashes > 0)?;
    match letter {
        b'n' => Some(slashes + 1),
        b'r' => Some(slashes + 1 + escaped(text.get(slashes + 1..)?).unwrap_or(0)),
        _ => None,
    }
}

fn ends_line(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b'\r' | b'\n' | b'"' | b'\'' | b'\\'))
}

/// The key a value that follows this text has in YAML, JSON or a shell: the word before the colon or equals sign.
pub fn key(before: &[u8]) -> Option<String> {
    let text = before.get(before.len().saturating_sub(KEY)..)?;
    let back = |text: &[u8], passed: &[u8]| {
        let length = text.iter().rev().take_while(|byte| passed.contains(byte)).count();
        text.len() - length
    };
    let value = text.get(..back(text, b" \t\r\n\"'\\|>-+"))?;
    let name = value.strip_suffix(b":").or_else(|| value.strip_suffix(b"="))?;
    let name = name.get(..back(name, b" \t\"'\\"))?;
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    let length = name.iter().rev().take_while(|byte| is_word(byte)).count();
    let word = std::str::from_utf8(name.get(name.len() - length..)?).ok()?;
    let word = word.trim_start_matches('-');
    (!word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_before_a_value_is_found_in_every_syntax() {
        for (before, expected) in [
            ("clusters:\n- cluster:\n    certificate-authority-data: ", Some("certificate-authority-data")),
            ("    token: \"", Some("token")),
            ("{\\\"ca.crt\\\":\\\"", Some("ca.crt")),
            ("{\"ca.crt\": \"", Some("ca.crt")),
            ("a: >-\n      ", Some("a")),
            ("export TOKEN=", Some("TOKEN")),
            ("kubectl --token=", Some("token")),
            ("Bearer ", None),
            ("# a comment\n", None),
            ("", None),
        ] {
            assert_eq!(key(before.as_bytes()).as_deref(), expected, "{before:?}");
        }
    }
}
