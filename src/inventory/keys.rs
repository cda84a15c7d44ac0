//! Whether the keys beside certificates are theirs, by the public half that they state; no secret number is looked at.

use super::item::{Kind, Reading};
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::encoding::key_public::{belongs, is_half};

/// Marks the certificate that a file begins with, if this key is another's.
pub fn compare(key: &[u8], objects: &mut [ParsedObject]) {
    let Some(ParsedObject { reading: Reading::Certificate(facts), link: Some(link), .. }) = objects.first_mut() else {
        return;
    };
    facts.other_key = belongs(key, link.public_key()) == Some(false);
}

/// sa.pub, if it is not the public half of sa.key.
pub fn service_account(private: &[u8], public: &[u8]) -> Option<ParsedObject> {
    let broken = ParsedObject::broken(Kind::Certificate, 0, Unreadable::OtherHalf);
    (is_half(private, public) == Some(false)).then_some(broken)
}
