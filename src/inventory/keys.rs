//! Whether the keys beside certificates are theirs, by the public half that they state; no secret number is looked at.

use super::item::{Kind, Reading};
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::encoding::key_public::Half;

/// Marks the certificate that a file begins with, if this key is another's.
pub fn compare(key: Option<&Half>, objects: &mut [ParsedObject]) {
    let Some(ParsedObject { reading: Reading::Certificate(facts), link: Some(link), .. }) = objects.first_mut() else {
        return;
    };
    facts.other_key = key.and_then(|key| key.is(link.public_key())) == Some(false);
}

/// sa.pub, if it is not the public half of sa.key.
pub fn service_account(key: &Half, public: &[u8]) -> Option<ParsedObject> {
    let broken = ParsedObject::broken(Kind::Certificate, 0, Unreadable::OtherHalf);
    (key.is_in(public) == Some(false)).then_some(broken)
}
