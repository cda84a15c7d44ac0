//! What was found where a tree should have a file.

use super::expected::Expected;
use super::item::{Kind, Reading};
use super::object::ParsedObject;
use crate::catalog::CaId;

/// An expected file and what it holds.
pub struct Found {
    pub expected: Expected,
    pub path: String,
    pub objects: Vec<ParsedObject>,
}

impl Found {
    pub fn is_there(&self) -> bool {
        self.objects.first().is_some_and(|object| object.reading != Reading::Missing)
    }

    pub fn is_crl_of(&self, authority: CaId) -> bool {
        self.expected.kind == Kind::Crl && self.expected.authority == Some(authority)
    }
}
