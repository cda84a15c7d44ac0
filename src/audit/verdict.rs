//! Many states as one.

use super::judged::{Judged, JudgedTree};
use super::state::State;

/// How many there are of each state, in [`State::ALL`]'s order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([usize; State::ALL.len()]);

impl Counts {
    pub fn of<'a>(items: impl IntoIterator<Item = &'a Judged>) -> Self {
        items.into_iter().map(|judged| judged.state).collect()
    }

    fn add(&mut self, state: State) {
        let slot = State::ALL.iter().zip(&mut self.0).find(|(known, _)| **known == state);
        if let Some((_, count)) = slot {
            *count += 1;
        }
    }

    pub fn get(&self, state: State) -> usize {
        State::ALL.iter().zip(self.0).find(|(known, _)| **known == state).map_or(0, |(_, count)| count)
    }

    /// Without what is absent.
    pub fn total(&self) -> usize {
        self.0.iter().sum::<usize>() - self.get(State::Absent)
    }

    pub fn worst(&self) -> State {
        State::ALL.into_iter().filter(|state| self.get(*state) > 0).fold(State::Ok, State::max)
    }
}

impl FromIterator<State> for Counts {
    fn from_iter<T: IntoIterator<Item = State>>(states: T) -> Self {
        let mut counts = Self::default();
        states.into_iter().for_each(|state| counts.add(state));
        counts
    }
}

/// The answer in one word, with numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    pub counts: Counts,
    pub trees: usize,
}

pub fn verdict(trees: &[JudgedTree]) -> Verdict {
    let counts = Counts::of(trees.iter().flat_map(|tree| &tree.items));
    Verdict { state: counts.worst(), counts, trees: trees.len() }
}
