//! The report of a step of a rotation.

mod document;
mod steps;
pub mod scan;
mod table;

pub use document::{Done, Row, Written};
pub use steps::{ToDo, markdown};
