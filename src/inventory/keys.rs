//! Whether the keys beside certificates are theirs, by the public half that they state; no secret number is looked at.

use super::item::{Kind, Reading};
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::encoding::contents::{Contents, is_der};
use crate::encoding::key_public::Half;
use crate::encoding::pem::holds_private_key;

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

/// The file of a key in DER: no component of Kubernetes reads that.
pub fn in_der(bytes: &[u8], expected: &'static str) -> Option<ParsedObject> {
    let why = || Unreadable::Unexpected { expected, field: None, found: Contents::of(bytes) };
    is_der(bytes).then(|| ParsedObject::broken(Kind::Certificate, 0, why()))
}

/// sa.pub, if it is not the public half of sa.key.
pub fn service_account(key: &Half, public: &[u8]) -> Option<ParsedObject> {
    let broken = ParsedObject::broken(Kind::Certificate, 0, Unreadable::OtherHalf);
    (key.is_in(public) == Some(false)).then_some(broken)
}
