//! When two names are one (RFC 5280 section 7.1). Certificates of one authority repeat its name byte for byte; a list or a
//! certificate made by another program may write it in another string type, in other capitals, with other spaces.

use std::borrow::Cow;

use crate::blueprint::{Attribute, Name, Oid, TAG_PRINTABLE_STRING, TAG_UTF8_STRING};
use crate::encoding::name;

/// IA5String: domain components and mail addresses, which are compared alike (section 7.3, RFC 4519 section 2.4).
const TAG_IA5_STRING: u8 = 0x16;

/// Whether the names are the same: values that are strings without regard to string type, capitals and repeated, leading or
/// trailing spaces; everything else byte by byte. Attributes of one RDN in any order.
pub fn same_name(one: &Name, other: &Name) -> bool {
    one == other
        || (one.0.len() == other.0.len()
            && one.0.iter().zip(&other.0).all(|(one, other)| one.len() == other.len() && plain(one) == plain(other)))
}

/// The same of names as they stand in DER; what cannot be read is the same byte by byte only.
pub fn same_name_der(one: &[u8], other: &[u8]) -> bool {
    let read = |der| name::read(der).ok();
    one == other || read(one).zip(read(other)).is_some_and(|(one, other)| same_name(&one, &other))
}

fn plain(rdn: &[Attribute]) -> Vec<(&Oid, u8, Cow<'_, [u8]>)> {
    let mut all: Vec<_> = rdn.iter().map(plain_attribute).collect();
    all.sort();
    all
}

fn plain_attribute(attribute: &Attribute) -> (&Oid, u8, Cow<'_, [u8]>) {
    let string = matches!(attribute.tag, TAG_UTF8_STRING | TAG_PRINTABLE_STRING | TAG_IA5_STRING);
    match std::str::from_utf8(&attribute.value) {
        Ok(text) if string => {
            let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
            (&attribute.oid, TAG_UTF8_STRING, Cow::Owned(words.join(" ").into_bytes()))
        }
        _ => (&attribute.oid, attribute.tag, Cow::Borrowed(&attribute.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tag: u8, value: &str) -> Name {
        Name(vec![vec![Attribute { oid: Oid::COMMON_NAME, tag, value: value.as_bytes().to_vec() }]])
    }

    #[test]
    fn names_are_one_whatever_their_capitals_and_spaces() {
        let base = name(0x13, "Good CA");
        for (tag, value, same) in [
            (0x13, "Good CA", true),
            (0x0c, "  good   ca ", true),
            (0x0c, "GOOD CA", true),
            (0x13, "GoodCA", false),
            (0x14, "Good CA", false),
            (0x13, "Good CA 2", false),
        ] {
            assert_eq!(same_name(&base, &name(tag, value)), same, "{tag} {value}");
        }
        let two = Name::of("x", &["a", "bb"]);
        assert!(same_name(&Name(two.0.iter().map(|rdn| rdn.iter().rev().cloned().collect()).collect()), &two));
        assert!(!same_name(&two, &Name(two.0.iter().rev().cloned().collect())), "RDNs have an order");
        assert!(!same_name(&two, &Name::of("x", &["a"])));
        assert!(same_name(&Name::default(), &Name::default()));
        let der = |name: &Name| name::write(name).unwrap();
        assert!(same_name_der(&der(&name(0x0c, "GOOD CA")), &der(&base)) && !same_name_der(&der(&two), &der(&base)));
        assert!(same_name_der(&[5], &[5]) && !same_name_der(&[5], &[6]));
    }
}
