//! Pure: facts and a policy at one instant give findings, the worst first, and what to do about them.

mod advice;
mod judge;
mod judged;
mod policy;
mod state;
#[cfg(test)]
mod tests;
mod verdict;

pub use advice::{Advice, Problem, advice};
pub use judge::{judge_tree, windows};
pub use judged::{Judged, JudgedTree, Note, Origin};
pub use policy::Policy;
pub use state::State;
pub use verdict::{Counts, Verdict, verdict};
