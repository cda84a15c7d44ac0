//! What all parts of the page are made with.

use std::io::Write;

use time::OffsetDateTime;

use crate::audit::State;
use crate::report::check::result::Tone;

/// Where a part of the page is written.
pub type Out<'a> = &'a mut dyn Write;

/// What is the same for all clusters.
#[derive(Clone, Copy)]
pub struct Form {
    pub at: OffsetDateTime,
    /// What ends together is one row.
    pub folded: bool,
    /// The tables are open.
    pub open: bool,
}

/// The colour of a state, which is never without the word.
pub const fn class(state: State) -> &'static str {
    match Tone::of(state) {
        Tone::Warning => "warn",
        Tone::Bad => "bad",
        Tone::Plain | Tone::Strong | Tone::Good => "ok",
    }
}
