//! What to do, in words: each kind of finding once, with the exact next command.

use serde::Serialize;

use super::result::Line;
use super::steps;
use super::words::words;
use crate::audit::Advice;
use crate::report::table::sanitised;

/// How many names are said.
const NAMES: usize = 5;
/// For how many places a table shows the command; documents have all.
pub const FEW: usize = 5;

pub fn lines(advice: &[Advice]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (i, one) in advice.iter().enumerate() {
        lines.push(Line::plain(""));
        if i == 0 {
            lines.push(Line::strong("What to do:"));
        }
        lines.push(Line::plain(format!("- {}", sanitised(&what(one)))));
        lines.extend(steps::steps(one, FEW).iter().map(|step| Line::plain(format!("    {}", sanitised(step)))));
    }
    // The headline stands directly above the first piece.
    lines
}

/// A finding as documents have it.
#[derive(Serialize)]
pub struct Finding {
    problem: &'static str,
    count: usize,
    what: String,
    steps: Vec<String>,
}

pub fn finding(advice: &Advice) -> Finding {
    let (problem, ..) = words(advice.problem);
    Finding { problem, count: advice.count, what: what(advice), steps: steps::steps(advice, usize::MAX) }
}

/// `11 certificates have expired (admin.conf, apiserver, ...)`.
pub fn what(advice: &Advice) -> String {
    let (_, [noun, nouns], [is, are]) = words(advice.problem);
    let (noun, is) = if advice.count == 1 { (noun, is) } else { (nouns, are) };
    let more = if advice.names.len() > NAMES { ", ..." } else { "" };
    let names: Vec<&str> = advice.names.iter().take(NAMES).map(String::as_str).collect();
    let trees = if advice.trees > 1 { format!(" in {} places", advice.trees) } else { String::new() };
    format!("{} {noun}{trees} {is} ({}{more})", advice.count, names.join(", "))
}
