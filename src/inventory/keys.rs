//! Whether the keys beside certificates are theirs, by the public half that they state; no secret number is looked at.

use super::item::{KEY, Kind, Reading};
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::encoding::contents::Contents;
use crate::encoding::key_container::Container;
use crate::encoding::key_public::Half;
use crate::encoding::pem::holds_private_key;
use crate::encoding::pem_blocks::blocks;

/// Marks the certificate that a file begins with, if this key is another's.
pub fn compare(key: Option<&Half>, objects: &mut [ParsedObject]) {
    let Some(ParsedObject { reading: Reading::Certificate(facts), link: Some(link), .. }) = objects.first_mut() else {
        return;
    };
    facts.other_key = key.and_then(|key| key.is(link.public_key())) == Some(false);
}

/// The same of a file that has to hold both, as the kubelet's own do: without a key nobody can use it either.
pub fn together(text: &[u8], objects: &mut [ParsedObject]) {
    compare(Half::of(text).as_ref(), objects);
    if let Some(Reading::Certificate(facts)) = objects.first_mut().map(|object| &mut object.reading) {
        facts.other_key |= !holds_private_key(text);
    }
}

/// The first private key of a PEM text, as the components of Kubernetes read it: in clear, in one of the containers they know.
pub fn read(text: &[u8]) -> Result<Option<Half>, Unreadable> {
    let unexpected =
        || Unreadable::Unexpected { expected: "a PEM private key", field: None, found: Contents::of(text) };
    let Some(raw) = blocks(text).flatten().find(|raw| raw.is_private_key()) else {
        return Err(blocks(text).find_map(Result::err).map_or_else(unexpected, Unreadable::Pem));
    };
    let block = raw.decode()?;
    if block.encrypted || block.label.is("ENCRYPTED PRIVATE KEY") {
        return Err(Unreadable::EncryptedKey);
    }
    if !Container::ALL.iter().any(|container| block.label.is(container.label())) {
        return Err(unexpected());
    }
    Half::read(&block).map_err(|_| Unreadable::BrokenKey)
}

/// A key that is not there, or is of no use.
pub fn unusable(kind: Kind, reading: Reading, path: String) -> ParsedObject {
    ParsedObject { elsewhere: Some(path), ..ParsedObject::new(kind, 0, reading).within(KEY) }
}

/// sa.pub, if it is not the public half of sa.key, or holds no key.
pub fn service_account(key: Option<&Half>, public: &[u8]) -> Option<Unreadable> {
    if blocks(public).flatten().next().is_none() {
        return Some(Unreadable::Unexpected { expected: "a PEM public key", field: None, found: Contents::of(public) });
    }
    (key?.is_in(public) == Some(false)).then_some(Unreadable::OtherHalf)
}

/// What is said of keys that may not be read.
pub fn closed(paths: &[String]) -> Option<String> {
    let more = match paths.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    paths.first().map(|first| format!("{first}{more}: not compared with the certificate, for the key may not be read"))
}
