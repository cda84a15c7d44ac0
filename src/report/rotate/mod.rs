//! The report of a step of a rotation.

mod document;
mod table;

pub use document::{Done, Row, Written};
