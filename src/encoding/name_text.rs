//! Names as people read them: the values of a distinguished name (RFC 4514), and alternative names of kinds that are not used
//! here. What cannot be read as text is shown as `#` and the hexadecimal of the whole value (RFC 4514 section 2.4).

use std::borrow::Cow;
use std::fmt;

use crate::blueprint::{ATTRIBUTE_NAMES, Attribute, Name, Oid, San, TAG_PRINTABLE_STRING, TAG_UTF8_STRING};
use crate::encoding::tlv::{self, CONTEXT, CONTEXT_CONSTRUCTED, Element};
use crate::encoding::{name, oid};

impl Attribute {
    /// The value for people and comparisons.
    pub fn text(&self) -> Cow<'_, str> {
        text(self.tag, &self.value).unwrap_or_else(|| Cow::Owned(whole(&tlv::write(self.tag, &self.value))))
    }
}

impl Name {
    /// Every value of an attribute type, in order of appearance.
    pub fn values(&self, oid: &Oid) -> Vec<String> {
        self.0.iter().flatten().filter(|a| a.oid == *oid).map(|a| a.text().into_owned()).collect()
    }

    /// The same attributes with the same texts, whichever string types they are encoded in: openssl writes UTF8String where
    /// Go writes PrintableString (RFC 5280 section 7.1 compares them alike).
    pub fn says_the_same(&self, other: &Self) -> bool {
        let texts = |name: &Self| -> Vec<Vec<(Oid, String)>> {
            name.0.iter().map(|rdn| rdn.iter().map(|a| (a.oid.clone(), a.text().into_owned())).collect()).collect()
        };
        texts(self) == texts(other)
    }

    pub fn common_name(&self) -> Option<String> {
        self.values(&Oid::COMMON_NAME).into_iter().next()
    }
}

/// `O=system:nodes, CN=system:node:cp1`: in the order of the encoding, `+` inside a multi-valued RDN. Control characters
/// are left in: the writer to the terminal sanitises.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, rdn) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            for (j, attribute) in rdn.iter().enumerate() {
                if j > 0 {
                    f.write_str("+")?;
                }
                let dotted: &str = &attribute.oid.0;
                let short = ATTRIBUTE_NAMES.iter().find(|(oid, _)| *oid == dotted).map_or(dotted, |(_, name)| name);
                write!(f, "{short}={}", attribute.text())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) | Self::Uri(name) => f.write_str(name),
            Self::Ip(address) => write!(f, "{address}"),
            Self::Other(der) => match tlv::single(der) {
                Ok(element) => general_name(f, element),
                Err(_) => f.write_str(&whole(der)),
            },
        }
    }
}

const TAG_NUMERIC_STRING: u8 = 0x12;
const TAG_TELETEX_STRING: u8 = 0x14;
const TAG_IA5_STRING: u8 = 0x16;
const TAG_VISIBLE_STRING: u8 = 0x1a;
const TAG_GENERAL_STRING: u8 = 0x1b;

/// The text of a value of this string type; `None`: it is no string, or not what its type says.
fn text(tag: u8, value: &[u8]) -> Option<Cow<'_, str>> {
    let utf8 = || std::str::from_utf8(value).ok().map(Cow::Borrowed);
    match tag {
        TAG_UTF8_STRING | TAG_PRINTABLE_STRING | TAG_NUMERIC_STRING | TAG_IA5_STRING | TAG_VISIBLE_STRING
        | TAG_GENERAL_STRING => utf8(),
        // Written with Latin-1 in it, by everybody (RFC 2459 section 4.1.2.4 says so), and later with UTF-8.
        TAG_TELETEX_STRING => utf8().or_else(|| latin1(value)),
        tlv::BMP_STRING => {
            let (units, rest) = value.as_chunks::<2>();
            let text = char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit)));
            rest.is_empty().then(|| text.collect::<Result<String, _>>().ok()).flatten().map(Cow::Owned)
        }
        tlv::UNIVERSAL_STRING => {
            let (units, rest) = value.as_chunks::<4>();
            let text = units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit)));
            rest.is_empty().then(|| text.collect::<Option<String>>()).flatten().map(Cow::Owned)
        }
        _ => None,
    }
}

fn latin1(value: &[u8]) -> Option<Cow<'_, str>> {
    let text: String = value.iter().map(|byte| char::from(*byte)).collect();
    (!text.contains(char::is_control)).then_some(Cow::Owned(text))
}

fn whole(der: &[u8]) -> String {
    der.iter().fold("#".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// The kinds of GeneralName by tag, as RFC 5280 section 4.2.1.6 names them.
const KINDS: &[(u8, &str)] = &[
    (CONTEXT_CONSTRUCTED, "otherName"),
    (CONTEXT | 1, "rfc822Name"),
    (CONTEXT | 2, "dNSName"),
    (CONTEXT_CONSTRUCTED | 3, "x400Address"),
    (CONTEXT_CONSTRUCTED | 4, "directory name"),
    (CONTEXT_CONSTRUCTED | 5, "ediPartyName"),
    (CONTEXT | 6, "uniformResourceIdentifier"),
    (CONTEXT | 7, "iPAddress"),
    (CONTEXT | 8, "registered ID"),
];

fn general_name(f: &mut fmt::Formatter<'_>, element: Element<'_>) -> fmt::Result {
    let kind = KINDS.iter().find(|(tag, _)| *tag == element.tag).map_or("name", |(_, kind)| kind);
    let said = match element.tag {
        CONTEXT_CONSTRUCTED => other_name(element.content),
        DIRECTORY_NAME => name::read(element.content).ok().map(|name| name.to_string()),
        REGISTERED_ID => oid::read(element.content).map(|oid| oid.to_string()),
        _ => None,
    };
    write!(f, "{kind} {}", said.unwrap_or_else(|| whole(element.raw)))
}

const DIRECTORY_NAME: u8 = CONTEXT_CONSTRUCTED | 4;
const REGISTERED_ID: u8 = CONTEXT | 8;

/// What people call the types of otherName (RFC 4985, 4556, 6120, 9598; Microsoft's user principal name).
const OTHER_NAMES: &[(&str, &str)] = &[
    ("1.3.6.1.4.1.311.20.2.3", "UPN"),
    ("1.3.6.1.5.5.7.8.7", "SRV"),
    ("1.3.6.1.5.5.7.8.5", "XMPP"),
    ("1.3.6.1.5.5.7.8.9", "SmtpUTF8Mailbox"),
    (KERBEROS, "Kerberos"),
];
const KERBEROS: &str = "1.3.6.1.5.2.2";

/// `OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }`, from the content.
fn other_name(content: &[u8]) -> Option<String> {
    let (kind, value) = match tlv::elements(content).ok()?.as_slice() {
        [kind, value] if kind.tag == tlv::OBJECT_IDENTIFIER && value.tag == CONTEXT_CONSTRUCTED => {
            (oid::read(kind.content)?, tlv::single(value.content).ok()?)
        }
        _ => return None,
    };
    let said = match &*kind.0 {
        KERBEROS => principal(value.raw),
        _ => text(value.tag, value.content).map(Cow::into_owned),
    };
    let called = OTHER_NAMES.iter().find(|(oid, _)| *oid == kind.0).map_or(&*kind.0, |(_, name)| name);
    Some(format!("{called} {}", said.unwrap_or_else(|| whole(value.raw))))
}

/// KRB5PrincipalName (RFC 4556 section 3.2.2) as `host/a.example@REALM`.
fn principal(der: &[u8]) -> Option<String> {
    let field = |der: &[u8], number: u8| {
        let all = tlv::children(der, tlv::SEQUENCE).ok()?;
        let found = all.iter().find(|element| element.tag == CONTEXT_CONSTRUCTED | number)?;
        Some(found.content.to_vec())
    };
    let realm =
        tlv::single(&field(der, 0)?).ok().and_then(|realm| Some(text(realm.tag, realm.content)?.into_owned()))?;
    let parts = field(&field(der, 1)?, 1)?;
    let parts = tlv::children(&parts, tlv::SEQUENCE).ok()?;
    let parts: Vec<_> = parts.iter().map(|part| text(part.tag, part.content)).collect::<Option<_>>()?;
    Some(format!("{}@{realm}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_type_is_read_as_text_or_shown_whole() {
        for (tag, value, shown) in [
            (TAG_UTF8_STRING, "Straße".as_bytes(), "Straße"),
            (TAG_UTF8_STRING, &[0xff, 0], "#0c02ff00"),
            (TAG_PRINTABLE_STRING, b"a", "a"),
            (TAG_TELETEX_STRING, b"m\xfcller", "müller"),
            (TAG_TELETEX_STRING, "müller".as_bytes(), "müller"),
            (TAG_TELETEX_STRING, &[0xff, 0], "#1402ff00"),
            (TAG_TELETEX_STRING, &[0x85], "#140185"),
            (tlv::BMP_STRING, &[0, b'C', 0x26, 0x03], "C☃"),
            (tlv::BMP_STRING, &[0xd8, 0x3d, 0xde, 0x00], "\u{1f600}"),
            (tlv::BMP_STRING, &[0, b'C', 0], "#1e03004300"),
            (tlv::BMP_STRING, &[0xd8, 0x3d], "#1e02d83d"),
            (tlv::BMP_STRING, &[], ""),
            (tlv::UNIVERSAL_STRING, &[0, 0, 0, b'C', 0, 1, 0xf6, 0], "C\u{1f600}"),
            (tlv::UNIVERSAL_STRING, &[0, 0x11, 0, 0], "#1c0400110000"),
            (tlv::UNIVERSAL_STRING, &[0, 0, b'C'], "#1c03000043"),
            // No strings, whatever their bytes look like.
            (tlv::INTEGER, b"A", "#020141"),
            (tlv::SEQUENCE, &[5, 0], "#30020500"),
        ] {
            let attribute = Attribute { oid: Oid::COMMON_NAME, tag, value: value.to_vec() };
            assert_eq!(attribute.text(), shown, "{tag:#x} {value:?}");
        }
    }

    #[test]
    fn alternative_names_of_every_kind_are_shown() {
        let tagged = |tag: u8, parts: &[Vec<u8>]| tlv::write(tag, &tlv::concat(parts));
        let general = |text: &str| tlv::write(TAG_GENERAL_STRING, text.as_bytes());
        let other = |dotted: &str, value: &[u8]| {
            let value = tlv::write(CONTEXT_CONSTRUCTED, value);
            tagged(CONTEXT_CONSTRUCTED, &[oid::write(&Oid::new(dotted.to_owned())).unwrap(), value])
        };
        let utf8 = |text: &str| tlv::write(TAG_UTF8_STRING, text.as_bytes());
        let names = tlv::sequence(&[general("host"), general("a.example")]);
        let principal = tlv::sequence(&[
            tlv::write(CONTEXT_CONSTRUCTED, &general("EXAMPLE")),
            tlv::write(
                CONTEXT_CONSTRUCTED | 1,
                &tlv::sequence(&[
                    tlv::write(CONTEXT_CONSTRUCTED, &tlv::integer(&[1])),
                    tlv::write(CONTEXT_CONSTRUCTED | 1, &names),
                ]),
            ),
        ]);
        let directory = tlv::write(DIRECTORY_NAME, &name::write(&Name::of("dir", &[])).unwrap());
        for (der, shown) in [
            (other("1.3.6.1.4.1.311.20.2.3", &utf8("jdoe@corp.example")), "otherName UPN jdoe@corp.example"),
            (other("1.3.6.1.5.5.7.8.7", &tlv::write(TAG_IA5_STRING, b"_ldap.a")), "otherName SRV _ldap.a"),
            (other(KERBEROS, &principal), "otherName Kerberos host/a.example@EXAMPLE"),
            (other(KERBEROS, &[5, 0]), "otherName Kerberos #0500"),
            (other("1.2.3", &utf8("x")), "otherName 1.2.3 x"),
            (other("1.2.3", &[2, 1, 0x41]), "otherName 1.2.3 #020141"),
            (vec![0xa0, 2, 5, 0], "otherName #a0020500"),
            (directory, "directory name CN=dir"),
            (vec![0xa4, 2, 5, 0], "directory name #a4020500"),
            (vec![0x88, 3, 0x2a, 3, 4], "registered ID 1.2.3.4"),
            (vec![0xa3, 2, 0x30, 0], "x400Address #a3023000"),
            (vec![0xa5, 0], "ediPartyName #a500"),
            (vec![0x82, 1, 0xfc], "dNSName #8201fc"),
            (vec![0x87, 1, 10], "iPAddress #87010a"),
            (vec![0x89, 0], "name #8900"),
            (vec![0x88], "#88"),
        ] {
            assert_eq!(San::Other(der).to_string(), shown);
        }
    }
}
