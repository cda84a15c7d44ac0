//! One file per form; here is which is which.

use std::io::{self, Write};

use super::result::Verify;
use super::{cyclonedx, junit, sarif};
use crate::report::Form;

/// The forms of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyForm {
    /// As of every verb.
    Ours(Form),
    Foreign(ForeignForm),
}

/// Those that others have published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignForm {
    Sarif,
    Junit,
    /// Of what is there, not of what is found.
    CycloneDx,
}

impl Verify {
    pub fn write(&self, form: ForeignForm, out: &mut dyn Write) -> io::Result<()> {
        match form {
            ForeignForm::Sarif => sarif::write(self, out),
            ForeignForm::Junit => junit::write(self, out),
            ForeignForm::CycloneDx => cyclonedx::write(self, out),
        }
    }
}
