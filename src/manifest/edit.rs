//! One flag of a static pod's manifest gets another value, and every other byte stays: order, comments, quotes.

use std::ops::Range;

use super::flags::{Flags, arguments, scalar, value};
use crate::encoding::yaml::{self, Node};

/// Why it is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEdited {
    #[error("expected YAML without anchors, aliases and tags")]
    Unreadable,
    #[error("expected each flag as an argument of its own, found it in a longer text")]
    InText,
    #[error("expected the path as it stands in the argument, without escapes")]
    Escaped,
}

/// Every value of these flags (without their dashes) that `is_old` becomes `new`.
///
/// # Errors
/// It cannot be done exactly; nothing else may change.
pub fn replace_values(
    manifest: &[u8],
    flags: &[&str],
    is_old: impl Fn(&str) -> bool,
    new: &str,
) -> Result<Vec<u8>, NotEdited> {
    let stream = yaml::read(manifest);
    let before = Flags::read(manifest).ok_or(NotEdited::Unreadable)?;
    let all: Vec<&Node> = arguments(&stream).collect();
    let mut places: Vec<Range<usize>> = Vec::new();
    for (at, node) in all.iter().enumerate() {
        let Some(word) = scalar(node) else { continue };
        let next = all.get(at + 1).and_then(|node| Some((*node, scalar(node)?)));
        let Some((name, path)) = value(word, next.map(|(_, text)| text)) else { continue };
        if !flags.contains(&name.as_str()) || !is_old(&path) {
            continue;
        }
        let holder = match next {
            Some((next, text)) if !word.contains('=') && text == path => next,
            _ => *node,
        };
        places.push(within(manifest, holder, &path)?);
    }
    let mut edited = manifest.to_vec();
    for place in places.into_iter().rev() {
        edited.splice(place, new.bytes());
    }
    let after = Flags::read(&edited).ok_or(NotEdited::Unreadable)?;
    let wanted = |(name, path): (&str, &str)| match flags.contains(&name) && is_old(path) {
        true => (name.to_owned(), new.to_owned()),
        false => (name.to_owned(), path.to_owned()),
    };
    let is_exact = before.iter().map(wanted).eq(after.iter().map(|(name, path)| (name.to_owned(), path.to_owned())));
    if is_exact { Ok(edited) } else { Err(NotEdited::InText) }
}

/// Where the path is in the bytes of the argument that ends with it.
fn within(manifest: &[u8], node: &Node, path: &str) -> Result<Range<usize>, NotEdited> {
    let (raw, text) = (manifest.get(node.range.clone()).unwrap_or_default(), scalar(node).unwrap_or_default());
    let quotes = usize::from(raw.len() == text.len() + 2 && raw.first().is_some_and(|first| b"\"'".contains(first)));
    let inner = raw.get(quotes..raw.len().saturating_sub(quotes)).unwrap_or_default();
    if inner != text.as_bytes() {
        return Err(NotEdited::Escaped);
    }
    let end = node.range.end - quotes;
    match text.ends_with(path) {
        true => Ok(end - path.len()..end),
        false => Err(NotEdited::InText),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "# mine\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command:\n    - kcm   # the program\n    - --bind-address=127.0.0.1\nARGS    - --use-service-account-credentials=true\n    name: kcm\n    args: [\"--x=1\"]\n";

    #[test]
    fn the_value_alone_changes() {
        for (before, after) in [
            ("    - --sign=/p/ca.crt\n", "    - --sign=/p/new.crt\n"),
            ("    - --sign=/p/ca.crt # why\n", "    - --sign=/p/new.crt # why\n"),
            ("    - \"--sign=/p/ca.crt\"\n", "    - \"--sign=/p/new.crt\"\n"),
            ("    - '--sign=/p/ca.crt'\n", "    - '--sign=/p/new.crt'\n"),
            ("    - --sign\n    - /p/ca.crt\n", "    - --sign\n    - /p/new.crt\n"),
            ("    - --sign\n    - '/p/ca.crt'\n", "    - --sign\n    - '/p/new.crt'\n"),
            ("    - --sign=/p/ca.crt\n    - --sign=/p/ca.crt\n", "    - --sign=/p/new.crt\n    - --sign=/p/new.crt\n"),
            ("    - --sign=/p/ca.crt\n    - --root=/p/ca.crt\n", "    - --sign=/p/new.crt\n    - --root=/p/ca.crt\n"),
            ("    - --one=/p/ca.crt\n    - --sign=/other\n", "    - --one=/p/new.crt\n    - --sign=/other\n"),
            ("    - -sign=/p/ca.crt\r\n", "    - -sign=/p/new.crt\r\n"),
        ] {
            let pod = POD.replace("ARGS", before);
            let edited = replace_values(pod.as_bytes(), &["sign", "one"], |path| path == "/p/ca.crt", "/p/new.crt");
            let edited = edited.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(edited, Ok(POD.replace("ARGS", after)), "{before}");
        }
    }

    #[test]
    fn what_cannot_be_done_exactly_is_not_done() {
        for (before, why) in [
            ("    - sh\n    - -c\n    - exec kcm --sign=/p/ca.crt --v=2\n", NotEdited::InText),
            ("    - \"--sign=/p\\u002fca.crt\"\n", NotEdited::Escaped),
            ("    - &a --sign=/p/ca.crt\n", NotEdited::Unreadable),
            ("    - |\n      kcm --sign=/p/ca.crt\n", NotEdited::InText),
        ] {
            let pod = POD.replace("ARGS", before);
            let edited = replace_values(pod.as_bytes(), &["sign"], |path| path == "/p/ca.crt", "/p/new.crt");
            assert_eq!(edited, Err(why), "{before}");
        }
    }
}
