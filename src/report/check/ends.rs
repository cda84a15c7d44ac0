//! When things end, on a line of time that begins now: ends that are close to each other are one stack.

use time::{Duration, OffsetDateTime};

use super::result::Tone;
use crate::audit::{Judged, State};

/// How far the line goes: a year and what a renewal in good time adds to it.
pub const REACH: Duration = Duration::days(427);
/// How far the ends of one stack are from its first, so that a number fits above each.
const CLOSE: Duration = Duration::days(30);

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Before now.
    pub ended: Option<Stack>,
    /// In order.
    pub stacks: Vec<Stack>,
    /// Beyond the line.
    pub later: Option<Stack>,
    /// What should have an end, and has none.
    pub undated: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    pub first: OffsetDateTime,
    pub last: OffsetDateTime,
    pub ok: usize,
    pub warning: usize,
    pub bad: usize,
}

impl Stack {
    const fn begin(at: OffsetDateTime) -> Self {
        Self { first: at, last: at, ok: 0, warning: 0, bad: 0 }
    }

    const fn add(&mut self, at: OffsetDateTime, state: State) {
        self.last = at;
        match Tone::of(state) {
            Tone::Warning => self.warning += 1,
            Tone::Bad => self.bad += 1,
            Tone::Plain | Tone::Strong | Tone::Good => self.ok += 1,
        }
    }

    pub const fn total(&self) -> usize {
        self.ok + self.warning + self.bad
    }
}

pub fn of<'a>(items: impl IntoIterator<Item = &'a Judged>, now: OffsetDateTime) -> Ends {
    let mut ends = Ends::default();
    let mut dated = Vec::new();
    for judged in items {
        match judged.expires {
            Some(at) => dated.push((at, judged.state)),
            None if judged.state > State::Ok => ends.undated += 1,
            None => {}
        }
    }
    dated.sort_unstable();
    for (at, state) in dated {
        let stack = if at < now {
            ends.ended.get_or_insert(Stack::begin(at))
        } else if at - now > REACH {
            ends.later.get_or_insert(Stack::begin(at))
        } else {
            if ends.stacks.last().is_none_or(|stack| at - stack.first >= CLOSE) {
                ends.stacks.push(Stack::begin(at));
            }
            let Some(stack) = ends.stacks.last_mut() else { continue };
            stack
        };
        stack.add(at, state);
    }
    ends
}
