//! nameConstraints of an authority, evaluated (RFC 5280 sections 4.2.1.10, 6.1.3 (b) and (c)): DNS names, addresses, directory
//! names, mailboxes and URIs. A constraint on another form of name refuses every name of that form.

use std::net::IpAddr;

use crate::blueprint::{Oid, San, Subtree};
use crate::encoding::name;
use crate::encoding::tlv::{self, Element, NotDer};
use crate::x509::{Certificate, same_name};

/// Mailboxes in a subject, from the time before subjectAltName (PKCS #9).
const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";

const MAILBOX: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const DIRECTORY: u8 = 0xa4;
const ADDRESS: u8 = 0x87;
const PERMITTED: u8 = 0xa0;
const EXCLUDED: u8 = 0xa1;

/// The subtrees of one authority, each by its base: a GeneralName.
#[derive(Debug)]
pub struct NameConstraints<'a> {
    permitted: Vec<Element<'a>>,
    excluded: Vec<Element<'a>>,
}

/// A name that the constraints do not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForbiddenName {
    #[error("its subject is not allowed by the name constraints above it")]
    Subject,
    #[error("its name `{0}` is not allowed by the name constraints above it")]
    San(San),
}

/// A name of a certificate, with the tag of its form.
struct Presented<'a> {
    form: u8,
    content: &'a [u8],
}

impl<'a> NameConstraints<'a> {
    /// # Errors
    /// The value is no NameConstraints, or has a minimum or maximum, which the standard does not use.
    pub fn read(value: &'a [u8]) -> Result<Self, NotDer> {
        let mut constraints = Self { permitted: Vec::new(), excluded: Vec::new() };
        for part in tlv::children(value, tlv::SEQUENCE)? {
            let bases = match part.tag {
                PERMITTED => &mut constraints.permitted,
                EXCLUDED => &mut constraints.excluded,
                _ => return Err(NotDer),
            };
            for subtree in tlv::elements(part.content)? {
                match tlv::children(subtree.raw, tlv::SEQUENCE)?.as_slice() {
                    [base] => bases.push(*base),
                    _ => return Err(NotDer),
                }
            }
        }
        Ok(constraints)
    }

    /// What they permit, where a blueprint can say it: DNS names and networks, and nothing excluded.
    pub fn subtrees(&self) -> Option<Vec<Subtree>> {
        let one = |base: &Element<'a>| match base.tag {
            DNS => Some(Subtree::Dns(std::str::from_utf8(base.content).ok()?.to_owned())),
            ADDRESS => network(base.content),
            _ => None,
        };
        self.excluded.is_empty().then(|| self.permitted.iter().map(one).collect())?
    }

    /// The first name of the certificate that they do not allow.
    pub fn forbidden(&self, certificate: &Certificate) -> Option<ForbiddenName> {
        let subject = Presented { form: DIRECTORY, content: &certificate.subject_der };
        if !certificate.subject.0.is_empty() && !self.allow(&subject) {
            return Some(ForbiddenName::Subject);
        }
        let is_mailbox = |id: &Oid| id.0 == EMAIL_ADDRESS;
        let mut mailboxes = certificate.subject.0.iter().flatten().filter(|attribute| is_mailbox(&attribute.oid));
        let stray = |content: &[u8]| !self.allow(&Presented { form: MAILBOX, content });
        // Also beside a subjectAltName, as OpenSSL has it; the standard asks for it without one.
        if mailboxes.any(|attribute| stray(&attribute.value)) {
            return Some(ForbiddenName::Subject);
        }
        certificate.sans.iter().find(|san| !self.allow_san(san)).cloned().map(ForbiddenName::San)
    }

    fn allow_san(&self, san: &San) -> bool {
        let allow = |form, content: &[u8]| self.allow(&Presented { form, content });
        match san {
            San::Email(text) => allow(MAILBOX, text.as_bytes()),
            San::Dns(text) => allow(DNS, text.as_bytes()),
            San::Uri(text) => allow(URI, text.as_bytes()),
            San::Ip(IpAddr::V4(address)) => allow(ADDRESS, &address.octets()),
            San::Ip(IpAddr::V6(address)) => allow(ADDRESS, &address.octets()),
            San::Other(der) => tlv::single(der).is_ok_and(|element| allow(element.tag, element.content)),
        }
    }

    fn allow(&self, name: &Presented<'_>) -> bool {
        let of_form = |base: &&Element<'_>| base.tag == name.form;
        let mut permitted = self.permitted.iter().filter(of_form).peekable();
        (permitted.peek().is_none() || permitted.any(|base| covers(base, name) == Some(true)))
            && self
                .excluded
                .iter()
                .filter(of_form)
                .all(|base| covers(base, name) == Some(false) && !reaches(base, name))
    }
}

/// Whether the name is in the subtree; `None`: this form is not evaluated, or one of the two cannot be read.
fn covers(base: &Element<'_>, name: &Presented<'_>) -> Option<bool> {
    match name.form {
        DNS => Some(below(&dns(base.content)?, &dns(name.content)?)),
        ADDRESS => address(base.content, name.content),
        MAILBOX => mailbox(base.content, name.content),
        URI => Some(of_host(&dns(base.content)?, &host(name.content)?)),
        DIRECTORY => {
            let (base, mut name) = (name::read(base.content).ok()?, name::read(name.content).ok()?);
            name.0.truncate(base.0.len());
            Some(same_name(&base, &name))
        }
        _ => None,
    }
}

/// The base is a mailbox, all those of a host, or, with a dot before it, of every host below a domain.
fn mailbox(base: &[u8], name: &[u8]) -> Option<bool> {
    let text = |content| std::str::from_utf8(content).ok().filter(|text| text.is_ascii());
    let (base, name) = (text(base)?, text(name)?);
    let (user, domain) = name.rsplit_once('@')?;
    let domain = dns(domain.as_bytes())?;
    Some(match base.rsplit_once('@') {
        // Capitals count in what stands before the @.
        Some((wanted, host)) => wanted == user && dns(host.as_bytes())? == domain,
        None => of_host(&dns(base.as_bytes())?, &domain),
    })
}

/// Unlike a DNS name's: a host is itself only, a domain is told by its dot.
fn of_host(base: &str, host: &str) -> bool {
    if base.starts_with('.') { host.ends_with(base) && host.len() > base.len() } else { base == host }
}

/// The host of a URI (RFC 3986 section 3.2), which must be a name.
fn host(uri: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(uri).ok()?;
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let is_name = !host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err();
    is_name.then(|| dns(host.as_bytes())).flatten()
}

/// A wildcard stands for names in a subtree below its own domain as well: too many for an excluded one.
fn reaches(base: &Element<'_>, name: &Presented<'_>) -> bool {
    if name.form != DNS {
        return false;
    }
    let (Some(base), Some(name)) = (dns(base.content), dns(name.content)) else { return false };
    name.strip_prefix("*.").is_some_and(|domain| below(domain, base.trim_start_matches('.')))
}

/// Capitals do not count, nor does the dot of the root.
fn dns(content: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(content).ok().filter(|text| text.is_ascii())?;
    Some(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase())
}

/// The name itself and everything below it; with a dot before it only what is below it, which the standard leaves open and
/// Go, OpenSSL and rustls-webpki read alike.
fn below(tree: &str, name: &str) -> bool {
    match name.strip_suffix(tree) {
        Some("") => !tree.starts_with('.'),
        Some(before) => tree.is_empty() || tree.starts_with('.') || before.ends_with('.'),
        None => false,
    }
}

/// An address with a mask of leading bits.
fn network(base: &[u8]) -> Option<Subtree> {
    let (address, mask) = base.split_at_checked(base.len() / 2)?;
    let bits = mask.iter().take_while(|octet| **octet == 0xff).count() * 8;
    let more = mask.get(bits / 8).map_or(0, |octet| octet.leading_ones() as usize);
    let network = match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        (Ok(v4), _) => IpAddr::from(v4),
        (_, Ok(v6)) => IpAddr::from(v6),
        _ => return None,
    };
    Some(Subtree::Ip { network, prefix: u8::try_from(bits + more).ok()? })
}

/// The base is an address and its mask, of the same length each.
fn address(base: &[u8], name: &[u8]) -> Option<bool> {
    let (network, mask) = base.split_at_checked(base.len() / 2).filter(|_| matches!(base.len(), 8 | 32))?;
    if !matches!(name.len(), 4 | 16) {
        return None;
    }
    let same = |((network, mask), octet): ((&u8, &u8), &u8)| (network ^ octet) & mask == 0;
    Some(network.len() == name.len() && network.iter().zip(mask).zip(name).all(same))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{Name, Oid};

    fn subtree(form: u8, base: &[u8]) -> Vec<u8> {
        tlv::sequence(&[tlv::write(form, base)])
    }

    fn value(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
        let part = |tag, subtrees: &[Vec<u8>]| tlv::write(tag, &tlv::concat(subtrees));
        match (permitted, excluded) {
            (permitted, []) => tlv::sequence(&[part(PERMITTED, permitted)]),
            ([], excluded) => tlv::sequence(&[part(EXCLUDED, excluded)]),
            (permitted, excluded) => tlv::sequence(&[part(PERMITTED, permitted), part(EXCLUDED, excluded)]),
        }
    }

    #[test]
    fn names_are_held_against_subtrees() {
        let dns = |text: &str| subtree(DNS, text.as_bytes());
        let ten = subtree(ADDRESS, &[10, 0, 0, 0, 255, 0, 0, 0]);
        let odd = subtree(ADDRESS, &[10, 0, 0, 1, 255, 0, 0, 255]);
        let mail = |base: &str| subtree(MAILBOX, base.as_bytes());
        let uri = |base: &str| subtree(URI, base.as_bytes());
        let to = |text: &str| San::Email(text.to_owned());
        let at = |text: &str| San::Uri(text.to_owned());
        let broken = subtree(ADDRESS, &[10, 0, 0, 0, 255]);
        let v6 = San::Ip("fd00::1".parse().unwrap());
        let v4 = |text: &str| San::Ip(text.parse().unwrap());
        let name = |text: &str| San::Dns(text.to_owned());
        let other = |tag: u8, content: &[u8]| San::Other(tlv::write(tag, content));
        for (permitted, excluded, allowed, forbidden) in [
            (
                vec![dns("example.com")],
                vec![],
                vec![
                    name("example.com"),
                    name("A.Example.COM"),
                    name("*.example.com"),
                    name("example.com."),
                    v6.clone(),
                ],
                vec![name("xexample.com"), name("com"), name("*.com"), other(DNS, &[0xff])],
            ),
            (vec![dns(".example.com")], vec![], vec![name("a.example.com")], vec![name("example.com")]),
            (vec![dns("a"), dns("b")], vec![], vec![name("a"), name("x.b")], vec![name("c")]),
            (vec![dns("")], vec![], vec![name("a"), name("b.c")], vec![other(DNS, &[0xff])]),
            (
                vec![],
                vec![dns("bad.example.com")],
                vec![name("example.com"), name("*.other.com"), v6.clone()],
                vec![name("BAD.example.com"), name("x.bad.example.com"), name("*.example.com"), other(DNS, &[0xff])],
            ),
            (vec![], vec![dns(".example.com")], vec![name("example.com")], vec![name("*.com"), name("*.example.com")]),
            (vec![], vec![dns("")], vec![v6.clone()], vec![name("a")]),
            (
                vec![dns("example.com")],
                vec![dns("b.example.com")],
                vec![name("a.example.com")],
                vec![name("b.example.com")],
            ),
            (
                vec![ten.clone()],
                vec![],
                vec![v4("10.1.2.3"), name("a")],
                vec![v4("11.0.0.1"), v6.clone(), other(ADDRESS, &[10, 0, 0, 0, 0])],
            ),
            (vec![odd], vec![], vec![v4("10.7.7.1")], vec![v4("10.7.7.2")]),
            (vec![], vec![ten.clone()], vec![v4("11.0.0.1"), v6.clone()], vec![v4("10.1.2.3"), other(ADDRESS, &[1])]),
            (vec![], vec![broken.clone()], vec![name("a")], vec![v4("10.0.0.1")]),
            (vec![broken], vec![], vec![name("a")], vec![v4("10.0.0.1")]),
            (
                vec![mail("example.com")],
                vec![],
                vec![name("a"), to("a@example.com"), to("B@EXAMPLE.com")],
                vec![to("a@x.example.com"), to("a@example.org"), to("example.com"), to("a@é.example.com")],
            ),
            (
                vec![mail(".example.com")],
                vec![],
                vec![to("a@x.example.com")],
                vec![to("a@example.com"), to("a@.example.com")],
            ),
            (
                vec![mail("a@example.com")],
                vec![],
                vec![to("a@Example.com")],
                vec![to("A@example.com"), to("b@example.com")],
            ),
            (
                vec![],
                vec![mail("example.com")],
                vec![to("a@example.org"), to("a@x.example.com")],
                vec![to("a@example.com"), to("x")],
            ),
            (
                vec![uri("host.example.com")],
                vec![],
                vec![name("a"), at("https://host.example.com/x"), at("spiffe://u:p@HOST.example.com:8443?q#f")],
                vec![
                    at("https://x.host.example.com"),
                    at("https://example.com/host.example.com"),
                    at("u:x"),
                    at("https:///x"),
                ],
            ),
            (
                vec![uri(".example.com")],
                vec![],
                vec![at("https://a.example.com"), at("https://a.b.example.com:1")],
                vec![
                    at("https://example.com"),
                    at("https://a.example.com.evil"),
                    at("https://evil@10.0.0.1/.example.com"),
                ],
            ),
            (
                vec![],
                vec![uri(".example.com")],
                vec![at("https://example.com")],
                vec![at("https://a.example.com"), at("https://[::1]/")],
            ),
            // A form that is not evaluated.
            (vec![], vec![subtree(0x88, &[0x2a])], vec![name("a")], vec![other(0x88, &[0x2a]), San::Other(vec![1])]),
        ] {
            let value = value(&permitted, &excluded);
            let constraints = NameConstraints::read(&value).unwrap();
            allowed.iter().for_each(|san| assert!(constraints.allow_san(san), "{san} in {value:02x?}"));
            forbidden.iter().for_each(|san| assert!(!constraints.allow_san(san), "{san} in {value:02x?}"));
        }
    }

    #[test]
    fn directory_names_lie_below_their_beginning() {
        let written = |name: &Name| name::write(name).unwrap();
        let org = |text: &str| Name(vec![Name::of(text, &[]).0.remove(0)]);
        let base = org("Example");
        let deeper = Name([base.0.clone(), Name::of("cp1", &[]).0].concat());
        let loud = Name([org("EXAMPLE").0, Name::of("cp1", &[]).0].concat());
        let value = value(&[subtree(DIRECTORY, &written(&base))], &[]);
        let constraints = NameConstraints::read(&value).unwrap();
        for (name, allowed) in
            [(&base, true), (&deeper, true), (&loud, true), (&org("Other"), false), (&Name::default(), false)]
        {
            let content = written(name);
            assert_eq!(constraints.allow(&Presented { form: DIRECTORY, content: &content }), allowed, "{name}");
            let san = San::Other(tlv::write(DIRECTORY, &content));
            assert_eq!(constraints.allow_san(&san), allowed, "{name}");
        }
        assert_eq!(Oid::COMMON_NAME, base.0[0][0].oid);
    }

    #[test]
    fn what_the_standard_does_not_use_is_not_evaluated() {
        let base = tlv::write(DNS, b"a");
        let minimum = tlv::sequence(&[base.clone(), tlv::write(0x80, &[0])]);
        for value in [
            value(&[minimum], &[]),
            value(&[tlv::sequence::<Vec<u8>>(&[])], &[]),
            value(std::slice::from_ref(&base), &[]),
            tlv::sequence(&[tlv::write(0xa2, &subtree(DNS, b"a"))]),
            tlv::write(tlv::SET, &[]),
        ] {
            assert!(NameConstraints::read(&value).is_err(), "{value:02x?}");
        }
        assert!(NameConstraints::read(&value(&[subtree(DNS, b"a")], &[subtree(DNS, b"b")])).is_ok());
    }
}
