//! A subject as people write it, and what is not a subject. Pure.

use crate::blueprint::{ATTRIBUTE_NAMES, Attribute, Name, Oid, TAG_PRINTABLE_STRING, TAG_UTF8_STRING};
use crate::profile;

/// Why a text is not a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    #[error("expected TYPE=VALUE, found {0:?}")]
    NoType(String),
    #[error("expected CN, O, OU, C, L or ST, found {0:?}")]
    UnknownType(String),
    #[error(
        "expected {} in {kind}, found {value:?}",
        if .kind.eq_ignore_ascii_case("C") { "two upper-case letters" } else { "1 to 64 printable characters" }
    )]
    BadValue { kind: String, value: String },
}

/// A subject as people write it: `O=system:nodes,CN=system:node:cp1`, in the order of the encoding; `\,` is a comma. Values
/// of one type that follow each other are one part, as kubeadm writes groups.
pub fn parse(text: &str) -> Result<Name, SubjectError> {
    let mut parts: Vec<(Oid, Vec<String>)> = Vec::new();
    for part in split(text) {
        let (kind, value) = part.split_once('=').ok_or_else(|| SubjectError::NoType(part.clone()))?;
        let (kind, value) = (kind.trim(), value.trim());
        let known = ATTRIBUTE_NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(kind));
        let oid = known.map(|(oid, _)| Oid::new(*oid)).ok_or_else(|| SubjectError::UnknownType(kind.to_owned()))?;
        let value = match oid == Oid::COUNTRY {
            true => profile::country(value),
            false => profile::name_text(64, "a text of 1 to 64 characters")(value),
        }
        .map_err(|_| SubjectError::BadValue { kind: kind.to_owned(), value: value.to_owned() })?;
        match parts.last_mut() {
            Some((last, values)) if *last == oid => values.push(value),
            _ => parts.push((oid, vec![value])),
        }
    }
    Ok(parts.iter().fold(Name::default(), |name, (oid, values)| {
        name.with(oid, &values.iter().map(String::as_str).collect::<Vec<_>>())
    }))
}

/// The text that [`parse`] reads this name from; `None`: there is none.
pub fn text(name: &Name) -> Option<String> {
    let part = |attribute: &Attribute| {
        let (_, kind) = ATTRIBUTE_NAMES.iter().find(|(oid, _)| *oid == attribute.oid.0)?;
        Some(format!("{kind}={}", attribute.text().replace('\\', "\\\\").replace(',', "\\,")))
    };
    let parts: Vec<String> = name.0.iter().flatten().map(part).collect::<Option<_>>()?;
    let text = parts.join(",");
    parse(&text).is_ok().then_some(text)
}

fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match (c, escaped, parts.last_mut()) {
            ('\\', false, _) => escaped = true,
            (',', false, _) => parts.push(String::new()),
            (c, _, Some(part)) => {
                part.push(c);
                escaped = false;
            }
            _ => {}
        }
    }
    parts
}

/// The string types that new names are written in, and IA5String, which RFC 5280 section 4.1.2.6 has for two types.
const STRINGS: [u8; 2] = [TAG_UTF8_STRING, TAG_PRINTABLE_STRING];
const IA5_STRING: u8 = 0x16;
const OF_IA5: [&str; 2] = ["0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1"];

/// The upper bounds of RFC 5280 appendix A.1, in characters; other types: that of an address.
const BOUNDS: [(&str, usize); 6] =
    [("2.5.4.3", 64), ("2.5.4.10", 64), ("2.5.4.11", 64), ("2.5.4.5", 64), ("2.5.4.7", 128), ("2.5.4.8", 128)];
const LONGEST_VALUE: usize = 255;

/// A value that RFC 5280 does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Its type.
    pub kind: String,
    pub value: String,
    pub expected: String,
}

/// What keeps a subject from being taken over from a request.
pub fn flaws(subject: &Name) -> Vec<Flaw> {
    subject.0.iter().flatten().filter_map(flaw).collect()
}

fn flaw(attribute: &Attribute) -> Option<Flaw> {
    let (oid, text) = (attribute.oid.0.as_ref(), attribute.text());
    let bound = BOUNDS.iter().find(|(known, _)| *known == oid).map_or(LONGEST_VALUE, |(_, bound)| *bound);
    let is_string = STRINGS.contains(&attribute.tag) || (attribute.tag == IA5_STRING && OF_IA5.contains(&oid));
    let expected = if !is_string || std::str::from_utf8(&attribute.value).is_err() {
        "a UTF8String or PrintableString".to_owned()
    } else if attribute.oid == Oid::COUNTRY {
        profile::country(&text).err()?;
        "a country of two upper-case letters".to_owned()
    } else if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        "a text without control characters, and without spaces at its ends".to_owned()
    } else if text.chars().count() > bound {
        format!("at most {bound} characters")
    } else {
        return None;
    };
    let name = ATTRIBUTE_NAMES.iter().find(|(known, _)| *known == oid).map_or(oid, |(_, name)| *name);
    Some(Flaw { kind: name.to_owned(), value: text.into_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_as_people_write_them() {
        assert_eq!(parse("O=b,O=a,CN=x"), Ok(Name::of("x", &["a", "b"])));
        assert_eq!(parse("cn=a\\,b").unwrap().to_string(), "CN=a,b");
        let name = Name::default().with(&Oid::COMMON_NAME, &["a\\"]).with(&Oid::ORGANIZATION, &["b"]);
        assert_eq!(parse("CN=a\\\\,O=b"), Ok(name));
        for wrong in ["", "CN", "X=1", "CN=", "CN= ", "CN=a\0b", "CN=a,,", "C=xx", "C=DEU"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_subject_is_written_as_it_is_read() {
        for written in ["O=a,O=b,CN=x", "CN=a\\,b\\\\c", "C=DE,CN=x y"] {
            assert_eq!(text(&parse(written).unwrap()).as_deref(), Some(written));
        }
        let unknown = Name::default().with(&Oid::new("1.2.3"), &["x"]);
        assert_eq!((text(&unknown), text(&Name::default())), (None, None));
    }

    #[test]
    fn values_that_rfc_5280_does_not_allow() {
        let one = |oid: &str, tag, value: &str| {
            flaws(&Name(vec![vec![Attribute { oid: Oid::new(oid.to_owned()), tag, value: value.into() }]]))
        };
        let (cn, o, c, mail) = ("2.5.4.3", "2.5.4.10", "2.5.4.6", "1.2.840.113549.1.9.1");
        for (oid, tag, value, is_good) in [
            (cn, TAG_UTF8_STRING, "x", true),
            (cn, TAG_UTF8_STRING, "\u{e4}".repeat(64).as_str(), true),
            (cn, TAG_UTF8_STRING, "x".repeat(65).as_str(), false),
            (cn, TAG_UTF8_STRING, "x".repeat(300).as_str(), false),
            (o, TAG_PRINTABLE_STRING, "x".repeat(65).as_str(), false),
            ("2.5.4.7", TAG_UTF8_STRING, "x".repeat(128).as_str(), true),
            ("2.5.4.7", TAG_UTF8_STRING, "x".repeat(129).as_str(), false),
            (cn, TAG_UTF8_STRING, "", false),
            (cn, TAG_UTF8_STRING, " ", false),
            (cn, TAG_UTF8_STRING, "admin ", false),
            (cn, TAG_UTF8_STRING, "a\0b", false),
            (c, TAG_PRINTABLE_STRING, "DE", true),
            (c, TAG_PRINTABLE_STRING, "xx", false),
            (c, TAG_PRINTABLE_STRING, "DEU", false),
            // Go reads BMPString and TeletexString as text, so that system:masters could hide in one.
            (o, 0x1e, "\0s\0y", false),
            (o, 0x14, "system:masters", false),
            (cn, 0x16, "x", false),
            (mail, 0x16, "a@example.com", true),
        ] {
            assert_eq!(one(oid, tag, value).is_empty(), is_good, "{oid} {tag:x} {value:?}");
        }
    }
}
