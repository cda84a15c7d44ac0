//! What is to be in the files of an authority, or in sa.pub.

use super::context::{certificates, public_keys};
use crate::plan::rotate::Trusted;
use crate::tree::rotation::{Identity, Rotating};
use crate::workspace::rotation::change::Content;

/// Who signs first, then who is trusted besides.
pub(super) fn content(rotating: Rotating, (first, second): (&[Identity], &[Identity]), gone: &[Identity]) -> Content {
    match rotating {
        Rotating::Authority(authority) => Content::Authority(
            authority,
            Trusted { first: certificates(first), second: certificates(second), gone: certificates(gone) },
        ),
        Rotating::ServiceAccount => Content::ServiceAccount(Trusted {
            first: public_keys(first),
            second: public_keys(second),
            gone: public_keys(gone),
        }),
    }
}
