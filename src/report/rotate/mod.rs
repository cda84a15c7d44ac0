//! The report of a step of a rotation.

mod document;
pub mod scan;
mod table;

pub use document::{Done, Row, Written};
