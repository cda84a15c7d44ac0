//! The forms of a report, and how one is written.

use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;

use super::fold::Folding;
use super::{json, yaml};

/// The forms of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Wide,
    Json,
    Yaml,
}

/// How wide the reader's screen is; `None`: not a terminal, lines are never wrapped.
pub type Width = Option<u16>;

/// What a text for people depends on beside the report.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// What "in 364d" is counted from.
    pub now: OffsetDateTime,
    /// `None` with `wide`, too: its lines are for scrolling and for grep.
    pub width: Width,
    /// Everything, where a table leaves things out.
    pub wide: bool,
}

/// Where a text is written, and how that ended: for reports of rooms that know no streams.
pub type Out<'a> = &'a mut dyn Write;
pub type Written = io::Result<()>;

/// What a verb did: one document, which begins with its `kind` and which machines read as it is, and a text for people.
pub trait Report: Serialize {
    /// For people; every line ends with a newline.
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()>;
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, R> {
    api_version: &'static str,
    #[serde(flatten)]
    report: &'a R,
}

/// A report in one of its forms, written as it is made. `now`: what "in 364d" is counted from.
pub fn write(
    report: &impl Report,
    form: Form,
    now: OffsetDateTime,
    width: Width,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = Document { api_version: "kpki/v1", report };
    match form {
        Form::Table => match width {
            Some(most) => {
                let mut folding = Folding::new(out, most);
                report.text(Screen { now, width, wide: false }, &mut folding)?;
                folding.finish()
            }
            None => report.text(Screen { now, width, wide: false }, out),
        },
        Form::Wide => report.text(Screen { now, width: None, wide: true }, out),
        Form::Json => json::write(&document, "  ", out),
        Form::Yaml => yaml::write(&document, out),
    }
}
