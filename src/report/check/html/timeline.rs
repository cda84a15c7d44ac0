//! A timeline as SVG without a scale of its own: positions are shares of the width, so that its text has one size on every screen.

use std::io;

use time::{Duration, OffsetDateTime};

use super::parts::Out;
use crate::report::check::ends::{Ends, REACH, Stack};
use crate::report::check::months;
use crate::report::counted;

/// Tenths of a percent: what has ended stands before the line, what ends later behind it.
const ENDED: i64 = 50;
const BEGIN: i64 = 120;
const LENGTH: i64 = 760;
const LATER: i64 = 950;
/// A label of a month needs this much room.
const ROOM: i64 = 20;
/// Pixels from the top: where the stacks stand, and how high they are at the most.
const GROUND: usize = 48;
const HIGHEST: usize = 30;
const BAR: usize = 8;

/// `is_first`: the line itself and the months are drawn; later ones refer to them.
pub fn write(ends: &Ends, number: usize, now: OffsetDateTime, is_first: bool, out: Out<'_>) -> io::Result<()> {
    let id = if is_first { "-all".to_owned() } else { number.to_string() };
    writeln!(
        out,
        "<svg role=\"img\" aria-labelledby=\"t{id} d{id}\"><title id=\"t{id}\">Timeline</title><desc id=\"d{id}\">{}</desc>",
        description(ends)
    )?;
    if is_first {
        axis(now, out)?
    } else {
        write!(out, "<use href=\"#axis\"/>")?
    }
    if let Some(stack) = &ends.ended {
        bar(stack, ENDED, out)?;
    }
    for stack in &ends.stacks {
        bar(stack, place(stack.first - now), out)?;
    }
    if let Some(stack) = &ends.later {
        bar(stack, LATER, out)?;
    }
    writeln!(out, "</svg>")
}

fn place(left: Duration) -> i64 {
    BEGIN + LENGTH * left.whole_hours() / REACH.whole_hours().max(1)
}

fn axis(now: OffsetDateTime, out: Out<'_>) -> io::Result<()> {
    write!(out, "<g id=\"axis\">")?;
    write!(out, "<line x1=\"0\" x2=\"100%\" y1=\"{GROUND}\" y2=\"{GROUND}\"/>")?;
    write!(out, "<line x1=\"{}\" x2=\"{0}\" y1=\"8\" y2=\"54\" stroke-dasharray=\"2\"/>", Share(BEGIN))?;
    write!(out, "<text class=\"muted\" x=\"{}\" y=\"66\">ended</text>", Share(ENDED))?;
    let starts = months::from(now).skip(1).take_while(|start| *start - now <= REACH);
    let starts = starts.filter(|start| place(*start - now) >= BEGIN + ROOM / 2);
    for (i, start) in starts.enumerate() {
        let (at, class) = (Share(place(start - now)), if i % 2 == 1 { "muted odd" } else { "muted" });
        write!(out, "<line x1=\"{at}\" x2=\"{at}\" y1=\"{GROUND}\" y2=\"53\"/>")?;
        write!(out, "<text class=\"{class}\" x=\"{at}\" y=\"66\">{}</text>", months::short(start))?;
    }
    writeln!(out, "<text class=\"muted\" x=\"{}\" y=\"66\">later</text></g>", Share(LATER))
}

/// The stack with its number above, the worst at the bottom.
fn bar(stack: &Stack, at: i64, out: Out<'_>) -> io::Result<()> {
    let height = (stack.total() + 5).min(HIGHEST);
    let part = |count: usize| match count {
        0 => 0,
        count => (height * count / stack.total().max(1)).max(2),
    };
    let (at, mut top) = (Share(at), GROUND);
    write!(out, "<g><title>{}</title>", said(stack))?;
    for (class, count) in [("bad", stack.bad), ("warn", stack.warning), ("ok", stack.ok)] {
        let height = part(count).min(top);
        if height > 0 {
            top -= height;
            write!(
                out,
                "<rect class=\"{class}\" x=\"{at}\" y=\"{top}\" width=\"{BAR}\" height=\"{height}\" \
                 transform=\"translate(-4)\"/>"
            )?;
        }
    }
    write!(out, "<text x=\"{at}\" y=\"{}\">{}</text></g>", top.saturating_sub(3), short(stack.total()))
}

/// At most three characters.
fn short(count: usize) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..100_000 => format!("{}k", count / 1000),
        _ => "…".to_owned(),
    }
}

fn description(ends: &Ends) -> String {
    let mut parts: Vec<String> = ends.ended.iter().chain(&ends.stacks).chain(&ends.later).map(said).collect();
    if ends.undated > 0 {
        parts.push(format!("{} without a date", ends.undated));
    }
    if parts.is_empty() { "nothing that ends".to_owned() } else { parts.join("; ") }
}

/// `27 on 2027-11-20`, `3 from 2027-11-20 to 2027-12-01 (1 warning)`.
fn said(stack: &Stack) -> String {
    let (first, last) = (stack.first.date(), stack.last.date());
    let states: Vec<String> = [(stack.bad, "critical or worse"), (stack.warning, "warning")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let when = if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
    format!("{} {when}{states}", counted(stack.total(), "end"))
}

/// As a percentage.
#[derive(Clone, Copy)]
struct Share(i64);

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}%", self.0 / 10, self.0 % 10)
    }
}
