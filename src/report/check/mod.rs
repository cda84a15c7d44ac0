//! What `kpki check-expiration` found, and its forms.

mod advice;
mod cells;
mod clusters;
mod csv;
mod document;
mod ends;
mod fleet;
#[cfg(test)]
mod fleet_tests;
mod forms;
mod html;
mod months;
mod nagios;
mod notes;
mod prometheus;
mod result;
mod select;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod timeline;
mod tree_metrics;
mod verdict;
mod wide;
mod words;

pub use csv::quoted;
pub use forms::CheckForm;
pub use result::{Check, Interruption, Line, Selection, Sort, Tone};
