//! The report of a step of a rotation.

pub mod confirm;
mod document;
mod metrics;
pub mod scan;
pub mod status;
mod status_text;
mod steps;
mod table;

pub use document::{Done, Row, Written};
pub use steps::{ToDo, markdown};
