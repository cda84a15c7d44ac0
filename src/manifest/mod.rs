//! Manifests, as kubectl takes them: the objects in a text, and the fields of theirs that may hold certificates and keys.

mod annotation;
mod edit;
mod fields;
mod flags;
mod objects;

pub use annotation::{annotate, annotation};
pub use edit::{NotEdited, replace_values};
pub use fields::{Value, must_hold_a_certificate, values};
pub use flags::Flags;
pub use objects::{Object, objects};
