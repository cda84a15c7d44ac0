//! Mounts, roles and names of keys: parts of a path, which they must not leave.

use crate::error::Error;

/// One or more segments, without slashes at the ends.
pub fn segments(option: &str, text: &str) -> Result<String, Error> {
    let path = text.trim_matches('/');
    let fits = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
    };
    if path.split('/').all(fits) {
        return Ok(path.to_owned());
    }
    Err(Error::usage(format!("{option}: expected names of letters, digits and -_.~ with a slash between them")))
}

/// Exactly one.
pub fn name(option: &str, text: &str) -> Result<String, Error> {
    if text.contains('/') {
        return Err(Error::usage(format!("{option}: expected one name, found a slash in it")));
    }
    segments(option, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_leave_its_place() {
        for (text, path, one) in [
            ("pki", Some("pki"), true),
            ("team/pki-int/", Some("team/pki-int"), false),
            ("/pki", Some("pki"), false),
            ("a.b_c~1", Some("a.b_c~1"), true),
            ("", None, false),
            ("..", None, false),
            ("pki/../sys", None, false),
            ("pki//x", None, false),
            ("pki?x", None, false),
            ("pki%2f", None, false),
            ("pki x", None, false),
        ] {
            assert_eq!(segments("--mount", text).ok().as_deref(), path, "{text}");
            assert_eq!(name("--key", text).is_ok(), one, "{text}");
        }
    }
}
