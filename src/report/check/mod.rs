//! What `kpki check-expiration` found, and its forms.

mod advice;
mod cells;
mod csv;
mod document;
mod fleet;
mod forms;
mod nagios;
mod prometheus;
mod result;
mod select;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod verdict;
mod wide;
mod words;

pub use forms::CheckForm;
pub use result::{Check, Interruption, Line, Selection, Sort, Tone};
