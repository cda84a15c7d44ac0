//! `kpki verify`: findings, what was looked at and what was not.

mod document;
mod result;
mod served;
mod text;

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::report::form::{Report, Screen};
pub use result::Verify;

impl Serialize for Verify {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        document::Document::of(self).serialize(to)
    }
}

impl Report for Verify {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        text::write(self, screen, out)
    }
}
