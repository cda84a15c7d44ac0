//! Pure: facts and a policy at one instant give findings, the worst first, and what to do about them.

mod advice;
mod judge;
mod judged;
mod policy;
mod problem;
mod remedy;
mod rotating;
mod state;
#[cfg(test)]
mod tests;
mod verdict;

pub use advice::{Advice, Affected, advice};
pub use judge::{judge_tree, windows};
pub use judged::{Judged, JudgedTree, Note};
pub use policy::{Limit, Policy};
pub use problem::Problem;
pub use remedy::Remedy;
pub use rotating::{Rotations, mark};
pub use state::State;
pub use verdict::{Counts, Verdict, verdict};
